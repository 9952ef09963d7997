# Memory, CPU, process and device limits: what the kernel says of them, and that they bite.

load ../lib/gantry

setup_file() { suite_up; }
teardown_file() { suite_down; }
setup() { test_up; }
teardown() { test_down; }

# limit UUID CONTROLLER V1-FILE V2-FILE: the value of the app "probe".
limit() {
	if is_v1 "$2"; then
		cat "$(app_cgroup "$1" probe "$2")/$3"
	else
		cat "$(app_cgroup "$1" probe "$2")/$4"
	fi
}

@test "limits: --memory reaches the kernel, and swap is no way around it" {
	need memory
	start_pod "$PROBE_ID" --memory=42Mi -- pause
	assert_equal "$(limit "$UUID" memory memory.limit_in_bytes memory.max)" $((42 << 20))
	if is_v1 memory; then
		local dir
		dir=$(app_cgroup "$UUID" probe memory)
		[ ! -e "$dir/memory.memsw.limit_in_bytes" ] ||
			assert_equal "$(cat "$dir/memory.memsw.limit_in_bytes")" $((42 << 20))
	else
		[ ! -e "$(app_cgroup "$UUID" probe memory)/memory.swap.max" ] ||
			assert_equal "$(limit "$UUID" memory - memory.swap.max)" 0
	fi
}

@test "limits: an app over its memory is killed, and says so by its status" {
	need memory
	run_probe --memory=24Mi -- eat 200
	assert_status 137
	refute_match 'ate='
}

@test "limits: an app within its memory is left alone" {
	need memory
	run_probe --memory=64Mi -- eat 20
	assert_ok
	assert_out ate=20
}

@test "limits: a memory limit below a page is refused (it was meant as M, not m)" {
	run_probe --memory=16m -- id
	assert_refused 254 memory
	run_probe --memory=lots -- id
	assert_refused 254 memory lots
}

@test "limits: the image's memory isolator is applied, and a flag replaces it" {
	need memory
	probe_image mem ',"isolators":[{"name":"resource/memory","value":{"request":"10M","limit":"25Mi"}}]'
	start_pod "$ID" --name=probe -- pause
	assert_equal "$(limit "$UUID" memory memory.limit_in_bytes memory.max)" $((25 << 20))
	start_pod "$ID" --name=probe --memory=30Mi -- pause
	assert_equal "$(limit "$UUID" memory memory.limit_in_bytes memory.max)" $((30 << 20))
}

@test "limits: --cpu becomes a quota" {
	need cpu
	start_pod "$PROBE_ID" --cpu=500m -- pause
	if is_v1 cpu; then
		local dir quota period
		dir=$(app_cgroup "$UUID" probe cpu)
		quota=$(cat "$dir/cpu.cfs_quota_us") period=$(cat "$dir/cpu.cfs_period_us")
		assert_equal $((quota * 1000 / period)) 500
	else
		local quota period
		read -r quota period <"$(app_cgroup "$UUID" probe cpu)/cpu.max"
		assert_equal $((quota * 1000 / period)) 500
	fi
}

@test "limits: --cpu-shares reaches the kernel" {
	need cpu
	start_pod "$PROBE_ID" --cpu-shares=12345 -- pause
	if is_v1 cpu; then
		assert_equal "$(limit "$UUID" cpu cpu.shares -)" 12345
	else
		# 2..262144 to 1..10000 along the curve that keeps 1024 at the default of 100:
		# 10 ^ ((l^2 + 125 l) / 612 - 7/34) with l = log2(12345)
		assert_equal "$(limit "$UUID" cpu - cpu.weight)" 745
	fi
}

@test "limits: cpu-shares outside 2..262144 are refused" {
	run_probe --cpu-shares=1 -- id
	assert_refused 254 cpu-shares
	run_probe --cpu-shares=262145 -- id
	assert_refused 254 cpu-shares
}

@test "limits: --pids stops a fork bomb" {
	need pids
	run_probe --pids=10 -- forks 50
	assert_ok
	assert_match '^forks=[0-9] EAGAIN$'
}

@test "limits: the pids isolator of an image is applied" {
	need pids
	probe_image pids ',"isolators":[{"name":"gantry/pids","value":{"limit":"7"}}]'
	start_pod "$ID" --name=probe -- pause
	assert_equal "$(limit "$UUID" pids pids.max pids.max)" 7
	run_probe --pids=0 -- id
	assert_refused 254 pids
}

