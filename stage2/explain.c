#include "stage2/explain.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"

#define HEAD_MAX 256 /* BINPRM_BUF_SIZE: as much of a script as the kernel looks at */
#define PHDRS_MAX 64

int explain_missing(const char *program, int code, struct err *e)
{
	return err_set(e, code, "Error: Unable to open %s: %s", q(program), strerror(code));
}

/* "#! interpreter argument" */
static int script_interpreter(const char *head, size_t len, char ret[PATH_MAX])
{
	size_t start = 2, n;

	while (start < len && (head[start] == ' ' || head[start] == '\t'))
		start++;
	n = strcspn(head + start, " \t\r\n");
	if (!n)
		return -ENOEXEC;
	memcpy(ret, head + start, n);
	ret[n] = '\0';
	return 0;
}

/* The path in the segment PT_INTERP (elf(5)). */
static int elf_interpreter(int fd, char ret[PATH_MAX])
{
	ElfW(Ehdr) eh;
	ElfW(Phdr) ph;

	if (pread(fd, &eh, sizeof eh, 0) != sizeof eh || eh.e_phentsize != sizeof ph ||
	    eh.e_phnum > PHDRS_MAX)
		return -ENOEXEC;
	for (size_t i = 0; i < eh.e_phnum; i++) {
		if (pread(fd, &ph, sizeof ph, (off_t) (eh.e_phoff + i * sizeof ph)) != sizeof ph)
			return -ENOEXEC;
		if (ph.p_type != PT_INTERP)
			continue;
		if (ph.p_filesz < 2 || ph.p_filesz >= PATH_MAX ||
		    pread(fd, ret, ph.p_filesz, (off_t) ph.p_offset) != (ssize_t) ph.p_filesz)
			return -ENOEXEC;
		ret[ph.p_filesz] = '\0';
		return 0;
	}
	return -ENOEXEC;
}

static int interpreter(const char *program, char ret[PATH_MAX])
{
	_cleanup_fd_ int fd = open(program, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	char head[HEAD_MAX + 1];
	ssize_t n = fd < 0 ? -1 : pread(fd, head, HEAD_MAX, 0);

	if (n < 4)
		return -ENOEXEC;
	head[n] = '\0';
	if (!memcmp(head, "#!", 2))
		return script_interpreter(head, (size_t) n, ret);
	if (!memcmp(head, ELFMAG, SELFMAG))
		return elf_interpreter(fd, ret);
	return -ENOEXEC;
}

int explain_exec(const char *program, int code, struct err *e)
{
	char path[PATH_MAX];
	struct stat st;

	if (code == ENOENT && interpreter(program, path) == 0 && stat(path, &st) < 0)
		return explain_missing(path, code, e);
	if (code == ENOENT || code == EACCES)
		return explain_missing(program, code, e);
	return err_set(e, code, "Error: Unable to execute %s: %s", q(program), strerror(code));
}
