#include "stage1/net/operations.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/lock.h"
#include "base/log.h"
#include "base/parse.h"
#include "base/path.h"
#include "base/str.h"
#include "contract/layout.h"
#include "spec/uuid.h"
#include "stage1/net/cached.h"
#include "stage1/net/forward.h"
#include "stage1/net/plugin.h"

#define LOCK_FILE RUN_DIR "/net.lock"
#define LIVE_INTERFACES 16 /* of a pod that we know only by its control group */

int net_lock(bool exclusive, struct err *e)
{
	enum lock_kind kind = exclusive ? LOCK_EXCLUSIVE : LOCK_SHARED;
	_cleanup_err_ struct err first = ERR_INIT;
	int fd = lock_file_at(AT_FDCWD, LOCK_FILE, kind, true, &first), r;

	if (fd != -ENOENT)
		return fd < 0 ? err_move(e, &first) : fd;
	r = path_mkdirs(RUN_DIR, 0700, e);
	return r < 0 ? r : lock_file_at(AT_FDCWD, LOCK_FILE, kind, true, e);
}

/* --- CHECK --- */

/* eth0 first. */
static int each_attachment(int pod_fd, int (*fn)(struct attachment *a, void *arg, struct err *e),
			   void *arg, struct err *e)
{
	_cleanup_strv_ char **records = NULL;
	int r = cached_list(pod_fd, &records, e), first = 0;

	for (size_t i = strv_len(records); r == 0 && i-- > 0;) {
		struct attachment a = {0};
		_cleanup_err_ struct err why = ERR_INIT;
		int r2 = attachment_load(&a, pod_fd, records[i], &why);

		if (r2 == -ENOENT)
			continue;
		if (r2 == 0)
			r2 = fn(&a, arg, &why);
		attachment_done(&a);
		if (r2 < 0 && first)
			log_error("%s", err_text(&why));
		else if (r2 < 0)
			first = err_move(e, &why);
	}
	return r < 0 ? r : first;
}

struct checking {
	const char *uuid;
	bool repair;
};

static int check_one(struct attachment *a, void *arg, struct err *e)
{
	const struct checking *c = arg;

	return attachment_check(a, c->uuid, c->repair, e);
}

int net_check(int pod_fd, const char *uuid, bool repair, struct err *e)
{
	struct checking c = {.uuid = uuid, .repair = repair};
	_cleanup_fd_ int lock = net_lock(false, e);

	return lock < 0 ? lock : each_attachment(pod_fd, check_one, &c, e);
}

/* --- STATUS, GC: a network without a pod --- */

static cJSON *conf_of(const struct cni_network *n, const cJSON *plugin)
{
	cJSON *conf = cJSON_Duplicate(plugin, true);

	cJSON_DeleteItemFromObjectCaseSensitive(conf, "cniVersion");
	cJSON_DeleteItemFromObjectCaseSensitive(conf, "name");
	cJSON_AddStringToObject(conf, "cniVersion", n->version);
	cJSON_AddStringToObject(conf, "name", n->name);
	return conf;
}

/* All of the variables are set, and those of a container are empty. */
static struct cni_call host_call(const char *command, char *const *path)
{
	return (struct cni_call) {.command = command,
				  .container_id = "",
				  .netns = "",
				  .ifname = "",
				  .args = "",
				  .path = path};
}

static bool speaks_1_1(const struct cni_network *n)
{
	return cni_version_cmp(n->version, "1.1.0") >= 0;
}

int net_status(const struct cni_network *n, struct err *e)
{
	_cleanup_strv_ char **path = cni_plugin_path();
	struct cni_call call = host_call("STATUS", path);
	int r = 0;

	if (!speaks_1_1(n))
		return 0;
	for (const cJSON *p = json_get(n->list, "plugins")->child; p && r == 0; p = p->next) {
		_cleanup_json_ cJSON *conf = conf_of(n, p);

		r = cni_plugin_run(&call, json_get_str(p, "type"), conf, NULL, e);
	}
	return r < 0 ? err_ctx(e, r, "network %s", q(n->name)) : 0;
}

struct collecting {
	const char *network, *uuid;
	cJSON *valid;
};

static void add_valid(cJSON *valid, const char *id, const char *ifname)
{
	cJSON *o = cJSON_CreateObject();

	cJSON_AddStringToObject(o, "containerID", id);
	cJSON_AddStringToObject(o, "ifname", ifname);
	cJSON_AddItemToArray(valid, o);
}

