# Hosts where newer system calls are missing or filtered away: gantry does without them, or refuses the
# start with a line that names the call, and leaves nothing.

load ../lib/gantry

setup_file() { suite_up; }
teardown_file() { suite_down; }
setup() {
	test_up
	leak_snapshot
	mkdir "$T/volume"
	echo content >"$T/volume/file"
}
teardown() {
	GANTRY=$REAL_GANTRY
	test_down
}
REAL_GANTRY=$GANTRY
BLOCK=${PROBE%/*}/block

# From here on, gantry and all that it starts get an error from these calls: CALL[=ERRNO]...
block() {
	[ -x "$BLOCK" ] || fail "no $BLOCK"
	printf '#!/bin/sh\nexec "%s" %s -- "%s" "$@"\n' "$BLOCK" "$*" "$REAL_GANTRY" >"$T/gantry"
	chmod +x "$T/gantry"
	GANTRY=$T/gantry
}

start() {
	g run --net=none --volume=v,kind=host,source="$T/volume" --volume=e,kind=empty "$PROBE_ID" \
		--mount=volume=v,target=/v --mount=volume=e,target=/e -- cat /v/file , exit 7
}

assert_all_gone() {
	GANTRY=$REAL_GANTRY
	collect_all
	assert_no_leaks
}

@test "blocked: calls for which there is another way" {
	local call
	for call in openat2 openat2=EPERM clone3 clone3=EPERM close_range pidfd_send_signal; do
		block "$call"
		start
		assert_status 7
		assert_out content
	done
	block openat2 clone3 close_range
	start
	assert_status 7
	assert_all_gone
}

@test "blocked: calls that a pod cannot be made without are named" {
	local call
	for call in fsopen fsopen=EPERM open_tree open_tree=EPERM memfd_create; do
		block "$call"
		start
		assert_refused 254 "${call%%=*}"
	done
	assert_all_gone
}

@test "blocked: a step that fails inside the pod ends it with one line" {
	local call
	for call in move_mount mount_setattr=EPERM pivot_root=EPERM; do
		block "$call"
		start
		assert_status 254
		assert_equal "$(grep -c '^gantry: run: ' "$T/err")" 1
	done
	assert_all_gone
}

@test "blocked: enter without the newer calls" {
	start_pod "$PROBE_ID" -- pause
	block openat2 clone3 close_range
	g enter "$UUID" /probe exit 5
	assert_status 5
	block setns=EPERM
	g enter "$UUID" /probe exit 5
	assert_refused 254 namespace
}
