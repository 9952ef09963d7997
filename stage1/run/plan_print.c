/*
 * The plan in lines: `gantry run --dry-run`.
 */
#include <inttypes.h>

#include "base/str.h"
#include "stage1/run/plan.h"

static void print_strv(FILE *f, const char *label, char *const *v)
{
	if (!v || !*v)
		return;
	fprintf(f, "%s", label);
	for (; *v; v++)
		fprintf(f, " %s", q(*v));
	fputc('\n', f);
}

static void print_limits(FILE *f, const char *indent, const struct cg_limits *l)
{
	if (l->memory_bytes >= 0)
		fprintf(f, "%smemory: at most %" PRId64 " bytes, no swap\n", indent, l->memory_bytes);
	if (l->memory_request >= 0)
		fprintf(f, "%smemory: %" PRId64 " bytes are asked for\n", indent, l->memory_request);
	if (l->cpu_milli >= 0)
		fprintf(f, "%scpu: at most %" PRId64 ".%03" PRId64 " cores\n", indent, l->cpu_milli / 1000,
			l->cpu_milli % 1000);
	if (l->cpu_shares >= 0)
		fprintf(f, "%scpu shares: %" PRId64 "\n", indent, l->cpu_shares);
	if (l->pids >= 0)
		fprintf(f, "%sprocesses: at most %" PRId64 "\n", indent, l->pids);
	for (size_t i = 0; i < l->n_disks; i++) {
		fprintf(f, "%sdisk %u:%u:", indent, l->disks[i].major, l->disks[i].minor);
		if (l->block_bytes >= 0)
			fprintf(f, " at most %" PRId64 " bytes a second%s", l->block_bytes, l->block_ops >= 0 ? "," : "");
		if (l->block_ops >= 0)
			fprintf(f, " at most %" PRId64 " operations a second", l->block_ops);
		fputs(", reading and writing each\n", f);
	}
	if (!l->devices)
		return;
	fprintf(f, "%sdevices: none but", indent);
	for (size_t i = 0; i < l->n_devices; i++) {
		const struct cg_device *d = &l->device_list[i];

		fprintf(f, " %c%" PRId64 ":", d->type, d->major);
		if (d->minor < 0)
			fputc('*', f);
		else
			fprintf(f, "%" PRId64, d->minor);
		fprintf(f, "(%s)", d->access);
	}
	fputc('\n', f);
}

static void print_mount(FILE *f, const struct plan_mount *m)
{
	static const char *const kinds[] = {
		[SOURCE_HOST] = "host", [SOURCE_EMPTY] = "pod directory", [SOURCE_FILE] = "pod file",
		[SOURCE_TMPFS] = "memory"};

	fprintf(f, "\tmount: %s on %s from the %s%s%s%s%s%s\n", q(m->path), q(m->target), kinds[m->source],
		m->filled ? ", with what the image has there" : "", m->read_only ? ", read-only" : "", m->recursive ? ", with what is mounted below" : "",
		m->device ? ", a device" : "", m->only_with_dns ? ", if the network names servers" : "");
}

static void print_seccomp(FILE *f, const struct plan_app *pa)
{
	const struct isolator *retain = isolator_find(pa->isolators, ISO_SECCOMP_RETAIN);
	const struct isolator *iso = retain ? retain : isolator_find(pa->isolators, ISO_SECCOMP_REMOVE);

	if (pa->record.chroot)
		fprintf(f, "\tseccomp, control group: none\n");
	else if (!pa->record.seccomp)
		fprintf(f, "\tseccomp: none\n");
	else if (!iso)
		fprintf(f, "\tseccomp: the default filter\n");
	else {
		fprintf(f, "\tseccomp: %s, else %s:", retain ? "only these" : "all but these",
			iso->names.err_no ? iso->names.err_no : "SIGSYS");
		print_strv(f, "", iso->names.set);
	}
}

