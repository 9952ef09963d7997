/*
 * A CNI configuration, and the same bytes as a plugin's result and as the record of an attachment.  What can be
 * read of a record is written again so that it reads the same.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "stage1/net/cached.h"
#include "stage1/net/result.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void record(const char *text, size_t len)
{
	_cleanup_free_ char *first = NULL, *second = NULL;
	_cleanup_err_ struct err e = ERR_INIT;
	struct attachment a, b;

	if (cached_decode(text, len, &a, &e) < 0) {
		if (!e.msg)
			abort();
		return;
	}
	first = cached_encode(&a, "id");
	if (cached_decode(first, strlen(first), &b, NULL) < 0)
		abort();
	second = cached_encode(&b, "id");
	if (strcmp(first, second))
		abort();
	attachment_done(&a);
	attachment_done(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_err_ struct err e = ERR_INIT;
	_cleanup_strv_ char **addresses = NULL;
	_cleanup_json_ cJSON *j = NULL;
	struct net_result r = {0};
	struct cni_network n;

	(void) cni_network_parse((const char *) data, size, &n, &e);
	cni_network_done(&n);
	record((const char *) data, size);
	j = json_parse((const char *) data, size, 1 << 20, NULL);
	if (!j)
		return 0;
	(void) cni_result_addresses(j, &addresses, &e);
	cni_result_dns(j, "n", &r);
	strv_free(r.nameservers);
	strv_free(r.search);
	strv_free(r.options);
	free(r.domain);
	free(r.dns_network);
	return 0;
}
