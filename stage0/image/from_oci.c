/*
 * An OCI image to an image in the store: its documents, the policy, its layers, and then, by one rename,
 * its name.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/file.h"
#include "base/log.h"
#include "base/str.h"
#include "spec/image_manifest.h"
#include "contract/layout.h"
#include "stage0/image/internal.h"
#include "stage0/oci/convert.h"
#include "stage0/oci/image.h"
#include "stage0/oci/layers.h"
#include "stage0/oci/pull.h"
#include "stage0/oci/registry.h"
#include "stage0/oci/trust.h"
#include "stage0/store/layer.h"

struct oci_fetch {
	const struct request *rq;
	struct oci_ref ref;
	struct oci_naming name;
	char *key; /* under which the answer is remembered */
	unsigned waived;
	struct oci_pull pull;
	struct evidence evidence;
};

static void done(struct oci_fetch *f)
{
	oci_ref_done(&f->ref);
	oci_naming_done(&f->name);
	oci_pull_done(&f->pull);
	free(f->key);
	evidence_done(&f->evidence);
}

static int begin(struct oci_fetch *f, struct err *e)
{
	_cleanup_free_ char *printed = NULL;
	int r = registry_ref_parse(f->rq->g, f->rq->location, &f->ref, e);

	if (r < 0)
		return r;
	oci_naming_of(&f->ref, &f->name);
	printed = oci_ref_print(&f->ref);
	f->key = xasprintf("docker://%s", printed);
	f->waived = f->rq->g->insecure & (INSECURE_HTTP | INSECURE_TLS);
	return 0;
}

/* --- what is there --- */

/*
 * A stored image may stand for the reference only if the rules of today let it in as it was let in then,
 * and if it did not come over a way that this command would not have taken.
 */
static bool may_reuse(const struct oci_fetch *f, const struct remote *known)
{
	_cleanup_err_ struct err why = ERR_INIT;
	struct store_info info = {0};
	bool ok = store_info(f->rq->store, known->id, &info, NULL) == 0;

	/* A signature is for a name: that of another reference to the same image is none of this one. */
	if (ok)
		ok = oci_policy_recheck(f->rq->g, &f->ref, known->waived & INSECURE_IMAGE ? NULL : info.signer,
					&why) == 0;
	if (ok && !info.signer)
		ok = !(known->waived & ~(f->waived | INSECURE_IMAGE));
	if (why.msg)
		log_debug("image: %s", err_text(&why));
	store_info_done(&info);
	return ok;
}

/* 0 with the id, or -ENOENT. */
static int look_up(const struct oci_fetch *f, const char *key, char **ret_id)
{
	struct remote known = {0};
	bool found = remote_get(f->rq->store, key, &known) == 0 && may_reuse(f, &known);

	if (found)
		*ret_id = xstrdup(known.id);
	remote_done(&known);
	return found ? 0 : -ENOENT;
}

/* It may be there, and not be let in. */
static int not_in_store(const struct oci_fetch *f, struct err *e)
{
	struct remote known = {0};
	int r = 0;

	if (remote_get(f->rq->store, f->key, &known) == 0)
		r = oci_policy_recheck(f->rq->g, &f->ref, NULL, e);
	remote_done(&known);
	return r < 0 ? r
		     : err_set(e, ENOENT, "unable to fetch image from %s: it is not in the store",
			       q(f->rq->location));
}

int image_oci_in_store(const struct request *rq, char **ret_id, struct err *e)
{
	struct oci_fetch f = {.rq = rq};
	int r = begin(&f, e);

	/* A digest means the same for ever; of a tag, and of files, the answer may have changed. */
	if (r == 0 && (f.ref.transport != OCI_REGISTRY || (rq->policy == PULL_UPDATE && !f.ref.digest)))
		r = 1;
	if (r == 0 && look_up(&f, f.key, ret_id) < 0)
		r = 1;
	if (r == 0)
		log_debug("image: using image from local store for %s", rq->location);
	if (r == 1 && rq->policy == PULL_NEVER && f.ref.transport == OCI_REGISTRY)
		r = not_in_store(&f, e);
	done(&f);
	return r;
}

