/*
 * net list|status|gc|check: what `gantry net` does, with the runtime of this stage1.
 *
 *	net list   --local-config=DIR [--net-dir=DIR]... [--json|--no-legend]
 *	net status --local-config=DIR [--net-dir=DIR]... [NAME...]
 *	net gc     --local-config=DIR [--net-dir=DIR]... --data-dir=DIR [NAME...]
 *	net check  [--repair] UUID          in the pod's directory
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/opt.h"
#include "base/path.h"
#include "base/str.h"
#include "contract/exit.h"
#include "contract/layout.h"
#include "spec/uuid.h"
#include "stage1/net/operations.h"

struct request {
	char *local_config, *data_dir;
	char **net_dirs;
	bool json, no_legend, repair;
};

static const struct opt opts[] = {
	{.name = "local-config", .type = OPT_STRING, .offset = offsetof(struct request, local_config)},
	{.name = "net-dir", .type = OPT_STRV, .offset = offsetof(struct request, net_dirs)},
	{.name = "data-dir", .type = OPT_STRING, .offset = offsetof(struct request, data_dir)},
	{.name = "no-legend", .type = OPT_FLAG, .offset = offsetof(struct request, no_legend)},
	{.name = "json", .type = OPT_FLAG, .offset = offsetof(struct request, json)},
	{.name = "repair", .type = OPT_FLAG, .offset = offsetof(struct request, repair)},
};

static int load(const struct request *rq, struct cni_networks *ret, struct err *e)
{
	_cleanup_free_ char *dir =
		path_join(rq->local_config ? rq->local_config : LOCAL_CONFIG_DIR, "net.d");

	return cni_networks_load(dir, rq->net_dirs, ret, e);
}

static char *types_of(const struct cni_network *n)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;

	for (const cJSON *p = json_get(n->list, "plugins")->child; p; p = p->next)
		strbuf_addf(&sb, "%s%s", sb.len ? "+" : "", json_get_str(p, "type"));
	return strbuf_take(&sb);
}

static void print_json(const struct cni_networks *l)
{
	_cleanup_json_ cJSON *all = cJSON_CreateArray();
	_cleanup_free_ char *text = NULL;

	for (size_t i = 0; i < l->n; i++) {
		cJSON *o = cJSON_CreateObject();

		cJSON_AddStringToObject(o, "name", l->v[i].name);
		cJSON_AddStringToObject(o, "cniVersion", l->v[i].version);
		if (l->v[i].file)
			cJSON_AddStringToObject(o, "file", l->v[i].file);
		cJSON_AddItemToObject(o, "plugins",
				      cJSON_Duplicate(json_get(l->v[i].list, "plugins"), true));
		cJSON_AddItemToArray(all, o);
	}
	text = json_print(all, false);
	puts(text);
}

#define ROW "%-20s %-24s %-10s %s\n"

/* One line for each: name, plugins, version, file. */
static int list(const struct request *rq, char *const *words, struct err *e)
{
	struct cni_networks l = {0};
	int r = load(rq, &l, e);

	(void) words;
	if (r == 0 && rq->json)
		print_json(&l);
	if (r == 0 && !rq->json && !rq->no_legend)
		printf(ROW, "NAME", "PLUGINS", "VERSION", "FILE");
	for (size_t i = 0; r == 0 && !rq->json && i < l.n; i++) {
		_cleanup_free_ char *types = types_of(&l.v[i]);

		printf(ROW, l.v[i].name, types, l.v[i].version,
		       l.v[i].file ? l.v[i].file : "built in");
	}
	cni_networks_done(&l);
	return r;
}

typedef int (*network_fn)(const struct request *rq, const struct cni_network *n, struct err *e);

/* Of the named networks, or of all; every one is tried. */
static int each_network(const struct request *rq, char *const *words, network_fn fn, struct err *e)
{
	struct cni_networks l = {0};
	int r = load(rq, &l, e), first = 0;

	for (char *const *w = words; r == 0 && w && *w; w++)
		if (!cni_network_find(&l, *w))
			r = err_set(e, ENOENT, "networks not found: %s", q(*w));
	for (size_t i = 0; r == 0 && i < l.n; i++) {
		_cleanup_err_ struct err why = ERR_INIT;

		if (strv_len((char **) words) && !strv_has((char **) words, l.v[i].name))
			continue;
		if (fn(rq, &l.v[i], &why) == 0)
			continue;
		if (first)
			log_error("%s", err_text(&why));
		else
			first = err_move(e, &why);
	}
	cni_networks_done(&l);
	return r < 0 ? r : first;
}

static int status_of(const struct request *rq, const struct cni_network *n, struct err *e)
{
	int r = net_status(n, e);

	(void) rq;
	printf("%s\t%s\n", n->name, r < 0 ? "not ready" : "ready");
	return r;
}

static int status(const struct request *rq, char *const *words, struct err *e)
{
	return each_network(rq, words, status_of, e);
}

static int gc_of(const struct request *rq, const struct cni_network *n, struct err *e)
{
	return net_gc(n, rq->data_dir, e);
}

static int gc(const struct request *rq, char *const *words, struct err *e)
{
	if (!rq->data_dir)
		return err_set(e, EINVAL, "--data-dir is needed");
	return each_network(rq, words, gc_of, e);
}

static int check(const struct request *rq, char *const *words, struct err *e)
{
	_cleanup_fd_ int dir = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (strv_len((char **) words) != 1 || uuid_check(words[0]))
		return err_set(e, EINVAL, "one UUID is needed");
	return dir < 0 ? err_sys(e, "open the pod directory")
		       : net_check(dir, words[0], rq->repair, e);
}

static const struct {
	const char *name;
	int (*run)(const struct request *rq, char *const *words, struct err *e);
} verbs[] = {{"list", list}, {"status", status}, {"gc", gc}, {"check", check}};

static int run(int argc, char **argv, struct err *e)
{
	struct request rq = {0};
	struct opt_table tables[] = {OPT_TABLE(opts, &rq)};
	struct opt_cursor c = {.argc = argc, .argv = argv, .pos = 2};
	_cleanup_strv_ char **words = NULL;
	size_t i = 0;
	int r;

	while (i < ELEMENTSOF(verbs) && (argc < 2 || strcmp(verbs[i].name, argv[1])))
		i++;
	if (i == ELEMENTSOF(verbs))
		return err_set(e, EINVAL, "list, status, gc or check is needed");
	r = opt_parse_all(&c, tables, ELEMENTSOF(tables), false, &words, e);
	if (r >= 0)
		r = verbs[i].run(&rq, words, e);
	free(rq.local_config);
	strv_free(rq.net_dirs);
	free(rq.data_dir);
	return r;
}

int main(int argc, char **argv)
{
	_cleanup_err_ struct err e = ERR_INIT;

	fd_sanitize_stdio();
	log_init("gantry: net");
	if (run(argc, argv, &e) < 0) {
		log_error("%s", err_text(&e));
		return EXIT_FAILED;
	}
	return fflush(stdout) == 0 ? EXIT_OK : EXIT_FAILED;
}
