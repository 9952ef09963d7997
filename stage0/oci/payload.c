#include "stage0/oci/payload.h"

#include <errno.h>
#include <string.h>

#include "base/json.h"
#include "base/json_check.h"
#include "base/str.h"
#include "spec/oci.h"

struct critical {
	char *type;
	struct payload said;
};

static int decode_image(const cJSON *j, const struct json_at *at, void *field, struct err *e)
{
	static const struct json_field fields[] = {
		{.key = "docker-manifest-digest", .type = JSON_F_STRING,
		 .offset = offsetof(struct payload, digest), .required = true, .check = oci_digest_check},
	};

	return json_decode(j, at, fields, ELEMENTSOF(fields), JSON_REFUSE_UNKNOWN, field, e);
}

static int decode_identity(const cJSON *j, const struct json_at *at, void *field, struct err *e)
{
	static const struct json_field fields[] = {
		{.key = "docker-reference", .type = JSON_F_STRING,
		 .offset = offsetof(struct payload, signed_as), .required = true, .check = json_check_not_empty},
	};

	return json_decode(j, at, fields, ELEMENTSOF(fields), JSON_REFUSE_UNKNOWN, field, e);
}

static int decode_critical(const cJSON *j, const struct json_at *at, void *field, struct err *e)
{
	static const struct json_field fields[] = {
		{.key = "type", .type = JSON_F_STRING, .offset = offsetof(struct critical, type),
		 .required = true},
		{.key = "image", .type = JSON_F_CALL, .offset = offsetof(struct critical, said),
		 .required = true, .decode = decode_image},
		{.key = "identity", .type = JSON_F_CALL, .offset = offsetof(struct critical, said),
		 .required = true, .decode = decode_identity},
	};

	return json_decode(j, at, fields, ELEMENTSOF(fields), JSON_REFUSE_UNKNOWN, field, e);
}

int payload_parse(const char *data, size_t len, const char *type, struct payload *ret, struct err *e)
{
	static const struct json_field fields[] = {
		{.key = "critical", .type = JSON_F_CALL, .required = true, .decode = decode_critical},
		{.key = "optional", .type = JSON_F_IGNORE},
	};
	_cleanup_json_ cJSON *j = json_parse(data, len, PAYLOAD_MAX, e);
	struct critical c = {0};
	int r = j ? json_decode(j, JSON_TOP, fields, ELEMENTSOF(fields), JSON_REFUSE_UNKNOWN, &c, e) : -EINVAL;

	if (r == 0 && strcmp(c.type, type))
		r = err_set(e, EBADMSG, "it says that it is %s, not %s", q(c.type), q(type));
	if (r == 0) {
		*ret = c.said;
		c.said = (struct payload) {0};
	}
	free(c.type);
	payload_done(&c.said);
	return r < 0 ? err_ctx(e, r, "signature") : 0;
}

void payload_done(struct payload *p)
{
	free(p->digest);
	free(p->signed_as);
	*p = (struct payload) {0};
}
