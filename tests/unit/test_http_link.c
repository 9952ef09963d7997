#include "tests/unit/unit.h"

#include "base/mem.h"
#include "stage0/worker/http_link.h"

static void test_next(void **state _unused_)
{
	static const struct {
		const char *value, *target; /* NULL: there is none */
	} rows[] = {
		{"</v2/a/referrers/x?last=1>; rel=\"next\"", "/v2/a/referrers/x?last=1"},
		{"</a>; rel=next", "/a"},
		{"</a>;REL=NEXT", "/a"},
		{"  </a> ; title=\"b, c; rel=next\" ; rel=\"prev\" , </b>; rel=\"last next\"", "/b"},
		{"</a>; rel=prev, </b>; rel=next, </c>; rel=next", "/b"},
		{"</a,b;c>; rel=next", "/a,b;c"},
		{"</a>; title=\"x\\\"y\"; rel=next", "/a"},
		{"</a>; rel=prev; rel=next", NULL}, /* RFC 8288 section 3.3: the first counts */
		{"</a>, , </b>; rel=next", "/b"},
		{"</a>; rel=nextone", NULL},
		{"</a>; rel", NULL},
		{"</a>; rel=\"next", "/a"},
		{"<>; rel=next", NULL},
		{"</a; rel=next", NULL},
		{"/a; rel=next", NULL},
		{"</a>; title=\"", NULL},
		{"</a>; title=\"\\", NULL},
		{"", NULL},
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_free_ char *target = http_link_next(rows[i].value);

		if (!target != !rows[i].target || (target && strcmp(target, rows[i].target)))
			fail_msg("%s: %s", rows[i].value, target ? target : "(none)");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_next)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
