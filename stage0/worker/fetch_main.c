/*
 * libexec/gantry/fetch: URL -> bytes on a pipe.
 */
#include "base/mem.h"
#include "stage0/worker/fetch.h"
#include "stage0/worker/worker.h"

static int run(int argc _unused_, char **argv _unused_, struct strbuf *result _unused_,
	       struct err *e)
{
	return fetch_run(&(struct fetch_kind) {0}, e);
}

int main(int argc, char **argv)
{
	return worker_main("fetch", argc, argv, run);
}
