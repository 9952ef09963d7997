/* policy.json, and what it says of some images. */
#include <stdint.h>

#include "base/mem.h"
#include "stage0/oci/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const words[] = {
		"docker://busybox", "docker://a.b.example.com:5000/x/y:1", "oci:/a/b:c", "docker-archive:x"};
	_cleanup_err_ struct err e = ERR_INIT;
	_cleanup_policy_ struct policy *p = policy_parse((const char *) data, size, &e);

	for (size_t i = 0; p && i < ELEMENTSOF(words); i++) {
		_cleanup_oci_ref_ struct oci_ref ref = {0};
		_cleanup_free_ char *scope = NULL;
		const struct requirement_list *l;

		if (oci_ref_parse(words[i], "docker.io", &ref, NULL) < 0)
			abort();
		l = policy_find(p, &ref, &scope);
		if (l && (!l->n || !scope))
			abort();
		for (size_t k = 0; l && k < l->n; k++)
			(void) identity_check(&l->v[k].identity, &ref, "docker.io/library/busybox:latest", NULL);
	}
	return 0;
}
