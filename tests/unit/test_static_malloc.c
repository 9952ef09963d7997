/* malloc for static programs: blocks do not meet, come back, and are zero where they must be. */
#include "tests/unit/unit.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#define malloc static_malloc
#define calloc static_calloc
#define realloc static_realloc
#define free static_free
#define aligned_alloc static_aligned_alloc
#pragma GCC diagnostic ignored "-Wmissing-prototypes"
#include "lib/static/malloc.c"

#define N 4000

static struct {
	unsigned char *p;
	size_t n;
	unsigned char with;
} blocks[N];

static void is_whole(size_t i)
{
	for (size_t k = 0; k < blocks[i].n; k++)
		if (blocks[i].p[k] != blocks[i].with)
			fail_msg("block %zu of %zu bytes is not whole at %zu", i, blocks[i].n, k);
}

static uint64_t next(void)
{
	static uint64_t bits = 88172645463325252ull;

	bits ^= bits << 13;
	bits ^= bits >> 7;
	return bits ^= bits << 17;
}

static void give(size_t i, size_t n)
{
	switch (next() % 3) {
	case 0:
		blocks[i].p = malloc(n);
		break;
	case 1:
		blocks[i].p = realloc(NULL, n);
		break;
	default:
		blocks[i].p = calloc(n, 1);
		for (size_t k = 0; k < n; k++)
			assert_int_equal(blocks[i].p[k], 0);
	}
	assert_non_null(blocks[i].p);
	assert_int_equal((uintptr_t) blocks[i].p % 16, 0);
	blocks[i].n = n;
	blocks[i].with = (unsigned char) next();
	memset(blocks[i].p, blocks[i].with, n);
}

static void grow(size_t i, size_t n)
{
	size_t kept = n < blocks[i].n ? n : blocks[i].n;

	blocks[i].p = realloc(blocks[i].p, n);
	assert_non_null(blocks[i].p);
	blocks[i].n = kept;
	is_whole(i);
	blocks[i].n = n;
	memset(blocks[i].p, blocks[i].with, n);
}

/* Sizes around all borders, in an order that makes no sense. */
static void any_order(void **state)
{
	(void) state;
	for (int round = 0; round < 60000; round++) {
		size_t i = next() % N, n = next() % (1u << next() % 13);

		if (next() % 500 == 0)
			n = (128u << 10) - 20 + next() % 300000;
		if (!blocks[i].p) {
			give(i, n);
		} else if (next() % 4 == 0) {
			grow(i, n);
		} else {
			is_whole(i);
			free(blocks[i].p);
			blocks[i].p = NULL;
		}
	}
	for (size_t i = 0; i < N; i++)
		if (blocks[i].p)
			is_whole(i);
}

static void borders(void **state)
{
	(void) state;
	for (size_t n = 0; n < 300000; n += n < 70 ? 1 : n / 3) {
		char *p = malloc(n), *q;

		memset(p, 1, n);
		free(p);
		q = calloc(1, n);
		for (size_t k = 0; k < n; k++)
			assert_int_equal(q[k], 0);
		free(q);
	}
	free(NULL);
}

static void too_much(void **state)
{
	(void) state;
	for (int i = 0; i < 4; i++) {
		static const size_t sizes[] = {SIZE_MAX, SIZE_MAX - 15, (size_t) PTRDIFF_MAX + 1, PTRDIFF_MAX};

		errno = 0;
		assert_null(malloc(sizes[i]));
		assert_int_equal(errno, ENOMEM);
	}
	assert_null(calloc(SIZE_MAX / 2, 3));
	assert_null(calloc(1ul << 33, 1ul << 33));
}

static void dies(void (*f)(void))
{
	int st;
	pid_t pid = fork();

	if (!pid) {
		f();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &st, 0), pid);
	assert_true(WIFSIGNALED(st));
	assert_int_equal(WTERMSIG(st), SIGABRT);
}

static void twice(void)
{
	char *p = malloc(40);

	free(p);
	free(p);
}

/* As by who writes behind the end of the block below. */
static void overrun(void)
{
	char *p = malloc(16);

	memset(p - 16, 'x', 4);
	free(p);
}

static void inside(void)
{
	free((char *) malloc(100) + 16);
}

static void written_when_free(void)
{
	char *p = malloc(3000);

	free(p);
	((struct head *) p - 1)->mark ^= 1;
	(void) malloc(3000);
}

static void damage(void **state)
{
	(void) state;
	dies(twice);
	dies(overrun);
	dies(inside);
	dies(written_when_free);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_order),
		cmocka_unit_test(borders),
		cmocka_unit_test(too_much),
		cmocka_unit_test(damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
