/* A page of discovery. */
#include <stdint.h>
#include <string.h>

#include "stage0/worker/metatags.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	_cleanup_err_ struct err e = ERR_INIT;
	int r = metatags_read((const char *) data, size, &sb, &e);
	unsigned tabs = 0, spaces = 0, lines = 0;

	if (r < 0 && (!e.msg || sb.len))
		abort();
	for (size_t i = 0; i < sb.len; i++) {
		tabs += sb.buf[i] == '\t';
		spaces += sb.buf[i] == ' ';
		lines += sb.buf[i] == '\n';
		if ((sb.buf[i] < ' ' && sb.buf[i] != '\t' && sb.buf[i] != '\n') || sb.buf[i] == 0x7f)
			abort();
	}
	if (tabs != lines || spaces != lines || lines > METATAGS_MAX)
		abort();
	return 0;
}
