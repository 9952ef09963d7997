/*
 * Messages to the operator: "gantry: run: text" on standard error, or on GANTRY_LOG_FD when an
 * earlier stage of the same command announced one.  What apps print is data, not logging.
 */
#pragma once

#include <stdbool.h>

#include "base/mem.h"

/*
 * Name shown before each message ("run", "stop", ...); borrowed for ever. Reads GANTRY_LOG_FD,
 * GANTRY_DEBUG, and GANTRY_LOG_NAME: that is shown instead (rkt's stage1 began with "stage1: ").
 */
void log_init(const char *name);
void log_set_debug(bool on);
bool log_is_debug(void);
/* One whole line in one write(2), so that lines of several processes do not mix. */
void log_error(const char *fmt, ...) _printf_(1, 2);
/* The operation goes on, and the user gets less than was asked for: never for a security option. */
void log_warning(const char *fmt, ...) _printf_(1, 2);
void log_info(const char *fmt, ...) _printf_(1, 2);
void log_debug(const char *fmt, ...) _printf_(1, 2);
