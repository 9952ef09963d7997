#include "stage0/trust/discover.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "stage0/context.h"
#include "stage0/discovery/discovery.h"
#include "stage0/trust/keystore.h"
#include "stage0/trust/review.h"

/* Only what is proved to come from the host, whatever else this command may take from elsewhere. */
static struct gantry strictly(const struct gantry *g)
{
	struct gantry strict = *g;

	strict.insecure &= ~(unsigned) (INSECURE_HTTP | INSECURE_TLS | INSECURE_PUBKEY);
	return strict;
}

static int add_key(const struct gantry *g, const char *name, const char *url, struct err *e)
{
	struct trust_review review = {0};
	_cleanup_free_ char *path = NULL;
	int r = trust_review_read(g, url, false, &review, e);

	if (r < 0)
		return r;
	if (!review.https) {
		r = err_set(e, EPERM, "key %s did not come over https", q(url));
	} else if (trust_key_is_masked(g, name, review.fpr)) {
		r = err_set(e, EPERM, "key %s is masked by an empty file", review.fpr);
	} else {
		trust_review_show(&review, url, name);
		r = trust_key_store(g, name, review.fpr, review.armor, strlen(review.armor), &path,
				    e);
	}
	if (r == 0) {
		log_info("trusting %s for prefix %s without fingerprint review", q(url), q(name));
		log_info("Added key for prefix %s at %s", q(name), q(path));
	}
	trust_review_done(&review);
	return r;
}

void trust_discover(const struct gantry *g, const char *name)
{
	_cleanup_trust_keys_ struct trust_keys keys = {0};
	_cleanup_key_places_ struct key_places places = {0};
	_cleanup_err_ struct err e = ERR_INIT;
	struct gantry strict = strictly(g);

	if (!g->trust_keys_from_https || trust_keys_for(g, name, &keys, NULL) < 0 || keys.n)
		return;
	if (discovery_keys(&strict, name, &places, &e) < 0) {
		log_warning("no keys found for %s: %s", q(name), err_text(&e));
		return;
	}
	if (!places.https)
		return;
	for (size_t i = 0; places.urls[i]; i++)
		if (add_key(&strict, name, places.urls[i], &e) < 0)
			log_warning("%s", err_text(&e));
}
