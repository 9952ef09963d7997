#include "stage0/build/packer.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/fd.h"
#include "base/str.h"
#include "spec/image_id.h"
#include "stage0/context.h"
#include "stage0/worker/worker.h"

#define PACK_MS (6 * 3600 * 1000)

static char **words_of(const struct packer *p)
{
	char **words = NULL;

	strv_add(&words, p->patch ? "patch" : "tree");
	if (p->owner_root)
		strv_add(&words, "owner-root");
	if (p->gzip)
		strv_add(&words, "gzip");
	if (p->fixed_time)
		strv_push(&words, xasprintf("mtime=%lld", (long long) p->mtime));
	strv_push(&words, xasprintf("manifest-mtime=%lld", (long long) p->manifest_mtime));
	return words;
}

int packer_run(const struct packer *p, char **ret_id, struct err *e)
{
	_cleanup_record_ struct record rec = RECORD_INIT;
	_cleanup_worker_ struct worker w = WORKER_INIT;
	_cleanup_strv_ char **words = words_of(p);
	_cleanup_fd_ int manifest = fd_sealed("manifest", p->manifest, p->manifest_len, e);
	const char *id;
	int r;

	if (manifest < 0)
		return manifest;
	const struct fd_name fds[] = {{p->patch ? "blob" : "tree", p->patch ? p->blob : p->tree},
				      {"manifest", manifest},
				      {"out", p->out}};

	r = worker_start(p->g, "pack", words, fds, ELEMENTSOF(fds), &w, e);
	if (r == 0)
		r = worker_finish(&w, PACK_MS, &rec, e);
	if (r < 0)
		return r;
	id = record_get(&rec, "id");
	if (!id || image_id_check(id))
		return err_set(e, EPROTO, "image pack gave a malformed answer");
	*ret_id = xstrdup(id);
	return 0;
}

int packer_list(int dir, char ***ret, struct err *e)
{
	_cleanup_dir_ DIR *d = NULL;
	struct dirent *de;
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0)
		d = fdopendir(fd);
	if (!d) {
		(void) fd_close(fd);
		return err_sys(e, "read directory");
	}
	while ((de = readdir(d)))
		if (strcmp(de->d_name, ".") && strcmp(de->d_name, ".."))
			strv_add(ret, de->d_name);
	if (*ret)
		strv_sort(*ret);
	return 0;
}
