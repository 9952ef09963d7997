#include "cni-plugins/dhcp/call.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "cni-plugins/skel/code.h"

#define VERSION 1
/* Below what a main plugin waits for its IPAM plugin (skel/ipam.c); the daemon answers earlier. */
#define ANSWER_MS (280 * 1000)

static const char *const commands[] = {
	[CNI_ADD] = "ADD",     [CNI_DEL] = "DEL",	[CNI_CHECK] = "CHECK",
	[CNI_GC] = "GC",       [CNI_STATUS] = "STATUS", [CNI_VERSION] = "VERSION",
};

void call_done(struct call *c)
{
	cni_request_done(&c->rq);
	dhcp_conf_done(&c->conf);
	cJSON_Delete(c->doc);
	free(c->command);
	free(c->container_id);
	free(c->netns);
	free(c->ifname);
	free(c->args);
	*c = (struct call) CALL_INIT;
}

static int decode_doc(struct call *c, const char *prefix, struct err *e)
{
	static const struct json_field fields[] = {
		{CNI_FIELD(struct call, "version", I64, version), .required = true, .min = VERSION,
		 .max = VERSION},
		{CNI_FIELD(struct call, "command", STRING, command), .required = true},
		{CNI_FIELD(struct call, "containerID", STRING, container_id), .required = true},
		{CNI_FIELD(struct call, "netns", STRING, netns), .required = true},
		{CNI_FIELD(struct call, "ifname", STRING, ifname), .required = true},
		{CNI_FIELD(struct call, "args", STRING, args), .required = true},
		{.key = "conf", .type = JSON_F_IGNORE, .required = true},
	};
	int r = json_decode(c->doc, JSON_TOP, fields, ELEMENTSOF(fields), JSON_REFUSE_UNKNOWN, c,
			    e);
	char *path;

	if (r < 0 || !*c->netns || !*prefix)
		return r;
	path = xasprintf("%s%s", prefix, c->netns);
	free(c->netns);
	c->netns = path;
	return 0;
}

int call_decode(const char *text, size_t len, const char *prefix, struct call *ret, struct err *e)
{
	struct cni_env env = {.path = "/"};
	char *conf;
	int r;

	ret->doc = json_parse(text, len, CALL_MAX, e);
	if (!ret->doc)
		return -CNI_CODE(CNI_DECODE);
	r = decode_doc(ret, prefix, e);
	if (r < 0)
		return err_ctx(e, r, "question to the DHCP daemon");
	env.command = ret->command;
	env.container_id = ret->container_id;
	env.netns = ret->netns;
	env.ifname = ret->ifname;
	env.args = ret->args;
	conf = json_print(json_get(ret->doc, "conf"), false);
	r = cni_request_parse(&ret->rq, &env, conf, strlen(conf), e);
	return r < 0 || ret->rq.command != CNI_ADD ? r : dhcp_conf_decode(&ret->rq, &ret->conf, e);
}

/* The daemon may have another working directory. */
static char *absolute(const char *path)
{
	char cwd[PATH_MAX];

	if (!*path || path_is_absolute(path) || !getcwd(cwd, sizeof cwd))
		return xstrdup(path);
	return path_join(cwd, path);
}

cJSON *call_encode(const struct cni_request *rq)
{
	static const char *const keys[] = {"cniVersion",    "name",
					   "ipam",	    "args",
					   "runtimeConfig", "cni.dev/valid-attachments",
					   "cni.dev/attachments"};
	_cleanup_free_ char *netns = absolute(rq->netns);
	cJSON *j = cJSON_CreateObject(), *conf = cJSON_CreateObject();

	(void) cJSON_AddNumberToObject(j, "version", VERSION);
	(void) cJSON_AddStringToObject(j, "command", commands[rq->command]);
	(void) cJSON_AddStringToObject(j, "containerID", rq->container_id);
	(void) cJSON_AddStringToObject(j, "netns", netns);
	(void) cJSON_AddStringToObject(j, "ifname", rq->ifname);
	(void) cJSON_AddStringToObject(j, "args", rq->args);
	for (size_t i = 0; i < ELEMENTSOF(keys); i++) {
		const cJSON *v = json_get(rq->conf, keys[i]);

		if (v)
			cJSON_AddItemToObject(conf, keys[i], cJSON_Duplicate(v, true));
	}
	cJSON_AddItemToObject(j, "conf", conf);
	return j;
}

