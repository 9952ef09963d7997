/*
 * One operation of gpgme in a loop of our own.
 *
 * gpgme's own loop never ends when the engine leaves early: the pipe to it is full and has no reader,
 * poll(2) says POLLERR and not POLLOUT, and the loop looks for POLLOUT only.  An attacker chooses when
 * the engine leaves, by the signature he sends.
 */
#pragma once

#include <gpgme.h>

/* To be given to the context before an operation is started. */
struct openpgp_loop;

struct openpgp_loop *openpgp_loop_new(gpgme_ctx_t ctx);
void openpgp_loop_free(struct openpgp_loop *loop);
/* Run what was started to its end; its error. `started` is what the *_start() function returned. */
gpgme_error_t openpgp_loop_run(struct openpgp_loop *loop, gpgme_error_t started);