@test "limits: each app has its own limits" {
	need memory
	g run --detach --net=none "$PROBE_ID" --name=one --memory=32Mi -- pause --- \
		"$PROBE_ID" --name=two --memory=48Mi -- pause
	assert_ok
	local uuid=${lines[-1]} file=memory.max
	! is_v1 memory || file=memory.limit_in_bytes
	assert_equal "$(cat "$(app_cgroup "$uuid" one memory)/$file")" $((32 << 20))
	assert_equal "$(cat "$(app_cgroup "$uuid" two memory)/$file")" $((48 << 20))
}

@test "limits: oom-score-adj by image and by flag" {
	run_probe -- cat /proc/self/oom_score_adj
	assert_ok
	assert_out "$(cat /proc/self/oom_score_adj)"
	probe_image oom ',"isolators":[{"name":"os/linux/oom-score-adj","value":99}]'
	g run --net=none "$ID" -- cat /proc/self/oom_score_adj
	assert_ok
	assert_out 99
	g run --net=none "$ID" --oom-score-adj=500 -- cat /proc/self/oom_score_adj
	assert_ok
	assert_out 500
}

@test "limits: a lower oom-score-adj is applied or refused, never ignored" {
	run_probe --oom-score-adj=-50 -- cat /proc/self/oom_score_adj
	if have_resource; then
		assert_ok
		assert_out -50
	else
		assert_refused 254 probe oom-score-adj
	fi
	run_probe --oom-score-adj=1001 -- id
	assert_refused 254 oom-score-adj
}

@test "limits: devices are denied but the usual few" {
	run_probe -- device c 1 3 , device c 10 237 , device c 1 1 , device b 7 0 , device b 254 0 , device c 1 11
	assert_ok
	# the usual few can be made; that they do not open is nodev's doing
	assert_out 'device c 1:3=open EACCES'
	assert_out 'device c 10:237=mknod EPERM' 'device c 1:1=mknod EPERM' 'device c 1:11=mknod EPERM'
	assert_out 'device b 7:0=mknod EPERM' 'device b 254:0=mknod EPERM'
}

@test "limits: a volume on a device node opens that device and no other" {
	[ -c /dev/loop-control ] || skip "no /dev/loop-control here"
	run_probe -- stat /dev/loop-control
	assert_out 'stat /dev/loop-control=ENOENT'
	g run --net=none --volume=loop,kind=host,source=/dev/loop-control --mount=volume=loop,target=/dev/loop-control \
		"$PROBE_ID" -- open rw /dev/loop-control , device c 1 11
	assert_ok
	assert_out 'open rw /dev/loop-control=ok' 'device c 1:11=mknod EPERM'
	g run --net=none --volume=loop,kind=host,source=/dev/loop-control,readOnly=true \
		--mount=volume=loop,target=/dev/loop-control "$PROBE_ID" -- open r /dev/loop-control , open rw /dev/loop-control
	assert_ok
	assert_out 'open r /dev/loop-control=ok'
	refute_out 'open rw /dev/loop-control=ok'
}

@test "limits: --insecure-options=paths lifts the device policy (the test above tests it)" {
	INSECURE=image,paths
	run_probe -- device c 1 11
	assert_ok
	refute_match '^device c 1:11=(mknod|open) EPERM'
}

@test "limits: a missing controller is refused, not skipped" {
	controller_dir blkio >/dev/null || skip "no blkio controller here"
	probe_image blk ',"isolators":[{"name":"resource/block-bandwidth","value":{"default":true,"limit":"2M"}}]'
	g run --net=none "$ID" -- id
	# applied, or refused by name: an isolator that was asked for is never ignored
	[ "$status" = 0 ] || assert_refused 254 block-bandwidth
}

@test "limits: resource limits of the caller are left as they are" {
	run_probe -- limits
	assert_ok
	assert_out "limit nofile=$(ulimit -Sn)/$(ulimit -Hn)"
}

@test "limits: apps see neither a writable cgroup file system nor their place in it" {
	run_probe -- cgroup , poke /sys/fs/cgroup/cgroup.procs 1 , mkdir /sys/fs/cgroup/evil , mkdir /sys/fs/cgroup/memory/evil
	assert_ok
	refute_match '^[0-9]+:.*:/gantry'
	refute_match '=ok$'
}

@test "limits: a pod of too many apps is refused in words, and leaves nothing" {
	jq -nc --arg id "$PROBE_ID" '{acVersion: "0.8.11", acKind: "PodManifest", apps: [range(600) |
		{name: "a\(.)", image: {id: $id}, app: {exec: ["/probe", "exit", "0"], user: "0", group: "0"}}]}' \
		>"$T/pod.json"
	g run --net=none --pod-manifest="$T/pod.json"
	# which of the two bounds is met first depends on the host's limit on open files
	assert_refused 254 'descriptors are needed|Too many open files'
	g gc --grace-period=0s
	g gc --grace-period=0s
	g list --no-legend
	[ -z "$output" ] || fail "gc left the pod"
}
