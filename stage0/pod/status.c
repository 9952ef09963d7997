#include "stage0/pod/status.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/parse.h"
#include "base/str.h"
#include "contract/entry.h"
#include "contract/layout.h"
#include "spec/image_manifest.h"
#include "stage0/pod/brief.h"
#include "stage0/pod/name.h"

static int64_t time_ns(const struct stat *st)
{
	return (int64_t) st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
}

static int64_t mtime_ns(int dirfd, const char *path)
{
	struct stat st;

	return fstatat(dirfd, path, &st, AT_SYMLINK_NOFOLLOW) < 0 ? 0 : time_ns(&st);
}

static int read_manifest(const struct pod *p, struct pod_status *s, struct err *e)
{
	_cleanup_free_ char *text = NULL;
	size_t len;
	int r = file_read_at(p->dir, POD_MANIFEST, JSON_MANIFEST_MAX, &text, &len, e);

	if (r < 0)
		return r;
	s->manifest = pod_manifest_parse(text, len, e);
	return s->manifest ? 0 : -EINVAL;
}

static char *name_and_version(const char *name, const struct nameval_list *labels)
{
	const char *version = nameval_get(labels, "version");
	struct strbuf sb = STRBUF_INIT;

	/* For each row of a long list: no formatting. */
	strbuf_adds(&sb, name);
	if (version) {
		strbuf_addc(&sb, ':');
		strbuf_adds(&sb, version);
	}
	return strbuf_take(&sb);
}

char *pod_image_name(const struct pod *p, const struct pod_status *s, const struct runtime_app *ra)
{
	_cleanup_free_ char *path = xasprintf(POD_APPSINFO "/%s/" APP_MANIFEST, ra->name),
			    *text = NULL;
	_cleanup_image_manifest_ struct image_manifest *m = NULL;
	const struct nameval_list *labels = &ra->image_labels;
	const char *name = ra->image_name;
	size_t len;

	/* It was taken from the image. */
	if (s->is_brief)
		return name_and_version(name, labels);
	/* What a pod manifest says of an image is its writer's word, and may leave things out. */
	if (file_read_at(p->dir, path, JSON_MANIFEST_MAX, &text, &len, NULL) == 0)
		m = image_manifest_parse(text, len, NULL);
	if (m) {
		name = m->name;
		labels = &m->labels;
	}
	return name ? name_and_version(name, labels) : NULL;
}

static bool is_past_run(const struct pod *p)
{
	return p->state == POD_STATE_EXITED || p->state == POD_STATE_EXITED_GARBAGE ||
	       p->state == POD_STATE_EXITED_DELETING;
}

/* Whether it was ever started. */
static bool has_run(const struct pod *p)
{
	return p->state == POD_STATE_RUNNING || is_past_run(p);
}

/* A small file, and when it was written: the number of its bytes, or -errno. */
static ssize_t read_small(int dirfd, const char *path, char *buf, size_t size, int64_t *ret_ns)
{
	_cleanup_fd_ int fd =
		openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW);
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	*ret_ns = time_ns(&st);
	n = read(fd, buf, size);
	return n < 0 ? -errno : n;
}

