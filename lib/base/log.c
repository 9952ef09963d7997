#include "base/log.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/parse.h"

static const char *log_name = "gantry";
static int log_fd = STDERR_FILENO;
static bool log_debug_on;

void log_init(const char *name)
{
	const char *fd = getenv("GANTRY_LOG_FD");
	uint64_t n;

	log_name = name;
	if (fd && parse_u64(fd, 1u << 20, &n) == 0)
		log_fd = (int) n;
	log_debug_on = log_debug_on || getenv("GANTRY_DEBUG") != NULL;
}

void log_set_debug(bool on)
{
	log_debug_on = on;
}

bool log_is_debug(void)
{
	return log_debug_on;
}

static void log_line(const char *level, const char *fmt, va_list ap)
{
	int saved = errno;
	_cleanup_free_ char *text = xvasprintf(fmt, ap);
	_cleanup_free_ char *line = xasprintf("%s: %s%s\n", log_name, level, text);

	(void) !write(log_fd, line, strlen(line));
	errno = saved;
}

#define DEFINE_LOG(fn, level, cond)                                                                \
	void fn(const char *fmt, ...)                                                              \
	{                                                                                          \
		va_list ap;                                                                        \
                                                                                                   \
		if (!(cond))                                                                       \
			return;                                                                    \
		va_start(ap, fmt);                                                                 \
		log_line(level, fmt, ap);                                                          \
		va_end(ap);                                                                        \
	}

DEFINE_LOG(log_error, "", true)
DEFINE_LOG(log_warning, "warning: ", true)
DEFINE_LOG(log_info, "", true)
DEFINE_LOG(log_debug, "debug: ", log_debug_on)
