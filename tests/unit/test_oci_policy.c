#include "tests/unit/unit.h"

#include <errno.h>

#include "stage0/oci/policy.h"

#define KEY "\"keyType\": \"GPGKeys\", \"keyPath\": \"/k\""
#define SIGNED(more) "[{\"type\": \"signedBy\", " KEY more "}]"
#define ACCEPT "[{\"type\": \"insecureAcceptAnything\"}]"
#define REJECT "[{\"type\": \"reject\"}]"

static struct policy *parse(const char *text)
{
	_cleanup_err_ struct err e = ERR_INIT;
	struct policy *p = policy_parse(text, strlen(text), &e);

	if (!p)
		fail_msg("%s: %s", text, err_text(&e));
	return p;
}

static void refused(const char *text, const char *why)
{
	_cleanup_err_ struct err e = ERR_INIT;

	if (policy_parse(text, strlen(text), &e))
		fail_msg("accepted: %s", text);
	if (!strstr(err_text(&e), why))
		fail_msg("%s: %s", text, err_text(&e));
}

static void test_refused(void **state _unused_)
{
	refused("", "line 1");
	refused("[]", "expected object");
	refused("{\"defaults\": " REJECT "}", "defaults");
	refused("{\"transports\": {\"docker\": {\"registry-1.docker.io/a\": " REJECT "}}}", "is written docker.io");
	refused("{\"transports\": {\"docker\": {\"index.docker.io\": " REJECT "}}}", "is written docker.io");
	refused("{\"transports\": {\"docker\": {\"docker.io:443/a:b\": " REJECT "}}}", "is written docker.io");
	refused("{\"default\": []}", "must not be empty");
	refused("{\"default\": {}}", "default");
	refused("{\"default\": [{}]}", "type");
	refused("{\"default\": [{\"type\": \"Reject\"}]}", "type \"Reject\" is not known");
	refused("{\"default\": [{\"type\": \"reject\", \"keyPath\": \"/k\"}]}", "has no other members");
	refused("{\"default\": [{\"type\": \"signedBy\", \"keyPath\": \"/k\"}]}", "keyType");
	refused("{\"default\": [{\"type\": \"signedBy\", \"keyType\": \"X509\", \"keyPath\": \"/k\"}]}", "X509");
	refused("{\"default\": [{\"type\": \"signedBy\", \"keyType\": \"GPGKeys\"}]}", "expected one of keyPath");
	refused("{\"default\": [{\"type\": \"signedBy\", \"keyType\": \"GPGKeys\", \"keyPath\": \"k\"}]}",
		"absolute");
	refused("{\"default\": " SIGNED(", \"keyData\": \"a2V5\"") "}", "expected one of keyPath");
	refused("{\"default\": " SIGNED(", \"lookaside\": \"/dir\"") "}", "lookaside");
	refused("{\"default\": " SIGNED(", \"signedIdentity\": {\"type\": \"any\"}") "}", "any");
	refused("{\"default\": " SIGNED(", \"signedIdentity\": {\"type\": \"exactReference\"}") "}", "missing");
	refused("{\"default\": " SIGNED(", \"signedIdentity\": {\"type\": \"matchExact\", \"prefix\": \"a\"}") "}",
		"do not go with");
	refused("{\"default\": [{\"type\": \"sigstoreSigned\", \"fulcio\": {}, \"keyPath\": \"/k\"}]}", "fulcio");
	refused("{\"default\": [{\"type\": \"sigstoreSigned\"}]}", "expected one of keyPath");
	refused("{\"transports\": {\"dockr\": {}}}", "dockr");
	refused("{\"transports\": {\"docker\": []}}", "transports.docker");
	refused("{\"transports\": {\"docker\": {\"a\": []}}}", "must not be empty");
	refused("{\"default\": " REJECT ", \"default\": " ACCEPT "}", "default");
}

