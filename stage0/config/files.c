/*
 * The files of one directory: found, read, and told apart by their header.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/log.h"
#include "base/path.h"
#include "base/secret.h"
#include "stage0/config/internal.h"
#include "stage0/context.h"

struct header {
	char *kind, *version;
};

void config_dirs(const struct gantry *g, const char *dirs[CONFIG_DIRS])
{
	dirs[0] = g->system_config;
	dirs[1] = g->local_config;
	dirs[2] = g->user_config && *g->user_config ? g->user_config : NULL;
}

const char *config_check_word(const char *s)
{
	if (!*s)
		return "must not be empty";
	/* A line feed in a credential would be a header of its own (CWE-113). */
	for (; *s; s++)
		if ((unsigned char) *s < ' ' || *s == 0x7f)
			return "control character";
	return NULL;
}

static bool is_kind_of(const struct config_subdir *sub, const char *kind)
{
	for (const char *const *k = sub->kinds; *k; k++)
		if (!strcmp(*k, kind))
			return true;
	return false;
}

static int check_header(const cJSON *doc, const struct config_subdir *sub, struct header *h,
			struct err *e)
{
	static const struct json_field fields[] = {
		{.key = "rktKind", .type = JSON_F_STRING, .offset = offsetof(struct header, kind),
		 .required = true, .check = config_check_word},
		{.key = "rktVersion", .type = JSON_F_STRING,
		 .offset = offsetof(struct header, version), .required = true,
		 .check = config_check_word},
	};
	static const struct json_at at_kind = {JSON_TOP, "rktKind", 0},
				    at_version = {JSON_TOP, "rktVersion", 0};
	_cleanup_free_ char *kinds = strv_join((char *const *) sub->kinds, ", ");
	int r = json_decode(doc, JSON_TOP, fields, ELEMENTSOF(fields), JSON_ALLOW_UNKNOWN, h, e);

	if (r == 0 && !is_kind_of(sub, h->kind))
		r = json_err(&at_kind, e, "%s is no kind of %s (it has: %s)", q(h->kind), sub->name,
			     kinds);
	if (r == 0 && strcmp(h->version, "v1"))
		r = json_err(&at_version, e, "%s of kind %s is not known, only \"v1\"",
			     q(h->version), h->kind);
	return r;
}

static int take_text(char *text, size_t len, const struct config_subdir *sub, config_take take,
		     void *arg, struct err *e)
{
	_cleanup_json_ cJSON *doc = json_parse(text, len, CONFIG_FILE_MAX, e);
	struct header h = {0};
	int r = doc ? check_header(doc, sub, &h, e) : -EINVAL;

	if (r == 0)
		r = take(doc, h.kind, arg, e);
	if (sub->secret)
		secret_wipe_json(doc);
	free(h.kind);
	free(h.version);
	return r;
}

/* One command reads the credentials for each of its downloads, and tells of a file once. */
static bool is_news(const char *path, const char *name)
{
	static char **told;
	char *file = path_join(path, name);

	if (strv_has(told, file)) {
		free(file);
		return false;
	}
	strv_push(&told, file);
	return true;
}

/* One name; 0 as well when it is not a file of ours. */
static int take_file(int dir, const char *path, const char *name, const struct config_subdir *sub,
		     bool warn, config_take take, void *arg, struct err *e)
{
	_cleanup_free_ char *text = NULL;
	struct stat st;
	size_t len;
	int r;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : err_sys(e, "stat");
	if (!S_ISREG(st.st_mode)) {
		if (is_news(path, name))
			log_warning("configuration %s/%s is not a regular file: left out", path,
				    name);
		return 0;
	}
	r = file_read_at(dir, name, CONFIG_FILE_MAX, &text, &len, e);
	if (r < 0)
		return r;
	if (warn && (st.st_mode & S_IROTH) && is_news(path, name))
		log_warning("everybody can read the credentials in %s/%s (chmod o-r)", path, name);
	r = take_text(text, len, sub, take, arg, e);
	if (sub->secret)
		explicit_bzero(text, len);
	return r;
}

static bool is_ours(const char *name)
{
	return *name != '.' && str_ends(name, ".json");
}

int config_read_dir(const char *dir, const struct config_subdir *sub, bool warn, config_take take,
		    void *arg, struct err *e)
{
	_cleanup_free_ char *path = dir ? xasprintf("%s/%s", dir, sub->name) : NULL;
	_cleanup_fd_ int fd = path ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -EBADF;
	_cleanup_strv_ char **names = NULL;
	struct stat st;
	int r;

	if (!path || (fd < 0 && errno == ENOENT))
		return 0;
	if (fd < 0)
		return err_sys(e, "configuration %s", path);
	/* What a closed directory holds is not open. */
	warn = warn && sub->secret && fstat(fd, &st) == 0 && (st.st_mode & S_IXOTH);
	r = path_names(fd, is_ours, CONFIG_FILES_MAX, &names, e);
	if (r < 0)
		return err_ctx(e, r, "configuration %s", path);
	for (size_t i = 0; names && names[i]; i++) {
		r = take_file(fd, path, names[i], sub, warn, take, arg, e);
		if (r < 0)
			return err_ctx(e, r, "configuration %s/%s", path, names[i]);
	}
	return 0;
}