static int collect_one(struct attachment *a, void *arg, struct err *e)
{
	struct collecting *c = arg;

	(void) e;
	if (!strcmp(a->network.name, c->network))
		add_valid(c->valid, c->uuid, a->ifname);
	return 0;
}

/* Pods of this data directory that have a record, whatever became of them: DEL is still to come. */
static int collect_phase(const char *dir, struct collecting *c, struct err *e)
{
	_cleanup_dir_ DIR *d = opendir(dir);
	int r = 0;

	if (!d)
		return errno == ENOENT ? 0 : err_sys(e, "open %s", dir);
	for (struct dirent *de = readdir(d); de && r == 0; de = readdir(d)) {
		_cleanup_fd_ int pod = -EBADF;

		if (uuid_check(de->d_name))
			continue;
		pod = openat(dirfd(d), de->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		c->uuid = de->d_name;
		if (pod >= 0)
			r = each_attachment(pod, collect_one, c, e);
	}
	return r;
}

/* Pods of other data directories have the same networks: whoever has a control group lives. */
static void collect_living(const char *top, cJSON *valid)
{
	_cleanup_free_ char *dir = path_join(top, "gantry");
	_cleanup_dir_ DIR *d = opendir(dir);

	for (struct dirent *de = d ? readdir(d) : NULL; de; de = readdir(d))
		for (unsigned i = 0; !uuid_check(de->d_name) && i < LIVE_INTERFACES; i++) {
			char ifname[16];

			(void) snprintf(ifname, sizeof ifname, "eth%u", i);
			add_valid(valid, de->d_name, ifname);
		}
}

static void collect_all_living(cJSON *valid)
{
	static const char top[] = "/sys/fs/cgroup";
	_cleanup_dir_ DIR *d = opendir(top);

	collect_living(top, valid);
	for (struct dirent *de = d ? readdir(d) : NULL; de; de = readdir(d)) {
		_cleanup_free_ char *hierarchy = path_join(top, de->d_name);

		if (de->d_name[0] != '.')
			collect_living(hierarchy, valid);
	}
}

static int valid_attachments(const struct cni_network *n, const char *data_dir, cJSON *valid,
			     struct err *e)
{
	static const char *const phases[] = {"run", "exited-garbage", "prepared", "garbage"};
	struct collecting c = {.network = n->name, .valid = valid};
	int r = 0;

	for (size_t i = 0; r == 0 && i < ELEMENTSOF(phases); i++) {
		_cleanup_free_ char *dir = xasprintf("%s/" DATA_PODS "/%s", data_dir, phases[i]);

		r = collect_phase(dir, &c, e);
	}
	collect_all_living(valid);
	return r;
}

int net_gc(const struct cni_network *n, const char *data_dir, struct err *e)
{
	_cleanup_strv_ char **path = cni_plugin_path();
	struct cni_call call = host_call("GC", path);
	_cleanup_json_ cJSON *valid = cJSON_CreateArray(), *list = NULL;
	_cleanup_fd_ int lock = -EBADF;
	int r, first = 0;

	if (!speaks_1_1(n) || cni_is_true(json_get(n->list, "disableGC")))
		return 0;
	lock = net_lock(true, e);
	r = lock < 0 ? lock : valid_attachments(n, data_dir, valid, e);
	if (r < 0)
		return r;
	list = cJSON_Duplicate(n->list, true);
	if (!n->file)
		net_forward_add(list);
	for (const cJSON *p = json_get(list, "plugins")->child; p; p = p->next) {
		_cleanup_json_ cJSON *conf = conf_of(n, p);
		_cleanup_err_ struct err why = ERR_INIT;

		cJSON_AddItemToObject(conf, "cni.dev/valid-attachments",
				      cJSON_Duplicate(valid, true));
		cJSON_AddItemToObject(conf, "cni.dev/attachments", cJSON_Duplicate(valid, true));
		r = cni_plugin_run(&call, json_get_str(p, "type"), conf, NULL, &why);
		if (r < 0 && first)
			log_error("network %s: %s", n->name, err_text(&why));
		else if (r < 0)
			first = err_move(e, &why);
	}
	return first < 0 ? err_ctx(e, first, "network %s", q(n->name)) : 0;
}
