#include "stage0/oci/layers.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/str.h"
#include "stage0/context.h"
#include "stage0/image/crew.h"
#include "stage0/image/progress.h"
#include "stage0/oci/layer_import.h"

#define IMAGE_UNPACKED_MAX (64ull << 30) /* of all layers together; each has a limit of its own */
#define AT_ONCE 2 /* each has a worker that wants processors and memory as well */

/* Those that are missing, each once. */
struct fetch {
	const struct gantry *g;
	int store;
	struct source *src;
	const struct oci_manifest *m; /* or NULL */
	const struct store_layers *layers;
	size_t *missing; /* which of them */
	size_t n;
	/* Shared with those who do the work: */
	_Atomic uint64_t *arrived; /* of each of them */
	_Atomic uint64_t *next;	   /* who is free takes this one */
	_Atomic uint64_t *unpacked; /* bytes of files of the layers that are there */
	struct progress bar;
};

int layers_of_manifest(const struct oci_manifest *m, char *const *diff_ids, struct store_layers *ret, struct err *e)
{
	struct store_layers l = {0};
	size_t n = strv_len(diff_ids);
	int r = 0;

	if (n != m->n_layers)
		return err_set(e, EINVAL, "the configuration has %zu diff ids, the manifest %zu layers", n, m->n_layers);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = store_layers_add(&l, m->layers[i].digest, m->layers[i].size, diff_ids[i],
				     m->layers[i].media_type, e);
	if (r < 0)
		store_layers_done(&l);
	else
		*ret = l;
	return r;
}

/* --- what is missing --- */

static bool is_missing(int store, const struct store_layer *l)
{
	unsigned state = store_layer_state(store, l);

	return !(state & LAYER_HAS_BLOB) || (geteuid() == 0 && !(state & LAYER_HAS_TREE));
}

static bool is_again(const struct store_layers *l, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (!strcmp(l->v[j].digest, l->v[i].digest) && !strcmp(l->v[j].diff_id, l->v[i].diff_id))
			return true;
	return false;
}

/* Under the prepare lock: gc has seen the claim (store/layer.h), or is done with what it took. */
static int find_missing(struct fetch *f, struct err *e)
{
	_cleanup_fd_ int use = store_lock_use(f->store, LOCK_SHARED, true, e);

	if (use < 0)
		return use;
	f->missing = xcalloc(f->layers->n + 1, sizeof *f->missing);
	for (size_t i = 0; i < f->layers->n; i++)
		if (!is_again(f->layers, i) && is_missing(f->store, &f->layers->v[i]))
			f->missing[f->n++] = i;
	return 0;
}

/* --- the work --- */

static bool is_remote(const struct fetch *f)
{
	return f->src && str_eq(f->src->ops->transport, "docker");
}

static int work(const struct fetch *f, size_t job, struct err *e)
{
	size_t i = f->missing[job];
	const struct layer_import in = {
		.g = f->g,
		.store = f->store,
		.src = f->src,
		.descriptor = f->m ? &f->m->layers[i] : NULL,
		.layer = &f->layers->v[i],
		.arrived = &f->arrived[job],
		.quiet = f->bar.bar,
		.unpacked = f->src ? f->unpacked : NULL,
		.unpacked_max = IMAGE_UNPACKED_MAX,
	};
	int r = layer_import(&in, e);

	return r < 0 ? err_ctx(e, r, "layer %zu of %zu, %s", i + 1, f->layers->n, in.layer->digest) : 0;
}

/* One process for several of them: the source keeps its connections. */
static int work_on(void *arg, size_t who _unused_, struct strbuf *answer _unused_, struct err *e)
{
	const struct fetch *f = arg;
	int r = 0;

	for (;;) {
		uint64_t job = atomic_fetch_add(f->next, 1);

		if (r < 0 || job >= f->n)
			return r;
		r = work(f, job, e);
	}
}

static uint64_t sum(const struct fetch *f)
{
	uint64_t all = 0;

	for (size_t i = 0; i < f->n; i++)
		all += atomic_load(&f->arrived[i]);
	return all;
}

