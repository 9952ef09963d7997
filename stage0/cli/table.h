/*
 * Columns as Go's text/tabwriter lays them out with tabs of 8 and one space of padding: what
 * scripts written for rkt parse.  And the words for times and sizes in them.
 */
#pragma once

#include <stdint.h>
#include <stdio.h>

/*
 * n rows of n_columns cells each (row-major); NULL cells are empty. The last column is not padded.
 */
void table_print(FILE *f, const char *const *cells, size_t n, size_t n_columns);
/* The same of the first n_shown columns of each row only. */
void table_print_some(FILE *f, const char *const *cells, size_t n, size_t n_columns,
		      size_t n_shown);
/* "2 minutes ago", "now"; owned by the caller. 0: "". */
char *time_humanized(int64_t ns, int64_t now_ns);
/* 2006-01-02 15:04:05.999 -0700 MST in local time; owned by the caller. 0: "". */
char *time_full(int64_t ns);
/* "12MiB": powers of 1024, no decimals above 10; owned by the caller. */
char *size_iec(int64_t bytes);
int64_t time_now_ns(void);
