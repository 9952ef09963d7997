#include "stage0/oci/convert.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "base/path.h"
#include "base/str.h"
#include "spec/ac_name.h"
#include "spec/image_manifest.h"
#include "spec/well_known.h"
#include "stage0/oci/convert_internal.h"

#define AC_VERSION "0.8.11"
#define DOCKER(name) "appc.io/docker/" name

/* Go's architecture and variant in appc's words; NULL: it has none. */
static const char *arch_of(const struct oci_platform *p)
{
	static const struct {
		const char *go, *variant, *appc;
	} rows[] = {
		{"amd64", NULL, "amd64"},   {"386", NULL, "i386"},	 {"arm64", NULL, "aarch64"},
		{"arm", "v5", NULL},	    {"arm", "v6", "armv6l"},	 {"arm", NULL, "armv7l"},
		{"ppc64", NULL, "ppc64"},   {"ppc64le", NULL, "ppc64le"}, {"s390x", NULL, "s390x"},
	};

	for (size_t i = 0; p->architecture && i < ELEMENTSOF(rows); i++)
		if (str_eq(rows[i].go, p->architecture) && (!rows[i].variant || str_eq(rows[i].variant, p->variant)))
			return rows[i].appc;
	return NULL;
}

char *oci_config_foreign(const struct oci_config *c, const struct oci_platform *machine)
{
	const struct oci_platform *p = &c->platform;
	bool os = !p->os || !*p->os || str_eq(p->os, machine->os);
	bool arch = !p->architecture || !*p->architecture || str_eq(p->architecture, machine->architecture);

	/* Processors that run both. */
	if (str_eq(p->architecture, "386") && str_eq(machine->architecture, "amd64"))
		arch = true;
	return os && arch ? NULL : xasprintf("%s/%s", p->os ? p->os : "?", p->architecture ? p->architecture : "?");
}

/* --- name, labels, annotations --- */

static cJSON *encode_labels(const struct conversion *in)
{
	const char *arch = arch_of(&in->config->platform);
	struct nameval_list l = {0};
	cJSON *j;

	nameval_set(&l, "os", "linux");
	if (arch)
		nameval_set(&l, "arch", arch);
	if (in->name->tag)
		nameval_set(&l, "version", in->name->tag);
	j = nameval_encode_list(&l);
	nameval_done(&l);
	return j;
}

/* A vector as a JSON array in one string: what rkt's annotations hold. */
static void set_words(struct nameval_list *l, const char *name, char *const *words)
{
	_cleanup_json_ cJSON *v = NULL;
	_cleanup_free_ char *text = NULL;

	if (!words)
		return;
	v = cJSON_CreateStringArray((const char *const *) words, (int) strv_len(words));
	text = json_print(v, false);
	nameval_set(l, name, text);
}

static void set(struct nameval_list *l, const char *name, const char *value)
{
	if (value && *value && !well_known_annotation_check(name, value))
		nameval_set(l, name, value);
}

/* Labels that appc can say; all of them go into userLabels. */
static void add_labels(struct nameval_list *l, const struct nameval_list *labels)
{
	for (size_t i = 0; i < labels->n; i++) {
		const char *name = labels->v[i].name;

		if (!ac_identifier_check(name) && !nameval_get(l, name) && !str_starts(name, "appc.io/"))
			set(l, name, labels->v[i].value);
	}
}

static cJSON *encode_annotations(const struct conversion *in)
{
	const struct oci_config *c = in->config;
	struct nameval_list l = {0};
	cJSON *j;

	set(&l, "created", c->created);
	set(&l, "authors", c->author);
	set(&l, DOCKER("registryurl"), in->name->registry);
	set(&l, DOCKER("repository"), in->name->repository);
	set(&l, DOCKER("imageid"), in->config_digest);
	set(&l, DOCKER("tag"), in->name->tag);
	set(&l, DOCKER("manifesthash"), in->manifest_digest);
	set(&l, DOCKER("originalname"), in->name->original);
	set_words(&l, DOCKER("entrypoint"), c->entrypoint);
	set_words(&l, DOCKER("cmd"), c->cmd);
	add_labels(&l, &c->labels);
	j = nameval_encode_list(&l);
	nameval_done(&l);
	return j;
}

/* --- the app --- */

static void add_exec(cJSON *app, const struct oci_config *c)
{
	cJSON *v;

	if (!c->entrypoint && !c->cmd)
		return;
	v = cJSON_AddArrayToObject(app, "exec");
	for (char **w = c->entrypoint; w && *w; w++)
		cJSON_AddItemToArray(v, cJSON_CreateString(*w));
	for (char **w = c->cmd; w && *w; w++)
		cJSON_AddItemToArray(v, cJSON_CreateString(*w));
}

/* "", "user", "user:group": true when the groups are the image's own files' to say; root's are as well. */
static bool add_user(cJSON *app, const struct oci_config *c)
{
	const char *colon = strchr(c->user, ':');
	_cleanup_free_ char *user = colon ? xstrndup(c->user, (size_t) (colon - c->user)) : xstrdup(c->user);
	bool group = colon && colon[1];

	cJSON_AddStringToObject(app, "user", *user ? user : "0");
	cJSON_AddStringToObject(app, "group", group ? colon + 1 : "0");
	return !group;
}

/* In order, the last of one name counting; a name that appc does not have is left out, and said. */
static void add_environment(cJSON *app, const struct oci_config *c)
{
	struct nameval_list l = {0};

	for (char **v = c->env; v && *v; v++) {
		const char *equals = strchr(*v, '=');
		_cleanup_free_ char *name = equals ? xstrndup(*v, (size_t) (equals - *v)) : xstrdup(*v);
		const char *bad = ac_env_name_check(name);

		if (bad)
			log_warning("image configuration: Env: %s is left out: %s", q(name), bad);
		else
			nameval_set(&l, name, equals ? equals + 1 : "");
	}
	if (l.n)
		cJSON_AddItemToObject(app, "environment", nameval_encode_list(&l));
	nameval_done(&l);
}

