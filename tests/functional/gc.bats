# gc: what it takes, when, and what it leaves.

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

in_phase() { [ -d "$DATA/pods/$2/$1" ] || fail "pod is not in $2: $(ls -d "$DATA"/pods/*/"$1" 2>&1)"; }
gone() { ! ls -d "$DATA"/pods/*/"$1" 2>/dev/null || fail "pod $1 is still there"; }

@test "gc: the grace counts from the mark, not from the end of the pod" {
	exited_pod
	# an end long ago
	touch -d '3 days ago' "$DATA/pods/run/$UUID/status/app" "$DATA/pods/run/$UUID"
	g gc --grace-period=1h
	assert_ok
	in_phase "$UUID" exited-garbage
	touch -d '3 days ago' "$DATA/pods/exited-garbage/$UUID"
	g gc --grace-period=1h
	assert_ok
	in_phase "$UUID" exited-garbage
	sleep 1.1
	g gc --grace-period=1s
	assert_ok
	gone "$UUID"
}

@test "gc: half an hour and a day when nothing is said" {
	exited_pod
	local exited=$UUID
	prepared_pod
	g gc
	g gc
	assert_ok
	in_phase "$exited" exited-garbage
	in_phase "$UUID" prepared
	g help gc
	assert_match '--grace-period=.*30m' '--expire-prepared=.*24h' '--mark-only'
}

@test "gc: prepared pods have a time of their own" {
	prepared_pod
	g gc --grace-period=0s --expire-prepared=1h
	assert_ok
	in_phase "$UUID" prepared
	sleep 1.1
	g gc --grace-period=24h --expire-prepared=1s
	assert_ok
	gone "$UUID"
}

@test "gc: --mark-only marks what has ended and what broke off, and nothing else" {
	exited_pod
	local exited=$UUID aborted=12345678-0000-4000-8000-000000000000
	prepared_pod
	mkdir -p "$DATA/pods/prepare/$aborted" "$DATA/pods/garbage/12345678-0000-4000-8000-000000000001"
	g gc --mark-only --grace-period=0s --expire-prepared=0s
	assert_ok
	in_phase "$exited" exited-garbage
	in_phase "$aborted" garbage
	in_phase "$UUID" prepared
	in_phase 12345678-0000-4000-8000-000000000001 garbage
	# garbage is no pod for anybody
	g status "$aborted"
	assert_refused 254 'no matches found for'
	g gc --grace-period=24h
	assert_ok
	gone "$aborted"
	gone 12345678-0000-4000-8000-000000000001
	in_phase "$exited" exited-garbage
}

@test "gc: what somebody holds is left alone" {
	exited_pod
	hold_lock "$DATA/pods/run/$UUID"
	g gc --grace-period=0s
	assert_ok
	in_phase "$UUID" run
	mkdir -p "$DATA/pods/garbage/12345678-0000-4000-8000-000000000000"
	hold_lock "$DATA/pods/garbage/12345678-0000-4000-8000-000000000000"
	g gc --grace-period=0s
	assert_ok
	in_phase 12345678-0000-4000-8000-000000000000 garbage
}

@test "gc: one pod that cannot be taken back does not hinder the others, nor the exit status" {
	need root
	exited_pod
	local bad=$UUID
	exited_pod
	# its stage1 refuses to take back
	mkdir -p "$T/stage1/rootfs"
	printf '#!/bin/sh\necho "cannot undo" >&2; exit 3\n' >"$T/stage1/rootfs/gc"
	chmod 755 "$T/stage1/rootfs/gc"
	printf '{"acKind":"ImageManifest","acVersion":"0.8.11","name":"example.com/stage1","annotations":[{"name":"coreos.com/rkt/stage1/gc","value":"/gc"},{"name":"coreos.com/rkt/stage1/interface-version","value":"7"}]}' \
		>"$T/stage1/manifest"
	printf '%s\nexample.com/stage1\n7\n' "$T/stage1" >"$DATA/pods/run/$bad/stage1"
	: >"$DATA/pods/run/$bad/cgroup"
	g gc --grace-period=0s
	assert_ok
	assert_err "pod $bad: stage1 gc exited with status 3"
	assert_err 'cannot undo'
	gone "$UUID"
	in_phase "$bad" exited-garbage
	# and the next one tries again
	printf '#!/bin/sh\nexit 0\n' >"$T/stage1/rootfs/gc"
	g gc --grace-period=0s
	assert_ok
	gone "$bad"
}

@test "gc: twice at once is harmless" {
	local i
	for i in 1 2 3 4; do
		exited_pod
	done
	g_bg a gc --grace-period=0s
	local a=$BG
	g_bg b gc --grace-period=0s
	local b=$BG
	g_wait "$a" a
	assert_ok
	g_wait "$b" b
	assert_ok
	[ -z "$(find "$DATA/pods" -mindepth 2 -maxdepth 2 -type d)" ] || fail "left: $(find "$DATA/pods" -mindepth 2 -maxdepth 2)"
}

@test "gc: what is refused" {
	g gc extra
	assert_refused 254 'unexpected argument "extra"'
	g gc --grace-period=5
	assert_refused 254 'invalid argument "5" for --grace-period: not a duration'
	g gc --expire-prepared
	assert_refused 254 'flag needs an argument: --expire-prepared'
	g gc --mark-only=maybe
	assert_refused 254 'invalid argument "maybe" for --mark-only: true or false'
}

@test "gc: says what it does" {
	exited_pod
	g gc --grace-period=0s
	assert_ok
	assert_equal "$output" ''
	assert_err "moving pod \"$UUID\" to exited-garbage"
	assert_err "garbage collecting pod \"$UUID\""
}
