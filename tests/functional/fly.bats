# The flavour fly of stage1: one app with a root of its own, and nothing else that is not the host's.

GANTRY_FLAVOR=fly
load ../lib/gantry

setup_file() { suite_up; }
teardown_file() { suite_down; }
setup() {
	test_up
	mkdir -p "$T/src/sub"
	echo from-host >"$T/src/file"
}
teardown() { test_down; }

# fly WORD...: run the probe pod in the foreground, with nothing that fly would have to leave out.
fly() { g run "$@"; }

host() { echo "--volume=vol,kind=host,source=${1:-$T/src}${2:-}"; }
at() { echo "--mount=volume=vol,target=$1"; }

# --- what is the host's

@test "fly: all namespaces but that of mounts are the caller's" {
	fly "$PROBE_ID" -- ns
	assert_ok
	local ns
	for ns in pid net ipc uts user cgroup; do
		assert_out "ns $ns=$(readlink "/proc/$([ $ns = net ] && echo "$WORLD" || echo $$)/ns/$ns")"
	done
	refute_out "ns mnt=$(readlink "/proc/$WORLD/ns/mnt")"
}

@test "fly: capabilities and system calls are the caller's, and so is the control group" {
	fly "$PROBE_ID" -- status CapEff CapBnd Seccomp NoNewPrivs , cgroup
	assert_ok
	assert_out "CapEff=$(sed -n 's/^CapEff:\t*//p' /proc/self/status)" \
		"CapBnd=$(sed -n 's/^CapBnd:\t*//p' /proc/self/status)" Seccomp=0 NoNewPrivs=0
	refute_match gantry
	local line
	while read -r line; do
		grep -qF "$line" "$T/out" || fail "not the caller's group: $line"
	done </proc/self/cgroup
	g list --no-legend
	[ -z "$(pod_cgroups "$(cat "$T/uuids")")" ] || fail "the pod has control groups"
}

@test "fly: /dev, /proc and /sys are the host's, /tmp is the pod's" {
	: >"$BATS_TEST_TMPDIR/marker"
	fly "$PROBE_ID" -- mount / /dev /proc /sys /tmp , stat /dev/null /dev/pts , ls /proc/self , write /tmp/x
	assert_ok
	assert_match '^mount /dev=' '^mount /proc=proc ' '^mount /sys=sysfs ' '^mount /tmp=tmpfs ' '/tmp/x=ok'
	# the host's /dev has more than an app would be given
	local name
	in_world ls -A /dev >"$T/before"
	fly "$PROBE_ID" -- ls /dev
	assert_ok
	# what was there all the time: others make nodes, and take them away
	in_world ls -A /dev >"$T/after"
	for name in $(grep -xFf "$T/before" "$T/after"); do
		assert_out "entry /dev/$name"
	done
}

@test "fly: the name and the files of the host's network are left alone" {
	fly "$PROBE_ID" -- hostname , stat /etc/hostname /etc/hosts /etc/resolv.conf
	assert_ok
	assert_match "=$(uname -n)\$"
	refute_match '^(stat )?/etc/(hostname|hosts|resolv.conf)=file'
}

@test "fly: /etc/mtab leads to what is mounted" {
	fly "$PROBE_ID" -- readlink /etc/mtab
	assert_ok
	assert_match '\.\./proc/self/mounts'
}

# --- what is the app's

@test "fly: user, groups, working directory and environment are the app's" {
	make_aci "$T/own.aci" example.com/own '{"exec":["/probe"],"user":"bob","group":"staff","supplementaryGIDs":[63,400],"workingDirectory":"/srv","environment":[{"name":"A","value":"b c"}]}'
	g fetch "$T/own.aci"
	assert_ok
	fly "sha512-$(image_key "$T/own.aci")" -- id , cwd , env A AC_APP_NAME PATH
	assert_ok
	assert_out uid=1234/1234/1234 gid=50/50/50 cwd=/srv 'A=b c' AC_APP_NAME=own
	assert_match '^groups=50[ ,]63[ ,]400$' '^PATH=/usr/local/sbin:'
}

