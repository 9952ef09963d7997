#include "tests/unit/unit.h"

#include "stage0/kube/internal.h"

#define POD(spec) "[{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"web\"},\"spec\":{" spec "}}]"
#define ONE(members) POD("\"containers\":[{\"name\":\"a\",\"image\":\"nginx\"" members "}]")
#define MAP                                                                                          \
	",{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"m\"},\"data\":{\"K\":\"v\",\"a.b\":\"c\"}}]"

static void refused(const char *json, const char *why)
{
	struct pod_request req = {0};
	struct kube_run run = {0};
	_cleanup_err_ struct err e = ERR_INIT;

	if (kube_convert(json, strlen(json), &req, &run, &e) == 0)
		fail_msg("accepted: %s", json);
	if (!strstr(err_text(&e), why))
		fail_msg("%s: %s", json, err_text(&e));
	pod_request_done(&req);
	kube_run_done(&run);
}

static void convert(const char *json, struct pod_request *req, struct kube_run *run)
{
	_cleanup_err_ struct err e = ERR_INIT;

	*req = (struct pod_request) {0};
	*run = (struct kube_run) {0};
	if (kube_convert(json, strlen(json), req, run, &e) < 0)
		fail_msg("%s: %s", json, err_text(&e));
}

static void done(struct pod_request *req, struct kube_run *run)
{
	pod_request_done(req);
	kube_run_done(run);
}

static void test_images(void **state _unused_)
{
	static const struct {
		const char *image, *word, *policy;
	} rows[] = {
		{"nginx", "docker://nginx", "update"},
		{"nginx:latest", "docker://nginx:latest", "update"},
		{"nginx:1.25", "docker://nginx:1.25", "new"},
		{"host:5000/nginx", "docker://host:5000/nginx", "update"},
		{"docker://a/b:1", "docker://a/b:1", "new"},
		{"oci:/x:1", "oci:/x:1", "new"},
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_free_ char *json =
			xasprintf(POD("\"containers\":[{\"name\":\"a\",\"image\":\"%s\"}]"), rows[i].image);
		struct pod_request req;
		struct kube_run run;

		convert(json, &req, &run);
		assert_string_equal(req.apps[0].image, rows[i].word);
		assert_string_equal(req.apps[0].more->pull_policy, rows[i].policy);
		done(&req, &run);
	}
}

static void test_container(void **state _unused_)
{
	struct pod_request req;
	struct kube_run run;
	const struct app_more *more;

	convert(ONE(",\"command\":[\"x\",\"$(A)-$$(A)-$(B)\"],\"args\":[\"$(A)\"],"
		    "\"env\":[{\"name\":\"A\",\"value\":\"1\"},{\"name\":\"C\",\"value\":\"$(A)2\"}],"
		    "\"ports\":[{\"containerPort\":80,\"hostPort\":8080},{\"containerPort\":53,\"protocol\":\"UDP\","
		    "\"name\":\"dns\"}],\"resources\":{\"limits\":{\"cpu\":0.5,\"memory\":\"1Gi\"}},"
		    "\"livenessProbe\":{\"tcpSocket\":{\"port\":\"dns\"},\"periodSeconds\":3},"
		    "\"securityContext\":{\"runAsUser\":5,\"capabilities\":{\"drop\":[\"ALL\"]}}"),
		&req, &run);
	more = req.apps[0].more;
	assert_string_equal(more->command[1], "1-$(A)-$(B)");
	assert_string_equal(req.apps[0].args[0], "1");
	assert_string_equal(req.apps[0].environment[1], "C=12");
	assert_int_equal(more->n_ports, 2);
	assert_string_equal(more->ports[0].name, "80-tcp");
	assert_int_equal(req.n_more_ports, 1);
	assert_int_equal(req.more_ports[0].host_port, 8080);
	assert_string_equal(req.apps[0].user, "5");
	assert_null(req.apps[0].group);
	assert_int_equal(isolator_find(&more->isolators, ISO_CPU)->resource.limit, 500);
	assert_int_equal(isolator_find(&more->isolators, ISO_CPU)->resource.request, -1);
	assert_non_null(isolator_find(&more->isolators, ISO_CAPS_REMOVE));
	assert_non_null(isolator_find(&more->isolators, ISO_PROBE));
	assert_non_null(isolator_find(&more->isolators, ISO_RESTART));
	assert_string_equal(run.hostname, "web");
	done(&req, &run);
}

