#include "stage0/oci/registry_trust.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/path.h"
#include "base/secret.h"
#include "base/str.h"

#define CERTIFICATES_MAX (1u << 20) /* bytes of one file, and of all of a registry's */
#define FILES_MAX 256

static const char *const places[] = {"/etc/containers/certs.d", "/etc/docker/certs.d"};

void registry_trust_done(struct registry_trust *t)
{
	free(t->more_ca);
	free(t->client_cert);
	secret_free(t->client_key);
	*t = (struct registry_trust) {0};
}

static int read_pem(int dir, const char *name, char **ret, struct err *e)
{
	_cleanup_free_ char *text = NULL;
	size_t len;
	int r = file_read_at(dir, name, CERTIFICATES_MAX, &text, &len, e);

	if (r < 0)
		return r;
	if (memchr(text, '\0', len) || !strstr(text, "-----BEGIN "))
		return err_set(e, EINVAL, "%s: it is no PEM file", name);
	*ret = take_ptr(text);
	return 0;
}

static int add_authority(int dir, const char *name, struct registry_trust *t, struct err *e)
{
	_cleanup_free_ char *text = NULL, *old = t->more_ca;
	int r = read_pem(dir, name, &text, e);

	if (r < 0)
		return r;
	if (strlen(text) + (old ? strlen(old) : 0) > CERTIFICATES_MAX)
		return err_set(e, EFBIG, "%s: too many certificates", name);
	t->more_ca = old ? xasprintf("%s\n%s", old, text) : take_ptr(text);
	return 0;
}

/* NAME.cert is of no use without NAME.key, as in docker. The first pair counts. */
static int add_client(int dir, const char *name, struct registry_trust *t, struct err *e)
{
	_cleanup_free_ char *key = xasprintf("%.*s.key", (int) (strlen(name) - strlen(".cert")), name);
	int r;

	if (t->client_cert)
		return 0;
	r = read_pem(dir, name, &t->client_cert, e);
	return r < 0 ? r : read_pem(dir, key, &t->client_key, e);
}

static bool is_certificate(const char *name)
{
	return str_ends(name, ".crt") || str_ends(name, ".cert");
}

static int read_place(const char *place, const char *site, struct registry_trust *t, struct err *e)
{
	_cleanup_free_ char *path = path_join(place, site);
	_cleanup_fd_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_strv_ char **names = NULL;
	int r;

	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR || errno == EACCES ? 0 : err_sys(e, "%s", path);
	r = path_names(fd, is_certificate, FILES_MAX, &names, e);
	for (size_t i = 0; names && names[i] && r == 0; i++)
		r = str_ends(names[i], ".crt") ? add_authority(fd, names[i], t, e) : add_client(fd, names[i], t, e);
	return r < 0 ? err_ctx(e, r, "certificates in %s", path) : 0;
}

int registry_trust_find(const char *site, const char *ca, struct registry_trust *ret, struct err *e)
{
	_cleanup_registry_trust_ struct registry_trust t = {0};
	int r = 0;

	if (!path_is_name(site))
		return err_set(e, EINVAL, "registry %s: malformed", q(site));
	for (size_t i = 0; i < ELEMENTSOF(places) && r == 0; i++)
		r = read_place(places[i], site, &t, e);
	if (r == 0 && ca)
		r = add_authority(AT_FDCWD, ca, &t, e);
	if (r < 0)
		return r;
	*ret = t;
	t = (struct registry_trust) {0};
	return 0;
}
