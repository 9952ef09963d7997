#include "cni-plugins/dhcp/lease_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/path.h"
#include "base/str.h"
#include "sys/link.h"

#define FILE_MAX CALL_MAX

int lease_dir_open(const char *path, struct err *e)
{
	int r = path_mkdirs(path, 0700, e), fd;

	if (r < 0)
		return r;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? err_sys(e, "open %s", path) : fd;
}

static char *file_name(const char *network, const char *id, const char *ifname)
{
	return xasprintf("%s/%s@%s", network, id, ifname);
}

/* --- writing --- */

static char *to_hex(const uint8_t *p, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	char *s = xmalloc(2 * n + 1);

	for (size_t i = 0; i < n; i++) {
		s[2 * i] = digits[p[i] >> 4];
		s[2 * i + 1] = digits[p[i] & 15];
	}
	s[2 * n] = '\0';
	return s;
}

/* For ever is 0: beyond what a number in JSON holds. */
static void add_time(cJSON *j, const char *key, int64_t ms)
{
	json_add_int(j, key, ms == LEASE_NEVER ? 0 : ms);
}

static cJSON *encode(const struct lease *l)
{
	_cleanup_free_ char *ack = to_hex(l->ack, l->ack_len);
	char mac[LINK_MAC_TEXT];
	cJSON *j = cJSON_CreateObject();

	cJSON_AddItemToObject(j, "question", cJSON_Duplicate(l->call.doc, true));
	json_add_int(j, "device", (int64_t) l->place.dev);
	json_add_int(j, "inode", (int64_t) l->place.ino);
	json_add_int(j, "link", l->place.link);
	(void) cJSON_AddStringToObject(j, "mac", link_mac_text(l->place.mac, mac));
	(void) cJSON_AddStringToObject(j, "hop", link_mac_text(l->hop, mac));
	add_time(j, "t1", l->t1);
	add_time(j, "t2", l->t2);
	add_time(j, "expire", l->state == LEASE_LOST ? 1 : l->expire);
	(void) cJSON_AddStringToObject(j, "ack", ack);
	return j;
}

int lease_file_write(int dir, const struct lease *l, struct err *e)
{
	_cleanup_free_ char *name = file_name(l->call.rq.name, l->call.container_id,
					      l->call.ifname);
	_cleanup_json_ cJSON *j = encode(l);
	_cleanup_free_ char *text = json_print(j, false);

	if (mkdirat(dir, l->call.rq.name, 0700) < 0 && errno != EEXIST)
		return err_sys(e, "make the directory of leases of %s", l->call.rq.name);
	return file_write_at(dir, name, text, strlen(text), 0600, FILE_FAST, e);
}

int lease_file_remove(int dir, const char *network, const char *id, const char *ifname,
		      struct err *e)
{
	_cleanup_free_ char *name = file_name(network, id, ifname);

	if (unlinkat(dir, name, 0) < 0 && errno != ENOENT && errno != ENOTDIR)
		return err_sys(e, "remove the lease %s", name);
	return 0;
}

/* --- reading --- */

struct record_of_lease {
	char *mac, *hop, *ack; /* owned */
	int64_t device, inode, link, t1, t2, expire;
};