static void remember(const struct oci_fetch *f, const char *key, const char *id)
{
	const struct download_head head = {0};

	if (f->ref.transport == OCI_REGISTRY)
		remote_put(f->rq->store, key, id, &head, f->waived | (f->evidence.signer ? 0 : INSECURE_IMAGE), NULL);
}

/* --- into the store --- */

/* What the image is fetched as, with all that was left out. */
static char *reference_of(const struct oci_fetch *f)
{
	return xstrdup(f->ref.transport == OCI_REGISTRY ? f->key : f->ref.text);
}


static char *convert(const struct oci_fetch *f, struct err *e)
{
	const struct conversion in = {
		.config = f->pull.config,
		.name = &f->name,
		.config_digest = f->pull.config_document.digest,
		.manifest_digest = oci_pull_document(&f->pull)->digest,
	};

	return oci_convert(&in, e);
}

static int write_document(int dir, const char *name, const struct oci_document *d, struct err *e)
{
	return file_write_at(dir, name, d->data, d->len, 0640, FILE_FAST, e);
}

static int write_layers(const struct oci_fetch *f, int dir, int64_t *ret_size, struct err *e)
{
	_cleanup_store_layers_ struct store_layers l = {0};
	_cleanup_free_ char *text = NULL;
	int r = layers_of_manifest(f->pull.manifest, f->pull.config->diff_ids, &l, e);

	if (r < 0)
		return r;
	text = store_layers_print(&l);
	*ret_size = store_layers_size(&l);
	return file_write_at(dir, IMAGE_LAYERS, text, strlen(text), 0640, FILE_FAST, e);
}

static int write_signatures(const struct oci_fetch *f, int dir, struct err *e)
{
	_cleanup_free_ char *text = NULL;
	int r;

	if (!f->evidence.n)
		return 0;
	r = evidence_print(&f->evidence, &text, e);
	return r < 0 ? r : file_write_at(dir, IMAGE_SIGNATURES, text, strlen(text), 0640, FILE_FAST, e);
}

static void fill_info(const struct oci_fetch *f, struct store_info *info)
{
	struct timespec now;

	(void) clock_gettime(CLOCK_REALTIME, &now);
	info->import_time_ns = (int64_t) now.tv_sec * 1000000000 + now.tv_nsec;
	memcpy(info->id, oci_pull_document(&f->pull)->id, IMAGE_ID_LEN + 1);
	info->name = xstrdup(f->name.identifier);
	info->version = xstrdup_null(f->name.tag);
	info->signer = xstrdup_null(f->evidence.signer);
	info->source = reference_of(f);
}

static int fill_image(const struct oci_fetch *f, struct source *s, int dir, struct store_info *info, struct err *e)
{
	_cleanup_free_ char *manifest = convert(f, e);
	int r;

	/* Before the layers: who cannot be run need not be fetched. */
	if (!manifest)
		return -EINVAL;
	/* First of all, so that gc leaves alone what of the layers is there. */
	r = write_layers(f, dir, &info->blob_size, e);
	if (r == 0)
		r = write_signatures(f, dir, e);
	if (r == 0)
		r = layers_fetch(f->rq->g, f->rq->store, s, f->pull.manifest, f->pull.config->diff_ids, e);
	if (r == 0)
		r = write_document(dir, IMAGE_OCI_MANIFEST, oci_pull_document(&f->pull), e);
	if (r == 0)
		r = write_document(dir, IMAGE_OCI_CONFIG, &f->pull.config_document, e);
	if (r == 0)
		r = file_write_at(dir, "manifest", manifest, strlen(manifest), 0640, FILE_FAST, e);
	return r;
}

static int renew_file(const struct oci_fetch *f, const char *id, int dir, const char *name, size_t limit, struct err *e)
{
	_cleanup_free_ char *path = xasprintf(DATA_CAS_IMAGE "/%s/%s", id, name), *ours = NULL, *there = NULL;
	size_t our_len, len;
	int r = file_read_at(dir, name, limit, &ours, &our_len, e);

	if (r < 0)
		return r;
	if (file_read_at(f->rq->store, path, limit, &there, &len, NULL) == 0 && len == our_len &&
	    !memcmp(ours, there, len))
		return 0;
	return file_write_at(f->rq->store, path, ours, our_len, 0640, FILE_DURABLE, e);
}

