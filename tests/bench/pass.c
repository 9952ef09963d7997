/*
 * pass.c - the streaming pass: the least work that verifies and unpacks a compressed tar archive.
 *
 *   pass [-2] [-x DIRECTORY] FILE      prints the SHA-512 (-2: SHA-256) of the file and of the archive in it
 *
 * The file is in gzip's form or in zstd's.
 * Four threads: one hashes the file as it is, one inflates it (ISA-L) into a ring of slots, one
 * hashes the slots, one extracts them. A slot is free again when both readers are through with it.
 */
#include "pass.h"

#include <fcntl.h>
#include <isa-l/igzip_lib.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#define SLOT_SIZE (1u << 20)
#define SLOTS 8
#define READERS 2

enum { READER_HASH, READER_TAR };

struct slot {
	char *data;
	size_t len;
};

static struct slot ring[SLOTS];
static long written, done[READERS];
static bool ended;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;

static unsigned char *file;
static size_t file_len;
static const char *directory;
static const EVP_MD *(*kind)(void) = EVP_sha512;
static char file_hash[129], archive_hash[129];
static long entries;

_Noreturn void pass_die(const char *what)
{
	perror(what);
	exit(1);
}

static struct slot *slot_to_write(void)
{
	pthread_mutex_lock(&lock);
	while (written - done[READER_HASH] >= SLOTS || written - done[READER_TAR] >= SLOTS)
		pthread_cond_wait(&changed, &lock);
	pthread_mutex_unlock(&lock);
	return &ring[written % SLOTS];
}

static void slot_written(bool last)
{
	pthread_mutex_lock(&lock);
	written++;
	ended = last;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
}

/* The next slot for this reader; NULL at the end. */
static struct slot *slot_to_read(int reader)
{
	struct slot *s = NULL;

	pthread_mutex_lock(&lock);
	while (done[reader] == written && !ended)
		pthread_cond_wait(&changed, &lock);
	if (done[reader] < written)
		s = &ring[done[reader] % SLOTS];
	pthread_mutex_unlock(&lock);
	return s;
}

static void slot_read(int reader)
{
	pthread_mutex_lock(&lock);
	done[reader]++;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
}

static EVP_MD_CTX *hash_new(void)
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();

	if (!md || !EVP_DigestInit_ex(md, kind(), NULL))
		pass_die("SHA-2");
	return md;
}

static void hash_end(EVP_MD_CTX *md, char *hex)
{
	unsigned char sum[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	if (!EVP_DigestFinal_ex(md, sum, &len))
		pass_die("SHA-2");
	for (unsigned i = 0; i < len; i++)
		(void)snprintf(hex + 2 * i, 3, "%02x", sum[i]);
	EVP_MD_CTX_free(md);
}

static void *hash_file(void *arg)
{
	EVP_MD_CTX *md = hash_new();

	for (size_t at = 0; at < file_len; at += SLOT_SIZE)
		EVP_DigestUpdate(md, file + at,
				 file_len - at < SLOT_SIZE ? file_len - at : SLOT_SIZE);
	hash_end(md, file_hash);
	return arg;
}

static void *hash_archive(void *arg)
{
	EVP_MD_CTX *md = hash_new();
	struct slot *s;

	while ((s = slot_to_read(READER_HASH))) {
		EVP_DigestUpdate(md, s->data, s->len);
		slot_read(READER_HASH);
	}
	hash_end(md, archive_hash);
	return arg;
}

static void *extract(void *arg)
{
	struct tar *t = directory ? tar_open(directory) : NULL;
	struct slot *s;

	while ((s = slot_to_read(READER_TAR))) {
		if (t)
			tar_feed(t, s->data, s->len);
		slot_read(READER_TAR);
	}
	if (t)
		entries = tar_close(t);
	return arg;
}

static void *inflate_zstd(void *arg)
{
	ZSTD_DCtx *context = ZSTD_createDCtx();
	ZSTD_inBuffer in = {.src = file, .size = file_len};
	size_t left;

	do {
		struct slot *s = slot_to_write();
		ZSTD_outBuffer out = {.dst = s->data, .size = SLOT_SIZE};

		do
			left = ZSTD_decompressStream(context, &out, &in);
		while (!ZSTD_isError(left) && left && out.pos < out.size && in.pos < in.size);
		if (ZSTD_isError(left) || (left && out.pos < out.size)) {
			(void)fputs("pass: not zstd, or damaged\n", stderr);
			exit(1);
		}
		s->len = out.pos;
		slot_written(left == 0);
	} while (left);
	ZSTD_freeDCtx(context);
	return arg;
}

static void *inflate_gzip(void *arg)
{
	struct inflate_state state;

	isal_inflate_init(&state);
	state.crc_flag = ISAL_GZIP;
	state.next_in = file;
	state.avail_in = (uint32_t)file_len;
	do {
		struct slot *s = slot_to_write();

		state.next_out = (uint8_t *)s->data;
		state.avail_out = SLOT_SIZE;
		if (isal_inflate(&state) != ISAL_DECOMP_OK) {
			(void)fputs("pass: not gzip, or damaged\n", stderr);
			exit(1);
		}
		s->len = SLOT_SIZE - state.avail_out;
		if (s->len == 0 && state.block_state != ISAL_BLOCK_FINISH) {
			(void)fputs("pass: the file is cut short\n", stderr);
			exit(1);
		}
		slot_written(state.block_state == ISAL_BLOCK_FINISH);
	} while (state.block_state != ISAL_BLOCK_FINISH);
	return arg;
}

static void *inflate_file(void *arg)
{
	bool zstd = file_len >= 4 && !memcmp(file, "\x28\xb5\x2f\xfd", 4);

	return zstd ? inflate_zstd(arg) : inflate_gzip(arg);
}

static void map_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || st.st_size > UINT32_MAX)
		pass_die(path);
	file_len = (size_t)st.st_size;
	file = mmap(NULL, file_len, PROT_READ, MAP_SHARED, fd, 0);
	if (file == MAP_FAILED)
		pass_die(path);
	(void)madvise(file, file_len, MADV_SEQUENTIAL);
	close(fd);
}

int main(int argc, char **argv)
{
	static void *(*const roles[])(void *) = { hash_file, inflate_file, hash_archive, extract };
	pthread_t threads[4];
	int opt;

	while ((opt = getopt(argc, argv, "2x:")) != -1)
		if (opt == 'x')
			directory = optarg;
		else if (opt == '2')
			kind = EVP_sha256;
		else
			return 2;
	if (optind + 1 != argc)
		return 2;
	map_file(argv[optind]);
	for (int i = 0; i < SLOTS; i++)
		if (!(ring[i].data = malloc(SLOT_SIZE)))
			pass_die("malloc");
	for (int i = 0; i < 4; i++)
		if (pthread_create(&threads[i], NULL, roles[i], NULL))
			pass_die("thread");
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	printf("%s\n%s\n%ld entries\n", file_hash, archive_hash, entries);
	return 0;
}
