# The process that `gantry run` becomes: what signals and readers that go away do to it; many apps; names.

load ../lib/gantry

setup_file() { suite_up; }
teardown_file() { suite_down; }
setup() { test_up; }
teardown() { test_down; }

@test "monitor: a reader that goes away ends the command, as it would end any other" {
	need busybox
	cp -a "$FIX/root" "$T/root"
	cp "$(busybox_static)" "$T/root/busybox"
	probe_image endless '' "$T/root"
	local flags
	global_flags
	in_world timeout 100 sh -c '"$@" | head -n 1' sh "$GANTRY" "${flags[@]}" run --net=none "$ID" --exec=/busybox -- yes \
		>"$T/out" 2>"$T/err" || fail "did not end"
	note_pods
	assert_equal "$(cat "$T/out")" y
	UUID=$(tail -n 1 "$T/uuids")
	wait_state "$UUID" exited
	g status "$UUID"
	assert_out app-endless=0
}

@test "monitor: a reader of standard error that goes away, too" {
	need busybox
	cp -a "$FIX/root" "$T/root"
	cp "$(busybox_static)" "$T/root/busybox"
	probe_image endless '' "$T/root"
	local flags
	global_flags
	in_world timeout 100 sh -c '"$@" 2>&1 >/dev/null | head -n 1' sh "$GANTRY" "${flags[@]}" run --net=none "$ID" \
		--exec=/busybox -- sh -c 'while :; do echo x >&2; done' >"$T/out" || fail "did not end"
	note_pods
	assert_equal "$(cat "$T/out")" x
}

@test "monitor: signals that mean nothing to it do not end the pod" {
	start_pod "$PROBE_ID" -- pause
	local monitor signal
	monitor=$(monitor_of "$UUID")
	for signal in USR1 USR2 ALRM PIPE PROF VTALRM IO PWR STKFLT XFSZ RTMIN RTMAX WINCH CHLD URG; do
		kill -"$signal" "$monitor"
	done
	g enter "$UUID" /probe out alive
	assert_ok
	assert_out alive
	assert_equal "$(pod_state "$UUID")" running
	g stop "$UUID"
	assert_ok
}

@test "monitor: SIGQUIT asks for the end, as SIGTERM and SIGINT do" {
	start_pod "$PROBE_ID" -- pause
	kill -QUIT "$(monitor_of "$UUID")"
	wait_state "$UUID" exited
	g status "$UUID"
	assert_out app-probe=0
}

@test "monitor: stop, also by force, of a pod whose monitor was stopped" {
	local how
	for how in '' --force; do
		start_pod "$PROBE_ID" -- pause
		kill -STOP "$(monitor_of "$UUID")"
		# shellcheck disable=SC2086
		g stop $how "$UUID"
		assert_ok
		assert_equal "$(pod_state "$UUID")" exited
		assert_no_cgroups "$UUID"
	done
}

assert_no_cgroups() { [ -z "$(pod_cgroups "$1")" ] || fail "left: $(pod_cgroups "$1")"; }

@test "monitor: an app may be called init, or tasks" {
	need ns-flavor
	g run --detach --net=none "$PROBE_ID" --name=init -- pause --- "$PROBE_ID" --name=tasks -- pause
	assert_ok
	UUID=${lines[-1]}
	g enter --app=init "$UUID" /probe env AC_APP_NAME
	assert_ok
	assert_out AC_APP_NAME=init
	g enter --app=tasks "$UUID" /probe env AC_APP_NAME
	assert_ok
	assert_out AC_APP_NAME=tasks
	g stop "$UUID"
	assert_ok
	g status "$UUID"
	assert_out app-init=0 app-tasks=0
	assert_no_cgroups "$UUID"
}

@test "monitor: a pod of 150 apps, whatever the caller's soft limit of open files, which is the apps', too" {
	need ns-flavor
	[ "$(ulimit -Hn)" -ge 8192 ] || skip "not that many open files here"
	jq -nc --arg id "$PROBE_ID" '{acVersion: "0.8.11", acKind: "PodManifest", apps: [range(150) |
		{name: "a\(.)", image: {id: $id}, app: {exec: ["/probe", "limits"], user: "0", group: "0"}}]}' >"$T/pod.json"
	ulimit -Sn 1024
	g run --net=none --pod-manifest="$T/pod.json"
	assert_ok
	assert_equal "$(grep -c ": limit nofile=1024/$(ulimit -Hn)\$" "$T/out")" 150
}