static void test_pod(void **state _unused_)
{
	struct pod_request req;
	struct kube_run run;
	static const char json[] =
		"[{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"web\",\"labels\":{\"a\":\"b\"}},\"spec\":{"
		"\"hostNetwork\":true,\"hostUsers\":true,\"hostname\":\"other\",\"volumes\":[{\"name\":\"c\",\"configMap\":{\"name\":\"m\"}},"
		"{\"name\":\"e\",\"emptyDir\":{\"medium\":\"\"}}],\"securityContext\":{\"fsGroup\":7,\"supplementalGroups\":[1,2]},"
		"\"initContainers\":[{\"name\":\"i\",\"image\":\"x\",\"envFrom\":[{\"configMapRef\":{\"name\":\"m\"},"
		"\"prefix\":\"P_\"}]}],\"containers\":[{\"name\":\"a\",\"image\":\"y\"}]}}" MAP;

	convert(json, &req, &run);
	assert_true(run.host_network);
	assert_false(req.private_users);
	assert_string_equal(run.hostname, "other");
	assert_string_equal(req.pod_name, "web");
	assert_string_equal(req.user_labels[0], "a=b");
	assert_int_equal(req.n_apps, 2);
	assert_string_equal(req.apps[0].name, "i");
	assert_string_equal(req.apps[0].environment[0], "P_K=v");
	assert_non_null(isolator_find(&req.apps[0].more->isolators, ISO_INIT_APP));
	assert_null(isolator_find(&req.apps[1].more->isolators, ISO_INIT_APP));
	assert_string_equal(req.apps[1].supplementary_gids, "1,2,7");
	assert_int_equal(req.n_files, 2);
	assert_string_equal(req.files[1].name, "a.b");
	assert_true(req.more_volumes[0].read_only);
	assert_int_equal(req.more_volumes[1].mode, 02777);
	assert_int_equal(req.more_volumes[1].gid, 7);
	done(&req, &run);
}

static void test_users(void **state _unused_)
{
	struct pod_request req;
	struct kube_run run;

	convert("[{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"web\"},\"spec\":{\"hostUsers\":false,"
		"\"containers\":[{\"name\":\"a\",\"image\":\"y\"}]}}]", &req, &run);
	assert_true(req.private_users);
	done(&req, &run);
}

/* What the API server puts into each Pod, and what it prints of one that ran. */
static void test_defaults(void **state _unused_)
{
	struct pod_request req;
	struct kube_run run;

	convert("[{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"web-x\",\"generateName\":\"web-\","
		"\"uid\":\"u\",\"resourceVersion\":\"1\",\"creationTimestamp\":\"2024-01-01T00:00:00Z\",\"managedFields\":[{}],"
		"\"ownerReferences\":[{}]},\"spec\":{\"containers\":[{\"name\":\"a\",\"image\":\"y\",\"resources\":{},"
		"\"terminationMessagePath\":\"/dev/termination-log\",\"terminationMessagePolicy\":\"File\"}],"
		"\"dnsPolicy\":\"ClusterFirst\",\"enableServiceLinks\":true,\"nodeName\":\"n\",\"priority\":0,"
		"\"preemptionPolicy\":\"PreemptLowerPriority\",\"restartPolicy\":\"Always\",\"securityContext\":{},"
		"\"schedulerName\":\"default-scheduler\",\"serviceAccount\":\"default\",\"serviceAccountName\":\"default\","
		"\"automountServiceAccountToken\":false,\"terminationGracePeriodSeconds\":30,\"tolerations\":[{\"effect\":"
		"\"NoExecute\",\"key\":\"node.kubernetes.io/not-ready\"}]},\"status\":{\"phase\":\"Running\"}}]", &req, &run);
	assert_false(run.host_dns);
	done(&req, &run);
	convert(POD("\"dnsPolicy\":\"Default\",\"containers\":[{\"name\":\"a\",\"image\":\"y\"}]"), &req, &run);
	assert_true(run.host_dns);
	done(&req, &run);
}

