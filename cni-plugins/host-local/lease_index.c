#include "cni-plugins/host-local/lease_index.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

#define TIME_LEN 29 /* "%019lld.%09ld" */
#define HEADER_LEN (BOOT_ID_LEN + 1 + TIME_LEN + 1)
#define FILE_MAX (64 << 20)
#define LINE_ROOM 512

void lease_index_done(struct lease_index *x)
{
	strbuf_done(&x->text);
}

void lease_index_clear(struct lease_index *x)
{
	strbuf_done(&x->text);
	x->stored = 0;
}

static int dir_time(int dir, char text[static TIME_LEN + 1], struct err *e)
{
	struct stat s;

	if (fstat(dir, &s) < 0)
		return err_sys(e, "stat of the directory of leases");
	(void) snprintf(text, TIME_LEN + 1, "%019lld.%09ld", (long long) s.st_mtim.tv_sec,
			s.st_mtim.tv_nsec);
	return 0;
}

static int read_text(struct lease_index *x, int lock, size_t len, struct err *e)
{
	/* With room for one more lease. */
	size_t done = 0, room = len + LINE_ROOM;
	char *buf = xmalloc(room);

	/* Read to where it stays: there are 25 bytes of each of perhaps a thousand leases. */
	strbuf_done(&x->text);
	x->text = (struct strbuf) {.buf = buf, .alloc = room};
	*buf = '\0';
	while (done < len) {
		ssize_t n = pread(lock, buf + done, len - done, (off_t) (HEADER_LEN + done));

		if (n < 0)
			return err_sys(e, "read the lock file");
		if (n == 0)
			return 0;
		done += (size_t) n;
	}
	/* Cut, or with NULs in it: not what we wrote. */
	if (len && (buf[len - 1] != '\n' || memchr(buf, '\0', len)))
		return 0;
	buf[len] = '\0';
	x->text.len = x->stored = len;
	x->valid = true;
	return 0;
}

int lease_index_load(struct lease_index *x, int lock, int dir, struct err *e)
{
	char header[HEADER_LEN + 1] = "", now[TIME_LEN + 1];
	struct stat s;
	ssize_t n;
	int r = dir_time(dir, now, e);

	if (r < 0)
		return r;
	n = pread(lock, header, HEADER_LEN, 0);
	if (n < 0 || fstat(lock, &s) < 0)
		return err_sys(e, "read the lock file");
	/* Blank when it was not to be had at the time. */
	if (n >= BOOT_ID_LEN && header[0] != ' ')
		memcpy(x->boot, header, BOOT_ID_LEN);
	if (n < HEADER_LEN || s.st_size > FILE_MAX ||
	    memcmp(header + BOOT_ID_LEN + 1, now, TIME_LEN) != 0)
		return 0;
	return read_text(x, lock, (size_t) s.st_size - HEADER_LEN, e);
}

int lease_index_wipe(struct lease_index *x, int lock, struct err *e)
{
	static const char zeros[TIME_LEN] = {0};

	if (!x->wiped && pwrite(lock, zeros, TIME_LEN, BOOT_ID_LEN + 1) != TIME_LEN)
		return err_sys(e, "write the lock file");
	x->wiped = true;
	return 0;
}

static bool is_word(const char *s)
{
	for (; *s; s++)
		if ((unsigned char) *s <= ' ' || *s == 0x7f)
			return false;
	return true;
}

void lease_index_add(struct lease_index *x, const struct ip *ip, const char *id, const char *ifname)
{
	char text[IP_TEXT_MAX];

	if (*id && is_word(id) && (!ifname || is_word(ifname)))
		strbuf_addf(&x->text, "%s %s %s\n", ip_text(ip, text), id, ifname ? ifname : "");
}

/* The line that begins with this text, or NULL. */
static char *find_line(const struct lease_index *x, const char *head)
{
	size_t n = strlen(head);
	char *p = x->text.buf;

	while (p && (p = memmem(p, x->text.len - (size_t) (p - x->text.buf), head, n))) {
		if (p == x->text.buf || p[-1] == '\n')
			return p;
		p++;
	}
	return NULL;
}

void lease_index_remove(struct lease_index *x, const struct ip *ip)
{
	char head[IP_TEXT_MAX + 1], *line, *next;

	(void) ip_text(ip, head);
	head[strlen(head) + 1] = '\0';
	head[strlen(head)] = ' ';
	line = find_line(x, head);
	if (!line)
		return;
	next = strchr(line, '\n') + 1;
	memmove(line, next, x->text.len - (size_t) (next - x->text.buf) + 1);
	x->text.len -= (size_t) (next - line);
	/* What follows has moved. */
	if (x->stored > (size_t) (line - x->text.buf))
		x->stored = (size_t) (line - x->text.buf);
}

/* The address that begins the line in which `p` stands behind it. */
static bool address_before(const struct lease_index *x, const char *p, struct ip *ret)
{
	const char *begin = p;
	char text[IP_TEXT_MAX];

	while (begin > x->text.buf && begin[-1] != '\n')
		begin--;
	if ((size_t) (p - begin) >= sizeof text)
		return false;
	memcpy(text, begin, (size_t) (p - begin));
	text[p - begin] = '\0';
	return ip_parse(text, ret) == 0;
}

void lease_index_find(const struct lease_index *x, const char *id, const char *ifname,
		      struct ip **ret, size_t *ret_n)
{
	_cleanup_free_ char *owner = xasprintf(" %s ", id);
	size_t len = strlen(owner), if_len = strlen(ifname);
	const char *p = x->text.buf;
	struct ip ip;

	*ret = NULL;
	*ret_n = 0;
	for (; p && (p = memmem(p, x->text.len - (size_t) (p - x->text.buf), owner, len)); p++) {
		const char *rest = p + len;

		/* An old lease has no interface. */
		if (*rest != '\n' && (strncmp(rest, ifname, if_len) || rest[if_len] != '\n'))
			continue;
		if (!address_before(x, p, &ip))
			continue;
		*ret = xgrow(*ret, *ret_n, sizeof **ret);
		(*ret)[(*ret_n)++] = ip;
	}
}

static int write_at(int fd, const char *data, size_t len, size_t offset, struct err *e)
{
	while (len) {
		ssize_t n = pwrite(fd, data, len, (off_t) offset);

		if (n < 0)
			return err_sys(e, "write the lock file");
		data += n;
		len -= (size_t) n;
		offset += (size_t) n;
	}
	return 0;
}

int lease_index_save(struct lease_index *x, int lock, int dir, struct err *e)
{
	char header[HEADER_LEN + 1], now[TIME_LEN + 1];
	int r = dir_time(dir, now, e);

	if (r >= 0)
		r = write_at(lock, x->text.buf + x->stored, x->text.len - x->stored,
			     HEADER_LEN + x->stored, e);
	if (r >= 0 && ftruncate(lock, (off_t) (HEADER_LEN + x->text.len)) < 0)
		r = err_sys(e, "write the lock file");
	if (r < 0)
		return r;
	(void) snprintf(header, sizeof header, "%-*s\n%s\n", BOOT_ID_LEN, x->boot, now);
	x->stored = x->text.len;
	x->wiped = false;
	return write_at(lock, header, HEADER_LEN, 0, e);
}
