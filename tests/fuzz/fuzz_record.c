/* A flat record: what is accepted holds exactly the bytes that came in. */
#include <stdint.h>
#include <string.h>

#include "base/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_record_ struct record rec = RECORD_INIT;
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	_cleanup_err_ struct err e = ERR_INIT;
	const char *key, *value, *version;

	if (record_parse(&rec, xmemdup(data, size), size, 7, &e) < 0) {
		if (!e.msg)
			abort();
		return 0;
	}
	version = record_get(&rec, "version");
	if (!version || rec.version < 1 || rec.version > 7)
		abort();
	record_add(&sb, "version", version);
	while (record_next(&rec, &key, &value)) {
		record_add(&sb, key, value);
		if (!record_get(&rec, key))
			abort();
	}
	if (sb.len != size || memcmp(sb.buf, data, size))
		abort();
	return 0;
}
