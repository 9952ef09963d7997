#include "stage1/seccomp/cache.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/log.h"
#include "base/path.h"
#include "base/proc.h"
#include "base/str.h"
#include "stage1/seccomp/text.h"

#define CACHE_FILE_MAX (1u << 20)
#define WORKER_TIMEOUT_MS 30000
/* BPF_MAXINSNS of the kernel. */
#define INSNS_MAX 4096

static const char magic[8] = "gantrys1";

struct header {
	char magic[8];
	uint32_t text_len, n_insns;
};

void seccomp_program_done(struct seccomp_program *p)
{
	p->fd = fd_close(p->fd);
	free(p->bytes);
	p->bytes = NULL;
	p->len = 0;
}

/* FNV-1a: a name, not a proof; the text in the file is what counts. */
static uint64_t short_hash(const char *text)
{
	uint64_t h = 0xcbf29ce484222325ULL;

	for (; *text; text++)
		h = (h ^ (unsigned char) *text) * 0x100000001b3ULL;
	return h;
}

static bool is_hit(const char *data, size_t len, const char *text, struct header *h)
{
	if (len < sizeof *h)
		return false;
	memcpy(h, data, sizeof *h);
	return !memcmp(h->magic, magic, sizeof magic) && h->text_len == strlen(text) && h->n_insns &&
	       h->n_insns <= INSNS_MAX &&
	       len == sizeof *h + h->text_len + h->n_insns * sizeof(struct sock_filter) &&
	       !memcmp(data + sizeof *h, text, h->text_len);
}

/* Whether the program was there. A cache of another owner or mode is not believed. */
static bool look_up(const char *dir, const char *file, const char *text, struct seccomp_program *ret)
{
	_cleanup_free_ char *path = path_join(dir, file), *data = NULL;
	_cleanup_fd_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct header h;
	struct stat st;
	size_t len;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_uid != geteuid() || st.st_mode & 022)
		return false;
	if (read_all(fd, CACHE_FILE_MAX, &data, &len) < 0 || !is_hit(data, len, text, &h))
		return false;
	ret->len = h.n_insns * sizeof(struct sock_filter);
	ret->bytes = xmemdup(data + len - ret->len, ret->len);
	if (lseek(fd, (off_t) (len - ret->len), SEEK_SET) < 0)
		return false;
	ret->fd = take_fd(fd);
	return true;
}

static int compile(const char *worker, const char *text, struct seccomp_program *ret, struct err *e)
{
	char *argv[] = {(char *) "seccomp", NULL};
	struct spawn sp = SPAWN_INIT;
	struct proc_io io = {.input = text, .input_len = strlen(text), .out_limit = INSNS_MAX * sizeof(struct sock_filter),
			     .err_limit = 4096, .timeout_ms = WORKER_TIMEOUT_MS};
	int r;

	sp.path = worker;
	sp.argv = argv;
	r = proc_run(&sp, &io, e);
	if (r == 0 && io.out_len && io.out_len % sizeof(struct sock_filter) == 0) {
		ret->bytes = take_ptr(io.out);
		ret->len = io.out_len;
	} else if (r >= 0) {
		_cleanup_free_ char *how = proc_describe(r);

		io.err[strcspn(io.err, "\n")] = '\0';
		r = io.err_len ? err_set(e, EINVAL, "%s", io.err) : err_set(e, EIO, "the seccomp compiler %s", how);
	}
	free(io.out);
	free(io.err);
	return r;
}

static void keep(const char *dir, const char *file, const char *text, const struct seccomp_program *p)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	_cleanup_err_ struct err e = ERR_INIT;
	_cleanup_free_ char *path = path_join(dir, file);
	struct header h = {.text_len = (uint32_t) strlen(text), .n_insns = (uint32_t) (p->len / sizeof(struct sock_filter))};

	memcpy(h.magic, magic, sizeof magic);
	strbuf_add(&sb, &h, sizeof h);
	strbuf_adds(&sb, text);
	strbuf_add(&sb, p->bytes, p->len);
	if ((mkdir(dir, 0700) < 0 && errno != EEXIST) ||
	    file_write_at(AT_FDCWD, path, sb.buf, sb.len, 0600, FILE_FAST, &e) < 0)
		log_debug("seccomp cache: %s", e.msg ? e.msg : strerror(errno));
}

int seccomp_program(const struct isolator_list *isolators, uint64_t bounding, const char *cache_dir,
		    const char *worker, struct seccomp_program *ret, struct err *e)
{
	_cleanup_free_ char *text = NULL;
	struct seccomp_program p = SECCOMP_PROGRAM_INIT;
	char file[24];
	int r = seccomp_text_make(isolators, bounding, &text, e);

	*ret = p;
	if (r < 0 || !text)
		return r;
	(void) snprintf(file, sizeof file, "%016llx", (unsigned long long) short_hash(text));
	if (look_up(cache_dir, file, text, ret))
		return 0;
	seccomp_program_done(ret);
	r = compile(worker, text, &p, e);
	if (r < 0)
		return r;
	p.fd = fd_sealed("seccomp", p.bytes, p.len, e);
	if (p.fd < 0) {
		r = p.fd;
		seccomp_program_done(&p);
		return r;
	}
	keep(cache_dir, file, text, &p);
	*ret = p;
	return 0;
}
