/* A CNI configuration, and the same bytes as a plugin's result. */
#include <stdint.h>
#include <string.h>

#include "base/str.h"
#include "stage1/net/conf.h"
#include "stage1/net/result.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_err_ struct err e = ERR_INIT;
	_cleanup_strv_ char **addresses = NULL;
	_cleanup_json_ cJSON *j = NULL;
	struct net_result r = {0};
	struct cni_network n;

	(void) cni_network_parse((const char *) data, size, &n, &e);
	cni_network_done(&n);
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