static const char table[] = "{\"default\": " REJECT ", \"transports\": {"
			    "\"docker\": {"
			    "\"docker.io/library/busybox:1\": " ACCEPT ","
			    "\"docker.io/library/busybox:0\": " REJECT ","
			    "\"docker.io/library/busybox\": " ACCEPT ","
			    "\"docker.io/library\": " ACCEPT ","
			    "\"docker.io\": " ACCEPT ","
			    "\"localhost:5000/a\": " ACCEPT ","
			    "\"*.example.com\": " ACCEPT ","
			    "\"*.b.example.com\": " ACCEPT "},"
			    "\"oci\": {\"/images/x:one\": " ACCEPT ", \"/images\": " ACCEPT ", \"\": " ACCEPT "},"
			    "\"docker-archive\": {\"/\": " ACCEPT "}}}";

static const char digest[] = "sha256:0123456789012345678901234567890123456789012345678901234567890123";

static void covered(const struct policy *p, const char *word, const char *scope)
{
	_cleanup_oci_ref_ struct oci_ref ref = {0};
	_cleanup_err_ struct err e = ERR_INIT;
	_cleanup_free_ char *got = NULL;

	if (oci_ref_parse(word, "docker.io", &ref, &e) < 0)
		fail_msg("%s: %s", word, err_text(&e));
	assert_non_null(policy_find(p, &ref, &got));
	assert_string_equal(got, scope);
}

static void test_scopes(void **state _unused_)
{
	_cleanup_policy_ struct policy *p = parse(table);
	_cleanup_free_ char *by_digest = xasprintf("docker://busybox@%s", digest);
	_cleanup_free_ char *tag_and_digest = xasprintf("docker://busybox:1@%s", digest);
	_cleanup_free_ char *rejected = xasprintf("docker://busybox:0@%s", digest);

	covered(p, "docker://busybox:1", "docker docker.io/library/busybox:1");
	/* What the digest names need not be what the tag lets in; what it keeps out stays out. */
	covered(p, tag_and_digest, "docker docker.io/library/busybox");
	covered(p, rejected, "docker docker.io/library/busybox:0");
	covered(p, "docker://busybox:10", "docker docker.io/library/busybox");
	covered(p, by_digest, "docker docker.io/library/busybox");
	covered(p, "docker://busyboxes", "docker docker.io/library");
	covered(p, "docker://someone/busybox", "docker docker.io");
	/* By each of its names. */
	covered(p, "docker://docker.io:443/library/busybox:0", "docker docker.io/library/busybox:0");
	covered(p, "docker://index.docker.io/busybox:0", "docker docker.io/library/busybox:0");
	covered(p, "docker://registry-1.docker.io/library/busybox:0", "docker docker.io/library/busybox:0");
	covered(p, "docker://registry-1.docker.io:443/someone/x", "docker docker.io");
	covered(p, "docker://localhost:5000/a", "docker localhost:5000/a");
	covered(p, "docker://localhost:5000/a/b:2", "docker localhost:5000/a");
	/* A part of a component is none. */
	covered(p, "docker://localhost:5000/ab", "default");
	covered(p, "docker://localhost:5001/a", "default");
	covered(p, "docker://a.example.com/x", "docker *.example.com");
	covered(p, "docker://a.b.example.com:443/x", "docker *.b.example.com");
	covered(p, "docker://example.com/x", "default");
	covered(p, "docker://badexample.com/x", "default");
	covered(p, "oci:/images/x:one", "oci /images/x:one");
	covered(p, "oci:/images/x:two", "oci /images");
	covered(p, "oci:/images2", "oci");
	covered(p, "docker-archive:/a/b", "docker-archive /");
	covered(p, "oci-archive:/a/b", "default");
}

static void test_nobodys(void **state _unused_)
{
	_cleanup_policy_ struct policy *p = parse("{\"transports\": {\"docker\": {\"a.com\": " ACCEPT "}}}");
	_cleanup_oci_ref_ struct oci_ref ref = {0};
	_cleanup_free_ char *scope = NULL;

	assert_int_equal(oci_ref_parse("docker://b.com/x", "docker.io", &ref, NULL), 0);
	assert_null(policy_find(p, &ref, &scope));
	assert_null(scope);
}

