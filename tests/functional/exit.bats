# Exit statuses, signals, and what of an app's output is seen where.

load ../lib/gantry

setup_file() { suite_up; }
teardown_file() { suite_down; }
setup() { test_up; }
teardown() { test_down; }

# the only pod there is
the_pod() {
	local pods=("$DATA"/pods/*/*-*-*-*-*)
	[ ${#pods[@]} = 1 ] || fail "expected one pod, got: ${pods[*]}"
	UUID=${pods[0]##*/}
}

@test "exit: the app's status is gantry's" {
	local n
	for n in 0 1 2 42 254 255; do
		run_probe -- exit $n
		assert_status $n
	done
}

@test "exit: the status is kept after the pod ended" {
	run_probe --name=app -- exit 42
	assert_status 42
	the_pod
	g status "$UUID"
	assert_ok
	assert_out state=exited exited=true app-app=42
}

@test "exit: of apps that end with 0, 5 and 6 the pod reports 5" {
	need ns-flavor
	# the third would say 6 if it were let; the second waits for it so that the order is certain
	mkdir "$T/meet"
	g run --net=none --volume=meet,kind=host,source="$T/meet" --mount=volume=meet,target=/meet \
		"$PROBE_ID" --name=a -- exit 0 --- \
		"$PROBE_ID" --name=b -- await /meet/c , exit 5 --- \
		"$PROBE_ID" --name=c -- write /meet/c , pause , exit 6
	assert_status 5
	the_pod
	g status "$UUID"
	assert_ok
	assert_out app-a=0 app-b=5 app-c=0
}

@test "exit: the pod goes on until all apps ended well" {
	need ns-flavor
	mkdir "$T/meet"
	g run --net=none --volume=meet,kind=host,source="$T/meet" --mount=volume=meet,target=/meet \
		"$PROBE_ID" --name=a -- exit 0 --- \
		"$PROBE_ID" --name=b -- sleep 1 , out still here
	assert_ok
	assert_out 'b: still here'
}

@test "exit: an app killed by a signal counts as 128 and the signal" {
	run_probe -- die 9
	assert_status 137
	run_probe -- die 15
	assert_status 143
	run_probe -- die 6
	assert_status 134
}

@test "exit: SIGTERM to gantry ends the pod in order" {
	g_bg pod run --net=none "$PROBE_ID" -- on 15 goodbye 0 , out ready , pause
	local pid=$BG
	wait_line "$T/pod.out" '^ready$'
	kill -TERM "$pid"
	g_wait "$pid" pod
	assert_out ready goodbye
	[ "$status" -lt 126 ] || [ "$status" = 143 ] || fail "a strange end"
	the_pod
	assert_equal "$(pod_state "$UUID")" exited
}

pid_file() { ls "$DATA"/pods/run/*/pid; }

@test "exit: a request to end is heard, however early it comes" {
	command -v strace >/dev/null || skip "no strace here"
	! grep -q __asan_init "$GANTRY" || skip "LeakSanitizer does not work under ptrace"
	local flags words pid
	global_flags
	with_flavor run --net=none "$PROBE_ID" -- pause
	# the pod's first process takes its time before it listens
	(exec nsenter --target="$WORLD" --mount --net -- strace -f -qq -o "$T/trace" -e trace=rt_sigaction \
		-e inject=rt_sigaction:delay_enter=30000 "$GANTRY" "${flags[@]}" "${words[@]}") \
		</dev/null >"$T/early.out" 2>"$T/early.err" 3>&- 4>&- &
	pid=$!
	BG_PIDS+=("$pid")
	wait_for 60 pid_file || fail "never started: $(cat "$T/early.err")"
	the_pod
	g stop "$UUID"
	assert_ok
	assert_equal "$(pod_state "$UUID")" exited
	g_wait "$pid" early
	assert_ok
}

@test "exit: SIGINT and SIGHUP do the same" {
	local sig
	for sig in INT HUP; do
		# a background command of a script has SIGINT ignored: the shell's doing, undone by env
		local flags
		global_flags
		(exec env --default-signal=INT nsenter --target="$WORLD" --mount --net -- "$GANTRY" "${flags[@]}" \
			run --net=none "$PROBE_ID" -- on 15 goodbye 0 , out ready , pause) \
			</dev/null >"$T/$sig.out" 2>"$T/$sig.err" 3>&- 4>&- &
		local pid=$!
		BG_PIDS+=("$pid")
		wait_line "$T/$sig.out" '^ready$'
		kill "-$sig" "$pid"
		g_wait "$pid" "$sig"
		assert_out goodbye
	done
}

@test "exit: standard output and standard error are kept apart for one app" {
	run_probe -- out to stdout , err to stderr
	assert_ok
	assert_out 'to stdout'
	assert_err '^to stderr$'
	refute_match 'to stderr'
}

@test "exit: with several apps each line says whose it is" {
	need ns-flavor
	g run --net=none "$PROBE_ID" --name=one -- lines 3 --- "$PROBE_ID" --name=two -- out hello
	assert_ok
	assert_out 'one: line 1 of 3' 'one: line 3 of 3' 'two: hello'
}

@test "exit: output is complete, however much" {
	run_probe -- lines 50000
	assert_ok
	assert_equal "${#lines[@]}" 50000
	assert_equal "${lines[49999]}" 'line 50000 of 50000'
}

@test "exit: a last line without newline and zero bytes pass as they are" {
	printf 'no newline\0end' >"$T/file"
	g run --net=none --volume=v,kind=host,source="$T/file" --mount=volume=v,target=/file "$PROBE_ID" -- cat /file
	assert_ok
	cmp "$T/file" "$T/out"
}

@test "exit: a reader that goes away does not hang the pod" {
	local flags rc=0
	global_flags
	in_world timeout 100 "$GANTRY" "${flags[@]}" run --net=none "$PROBE_ID" -- lines 200000 \
		2>"$T/err" 3>&- | head -n 1 >"$T/out" || rc=$?
	assert_out 'line 1 of 200000'
	[ "$rc" != 124 ] || fail "hung"
	wait_for 60 no_running_pods || fail "still runs"
}

no_running_pods() { [ -z "$(find "$DATA/pods/run" -mindepth 1 -maxdepth 1 ! -exec flock -n {} true \; -print)" ]; }

@test "exit: each app's output is also in a file of the pod" {
	g run --detach --net=none "$PROBE_ID" --name=app -- out kept for later
	assert_ok
	UUID=${lines[-1]}
	wait_state "$UUID" exited
	grep -rqsF 'kept for later' "$DATA/pods/run/$UUID" || fail "not in the pod's directory"
}

@test "exit: PID 1 reaps what apps leave behind" {
	need ns-flavor
	run_probe -- orphans 20 , reaped 2
	assert_ok
	assert_out processes=2 zombies=0
}

@test "exit: children that an app leaves die with the pod" {
	run_probe -- orphans 3 stay , exit 0
	assert_ok
	the_pod
	procs_end "$UUID"
}

@test "exit: an app that ignores TERM is killed, and the pod ends" {
	need ns-flavor
	g_bg pod run --net=none "$PROBE_ID" --name=deaf -- ignore 15 , out ready , pause --- \
		"$PROBE_ID" --name=other -- on 15 goodbye 0 , out ready , pause
	local pid=$BG
	wait_line "$T/pod.out" 'deaf: ready'
	wait_line "$T/pod.out" 'other: ready'
	kill -TERM "$pid"
	g_wait "$pid" pod
	assert_out 'other: goodbye'
}

@test "exit: standard input of an app is empty" {
	run_probe -- stdin
	assert_ok
	assert_out stdin=0
}
