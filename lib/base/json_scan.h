/* Check a text against RFC 8259 and our limits; private to base/json.c and its tests. */
#pragma once

#include "base/err.h"

int json_scan(const char *text, size_t len, struct err *e);