static void tick(void *arg)
{
	struct fetch *f = arg;

	progress_step(&f->bar, sum(f));
}

/* One bar for all of them. */
static void begin_bar(struct fetch *f)
{
	int64_t total = 0;

	progress_start(&f->bar, f->src->shown, false, true);
	if (!f->bar.bar)
		return;
	for (size_t i = 0; i < f->n; i++)
		total += f->layers->v[f->missing[i]].size;
	progress_begin(&f->bar, 0, total);
}

static bool is_to_come(const struct fetch *f, size_t i)
{
	for (size_t j = 0; j < f->n; j++)
		if (f->missing[j] == i)
			return true;
	return false;
}

/*
 * What is there counts as well: an image that is too large does not get in by being fetched in several tries.
 * What is to come has at least the size of its blob, which can be told before anything comes.
 */
static int count_present(const struct fetch *f, uint64_t *ret, struct err *e)
{
	uint64_t present = 0, all = 0;

	for (size_t i = 0; i < f->layers->n; i++) {
		const struct store_layer *l = &f->layers->v[i];
		uint64_t n = (uint64_t) l->size;

		if (is_again(f->layers, i))
			continue;
		if (!is_to_come(f, i)) {
			n = store_layer_unpacked(f->store, l);
			present += n;
		}
		all += n;
		if (all > IMAGE_UNPACKED_MAX)
			return err_set(e, EFBIG, "the image's layers are larger than the limit of %llu bytes together",
				       IMAGE_UNPACKED_MAX);
	}
	*ret = present;
	return 0;
}

static int fetch_missing(struct fetch *f, uint64_t present, struct err *e)
{
	size_t size = (f->n + 2) * sizeof *f->arrived;
	struct crew c = {
		.arg = f,
		.jobs = f->n < AT_ONCE ? f->n : AT_ONCE,
		.at_once = AT_ONCE,
		.store = f->store,
		.work = work_on,
	};
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int r;

	if (p == MAP_FAILED)
		return err_sys(e, "shared memory");
	f->arrived = p;
	f->next = f->arrived + f->n;
	f->unpacked = f->next + 1;
	atomic_store(f->unpacked, present);
	if (is_remote(f))
		begin_bar(f);
	if (f->bar.bar)
		c.tick = tick;
	/* For a single one no process more; but a bar is painted beside the work. */
	if (f->n == 1 && !f->bar.bar) {
		r = work(f, 0, e);
	} else {
		if (f->src && f->src->ops->rest)
			f->src->ops->rest(f->src);
		r = crew_run(&c, e);
	}
	if (f->bar.bar)
		progress_end(&f->bar, sum(f), r == 0);
	(void) munmap(p, size);
	f->arrived = f->next = f->unpacked = NULL;
	return r;
}

static int fetch(struct fetch *f, struct err *e)
{
	uint64_t present = 0;
	int r = find_missing(f, e);

	/* An image that is in the store was let in. */
	if (r == 0 && f->src)
		r = count_present(f, &present, e);
	if (r == 0 && f->n)
		r = fetch_missing(f, present, e);
	free(f->missing);
	return r;
}

int layers_fetch(const struct gantry *g, int store, struct source *src, const struct oci_manifest *m,
		 char *const *diff_ids, struct err *e)
{
	_cleanup_store_layers_ struct store_layers layers = {0};
	struct fetch f = {.g = g, .store = store, .src = src, .m = m, .layers = &layers};
	int r = layers_of_manifest(m, diff_ids, &layers, e);

	return r < 0 ? r : fetch(&f, e);
}

int layers_make_trees(const struct gantry *g, int store, const char *image_id, struct err *e)
{
	_cleanup_store_layers_ struct store_layers layers = {0};
	struct fetch f = {.g = g, .store = store, .layers = &layers};
	int r = store_layers(store, image_id, &layers, e);

	if (r < 0)
		return r;
	r = fetch(&f, e);
	return r < 0 ? err_ctx(e, r, "image %s", image_id) : 0;
}
