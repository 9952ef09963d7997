/* One word from a manifest or a command line: quantities, numbers, durations, volumes, names. */
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "base/parse.h"
#include "base/str.h"
#include "spec/ac_name.h"
#include "spec/image_id.h"
#include "spec/isolator.h"
#include "spec/pod_manifest.h"
#include "spec/uuid.h"
#include "spec/well_known.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_quantity(const char *text)
{
	int64_t milli = -1, again = -1;
	int r = quantity_parse(text, &milli);
	_cleanup_free_ char *plain = NULL;

	if (r < 0) {
		if ((r != -EINVAL && r != -ERANGE) || milli != -1)
			abort();
		return;
	}
	plain = xasprintf("%lldm", (long long) milli);
	if (milli < 0 || quantity_parse(plain, &again) < 0 || again != milli)
		abort();
}

static void check_words(const char *text)
{
	_cleanup_free_ char *name = ac_name_sanitize(text);

	if (*name && ac_name_check(name))
		abort();
	/* A name is an identifier. */
	if (!ac_name_check(text) && ac_identifier_check(text))
		abort();
	(void) ac_env_name_check(text);
	(void) ac_version_check(text);
	(void) image_id_check(text);
	(void) image_id_prefix_check(text);
	(void) uuid_check(text);
	(void) well_known_annotation_check("created", text);
	(void) well_known_annotation_check("homepage", text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *text = xmalloc(size + 1);
	_cleanup_err_ struct err e = ERR_INIT;
	struct volume v = {0};
	int64_t n;
	mode_t mode;
	uid_t uid;

	memcpy(text, data, size);
	text[size] = '\0';
	check_quantity(text);
	check_words(text);
	(void) parse_i64(text, INT64_MIN, INT64_MAX, &n);
	(void) parse_duration(text, &n);
	(void) parse_mode(text, &mode);
	if (parse_uid(text, &uid) == 0 && uid == (uid_t) -1)
		abort();
	if (volume_parse(text, &v, &e) < 0 && !e.msg)
		abort();
	volume_done(&v);
	if (!str_is_utf8(q(text), strlen(q(text))))
		abort();
	return 0;
}
