#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/parse.h"

static const char *log_name = "gantry";
static int log_fd = STDERR_FILENO;
static bool log_debug_on;

/* The variable may be somebody else's, or of a process whose descriptors did not come along. */
static bool is_writable(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags >= 0 && (flags & O_ACCMODE) != O_RDONLY;
}

void log_init(const char *name)
{
	const char *fd = getenv("GANTRY_LOG_FD"), *instead = getenv("GANTRY_LOG_NAME");
	uint64_t n;

	log_name = instead && *instead ? instead : name;
	if (fd && parse_u64(fd, 1u << 20, &n) == 0 && is_writable((int) n))
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

/*
 * What comes from elsewhere (a file's name, a plugin's words) must not steer the terminal.  Most
 * of it was quoted where the message was made; this is for all that was not.  C1 controls are
 * C2 80..9F in UTF-8.
 */
static void defuse(char *text)
{
	for (unsigned char *c = (unsigned char *) text; *c; c++) {
		if ((*c < ' ' && *c != '\n' && *c != '\t') || *c == 0x7f)
			*c = '?';
		else if (*c == 0xc2 && c[1] >= 0x80 && c[1] <= 0x9f)
			c[0] = c[1] = '?';
	}
}

static void log_line(const char *level, const char *fmt, va_list ap)
{
	int saved = errno;
	_cleanup_free_ char *text = xvasprintf(fmt, ap);
	_cleanup_free_ char *line = xasprintf("%s: %s%s\n", log_name, level, text);

	defuse(line);
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