static void print_app(FILE *f, const struct plan *plan, const struct plan_app *pa)
{
	const struct app_record *rec = &pa->record;

	fprintf(f, "app %s:\n", pa->name);
	fprintf(f, "\troot: %s%s, %s\n", plan->overlay ? "an overlay over " : "", tree_top(pa->tree),
		rec->read_only_root ? "read-only" : "writable");
	for (size_t i = pa->tree->n - 1; i-- > 0;)
		fprintf(f, "\t\tover %s\n", pa->tree->layers[i]);
	print_strv(f, "\texec:", rec->exec);
	print_strv(f, "\tpre-start:", rec->pre_start);
	print_strv(f, "\tpost-stop:", rec->post_stop);
	fprintf(f, "\tin %s as user %s, group %s", q(rec->cwd), q(rec->user), q(rec->group));
	for (size_t i = 0; i < rec->n_gids; i++)
		fprintf(f, "%s%u", i ? "," : ", also ", rec->gids[i]);
	fprintf(f, "%s\n", rec->login_groups ? ", and the user's own groups" : "");
	for (char **v = rec->env; v && *v; v++)
		fprintf(f, "\tenvironment: %s\n", q(*v));
	for (size_t i = 0; i < pa->n_mounts; i++)
		print_mount(f, &pa->mounts[i]);
	print_strv(f, "\tempty:", rec->masks);
	print_strv(f, "\tread-only:", rec->read_only_paths);
	fprintf(f, "\tcapabilities: %016" PRIx64 "%s\n", rec->caps_bounding,
		rec->no_new_privs ? ", no new privileges" : "");
	print_seccomp(f, pa);
	if (rec->apparmor)
		fprintf(f, "\tAppArmor profile: %s\n", q(rec->apparmor));
	if (rec->selinux)
		fprintf(f, "\tSELinux context: %s\n", q(rec->selinux));
	if (rec->has_oom_score_adj)
		fprintf(f, "\toom score adjustment: %d\n", rec->oom_score_adj);
	if (pa->group)
		fprintf(f, "\tcontrol group: %s\n", pa->group);
	print_limits(f, "\t", &pa->limits);
}

void plan_print(const struct plan *plan, FILE *f)
{
	fprintf(f, "pod %s:\n", plan->uuid);
	if (!plan->chroot)
		fprintf(f, "\thostname: %s\n", plan->hostname);
	fprintf(f, "\tnamespaces of its own: mount%s%s%s%s\n",
		plan->chroot ? "" : ", process ids, hostname", plan->private_net ? ", network" : "",
		plan->private_ipc ? ", ipc" : "", plan->ids.count ? ", users" : "");
	if (plan->ids.count)
		fprintf(f, "\tuser ids 0 to %u: %u and up of the host\n", plan->ids.count - 1, plan->ids.shift);
	if (plan->nets)
		print_strv(f, "\tnetworks:", plan->nets);
	else
		fprintf(f, "\tnetworks: %s\n", plan->private_net ? "none" : "the host's");
	if (plan->group)
		fprintf(f, "\tcontrol group: %s\n", plan->group);
	print_limits(f, "\t", &plan->limits);
	if (plan->net_bytes)
		fprintf(f, "\tbandwidth: at most %" PRId64 " bytes a second on each network, each way\n",
			plan->net_bytes);
	print_strv(f, "\tkernel settings:", plan->sysctls);
	for (size_t i = 0; i < plan->n_volumes; i++)
		fprintf(f, "\tempty volume: %s, mode %04o, owner %u:%u\n", plan->volumes[i].path,
			(unsigned) plan->volumes[i].mode, plan->volumes[i].uid, plan->volumes[i].gid);
	for (size_t i = 0; i < plan->n_apps; i++)
		print_app(f, plan, &plan->apps[i]);
	for (char **n = plan->notes; n && *n; n++)
		fprintf(f, "note: %s\n", *n);
}
