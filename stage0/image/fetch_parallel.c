/*
 * Several images at a time.
 */
#include <errno.h>

#include "base/str.h"
#include "stage0/image/crew.h"
#include "stage0/image/internal.h"

#define AT_ONCE 3 /* each has an unpack and a verify that want processors as well */

struct fetches {
	const struct request *rq;
	struct image_word *const *words;
};

static int fetch(void *arg, size_t i, struct strbuf *answer, struct err *e)
{
	const struct fetches *f = arg;
	struct request own = *f->rq;
	_cleanup_free_ char *id = NULL;
	int r;

	/* Two bars cannot share a line. */
	own.no_bar = true;
	r = image_fetch_word(&own, f->words[i], &id, e);
	if (r == 0)
		record_add(answer, "id", id);
	return r;
}

static int take_id(void *arg, size_t i, const struct record *answer, struct err *e)
{
	const struct fetches *f = arg;
	const char *id = record_get(answer, "id");

	if (!id || image_id_check(id))
		return err_set(e, EIO, "image %s: no answer", q(f->words[i]->text));
	f->words[i]->id = xstrdup(id);
	return 0;
}

int image_fetch_parallel(const struct request *rq, struct image_word *const *words, size_t n,
			 struct err *e)
{
	struct fetches f = {.rq = rq, .words = words};
	const struct crew c = {
		.arg = &f,
		.jobs = n,
		.at_once = AT_ONCE,
		.store = rq->store,
		.work = fetch,
		.done = take_id,
	};

	return crew_run(&c, e);
}
