/*
 * Pod UUIDs, RFC 4122 version 4, lower case, 36 characters.
 */
#pragma once

#include "base/err.h"

#define UUID_LEN 36

/* A fresh random one (getrandom(2)). */
void uuid_new(char out[UUID_LEN + 1]);
/* NULL when s is a whole UUID in lower case. */
const char *uuid_check(const char *s);
