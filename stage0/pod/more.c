#include "stage0/pod/more.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"
#include "contract/layout.h"
#include "spec/app_port.h"

static void add_volume(struct pod_manifest *pm, const struct volume *from)
{
	struct volume v = *from;

	v.name = xstrdup(from->name);
	v.source = xstrdup_null(from->source);
	pm->volumes = xgrow(pm->volumes, pm->n_volumes, sizeof *pm->volumes);
	pm->volumes[pm->n_volumes++] = v;
}

static void add_port(struct pod_manifest *pm, const struct pod_port *from)
{
	struct pod_port p = *from;

	p.name = xstrdup(from->name);
	p.host_ip = xstrdup_null(from->host_ip);
	p.port = xcalloc(1, sizeof *p.port);
	app_port_copy(p.port, from->port);
	pm->ports = xgrow(pm->ports, pm->n_ports, sizeof *pm->ports);
	pm->ports[pm->n_ports++] = p;
}

int more_of_pod(const struct pod_request *req, struct pod_manifest *pm, struct err *e)
{
	for (size_t i = 0; i < req->n_more_volumes; i++) {
		if (pod_manifest_volume(pm, req->more_volumes[i].name))
			return err_set(e, EINVAL, "volume %s is there twice", q(req->more_volumes[i].name));
		add_volume(pm, &req->more_volumes[i]);
	}
	for (size_t i = 0; i < req->n_more_ports; i++)
		add_port(pm, &req->more_ports[i]);
	isolators_done(&pm->isolators);
	isolators_copy(&pm->isolators, &req->isolators);
	return 0;
}

int more_exec(const struct app_request *a, struct app *app)
{
	if (!a->more || !strv_len(a->more->command))
		return 0;
	strv_free(app->exec);
	app->exec = strv_copy(a->more->command);
	for (char **arg = a->args; arg && *arg; arg++)
		strv_add(&app->exec, *arg);
	return 1;
}

static void add_isolators(const struct isolator_list *from, struct isolator_list *to)
{
	struct isolator_list copy;

	isolators_copy(&copy, from);
	for (size_t i = 0; i < copy.n; i++) {
		enum isolator_kind kind = copy.v[i].kind;

		if (kind != ISO_PROBE)
			isolators_remove(to, kind);
		if (kind == ISO_CAPS_RETAIN || kind == ISO_CAPS_REMOVE) {
			isolators_remove(to, ISO_CAPS_RETAIN);
			isolators_remove(to, ISO_CAPS_REMOVE);
		}
		isolators_add(to, copy.v[i]);
	}
	free(copy.v);
}

static bool has_port(const struct app *app, const char *name)
{
	for (size_t i = 0; i < app->n_ports; i++)
		if (!strcmp(app->ports[i].name, name))
			return true;
	return false;
}

static void add_app_port(struct app *app, const struct app_port *from)
{
	if (has_port(app, from->name))
		return;
	app->ports = xgrow(app->ports, app->n_ports, sizeof *app->ports);
	app_port_copy(&app->ports[app->n_ports++], from);
}

/* A mount point on the target says so, the image's if it has one there. */
static void make_read_only(struct app *app, const char *target, size_t n)
{
	_cleanup_free_ char *clean = path_clean(target);

	for (size_t i = 0; i < app->n_mount_points; i++) {
		_cleanup_free_ char *other = path_clean(app->mount_points[i].path);

		if (!strcmp(clean, other)) {
			app->mount_points[i].read_only = true;
			return;
		}
	}
	app->mount_points = xgrow(app->mount_points, app->n_mount_points, sizeof *app->mount_points);
	app->mount_points[app->n_mount_points++] = (struct mount_point) {
		.name = xasprintf("read-only-%zu", n), .path = xstrdup(target), .read_only = true};
}

void more_of_app(const struct app_request *a, struct runtime_app *ra)
{
	const struct app_more *more = a->more;

	if (!more)
		return;
	add_isolators(&more->isolators, &ra->app->isolators);
	for (size_t i = 0; i < more->n_ports; i++)
		add_app_port(ra->app, &more->ports[i]);
	for (size_t i = 0; i < strv_len(more->read_only); i++)
		make_read_only(ra->app, more->read_only[i], i);
}

/* --- files --- */

static int put_file(int volumes, const struct volume_file *f, const struct id_map *users, struct err *e)
{
	_cleanup_fd_ int dir = -EBADF, fd = -EBADF;
	int r;

	/* Names were checked: one component each. */
	if (mkdirat(volumes, f->volume, 0755) < 0 && errno != EEXIST)
		return err_sys(e, "mkdir %s", f->volume);
	dir = openat(volumes, f->volume, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0)
		return err_sys(e, "open %s", f->volume);
	fd = openat(dir, f->name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_sys(e, "create %s", q(f->name));
	r = write_all(fd, f->content, strlen(f->content));
	if (r < 0)
		return err_sysr(e, r, "write %s", q(f->name));
	if (fchown(fd, users->shift, users->shift) < 0)
		return err_sys(e, "owner of %s", q(f->name));
	return fchmod(fd, f->mode) < 0 ? err_sys(e, "mode of %s", q(f->name)) : 0;
}

int more_files(const struct pod_request *req, int pod_dir, const struct id_map *users, struct err *e)
{
	_cleanup_fd_ int volumes = -EBADF;
	int r = 0;

	if (!req->n_files)
		return 0;
	if (mkdirat(pod_dir, POD_VOLUMES, 0755) < 0)
		return err_sys(e, "mkdir " POD_VOLUMES);
	volumes = openat(pod_dir, POD_VOLUMES, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (volumes < 0)
		return err_sys(e, "open " POD_VOLUMES);
	for (size_t i = 0; r == 0 && i < req->n_files; i++)
		r = put_file(volumes, &req->files[i], users, e);
	return r < 0 ? err_ctx(e, r, "volume") : 0;
}
