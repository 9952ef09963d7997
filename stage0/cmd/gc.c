/*
 * gantry gc: mark what has ended, sweep what was marked long enough ago. Killed anywhere, the next
 * one goes on; two at once share the work, since each pod is locked while it is taken back.
 */
#include <errno.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/parse.h"
#include "base/str.h"
#include "stage0/cli/table.h"
#include "stage0/command.h"
#include "stage0/pod/name.h"
#include "stage0/store/store.h"

#define DEFAULT_GRACE_NS (30LL * 60 * 1000000000)
#define DEFAULT_EXPIRE_NS (24LL * 3600 * 1000000000)

struct target {
	int64_t grace_ns, expire_ns;
	bool has_grace, has_expire, mark_only;
};

static int set_grace(void *target, const char *value, struct err *e);
static int set_expire(void *target, const char *value, struct err *e);

static const struct opt opts[] = {
	{.name = "grace-period", .type = OPT_CALL, .call = set_grace, .arg = "DURATION",
	 .help = "how long a pod stays after it was marked (30m)"},
	{.name = "expire-prepared", .type = OPT_CALL, .call = set_expire, .arg = "DURATION",
	 .help = "how long a prepared pod stays (24h)"},
	{.name = "mark-only", .type = OPT_FLAG, .offset = offsetof(struct target, mark_only),
	 .help = "mark what has ended, remove nothing"},
};

static int set_duration(const char *value, int64_t *ret, bool *has, struct err *e)
{
	*has = true;
	return parse_duration(value, ret) < 0
		       ? err_set(e, EINVAL, "not a duration like 1h30m or 0s")
		       : 0;
}

static int set_grace(void *target, const char *value, struct err *e)
{
	struct target *t = target;

	return set_duration(value, &t->grace_ns, &t->has_grace, e);
}

static int set_expire(void *target, const char *value, struct err *e)
{
	struct target *t = target;

	return set_duration(value, &t->expire_ns, &t->has_expire, e);
}

/*
 * Time since the directory changed last: a rename sets its ctime. A clock that jumped back counts
 * as no time.
 */
static int64_t age_ns(const struct pod *p)
{
	struct stat st;
	int64_t age;

	if (fstat(p->dir, &st) < 0)
		return 0;
	age = time_now_ns() - ((int64_t) st.st_ctim.tv_sec * 1000000000 + st.st_ctim.tv_nsec);
	return age < 0 ? 0 : age;
}

/* Where a pod that nobody holds goes, PHASE_MAX: it stays. */
static enum pod_phase mark_of(const struct pod *p, const struct target *t)
{
	switch (p->phase) {
	case PHASE_RUN:
		return PHASE_EXITED_GARBAGE;
	case PHASE_PREPARE:
		return PHASE_GARBAGE;
	case PHASE_EMBRYO:
		/* Between mkdir and flock of a starting pod there is a moment without a lock. */
		return !t->mark_only && age_ns(p) >= t->grace_ns ? PHASE_GARBAGE : PHASE_MAX;
	case PHASE_PREPARED:
		return !t->mark_only && age_ns(p) >= t->expire_ns ? PHASE_GARBAGE : PHASE_MAX;
	default:
		return PHASE_MAX;
	}
}

static int mark(struct pod *p, const struct target *t, struct err *e)
{
	enum pod_phase to = mark_of(p, t);
	int r;

	if (to == PHASE_MAX)
		return 0;
	r = pod_move(p, to, false, e);
	if (r == 0)
		log_info("moving pod \"%s\" to %s", p->uuid, pod_phase_dir(to));
	return r;
}

static bool is_due(const struct pod *p, const struct target *t)
{
	if (t->mark_only)
		return false;
	return p->phase == PHASE_GARBAGE ||
	       (p->phase == PHASE_EXITED_GARBAGE && age_ns(p) >= t->grace_ns);
}

static int collect(const struct gantry *g, int pods, const char *uuid, const struct target *t,
		   struct err *e)
{
	_cleanup_pod_ struct pod p = POD_INIT;
	int r = pod_open(pods, uuid, &p, e);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	/*
	 * Nothing to do: then its lock is left alone, for a run-prepared of this moment would
	 * stumble over ours.
	 */
	if (mark_of(&p, t) == PHASE_MAX && !is_due(&p, t))
		return 0;
	/* Held by its own processes, or by somebody who takes it back already. */
	if (pod_lock(&p) < 0)
		return 0;
	r = mark(&p, t, e);
	if (r == 0 && is_due(&p, t)) {
		log_info("garbage collecting pod \"%s\"", p.uuid);
		r = pod_remove(g, &p, e);
	}
	return r == -ENOENT ? 0 : r;
}

static int sweep_store(const struct gantry *g, const struct target *t, struct err *e)
{
	_cleanup_fd_ int store = store_open_existing(g, e);

	if (store < 0)
		return store == -ENOENT ? 0 : store;
	return store_gc(store, t->grace_ns, e);
}

static int run(struct gantry *g, void *target, char *const *words, struct err *e)
{
	struct target *t = target;
	_cleanup_err_ struct err why = ERR_INIT;
	_cleanup_strv_ char **uuids = NULL;
	_cleanup_fd_ int pods = -EBADF;
	int r = 0;

	if (strv_len(words))
		return err_set(e, EINVAL, "unexpected argument %s", q(words[0]));
	if (!t->has_grace)
		t->grace_ns = DEFAULT_GRACE_NS;
	if (!t->has_expire)
		t->expire_ns = DEFAULT_EXPIRE_NS;
	pods = pods_open(g, true, e);
	if (pods < 0 && pods != -ENOENT)
		return pods;
	r = pods_list(pods, PHASES_ALL, &uuids, e);
	if (r < 0)
		return r;
	for (char **u = uuids; u && *u; u++) {
		_cleanup_err_ struct err one = ERR_INIT;

		if (collect(g, pods, *u, t, &one) < 0)
			log_error("pod %s: %s", *u, err_text(&one));
	}
	if (!t->mark_only)
		pod_names_sweep(pods);
	if (!t->mark_only && sweep_store(g, t, &why) < 0)
		log_error("store: %s", err_text(&why));
	return 0;
}

const struct command cmd_gc = {
	.name = "gc",
	.usage = "[options]",
	.summary = "take back what pods that have ended left",
	COMMAND_OPTS(opts),
	.needs_root = true,
	.target_size = sizeof(struct target),
	.run = run,
};
