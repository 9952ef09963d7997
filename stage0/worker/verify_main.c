/*
 * libexec/gantry/verify: (signature, image as it arrives, trusted keys) -> who signed.
 *
 *	verify image    descriptors blob, progress (see arriving.h), sig, keys
 *			answer: signer=FINGERPRINT, once for each signature
 *	verify key      descriptors keys: a key file
 *			answer: fpr=, key= (armored), name= (once for each user id)
 *	verify message	descriptors sig: a signed message, keys, out
 *			answer: signer=FINGERPRINT, once for each signature; what was signed goes to `out`
 *
 * `keys` of the first form: for each key a line "FINGERPRINT LENGTH\n" and so many bytes; of the last:
 * for each file, which may hold several keys, "LENGTH\n" and so many bytes.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/parse.h"
#include "base/path.h"
#include "stage0/worker/jail.h"
#include "stage0/worker/openpgp.h"
#include "stage0/worker/worker.h"

#define KEYS_LIMIT (64u << 20)
#define SIG_LIMIT (64u << 10)
#define HOME JAIL_HOME "/gnupg"

/* *home: where the engine's files go. */
static int enter_jail(const char **home, struct err *e)
{
	/* No /etc: neither settings of the host's gpg nor its users are of any interest. */
	static const char *const shared[] = {"/usr", "/bin", "/lib", "/lib32", "/lib64", "/libx32", "/dev/null", NULL};
	const struct jail jail = {
		.uid = JAIL_UID_VERIFY,
		.root = -EBADF,
		.shared = shared,
		.filter = JAIL_FILTER_DENY,
		.memory = 1ull << 30,
		.file_size = 64u << 20,
		.cpu_seconds = 1800,
		.files = 128,
		.processes = 256,
	};
	static char own[] = "/tmp/gantry-verify-XXXXXX";
	int r = jail_enter(&jail, e);

	/* Without root there is no root of our own either. */
	if (r == 0)
		*home = mkdtemp(own);
	if (r == 1 && mkdir(*home = HOME, 0700) < 0)
		return err_sys(e, "mkdir " HOME);
	if (r >= 0 && !*home)
		return err_sys(e, "make a directory for keys");
	return r;
}

struct engine {
	struct openpgp *p;
	const char *home;
	bool jailed;
};

static int start_engine(struct engine *engine, struct err *e)
{
	int r = enter_jail(&engine->home, e);

	if (r < 0)
		return r;
	engine->jailed = r;
	engine->p = openpgp_new(engine->home, e);
	return engine->p ? 0 : -EIO;
}

static void stop_engine(struct engine *engine)
{
	openpgp_free(engine->p);
	/* A private root is gone with us. */
	if (engine->home && !engine->jailed)
		(void) path_remove_tree(AT_FDCWD, engine->home, NULL);
}

/* One framed key. */
static int import_next(struct openpgp *p, const char **at, const char *end, struct err *e)
{
	char want[OPENPGP_FPR_LEN + 1], fpr[OPENPGP_FPR_LEN + 1];
	const char *newline = memchr(*at, '\n', (size_t) (end - *at));
	_cleanup_free_ char *digits = NULL;
	uint64_t len;
	int r;

	if (!newline || newline - *at < OPENPGP_FPR_LEN + 2)
		return err_set(e, EPROTO, "malformed list of keys");
	memcpy(want, *at, OPENPGP_FPR_LEN);
	want[OPENPGP_FPR_LEN] = '\0';
	digits = xstrndup(*at + OPENPGP_FPR_LEN + 1, (size_t) (newline - *at) - OPENPGP_FPR_LEN - 1);
	if (parse_u64(digits, (uint64_t) (end - newline) - 1, &len) < 0)
		return err_set(e, EPROTO, "malformed list of keys");
	r = openpgp_import(p, newline + 1, (size_t) len, fpr, NULL, NULL, e);
	if (r == 0 && strcmp(fpr, want))
		r = err_set(e, EINVAL, "its name is not its fingerprint %s", fpr);
	if (r < 0)
		return err_ctx(e, r, "trusted key %s", want);
	*at = newline + 1 + len;
	return 0;
}

static int import_all(struct openpgp *p, int fd, struct err *e)
{
	_cleanup_free_ char *data = NULL;
	size_t len;
	int r = read_all(fd, KEYS_LIMIT, &data, &len);
	const char *at = data;

	if (r < 0)
		return err_sysr(e, r, "read keys");
	while (r == 0 && at < data + len)
		r = import_next(p, &at, data + len, e);
	return r;
}

