#include "stage0/oci/machine.h"

#include <fcntl.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/file.h"
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

/*
 * The levels of the x86-64 psABI, by what the kernel says that programs may use. The compiler's own question
 * (__builtin_cpu_supports) would be asked at each start of gantry, and CPUID leaves a virtual machine.
 */
static const struct {
	const char *variant, *flags;
} levels[] = {
	{"v2", "cx16 lahf_lm popcnt pni sse4_1 sse4_2 ssse3"},
	{"v3", "abm avx avx2 bmi1 bmi2 f16c fma movbe xsave"},
	{"v4", "avx512bw avx512cd avx512dq avx512f avx512vl"},
};

#define CPUINFO_MAX (64u << 20)

/* The words behind "flags" of the first processor. */
static char **cpu_flags(void)
{
	_cleanup_free_ char *text = NULL;
	char *flags;

	if (file_read_at(AT_FDCWD, "/proc/cpuinfo", CPUINFO_MAX, &text, NULL, NULL) < 0)
		return NULL;
	flags = strstr(text, "\nflags");
	flags = flags ? strchr(flags + 1, ':') : NULL;
	if (!flags)
		return NULL;
	flags[strcspn(flags, "\n")] = '\0';
	return strv_split(flags + 1, ' ');
}

static const char *amd64_variant(void)
{
	_cleanup_strv_ char **have = cpu_flags();
	const char *variant = "v1";

	for (size_t i = 0; i < ELEMENTSOF(levels); i++) {
		_cleanup_strv_ char **want = strv_split(levels[i].flags, ' ');

		for (char **w = want; *w; w++)
			if (!strv_has(have, *w))
				return variant;
		variant = levels[i].variant;
	}
	return variant;
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
