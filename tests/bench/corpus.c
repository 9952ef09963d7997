/*
 * corpus.c - a tree of files that looks like a distribution's, the same one every time.
 *
 *   corpus DIRECTORY MEGABYTES
 *
 * Text, records as in compiled code, and noise; sizes from some bytes to a megabyte with a mean near
 * 30 KiB, in directories of a hundred files. gzip makes about a third of it.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX (1u << 20)
#define WORDS 3000
#define WORD_LEN 12
#define FILES_PER_DIRECTORY 100

static uint64_t state = 0x9e3779b97f4a7c15u;
static char words[WORDS][WORD_LEN];
static char buf[FILE_MAX + 64];

/* xorshift64: deterministic, and its output does not compress. */
static uint64_t next(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static unsigned below(unsigned n)
{
	return (unsigned)((next() >> 32) % n);
}

static void make_words(void)
{
	for (int i = 0; i < WORDS; i++) {
		unsigned len = 2 + below(WORD_LEN - 3);

		for (unsigned j = 0; j < len; j++)
			words[i][j] = (char)('a' + below(26));
	}
}

/* Frequent words come first, as in prose: the square of a uniform number is small more often. */
static void fill_text(size_t len)
{
	for (size_t at = 0; at < len;) {
		unsigned r = below(1000);
		const char *w = words[(size_t)r * r * WORDS / 1000000];
		size_t n = strlen(w);

		memcpy(buf + at, w, n);
		at += n;
		buf[at++] = below(12) ? ' ' : '\n';
	}
}

static void fill_records(size_t len)
{
	unsigned char record[16] = { 0x48, 0x89 };

	for (size_t at = 0; at < len; at += sizeof(record)) {
		record[below(16)] = (unsigned char)below(256);
		record[below(8)] = (unsigned char)below(16);
		memcpy(buf + at, record, sizeof(record));
	}
}

static void fill_noise(size_t len)
{
	for (size_t at = 0; at < len; at += 8) {
		uint64_t v = next();

		memcpy(buf + at, &v, 8);
	}
}

static size_t pick_size(void)
{
	unsigned bits = 6 + below(15); /* 64 bytes to 1 MiB, as many of each power of two */
	size_t size = (1u << bits) + below(1u << bits);

	/* The large ones are rare in a real tree, which brings the mean down to some 30 KiB. */
	if (size > 16384 && below(7))
		size /= 16;
	return size > FILE_MAX ? FILE_MAX : size;
}

static size_t make_file(const char *dir, unsigned number)
{
	size_t len = pick_size();
	unsigned kind = below(10);
	char path[4096];
	int fd;

	if (kind < 5)
		fill_text(len);
	else if (kind < 9)
		fill_records(len);
	else
		fill_noise(len);
	(void)snprintf(path, sizeof(path), "%s/%s-%u", dir, words[below(WORDS)], number);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kind % 4 ? 0644 : 0755);
	if (fd < 0 || write(fd, buf, len) != (ssize_t)len || close(fd) < 0) {
		perror(path);
		exit(1);
	}
	return len;
}

int main(int argc, char **argv)
{
	size_t want, have = 0;
	unsigned number = 0;
	char dir[4000] = "";

	if (argc != 3)
		return 2;
	want = (size_t)strtoul(argv[2], NULL, 10) << 20;
	make_words();
	while (have < want) {
		if (number % FILES_PER_DIRECTORY == 0) {
			(void)snprintf(dir, sizeof(dir), "%s/%s-%u", argv[1], words[below(WORDS)],
				       number);
			if (mkdir(dir, 0755) < 0) {
				perror(dir);
				return 1;
			}
		}
		have += make_file(dir, number++);
	}
	printf("%u files, %zu bytes\n", number, have);
	return 0;
}
