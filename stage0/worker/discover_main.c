/*
 * libexec/gantry/discover: URL of a page -> the meta tags of discovery on it, as lines on a pipe.
 */
#include "base/mem.h"
#include "stage0/worker/fetch.h"
#include "stage0/worker/metatags.h"
#include "stage0/worker/worker.h"

static int run(int argc _unused_, char **argv _unused_, struct strbuf *result _unused_,
	       struct err *e)
{
	const struct fetch_kind kind = {.read_page = metatags_read, .page_max = METATAGS_PAGE_MAX};

	return fetch_run(&kind, e);
}

int main(int argc, char **argv)
{
	return worker_main("discover", argc, argv, run);
}
