#include "stage0/service/register.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/parse.h"
#include "base/path.h"
#include "base/str.h"
#include "contract/layout.h"
#include "stage0/context.h"
#include "stage0/pod/pod.h"
#include "stage0/service/client.h"

/* Over all requests of one pod: a service that hangs must not keep pods from starting. */
#define TIMEOUT_MS 2000

static char *socket_path(const struct gantry *g)
{
	return path_join(g->rkt ? RKT_RUN_DIR : RUN_DIR, RUN_METADATA_SOCKET);
}

/* No socket, or one that its service left behind. */
static bool is_absence(int r)
{
	return r == -ENOENT || r == -ECONNREFUSED || r == -ENOTDIR || r == -EACCES;
}

static int new_token(char out[METADATA_TOKEN_LEN + 1], struct err *e)
{
	unsigned char b[METADATA_TOKEN_LEN / 2];

	/* random(7): so few bytes come whole, or not at all. */
	if (getrandom(b, sizeof b, 0) != (ssize_t) sizeof b)
		return err_sys(e, "getrandom");
	for (size_t i = 0; i < sizeof b; i++)
		(void) snprintf(out + 2 * i, 3, "%02x", b[i]);
	return 0;
}

/* One manifest, from its file to the service. */
static int put(struct service_client *c, const char *target, int dir, const char *file,
	       char **ret_body, struct err *e)
{
	_cleanup_free_ char *text = NULL, *answer = NULL, *shown = NULL;
	size_t len;
	int r = file_read_at(dir, file, JSON_MANIFEST_MAX, &text, &len, e);

	if (r == 0)
		r = service_request(c, "PUT", target, text, len, &answer, e);
	if (r < 0)
		return r;
	if (r != 200) {
		answer[strcspn(answer, "\n")] = '\0';
		shown = str_escape(answer, strlen(answer));
		return err_set(e, EIO, "the service refused (%d): %s", r, shown);
	}
	if (ret_body)
		*ret_body = take_ptr(answer);
	return 0;
}

/* For a query: what is neither a letter nor a digit escaped (RFC 3986 section 2.1). */
static char *escape_query(const char *s)
{
	struct strbuf sb = STRBUF_INIT;

	for (; *s; s++)
		if (strchr("/-_.", *s) || (*s >= '0' && *s <= '9') || (*s >= 'a' && *s <= 'z') ||
		    (*s >= 'A' && *s <= 'Z'))
			strbuf_addc(&sb, *s);
		else
			strbuf_addf(&sb, "%%%02x", (unsigned char) *s);
	return strbuf_take(&sb);
}

/* rkt's own service says nothing; there is one port, then. */
static unsigned port_of(const char *answer)
{
	uint64_t port;
	_cleanup_free_ char *digits = NULL;

	if (!str_starts(answer, "port="))
		return METADATA_PORT;
	digits = xstrndup(answer + 5, strcspn(answer + 5, "\n"));
	return parse_u64(digits, 65535, &port) == 0 && port ? (unsigned) port : METADATA_PORT;
}

static int put_pod(struct service_client *c, const struct gantry *g, const struct pod *p,
		   struct metadata_note *note, struct err *e)
{
	_cleanup_free_ char *dir = escape_query(g->data_dir), *answer = NULL;
	_cleanup_free_ char *target = xasprintf("/pods/%s?token=%s&data-dir=%s", p->uuid,
						note->token, dir);
	int r = put(c, target, p->dir, POD_MANIFEST, &answer, e);

	if (r == 0)
		note->port = port_of(answer);
	return r;
}

static int put_apps(struct service_client *c, const struct pod *p, struct err *e)
{
	_cleanup_dir_ DIR *d = NULL;
	struct dirent *de;
	int fd = openat(p->dir, POD_APPSINFO, O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;

	if (fd >= 0)
		d = fdopendir(fd);
	if (!d) {
		(void) fd_close(fd);
		return err_sys(e, "read " POD_APPSINFO);
	}
	while (r == 0 && (de = readdir(d))) {
		_cleanup_free_ char *file = path_join(de->d_name, APP_MANIFEST);
		_cleanup_free_ char *target = xasprintf("/pods/%s/%s", p->uuid, de->d_name);

		if (de->d_name[0] == '.')
			continue;
		r = put(c, target, fd, file, NULL, e);
		if (r < 0)
			err_ctx(e, r, "app %s", de->d_name);
	}
	return r;
}

static int do_register(struct service_client *c, const struct gantry *g, const struct pod *p,
		       struct metadata_note *note, struct err *e)
{
	int r = new_token(note->token, e);

	if (r == 0)
		r = put_pod(c, g, p, note, e);
	if (r == 0)
		r = put_apps(c, p, e);
	/* Before anybody can use it: what is noted is taken back by gc. */
	return r < 0 ? r : metadata_note_write(p->dir, note, e);
}

int metadata_register(const struct gantry *g, const struct pod *p, bool required,
		      struct metadata_note *ret, struct err *e)
{
	_cleanup_free_ char *path = socket_path(g);
	_cleanup_service_client_ struct service_client c = {.fd = -EBADF};
	_cleanup_err_ struct err why = ERR_INIT;
	int r = service_connect(path, TIMEOUT_MS, &c, &why);
	bool absent = is_absence(r);

	if (r == 0)
		r = do_register(&c, g, p, ret, &why);
	if (r == 0)
		return 1;
	/* Of an earlier run of the pod, under a token that its apps will not have. */
	(void) unlinkat(p->dir, POD_MDS, 0);
	if (required) {
		r = err_move(e, &why);
		return err_ctx(e, r, "register with the metadata service");
	}
	if (absent)
		log_debug("no metadata service: %s", err_text(&why));
	else
		log_warning("not registered with the metadata service: %s", err_text(&why));
	return 0;
}

void metadata_unregister(const struct gantry *g, const struct pod *p)
{
	_cleanup_free_ char *path = NULL, *target = NULL;
	_cleanup_service_client_ struct service_client c = {.fd = -EBADF};
	_cleanup_err_ struct err why = ERR_INIT;
	int r;

	if (faccessat(p->dir, POD_MDS, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	path = socket_path(g);
	target = xasprintf("/pods/%s", p->uuid);
	r = service_connect(path, TIMEOUT_MS, &c, &why);
	if (r == 0)
		r = service_request(&c, "DELETE", target, NULL, 0, NULL, &why);
	if (r < 0)
		log_debug("pod %s: metadata service: %s", p->uuid, err_text(&why));
}
