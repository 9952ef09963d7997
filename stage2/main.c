#include <errno.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/parse.h"
#include "contract/exit.h"
#include "stage2/stage2.h"

static int read_phase(const char *word, enum phase *ret)
{
	static const struct {
		const char *word;
		enum phase phase;
	} phases[] = {{"main", PHASE_MAIN},
		      {"post-stop", PHASE_HANDLER},
		      {"enter", PHASE_ENTER},
		      {"again", PHASE_AGAIN},
		      {"check", PHASE_CHECK}};

	for (size_t i = 0; word && i < ELEMENTSOF(phases); i++) {
		if (!strcmp(phases[i].word, word)) {
			*ret = phases[i].phase;
			return 0;
		}
	}
	return -EINVAL;
}

static void take_descriptors(struct stage2 *s)
{
	int n;

	s->error = fds_take("error");
	s->seccomp = fds_take("seccomp");
	s->root = fds_take("root");
	s->pts = fds_take("pts");
	s->mntns = fds_take("mntns");
	n = fds_take_prefix("cg", s->cgroups, MAX_CGROUPS);
	s->n_cgroups = n < 0 ? 0 : (size_t) n;
}

/* What is executed in the end; NULL: nothing is there. */
static char *const *choose_argv(const struct stage2 *s)
{
	if (s->phase == PHASE_HANDLER)
		return s->rec.post_stop;
	return s->check ? s->check->args : s->rec.exec;
}

/* The second word: which check. */
static int choose_check(struct stage2 *s, const char *word, struct err *e)
{
	uint64_t n;

	if (s->phase != PHASE_CHECK)
		return 0;
	if (!word || !s->rec.n_checks || parse_u64(word, s->rec.n_checks - 1, &n) < 0)
		return err_set(e, EINVAL, "no check %s", q(word));
	s->check = &s->rec.checks[n];
	return 0;
}

static int start(struct stage2 *s, char *const *words, struct err *e)
{
	_cleanup_fd_ int record = -EBADF;
	int r;

	/*
	 * Nothing in the pod may look into or trace us while we still hold more than the app will
	 * (CVE-2016-9962).
	 */
	if (prctl(PR_SET_DUMPABLE, 0) < 0)
		return err_sys(e, "become non-dumpable");
	r = fds_init(e);
	if (r < 0)
		return r;
	take_descriptors(s);
	if (read_phase(words[0], &s->phase) < 0)
		return err_set(e, EINVAL, "unknown phase %s", q(words[0]));
	record = fds_take("record");
	if (record < 0)
		return err_set(e, EBADF, "no descriptor %s", "record");
	r = app_record_read(record, &s->rec, e);
	if (r == 0)
		r = choose_check(s, words[1], e);
	if (r < 0)
		return r;
	s->argv = choose_argv(s);
	if (!s->argv && !s->check)
		return err_set(e, EINVAL, "app record: nothing to execute");
	return 0;
}

#ifdef __SANITIZE_ADDRESS__
/* The leak check wants to trace us, which nobody may; and our environment is empty. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}
#endif

int main(int argc, char **argv)
{
	static struct stage2 s = {
		.error = -EBADF,
		.seccomp = -EBADF,
		.root = -EBADF,
		.pts = -EBADF,
		.mntns = -EBADF,
		.proc = -EBADF,
		.sys = -EBADF,
		.step = "record",
		.status = EXIT_FAILED,
		.rec = APP_RECORD_INIT,
	};
	static struct err e;

	if (start(&s, (char *[]) {argc > 1 ? argv[1] : NULL, argc > 2 ? argv[2] : NULL}, &e) == 0)
		(void) stage2_steps(&s, &e);
	stage2_fail(&s, &e);
}
