# kill -9 of any process at any moment leaves a state that gc cleans completely, and the operation can
# be repeated.

load ../lib/gantry

setup_file() {
	need veth nft
	suite_up
}
teardown_file() { suite_down; }
setup() {
	test_up
	leak_snapshot
}
teardown() { test_down; }

# After whatever was done: the lists work, gc leaves nothing, and a new pod runs.
assert_recovers() {
	local pod
	for pod in "$DATA"/pods/run/*-*; do
		[ ! -d "$pod" ] || wait_for 60 flock -n "$pod" true || fail "somebody still holds ${pod##*/}"
	done
	note_pods
	g list --no-legend
	assert_ok
	g image list --no-legend
	assert_ok
	collect_all
	assert_no_leaks
	g run "$PROBE_ID" -- out again
	assert_ok
	assert_out again
	collect_all
	assert_no_leaks
}

two_apps() { g run --detach "$PROBE_ID" --name=one -- "${@:-pause}" --- "$PROBE_ID" --name=two -- pause; assert_ok; UUID=${lines[-1]}; }

@test "crash: the monitor is killed: the pod dies with it" {
	need ns-flavor
	two_apps
	kill -KILL "$(monitor_of "$UUID")"
	wait_state "$UUID" exited
	procs_end "$UUID"
	assert_recovers
}

@test "crash: the front is killed in the foreground" {
	g_bg pod run "$PROBE_ID" -- out ready , pause
	wait_line "$T/pod.out" '^ready$'
	kill -KILL "$BG"
	wait "$BG" 2>/dev/null || :
	assert_recovers
}

@test "crash: PID 1 of the pod is killed: gantry says so" {
	g_bg pod run "$PROBE_ID" -- out ready , pause
	local pid=$BG
	wait_line "$T/pod.out" '^ready$'
	note_pods
	UUID=$(known_pods)
	kill -KILL "$(pod_pid "$UUID")"
	g_wait "$pid" pod
	assert_status 137
	assert_recovers
}

@test "crash: an app is killed: its status is 137, the others are stopped" {
	need ns-flavor
	two_apps
	kill -KILL "$(app_pid "$UUID" one)"
	wait_state "$UUID" exited
	g status "$UUID"
	assert_out app-one=137 app-two=0
	assert_recovers
}

@test "crash: all of a pod is killed in any order" {
	need ns-flavor
	local first
	for first in 1 2 3 4; do
		two_apps
		kill -KILL $( { monitor_of "$UUID"; pod_procs "$UUID"; } | sort -R | head -n $first)
		wait_state "$UUID" exited
	done
	assert_recovers
}

@test "crash: the front is killed at any moment of the start" {
	local i
	for i in $(seq 1 25); do
		g_bg pod run "$PROBE_ID" --name=one -- pause --- "$PROBE_ID" --name=two -- pause
		sleep "$(printf '0.%03d' $((i * 3)))"
		kill -KILL "$BG" 2>/dev/null || :
		wait "$BG" 2>/dev/null || :
	done
	assert_recovers
}

@test "crash: PID 1 is killed at any moment of the start" {
	local i pid
	for i in $(seq 1 10); do
		g_bg pod run "$PROBE_ID" -- exit 0
		sleep "$(printf '0.%03d' $((i * 4)))"
		for pid in $(ps -o pid= --ppid "$BG"); do
			kill -KILL "$pid" 2>/dev/null || :
		done
		wait "$BG" 2>/dev/null || :
	done
	assert_recovers
}

@test "crash: prepare is killed at any moment" {
	local i
	for i in $(seq 1 12); do
		g_bg pod prepare --no-overlay "$PROBE_ID"
		sleep "$(printf '0.%03d' $((i * 2)))"
		kill -KILL "$BG" 2>/dev/null || :
		wait "$BG" 2>/dev/null || :
	done
	assert_recovers
}

