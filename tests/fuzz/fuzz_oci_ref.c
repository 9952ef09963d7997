/* The word for an OCI image: whatever is accepted is safe as a part of a path and of a URL. */
#include <stdint.h>
#include <string.h>

#include "base/str.h"
#include "spec/oci.h"
#include "stage0/oci/ref.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NAME_CHARS "abcdefghijklmnopqrstuvwxyz0123456789._-"

static void check_registry(const struct oci_ref *ref)
{
	_cleanup_free_ char *printed = oci_ref_print(ref), *word = xasprintf("docker://%s", printed), *twice = NULL;
	_cleanup_oci_ref_ struct oci_ref again = {0};

	if (strspn(ref->repository, NAME_CHARS "/") != strlen(ref->repository) || strstr(ref->repository, "..") ||
	    strstr(ref->repository, "//") || *ref->repository == '/')
		abort();
	if (strspn(ref->registry, NAME_CHARS ":[]") != strlen(ref->registry))
		abort();
	/* What is printed means the same. */
	if (oci_ref_parse(word, OCI_DEFAULT_REGISTRY, &again, NULL) < 0)
		abort();
	twice = oci_ref_print(&again);
	if (strcmp(printed, twice))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *text = xstrndup((const char *) data, size);
	_cleanup_oci_ref_ struct oci_ref ref = {0};
	_cleanup_err_ struct err e = ERR_INIT;
	int r = oci_ref_parse(text, OCI_DEFAULT_REGISTRY, &ref, &e);

	if (r < 0 ? !e.msg || ref.text : !oci_ref_is(text))
		abort();
	if (r == 0 && ref.digest && oci_digest_check(ref.digest))
		abort();
	if (r == 0 && ref.transport == OCI_REGISTRY)
		check_registry(&ref);
	else if (r == 0 && !*ref.path)
		abort();
	return 0;
}
