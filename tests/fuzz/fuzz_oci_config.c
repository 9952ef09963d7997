/* A configuration of an image: what becomes of it is a manifest that stage1 would take, or a message. */
#include <stdint.h>
#include <string.h>

#include "spec/image_manifest.h"
#include "stage0/oci/convert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_err_ struct err e = ERR_INIT;
	_cleanup_oci_config_ struct oci_config *c = oci_config_parse((const char *) data, size, &e);
	_cleanup_oci_naming_ struct oci_naming name = {0};
	_cleanup_oci_ref_ struct oci_ref ref = {0};
	_cleanup_free_ char *text = NULL;

	if (!c != !!e.msg)
		abort();
	if (!c)
		return 0;
	if (oci_ref_parse("docker://busybox", OCI_DEFAULT_REGISTRY, &ref, NULL) < 0)
		abort();
	oci_naming_of(&ref, &name);
	text = oci_convert(&(struct conversion) {.config = c, .name = &name, .config_digest = "c", .manifest_digest = "m"},
			   &e);
	if (!text != !!e.msg)
		abort();
	return 0;
}
