/*
 * This machine in the words of OCI platforms.
 */
#pragma once

#include "spec/oci.h"

/* What uname(2) says, in Go's words; strings are constants. Unknown ones keep their name. */
void oci_machine_of(const char *uname_machine, struct oci_platform *ret);
/* Of this machine, for life. */
const struct oci_platform *oci_machine(void);
