/*
 * mktar: writes tar archives entry by entry as told, hostile ones included, to standard output.
 *
 * tar(1) refuses to make most of what an attacker would send (.. in names, duplicates, hard links to
 * nowhere, sizes that lie).  Each argument is one entry, written as it stands, in POSIX ustar form
 * (POSIX.1-2017, pax, "ustar Interchange Format"):
 *
 *	file:NAME[=TEXT]        regular file         from:NAME=PATH    regular file with PATH's content
 *	dir:NAME                directory            sym:NAME=TARGET   symbolic link
 *	hard:NAME=TARGET        hard link            fifo:NAME         named pipe
 *	chr:NAME=MAJ,MIN        character device     blk:NAME=MAJ,MIN  block device
 *	zeros:NAME=MIB          file of zeros        short:NAME=SIZE   header that claims SIZE, no content
 *	pax:KEY=VALUE           extended header for the next entry
 *	gnulong:NAME            GNU long name for the next entry
 *	type:C,NAME             entry of type C without content
 *	many:PREFIX=N           N empty files PREFIX1...
 *	mode:OCTAL owner:U,G    for all entries from here on
 *	badsum:NAME             regular file whose header checksum is wrong
 *	raw:HEX                 bytes as they are
 *	end                     two blocks of zeros (written at the end too, unless noend was given)
 *	noend
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK 512

struct header {
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], sum[8], type, link[100];
	char magic[8], uname[32], gname[32], major[8], minor[8], prefix[155], pad[12];
};
_Static_assert(sizeof(struct header) == BLOCK, "a tar header is one block");

struct entry {
	const char *name;
	const char *link;
	char type;
	unsigned long long size;
	unsigned int major, minor;
};

static unsigned int mode = 0644, uid, gid;
static int want_end = 1;

static void fail(const char *what)
{
	fprintf(stderr, "mktar: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void put(const void *data, size_t len)
{
	if (fwrite(data, 1, len, stdout) != len)
		fail("write");
}

static void pad_block(unsigned long long size)
{
	static const char zeros[BLOCK];

	if (size % BLOCK)
		put(zeros, BLOCK - size % BLOCK);
}

static void octal(char *field, size_t len, unsigned long long value)
{
	char text[32];

	snprintf(text, sizeof(text), "%0*llo", (int)len - 1, value);
	memcpy(field, text, strnlen(text, len));
}

static void put_header(const struct entry *e, int sum_off)
{
	struct header h;
	unsigned int sum = 0;

	memset(&h, 0, sizeof(h));
	memcpy(h.name, e->name, strnlen(e->name, sizeof(h.name)));
	if (e->link)
		memcpy(h.link, e->link, strnlen(e->link, sizeof(h.link)));
	octal(h.mode, sizeof(h.mode), e->type == '5' && mode == 0644 ? 0755 : mode);
	octal(h.uid, sizeof(h.uid), uid);
	octal(h.gid, sizeof(h.gid), gid);
	octal(h.size, sizeof(h.size), e->size);
	octal(h.mtime, sizeof(h.mtime), 1000000000);
	octal(h.major, sizeof(h.major), e->major);
	octal(h.minor, sizeof(h.minor), e->minor);
	h.type = e->type;
	memcpy(h.magic, "ustar\00000", 8);
	memset(h.sum, ' ', sizeof(h.sum));
	for (size_t i = 0; i < sizeof(h); i++)
		sum += ((unsigned char *)&h)[i];
	snprintf(h.sum, sizeof(h.sum), "%06o", sum + (unsigned int)sum_off);
	put(&h, sizeof(h));
}

static void put_text(const char *name, char type, const char *text, size_t len)
{
	struct entry e = { .name = name, .type = type, .size = len };

	put_header(&e, 0);
	put(text, len);
	pad_block(len);
}

static void put_from(const char *name, const char *path)
{
	struct entry e = { .name = name, .type = '0' };
	char buf[65536];
	struct stat st;
	ssize_t n;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st) < 0)
		fail(path);
	e.size = (unsigned long long)st.st_size;
	put_header(&e, 0);
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		put(buf, (size_t)n);
	pad_block(e.size);
	close(fd);
}

static void put_zeros(const char *name, unsigned long long mib)
{
	static char zeros[1 << 20];
	struct entry e = { .name = name, .type = '0', .size = mib << 20 };

	put_header(&e, 0);
	while (mib--)
		put(zeros, sizeof(zeros));
}

/* A pax record counts itself: "LEN KEY=VALUE\n" (POSIX.1-2017, pax Extended Header). */
static void put_pax(const char *pair)
{
	size_t body = strlen(pair) + 2, len = body + 1;
	char *text, digits[16];

	for (;;) {
		size_t with = body + (size_t)snprintf(digits, sizeof(digits), "%zu", len);

		if (with == len)
			break;
		len = with;
	}
	if (asprintf(&text, "%zu %s\n", len, pair) < 0)
		fail("pax");
	put_text("pax", 'x', text, len);
	free(text);
}

