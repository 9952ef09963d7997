/*
 * front: what makes httpd a host of the internet: a well-known port, TLS, a name.
 *
 *	front ADDRESS PORT CERTIFICATE|- KEY|- TARGET
 *
 * It takes connections at the address, with TLS when there is a certificate, and either hands the one
 * request of each on to the port TARGET of 127.0.0.1, or, when TARGET is the beginning of a URL, answers it
 * with a redirect to there, the path appended.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

struct client {
	int fd;
	SSL *ssl; /* NULL: plain */
};

static int client_read(struct client *c, char *buf, int size)
{
	return c->ssl ? SSL_read(c->ssl, buf, size) : (int)recv(c->fd, buf, (size_t)size, 0);
}

static int client_write(struct client *c, const char *buf, int len)
{
	return c->ssl ? SSL_write(c->ssl, buf, len) : (int)send(c->fd, buf, (size_t)len, MSG_NOSIGNAL);
}

static int new_socket(const char *address, int port, int (*use)(int, const struct sockaddr *, socklen_t))
{
	struct sockaddr_in sa = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (fd < 0 || inet_pton(AF_INET, address, &sa.sin_addr) != 1 ||
	    use(fd, (const struct sockaddr *)&sa, sizeof(sa)) < 0) {
		perror("front");
		exit(1);
	}
	return fd;
}

static void redirect(struct client *c, char *request, const char *target)
{
	char answer[8192], *path = strchr(request, ' ');
	int n;

	if (!path)
		return;
	path[1 + strcspn(path + 1, " \r\n")] = '\0';
	n = snprintf(answer, sizeof(answer),
		     "HTTP/1.1 302 There\r\nLocation: %s%s\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", target,
		     path + 1);
	client_write(c, answer, n);
}

static void hand_on(struct client *c, const char *request, int len, int port)
{
	char buf[16384];
	int fd = new_socket("127.0.0.1", port, connect);
	ssize_t n;

	if (send(fd, request, (size_t)len, MSG_NOSIGNAL) == len)
		while ((n = recv(fd, buf, sizeof(buf), 0)) > 0)
			if (client_write(c, buf, (int)n) <= 0)
				break;
	close(fd);
}

static void serve(struct client *c, const char *target)
{
	char request[16384];
	int len = 0, n;

	if (c->ssl && SSL_accept(c->ssl) <= 0)
		return;
	while (len < (int)sizeof(request) - 1 && (n = client_read(c, request + len, (int)sizeof(request) - 1 - len)) > 0) {
		len += n;
		request[len] = '\0';
		if (strstr(request, "\r\n\r\n"))
			break;
	}
	request[len] = '\0';
	if (strstr(target, "://"))
		redirect(c, request, target);
	else
		hand_on(c, request, len, (int) strtol(target, NULL, 10));
	if (c->ssl)
		SSL_shutdown(c->ssl);
}

static SSL_CTX *new_context(const char *certificate, const char *key)
{
	SSL_CTX *ctx;

	if (!strcmp(certificate, "-"))
		return NULL;
	ctx = SSL_CTX_new(TLS_server_method());
	if (!ctx || SSL_CTX_use_certificate_chain_file(ctx, certificate) != 1 ||
	    SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1) {
		ERR_print_errors_fp(stderr);
		exit(1);
	}
	return ctx;
}

int main(int argc, char **argv)
{
	SSL_CTX *ctx;
	int fd;

	if (argc != 6) {
		fprintf(stderr, "usage: front ADDRESS PORT CERTIFICATE|- KEY|- TARGET\n");
		return 2;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGCHLD, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	ctx = new_context(argv[3], argv[4]);
	fd = new_socket(argv[1], (int) strtol(argv[2], NULL, 10), bind);
	if (listen(fd, 64) < 0)
		return 1;
	for (;;) {
		struct client c = { .fd = accept4(fd, NULL, NULL, SOCK_CLOEXEC) };

		if (c.fd >= 0 && fork() == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			if (ctx) {
				c.ssl = SSL_new(ctx);
				SSL_set_fd(c.ssl, c.fd);
			}
			serve(&c, argv[5]);
			shutdown(c.fd, SHUT_WR);
			return 0;
		}
		close(c.fd);
	}
}
