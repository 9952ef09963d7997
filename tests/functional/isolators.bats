# Isolators beyond the limits of limits.bats: requests, disks, those of the pod for all its apps, security
# modules; and that none is left out in silence.

load ../lib/gantry

setup_file() { suite_up; }
teardown_file() { suite_down; }
setup() { test_up; }
teardown() { test_down; }

iso() { printf '{"name":"%s","value":%s}' "$1" "$2"; }

# pod_of APP-ISOLATORS POD-ISOLATORS WORD...: a pod manifest of one app "probe" in $T/pod.json
pod_of() {
	local words
	words=$(words_json "${@:3}")
	printf '{"acVersion":"0.8.11","acKind":"PodManifest","apps":[{"name":"probe","image":{"id":"%s"},
		"app":{"exec":["/probe",%s],"user":"0","group":"0","isolators":[%s]}}],"isolators":[%s]}' \
		"$PROBE_ID" "${words:1:-1}" "$1" "$2" >"$T/pod.json"
}

start_manifest() {
	pod_of "$1" "$2" pause
	g run --detach --net=none --pod-manifest="$T/pod.json"
	assert_ok
	UUID=${lines[-1]}
}

run_manifest() {
	pod_of "$@"
	g run --net=none --pod-manifest="$T/pod.json"
}

# of GROUP CONTROLLER V1-FILE V2-FILE: a value of the app "probe", or of the pod (".")
of() {
	if is_v1 "$2"; then
		cat "$(controller_dir "$2")/gantry/$UUID/$1/$3"
	else
		cat "$(controller_dir "$2")/gantry/$UUID/$1/$4"
	fi
}

page() { echo $(($1 / 4096 * 4096)); }

@test "isolators: a request of memory is kept for the app" {
	need memory
	start_manifest "$(iso resource/memory '{"request":"10Mi","limit":"20Mi"}')" ''
	assert_equal "$(of probe memory memory.soft_limit_in_bytes memory.low)" $((10 << 20))
	assert_equal "$(of probe memory memory.limit_in_bytes memory.max)" $((20 << 20))
	if ! is_v1 memory; then
		assert_equal "$(of . memory - memory.low)" $((10 << 20))
		[ "$(cat "$(controller_dir memory)/gantry/memory.low")" -ge $((10 << 20)) ] || fail "the topmost group keeps nothing"
	fi
	start_manifest "$(iso resource/memory '{"request":"10Mi"}')" ''
	assert_equal "$(of probe memory memory.soft_limit_in_bytes memory.low)" $((10 << 20))
}

@test "isolators: a request of cores becomes shares, unless shares are given" {
	need cpu
	start_manifest "$(iso resource/cpu '{"request":"250m"}')" ''
	if is_v1 cpu; then
		assert_equal "$(of probe cpu cpu.shares -)" 256
		assert_equal "$(of probe cpu cpu.cfs_quota_us -)" -1
	else
		assert_equal "$(of probe cpu - cpu.weight)" 35
		assert_match_text '^max' "$(of probe cpu - cpu.max)"
	fi
	is_v1 cpu || return 0
	start_manifest "$(iso resource/cpu '{"request":"250m","limit":"2"}'),$(iso os/linux/cpu-shares 4096)" ''
	assert_equal "$(of probe cpu cpu.shares -)" 4096
}

assert_match_text() { [[ $2 =~ $1 ]] || fail "$2 does not match $1"; }

@test "isolators: those of the pod bound all of its apps together" {
	need memory
	start_manifest '' "$(iso resource/memory '{"limit":"64Mi"}'),$(iso gantry/pids '{"limit":"50"}')"
	assert_equal "$(of . memory memory.limit_in_bytes memory.max)" $((64 << 20))
	assert_equal "$(of . pids pids.max pids.max)" 50
	run_manifest "$(iso resource/memory '{"limit":"1Gi"}')" "$(iso resource/memory '{"limit":"24Mi"}')" eat 200
	assert_status 137
	refute_match 'ate='
	run_manifest '' "$(iso gantry/pids '{"limit":"12"}')" forks 50
	assert_ok
	assert_match '^forks=[0-9]+ EAGAIN$'
}

@test "isolators: cpu of the pod" {
	need cpu
	start_manifest '' "$(iso resource/cpu '{"request":"1","limit":"2"}')"
	if is_v1 cpu; then
		assert_equal "$(of . cpu cpu.cfs_quota_us -)" 200000
		assert_equal "$(of . cpu cpu.shares -)" 1024
	else
		assert_equal "$(of . cpu - cpu.max)" '200000 100000'
	fi
}

# disk: the disk under the data directory, as the kernel writes it
disk() {
	local dev
	dev=$(stat -c %d "$DATA")
	dev=$((dev >> 8 & 4095)):$((dev & 255))
	[ -e "/sys/dev/block/$dev" ] || return 1
	if [ -e "/sys/dev/block/$dev/partition" ]; then
		cat "/sys/dev/block/$dev/../dev"
	else
		cat "/sys/dev/block/$dev/dev"
	fi
}

