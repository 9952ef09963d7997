#include "cni-plugins/skel/attachments.h"

#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "cni-plugins/skel/hash.h"

#define HASHED_MAX 20

void cni_attachments_done(struct cni_attachments *a)
{
	free(a->list);
	*a = (struct cni_attachments) {0};
}

static int decode_one(const cJSON *j, const struct json_at *at, void *arg, struct err *e)
{
	struct cni_attachments *a = arg;
	struct cni_attachment one = {json_get_str(j, "containerID"), json_get_str(j, "ifname")};

	if (!one.container_id || !one.ifname)
		return json_err(at, e, "expected containerID and ifname");
	a->list = xgrow(a->list, a->n, sizeof *a->list);
	a->list[a->n++] = one;
	return 0;
}

static int cmp_id(const void *a, const void *b)
{
	const struct cni_attachment *x = a, *y = b;

	return strcmp(x->container_id, y->container_id);
}

static int cmp(const void *a, const void *b)
{
	const struct cni_attachment *x = a, *y = b;
	int c = cmp_id(a, b);

	return c ? c : strcmp(x->ifname, y->ifname);
}

int cni_attachments_decode(const cJSON *conf, struct cni_attachments *ret, struct err *e)
{
	static const char *const keys[] = {"cni.dev/valid-attachments", "cni.dev/attachments"};

	for (size_t i = 0; i < ELEMENTSOF(keys); i++) {
		struct json_at at = {.key = keys[i]};
		const cJSON *list = json_get(conf, keys[i]);
		int r;

		if (!list || cJSON_IsNull(list))
			continue;
		r = json_each(list, &at, decode_one, ret, e);
		if (r < 0)
			return r;
		ret->known = true;
		if (ret->n)
			qsort(ret->list, ret->n, sizeof *ret->list, cmp);
		return 0;
	}
	return 0;
}

bool cni_attachments_have(const struct cni_attachments *a, const char *container_id,
			  const char *ifname)
{
	struct cni_attachment key = {container_id, ifname};

	return a->n && bsearch(&key, a->list, a->n, sizeof key, ifname ? cmp : cmp_id);
}

/* '#' begins no network's name. */
static void hash_network(const char *network, char buf[static HASHED_MAX])
{
	(void) snprintf(buf, HASHED_MAX, "#%016llx", (unsigned long long) cni_hash(network));
}

void cni_owner(const char *network, const char *container_id, const char *ifname,
	       char buf[static CNI_OWNER_MAX])
{
	char hashed[HASHED_MAX];

	if (snprintf(buf, CNI_OWNER_MAX, "cni %s %s %s", network, container_id, ifname) <
	    CNI_OWNER_MAX)
		return;
	hash_network(network, hashed);
	(void) snprintf(buf, CNI_OWNER_MAX, "cni %s %s %s", hashed, container_id, ifname);
}

bool cni_owner_is_stale(const char *owner, const char *network, const struct cni_attachments *valid)
{
	_cleanup_strv_ char **words = strv_split(owner, ' ');
	char hashed[HASHED_MAX];

	hash_network(network, hashed);
	if (strv_len(words) != 4 || strcmp(words[0], "cni") ||
	    (strcmp(words[1], network) && strcmp(words[1], hashed)))
		return false;
	return !cni_attachments_have(valid, words[2], words[3]);
}
