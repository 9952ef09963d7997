/* What of a file names an id, from a tree to a pod's directory and back. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <string.h>

#include "stage0/store/id_shift.h"

#define ACCESS "system.posix_acl_access"
#define CAPABILITY "security.capability"

static const struct id_shift to_host = {{0x90000, 65536}, ID_SHIFT_TO_HOST};
static const struct id_shift to_pod = {{0x90000, 65536}, ID_SHIFT_TO_POD};
static const struct id_shift none = {{0, 0}, ID_SHIFT_TO_HOST};

static void test_ids(void **state _unused_)
{
	uint32_t id = 7;

	assert_int_equal(id_shift(NULL, 70000, &id), 0);
	assert_int_equal(id, 70000);
	assert_int_equal(id_shift(&none, 70001, &id), 0);
	assert_int_equal(id, 70001);
	assert_int_equal(id_shift(&to_host, 0, &id), 0);
	assert_int_equal(id, 0x90000);
	assert_int_equal(id_shift(&to_host, 65535, &id), 0);
	assert_int_equal(id, 0x9ffff);
	assert_int_equal(id_shift(&to_pod, 0x9ffff, &id), 0);
	assert_int_equal(id, 65535);
	assert_int_equal(id_shift(&to_host, 65536, &id), -ERANGE);
	assert_int_equal(id_shift(&to_host, UINT32_MAX, &id), -ERANGE);
	assert_int_equal(id_shift(&to_pod, 0xa0000, &id), -ERANGE);
	assert_int_equal(id_shift(&to_pod, 0x8ffff, &id), -ERANGE);
	assert_int_equal(id_shift(&to_pod, 0, &id), -ERANGE);
	assert_int_equal(id, 65535);
}

/* One way, and back again to what it was. */
static void both(const char *name, const uint8_t *pod, size_t pod_len, const uint8_t *host, size_t host_len)
{
	uint8_t buf[256];
	size_t len = pod_len;

	memcpy(buf, pod, pod_len);
	assert_int_equal(id_shift_xattr(&to_host, name, buf, &len), 0);
	assert_int_equal(len, host_len);
	assert_memory_equal(buf, host, host_len);
	assert_int_equal(id_shift_xattr(&to_pod, name, buf, &len), 0);
	assert_int_equal(len, pod_len);
	assert_memory_equal(buf, pod, pod_len);
}

static void refused(const struct id_shift *s, const char *name, const uint8_t *value, size_t len, int want)
{
	uint8_t buf[256];

	memcpy(buf, value, len);
	assert_int_equal(id_shift_xattr(s, name, buf, &len), want);
}

/* user::rwx user:5:r user:65535:w group::r group:7:x mask::rwx other::- */
#define ACL(user, last, group)                                                                                         \
	{                                                                                                              \
		2, 0, 0, 0, 1, 0, 7, 0, 255, 255, 255, 255, 2, 0, 4, 0, user, 2, 0, 2, 0, last, 4, 0, 4, 0, 255, 255,      \
			255, 255, 8, 0, 1, 0, group, 16, 0, 7, 0, 255, 255, 255, 255, 32, 0, 0, 0, 255, 255, 255, 255          \
	}
#define ID(a, b, c) a, b, c, 0

static void test_acl(void **state _unused_)
{
	static const uint8_t pod[] = ACL(ID(5, 0, 0), ID(255, 255, 0), ID(7, 0, 0));
	static const uint8_t host[] = ACL(ID(5, 0, 9), ID(255, 255, 9), ID(7, 0, 9));
	static const uint8_t other[] = ACL(ID(5, 0, 0), ID(255, 255, 0), ID(0, 0, 1));

	both(ACCESS, pod, sizeof pod, host, sizeof host);
	both("system.posix_acl_default", pod, sizeof pod, host, sizeof host);
	both("user.posix_acl_access", pod, sizeof pod, pod, sizeof pod);
	refused(&to_host, ACCESS, other, sizeof other, -ERANGE);
	refused(&to_pod, ACCESS, pod, sizeof pod, -ERANGE);
	refused(&to_host, ACCESS, pod, sizeof pod - 1, -EINVAL);
	refused(&to_host, ACCESS, pod, 3, -EINVAL);
	refused(&to_host, ACCESS, pod + 1, sizeof pod - 1, -EINVAL);
	refused(&none, ACCESS, pod, 3, 0);
	refused(NULL, ACCESS, pod, 3, 0);
}

static void test_capability(void **state _unused_)
{
	static const uint8_t v2[20] = {1, 0, 0, 2, 0, 0x20, 0, 0};
	static const uint8_t v3[24] = {1, 0, 0, 3, 0, 0x20, 0, 0, [20] = 0, 0, 9, 0};
	static const uint8_t deep[24] = {1, 0, 0, 3, 0, 0x20, 0, 0, [20] = 1, 2, 0, 0};
	static const uint8_t deep_host[24] = {1, 0, 0, 3, 0, 0x20, 0, 0, [20] = 1, 2, 9, 0};
	static const uint8_t zero[24] = {1, 0, 0, 3, 0, 0x20, 0, 0};
	static const uint8_t v1[12] = {1, 0, 0, 1};
	uint8_t buf[24];
	size_t len = sizeof zero;

	both(CAPABILITY, v2, sizeof v2, v3, sizeof v3);
	both(CAPABILITY, deep, sizeof deep, deep_host, sizeof deep_host);
	memcpy(buf, zero, sizeof zero);
	assert_int_equal(id_shift_xattr(&to_host, CAPABILITY, buf, &len), 0);
	assert_int_equal(len, sizeof v3);
	assert_memory_equal(buf, v3, sizeof v3);
	refused(&to_host, CAPABILITY, v3, sizeof v3, -ERANGE);
	refused(&to_pod, CAPABILITY, v2, sizeof v2, -ERANGE);
	refused(&to_host, CAPABILITY, v1, sizeof v1, -EINVAL);
	refused(&to_host, CAPABILITY, v3, sizeof v2, -EINVAL);
	refused(&to_host, CAPABILITY, v2, 3, -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ids),
		cmocka_unit_test(test_acl),
		cmocka_unit_test(test_capability),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