@test "fly: a program that is not there is 203, and said as ever" {
	fly "$PROBE_ID" --exec=/foo-not-there
	assert_refused 203 'Error: Unable to open "/foo-not-there": No such file or directory'
	fly "$PROBE_ID" --working-dir=/nowhere -- id
	assert_refused 254 nowhere
}

@test "fly: handlers run in the app's root" {
	make_aci "$T/hook.aci" example.com/hook '{"exec":["/probe","cat","/srv/data/pre"],"user":"bob","group":"bob","eventHandlers":[{"name":"pre-start","exec":["/probe","write","/srv/data/pre","x"]},{"name":"post-stop","exec":["/probe","out","bye"]}]}'
	g fetch "$T/hook.aci"
	assert_ok
	fly "sha512-$(image_key "$T/hook.aci")"
	assert_ok
	assert_out 'write /srv/data/pre=ok' xbye
}

# --- what it cannot do

@test "fly: more than one app is refused" {
	fly "$PROBE_ID" --name=a -- id --- "$PROBE_ID" --name=b -- id
	assert_refused 254 'stage1 fly runs one app only, and the pod has 2'
	refute_match uid=
}

@test "fly: what has no meaning is ignored, and said" {
	fly --net=none --hostname=other --ipc=private "$PROBE_ID" -- hostname
	assert_ok
	assert_err 'fly: --net is ignored'
	assert_err 'fly: --hostname is ignored'
	assert_err 'fly: --ipc is ignored'
	refute_match other
	probe_image web ',"ports":[{"name":"web","protocol":"tcp","port":80}]'
	fly --port=web:8080 "$ID" -- id
	assert_ok
	assert_err 'fly: --port is ignored'
	fly --net=host --ipc=parent "$PROBE_ID" -- id
	assert_ok
	assert_equal "$stderr" ''
}

@test "fly: isolators are not applied, and named" {
	fly "$PROBE_ID" --memory=64Mi --caps-retain=CAP_CHOWN -- status CapBnd
	assert_ok
	assert_err 'isolators are not applied: .*resource/memory'
	assert_err 'isolators are not applied: .*os/linux/capabilities-retain-set'
	assert_out "CapBnd=$(sed -n 's/^CapBnd:\t*//p' /proc/self/status)"
}

@test "fly: a mount point without a volume is an error" {
	probe_image needs ',"mountPoints":[{"name":"data","path":"/data"}]'
	fly "$ID" -- id
	assert_refused 254 'no volume for mount point "data" on "/data"'
	refute_match uid=
	fly --volume="data,kind=host,source=$T/src" "$ID" -- cat /data/file
	assert_ok
	assert_out from-host
	fly --volume=data,kind=empty "$ID" -- write /data/x
	assert_ok
	fly --volume="other,kind=host,source=$T/src" --mount=volume=other,target=/data "$ID" -- cat /data/file
	assert_ok
	assert_out from-host
}

@test "fly: users of its own are refused" {
	fly --private-users "$PROBE_ID" -- id
	assert_refused 254 '--private-users: stage1 fly has no user namespaces'
	refute_match uid=
	g prepare --private-users --no-overlay "$PROBE_ID" -- id
	assert_ok
	g run-prepared "${lines[-1]}"
	assert_refused 254 '--private-users: stage1 fly has no user namespaces'
}

# --- volumes

@test "fly: volumes are not recursive unless asked for" {
	in_world mount -t tmpfs below "$T/src/sub"
	in_world touch "$T/src/sub/deep"
	fly "$(host)" "$(at /data)" "$PROBE_ID" -- ls /data/sub
	assert_ok
	refute_match deep
	fly "$(host "$T/src" ,recursive=true)" "$(at /data)" "$PROBE_ID" -- ls /data/sub
	assert_ok
	assert_match deep
	fly "$(host "$T/src" ,recursive=true,readOnly=true)" "$(at /data)" "$PROBE_ID" -- write /data/sub/new , write /data/new
	assert_ok
	assert_out 'write /data/sub/new=EROFS' 'write /data/new=EROFS'
	in_world umount "$T/src/sub"
}