static void put_raw(const char *hex)
{
	unsigned int byte;

	for (; hex[0] && hex[1]; hex += 2) {
		if (sscanf(hex, "%2x", &byte) != 1)
			fail("raw");
		putchar((int)byte);
	}
}

static void put_many(const char *prefix, unsigned long n)
{
	for (unsigned long i = 1; i <= n; i++) {
		char name[128];
		struct entry e = { .name = name, .type = '0' };

		snprintf(name, sizeof(name), "%s%lu", prefix, i);
		put_header(&e, 0);
	}
}

static void put_end(void)
{
	static const char zeros[2 * BLOCK];

	put(zeros, sizeof(zeros));
}

/* VERB is what stood before the colon, NAME and VALUE what stood around the equals sign after it. */
static int put_entry(const char *verb, char *name, const char *value)
{
	struct entry e = { .name = name, .link = value, .type = 0 };

	if (!strcmp(verb, "file"))
		put_text(name, '0', value ? value : "", value ? strlen(value) : 0);
	else if (!strcmp(verb, "from") && value)
		put_from(name, value);
	else if (!strcmp(verb, "zeros") && value)
		put_zeros(name, strtoull(value, NULL, 10));
	else if (!strcmp(verb, "many") && value)
		put_many(name, strtoul(value, NULL, 10));
	else if (!strcmp(verb, "gnulong"))
		put_text("././@LongLink", 'L', name, strlen(name) + 1);
	else if (!strcmp(verb, "dir"))
		e.type = '5';
	else if (!strcmp(verb, "fifo"))
		e.type = '6';
	else if (!strcmp(verb, "sym") && value)
		e.type = '2';
	else if (!strcmp(verb, "hard") && value)
		e.type = '1';
	else if (!strcmp(verb, "badsum"))
		e.type = '0';
	else if (!strcmp(verb, "short") && value) {
		e.type = '0';
		e.link = NULL;
		e.size = strtoull(value, NULL, 10);
	} else if (!strcmp(verb, "type") && name[0] && name[1] == ',') {
		e.type = name[0];
		e.name = name + 2;
	} else if ((!strcmp(verb, "chr") || !strcmp(verb, "blk")) && value) {
		e.type = verb[0] == 'c' ? '3' : '4';
		e.link = NULL;
		if (sscanf(value, "%u,%u", &e.major, &e.minor) != 2)
			return -1;
	} else {
		return -1;
	}
	if (e.type)
		put_header(&e, strcmp(verb, "badsum") ? 0 : 1);
	return 0;
}

static int put_word(char *word)
{
	char *name = strchr(word, ':'), *value;

	if (!strcmp(word, "end")) {
		put_end();
		return 0;
	}
	if (!strcmp(word, "noend")) {
		want_end = 0;
		return 0;
	}
	if (!name)
		return -1;
	*name++ = '\0';
	if (!strcmp(word, "mode")) {
		mode = (unsigned int)strtoul(name, NULL, 8);
		return 0;
	}
	if (!strcmp(word, "owner"))
		return sscanf(name, "%u,%u", &uid, &gid) == 2 ? 0 : -1;
	if (!strcmp(word, "pax")) {
		put_pax(name);
		return 0;
	}
	if (!strcmp(word, "raw")) {
		put_raw(name);
		return 0;
	}
	value = strchr(name, '=');
	if (value)
		*value++ = '\0';
	return put_entry(word, name, value);
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (put_word(argv[i]) < 0) {
			fprintf(stderr, "mktar: what is %s?\n", argv[i]);
			return 2;
		}
	}
	if (want_end)
		put_end();
	if (fflush(stdout))
		fail("write");
	return 0;
}
