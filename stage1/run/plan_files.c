/*
 * /etc/hostname, /etc/hosts and /etc/resolv.conf of the apps: who says what is in them.
 *
 * resolv.conf: stage0's file (--dns) > the network's word > a volume > the image's own.
 * hosts: stage0's file (--hosts-entry) > a volume > the image's own > ours.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"
#include "contract/layout.h"
#include "stage1/run/plan.h"

#define FILE_HOSTNAME POD_ETC "/hostname"
#define FILE_HOSTS POD_ETC "/hosts"
#define FILE_RESOLV POD_ETC "/resolv.conf"

static const struct {
	const char *word;
	enum plan_dns mode;
} dns_words[] = {
	{"default", DNS_DEFAULT},
	{"host", DNS_HOST},
	{"stage0", DNS_STAGE0},
	{"none", DNS_NONE},
};

static int dns_word(const char *key, const char *word, enum plan_dns *ret, struct err *e)
{
	for (size_t i = 0; i < ELEMENTSOF(dns_words); i++)
		if (str_eq(dns_words[i].word, word) &&
		    !(dns_words[i].mode == DNS_NONE && str_eq(key, "hosts"))) {
			*ret = dns_words[i].mode;
			return 0;
		}
	return err_set(e, EINVAL, "--dns-conf-mode: unknown mode %s for %s", q(word), key);
}

int plan_dns_mode(const char *text, enum plan_dns *ret_resolv, enum plan_dns *ret_hosts, struct err *e)
{
	enum plan_dns resolv = DNS_DEFAULT, hosts = DNS_DEFAULT;
	_cleanup_strv_ char **words = text ? strv_split(text, ',') : NULL;
	int r = 0;

	for (char **w = words; w && *w && r == 0; w++) {
		if (str_starts(*w, "resolv="))
			r = dns_word("resolv", *w + strlen("resolv="), &resolv, e);
		else if (str_starts(*w, "hosts="))
			r = dns_word("hosts", *w + strlen("hosts="), &hosts, e);
		else
			r = err_set(e, EINVAL, "--dns-conf-mode: %s is neither resolv= nor hosts=", q(*w));
	}
	if (r < 0)
		return r;
	*ret_resolv = resolv;
	*ret_hosts = hosts;
	return 0;
}

static struct plan_mount *add_file(struct plan_app *pa, const char *path, const char *target)
{
	struct plan_mount *m = plan_add_mount(pa);

	m->source = SOURCE_FILE;
	m->path = xstrdup(path);
	m->target = xstrdup(target);
	return m;
}

/* The host's own file, never to be written through it. */
static void add_host_file(struct plan_app *pa, const char *path)
{
	struct plan_mount *m = add_file(pa, path, path);

	m->source = SOURCE_HOST;
	m->read_only = true;
}

static void plan_content(struct plan *plan, const char *path, char *content)
{
	for (size_t i = 0; i < plan->n_files; i++)
		if (str_eq(plan->files[i].path, path)) {
			free(content);
			return;
		}
	plan->files = xgrow(plan->files, plan->n_files, sizeof *plan->files);
	plan->files[plan->n_files++] = (struct plan_file) {xstrdup(path), content};
}

static char *hosts_content(const char *hostname)
{
	/* rkt's lines, word for word: its users look for them. */
	return xasprintf("127.0.0.1 localhost localhost.domain localhost4 "
			 "localhost4.localdomain4 %s\n"
			 "::1 localhost localhost.domain localhost6 localhost6.localdomain6 "
			 "ip6-localhost ip6-loopback %s\n",
			 hostname, hostname);
}

/* Whether the app would find the file without our help: in a volume, or in its image. */
static int is_there(const struct pod *pod, const struct plan_app *pa, const char *path, struct err *e)
{
	enum tree_has has;
	int r;

	if (plan_covered(pa, path))
		return 1;
	r = tree_look(pa->tree, pod->dir, path, &has, e);
	return r < 0 ? r : has != TREE_NOTHING;
}

static void plan_resolv(enum plan_dns mode, struct plan *plan, struct plan_app *pa)
{
	switch (mode) {
	case DNS_HOST:
		add_host_file(pa, "/etc/resolv.conf");
		break;
	case DNS_STAGE0:
		add_file(pa, FILE_RESOLV, "/etc/resolv.conf");
		break;
	case DNS_DEFAULT:
		if (!plan->nets)
			break;
		plan_content(plan, FILE_RESOLV, xstrdup(""));
		add_file(pa, FILE_RESOLV, "/etc/resolv.conf")->only_with_dns = true;
		break;
	case DNS_NONE:
		break;
	}
}

static int plan_hosts(const struct pod *pod, enum plan_dns mode, struct plan *plan, struct plan_app *pa,
		      struct err *e)
{
	int r;

	if (mode == DNS_HOST) {
		add_host_file(pa, "/etc/hosts");
		return 0;
	}
	/* Without a network of its own there is nothing to say that the image does not. */
	if (mode == DNS_DEFAULT && plan->chroot)
		return 0;
	if (mode == DNS_DEFAULT) {
		r = is_there(pod, pa, "/etc/hosts", e);
		if (r)
			return r < 0 ? r : 0;
		plan_content(plan, FILE_HOSTS, hosts_content(plan->hostname));
	}
	add_file(pa, FILE_HOSTS, "/etc/hosts");
	return 0;
}

int plan_files(const struct pod *pod, enum plan_dns resolv, enum plan_dns hosts, struct plan *plan,
	       struct err *e)
{
	for (size_t i = 0; i < plan->n_apps; i++) {
		struct plan_app *pa = &plan->apps[i];
		int r;

		/* A volume over /etc is the operator's: nothing is made in it that was not asked for. */
		if (!plan->chroot && !plan_covered(pa, "/etc/hostname")) {
			plan_content(plan, FILE_HOSTNAME, xasprintf("%s\n", plan->hostname));
			add_file(pa, FILE_HOSTNAME, "/etc/hostname")->read_only = true;
		}
		plan_resolv(resolv, plan, pa);
		r = plan_hosts(pod, hosts, plan, pa, e);
		if (r < 0)
			return err_ctx(e, r, "app %s", pa->name);
	}
	return 0;
}
