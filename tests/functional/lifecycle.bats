# stop, rm, gc: the states of a pod and what is left of it.

load ../lib/gantry

setup_file() { suite_up; }
teardown_file() { suite_down; }
setup() { test_up; }
teardown() { test_down; }

prepared_pod() {
	g prepare --quiet "$PROBE_ID"
	assert_ok
	UUID=${lines[-1]}
}

pod_dir() { [ -d "$DATA/pods/$2/$1" ] || fail "pod is not in $2: $(ls -d "$DATA"/pods/*/"$1" 2>&1)"; }
pod_gone() { ! ls -d "$DATA"/pods/*/"$1" 2>/dev/null || fail "pod $1 is still there"; }

# --- stop

@test "stop: ends a running pod in order and prints its quoted UUID" {
	start_pod "$PROBE_ID" -- on 15 goodbye 0 , pause
	g stop "$UUID"
	assert_ok
	assert_out "\"$UUID\""
	wait_state "$UUID" exited
	g status "$UUID"
	assert_out app-probe=0
}

@test "stop: --force ends an app that ignores TERM" {
	start_pod "$PROBE_ID" -- ignore 15 , pause
	g stop --force "$UUID"
	assert_ok
	wait_state "$UUID" exited
}

@test "stop: without --force such an app is killed after a while" {
	start_pod "$PROBE_ID" -- ignore 15 , pause
	g stop "$UUID"
	wait_state "$UUID" exited
}

@test "stop: an exited pod is already stopped, which is success" {
	exited_pod
	g stop "$UUID"
	assert_ok
	grep -qF "pod \"$UUID\" is already stopped" "$T/out" "$T/err" || fail "not said"
}

@test "stop: a prepared pod is not running" {
	prepared_pod
	g stop "$UUID"
	assert_refused 254 "$UUID" 'not running'
}

@test "stop: several at once, by prefix and by --uuid-file" {
	start_pod "$PROBE_ID" -- pause
	local a=$UUID
	start_pod "$PROBE_ID" -- pause
	local b=$UUID
	g stop "$a" "${b:0:13}"
	assert_ok
	assert_out "\"$a\"" "\"$b\""
	wait_state "$a" exited
	wait_state "$b" exited
	start_pod "$PROBE_ID" -- pause
	echo "$UUID" >"$T/file"
	g stop --uuid-file="$T/file"
	assert_ok
	wait_state "$UUID" exited
}

@test "stop: unknown, empty and unreadable" {
	g stop 00000000-0000-0000-0000-000000000000
	assert_refused 254 'no matches found for'
	g stop ''
	assert_refused 254 'UUID cannot be empty'
	g stop --uuid-file="$T/no-such-file"
	assert_refused 1 no-such-file
	g stop
	assert_refused 254
}

@test "stop: one bad name of two does not hinder the other" {
	start_pod "$PROBE_ID" -- pause
	g stop ffffffff-ffff "$UUID"
	assert_refused 254 'no matches found for'
	assert_out "\"$UUID\""
	wait_state "$UUID" exited
}

# --- rm

@test "rm: removes exited and prepared pods and prints their quoted UUIDs" {
	exited_pod
	local a=$UUID
	prepared_pod
	g rm "$a" "$UUID"
	assert_ok
	assert_out "\"$a\"" "\"$UUID\""
	pod_gone "$a"
	pod_gone "$UUID"
}

@test "rm: a running pod is refused and left alone" {
	start_pod "$PROBE_ID" -- pause
	g rm "$UUID"
	assert_refused 254 "$UUID" running 'failed to remove one or more pods'
	assert_equal "$(pod_state "$UUID")" running
}

@test "rm: unknown, empty, by file, ambiguous" {
	g rm 00000000-0000-0000-0000-000000000000
	assert_refused 254 'no matches found for'
	g rm ''
	assert_refused 254 'UUID cannot be empty'
	exited_pod
	g rm --uuid-file="$T/uuid"
	assert_ok
	pod_gone "$UUID"
	# two made-up pods that share their first digits
	mkdir -p "$DATA"/pods/prepared/1234567{8,9}-0000-4000-8000-000000000000
	g rm 1234567
	assert_refused 254 'ambiguous uuid, 2 matches'
}

@test "rm: a pod that failed to start can be removed" {
	g run --net=none --uuid-file-save="$T/uuid" "$PROBE_ID" --exec=/not-there -- x
	assert_refused 203 /not-there
	UUID=$(cat "$T/uuid")
	g rm "$UUID"
	assert_ok
	pod_gone "$UUID"
}

@test "rm: leaves nothing behind" {
	leak_snapshot
	start_pod "$PROBE_ID" -- pause
	g stop --force "$UUID"
	wait_state "$UUID" exited
	g rm "$UUID"
	assert_ok
	assert_no_leaks
}

# --- gc

@test "gc: keeps exited pods for the grace period, then removes them" {
	exited_pod
	g gc
	assert_ok
	pod_dir "$UUID" exited-garbage
	assert_equal "$(pod_state "$UUID")" 'exited garbage'
	g gc
	assert_ok
	pod_dir "$UUID" exited-garbage
	g gc --grace-period=0s
	assert_ok
	pod_gone "$UUID"
}

@test "gc: --mark-only only marks" {
	exited_pod
	g gc --mark-only --grace-period=0s
	assert_ok
	pod_dir "$UUID" exited-garbage
	g gc --grace-period=0s
	assert_ok
	pod_gone "$UUID"
}

@test "gc: prepared pods expire only when asked" {
	prepared_pod
	g gc --grace-period=0s
	assert_ok
	pod_dir "$UUID" prepared
	g gc --expire-prepared=0s
	assert_ok
	g gc --grace-period=0s --expire-prepared=0s
	assert_ok
	pod_gone "$UUID"
}

@test "gc: an aborted prepare is garbage at once" {
	mkdir -p "$DATA/pods/prepare/12345678-0000-4000-8000-000000000000"
	assert_equal "$(pod_state 12345678)" 'aborted prepare'
	g gc --grace-period=0s
	assert_ok
	pod_gone 12345678-0000-4000-8000-000000000000
}

@test "gc: never touches a running pod" {
	start_pod "$PROBE_ID" -- pause
	collect_all
	assert_equal "$(pod_state "$UUID")" running
	g enter "$UUID" /probe out alive
	assert_ok
	assert_out alive
}

@test "gc: leaves nothing behind, and twice is harmless" {
	leak_snapshot
	exited_pod
	prepared_pod
	collect_all
	assert_no_leaks
}

@test "gc: a pod directory with a deep and a hostile tree is removed, and nothing else" {
	exited_pod
	local dir=$DATA/pods/run/$UUID i
	mkdir "$T/outside"
	echo precious >"$T/outside/file"
	ln -s "$T/outside" "$dir/link"
	(
		cd "$dir"
		for i in $(seq 300); do
			mkdir deep && cd -P deep || exit 1
		done
	)
	g gc --grace-period=0s
	assert_ok
	pod_gone "$UUID"
	assert_equal "$(cat "$T/outside/file")" precious
}

@test "gc: a bad duration is refused" {
	g gc --grace-period=soon
	assert_refused 254 grace-period soon
}

@test "gc: works on an empty and on a missing data directory" {
	rm -rf "$DATA"
	g gc
	assert_ok
}
