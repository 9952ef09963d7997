#include "stage0/build/patch.h"

#include <errno.h>
#include <string.h>

#include "base/parse.h"
#include "base/str.h"
#include "spec/image_manifest.h"

#define RQ(field) offsetof(struct patch_request, field)

const struct opt patch_opts[] = {
	{.name = "name", .type = OPT_STRING, .offset = RQ(name), .arg = "NAME",
	 .help = "name of the image"},
	{.name = "label", .type = OPT_STRV, .offset = RQ(labels), .arg = "NAME=VALUE",
	 .help = "a label of the image"},
	{.name = "annotation", .type = OPT_STRV, .offset = RQ(annotations), .arg = "NAME=VALUE",
	 .help = "an annotation of the image"},
	{.name = "exec", .type = OPT_STRING, .offset = RQ(exec), .arg = "COMMAND",
	 .help = "the app's command, words divided by spaces; makes an app where there is none"},
	{.name = "user", .type = OPT_STRING, .offset = RQ(user), .arg = "USER",
	 .help = "the app's user"},
	{.name = "group", .type = OPT_STRING, .offset = RQ(group), .arg = "GROUP",
	 .help = "the app's group"},
	{.name = "supplementary-gids", .type = OPT_STRING, .offset = RQ(supplementary_gids),
	 .arg = "GID,...", .help = "the app's other groups"},
	{.name = "working-dir", .type = OPT_STRING, .offset = RQ(working_dir), .arg = "PATH",
	 .help = "the app's working directory"},
	{.name = "environment", .type = OPT_STRV, .offset = RQ(environment), .arg = "NAME=VALUE",
	 .help = "a variable of the app"},
	{.name = "mounts", .type = OPT_STRING, .offset = RQ(mounts),
	 .arg = "NAME,path=PATH[,readOnly=BOOL][:...]", .help = "mount points of the app"},
	{.name = "ports", .type = OPT_STRING, .offset = RQ(ports),
	 .arg = "NAME,protocol=WORD,port=N[,count=N][,socketActivated=BOOL][:...]",
	 .help = "ports of the app"},
	{.name = "capability", .type = OPT_STRING, .offset = RQ(capability), .arg = "CAP,...",
	 .help = "the capabilities that the app keeps"},
	{.name = "revoke-capability", .type = OPT_STRING, .offset = RQ(revoke_capability),
	 .arg = "CAP,...", .help = "the default capabilities that the app loses"},
	{.name = "seccomp-mode", .type = OPT_STRING, .offset = RQ(seccomp_mode),
	 .arg = "retain|remove[,errno=E]", .help = "what --seccomp-set means"},
	{.name = "seccomp-set", .type = OPT_STRING, .offset = RQ(seccomp_set), .arg = "CALL,...",
	 .help = "system calls of the app's filter"},
	{.name = "isolators", .type = OPT_STRING, .offset = RQ(isolators),
	 .arg = "NAME[,KEY=VALUE][:...]", .help = "isolators of the app whose values are words"},
	{.name = "isolator", .type = OPT_STRV, .offset = RQ(isolator), .arg = "NAME=JSON",
	 .help = "an isolator of the app with any value"},
	{.name = "pre-start", .type = OPT_STRING, .offset = RQ(pre_start), .arg = "COMMAND",
	 .help = "runs before the app"},
	{.name = "post-stop", .type = OPT_STRING, .offset = RQ(post_stop), .arg = "COMMAND",
	 .help = "runs after the app"},
};
const size_t n_patch_opts = ELEMENTSOF(patch_opts);

void patch_request_done(struct patch_request *rq)
{
	for (size_t i = 0; i < n_patch_opts; i++) {
		void *field = (char *) rq + patch_opts[i].offset;

		if (patch_opts[i].type == OPT_STRV)
			strv_free(*(char ***) field);
		else
			free(*(char **) field);
	}
}

bool patch_is_empty(const struct patch_request *rq)
{
	for (size_t i = 0; i < n_patch_opts; i++)
		if (*(void *const *) (const void *) ((const char *) rq + patch_opts[i].offset))
			return false;
	return true;
}

/* --- pieces of the document --- */

/* Replace a member in its place, or append it. */
static void set(cJSON *object, const char *key, cJSON *value)
{
	cJSON *old = json_get(object, key);

	if (old)
		cJSON_ReplaceItemViaPointer(object, old, value);
	else
		cJSON_AddItemToObject(object, key, value);
	/* A replacement is an element without a name. */
	if (!value->string)
		value->string = xstrdup(key);
}

static void set_text(cJSON *object, const char *key, const char *text)
{
	if (text)
		set(object, key, cJSON_CreateString(text));
}

