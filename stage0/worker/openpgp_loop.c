#include "stage0/worker/openpgp_loop.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>

#include "base/mem.h"

#define LOOP_FDS 32

struct watch {
	int fd; /* -1: free */
	short events;
	gpgme_io_cb_t fn;
	void *arg;
};

struct openpgp_loop {
	struct watch v[LOOP_FDS];
	bool done;
	gpgme_error_t result;
};

static gpgme_error_t add(void *arg, int fd, int is_input, gpgme_io_cb_t fn, void *fn_arg, void **tag)
{
	struct openpgp_loop *loop = arg;

	for (size_t i = 0; i < LOOP_FDS; i++)
		if (loop->v[i].fd < 0) {
			loop->v[i] = (struct watch) {fd, is_input ? POLLIN : POLLOUT, fn, fn_arg};
			*tag = &loop->v[i];
			return 0;
		}
	return gpgme_error(GPG_ERR_ENFILE);
}

static void forget(void *tag)
{
	struct watch *w = tag;

	w->fd = -1;
}

static void on_event(void *arg, gpgme_event_io_t type, void *data)
{
	struct openpgp_loop *loop = arg;
	const struct gpgme_io_event_done_data *d = data;

	if (type != GPGME_EVENT_DONE)
		return;
	loop->done = true;
	loop->result = d->err ? d->err : d->op_err;
}

struct openpgp_loop *openpgp_loop_new(gpgme_ctx_t ctx)
{
	struct openpgp_loop *loop = xcalloc(1, sizeof *loop);
	struct gpgme_io_cbs cbs = {
		.add = add, .add_priv = loop, .remove = forget, .event = on_event, .event_priv = loop,
	};

	for (size_t i = 0; i < LOOP_FDS; i++)
		loop->v[i].fd = -1;
	gpgme_set_io_cbs(ctx, &cbs);
	return loop;
}

void openpgp_loop_free(struct openpgp_loop *loop)
{
	free(loop);
}

/* Call back for each descriptor that is ready, or broken: the callback finds out what with. */
static void dispatch(struct openpgp_loop *loop, const struct pollfd *p)
{
	for (size_t i = 0; i < LOOP_FDS && !loop->done; i++) {
		struct watch *w = &loop->v[i];

		/* One callback may take away the descriptor of another. */
		if (p[i].revents && w->fd == p[i].fd && w->fd >= 0)
			(void) w->fn(w->arg, w->fd);
	}
}

gpgme_error_t openpgp_loop_run(struct openpgp_loop *loop, gpgme_error_t started)
{
	struct pollfd p[LOOP_FDS];

	loop->done = false;
	loop->result = 0;
	if (started)
		return started;
	while (!loop->done) {
		bool any = false;

		for (size_t i = 0; i < LOOP_FDS; i++) {
			p[i] = (struct pollfd) {.fd = loop->v[i].fd, .events = loop->v[i].events};
			any = any || p[i].fd >= 0;
		}
		if (!any)
			return gpgme_error(GPG_ERR_EOF);
		if (poll(p, LOOP_FDS, -1) < 0 && errno != EINTR)
			return gpgme_error_from_errno(errno);
		dispatch(loop, p);
	}
	return loop->result;
}
