/*
 * A pod is a directory pods/PHASE/UUID, and its state is the phase together with whether somebody
 * holds flock(2) on the directory.  Moves between phases are single renames; whoever loses a race
 * gets ENOENT.  Nothing else is stored, so nothing else can be wrong.
 *
 *	embryo -> prepare -> (prepared ->) run -> exited-garbage -> gone
 *	          prepare, prepared -> garbage -> gone
 *
 * The pod's own processes hold the exclusive lock, as an inherited descriptor: however they die,
 * the kernel releases it.  Looking at a pod in a phase in which the lock tells something takes the
 * shared lock for a moment; pod_lock() knows that.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "spec/uuid.h"

struct gantry;

enum pod_phase {
	PHASE_EMBRYO,
	PHASE_PREPARE,
	PHASE_PREPARED,
	PHASE_RUN,
	PHASE_EXITED_GARBAGE,
	PHASE_GARBAGE,
	PHASE_MAX,
};
/* What users see, as bits 1 << phase: no embryos and no garbage. */
#define PHASES_SHOWN                                                                               \
	(1u << PHASE_PREPARE | 1u << PHASE_PREPARED | 1u << PHASE_RUN | 1u << PHASE_EXITED_GARBAGE)
#define PHASES_ALL ((1u << PHASE_MAX) - 1)

enum pod_state {
	POD_STATE_EMBRYO,
	POD_STATE_PREPARING,
	POD_STATE_ABORTED_PREPARE,
	POD_STATE_PREPARED,
	POD_STATE_RUNNING,
	POD_STATE_EXITED,
	POD_STATE_EXITED_GARBAGE,
	POD_STATE_EXITED_DELETING,
	POD_STATE_GARBAGE,
	POD_STATE_DELETING,
	POD_STATE_MAX,
};

struct pod {
	char uuid[UUID_LEN + 1];
	int pods; /* the pods directory, borrowed */
	int dir;  /* O_RDONLY|O_DIRECTORY; the lock lives on it */
	enum pod_phase phase;
	enum pod_state state; /* when it was looked at */
};
#define POD_INIT {.dir = -EBADF}

void pod_close(struct pod *p);
#define _cleanup_pod_ __attribute__((cleanup(pod_close)))

/* --- state.c: the table --- */
const char *pod_phase_dir(enum pod_phase phase);
enum pod_state pod_state_of(enum pod_phase phase, bool locked);
/* Whether the lock tells anything in this phase. */
bool pod_phase_has_owner(enum pod_phase phase);
/* "running", "aborted prepare": what the user sees. */
const char *pod_state_name(enum pod_state state);

/* --- pod.c --- */
/*
 * The pods directory (O_PATH), made when missing unless `look_only`: then -ENOENT, with which as
 * `pods` the functions below find no pod.
 */
int pods_open(const struct gantry *g, bool look_only, struct err *e);
/* Directories of phases are made by whoever needs one that is missing. 0 or -errno. */
int pods_make_phase(int pods, enum pod_phase phase);
/* A new locked pod in phase `prepare`. */
int pod_create(int pods, struct pod *ret, struct err *e);
/* Open by whole UUID in whatever phase; -ENOENT. Fills state. */
int pod_open(int pods, const char *uuid, struct pod *ret, struct err *e);
/*
 * What a user wrote: a UUID or an unambiguous beginning of one, any case, or a name (name.h), of a
 * pod that is shown.
 * Texts as rkt: no matches found for "X"; ambiguous uuid, N matches; UUID cannot be empty.
 */
int pod_find(int pods, const char *word, struct pod *ret, struct err *e);
/* Every UUID in the phases of the mask (bit = 1 << phase), sorted; strv, owned by the caller. */
int pods_list(int pods, unsigned phases, char ***ret, struct err *e);
/* A pod and where it was met, for lists of many. */
struct pod_ref {
	char uuid[UUID_LEN + 1];
	enum pod_phase phase;
};
/* Sorted; owned by the caller. */
int pods_look(int pods, unsigned phases, struct pod_ref **ret, size_t *ret_n, struct err *e);
/* Its state is one that it had at some moment since then; where it is now, it need not be. */
int pod_open_ref(int pods, const struct pod_ref *ref, struct pod *ret, struct err *e);
/* What a --uuid-file says, without the space around it. Owned by the caller. */
int pod_uuid_of_file(const char *path, char **ret, struct err *e);

/* --- transition.c --- */
/*
 * The exclusive lock, now. -EWOULDBLOCK when the pod's own processes (or another command) hold it;
 * -ENOENT when the pod is not in its phase any more: somebody held the lock before us and moved or
 * removed it.
 */
int pod_lock(struct pod *p);
/* Whether the directory that p has open is what stands under its UUID in its phase. */
bool pod_in_place(const struct pod *p);
/*
 * Move to another phase, from the one that p says: -ENOENT when somebody else moved it first.
 * durable: fsync of the destination's parent.
 */
int pod_move(struct pod *p, enum pod_phase to, bool durable, struct err *e);

/* --- wait.c: timeouts in ms, -1 for ever; -ETIMEDOUT --- */
/* Until nobody holds the exclusive lock. */
int pod_wait_unlocked(const struct pod *p, int64_t timeout_ms);
/* Until the pod has ended; one that is only prepared has yet to run. */
int pod_wait_ended(const struct pod *p, int64_t timeout_ms, struct err *e);
/* Until every app (NULL), or the one, was started; it may have ended already. */
int pod_wait_ready(const struct pod *p, const char *app, int64_t timeout_ms, struct err *e);

/* --- remove.c --- */
/*
 * Take back everything of a pod in exited-garbage or garbage that is locked by us: stage1's gc
 * entry point where one is due, then the directory.  What stage1 cannot take back keeps the
 * directory.
 */
int pod_remove(const struct gantry *g, struct pod *p, struct err *e);
/* The first half of it: what stage1 made outside the directory of a pod that has ended. */
int pod_take_back(const struct gantry *g, struct pod *p, struct err *e);
