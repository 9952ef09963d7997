/* A pod record: what is accepted is written again, and read again as the same. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "contract/pod_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int decode(const void *data, size_t size, struct pod_record *ret)
{
	_cleanup_record_ struct record in = RECORD_INIT;
	_cleanup_err_ struct err e = ERR_INIT;

	if (record_parse(&in, size ? xmemdup(data, size) : NULL, size, POD_RECORD_VERSION, &e) < 0)
		return -1;
	return pod_record_decode(&in, ret, &e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_pod_record_ struct pod_record rec = POD_RECORD_INIT, again = POD_RECORD_INIT;
	_cleanup_strbuf_ struct strbuf one = STRBUF_INIT, two = STRBUF_INIT;

	if (decode(data, size, &rec) < 0)
		return 0;
	pod_record_encode(&rec, &one);
	assert(decode(one.buf, one.len, &again) == 0);
	pod_record_encode(&again, &two);
	assert(one.len == two.len && !memcmp(one.buf, two.buf, one.len));
	return 0;
}
