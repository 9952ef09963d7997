#include "stage0/build/build.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/parse.h"
#include "base/path.h"
#include "base/str.h"
#include "stage0/build/image_check.h"
#include "stage0/build/packer.h"
#include "stage0/build/result.h"
#include "stage0/cli/input.h"

/* The first thing that is wrong; validate tells all. */
static int refuse_findings(const struct check_result *c, const char *source, struct err *e)
{
	size_t n = strv_len(c->findings);

	if (!n)
		return 0;
	return n == 1 ? err_set(e, EINVAL, "%s: %s", source, c->findings[0])
		      : err_set(e, EINVAL, "%s: %s (and %zu more, see validate)", source,
				c->findings[0], n - 1);
}

/* --- sources --- */

static int open_layout(const struct build_request *rq, const char *source, struct packer *p,
		       struct check_result *c, struct err *e)
{
	_cleanup_fd_ int dir = open(source, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st = {0};
	int r;

	if (dir < 0 && errno == ENOTDIR)
		return err_set(e, ENOTDIR, "%s is no directory (an image is changed with --patch)",
			       q(source));
	if (dir < 0)
		return err_sys(e, "open %s", q(source));
	r = check_layout_names(dir, !rq->manifest, c, e);
	if (r == 0)
		r = refuse_findings(c, source, e);
	if (r == 0 && !rq->manifest)
		r = file_read_at(dir, "manifest", JSON_MANIFEST_MAX, &c->manifest, &c->manifest_len,
				 e);
	if (r < 0)
		return r;
	if (!rq->manifest && fstatat(dir, "manifest", &st, AT_SYMLINK_NOFOLLOW) == 0)
		p->manifest_mtime = st.st_mtim.tv_sec;
	p->tree = openat(dir, "rootfs", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return p->tree < 0 ? err_sys(e, "open %s/rootfs", source) : 0;
}

static int open_image(const struct gantry *g, const char *source, struct packer *p,
		      struct check_result *c, struct err *e)
{
	struct stat st;
	int r;

	p->patch = true;
	p->blob = open(source, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (p->blob < 0 || fstat(p->blob, &st) < 0)
		return err_sys(e, "open %s", q(source));
	if (!S_ISREG(st.st_mode))
		return err_set(e, EINVAL, "%s is no regular file", q(source));
	r = check_image(g, p->blob, c, e);
	if (r < 0)
		return err_ctx(e, r, "%s", source);
	r = refuse_findings(c, source, e);
	/* Another descriptor of the same file has its offset where the check left it. */
	if (r == 0 && lseek(p->blob, 0, SEEK_SET) < 0)
		r = err_sys(e, "%s", source);
	return r;
}

/* What is put in is what was there or what --manifest says, with the options over it, and valid. */
static int make_manifest(const struct build_request *rq, struct check_result *c, struct packer *p,
			 struct err *e)
{
	struct check_result own = {0};
	struct stat st;
	int r = 0;

	if (rq->manifest) {
		free(c->manifest);
		c->manifest = NULL;
		r = input_read(rq->manifest, JSON_MANIFEST_MAX, &c->manifest, &c->manifest_len, e);
		if (r == 0 && stat(rq->manifest, &st) == 0)
			p->manifest_mtime = st.st_mtim.tv_sec;
	}
	if (r < 0)
		return r;
	check_manifest(c->manifest, c->manifest_len, true, &own);
	if (own.findings)
		r = refuse_findings(&own, rq->manifest ? rq->manifest : "manifest", e);
	check_result_done(&own);
	if (r == 0)
		r = patch_manifest(&rq->patch, &c->manifest, &c->manifest_len, e);
	p->manifest = c->manifest;
	p->manifest_len = c->manifest_len;
	return r;
}

/* --- the whole --- */

static int parse_mtime(const struct build_request *rq, struct packer *p, struct err *e)
{
	if (!rq->mtime)
		return 0;
	if (rq->from_image)
		return err_set(e, EINVAL, "--mtime: an image keeps its times");
	if (parse_i64(rq->mtime, 0, INT64_MAX / 2, &p->mtime) < 0)
		return err_set(e, EINVAL, "--mtime: %s is no number of seconds", q(rq->mtime));
	p->fixed_time = true;
	return 0;
}

int build_image(const struct gantry *g, const struct build_request *rq, const char *source,
		const char *out, char **ret_id, struct err *e)
{
	_cleanup_check_result_ struct check_result c = {0};
	struct packer p = {.g = g,
			   .tree = -EBADF,
			   .blob = -EBADF,
			   .owner_root = rq->owner_root,
			   .gzip = !rq->no_compression};
	_cleanup_result_ struct result_file res = RESULT_FILE_INIT;
	int r = parse_mtime(rq, &p, e);

	if (r == 0 && !str_ends(out, ".aci"))
		r = err_set(e, EINVAL, "%s: the name of an image ends in .aci", q(out));
	if (r == 0 && rq->from_image && rq->owner_root)
		r = err_set(e, EINVAL, "--owner-root: an image keeps its owners");
	if (r == 0)
		r = rq->from_image ? open_image(g, source, &p, &c, e)
				   : open_layout(rq, source, &p, &c, e);
	if (r == 0)
		r = make_manifest(rq, &c, &p, e);
	if (r == 0)
		r = result_open(&res, out, rq->overwrite, e);
	p.out = res.fd;
	if (r == 0) {
		r = packer_run(&p, ret_id, e);
		if (r < 0)
			err_ctx(e, r, "%s", source);
	}
	if (r == 0)
		r = result_publish(&res, rq->overwrite, e);
	(void) fd_close(p.tree);
	(void) fd_close(p.blob);
	return r;
}
