/*
 * Private to the app record: the two keys of checks, in the form of its table.  Setters take one value of the
 * record (n: which of that key), 0 or -errno; getters give it back, owned by the caller, NULL behind the last.
 */
#pragma once

#include "contract/app_record.h"

int app_check_set(struct app_record *rec, void *field, const char *value, size_t n);
char *app_check_get(const struct app_record *rec, const void *field, size_t n);
int app_check_set_arg(struct app_record *rec, void *field, const char *value, size_t n);
char *app_check_get_arg(const struct app_record *rec, const void *field, size_t n);
void app_checks_done(struct app_record *rec);