static int import_rings(struct openpgp *p, int fd, struct err *e)
{
	_cleanup_free_ char *data = NULL;
	size_t len, at = 0;
	int r = read_all(fd, KEYS_LIMIT, &data, &len);

	if (r < 0)
		return err_sysr(e, r, "read keys");
	while (r == 0 && at < len) {
		const char *newline = memchr(data + at, '\n', len - at);
		_cleanup_free_ char *digits = newline ? xstrndup(data + at, (size_t) (newline - data) - at) : NULL;
		uint64_t n;

		if (!digits || parse_u64(digits, len - (size_t) (newline - data) - 1, &n) < 0)
			return err_set(e, EPROTO, "malformed list of keys");
		r = openpgp_import_ring(p, newline + 1, (size_t) n, e);
		at = (size_t) (newline - data) + 1 + (size_t) n;
	}
	return r;
}

static int verify_message(struct strbuf *result, struct err *e)
{
	_cleanup_fd_ int sig_fd = fds_take("sig"), keys = fds_take("keys"), out = fds_take("out");
	_cleanup_free_ char *sig = NULL, *text = NULL;
	_cleanup_strv_ char **signers = NULL;
	struct engine engine = {0};
	size_t len, text_len = 0;
	int r;

	if (sig_fd < 0 || keys < 0 || out < 0)
		return err_set(e, EBADF, "a descriptor is missing");
	r = read_all(sig_fd, SIG_LIMIT, &sig, &len);
	if (r < 0)
		return err_sysr(e, r, "read signature");
	r = start_engine(&engine, e);
	if (r == 0)
		r = import_rings(engine.p, keys, e);
	if (r == 0)
		r = openpgp_verify_message(engine.p, sig, len, SIG_LIMIT, &signers, &text, &text_len, e);
	stop_engine(&engine);
	if (r == 0) {
		r = write_all(out, text, text_len);
		r = r < 0 ? err_sysr(e, r, "hand over what was signed") : 0;
	}
	for (size_t i = 0; r == 0 && i < strv_len(signers); i++)
		record_add(result, "signer", signers[i]);
	return r;
}

static int verify_image(struct strbuf *result, struct err *e)
{
	struct arriving image = {.file = fds_take("blob"), .progress = fds_take("progress")};
	_cleanup_fd_ int sig_fd = fds_take("sig"), keys = fds_take("keys");
	_cleanup_strv_ char **signers = NULL;
	_cleanup_free_ char *sig = NULL;
	struct engine engine = {0};
	size_t len;
	int r;

	if (image.file < 0 || image.progress < 0 || sig_fd < 0 || keys < 0)
		return err_set(e, EBADF, "a descriptor is missing");
	r = read_all(sig_fd, SIG_LIMIT, &sig, &len);
	if (r < 0)
		return err_sysr(e, r, "read signature");
	r = start_engine(&engine, e);
	if (r == 0)
		r = import_all(engine.p, keys, e);
	if (r == 0)
		r = openpgp_verify(engine.p, sig, len, &image, &signers, e);
	stop_engine(&engine);
	for (size_t i = 0; r == 0 && i < strv_len(signers); i++)
		record_add(result, "signer", signers[i]);
	return r;
}

static int show_key(struct strbuf *result, struct err *e)
{
	_cleanup_fd_ int fd = fds_take("keys");
	_cleanup_free_ char *data = NULL, *armor = NULL;
	_cleanup_strv_ char **names = NULL;
	char fpr[OPENPGP_FPR_LEN + 1];
	struct engine engine = {0};
	size_t len;
	int r = fd < 0 ? -EBADF : read_all(fd, KEYS_LIMIT, &data, &len);

	if (r < 0)
		return err_sysr(e, r, "read key");
	r = start_engine(&engine, e);
	if (r == 0)
		r = openpgp_import(engine.p, data, len, fpr, &armor, &names, e);
	stop_engine(&engine);
	if (r < 0)
		return r;
	record_add(result, "fpr", fpr);
	record_add(result, "key", armor);
	for (size_t i = 0; i < strv_len(names); i++)
		record_add(result, "name", names[i]);
	return 0;
}

static int run(int argc, char **argv, struct strbuf *result, struct err *e)
{
	if (argc == 2 && !strcmp(argv[1], "image"))
		return verify_image(result, e);
	if (argc == 2 && !strcmp(argv[1], "key"))
		return show_key(result, e);
	if (argc == 2 && !strcmp(argv[1], "message"))
		return verify_message(result, e);
	return err_set(e, EINVAL, "unknown word");
}

int main(int argc, char **argv)
{
	return worker_main("verify", argc, argv, run);
}
