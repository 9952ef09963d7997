# --detach: gantry returns when the pod is ready, and the pod stays.

load ../lib/gantry

setup_file() { suite_up; }
teardown_file() { suite_down; }
setup() { test_up; }
teardown() { test_down; }

@test "detach: prints the UUID alone, and the pod runs" {
	g run --detach --net=none "$PROBE_ID" -- pause
	assert_ok
	assert_equal "${#lines[@]}" 1
	assert_equal "$(pod_state "${lines[0]}")" running
}

@test "detach: when it returns every app was started" {
	need ns-flavor
	g run --detach --net=none "$PROBE_ID" --name=one -- pause --- "$PROBE_ID" --name=two -- pause
	assert_ok
	local uuid=${lines[0]} app
	for app in one two; do
		[ -e "$DATA/pods/run/$uuid/started/$app" ] || fail "$app is not started"
		[ -n "$(app_pid "$uuid" $app)" ] || fail "$app has no process"
	done
}

@test "detach: a failing start is the caller's failure" {
	g run --detach --net=none "$PROBE_ID" --exec=/not-there
	assert_refused 203 'app probe: ' '/not-there'
	assert_equal "$output" ''
	g run --detach --net=none "$PROBE_ID" --working-dir=/not-there -- id
	assert_refused 254 'app probe: ' '/not-there'
}

@test "detach: the pod does not keep the caller's streams" {
	# command substitution ends only when every writer is gone
	local uuid
	uuid=$(gantry run --detach --net=none "$PROBE_ID" -- pause 2>&1)
	uuid=${uuid##*$'\n'}
	assert_equal "$(pod_state "$uuid")" running
	local flags pid
	for pid in $(pod_procs "$uuid") $(pod_pid "$uuid"); do
		! ls -l "/proc/$pid/fd" | grep -F "$T/" | grep -vF " $DATA/" || fail "holds a file of the caller"
	done
}

@test "detach: the pod survives the end of the caller's session and process group" {
	local flags
	global_flags
	in_world setsid -w sh -c '"$@" >"$0"; kill -HUP 0' "$T/uuid" "$GANTRY" "${flags[@]}" \
		run --detach --net=none "$PROBE_ID" -- pause 3>&- || :
	note_pods
	assert_equal "$(pod_state "$(cat "$T/uuid")")" running
}

@test "detach: output goes to the pod's log" {
	start_pod "$PROBE_ID" --name=app -- out in the log , pause
	wait_line "$DATA/pods/run/$UUID/logs/app.log" 'in the log'
}

@test "detach: run-prepared does it too" {
	g prepare --quiet "$PROBE_ID" -- pause
	local uuid=$output
	g run-prepared --detach --net=none "$uuid"
	assert_ok
	assert_out "$uuid"
	assert_equal "$(pod_state "$uuid")" running
}

@test "detach: --uuid-file-save is written with no newline" {
	g run --detach --net=none --uuid-file-save="$T/uuid" "$PROBE_ID" -- pause
	assert_ok
	assert_equal "$(stat -c '%s %a' "$T/uuid")" '36 644'
	assert_equal "$(cat "$T/uuid")" "${lines[0]}"
}

@test "detach: no daemon stays but the pod's monitor and PID 1" {
	need ns-flavor
	start_pod "$PROBE_ID" -- pause
	# init lives in a mount namespace of its own; in the host's there is the monitor alone
	wait_for 60 only_monitor || fail "host-side processes: $(world_processes)"
	assert_equal "$(pod_procs "$UUID" | wc -l)" 2
}
# what was there for the start ends by itself, a moment later at worst
only_monitor() { [ "$(world_processes | cut -d' ' -f1)" = "$(monitor_of "$UUID")" ]; }

@test "detach: what the start has to say is on standard error, and the UUID alone on the other" {
	need ns-flavor
	local app='{"exec":["/probe","pause"],"user":"0","group":"0","mountPoints":[{"name":"data","path":"/data"}]}'
	printf '{"acVersion":"0.8.11","acKind":"PodManifest","apps":[{"name":"a","image":{"id":"%s"},"app":%s}]}' \
		"$PROBE_ID" "$app" >"$T/pod.json"
	g run --detach --net=none --pod-manifest="$T/pod.json"
	assert_ok
	assert_equal "${#lines[@]}" 1
	assert_err 'data'
	assert_equal "$(pod_state "$output")" running
	# nobody's warnings
	g run --detach --net=none "$PROBE_ID" -- pause
	assert_ok
	assert_equal "$stderr" ''
}