static void read_exit(const struct pod *p, const char *app, struct app_status *a)
{
	_cleanup_free_ char *path = xasprintf(POD_STATUS "/%s", app);
	char text[8];
	int64_t ns;
	ssize_t n = read_small(p->dir, path, text, sizeof text - 1, &ns);
	uint64_t code;

	if (n <= 0)
		return;
	text[n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	if (parse_u64(text, 255, &code) < 0)
		return;
	a->exit_code = (int) code;
	a->finished_ns = ns;
}

static void read_start(const struct pod *p, const struct pod_status *s, const char *app,
		       struct app_status *a)
{
	_cleanup_free_ char *path = xasprintf(POD_STARTED "/%s", app);

	a->started_ns = mtime_ns(p->dir, path);
	/* A stage1 of rkt's contract tells of the pod only. */
	if (!a->started_ns && pod_stage1_interface(p) < ENTRY_VERSION_APPS)
		a->started_ns = s->started_ns;
}

/* In a pod with users of its own the file is not the host's root's: what is shown of it is a word. */
static bool is_word(const char *s)
{
	return *s && !s[strspn(s, "abcdefghijklmnopqrstuvwxyz-")];
}

/* What init writes as a whole: lines of KEY=VALUE. */
static void read_health(const struct pod *p, const char *app, struct app_status *a)
{
	_cleanup_free_ char *path = xasprintf(POD_HEALTH "/%s", app);
	_cleanup_strv_ char **lines = NULL;
	char text[256];
	int64_t ns;
	ssize_t n = read_small(p->dir, path, text, sizeof text - 1, &ns);

	if (n <= 0)
		return;
	text[n] = '\0';
	lines = strv_split(text, '\n');
	for (size_t i = 0; lines[i]; i++) {
		if (str_starts(lines[i], "health=") && is_word(lines[i] + strlen("health=")) && !a->health)
			a->health = xstrdup(lines[i] + strlen("health="));
		else if (str_starts(lines[i], "restarts="))
			(void) parse_i64(lines[i] + strlen("restarts="), 0, INT32_MAX, &a->restarts);
		else
			a->ready = a->ready || !strcmp(lines[i], "ready=true");
	}
}

static void read_app(const struct pod *p, const struct pod_status *s, const struct runtime_app *ra,
		     struct app_status *a)
{
	*a = (struct app_status) {.app = ra, .exit_code = -1, .created_ns = s->created_ns};
	if (has_run(p)) {
		read_start(p, s, ra->name, a);
		read_exit(p, ra->name, a);
	}
	if (p->state == POD_STATE_RUNNING && !s->is_brief)
		read_health(p, ra->name, a);
	if (a->exit_code >= 0 || is_past_run(p))
		a->state = APP_EXITED;
	else if (p->state == POD_STATE_RUNNING && a->started_ns)
		a->state = APP_RUNNING;
	else if (p->state == POD_STATE_PREPARED || p->state == POD_STATE_RUNNING)
		a->state = APP_CREATED;
	else
		a->state = APP_UNKNOWN;
}

static void read_networks(const struct pod *p, struct pod_status *s)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	_cleanup_free_ char *text = NULL;
	size_t len;

	if (!has_run(p))
		return;
	if (file_read_at(p->dir, POD_NET_INFO, JSON_MANIFEST_MAX, &text, &len, NULL) < 0)
		return;
	s->net_info = json_parse(text, len, JSON_MANIFEST_MAX, NULL);
	if (!cJSON_IsArray(s->net_info))
		return;
	for (const cJSON *n = s->net_info->child; n; n = n->next) {
		const char *name = json_get_str(n, "netName"), *ip = json_get_str(n, "ip");

		if (name && ip)
			strbuf_addf(&sb, "%s%s:ip%c=%s", sb.len ? ", " : "", name,
				    strchr(ip, ':') ? '6' : '4', ip);
	}
	s->networks = sb.len ? str_escape(sb.buf, sb.len) : NULL;
}

static int read_pid(const struct pod *p, const char *name, pid_t *ret, struct err *e)
{
	_cleanup_free_ char *text = NULL;
	int r = file_read_line_at(p->dir, name, &text, e);

	if (r == 0 && parse_pid(text, ret) < 0)
		r = err_set(e, EINVAL, "%s: %s is no process id", name, q(text));
	return r;
}

/* proc(5): /proc/PID/task/TID/children. Several, or none yet: it cannot be told. */
static int only_child(pid_t parent, pid_t *ret, struct err *e)
{
	_cleanup_free_ char *path = xasprintf("/proc/%d/task/%d/children", parent, parent);
	_cleanup_free_ char *text = NULL;
	int r = file_read_line_at(AT_FDCWD, path, &text, e);

	if (r < 0)
		return r;
	text[strcspn(text, "\n")] = '\0';
	while (*text && text[strlen(text) - 1] == ' ')
		text[strlen(text) - 1] = '\0';
	if (!*text)
		return err_set(e, ENOENT, "process %d has no child yet", parent);
	if (parse_pid(text, ret) < 0)
		return err_set(e, EINVAL, "process %d has several children: %s", parent, q(text));
	return 0;
}

/*
 * A stage1 that does not start the pod's first process itself writes who does (rkt's ppid file):
 * that one has exactly one child.
 */
int pod_pid(const struct pod *p, pid_t *ret, struct err *e)
{
	pid_t parent;
	int r = read_pid(p, POD_PID, ret, e);

	if (r != -ENOENT || read_pid(p, POD_PPID, &parent, NULL) < 0)
		return r;
	if (e)
		err_done(e);
	return only_child(parent, ret, e);
}

