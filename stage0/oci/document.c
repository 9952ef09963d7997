#include "stage0/oci/source.h"

void oci_document_done(struct oci_document *d)
{
	free(d->data);
	free(d->media_type);
	free(d->digest);
	*d = (struct oci_document) {0};
}