@test "crash: stop is killed at any moment" {
	local i
	for i in $(seq 1 6); do
		start_pod "$PROBE_ID" -- pause
		g_bg stop stop "$UUID"
		sleep "$(printf '0.%03d' $((i * 3)))"
		kill -KILL "$BG" 2>/dev/null || :
		wait "$BG" 2>/dev/null || :
		g stop "$UUID"
		assert_ok
		wait_state "$UUID" exited
	done
	assert_recovers
}

@test "crash: gc is killed at any moment" {
	local i
	for i in $(seq 1 8); do
		g run "$PROBE_ID" -- exit 0
	done
	for i in $(seq 1 12); do
		g_bg gc gc --grace-period=0s
		sleep "$(printf '0.%03d' $((i * 2)))"
		kill -KILL "$BG" 2>/dev/null || :
		wait "$BG" 2>/dev/null || :
	done
	assert_recovers
}

@test "crash: enter is killed: the pod goes on, and takes what was entered along" {
	start_pod "$PROBE_ID" -- pause
	g_bg in enter "$UUID" /probe out ready , pause
	wait_line "$T/in.out" '^ready$'
	kill -KILL "$BG"
	wait "$BG" 2>/dev/null || :
	assert_equal "$(pod_state "$UUID")" running
	g stop "$UUID"
	assert_ok
	wait_state "$UUID" exited
	assert_recovers
}

@test "crash: while a plugin hangs" {
	need ns-flavor
	in_world sh -c 'cat >/opt/cni/bin/hangs; chmod 755 /opt/cni/bin/hangs' <<'PLUGIN'
#!/bin/sh
conf=$(cat)
log=$(printf '%s' "$conf" | tr -d '\n' | sed -n 's/.*"log": *"\([^"]*\)".*/\1/p')
echo "$CNI_COMMAND" >>"$log"
[ "$CNI_COMMAND" != ADD ] || exec sleep 1000
PLUGIN
	printf '{"cniVersion":"1.0.0","name":"hangs","plugins":[{"type":"ptp","ipam":{"type":"host-local","subnet":"10.89.1.0/24"}},{"type":"hangs","log":"%s"}]}' \
		"$T/hangs.log" >"$LOCAL/net.d/10-hangs.conflist"
	g_bg pod run --net=hangs "$PROBE_ID" -- out started
	wait_line "$T/hangs.log" ADD
	kill -KILL "$BG"
	wait "$BG" 2>/dev/null || :
	note_pods
	UUID=$(known_pods)
	wait_state "$UUID" exited
	# a DEL for what was begun, also for the one that hung
	collect_all
	grep -qx DEL "$T/hangs.log" || fail "no DEL"
	# the sleeping plugin is the test's own to end, if nobody did
	local pid
	for pid in $(world_processes | awk '/sleep 1000/ {print $1}'); do
		kill -KILL "$pid"
	done
	rm "$LOCAL/net.d/10-hangs.conflist"
	assert_recovers
}

@test "crash: the data directory of a killed pod with odd remains" {
	start_pod "$PROBE_ID" -- pause
	kill -KILL "$(monitor_of "$UUID")"
	wait_state "$UUID" exited
	local dir=$DATA/pods/run/$UUID
	: >"$dir/pid"
	rm -f "$dir/stage1"
	rm -rf "$dir/status" "$dir/started"
	assert_recovers
}

@test "crash: a pod that dies in the middle of embryo, prepare or garbage" {
	local n=0 d
	for d in embryo prepare garbage; do
		n=$((n + 1))
		mkdir -p "$DATA/pods/$d/1234567$n-0000-4000-8000-000000000000/appsinfo/x"
	done
	touch -d '2 days ago' "$DATA"/pods/embryo/*
	assert_recovers
}

@test "crash: out of memory in one app is that app's end" {
	need ns-flavor
	need memory
	g run --detach "$PROBE_ID" --name=hungry --memory=24Mi -- eat 300 --- "$PROBE_ID" --name=other -- pause
	UUID=${lines[-1]}
	wait_state "$UUID" exited
	g status "$UUID"
	assert_out app-hungry=137 app-other=0
	assert_recovers
}