@test "isolators: block-bandwidth and block-iops reach the disk of the app's files, and it is said which" {
	controller_dir blkio >/dev/null || controller_dir io >/dev/null || skip "no blkio controller here"
	disk >/dev/null || skip "the data directory is on no disk"
	local d
	d=$(disk)
	start_manifest "$(iso resource/block-bandwidth '{"default":true,"limit":"2M"}'),$(iso resource/block-iops '{"default":true,"limit":"100"}')" \
		"$(iso resource/block-iops '{"default":true,"limit":"500"}')"
	assert_err "app probe: limits of block devices hold for $d, for reading and for writing each"
	assert_err "pod: limits of block devices hold for $d"
	if controller_dir blkio >/dev/null; then
		assert_equal "$(of probe blkio blkio.throttle.read_bps_device -)" "$d 2000000"
		assert_equal "$(of probe blkio blkio.throttle.write_bps_device -)" "$d 2000000"
		assert_equal "$(of probe blkio blkio.throttle.read_iops_device -)" "$d 100"
		assert_equal "$(of probe blkio blkio.throttle.write_iops_device -)" "$d 100"
		assert_equal "$(of . blkio blkio.throttle.write_iops_device -)" "$d 500"
	else
		assert_equal "$(of probe io - io.max)" "$d rbps=2000000 wbps=2000000 riops=100 wiops=100"
		assert_equal "$(of . io - io.max)" "$d rbps=max wbps=max riops=500 wiops=500"
	fi
	g stop "$UUID"
	assert_ok
	[ -z "$(pod_cgroups "$UUID")" ] || fail "left: $(pod_cgroups "$UUID")"
}

@test "isolators: block isolators where there is no disk are refused, not ignored" {
	controller_dir blkio >/dev/null || controller_dir io >/dev/null || skip "no blkio controller here"
	in_world mount -t tmpfs none "$T/tmp"
	local kept=$DATA
	in_world cp -a "$DATA/." "$T/tmp"
	DATA=$T/tmp
	pod_of "$(iso resource/block-bandwidth '{"default":true,"limit":"2M"}')" '' id
	g run --net=none --pod-manifest="$T/pod.json"
	assert_refused 254 'isolators resource/block-bandwidth and resource/block-iops: the pod.s directory is on no disk whose use can be limited'
	g gc --grace-period=0s
	g gc --grace-period=0s
	in_world umount "$T/tmp"
	DATA=$kept
}

@test "isolators: network-bandwidth without a network is told of, with the host's it is refused" {
	local bw
	bw=$(iso resource/network-bandwidth '{"default":true,"limit":"1G"}')
	run_manifest "$bw" '' id
	assert_ok
	assert_err 'isolator resource/network-bandwidth: there is no network to limit'
	g run --net=host --pod-manifest="$T/pod.json"
	assert_refused 254 "app probe: isolator resource/network-bandwidth: the pod has the host's network"
	pod_of '' "$bw" id
	g run --net=host --pod-manifest="$T/pod.json"
	assert_refused 254 "isolator resource/network-bandwidth: the pod has the host's network"
}

@test "isolators: a security module that the host lacks" {
	local profile context
	profile=$(iso os/linux/apparmor-profile '{"profile":"gantry-no-such-profile"}')
	context=$(iso os/linux/selinux-context '{"user":"system_u","role":"system_r","type":"no_such_t","level":"s0"}')
	if grep -qs Y /sys/module/apparmor/parameters/enabled; then
		run_manifest "$profile" '' id
		assert_refused 254 'app probe: lsm: AppArmor profile "gantry-no-such-profile": No such file'
	else
		run_manifest "$profile" '' id
		assert_refused 254 'app probe: isolator os/linux/apparmor-profile: this host has no AppArmor'
		run_manifest '' "$profile" id
		assert_refused 254 'isolator os/linux/apparmor-profile: this host has no AppArmor'
	fi
	[ ! -e /sys/fs/selinux/enforce ] || return 0
	run_manifest "$context" '' id
	assert_refused 254 'app probe: isolator os/linux/selinux-context: this host has no SELinux'
	run_manifest '' "$context" id
	assert_refused 254 'isolator os/linux/selinux-context: this host has no SELinux'
}

@test "isolators: --debug tells what becomes of each" {
	need memory
	pod_of "$(iso resource/memory '{"limit":"64Mi"}')" "$(iso gantry/pids '{"limit":"50"}')" id
	g --debug run --net=none --pod-manifest="$T/pod.json"
	assert_ok
	assert_err 'pod: isolator gantry/pids: enforced'
	assert_err 'app probe: isolator resource/memory: enforced'
	assert_err 'no isolator is ignored'
	g run --net=none --pod-manifest="$T/pod.json"
	! grep -q enforced "$T/err" || fail "said without being asked"
}

@test "isolators: one that nobody knows is refused" {
	run_manifest "$(iso example.com/unheard '{}')" '' id
	assert_refused 254 'example.com/unheard'
}
