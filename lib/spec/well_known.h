/*
 * Values that the appc specification gives a meaning: os and arch labels, and some annotations.
 */
#pragma once

/* The annotation's value: NULL when fine, or when the name is not a well-known one. */
const char *well_known_annotation_check(const char *name, const char *value);
/* The architectures of an operating system (ended by NULL), or NULL for an unknown system. */
const char *const *well_known_arches(const char *os);
/* What the specification calls this machine's architecture ("amd64"); a program's own, not the kernel's. */
const char *well_known_host_arch(void);