static cJSON *list_of(cJSON *object, const char *key)
{
	cJSON *list = json_get(object, key);

	if (cJSON_IsArray(list))
		return list;
	list = cJSON_CreateArray();
	set(object, key, list);
	return list;
}

/* The element that has this name is replaced; else it is appended. */
static void put_named(cJSON *list, cJSON *element)
{
	const char *name = json_get_str(element, "name");

	for (cJSON *c = list->child; c; c = c->next)
		if (str_eq(json_get_str(c, "name"), name)) {
			cJSON_ReplaceItemViaPointer(list, c, element);
			return;
		}
	cJSON_AddItemToArray(list, element);
}

/* Each element of `from` into the list. */
static void put_all(cJSON *object, const char *key, cJSON *from)
{
	cJSON *list = list_of(object, key);

	while (from->child)
		put_named(list, cJSON_DetachItemViaPointer(from, from->child));
	cJSON_Delete(from);
}

static int put_pairs(cJSON *object, const char *key, char *const *pairs, struct err *e)
{
	for (char *const *p = pairs; p && *p; p++) {
		const char *is = strchr(*p, '=');
		_cleanup_free_ char *name = is ? xstrndup(*p, (size_t) (is - *p)) : NULL;
		cJSON *element;

		if (!is)
			return err_set(e, EINVAL, "%s is no NAME=VALUE", q(*p));
		element = cJSON_CreateObject();
		cJSON_AddStringToObject(element, "name", name);
		cJSON_AddStringToObject(element, "value", is + 1);
		put_named(list_of(object, key), element);
	}
	return 0;
}

/* --- isolators --- */

static void put_isolator(cJSON *app, const char *name, cJSON *value)
{
	cJSON *o = cJSON_CreateObject();

	cJSON_AddStringToObject(o, "name", name);
	cJSON_AddItemToObject(o, "value", value);
	put_named(list_of(app, "isolators"), o);
}

static void drop_isolator(cJSON *app, const char *name)
{
	cJSON *list = json_get(app, "isolators"), *c = cJSON_IsArray(list) ? list->child : NULL;

	while (c && !str_eq(json_get_str(c, "name"), name))
		c = c->next;
	if (c)
		cJSON_Delete(cJSON_DetachItemViaPointer(list, c));
}

/* One way of saying it takes the place of the other: both at once are an error in a manifest. */
static void put_either(cJSON *app, const char *which, const char *other, cJSON *value)
{
	drop_isolator(app, other);
	put_isolator(app, which, value);
}

#define RETAIN_CAPS "os/linux/capabilities-retain-set"
#define REMOVE_CAPS "os/linux/capabilities-remove-set"
#define RETAIN_CALLS "os/linux/seccomp-retain-set"
#define REMOVE_CALLS "os/linux/seccomp-remove-set"

static int patch_seccomp(const struct patch_request *rq, cJSON *app, struct err *e)
{
	const char *mode = rq->seccomp_mode, *comma;
	size_t len;
	cJSON *value;
	bool retain;

	if (!mode && !rq->seccomp_set)
		return 0;
	if (!mode || !rq->seccomp_set)
		return err_set(e, EINVAL, "--seccomp-mode and --seccomp-set go together");
	comma = strchr(mode, ',');
	len = comma ? (size_t) (comma - mode) : strlen(mode);
	retain = len == 6 && !strncmp(mode, "retain", len);
	if ((!retain && (len != 6 || strncmp(mode, "remove", len))) ||
	    (comma && !str_starts(comma, ",errno=")))
		return err_set(
			e, EINVAL,
			"--seccomp-mode: %s is not retain or remove, with errno=E or without",
			q(mode));
	value = patch_set(rq->seccomp_set);
	if (comma)
		cJSON_AddStringToObject(value, "errno", comma + strlen(",errno="));
	put_either(app, retain ? RETAIN_CALLS : REMOVE_CALLS, retain ? REMOVE_CALLS : RETAIN_CALLS,
		   value);
	return 0;
}

static int patch_all_isolators(const struct patch_request *rq, cJSON *app, struct err *e)
{
	cJSON *all = NULL;
	int r = 0;

	if (rq->capability && rq->revoke_capability)
		return err_set(e, EINVAL,
			       "--capability and --revoke-capability exclude each other");
	if (rq->capability)
		put_either(app, RETAIN_CAPS, REMOVE_CAPS, patch_set(rq->capability));
	if (rq->revoke_capability)
		put_either(app, REMOVE_CAPS, RETAIN_CAPS, patch_set(rq->revoke_capability));
	if (rq->isolators) {
		r = patch_isolators(rq->isolators, &all, e);
		if (r < 0)
			return err_ctx(e, r, "--isolators");
		put_all(app, "isolators", all);
	}
	for (char *const *i = rq->isolator; i && *i; i++) {
		r = patch_isolator(*i, &all, e);
		if (r < 0)
			return err_ctx(e, r, "--isolator");
		put_named(list_of(app, "isolators"), all);
	}
	return patch_seccomp(rq, app, e);
}