static void identity(const char *rule, const char *word, const char *signed_as, int want)
{
	_cleanup_free_ char *text =
		xasprintf("{\"default\": " SIGNED("%s%s") "}", *rule ? ", \"signedIdentity\": " : "", rule);
	_cleanup_policy_ struct policy *p = parse(text);
	_cleanup_oci_ref_ struct oci_ref ref = {0};
	_cleanup_err_ struct err e = ERR_INIT;
	int r;

	assert_int_equal(oci_ref_parse(word, "docker.io", &ref, NULL), 0);
	r = identity_check(&p->otherwise.v[0].identity, &ref, signed_as, &e);
	if (r != want)
		fail_msg("%s for %s, signed as %s: %d %s", rule, word, signed_as, r, err_text(&e));
}

static void test_identities(void **state _unused_)
{
	_cleanup_free_ char *by_digest = xasprintf("docker://a.com/x@%s", digest);
	static const char exact[] = "{\"type\": \"matchExact\"}", repository[] = "{\"type\": \"matchRepository\"}",
			  reference[] = "{\"type\": \"exactReference\", \"dockerReference\": \"a.com/y:2\"}",
			  in[] = "{\"type\": \"exactRepository\", \"dockerRepository\": \"a.com/y\"}",
			  remap[] = "{\"type\": \"remapIdentity\", \"prefix\": \"m.com/a\", \"signedPrefix\": "
				    "\"a.com\"}";

	identity("", "docker://a.com/x:1", "a.com/x:1", 0);
	identity("", "docker://a.com/x:1", "a.com/x:2", -EBADMSG);
	identity("", "docker://a.com/x:1", "a.com/x", -EBADMSG);
	identity("", "docker://a.com/x:1", "b.com/x:1", -EBADMSG);
	identity("", "docker://a.com/x", "a.com/x:latest", 0);
	identity("", by_digest, "a.com/x:1", 0);
	identity("", by_digest, "a.com/xy:1", -EBADMSG);
	identity("", by_digest, "a.com/xy", -EBADMSG);
	identity("", "docker://busybox:1", "index.docker.io/library/busybox:1", 0);
	identity(exact, "docker://a.com/x:1", "a.com/x:1", 0);
	identity(exact, by_digest, "a.com/x:1", -EBADMSG);
	identity(repository, "docker://a.com/x:1", "a.com/x:2", 0);
	identity(repository, "docker://a.com/x:1", "a.com/x", 0);
	identity(repository, "docker://a.com/x:1", "a.com/x/y", -EBADMSG);
	identity(repository, "docker://a.com:5000/x:1", "a.com:5000/x", 0);
	identity(repository, "docker://a.com:5000/x:1", "a.com:5001/x", -EBADMSG);
	identity(reference, "docker://a.com/x:1", "a.com/y:2", 0);
	identity(reference, "docker://a.com/x:1", "a.com/y:1", -EBADMSG);
	identity(reference, "oci:/x", "a.com/y:2", 0);
	identity(in, "docker://a.com/x:1", "a.com/y:7", 0);
	identity(in, "docker://a.com/x:1", "a.com/yy:7", -EBADMSG);
	identity(in, "oci:/x", "a.com/y:7", 0);
	identity("", "oci:/x", "a.com/y:7", -EINVAL);
	identity(remap, "docker://m.com/a/x:1", "a.com/x:1", 0);
	identity(remap, "docker://m.com/ab/x:1", "a.comb/x:1", -EBADMSG);
	identity(remap, "docker://m.com/ab/x:1", "m.com/ab/x:1", 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_scopes),
		cmocka_unit_test(test_nobodys),
		cmocka_unit_test(test_identities),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
