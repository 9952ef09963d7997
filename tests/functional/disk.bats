# A disk that is full, or filled by an app, costs the operation at hand and nothing else.

load ../lib/gantry

setup_file() { suite_up; }
teardown_file() { suite_down; }

# A data directory of SIZE, for the test alone, with the probe image in it.
setup() {
	test_up
	DATA=$T/small
	mkdir "$DATA"
	in_world mount -t tmpfs -o size=16m,mode=755 small "$DATA"
	gantry fetch "$FIX/probe.aci" >/dev/null
}
teardown() {
	test_down
	in_world umount -l "$DATA"
}

in_data() { in_world sh -c 'cd "$1" && shift && eval "$1"' sh "$DATA" "$1"; }

@test "disk: an app that fills the disk with its log cannot hide how it ended" {
	need busybox
	cp -a "$FIX/root" "$T/root"
	cp "$(busybox_static)" "$T/root/busybox"
	make_aci "$T/flood.aci" example.com/flood '{"exec":["/busybox"],"user":"0","group":"0"}' "$T/root"
	g fetch "$T/flood.aci"
	assert_ok
	g run --net=none --uuid-file-save="$T/uuid" example.com/flood --name=app -- \
		sh -c '/busybox dd if=/dev/zero bs=64k count=400 2>/dev/null; exit 5'
	assert_status 5
	# there is no room left: this is what the test is about
	run in_data 'echo x >probe-of-room'
	[ "$status" != 0 ] || skip "the log did not fill the disk"
	g status "$(cat "$T/uuid")"
	assert_ok
	assert_out app-app=5
}

@test "disk: a prepare that found no room is no error of list, and gc takes it" {
	in_data 'dd if=/dev/zero of=fill bs=64k 2>/dev/null || :'
	g prepare "$PROBE_ID"
	assert_refused 254 'No space left on device'
	g list
	assert_ok
	[ -z "$stderr" ] || fail "list complains"
	g gc --grace-period=0s
	assert_ok
	g list --no-legend
	assert_ok
	[ -z "$output" ] || fail "gc left the pod"
}
