# --uuid-file-save, and --uuid-file of the commands that take a pod.

load ../lib/gantry

setup_file() { suite_up; }
teardown_file() { suite_down; }
setup() { test_up; }
teardown() { test_down; }

@test "uuid-file: saved with mode 0644 and without a line feed, whatever the umask" {
	umask 077
	g run --net=none --uuid-file-save="$T/uuid" "$PROBE_ID" -- id
	assert_ok
	assert_equal "$(stat -c '%s %a' "$T/uuid")" '36 644'
	[ -d "$DATA/pods/run/$(cat "$T/uuid")" ] || fail "no such pod"
}

@test "uuid-file: an older content is replaced" {
	echo 'something that is much longer than a UUID is, and not one' >"$T/uuid"
	g run --net=none --uuid-file-save="$T/uuid" "$PROBE_ID" -- id
	assert_ok
	assert_equal "$(stat -c %s "$T/uuid")" 36
}

@test "uuid-file: there before the app runs" {
	g_bg pod run --net=none --uuid-file-save="$T/uuid" "$PROBE_ID" -- pause
	local pid=$BG
	wait_for 60 test -s "$T/uuid" || fail "not written"
	g status --wait-ready --uuid-file="$T/uuid"
	assert_ok
	assert_out state=running
	g stop --uuid-file="$T/uuid"
	assert_ok
	g_wait "$pid" pod
	g rm --uuid-file="$T/uuid"
	assert_ok
	assert_out "\"$(cat "$T/uuid")\""
}

@test "uuid-file: a run that fails has written it, and can be removed by it" {
	g run --net=none --uuid-file-save="$T/uuid" "$PROBE_ID" --working-dir=/not-there -- id
	assert_refused 254 /not-there
	g status --uuid-file="$T/uuid"
	assert_ok
	g rm --uuid-file="$T/uuid"
	assert_ok
	g list --no-legend
	assert_equal "$output" ''
}

@test "uuid-file: where it cannot be written the run fails, and says so" {
	g run --net=none --uuid-file-save="$T/no/such/dir/uuid" "$PROBE_ID" -- id
	assert_refused 254 --uuid-file-save "$T/no/such/dir/uuid" 'No such file'
	g run --net=none --uuid-file-save="$T" "$PROBE_ID" -- id
	assert_refused 254 --uuid-file-save
}

@test "uuid-file: prepare has none, and run has no --uuid-file" {
	g prepare --uuid-file-save="$T/uuid" "$PROBE_ID"
	assert_refused 254 'unknown flag: --uuid-file-save'
	g run --uuid-file="$T/uuid" "$PROBE_ID"
	assert_refused 254 'unknown flag: --uuid-file'
}

@test "uuid-file: spaces around it do no harm, and a prefix will do" {
	g prepare --quiet "$PROBE_ID"
	UUID=$output
	printf '  %s\n\n' "${UUID:0:9}" >"$T/file"
	local c
	for c in status cat-manifest; do
		g $c --uuid-file="$T/file"
		assert_ok
	done
	g rm --uuid-file="$T/file"
	assert_ok
	assert_out "\"$UUID\""
}

@test "uuid-file: the exit status of an unreadable one is 1 for status and stop, 254 for the others" {
	local c
	for c in status stop; do
		g $c --uuid-file="$T/none"
		assert_refused 1 "^gantry: $c: unable to read UUID from file: .*$T/none.*No such file"
	done
	for c in rm cat-manifest restart; do
		g $c --uuid-file="$T/none"
		assert_refused 254 "^gantry: $c: unable to read UUID from file: .*$T/none.*No such file"
	done
}

@test "uuid-file: one that is empty, or is not alone" {
	: >"$T/file"
	local c
	for c in status stop rm cat-manifest restart; do
		g $c --uuid-file="$T/file"
		assert_refused 254 'UUID cannot be empty'
		g $c --uuid-file="$T/file" 12345678
		assert_refused 254 'exclude each other'
		g $c
		assert_refused 254 'must provide a pod UUID'
	done
	echo deadbeef >"$T/file"
	for c in status stop rm cat-manifest restart; do
		g $c --uuid-file="$T/file"
		assert_refused 254 'no matches found for "deadbeef"'
	done
}
