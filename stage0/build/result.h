/*
 * A file that a command makes: it gets its name when it is whole.
 */
#pragma once

#include <errno.h>

#include <stdbool.h>

#include "base/err.h"

struct result_file {
	char *path, *temp; /* temp: a name to be taken away, or NULL */
	int fd;
};
#define RESULT_FILE_INIT {.fd = -EBADF}

/* -EEXIST when it is there, unless it is to be replaced. */
int result_open(struct result_file *res, const char *path, bool overwrite, struct err *e);
int result_publish(struct result_file *res, bool overwrite, struct err *e);
/* What was not published goes again. */
void result_done(struct result_file *res);
#define _cleanup_result_ __attribute__((cleanup(result_done)))
