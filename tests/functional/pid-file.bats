# `enter` and the file with the number of the pod's first process, which may come late.

load ../lib/gantry

setup_file() { suite_up; }
teardown_file() { suite_down; }
setup() { test_up; }
teardown() { test_down; }

@test "pid-file: enter waits for it" {
	start_pod "$PROBE_ID" -- pause
	local pod=$DATA/pods/run/$UUID
	mv "$pod/pid" "$T/pid"
	g_bg entered enter "$UUID" /probe out inside
	local pid=$BG
	sleep 1
	[ ! -s "$T/entered.out" ] || fail "did not wait"
	kill -0 "$pid" || fail "gave up: $(cat "$T/entered.err")"
	mv "$T/pid" "$pod/pid"
	g_wait "$pid" entered
	assert_ok
	assert_out inside
}

@test "pid-file: enter gives up when the pod ends" {
	start_pod "$PROBE_ID" -- pause
	local pod=$DATA/pods/run/$UUID
	cp "$pod/pid" "$T/pid"
	rm "$pod/pid"
	g_bg entered enter "$UUID" /probe out inside
	local pid=$BG
	sleep 1
	kill -KILL "$(ps -o ppid= -p "$(cat "$T/pid")" | tr -d ' ')"
	g_wait "$pid" entered
	[ "$status" = 254 ] || fail "expected status 254"
	refute_match inside
}
