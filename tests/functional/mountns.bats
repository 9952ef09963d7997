# Each app has a mount namespace of its own, beside the one of the pod's first process.

load ../lib/gantry

setup_file() { suite_up; }
teardown_file() { suite_down; }
setup() { test_up; }
teardown() { test_down; }

@test "mountns: an app that may look at PID 1 sees another namespace than its own" {
	need ns-flavor
	run_probe --caps-retain=CAP_SYS_PTRACE -- ns 1 , ns
	assert_ok
	local namespaces
	mapfile -t namespaces < <(sed -n 's/^ns mnt=//p' "$T/out")
	[[ ${namespaces[0]} == mnt:* && ${namespaces[1]} == mnt:* ]] || fail "not readable"
	[ "${namespaces[0]}" != "${namespaces[1]}" ] || fail "the same"
}

@test "mountns: what one app mounts the other does not see" {
	need ns-flavor
	INSECURE=image,all-run g run --net=none "$PROBE_ID" --name=one -- try mount , write /tmp/mine x , write /dev/shm/one x , await /dev/shm/two --- \
		"$PROBE_ID" --name=two -- await /dev/shm/one , stat /tmp/mine , mount /tmp , write /dev/shm/two x
	assert_ok
	assert_out 'one: mount=ok' 'two: stat /tmp/mine=ENOENT'
	refute_match 'two: mount /tmp=tmpfs'
}
