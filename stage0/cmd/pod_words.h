/* Pods named on a command line, or in the file that --uuid-file names. */
#pragma once

#include "base/err.h"

struct gantry;
struct pod;

/*
 * The words, or the one UUID of the file (then no word may be there). *ret: strv, owned by the
 * caller.
 */
int pod_words(char *const *words, const char *uuid_file, char ***ret, struct err *e);
/*
 * The same for status and stop, which rkt ends with a status of their own when the file cannot be
 * read: then EXIT_UUID_FILE, and the message was logged.
 */
int pod_words_or_exit(char *const *words, const char *uuid_file, char ***ret, struct err *e);
/* The pod, when it has to be one. *ret_pods is the caller's to close, also after a failure. */
int pod_find_one(const struct gantry *g, char *const *uuids, int *ret_pods, struct pod *ret,
		 struct err *e);
/* Both at once. */
int pod_open_one(const struct gantry *g, char *const *words, const char *uuid_file, int *ret_pods,
		 struct pod *ret, struct err *e);