/* --- the app --- */

static int put_handler(cJSON *app, const char *name, const char *command, struct err *e)
{
	cJSON *exec, *o;
	int r;

	if (!command)
		return 0;
	r = patch_exec(command, &exec, e);
	if (r < 0)
		return err_ctx(e, r, "--%s", name);
	o = cJSON_CreateObject();
	cJSON_AddStringToObject(o, "name", name);
	cJSON_AddItemToObject(o, "exec", exec);
	put_named(list_of(app, "eventHandlers"), o);
	return 0;
}

static int put_gids(cJSON *app, const char *text, struct err *e)
{
	_cleanup_strv_ char **words = text ? strv_split(text, ',') : NULL;
	cJSON *list = text ? cJSON_CreateArray() : NULL;

	for (char **w = words; w && *w; w++) {
		uint64_t gid;

		if (parse_u64(*w, UINT32_MAX - 1, &gid) < 0) {
			cJSON_Delete(list);
			return err_set(e, EINVAL, "--supplementary-gids: %s is no group id", q(*w));
		}
		cJSON_AddItemToArray(list, cJSON_CreateNumber((double) gid));
	}
	if (list)
		set(app, "supplementaryGIDs", list);
	return 0;
}

static int put_list(cJSON *app, const char *option, const char *text,
		    int (*fn)(const char *text, cJSON **ret, struct err *e), const char *key,
		    struct err *e)
{
	cJSON *all = NULL;
	int r = text ? fn(text, &all, e) : 0;

	if (r < 0)
		return err_ctx(e, r, "--%s", option);
	if (all)
		put_all(app, key, all);
	return 0;
}

static int patch_app(const struct patch_request *rq, cJSON *app, struct err *e)
{
	cJSON *exec = NULL;
	int r = rq->exec ? patch_exec(rq->exec, &exec, e) : 0;

	if (r < 0)
		return err_ctx(e, r, "--exec");
	if (exec)
		set(app, "exec", exec);
	set_text(app, "user", rq->user);
	set_text(app, "group", rq->group);
	set_text(app, "workingDirectory", rq->working_dir);
	r = put_gids(app, rq->supplementary_gids, e);
	if (r == 0)
		r = put_pairs(app, "environment", rq->environment, e);
	if (r == 0)
		r = put_list(app, "mounts", rq->mounts, patch_mounts, "mountPoints", e);
	if (r == 0)
		r = put_list(app, "ports", rq->ports, patch_ports, "ports", e);
	if (r == 0)
		r = put_handler(app, "pre-start", rq->pre_start, e);
	if (r == 0)
		r = put_handler(app, "post-stop", rq->post_stop, e);
	return r < 0 ? r : patch_all_isolators(rq, app, e);
}

static bool wants_app(const struct patch_request *rq)
{
	struct patch_request of_app = *rq;

	of_app.name = NULL;
	of_app.labels = of_app.annotations = NULL;
	return !patch_is_empty(&of_app);
}

static int patch_document(const struct patch_request *rq, cJSON *m, struct err *e)
{
	cJSON *app = json_get(m, "app");
	int r;

	set_text(m, "name", rq->name);
	r = put_pairs(m, "labels", rq->labels, e);
	if (r == 0)
		r = put_pairs(m, "annotations", rq->annotations, e);
	if (r < 0 || !wants_app(rq))
		return r;
	if (!cJSON_IsObject(app)) {
		if (!rq->exec)
			return err_set(e, EINVAL, "the image has no app: --exec makes one");
		app = cJSON_CreateObject();
		set(m, "app", app);
		set_text(app, "user", "0");
		set_text(app, "group", "0");
	}
	return patch_app(rq, app, e);
}

int patch_manifest(const struct patch_request *rq, char **text, size_t *len, struct err *e)
{
	_cleanup_image_manifest_ struct image_manifest *check = NULL;
	_cleanup_json_ cJSON *m = NULL;
	_cleanup_free_ char *new = NULL, *line = NULL;
	int r;

	if (patch_is_empty(rq))
		return 0;
	m = json_parse(*text, *len, JSON_MANIFEST_MAX, e);
	if (!m)
		return -EINVAL;
	r = patch_document(rq, m, e);
	if (r < 0)
		return r;
	new = json_print(m, true);
	line = xasprintf("%s\n", new);
	check = image_manifest_parse(line, strlen(line), e);
	if (!check)
		return err_ctx(e, -EINVAL, "with these options");
	free(*text);
	*len = strlen(line);
	*text = take_ptr(line);
	return 0;
}