@test "fly: what the app mounts on a volume is on the host, and the other way round" {
	start_pod "$(host)" "$(at /tmp)" "$PROBE_ID" -- out ready , await /tmp/go , ls /tmp/sub , try mount , out mounted , pause
	in_world mount -t tmpfs late "$T/src/sub"
	in_world touch "$T/src/sub/late" "$T/src/go"
	wait_line "$DATA/pods/run/$UUID/logs/probe.log" '^mounted$'
	grep -q 'late' "$DATA/pods/run/$UUID/logs/probe.log" || fail "the host's mount is not there"
	[ "$(in_world stat -f -c %T "$T/src")" = tmpfs ] || fail "the app's mount is not on the host"
	in_world umount "$T/src"
	in_world umount "$T/src/sub"
}

@test "fly: a mount of the host that was private becomes shared" {
	in_world mount -t tmpfs mine "$T/src"
	in_world mount --make-private "$T/src"
	start_pod "$(host)" "$(at /tmp)" "$PROBE_ID" -- try mount , out mounted , pause
	grep -F " $T/src " "/proc/$WORLD/mountinfo" | head -n 1 | grep -q shared: || fail "still private"
	wait_line "$DATA/pods/run/$UUID/logs/probe.log" '^mounted$'
	assert_equal "$(grep -cF " $T/src " "/proc/$WORLD/mountinfo")" 2
	in_world umount "$T/src"
	in_world umount "$T/src"
}

@test "fly: nothing that is not a volume spreads to the host" {
	leak_snapshot
	start_pod --volume=vol,kind=empty "$(at /srv)" "$PROBE_ID" -- try mount , out ready , pause
	wait_line "$DATA/pods/run/$UUID/logs/probe.log" '^ready$'
	g stop --force "$UUID"
	assert_ok
	collect_all
	assert_no_leaks
}

@test "fly: a volume over a node of /dev, and nothing is made in the host's /dev" {
	fly "$(host "$T/src/file")" "$(at /dev/full)" "$PROBE_ID" -- cat /dev/full
	assert_ok
	assert_out from-host
	[ -c /dev/full ] || fail "the host's node is gone"
	fly "$(host)" "$(at /dev/gantry-test)" "$PROBE_ID" -- id
	assert_refused 254 '/dev/gantry-test'
	[ ! -e /dev/gantry-test ] || fail "made on the host"
	fly "$(host)" "$(at /proc)" "$PROBE_ID" -- id
	assert_refused 254 /proc
}

@test "fly: without an overlay" {
	fly --no-overlay "$PROBE_ID" -- write /new x , mount /
	assert_ok
	assert_out 'write /new=ok'
	refute_match overlay
	g run --detach --no-overlay "$PROBE_ID" -- pause
	assert_ok
	g stop "${lines[-1]}"
	assert_ok
	collect_all
}

# --- life and death

@test "fly: TERM goes to the app's process group; what ignores it is killed" {
	start_pod "$PROBE_ID" -- on 15 goodbye 3 , out ready , pause
	wait_line "$DATA/pods/run/$UUID/logs/probe.log" '^ready$'
	g stop "$UUID"
	assert_ok
	grep -q goodbye "$DATA/pods/run/$UUID/logs/probe.log" || fail "no TERM came"
	assert_equal "$(pod_procs "$UUID")" ''
	start_pod "$PROBE_ID" -- ignore 15 , out ready , pause
	wait_line "$DATA/pods/run/$UUID/logs/probe.log" '^ready$'
	g stop "$UUID"
	assert_ok
	assert_equal "$(pod_procs "$UUID")" ''
}

@test "fly: stop --force, and what an app has in the background" {
	start_pod "$PROBE_ID" -- orphans 3 stay , out ready , pause
	wait_line "$DATA/pods/run/$UUID/logs/probe.log" '^ready$'
	assert_equal "$(pod_procs "$UUID" | wc -l)" 4
	g stop --force "$UUID"
	assert_ok
	assert_equal "$(pod_procs "$UUID")" ''
	wait_state "$UUID" exited
}

