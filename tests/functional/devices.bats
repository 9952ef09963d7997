# Devices: an app may make a few nodes, and use those alone.

load ../lib/gantry

setup_file() { suite_up; }
teardown_file() { suite_down; }
setup() { test_up; }
teardown() { test_down; }

@test "devices: the usual ones can be made, what the host has cannot" {
	need ns-flavor
	run_probe -- device c 1 3 , device c 1 5 , device c 5 2 , device c 10 237 , device b 7 0 , device c 1 1
	assert_ok
	# a node may be made where it cannot be opened: the root is nodev
	assert_match '^device c 1:3=(ok|open EACCES)$' '^device c 1:5=(ok|open EACCES)$'
	assert_out 'device c 10:237=mknod EPERM' 'device b 7:0=mknod EPERM' 'device c 1:1=mknod EPERM'
}

@test "devices: paths may be opened up" {
	need ns-flavor
	INSECURE=image,paths run_probe -- device c 10 237 , device c 1 1
	assert_ok
	refute_match 'mknod EPERM'
}

@test "devices: a volume that is a device can be used as it was given" {
	need ns-flavor
	# none that every app has; opening it does nothing
	[ -c /dev/loop-control ] || skip "no loop-control here"
	local volume=--volume=d,kind=host,source=/dev/loop-control mount=--mount=volume=d,target=/dev/mine
	g run --net=none "$volume,readOnly=true" "$mount" "$PROBE_ID" -- stat /dev/mine , open r /dev/mine , open rw /dev/mine
	assert_ok
	assert_match '^stat /dev/mine=c .* dev 10:237' '^open r /dev/mine=ok$'
	assert_out 'open rw /dev/mine=EPERM'
	g run --net=none "$volume" "$mount" "$PROBE_ID" -- open rw /dev/mine
	assert_ok
	assert_out 'open rw /dev/mine=ok'
	# the other apps have nothing of it
	g run --net=none "$PROBE_ID" -- device c 10 237
	assert_ok
	assert_out 'device c 10:237=mknod EPERM'
}
