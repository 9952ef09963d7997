#include "cni-plugins/dnsname/server.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/parse.h"
#include "base/path.h"
#include "base/proc.h"
#include "base/str.h"
#include "cni-plugins/dnsname/group.h"
#include "cni-plugins/skel/code.h"

#define START_MS 10000
#define STOP_MS 3000
#define COMMAND_LINE_MAX 65536
#define MESSAGE_MAX 4096

int server_find_program(char **ret, struct err *e)
{
	static const char *const paths[] = {"/usr/sbin/dnsmasq", "/usr/local/sbin/dnsmasq",
					    "/sbin/dnsmasq", "/usr/bin/dnsmasq"};

	for (size_t i = 0; i < ELEMENTSOF(paths); i++)
		if (access(paths[i], X_OK) == 0) {
			*ret = xstrdup(paths[i]);
			return 0;
		}
	return err_set(e, CNI_CODE(CNI_NOT_AVAILABLE),
		       "dnsmasq is not installed (dnsmasq-base): no names can be served");
}

static char *pid_file_option(const char *dir)
{
	return xasprintf("--pid-file=%s/pid", dir);
}

/* One of its words is ours.  /proc/PID/cmdline: the words, each with a zero byte behind it. */
static bool is_server(pid_t pid, const char *dir)
{
	_cleanup_free_ char *path = xasprintf("/proc/%d/cmdline", (int) pid), *text = NULL;
	_cleanup_free_ char *option = pid_file_option(dir);
	size_t len;

	if (file_read_at(AT_FDCWD, path, COMMAND_LINE_MAX, &text, &len, NULL) < 0)
		return false;
	for (size_t at = 0; at < len; at += strlen(text + at) + 1)
		if (!strcmp(text + at, option))
			return true;
	return false;
}

static int find(const char *dir, pid_t *ret_pid, struct err *e)
{
	_cleanup_free_ char *path = path_join(dir, "pid"), *text = NULL;
	uint64_t pid;
	int fd;

	if (file_read_line_at(AT_FDCWD, path, &text, NULL) < 0 ||
	    parse_u64(text, INT32_MAX, &pid) < 0 || !pid)
		return -ESRCH;
	*ret_pid = (pid_t) pid;
	/* First the descriptor, then the look: whose it is cannot change in between. */
	fd = proc_pidfd_open(*ret_pid);
	if (fd == -ESRCH)
		return fd;
	if (fd < 0)
		return err_sysr(e, fd, "open process %d", (int) pid);
	if (!is_server(*ret_pid, dir) || proc_wait_pidfd(fd, 0) == 0) {
		(void) fd_close(fd);
		return -ESRCH;
	}
	return fd;
}

int server_find(const char *dir, struct err *e)
{
	pid_t pid;

	return find(dir, &pid, e);
}

static void leave_callers_groups(const char *dir)
{
	pid_t pid;
	_cleanup_fd_ int fd = find(dir, &pid, NULL);

	if (fd >= 0)
		server_group_enter(pid);
}

static char **command_line(const char *dir, char *const *addresses, const char *domain)
{
	static const char *const words[] = {
		"dnsmasq",
		"--conf-file=/dev/null", /* the host's own is for another server */
		"--no-hosts", "--bind-interfaces", "--except-interface=lo",
		"--domain-needed", /* names without a dot are ours or nobody's */
		"--bogus-priv",
	};
	_cleanup_free_ char *servers = NULL;
	char **argv = NULL;

	for (size_t i = 0; i < ELEMENTSOF(words); i++)
		strv_add(&argv, words[i]);
	strv_push(&argv, pid_file_option(dir));
	strv_push(&argv, xasprintf("--addn-hosts=%s/hosts", dir));
	servers = path_join(dir, SERVERS_FILE);
	if (access(servers, F_OK) == 0)
		strv_push(&argv, xasprintf("--servers-file=%s", servers));
	for (char *const *a = addresses; a && *a; a++)
		strv_push(&argv, xasprintf("--listen-address=%s", *a));
	if (domain) {
		strv_push(&argv, xasprintf("--domain=%s", domain));
		strv_push(&argv, xasprintf("--local=/%s/", domain));
		strv_add(&argv, "--expand-hosts");
	}
	return argv;
}

/* What it said on standard error, in one line. */
static char *message(int fd)
{
	char text[MESSAGE_MAX];
	ssize_t n = pread(fd, text, sizeof text, 0);

	while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == ' '))
		n--;
	return n > 0 ? str_escape(text, (size_t) n) : xstrdup("it does not say why");
}

/* It goes into the background itself, when it listens; the front says by its exit how that went. */
int server_start(const char *dir, char *const *addresses, const char *domain, struct err *e)
{
	_cleanup_free_ char *program = NULL, *why = NULL;
	_cleanup_strv_ char **argv = command_line(dir, addresses, domain);
	_cleanup_fd_ int said = memfd_create("dnsmasq", MFD_CLOEXEC), pidfd = -EBADF;
	struct spawn sp = SPAWN_INIT;
	pid_t pid;
	int st, r = server_find_program(&program, e);

	if (r < 0)
		return r;
	sp.path = program;
	sp.argv = argv;
	sp.out = said;
	sp.err = said;
	pid = proc_spawn(&sp, &pidfd, e);
	if (pid < 0)
		return pid;
	r = proc_wait_pidfd(pidfd, START_MS);
	if (r < 0)
		(void) proc_pidfd_kill(pidfd, SIGKILL);
	st = proc_wait(pid);
	if (r == 0 && st == 0) {
		leave_callers_groups(dir);
		return 0;
	}
	why = message(said);
	return err_set(e, CNI_CODE(CNI_OTHER), "start dnsmasq: %s", r < 0 ? "it hangs" : why);
}

int server_reload(const char *dir, struct err *e)
{
	_cleanup_fd_ int fd = server_find(dir, e);
	int r = fd < 0 ? fd : proc_pidfd_kill(fd, SIGHUP);

	return r < 0 && r != -ESRCH ? err_sysr(e, r, "signal dnsmasq") : r;
}

int server_stop(const char *dir, struct err *e)
{
	_cleanup_fd_ int fd = server_find(dir, e);

	if (fd == -ESRCH)
		return 0;
	if (fd < 0)
		return fd;
	(void) proc_pidfd_kill(fd, SIGTERM);
	if (proc_wait_pidfd(fd, STOP_MS) == 0)
		return 0;
	(void) proc_pidfd_kill(fd, SIGKILL);
	if (proc_wait_pidfd(fd, STOP_MS) == 0)
		return 0;
	return err_set(e, CNI_CODE(CNI_OTHER), "dnsmasq does not end");
}