/*
 * An image that was there under another name has this one now: its manifest says the same as the list. So do
 * the signatures and the list's signer; those of before stay when this time nobody asked.
 */
static int renew_stored(const struct oci_fetch *f, const struct store_info *info, int dir, struct err *e)
{
	int r = renew_file(f, info->id, dir, "manifest", JSON_MANIFEST_MAX, e);

	if (r == 0 && f->evidence.n)
		r = renew_file(f, info->id, dir, IMAGE_SIGNATURES, EVIDENCE_MAX, e);
	return r;
}

static int import(const struct oci_fetch *f, struct source *s, struct err *e)
{
	struct store_tmp tmp = STORE_TMP_INIT;
	struct store_info info = {0};
	_cleanup_fd_ int dir = -EBADF;
	int r = store_tmp_new(f->rq->store, &tmp, e);

	if (r < 0)
		return r;
	fill_info(f, &info);
	if (mkdirat(tmp.dir, "image", 0700) < 0)
		r = err_sys(e, "mkdir image");
	if (r == 0) {
		dir = openat(tmp.dir, "image", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		r = dir < 0 ? err_sys(e, "open image") : fill_image(f, s, dir, &info, e);
	}
	if (r == 0)
		r = store_publish(f->rq->store, &tmp, &info, e);
	if (r == 0)
		r = renew_stored(f, &info, dir, e);
	store_tmp_done(f->rq->store, &tmp);
	store_info_done(&info);
	return r;
}

/* --- the whole --- */

/* Of a signed index: what leads from it to the manifest, which is what the store has. */
static void note_indexes(struct oci_fetch *f, const char *manifest_digest)
{
	struct evidence *ev = &f->evidence;
	const struct oci_pull *p = &f->pull;
	bool index = false;

	for (size_t i = 0; i < ev->n; i++)
		index = index || strcmp(ev->v[i].digest, manifest_digest);
	if (!index)
		return;
	evidence_add_index(ev, p->top.data, p->top.len);
	for (size_t i = 0; i < p->n_between; i++)
		evidence_add_index(ev, p->between[i].data, p->between[i].len);
}

static int check_policy(struct oci_fetch *f, struct source *s, struct err *e)
{
	const char *manifest_digest = oci_pull_document(&f->pull)->digest;
	int r = oci_policy_check(f->rq->g, s, &f->ref, f->pull.top.digest, manifest_digest, &f->evidence, e);

	if (r < 0)
		return r;
	f->evidence.reference = reference_of(f);
	f->evidence.path = xstrdup_null(s->path);
	note_indexes(f, manifest_digest);
	return 0;
}

/* Who names no image of an archive learns what it is called. */
static void take_name(struct oci_fetch *f, const struct source *s)
{
	struct oci_ref named = f->ref;

	if ((f->ref.tag && !oci_ref_is_numbered(&f->ref)) || !s->named || f->ref.transport == OCI_REGISTRY)
		return;
	named.tag = s->named;
	oci_naming_done(&f->name);
	oci_naming_of(&named, &f->name);
}

/*
 * What an image that is there is called counts for more than what a path or a digest says: the former takes no
 * name of a registry away from it, the latter no tag.
 */
static void keep_name(struct oci_fetch *f)
{
	_cleanup_image_manifest_ struct image_manifest *m = NULL;
	_cleanup_free_ char *text = NULL;
	const char *registry, *tag;
	size_t len;

	if (store_manifest(f->rq->store, oci_pull_document(&f->pull)->id, &text, &len, NULL) < 0)
		return;
	m = image_manifest_parse(text, len, NULL);
	if (!m)
		return;
	registry = nameval_get(&m->annotations, "appc.io/docker/registryurl");
	tag = nameval_get(&m->labels, "version");
	if (!f->name.registry && registry) {
		oci_naming_done(&f->name);
		f->name = (struct oci_naming) {
			.registry = xstrdup(registry),
			.repository = xstrdup_null(nameval_get(&m->annotations, "appc.io/docker/repository")),
			.tag = xstrdup_null(tag),
			.identifier = xstrdup(m->name),
			.original = xstrdup_null(nameval_get(&m->annotations, "appc.io/docker/originalname")),
		};
	} else if (!f->name.tag && str_eq(m->name, f->name.identifier)) {
		f->name.tag = xstrdup_null(tag);
	}
}

static bool is_called_so(const struct oci_fetch *f, const char *id)
{
	struct store_info info = {0};
	bool so = store_info(f->rq->store, id, &info, NULL) == 0 && str_eq(info.name, f->name.identifier) &&
		  (!f->name.tag || str_eq(info.version, f->name.tag));

	store_info_done(&info);
	return so;
}

/* Another tag of an image that is there: all that it consists of is there too. */
static int name_anew(struct oci_fetch *f, const char *id, struct err *e)
{
	const struct oci_ref only = {.transport = OCI_LAYOUT};
	_cleanup_source_ struct source *s = NULL;
	int r = source_open_store(f->rq->g, f->rq->store, id, &s, e);

	oci_pull_done(&f->pull);
	if (r == 0)
		r = oci_pull_top(s, &only, &f->pull, e);
	if (r == 0)
		r = oci_pull_manifest(s, &f->pull, e);
	if (r == 0)
		r = oci_pull_config(s, &f->pull, e);
	if (r == 0)
		r = oci_pull_check_platform(s, &f->pull, e);
	return r < 0 ? r : import(f, s, e);
}

/*
 * Whether the digest that came is one that is known: of this very reference, or of the repository where
 * the rules ask for no signature, which would have to be for this tag.
 */
static bool is_still(struct oci_fetch *f, const char *pinned, char **ret_id)
{
	_cleanup_free_ char *id = NULL, *before = NULL;
	bool same;

	if (look_up(f, pinned, &id) < 0)
		return false;
	same = look_up(f, f->key, &before) == 0 && !strcmp(before, id);
	if (!same && oci_policy_recheck(f->rq->g, &f->ref, NULL, NULL) < 0)
		return false;
	if (!same)
		remember(f, f->key, id);
	*ret_id = take_ptr(id);
	return true;
}

static int fetch(struct oci_fetch *f, struct source *s, char **ret_id, struct err *e)
{
	_cleanup_free_ char *pinned = NULL;
	int r = oci_pull_top(s, &f->ref, &f->pull, e);

	if (r < 0)
		return r;
	take_name(f, s);
	/* The same answer as before: what hangs on it is here. */
	pinned = xasprintf("docker://%s/%s@%s", f->name.registry, f->name.repository, f->pull.top.digest);
	if (f->ref.transport == OCI_REGISTRY && is_still(f, pinned, ret_id)) {
		log_debug("image: %s is still %s", f->key, f->pull.top.digest);
		return is_called_so(f, *ret_id) ? 0 : name_anew(f, *ret_id, e);
	}
	r = oci_pull_manifest(s, &f->pull, e);
	if (r == 0)
		r = check_policy(f, s, e);
	if (r == 0)
		r = oci_pull_config(s, &f->pull, e);
	if (r == 0)
		r = oci_pull_check_platform(s, &f->pull, e);
	if (r == 0) {
		keep_name(f);
		r = import(f, s, e);
	}
	if (r < 0)
		return r;
	*ret_id = xstrdup(oci_pull_document(&f->pull)->id);
	remember(f, f->key, *ret_id);
	remember(f, pinned, *ret_id);
	return 0;
}

int image_from_oci(const struct request *rq, char **ret_id, struct err *e)
{
	_cleanup_source_ struct source *s = NULL;
	struct oci_fetch f = {.rq = rq};
	int r;

	if (rq->signature_file)
		return err_set(e, EINVAL,
			       "--signature is for ACIs: signatures of OCI images are a matter of " POLICY_FILE);
	r = image_oci_in_store(rq, ret_id, e);
	if (r <= 0)
		return r;
	r = begin(&f, e);
	if (r == 0) {
		log_debug("image: remote fetching from %s", q(rq->location));
		r = source_open(rq->g, rq->store, &f.ref, &s, e);
	}
	if (r == 0)
		r = fetch(&f, s, ret_id, e);
	done(&f);
	return r;
}
