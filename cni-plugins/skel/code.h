/*
 * The specification's error codes inside our own errors: err_set(e, CNI_CODE(CNI_BAD_CONFIG),
 * "...").  The range lies above errno, so that one int carries both; cni_code_of() gives what is
 * printed.
 */
#pragma once

enum cni_code {
	CNI_INCOMPATIBLE_VERSION = 1,
	CNI_UNSUPPORTED_FIELD = 2,
	CNI_UNKNOWN_CONTAINER = 3,
	CNI_BAD_ENV = 4,
	CNI_IO = 5,
	CNI_DECODE = 6,
	CNI_BAD_CONFIG = 7,
	CNI_BAD_NETNS = 8, /* libcni 1.2; not in the specification's table */
	CNI_TRY_AGAIN = 11,
	CNI_NOT_AVAILABLE = 50,
	CNI_LIMITED = 51,
	CNI_OTHER = 999, /* what the reference plugins print for everything else */
};

#define CNI_CODE_BASE 0x10000
#define CNI_CODE(n) (CNI_CODE_BASE + (n))

static inline int cni_code_of(int code)
{
	return code > CNI_CODE_BASE ? code - CNI_CODE_BASE : CNI_OTHER;
}