unsigned pod_stage1_interface(const struct pod *p)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_strv_ char **lines = NULL;
	uint64_t n;

	if (file_read_line_at(p->dir, POD_STAGE1, &text, NULL) < 0)
		return ENTRY_VERSION;
	lines = strv_split(text, '\n');
	return strv_len(lines) >= 3 && parse_u64(lines[2], 1000, &n) == 0 ? (unsigned) n
									  : ENTRY_VERSION;
}

static void read_pod_start(const struct pod *p, struct pod_status *s)
{
	if (!has_run(p))
		return;
	s->started_ns = mtime_ns(p->dir, POD_PID);
	if (!s->started_ns)
		s->started_ns = mtime_ns(p->dir, POD_PPID);
}

int pod_status_read(const struct pod *p, struct pod_status *ret, struct err *e)
{
	struct stat st;
	int r;

	*ret = (struct pod_status) {0};
	if (fstat(p->dir, &st) < 0 || st.st_nlink == 0)
		return err_set(e, ENOENT, "the pod is gone");
	ret->created_ns = mtime_ns(p->dir, POD_CREATED);
	ret->name = pod_name_of(p);
	read_pod_start(p, ret);
	if (ret->started_ns)
		(void) pod_pid(p, &ret->pid, NULL);
	r = read_manifest(p, ret, e);
	/* Being written at this moment, or never finished: as good as not there. */
	if (r == -EINVAL && (p->state == POD_STATE_PREPARING || p->state == POD_STATE_ABORTED_PREPARE))
		r = -ENOENT;
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	ret->n_apps = ret->manifest->n_apps;
	ret->apps = xcalloc(ret->n_apps, sizeof *ret->apps);
	for (size_t i = 0; i < ret->n_apps; i++)
		read_app(p, ret, &ret->manifest->apps[i], &ret->apps[i]);
	read_networks(p, ret);
	return 0;
}

/* Larger than what a pod of a hundred apps has; what does not fit is read from the manifest. */
#define BRIEF_MAX 32768

/* What its preparation noted; false when that is not there. */
static bool read_brief(int dirfd, const char *path, bool details, struct pod_status *s)
{
	char buf[BRIEF_MAX];
	ssize_t n = read_small(dirfd, path, buf, sizeof buf, &s->created_ns);

	if (n > 0 && (size_t) n < sizeof buf)
		s->manifest = brief_decode(buf, (size_t) n, details, &s->name);
	if (!s->manifest)
		return false;
	s->is_brief = true;
	s->n_apps = s->manifest->n_apps;
	s->apps = xcalloc(s->n_apps, sizeof *s->apps);
	return true;
}

/* Nothing ever happened to it, so that no other file has to be opened. */
static bool look_prepared(int pods, const struct pod_ref *ref, bool details, struct pod *p,
			  struct pod_status *s)
{
	char path[128];

	(void) snprintf(path, sizeof path, "%s/%s/" POD_CREATED, pod_phase_dir(ref->phase),
			ref->uuid);
	if (ref->phase != PHASE_PREPARED || !read_brief(pods, path, details, s))
		return false;
	*p = (struct pod) {.pods = pods, .dir = -EBADF, .phase = PHASE_PREPARED,
			   .state = POD_STATE_PREPARED};
	memcpy(p->uuid, ref->uuid, UUID_LEN + 1);
	for (size_t i = 0; i < s->n_apps; i++)
		read_app(p, s, &s->manifest->apps[i], &s->apps[i]);
	return true;
}

int pod_status_look(int pods, const struct pod_ref *ref, bool details, struct pod *p,
		    struct pod_status *ret, struct err *e)
{
	int r;

	*ret = (struct pod_status) {0};
	if (look_prepared(pods, ref, details, p, ret))
		return 0;
	r = pod_open_ref(pods, ref, p, e);
	if (r < 0)
		return r;
	if (!read_brief(p->dir, POD_CREATED, details, ret))
		return pod_status_read(p, ret, e);
	read_pod_start(p, ret);
	for (size_t i = 0; i < ret->n_apps; i++) {
		if (details)
			read_app(p, ret, &ret->manifest->apps[i], &ret->apps[i]);
		else
			ret->apps[i].app = &ret->manifest->apps[i];
	}
	read_networks(p, ret);
	return 0;
}

void pod_status_done(struct pod_status *s)
{
	free(s->name);
	for (size_t i = 0; i < s->n_apps; i++)
		free(s->apps[i].health);
	free(s->apps);
	pod_manifest_free(s->manifest);
	cJSON_Delete(s->net_info);
	free(s->networks);
	*s = (struct pod_status) {0};
}
