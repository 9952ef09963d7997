/*
 * Why a program could not be executed, in the words of rkt's diagnostic: the kernel says "No such
 * file or directory" of a program whose interpreter is missing, and means that one.
 */
#pragma once

#include "base/err.h"

/* The program itself is not to be had; returns -code. */
int explain_missing(const char *program, int code, struct err *e);
/* execve(2) refused it with this errno; returns -code. */
int explain_exec(const char *program, int code, struct err *e);
