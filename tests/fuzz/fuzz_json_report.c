/*
 * Manifests with a report set: decoding goes on behind errors, and every finding has a place in the text.
 * Whether the manifest is good must not depend on that.
 */
#include <stdint.h>
#include <string.h>

#include "spec/image_manifest.h"
#include "spec/pod_manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_report(const struct json_report *report)
{
	for (size_t i = 0; i < report->n; i++) {
		const struct json_finding *f = &report->v[i];
		const char *line = report->text, *end = report->text + report->len;

		for (size_t n = 1; n < f->line; n++) {
			line = memchr(line, '\n', (size_t) (end - line));
			if (!line)
				abort();
			line++;
		}
		if (!f->line || !f->column || line + f->column - 1 > end || !*f->text)
			abort();
	}
}

static bool parse(const char *text, size_t len, bool pod)
{
	_cleanup_image_manifest_ struct image_manifest *image = NULL;
	_cleanup_pod_manifest_ struct pod_manifest *pods = NULL;
	_cleanup_err_ struct err e = ERR_INIT;

	if (pod)
		pods = pod_manifest_parse(text, len, &e);
	else
		image = image_manifest_parse(text, len, &e);
	if (!image && !pods && !e.msg)
		abort();
	return image || pods;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	for (int pod = 0; pod < 2; pod++) {
		_cleanup_json_report_ struct json_report report = {.text = (const char *) data, .len = size};
		bool good = parse(report.text, size, pod), again;

		json_collect(&report);
		again = parse(report.text, size, pod);
		json_collect(NULL);
		if (good != again || (good && report.n))
			abort();
		check_report(&report);
	}
	return 0;
}
