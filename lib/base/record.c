#include "base/record.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/parse.h"

void record_begin(struct strbuf *sb, unsigned version)
{
	record_addf(sb, "version", "%u", version);
}

void record_add(struct strbuf *sb, const char *key, const char *value)
{
	strbuf_adds(sb, key);
	strbuf_addc(sb, '=');
	strbuf_add(sb, value, strlen(value) + 1);
}

void record_addf(struct strbuf *sb, const char *key, const char *fmt, ...)
{
	_cleanup_free_ char *value = NULL;
	va_list ap;

	va_start(ap, fmt);
	value = xvasprintf(fmt, ap);
	va_end(ap);
	record_add(sb, key, value);
}

static bool is_key_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
}

/* Split one entry in place: "key=value" becomes "key\0value". */
static int split_entry(char *entry)
{
	char *p = entry;

	while (is_key_char(*p))
		p++;
	if (p == entry || *p != '=')
		return -EINVAL;
	*p = '\0';
	return 0;
}

int record_parse(struct record *rec, char *data, size_t len, unsigned max_version, struct err *e)
{
	const char *key, *value;
	uint64_t version;

	*rec = (struct record) {.data = data, .len = len};
	if (!len || data[len - 1] != '\0')
		return err_set(e, EINVAL, "record: not terminated");
	for (size_t pos = 0; pos < len; pos += strlen(data + pos) + 1) {

		if (split_entry(data + pos) < 0)
			return err_set(e, EINVAL, "record: malformed entry %s", q(data + pos));
		pos += strlen(data + pos) + 1;
	}
	if (!record_next(rec, &key, &value) || strcmp(key, "version") ||
	    parse_u64(value, UINT32_MAX, &version) < 0 || version == 0)
		return err_set(e, EINVAL, "record: no version");
	if (version > max_version)
		return err_set(e, ENOTSUP, "record: version %u is newer than this program's %u", (unsigned) version,
			       max_version);
	rec->version = (unsigned) version;
	return 0;
}

/* A file from its beginning, wherever others that have it open are. */
static int read_file(int fd, off_t size, char **ret, size_t *ret_len)
{
	_cleanup_free_ char *data = NULL;
	size_t len = 0;

	if (size > RECORD_MAX)
		return -EFBIG;
	data = xmalloc((size_t) size + 1);
	while (len < (size_t) size) {
		ssize_t n = pread(fd, data + len, (size_t) size - len, (off_t) len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		len += (size_t) n;
	}
	data[len] = '\0';
	*ret = take_ptr(data);
	*ret_len = len;
	return 0;
}

int record_read(struct record *rec, int fd, unsigned max_version, struct err *e)
{
	struct stat st;
	char *data;
	size_t len;
	int r;

	*rec = (struct record) RECORD_INIT;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		r = read_file(fd, st.st_size, &data, &len);
	else
		r = read_all(fd, RECORD_MAX, &data, &len);
	if (r < 0)
		return err_sysr(e, r, "read record");
	return record_parse(rec, data, len, max_version, e);
}

bool record_next(struct record *rec, const char **key, const char **value)
{
	if (rec->pos >= rec->len)
		return false;
	*key = rec->data + rec->pos;
	rec->pos += strlen(*key) + 1;
	*value = rec->data + rec->pos;
	rec->pos += strlen(*value) + 1;
	return true;
}

void record_rewind(struct record *rec)
{
	const char *key, *value;

	rec->pos = 0;
	(void) record_next(rec, &key, &value);
}

const char *record_get(const struct record *rec, const char *key)
{
	size_t pos = 0;

	while (pos < rec->len) {
		const char *k = rec->data + pos, *v = k + strlen(k) + 1;

		if (!strcmp(k, key))
			return v;
		pos = (size_t) (v - rec->data) + strlen(v) + 1;
	}
	return NULL;
}

void record_done(struct record *rec)
{
	free(rec->data);
	*rec = (struct record) RECORD_INIT;
}
