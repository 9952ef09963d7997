# fetch is killed with all of its workers, or one worker alone, at twenty moments each: what is in the
# store is whole, and gc leaves nothing of the rest.

load ../lib/gantry

setup_file() {
	need root gpg
	world_up
	fixtures_up
	keys_up
	T=$BATS_FILE_TMPDIR
	mkdir -p "$T/root/many"
	cp -a "$FIX/root/." "$T/root/"
	local i
	for i in {1..400}; do
		head -c $((i * 331)) /dev/urandom >"$T/root/many/$i"
	done
	# programs of its own: those of other tests have the same names
	mkdir "$T/gantry"
	cp -a "${GANTRY%/bin/gantry}"/{bin,libexec} "$T/gantry"
	COMPRESS='gzip -1' make_aci "$T/crash.aci" example.com/crash '{"exec":["/probe"],"user":"0","group":"0"}' "$T/root"
	sign "$T/crash.aci" good
}
teardown_file() {
	keys_down
	world_down
}
setup() {
	sandbox_up "$BATS_TEST_TMPDIR"
	GANTRY=$BATS_FILE_TMPDIR/gantry/bin/gantry
	INSECURE=
	install_key good example.com
	ACI=$BATS_FILE_TMPDIR/crash.aci
}
teardown() { test_down; }

# The image is there whole, tree and all, or it is not there.
assert_whole_or_none() {
	local tree
	g image list --no-legend
	assert_ok
	[ -n "$output" ] || return 0
	tree=$(ls -d "$DATA"/cas/tree/*/rootfs)
	diff -r --no-dereference "$BATS_FILE_TMPDIR/root" "$tree" >"$T/diff" || fail "$(head -n 5 "$T/diff")"
	g image rm example.com/crash
	assert_ok
}

assert_nothing_left() {
	g gc --grace-period=0s
	assert_ok
	assert_equal "$(ls "$DATA/cas/tmp" "$DATA/cas/tree" "$DATA/cas/image" | grep -v ':$' | xargs)" ''
	! grep -q "$DATA" /proc/*/mountinfo 2>/dev/null || fail "a mount is left"
	refute_workers
}

# A worker dies with gantry; give it the moment that it takes.
refute_workers() { wait_for 60 no_workers || fail "a worker is left"; }
no_workers() { [ -z "$(find /proc -maxdepth 2 -name exe -lname "${GANTRY%/bin/gantry}/libexec/gantry/*" 2>/dev/null)" ]; }

@test "crash: fetch is killed at twenty moments" {
	local i
	for i in {1..20}; do
		g_bg fetch fetch "$ACI"
		sleep "0.$(printf '%03d' $((RANDOM % 250)))"
		kill -KILL "$BG" 2>/dev/null || :
		wait "$BG" 2>/dev/null || :
		refute_workers
		assert_whole_or_none
		assert_nothing_left
	done
	g fetch "$ACI"
	assert_ok
	assert_whole_or_none
	assert_nothing_left
}

# The newest worker of that name, once there is one.
worker_pid() {
	find /proc -maxdepth 2 -name exe -lname "${GANTRY%/bin/gantry}/libexec/gantry/$1" 2>/dev/null |
		head -n 1 | cut -d/ -f3
}

@test "crash: a worker is killed at twenty moments" {
	local i pid which
	for i in {1..20}; do
		which=$([ $((i % 2)) = 0 ] && echo unpack || echo verify)
		g_bg fetch fetch "$ACI"
		pid=
		while [ -z "$pid" ] && kill -0 "$BG" 2>/dev/null; do
			pid=$(worker_pid $which)
		done
		sleep "0.0$((RANDOM % 90))"
		[ -z "$pid" ] || kill -KILL "$pid" 2>/dev/null || :
		wait "$BG" 2>/dev/null || :
		assert_whole_or_none
		assert_nothing_left
	done
}