@test "fly: no other process can pass for the pod's" {
	start_pod "$PROBE_ID" -- pause
	local pod=$DATA/pods/run/$UUID pid
	sleep 1000 </dev/null >/dev/null 2>&1 3>&- 4>&- &
	pid=$!
	BG_PIDS+=("$pid")
	cp "$pod/pid" "$T/pid"
	echo "$pid" >"$pod/pid"
	g stop --force "$UUID"
	[ "$status" = 254 ] || fail "expected status 254"
	kill -0 "$pid" || fail "a stranger was killed"
	cp "$T/pid" "$pod/pid"
	cp "$pod/started/probe" "$T/started"
	echo "$pid" >"$pod/started/probe"
	g enter "$UUID" /probe id
	assert_refused 254 'not running|not of pod'
	cp "$T/started" "$pod/started/probe"
	g enter "$UUID" /probe id
	assert_ok
	g stop "$UUID"
	assert_ok
}

# killed NAME PID: after the process was killed nothing of the pod runs, gc leaves nothing, and the next starts.
killed() {
	kill -KILL "$2"
	wait_state "$UUID" exited
	procs_end "$UUID"
	wait_for 60 flock -n "$DATA/pods/run/$UUID" true || fail "$1 killed, and the lock is held"
	collect_all
	assert_no_leaks
	fly "$PROBE_ID" -- out again
	assert_ok
	collect_all
}

busy_pod() {
	start_pod "$PROBE_ID" -- orphans 2 stay , out ready , pause
	wait_line "$DATA/pods/run/$UUID/logs/probe.log" '^ready$'
}

@test "fly: the monitor is killed: the pod ends" {
	leak_snapshot
	busy_pod
	killed monitor "$(monitor_of "$UUID")"
}

@test "fly: init is killed: the pod ends" {
	leak_snapshot
	busy_pod
	killed init "$(pod_pid "$UUID")"
}

@test "fly: the app is killed: the pod ends as it should" {
	leak_snapshot
	busy_pod
	local app
	app=$(cat "$DATA/pods/run/$UUID/started/probe")
	kill -KILL "$app"
	wait_state "$UUID" exited
	g status "$UUID"
	assert_out app-probe=137
	assert_equal "$(pod_procs "$UUID")" ''
	collect_all
	assert_no_leaks
}

@test "fly: monitor and init are killed at once: gc ends what is left" {
	leak_snapshot
	busy_pod
	local init monitor
	init=$(pod_pid "$UUID")
	monitor=$(monitor_of "$UUID")
	kill -STOP "$monitor" "$init"
	kill -KILL "$init" "$monitor"
	wait_state "$UUID" exited
	collect_all
	procs_end "$UUID"
	assert_no_leaks
}

@test "fly: what was entered ends with the pod" {
	start_pod "$PROBE_ID" -- pause
	g_bg entered enter "$UUID" /probe out ready , ignore 15 , pause
	local pid=$BG
	wait_line "$T/entered.out" '^ready$'
	g stop "$UUID"
	assert_ok
	g_wait "$pid" entered
	assert_status 137
	assert_equal "$(pod_procs "$UUID")" ''
}

@test "fly: prepare and run-prepared, list, status, export, rm" {
	g prepare "$PROBE_ID" --name=app -- write /new x , exit 5
	assert_ok
	UUID=${lines[-1]}
	g run-prepared "$UUID"
	assert_status 5
	g status "$UUID"
	assert_out state=exited app-app=5
	g list --no-legend
	assert_match "${UUID%%-*}.*app.*exited"
	g cat-manifest "$UUID"
	assert_ok
	g export --overwrite "$UUID" "$T/out.aci"
	assert_ok
	tar -tzf "$T/out.aci" | grep -qx rootfs/new || fail "not in the export"
	g rm "$UUID"
	assert_ok
	g rm "$UUID"
	assert_status 254
}

@test "fly: --dry-run prints the plan and does nothing" {
	leak_snapshot
	fly --dry-run "$PROBE_ID" -- id
	assert_ok
	assert_match 'namespaces of its own: mount$' 'seccomp, control group: none' '"/tmp" from the memory'
	refute_match '^uid='
	collect_all
	assert_no_leaks
}

@test "fly: rkt's names for it" {
	GANTRY_FLAVOR=ns
	g run --stage1-name=coreos.com/rkt/stage1-fly:1.30.0 "$PROBE_ID" -- ns
	assert_ok
	assert_out "ns pid=$(readlink /proc/self/ns/pid)"
	g run --stage1-from-dir=stage1-fly.aci "$PROBE_ID" -- ns
	assert_ok
	assert_out "ns pid=$(readlink /proc/self/ns/pid)"
}