/* --- asking --- */

static int64_t now_ms(void)
{
	struct timespec t;

	(void) clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* -ENOENT: nobody there. */
static int dial(const char *path, struct err *e)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	_cleanup_fd_ int fd = -EBADF;
	size_t n = strlen(path);
	struct timeval tv = {.tv_sec = 30};

	if (n >= sizeof sun.sun_path)
		return err_set(e, CNI_CODE(CNI_BAD_CONFIG),
			       "daemonSocketPath %s is too long for a socket", q(path));
	memcpy(sun.sun_path, path, n);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	/* Bounds connect(2) as well, where the daemon's queue is full. */
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof tv) < 0)
		return err_sys(e, "open a socket");
	if (connect(fd, (struct sockaddr *) &sun, sizeof sun) < 0) {
		int code = errno;

		(void) err_set(e, CNI_CODE(CNI_OTHER), "error dialing DHCP daemon: %s: %s", path,
			       strerror(code));
		return code == ENOENT || code == ECONNREFUSED ? -ENOENT : -CNI_CODE(CNI_OTHER);
	}
	return take_fd(fd);
}

static int receive(int fd, struct strbuf *sb, struct err *e)
{
	int64_t until = now_ms() + ANSWER_MS;
	char buf[4096];

	for (;;) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		int64_t left = until - now_ms();
		ssize_t n;

		if (left <= 0 || sb->len > CALL_ANSWER_MAX)
			return err_set(e, CNI_CODE(CNI_OTHER), "the DHCP daemon does not answer");
		if (poll(&p, 1, (int) left) < 0 && errno != EINTR)
			return err_sys(e, "wait for the DHCP daemon");
		n = p.revents ? recv(fd, buf, sizeof buf, MSG_DONTWAIT) : -1;
		if (n == 0)
			return 0;
		if (n > 0)
			strbuf_add(sb, buf, (size_t) n);
		else if (p.revents && errno != EAGAIN && errno != EINTR)
			return err_sys(e, "read the DHCP daemon's answer");
	}
}

static int send_question(int fd, const struct cni_request *rq, struct err *e)
{
	cJSON *j = call_encode(rq);
	_cleanup_free_ char *text = json_print(j, false);
	size_t len = strlen(text);

	cJSON_Delete(j);
	for (const char *p = text; len;) {
		ssize_t n = send(fd, p, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "ask the DHCP daemon");
		p += n;
		len -= (size_t) n;
	}
	return shutdown(fd, SHUT_WR) < 0 ? err_sys(e, "ask the DHCP daemon") : 0;
}

static int take_answer(const struct strbuf *sb, cJSON **ret, struct err *e)
{
	cJSON *j;
	const char *msg;
	int64_t code;

	if (!sb->len)
		return err_set(e, CNI_CODE(CNI_OTHER),
			       "the DHCP daemon ended the conversation without an answer");
	j = json_parse(sb->buf, sb->len, CALL_ANSWER_MAX, e);
	if (!j)
		return err_ctx(e, -CNI_CODE(CNI_DECODE), "the DHCP daemon's answer");
	msg = json_get_str(j, "msg");
	if (msg) {
		if (json_int(json_get(j, "code"), JSON_TOP, 1, 1 << 15, &code, NULL) < 0)
			code = CNI_OTHER;
		(void) err_set(e, CNI_CODE((int) code), "%s", msg);
		cJSON_Delete(j);
		return -CNI_CODE((int) code);
	}
	*ret = j;
	return 0;
}

int call_daemon(const struct cni_request *rq, const char *socket, cJSON **ret, struct err *e)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	_cleanup_fd_ int fd = dial(socket, e);
	int r = fd;

	if (r >= 0)
		r = send_question(fd, rq, e);
	if (r >= 0)
		r = receive(fd, &sb, e);
	return r < 0 ? r : take_answer(&sb, ret, e);
}