static void add_working_dir(cJSON *app, const struct oci_config *c)
{
	_cleanup_free_ char *absolute = NULL, *clean = NULL;

	if (!c->working_dir || !*c->working_dir)
		return;
	absolute = xasprintf("/%s", c->working_dir);
	clean = path_clean(absolute);
	cJSON_AddStringToObject(app, "workingDirectory", clean);
}

static char *free_name(char *const *taken, const char *path)
{
	_cleanup_free_ char *word = ac_name_sanitize(path);
	_cleanup_free_ char *base = *word ? xasprintf("volume-%s", word) : xstrdup("volume");
	char *name = xstrdup(base);

	/* "/a-b" and "/a/b" are two. */
	for (unsigned n = 2; strv_has(taken, name); n++) {
		free(name);
		name = xasprintf("%s-%u", base, n);
	}
	return name;
}

/*
 * Where the pod mounts its own. /proc and /dev with something else over them are no place to run a program in,
 * and runc refuses the former too (CVE-2019-16884). An image that says /sys or /sys/fs/cgroup (one of systemd)
 * wants to be given the host's: an empty directory would hide what it looks for, and so it gets the pod's /sys.
 */
static int check_volume(const char *path, bool *ret_left, struct err *e)
{
	*ret_left = path_is_below(path, "/sys");
	if (str_eq(path, "/"))
		return err_set(e, EINVAL, "the root cannot be a volume");
	if (str_eq(path, "/dev") || path_is_below(path, "/proc"))
		return err_set(e, EINVAL, "a volume cannot be mounted there");
	return 0;
}

static int add_volumes(cJSON *app, const struct oci_config *c, struct err *e)
{
	_cleanup_strv_ char **names = NULL, **paths = NULL;
	cJSON *v = NULL;

	if (strv_len(c->volumes) > VOLUMES_MAX)
		return err_set(e, EINVAL, "more than %d Volumes", VOLUMES_MAX);
	for (char **path = c->volumes; path && *path; path++) {
		_cleanup_free_ char *absolute = xasprintf("/%s", *path), *clean = path_clean(absolute);
		bool left;
		char *name;
		cJSON *o;
		int r = check_volume(clean, &left, e);

		if (r < 0)
			return err_ctx(e, r, "Volumes: %s", q(*path));
		if (left)
			log_warning("image configuration: Volumes: %s is left out: the pod has a /sys of its own", q(*path));
		if (left || strv_has(paths, clean))
			continue;
		name = free_name(names, clean);
		strv_push(&names, name);
		strv_add(&paths, clean);
		v = v ? v : cJSON_AddArrayToObject(app, "mountPoints");
		o = cJSON_CreateObject();
		cJSON_AddStringToObject(o, "name", name);
		cJSON_AddStringToObject(o, "path", clean);
		cJSON_AddItemToArray(v, o);
	}
	return 0;
}

static int check_counts(const struct oci_config *c, struct err *e)
{
	if (c->labels.n > LABELS_MAX)
		return err_set(e, EINVAL, "more than %d Labels", LABELS_MAX);
	if (strv_len(c->env) > ENV_MAX)
		return err_set(e, EINVAL, "more than %d variables in Env", ENV_MAX);
	return 0;
}

static cJSON *encode_app(const struct oci_config *c, struct err *e)
{
	_cleanup_json_ cJSON *app = cJSON_CreateObject();
	bool login_groups;
	int r = check_counts(c, e);

	if (r < 0)
		return NULL;
	add_exec(app, c);
	login_groups = add_user(app, c);
	add_working_dir(app, c);
	add_environment(app, c);
	r = convert_isolators(app, c, login_groups, e);
	if (r == 0)
		r = add_volumes(app, c, e);
	if (r == 0)
		r = convert_ports(app, c->exposed_ports, e);
	if (r < 0)
		return NULL;
	if (c->labels.n)
		cJSON_AddItemToObject(app, "userLabels", nameval_encode_map(&c->labels));
	return take_ptr(app);
}

/* What we made is read as whoever runs it will read it. */
static int check(const char *text, struct err *e)
{
	struct image_manifest *m;

	if (strlen(text) > JSON_MANIFEST_MAX)
		return err_set(e, EFBIG, "it is too large for an appc manifest");
	m = image_manifest_parse(text, strlen(text), e);
	image_manifest_free(m);
	return m ? 0 : -EINVAL;
}

char *oci_convert(const struct conversion *in, struct err *e)
{
	_cleanup_json_ cJSON *j = cJSON_CreateObject();
	_cleanup_free_ char *text = NULL;
	cJSON *app = encode_app(in->config, e);

	if (!app) {
		err_ctx(e, e ? -e->code : 0, "image configuration");
		return NULL;
	}
	cJSON_AddStringToObject(j, "acKind", "ImageManifest");
	cJSON_AddStringToObject(j, "acVersion", AC_VERSION);
	cJSON_AddStringToObject(j, "name", in->name->identifier);
	cJSON_AddItemToObject(j, "labels", encode_labels(in));
	cJSON_AddItemToObject(j, "app", app);
	cJSON_AddItemToObject(j, "annotations", encode_annotations(in));
	text = json_print(j, false);
	if (check(text, e) < 0) {
		err_ctx(e, e ? -e->code : 0, "image configuration");
		return NULL;
	}
	return take_ptr(text);
}
