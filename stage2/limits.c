/* What the kernel keeps for a process rather than for a group: resource limits, the OOM score. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>

#include "base/file.h"
#include "stage2/stage2.h"

int step_oom_score(struct stage2 *s, struct err *e)
{
	char text[16];
	int r;

	if (!s->rec.has_oom_score_adj)
		return 0;
	(void) snprintf(text, sizeof text, "%d", s->rec.oom_score_adj);
	r = file_poke_at(AT_FDCWD, "/proc/self/oom_score_adj", text);
	if (r < 0)
		return err_sysr(e, r, "set OOM score adjustment to %s", text);
	return 0;
}

static int rlimit_number(const char *name)
{
	static const struct {
		const char *name;
		int number;
	} table[] = {
		{"as", RLIMIT_AS},
		{"core", RLIMIT_CORE},
		{"cpu", RLIMIT_CPU},
		{"data", RLIMIT_DATA},
		{"fsize", RLIMIT_FSIZE},
		{"locks", RLIMIT_LOCKS},
		{"memlock", RLIMIT_MEMLOCK},
		{"msgqueue", RLIMIT_MSGQUEUE},
		{"nice", RLIMIT_NICE},
		{"nofile", RLIMIT_NOFILE},
		{"nproc", RLIMIT_NPROC},
		{"rss", RLIMIT_RSS},
		{"rtprio", RLIMIT_RTPRIO},
		{"rttime", RLIMIT_RTTIME},
		{"sigpending", RLIMIT_SIGPENDING},
		{"stack", RLIMIT_STACK},
	};

	for (size_t i = 0; i < ELEMENTSOF(table); i++)
		if (!strcmp(table[i].name, name))
			return table[i].number;
	return -EINVAL;
}

static rlim_t rlimit_value(uint64_t v)
{
	return v == UINT64_MAX ? RLIM_INFINITY : (rlim_t) v;
}

int step_rlimits(struct stage2 *s, struct err *e)
{
	for (size_t i = 0; i < s->rec.n_rlimits; i++) {
		const struct app_rlimit *l = s->rec.rlimits + i;
		struct rlimit value = {rlimit_value(l->soft), rlimit_value(l->hard)};
		int number = rlimit_number(l->name);

		if (number < 0)
			return err_set(e, EINVAL, "unknown limit %s", q(l->name));
		if (setrlimit((__typeof__(RLIMIT_AS)) number, &value) < 0)
			return err_sys(e, "set limit %s", l->name);
	}
	return 0;
}