static void record_of_lease_done(struct record_of_lease *f)
{
	free(f->mac);
	free(f->hop);
	free(f->ack);
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool from_hex(const char *s, struct lease *l)
{
	size_t n = strlen(s);

	if (n % 2 || n / 2 > sizeof l->ack)
		return false;
	for (size_t i = 0; i < n / 2; i++) {
		int a = hex_digit(s[2 * i]), b = hex_digit(s[2 * i + 1]);

		if (a < 0 || b < 0)
			return false;
		l->ack[i] = (uint8_t) (a << 4 | b);
	}
	l->ack_len = n / 2;
	return true;
}

static int64_t take_time(int64_t ms)
{
	return ms ? ms : LEASE_NEVER;
}

static int decode(const cJSON *j, struct lease *l, struct err *e)
{
#define FIELD(key_, type_, member_) CNI_FIELD(struct record_of_lease, key_, type_, member_)
	static const struct json_field fields[] = {
		{.key = "question", .type = JSON_F_IGNORE, .required = true},
		{FIELD("device", I64, device), .required = true, .max = INT64_MAX},
		{FIELD("inode", I64, inode), .required = true, .max = INT64_MAX},
		{FIELD("link", I64, link), .required = true, .min = 1, .max = INT32_MAX},
		{FIELD("mac", STRING, mac), .required = true},
		{FIELD("hop", STRING, hop), .required = true},
		{FIELD("t1", I64, t1), .required = true, .max = INT64_MAX},
		{FIELD("t2", I64, t2), .required = true, .max = INT64_MAX},
		{FIELD("expire", I64, expire), .required = true, .max = INT64_MAX},
		{FIELD("ack", STRING, ack), .required = true},
	};
	__attribute__((cleanup(record_of_lease_done))) struct record_of_lease f = {0};
	struct dhcp_message m;
	int r = json_decode(j, JSON_TOP, fields, ELEMENTSOF(fields), JSON_REFUSE_UNKNOWN, &f, e);

	if (r < 0)
		return r;
	l->place.dev = (dev_t) f.device;
	l->place.ino = (ino_t) f.inode;
	l->place.link = (int) f.link;
	l->t1 = take_time(f.t1);
	l->t2 = take_time(f.t2);
	l->expire = take_time(f.expire);
	if (link_mac_parse(f.mac, l->place.mac) < 0 || link_mac_parse(f.hop, l->hop) < 0 ||
	    !from_hex(f.ack, l) || dhcp_parse(l->ack, l->ack_len, &m) < 0)
		return err_set(e, EINVAL, "not what this program writes");
	return terms_decode(&m, &l->terms, e);
}

int lease_file_read(int dir, const struct lease_name *name, const struct lease_options *opts,
		    const char *prefix, struct lease **ret, struct err *e)
{
	_cleanup_free_ char *path = file_name(name->network, name->id, name->ifname);
	_cleanup_free_ char *text = NULL, *question = NULL;
	_cleanup_call_ struct call call = CALL_INIT;
	_cleanup_json_ cJSON *j = NULL;
	struct lease *l;
	size_t len;
	int r = file_read_at(dir, path, FILE_MAX, &text, &len, e);

	if (r < 0)
		return r;
	j = json_parse(text, len, FILE_MAX, e);
	if (!j)
		return err_ctx(e, -EINVAL, "lease %s", path);
	question = json_print(json_get(j, "question"), false);
	r = call_decode(question, strlen(question), prefix, &call, e);
	if (r < 0)
		return err_ctx(e, r, "lease %s", path);
	l = lease_new(opts, &call);
	r = decode(j, l, e);
	if (r >= 0)
		r = place_reopen(&l->call.rq, &l->place, e);
	if (r < 0) {
		lease_free(l);
		return err_ctx(e, r, "lease %s", path);
	}
	lease_resume(l);
	*ret = l;
	return 0;
}

/* --- all of them --- */

static int each_file(int dir, const char *network, lease_name_fn fn, void *arg, struct err *e)
{
	int fd = openat(dir, network, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW), r = 0;
	_cleanup_dir_ DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *de;

	if (!d) {
		if (errno == ENOENT || errno == ENOTDIR)
			return 0;
		r = err_sys(e, "read the leases of %s", network);
		(void) fd_close(fd);
		return r;
	}
	while (r >= 0 && (de = readdir(d))) {
		_cleanup_free_ char *id = xstrdup(de->d_name);
		char *at = strchr(id, '@');
		struct lease_name name = {.network = network, .id = id};

		/* Half-written files begin with a dot, which no container's name does. */
		if (!at || *id == '.')
			continue;
		*at = '\0';
		name.ifname = at + 1;
		r = fn(dir, &name, arg, e);
	}
	return r;
}

int lease_file_each(int dir, const char *network, lease_name_fn fn, void *arg, struct err *e)
{
	_cleanup_dir_ DIR *d = NULL;
	struct dirent *de;
	int fd, r = 0;

	if (network)
		return each_file(dir, network, fn, arg, e);
	fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	d = fd < 0 ? NULL : fdopendir(fd);
	if (!d) {
		r = err_sys(e, "read the directory of leases");
		(void) fd_close(fd);
		return r;
	}
	while (r >= 0 && (de = readdir(d)))
		if (*de->d_name != '.')
			r = each_file(dir, de->d_name, fn, arg, e);
	return r;
}