static void test_refused(void **state _unused_)
{
	static const struct {
		const char *json, *why;
	} rows[] = {
		{"[]", "there is no Pod"},
		{"[{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\"}]", "kind \"Deployment\""},
		{"[{\"apiVersion\":\"v1\",\"kind\":\"Secret\"}]", "Secret"},
		{"[1]", "kind (none)"},
		{POD("\"containers\":[]"), "spec.containers: must not be empty"},
		{POD("\"nodeName\":1,\"containers\":[{}]"), "spec.nodeName: expected string"},
		{POD("\"nodeSelector\":{},\"containers\":[{}]"), "nodeSelector"},
		{POD("\"tolerations\":{},\"containers\":[{}]"), "spec.tolerations: expected array"},
		{POD("\"dnsPolicy\":\"None\",\"containers\":[{}]"), "spec.dnsPolicy: \"None\" is not supported: see --dns"},
		{POD("\"dnsPolicy\":\"ClusterFirstWithHostNet\",\"containers\":[{}]"), "spec.dnsPolicy"},
		{POD("\"schedulerName\":\"mine\",\"containers\":[{}]"), "spec.schedulerName: \"mine\""},
		{POD("\"serviceAccountName\":\"admin\",\"containers\":[{}]"), "spec.serviceAccountName: \"admin\""},
		{POD("\"serviceAccount\":\"admin\",\"containers\":[{}]"), "spec.serviceAccount: \"admin\""},
		{POD("\"automountServiceAccountToken\":true,\"containers\":[{}]"), "spec.automountServiceAccountToken"},
		{POD("\"automountServiceAccountToken\":0,\"containers\":[{}]"), "spec.automountServiceAccountToken"},
		{POD("\"priority\":2000,\"containers\":[{}]"), "spec.priority: \"2000\" is not supported"},
		{POD("\"priority\":\"0\",\"containers\":[{}]"), "spec.priority"},
		{POD("\"preemptionPolicy\":\"Always\",\"containers\":[{}]"), "spec.preemptionPolicy"},
		{POD("\"enableServiceLinks\":1,\"containers\":[{}]"), "spec.enableServiceLinks"},
		{ONE(",\"terminationMessagePath\":\"/x\""), "containers[0].terminationMessagePath: \"/x\""},
		{ONE(",\"terminationMessagePolicy\":\"FallbackToLogsOnError\""), "containers[0].terminationMessagePolicy"},
		{POD("\"restartPolicy\":\"Sometimes\",\"containers\":[{}]"), "Sometimes"},
		{POD("\"hostPID\":true,\"containers\":[{}]"), "hostPID"},
		{POD("\"hostUsers\":false,\"hostNetwork\":true,\"containers\":[{}]"), "spec: hostNetwork: a pod with hostUsers"},
		{POD("\"shareProcessNamespace\":false,\"containers\":[{}]"), "shareProcessNamespace"},
		{POD("\"containers\":[{\"name\":\"a\"}]"), "containers[0].image"},
		{POD("\"containers\":[{\"name\":\"A_\",\"image\":\"x\"}]"), "containers[0].name"},
		{POD("\"containers\":[{\"name\":\"a\",\"image\":\"x\"},{\"name\":\"a\",\"image\":\"x\"}]"), "twice"},
		{ONE(",\"lifecycle\":{}"), "lifecycle"},
		{ONE(",\"tty\":true"), "tty"},
		{ONE(",\"imagePullPolicy\":\"always\""), "always"},
		{ONE(",\"env\":[{\"name\":\"a b\",\"value\":\"\"}]"), "env[0]"},
		{ONE(",\"env\":[{\"name\":\"A\",\"value\":1}]"), "env[0].value"},
		{ONE(",\"env\":[{\"name\":\"A\",\"valueFrom\":{\"fieldRef\":{}}}]"), "fieldRef"},
		{ONE(",\"env\":[{\"name\":\"A\",\"valueFrom\":{\"configMapKeyRef\":{\"name\":\"m\",\"key\":\"k\"}}}]"),
		 "no ConfigMap \"m\""},
		{ONE(",\"ports\":[{\"containerPort\":0}]"), "containerPort"},
		{ONE(",\"ports\":[{\"containerPort\":1,\"protocol\":\"ICMP\"}]"), "ICMP"},
		{ONE(",\"resources\":{\"limits\":{\"nvidia.com/gpu\":1}}"), "nvidia.com/gpu"},
		{ONE(",\"resources\":{\"limits\":{\"memory\":\"lots\"}}"), "lots"},
		{ONE(",\"securityContext\":{\"privileged\":true}"), "privileged"},
		{ONE(",\"securityContext\":{\"runAsNonRoot\":true}"), "runAsNonRoot"},
		{ONE(",\"securityContext\":{\"runAsUser\":-1}"), "runAsUser"},
		{ONE(",\"securityContext\":{\"seLinuxOptions\":{}}"), "seLinuxOptions"},
		{ONE(",\"securityContext\":{\"seccompProfile\":{\"type\":\"Localhost\"}}"), "Localhost"},
		{ONE(",\"securityContext\":{\"capabilities\":{\"add\":[\"ALL\"]}}"), "ALL"},
		{ONE(",\"volumeMounts\":[{\"name\":\"v\",\"mountPath\":\"x\"}]"), "mountPath"},
		{ONE(",\"volumeMounts\":[{\"name\":\"v\",\"mountPath\":\"/x\",\"subPath\":\"y\"}]"), "subPath"},
		{ONE(",\"livenessProbe\":{\"grpc\":{\"port\":1}}"), "grpc"},
		{ONE(",\"livenessProbe\":{}"), "expected one of"},
		{ONE(",\"livenessProbe\":{\"tcpSocket\":{\"port\":\"http\"}}"), "no port \"http\""},
		{ONE(",\"livenessProbe\":{\"httpGet\":{\"port\":1,\"scheme\":\"HTTPS\"}}"), "HTTPS"},
		{POD("\"containers\":[{}],\"volumes\":[{\"name\":\"v\",\"secret\":{}}]"), "secret"},
		{POD("\"containers\":[{}],\"volumes\":[{\"name\":\"v\"}]"), "expected one of"},
		{POD("\"containers\":[{}],\"volumes\":[{\"name\":\"v\",\"emptyDir\":{\"medium\":\"Memory\"}}]"), "Memory"},
		{POD("\"containers\":[{}],\"volumes\":[{\"name\":\"v\",\"emptyDir\":{\"sizeLimit\":\"1Mi\"}}]"),
		 "spec.volumes[0].emptyDir.sizeLimit"},
		{POD("\"containers\":[{}],\"volumes\":[{\"name\":\"v\",\"emptyDir\":{}},{\"name\":\"v\",\"emptyDir\":{}}]"),
		 "twice"},
		{POD("\"containers\":[{}],\"volumes\":[{\"name\":\"v\",\"hostPath\":{\"path\":\"x\"}}]"), "path"},
		{POD("\"containers\":[{}],\"volumes\":[{\"name\":\"v\",\"hostPath\":{\"path\":\"/none/at/all\"}}]"),
		 "/none/at/all"},
		{POD("\"containers\":[{}],\"volumes\":[{\"name\":\"v\",\"hostPath\":{\"path\":\"/etc\",\"type\":\"File\"}}]"),
		 "is no File"},
		{POD("\"containers\":[{}],\"volumes\":[{\"name\":\"v\",\"configMap\":{\"name\":\"m\"}}]"), "no ConfigMap"},
		{POD("\"containers\":[{}],\"securityContext\":{\"sysctls\":[{\"name\":\"../x\",\"value\":\"1\"}]}"),
		 "sysctl"},
		{"[{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"m\"},\"data\":{\"../k\":\"v\"}}]",
		 "is no key"},
		{"[{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"m\"},\"data\":{\"k\":1}}]", "expected a string"},
		{"[{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"m\"},\"binaryData\":{}}]", "binaryData"},
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++)
		refused(rows[i].json, rows[i].why);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_images),
		cmocka_unit_test(test_container),
		cmocka_unit_test(test_pod),
		cmocka_unit_test(test_users),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
