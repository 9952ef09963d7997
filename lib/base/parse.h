/*
 * Numbers and other words from outside, checked whole: no sign, space, prefix or trailing text that
 * the grammar does not name, no overflow.  All return 0 or -EINVAL / -ERANGE and leave the output
 * alone on failure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Decimal digits only, 0 <= value <= max. */
int parse_u64(const char *s, uint64_t max, uint64_t *ret);
/* Optional '-', then decimal digits, min <= value <= max. */
int parse_i64(const char *s, int64_t min, int64_t max, int64_t *ret);
/* A user or group id: digits, at most UINT32_MAX - 1 (the maximum means "none" to the kernel; CVE-2026-30892). */
int parse_uid(const char *s, uid_t *ret);
/* A positive process id. */
int parse_pid(const char *s, pid_t *ret);
/* Octal digits, at most 07777. */
int parse_mode(const char *s, mode_t *ret);
/* 1 t T true TRUE True, 0 f F false FALSE False. */
int parse_bool(const char *s, bool *ret);
/* Go-like duration: "30m", "1h30m", "1.5s", "250ms", "0"; in nanoseconds. */
int parse_duration(const char *s, int64_t *ret_ns);
