#include "stage0/pod/restart.h"

#include <errno.h>

#include "base/path.h"
#include "contract/layout.h"
#include "stage0/service/register.h"

int pod_make_runnable(const struct gantry *g, struct pod *p, struct err *e)
{
	/* The number of a process that is gone first: nobody may take another one for it. */
	static const char *const of_last_run[] = {
		POD_PID,     POD_PPID,	 POD_STARTED, POD_STATUS,	  POD_NET_INFO,
		POD_NET,     POD_CGROUP, POD_ETC,     POD_RUNTIME_CONFIG, POD_MDS,
	};
	/* The monitor did it, unless it was killed. */
	int r = pod_take_back(g, p, e);

	/* The next run gets a token of its own, or none. */
	if (r >= 0)
		metadata_unregister(g, p);
	for (size_t i = 0; i < ELEMENTSOF(of_last_run) && r >= 0; i++) {
		r = path_remove_tree(p->dir, of_last_run[i], e);
		if (r == -ENOENT)
			r = 0;
	}
	return r;
}
