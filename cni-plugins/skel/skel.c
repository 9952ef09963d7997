#include "cni-plugins/skel/skel.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "cni-plugins/skel/code.h"

static int print(cJSON *j)
{
	_cleanup_free_ char *text = json_print(j, false);

	cJSON_Delete(j);
	if (write_all(STDOUT_FILENO, text, strlen(text)) < 0 ||
	    write_all(STDOUT_FILENO, "\n", 1) < 0)
		return 1;
	return 0;
}

static int print_error(const struct cni_request *rq, const struct err *e)
{
	cJSON *j = cJSON_CreateObject();
	/* Messages may quote bytes from anywhere; what goes out must be JSON. */
	_cleanup_free_ char *text = str_escape(err_text(e), strlen(err_text(e)));

	(void) cJSON_AddStringToObject(
		j, "cniVersion", cni_version_text(rq->version_known ? rq->version : CNI_LATEST));
	(void) cJSON_AddNumberToObject(j, "code", cni_code_of(e->code));
	(void) cJSON_AddStringToObject(j, "msg", text);
	(void) print(j);
	return 1;
}

static int print_version(const struct cni_request *rq)
{
	cJSON *j = cJSON_CreateObject();

	(void) cJSON_AddStringToObject(
		j, "cniVersion", cni_version_text(rq->version_known ? rq->version : CNI_LATEST));
	cJSON_AddItemToObject(j, "supportedVersions", cni_version_list(rq->since));
	return print(j);
}

/* Started by hand: say what this is. */
static int about(const struct cni_plugin *p)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;

	strbuf_addf(&sb, "CNI plugin %s of gantry %s\nCNI protocol versions supported: ", p->name,
		    GANTRY_VERSION);
	for (int v = (int) p->since; v < CNI_VERSION_MAX_; v++)
		strbuf_addf(&sb, "%s%s", v > (int) p->since ? ", " : "",
			    cni_version_text((enum cni_version) v));
	strbuf_addc(&sb, '\n');
	return write_all(STDERR_FILENO, sb.buf, sb.len) < 0;
}

static int run_add(const struct cni_plugin *p, const struct cni_request *rq, struct err *e)
{
	_cleanup_cni_result_ struct cni_result result = CNI_RESULT_INIT;
	int r = p->add(rq, &result, e);

	if (r < 0)
		return r;
	return print(cni_result_encode(&result, rq->version))
		       ? err_set(e, CNI_CODE(CNI_IO), "write result")
		       : 0;
}

static int run(const struct cni_plugin *p, const struct cni_request *rq, struct err *e)
{
	int (*fn)(const struct cni_request *, struct err *) = NULL;

	switch (rq->command) {
	case CNI_ADD:
		return run_add(p, rq, e);
	case CNI_DEL:
		fn = p->del;
		break;
	case CNI_CHECK:
		fn = p->check;
		break;
	case CNI_GC:
		fn = p->gc;
		break;
	case CNI_STATUS:
		fn = p->status;
		break;
	case CNI_VERSION:
		break;
	}
	return fn ? fn(rq, e) : 0;
}

int cni_main(const struct cni_plugin *p)
{
	_cleanup_cni_request_ struct cni_request rq = CNI_REQUEST_INIT;
	_cleanup_err_ struct err e = ERR_INIT;
	struct cni_env env = {
		.command = getenv("CNI_COMMAND"),
		.container_id = getenv("CNI_CONTAINERID"),
		.netns = getenv("CNI_NETNS"),
		.ifname = getenv("CNI_IFNAME"),
		.args = getenv("CNI_ARGS"),
		.path = getenv("CNI_PATH"),
	};
	size_t len = 0;
	char *text = NULL;
	int r;

	fd_sanitize_stdio();
	if (!env.command || !*env.command)
		return about(p);
	r = read_all(STDIN_FILENO, CNI_CONF_MAX, &text, &len);
	if (r < 0) {
		if (r == -EFBIG)
			(void) err_set(&e, CNI_CODE(CNI_IO),
				       "the network configuration is larger than %u MiB",
				       CNI_CONF_MAX >> 20);
		else
			(void) err_set(&e, CNI_CODE(CNI_IO), "read the network configuration: %s",
				       strerror(-r));
		return print_error(&rq, &e);
	}
	rq.builtin_ipam = p->builtin_ipam;
	rq.since = p->since;
	r = cni_request_parse(&rq, &env, text, len, &e);
	/*
	 * VERSION answers whatever stands on standard input: finding a common version is what it
	 * is for.
	 */
	if (rq.command == CNI_VERSION)
		return print_version(&rq);
	if (r >= 0)
		r = run(p, &rq, &e);
	return r < 0 ? print_error(&rq, &e) : 0;
}
