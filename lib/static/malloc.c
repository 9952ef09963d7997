/*
 * malloc(3) for the static programs on the way to a pod: they live for a few milliseconds, in which musl's own would ask
 * the kernel for memory in small pieces and give it back again.
 *
 * Blocks of powers of two, a list of free ones for each; what is larger than the largest is the kernel's.  Memory goes
 * back to it with the process only.  The word before a block says what it is and is checked when it comes back, so that
 * one that is freed twice, or written over from below, ends the process.  For programs with one thread.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define CLASS_MIN 5  /* 32 bytes, of which 16 are the head */
#define CLASS_MAX 17 /* 128 KiB */
#define LARGE 63
#define CHUNK (64u << 10)
#define USED UINT64_C(0x9e3779b97f4a7c15)
#define FREE UINT64_C(0xc2b2ae3d27d4eb4f)

struct head {
	uint64_t mark; /* USED or FREE, its address and its class mixed in */
	uint64_t size; /* of a large one, with the head; else the class */
};

struct list {
	struct head head;
	struct list *next;
};

static struct list *lists[CLASS_MAX + 1];
static char *fresh, *fresh_end; /* never used, so all zero */

static uint64_t mark(const struct head *h, uint64_t what)
{
	return what ^ (uintptr_t) h ^ h->size << 1;
}

static void *map(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

/* The class for so many bytes behind a head; LARGE. */
static unsigned class_of(size_t n)
{
	size_t size = n + sizeof(struct head);

	if (size > (size_t) 1 << CLASS_MAX)
		return LARGE;
	return size <= 1u << CLASS_MIN ? CLASS_MIN : 64 - (unsigned) __builtin_clzll(size - 1);
}

static struct head *take_large(size_t n)
{
	size_t size = (n + sizeof(struct head) + 4095) & ~(size_t) 4095;
	struct head *h = map(size);

	if (h)
		h->size = size;
	return h;
}

static struct head *take_fresh(unsigned class)
{
	size_t size = (size_t) 1 << class;
	struct head *h;

	if ((size_t) (fresh_end - fresh) < size) {
		size_t chunk = size > CHUNK ? size : CHUNK;
		char *p = map(chunk);

		if (!p)
			return NULL;
		fresh = p;
		fresh_end = p + chunk;
	}
	h = (struct head *) fresh;
	fresh += size;
	h->size = class;
	return h;
}

/* *ret_zero: whether it is all zero behind the head. */
static void *take(size_t n, int *ret_zero)
{
	unsigned class = n > PTRDIFF_MAX - 65536 ? LARGE + 1 : class_of(n);
	struct head *h;

	*ret_zero = 1;
	if (class > LARGE) {
		errno = ENOMEM;
		return NULL;
	}
	if (class != LARGE && lists[class]) {
		h = &lists[class]->head;
		if (h->mark != mark(h, FREE))
			abort();
		lists[class] = lists[class]->next;
		*ret_zero = 0;
	} else {
		h = class == LARGE ? take_large(n) : take_fresh(class);
	}
	if (!h)
		return NULL;
	h->mark = mark(h, USED);
	return h + 1;
}

static struct head *head_of(void *p)
{
	struct head *h = (struct head *) p - 1;

	if (h->mark != mark(h, USED))
		abort();
	return h;
}

static size_t room(const struct head *h)
{
	return (h->size > CLASS_MAX ? h->size : (size_t) 1 << h->size) - sizeof *h;
}

void *malloc(size_t n)
{
	int zero;

	return take(n, &zero);
}

void *calloc(size_t n, size_t size)
{
	size_t all;
	void *p;
	int zero;

	if (__builtin_mul_overflow(n, size, &all)) {
		errno = ENOMEM;
		return NULL;
	}
	p = take(all, &zero);
	if (p && !zero)
		memset(p, 0, all);
	return p;
}

void free(void *p)
{
	struct head *h;
	int saved = errno;

	if (!p)
		return;
	h = head_of(p);
	if (h->size > CLASS_MAX) {
		(void) munmap(h, h->size);
	} else {
		h->mark = mark(h, FREE);
		((struct list *) h)->next = lists[h->size];
		lists[h->size] = (struct list *) h;
	}
	errno = saved;
}

void *realloc(void *p, size_t n)
{
	struct head *h;
	void *to;

	if (!p)
		return malloc(n);
	h = head_of(p);
	if (n <= room(h))
		return p;
	to = malloc(n);
	if (!to)
		return NULL;
	memcpy(to, p, room(h));
	free(p);
	return to;
}

/* All are aligned to 16 bytes, which is what gantry ever needs. */
void *aligned_alloc(size_t alignment, size_t n)
{
	if (alignment > 16) {
		errno = ENOMEM;
		return NULL;
	}
	return malloc(n);
}
