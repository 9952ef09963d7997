/*
 * The records: the pod's for init, each app's for stage2 and, as a copy, for `enter`.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "contract/layout.h"
#include "contract/metadata.h"
#include "contract/pod_record.h"
#include "stage1/run/sandbox.h"

int sandbox_pod_record(struct sandbox *sb, struct err *e)
{
	_cleanup_pod_record_ struct pod_record rec = POD_RECORD_INIT;
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT;

	rec.uuid = xstrdup(sb->plan->uuid);
	rec.hostname = xstrdup(sb->plan->hostname);
	rec.private_net = sb->plan->private_net;
	rec.private_users = sb->plan->ids.count;
	if (sb->plan->stop_timeout_ms >= 0)
		rec.stop_timeout_ms = (unsigned) sb->plan->stop_timeout_ms;
	rec.sysctls = strv_copy(sb->plan->sysctls);
	for (size_t i = 0; i < sb->plan->n_apps; i++) {
		const struct plan_app *pa = &sb->plan->apps[i];
		struct pod_record_app *app = pod_record_add_app(&rec, pa->name, pa->record.post_stop != NULL);

		memcpy(app->streams, pa->streams, sizeof app->streams);
		app->stop_signal = pa->life.stop_signal;
		app->restart = pa->life.restart;
		app->init = pa->life.init;
		app->checks = xmemdup(pa->life.checks, pa->life.n_checks * sizeof *app->checks);
		app->n_checks = pa->life.n_checks;
	}
	pod_record_encode(&rec, &out);
	sb->record = fd_sealed("pod-record", out.buf, out.len, e);
	if (sb->record < 0)
		return sb->record;
	/* Those of the apps are filled only when the network has said what resolv.conf holds. */
	for (size_t i = 0; i < sb->plan->n_apps; i++) {
		sb->apps[i].record = memfd_create("app-record", MFD_CLOEXEC | MFD_ALLOW_SEALING);
		if (sb->apps[i].record < 0)
			return err_sys(e, "memfd_create app-record");
	}
	return 0;
}

static int fill(int fd, const struct strbuf *text, struct err *e)
{
	int r = write_all(fd, text->buf, text->len);

	if (r < 0)
		return err_sysr(e, r, "write the app record");
	if (lseek(fd, 0, SEEK_SET) < 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
		return err_sys(e, "seal the app record");
	return 0;
}

/* The environment of the plan, and the one variable that only the networks could tell. */
static char **environment(const struct plan_app *pa, const char *metadata_url)
{
	char **env = NULL;

	for (char *const *v = pa->record.env; v && *v; v++)
		if (!metadata_url || !str_starts(*v, METADATA_VARIABLE "="))
			strv_add(&env, *v);
	if (metadata_url)
		strv_push(&env, xasprintf(METADATA_VARIABLE "=%s", metadata_url));
	return env;
}

static int app_record(struct sandbox *sb, const struct plan_app *pa, struct sandbox_app *sa,
		      const char *metadata_url, struct err *e)
{
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT;
	_cleanup_free_ char *path = xasprintf(POD_APPSINFO "/%s/" APP_RECORD, pa->name);
	_cleanup_strv_ char **env = environment(pa, metadata_url);
	/* A shallow copy: environment and the list of mounts are ours, all else stays the plan's. */
	struct app_record rec = pa->record;
	_cleanup_fd_ int copy = -EBADF;
	int r;

	rec.env = env;
	rec.mounts = NULL;
	rec.n_mounts = 0;
	rec.seccomp = sa->seccomp >= 0;
	rec.private_users = sb->plan->ids.count;
	for (size_t j = 0; j < pa->n_mounts; j++) {
		const struct plan_mount *m = &pa->mounts[j];

		if (!m->only_with_dns || sb->net_result.nameservers)
			app_record_add_mount(&rec, (unsigned) j, m->read_only, m->dir, m->recursive, m->target);
	}
	app_record_encode(&rec, &out);
	for (size_t j = 0; j < rec.n_mounts; j++)
		free(rec.mounts[j].target);
	free(rec.mounts);
	r = fill(sa->record, &out, e);
	if (r < 0)
		return r;
	copy = sandbox_put(sb, path, out.buf, out.len, 0640, e);
	return copy < 0 ? copy : 0;
}

int sandbox_app_records(struct sandbox *sb, struct err *e)
{
	_cleanup_free_ char *url = NULL;
	int r = sandbox_metadata_url(sb, &url, e);

	for (size_t i = 0; r == 0 && i < sb->plan->n_apps; i++) {
		r = app_record(sb, &sb->plan->apps[i], &sb->apps[i], url, e);
		if (r < 0)
			err_ctx(e, r, "app %s", sb->plan->apps[i].name);
	}
	return r;
}
