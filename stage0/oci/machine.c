#include "stage0/oci/machine.h"

#include <sys/utsname.h>

#include "base/str.h"

static const struct {
	const char *uname, *architecture, *variant;
} machines[] = {
	{"x86_64", "amd64", NULL},   {"i386", "386", NULL},	  {"i486", "386", NULL},
	{"i586", "386", NULL},	     {"i686", "386", NULL},	  {"aarch64", "arm64", "v8"},
	{"armv5tel", "arm", "v5"},   {"armv5tejl", "arm", "v5"},  {"armv6l", "arm", "v6"},
	{"armv7l", "arm", "v7"},     {"armv8l", "arm", "v8"},	  {"ppc64", "ppc64", NULL},
	{"ppc64le", "ppc64le", NULL}, {"s390x", "s390x", NULL},	  {"riscv64", "riscv64", NULL},
	{"mips64", "mips64le", NULL}, {"loongarch64", "loong64", NULL},
};

void oci_machine_of(const char *uname_machine, struct oci_platform *ret)
{
	*ret = (struct oci_platform) {.os = (char *) "linux", .architecture = (char *) uname_machine};
	for (size_t i = 0; i < ELEMENTSOF(machines); i++)
		if (str_eq(machines[i].uname, uname_machine)) {
			ret->architecture = (char *) machines[i].architecture;
			ret->variant = (char *) machines[i].variant;
		}
}

/* The levels of the x86-64 psABI, by what the processor can do. */
static const char *amd64_variant(void)
{
#if defined(__x86_64__)
	__builtin_cpu_init();
	if (__builtin_cpu_supports("x86-64-v4"))
		return "v4";
	if (__builtin_cpu_supports("x86-64-v3"))
		return "v3";
	if (__builtin_cpu_supports("x86-64-v2"))
		return "v2";
#endif
	return "v1";
}

const struct oci_platform *oci_machine(void)
{
	static struct oci_platform machine;
	static struct utsname name;

	if (machine.os)
		return &machine;
	(void) uname(&name);
	oci_machine_of(name.machine, &machine);
	if (str_eq(machine.architecture, "amd64"))
		machine.variant = (char *) amd64_variant();
	return &machine;
}
