/* Where messages go: GANTRY_LOG_FD, when it is a descriptor that can be written to. */
#include "tests/unit/unit.h"

#include <sys/mman.h>
#include <sys/wait.h>

#include "base/log.h"

static char *read_back(int fd)
{
	char *text = xcalloc(1, 256);

	assert_true(pread(fd, text, 255, 0) >= 0);
	return text;
}

/* The message of a child that has `fd` announced and `out` as its standard error. */
static void log_in_child(const char *announced, int out)
{
	pid_t pid = fork();
	int st;

	if (pid == 0) {
		if (dup2(out, STDERR_FILENO) < 0)
			_exit(1);
		setenv("GANTRY_LOG_FD", announced, 1);
		log_init("test");
		log_error("a message");
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &st, 0), pid);
	assert_int_equal(st, 0);
}

static void test_announced(void **state _unused_)
{
	_cleanup_fd_ int err = memfd_create("err", 0), log = memfd_create("log", 0);
	_cleanup_free_ char *number = xasprintf("%d", log), *text = NULL, *none = NULL;

	log_in_child(number, err);
	text = read_back(log);
	none = read_back(err);
	assert_string_equal(text, "test: a message\n");
	assert_string_equal(none, "");
}

static void test_other_name(void **state _unused_)
{
	_cleanup_fd_ int err = memfd_create("err", 0);
	_cleanup_free_ char *text = NULL;

	setenv("GANTRY_LOG_NAME", "stage1", 1);
	log_in_child("", err);
	unsetenv("GANTRY_LOG_NAME");
	text = read_back(err);
	assert_string_equal(text, "stage1: a message\n");
}

static void test_not_usable(void **state _unused_)
{
	_cleanup_fd_ int ro = open("/dev/null", O_RDONLY | O_CLOEXEC);
	_cleanup_free_ char *number = xasprintf("%d", ro);
	const char *const announced[] = {"999999", number, "", "x", "-1", "99999999999"};

	for (size_t i = 0; i < ELEMENTSOF(announced); i++) {
		_cleanup_fd_ int err = memfd_create("err", 0);
		_cleanup_free_ char *text = NULL;

		log_in_child(announced[i], err);
		text = read_back(err);
		assert_string_equal(text, "test: a message\n");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_announced),
		cmocka_unit_test(test_other_name),
		cmocka_unit_test(test_not_usable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
