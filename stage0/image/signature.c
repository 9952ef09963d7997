#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/str.h"
#include "stage0/image/internal.h"
#include "stage0/worker/arriving.h"

void signature_done(struct signature *sig)
{
	free(sig->data);
	*sig = (struct signature) {0};
}

int signature_read(const char *path, struct signature *ret, struct err *e)
{
	int r = file_read_at(AT_FDCWD, path, SIGNATURE_MAX, &ret->data, &ret->len, e);

	if (r == -EFBIG)
		return err_set(e, EFBIG, "signature file %s is larger than %u bytes", q(path),
			       SIGNATURE_MAX);
	return r < 0 ? err_ctx(e, r, "error opening signature file %s", q(path)) : 0;
}

/* "FINGERPRINT LENGTH\n" and the bytes, for each. */
static int frame_keys(const struct trust_keys *keys, struct err *e)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;

	for (size_t i = 0; i < keys->n; i++) {
		strbuf_addf(&sb, "%s %zu\n", keys->v[i].fpr, keys->v[i].len);
		strbuf_add(&sb, keys->v[i].data, keys->v[i].len);
	}
	return fd_sealed("keys", sb.buf, sb.len, e);
}

int signature_start_check(const struct gantry *g, const struct signature *sig,
			  const char *image_name, int blob, int progress, struct worker *ret,
			  struct err *e)
{
	_cleanup_trust_keys_ struct trust_keys keys = {0};
	_cleanup_fd_ int sig_fd = -EBADF, keys_fd = -EBADF;
	char *words[] = {"image", NULL};
	int r = trust_keys_for(g, image_name, &keys, e);

	if (r < 0)
		return r;
	if (!keys.n)
		return err_set(e, ENOKEY,
			       "openpgp: signature made by unknown entity "
			       "(no key is trusted for %s; see gantry trust)",
			       q(image_name));
	sig_fd = fd_sealed("sig", sig->data, sig->len, e);
	keys_fd = sig_fd < 0 ? sig_fd : frame_keys(&keys, e);
	if (keys_fd < 0)
		return keys_fd;

	const struct fd_name fds[] = {
		{"blob", blob}, {"progress", progress}, {"sig", sig_fd}, {"keys", keys_fd}};

	return worker_start(g, "verify", words, fds, ELEMENTSOF(fds), ret, e);
}

int signature_finish_check(struct worker *w, int timeout_ms, char **ret_signer, struct err *e)
{
	_cleanup_record_ struct record rec = RECORD_INIT;
	int r = worker_finish(w, timeout_ms, &rec, e);
	const char *signer;

	if (r < 0)
		return r;
	signer = record_get(&rec, "signer");
	if (!signer || !trust_is_fingerprint(signer))
		return err_set(e, EPROTO, "openpgp: nobody signed the image");
	*ret_signer = xstrdup(signer);
	return 0;
}

int signature_start_issuer_check(const struct gantry *g, const struct signature *sig,
				 const char *image_name, struct worker *ret, struct err *e)
{
	_cleanup_fd_ int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC), progress = -EBADF;
	uint64_t message = ARRIVING_WHOLE;
	int fds[2], r;

	if (nothing < 0)
		return err_sys(e, "open /dev/null");
	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(e, "pipe");
	progress = fds[0];
	r = write_all(fds[1], &message, sizeof message);
	(void) fd_close(fds[1]);
	if (r < 0)
		return err_sysr(e, r, "pipe");
	return signature_start_check(g, sig, image_name, nothing, progress, ret, e);
}

int signature_finish_issuer_check(struct worker *w, struct err *e)
{
	_cleanup_free_ char *signer = NULL;
	_cleanup_err_ struct err why = ERR_INIT;

	return signature_finish_check(w, WORKER_END_MS, &signer, &why) == -ENOKEY ?
		       err_move(e, &why) :
		       0;
}
