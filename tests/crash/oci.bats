# fetch, prepare and run of an OCI image of several layers, from a layout and from a registry, are killed at random
# moments: the front, one of its processes, or all of them.  What is in the store is whole, gc leaves nothing of the rest,
# and the same again works.  GANTRY_TEST_KILLS: how many, of all tests of this file together.

load ../lib/gantry
load ../lib/layers
load ../lib/registry

: "${GANTRY_TEST_KILLS:=20}"
R=127.0.0.1:5000

setup_file() {
	need root veth nft
	suite_up
	local f=$BATS_FILE_TMPDIR i build=${GANTRY%/bin/gantry}
	# Another program than that of other files, so that its processes are told from theirs.
	cp -a "$build/bin" "$build/libexec" "$f/"
	export GANTRY=$f/bin/gantry
	mkdir -p "$f/root/many" "$f/second/many"
	cp -a "$FIX/root/." "$f/root/"
	for i in {1..300}; do
		head -c $((i * 97)) /dev/urandom >"$f/root/many/$i"
	done
	touch "$f"/second/many/.wh.{1..40}
	echo second >"$f/second/many/50"
	tar -C "$f/root" -cf "$f/1.tar" .
	tar -C "$f/second" -cf "$f/2.tar" .
	"$MKTAR" many:third=300 dir:opt file:opt/x=1 >"$f/3.tar"
	head -c 8000000 /dev/urandom >"$f/large"
	"$MKTAR" "from:large=$f/large" >"$f/4.tar"
	gzip -1 "$f"/[1-4].tar
	layout_make "$f/layout" app "$f"/[1-4].tar.gz
	! have_registry || {
		registry_up plain 5000
		skopeo_push "oci:$f/layout:app" "$R/lib/app:1"
	}
}
teardown_file() {
	registry_down
	suite_down
}
setup() {
	test_up
	LAYOUT=oci:$BATS_FILE_TMPDIR/layout:app
	INSECURE=image,http
	leak_snapshot
}
teardown() { test_down; }

# descendants PID: it and all that came of it
descendants() {
	local pid
	echo "$1"
	for pid in $(cat /proc/"$1"/task/*/children 2>/dev/null); do descendants "$pid"; done
}

# kill_somebody: of what $BG is at the bottom of
kill_somebody() {
	local pids
	mapfile -t pids < <(descendants "$BG")
	case $((RANDOM % 4)) in
	0 | 1) kill -KILL "$BG" ;;
	2) kill -KILL "${pids[RANDOM % ${#pids[@]}]}" ;;
	3) kill -KILL "${pids[@]}" ;;
	esac 2>/dev/null || :
}

in_cas() { ls -A "$DATA/cas/$1" 2>/dev/null | grep -vx "$PROBE_ID"; }
images() { in_cas image | grep -v ':$'; }
no_workers() { [ -z "$(find /proc -maxdepth 2 -name exe -lname "${GANTRY%/bin/gantry}/libexec/gantry/*" 2>/dev/null)" ]; }

# No pod is held by anybody; then gc takes it, and of the store what no image has.
collected() {
	local pod
	for pod in "$DATA"/pods/*/*-*-*-*-*; do
		[ ! -d "$pod" ] || flock -n "$pod" true || return 1
	done
	gantry gc --grace-period=0s --expire-prepared=0s >"$T/gc" 2>&1 || return 1
	[ -z "$(ls -A "$DATA/cas/tmp" 2>/dev/null)" ] && same_as_before || return 1
	[ -n "$(images)" ] || [ -z "$(in_cas blob; in_cas tree)" ]
}

assert_recovered() {
	local id
	wait_for 60 no_workers || fail "a worker is left"
	g list --no-legend
	assert_ok
	g image list --no-legend
	assert_ok
	for id in $(images); do
		g image verify "$id"
		assert_ok
		# What the next one finds in the store is sometimes all, sometimes nothing.
		[ $((RANDOM % 3)) = 0 ] || g image rm "$id"
		assert_ok
	done
	wait_for 60 collected ||
		fail "left: $(find "$DATA/cas" "$DATA/pods" -mindepth 2 -maxdepth 2) $(diff -u0 "$T/leak-before" "$T/leak-after") $(cat "$T/gc")"
}

# killed ARG...: as often as it is this test's turn; first once unharmed, to know how long it takes
killed() {
	local i started took
	started=$(date +%s%N)
	gantry "$@" >"$T/whole" 2>&1 || fail "$(cat "$T/whole")"
	took=$((($(date +%s%N) - started) / 1000))
	assert_recovered
	for ((i = 0; i < (GANTRY_TEST_KILLS + 4) / 5; i++)); do
		g_bg killed "$@"
		sleep "$(awk -v t="$took" -v r="$RANDOM" 'BEGIN {printf "%.6f", t * r / 32768 / 1e6}')"
		kill_somebody
		wait "$BG" 2>/dev/null || :
		note_pods
		assert_recovered
	done
	g "$@"
	assert_ok
	assert_recovered
}

@test "crash: fetch of an image layout is killed" {
	killed fetch "$LAYOUT"
}

@test "crash: fetch from a registry is killed" {
	need registry
	killed fetch "docker://$R/lib/app:1"
}

@test "crash: prepare of two OCI images is killed" {
	need registry
	killed prepare "docker://$R/lib/app:1" --name=one --exec=/probe --- "$LAYOUT" --name=two --exec=/probe
}

@test "crash: run from an image layout is killed" {
	killed run "$LAYOUT" --exec=/probe -- out hello
}

@test "crash: run of copies of layers is killed" {
	killed run --net=none --no-overlay "$LAYOUT" --exec=/probe -- out hello
}
