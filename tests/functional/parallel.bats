# Two, and twenty, of anything at once.

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

# many N COMMAND...: run it N times at once with {} replaced; streams in $T/I.out and $T/I.err, statuses
# in $T/I.rc.
many() {
	local n=$1 i pids=()
	shift
	for i in $(seq 1 "$n"); do
		(
			rc=0
			gantry "${@//\{\}/$i}" >"$T/$i.out" 2>"$T/$i.err" </dev/null || rc=$?
			echo $rc >"$T/$i.rc"
		) 3>&- 4>&- &
		pids+=($!)
	done
	wait "${pids[@]}"
	note_pods
	MANY=$n
}

assert_all() { # STATUS
	local i
	for i in $(seq 1 "$MANY"); do
		assert_equal "$i: $(cat "$T/$i.rc") $(cat "$T/$i.err")" "$i: ${1:-0} "
	done
}

@test "parallel: 20 runs with the default network, each with its own address" {
	many 20 run "$PROBE_ID" -- out '{}' , addrs
	assert_all 0
	local i
	for i in $(seq 1 20); do
		grep -qx "$i" "$T/$i.out" || fail "output of $i: $(cat "$T/$i.out")"
	done
	collect_all
	assert_no_leaks
}

@test "parallel: 20 pods that live at the same time have 20 addresses" {
	many 20 run --detach "$PROBE_ID" -- listen 8080 'pod {}'
	assert_all 0
	g list --no-legend
	local ips
	ips=$(grep -oE 'default:ip4=[0-9.]+' "$T/out" | sort -u | wc -l)
	assert_equal "$ips" 20
	g stop --force $(known_pods)
	assert_ok
	collect_all
	assert_no_leaks
}

@test "parallel: statuses do not get mixed up" {
	many 10 run --net=none "$PROBE_ID" -- exit '{}'
	local i
	for i in $(seq 1 10); do
		assert_equal "$(cat "$T/$i.rc")" "$i"
	done
	collect_all
	assert_no_leaks
}

@test "parallel: gc while others gc, run and list" {
	local i
	for i in 1 2 3 4 5 6; do
		g run "$PROBE_ID" -- exit 0
	done
	start_pod "$PROBE_ID" -- pause
	g_bg gc1 gc --grace-period=0s
	local a=$BG
	g_bg gc2 gc --grace-period=0s
	local b=$BG
	g_bg list list
	local c=$BG
	g_bg run run "$PROBE_ID" -- out between
	local d=$BG
	local name pid
	for name in gc1:$a gc2:$b list:$c run:$d; do
		pid=${name#*:}
		g_wait "$pid" "${name%:*}"
		assert_ok
	done
	assert_out between
	assert_equal "$(pod_state "$UUID")" running
	g stop "$UUID"
	collect_all
	assert_no_leaks
}

@test "parallel: the same image fetched by five at once is one image" {
	g image rm "$PROBE_ID"
	assert_ok
	many 5 fetch "$FIX/probe.aci"
	assert_all 0
	g image list --no-legend
	assert_equal "${#lines[@]}" 1
	run_probe -- out works
	assert_ok
	collect_all
	assert_no_leaks
}

@test "parallel: fetch, rm and run of one image at once give whole results" {
	local i
	for i in 1 2 3; do
		g_bg fetch fetch "$FIX/probe.aci"
		local a=$BG
		g_bg rm image rm "$PROBE_ID"
		local b=$BG
		g_bg run run --net=none "$FIX/probe.aci" -- out whole
		local c=$BG
		g_wait "$a" fetch
		assert_ok
		g_wait "$b" rm
		g_wait "$c" run
		# it ran, or it says that the image was taken away: never anything else
		[ "$status" = 0 ] && assert_out whole || assert_refused 254 "${PROBE_ID:0:19}|probe"
		g fetch "$FIX/probe.aci"
		assert_ok
	done
	collect_all
	assert_no_leaks
}

@test "parallel: two stops and an rm of one pod" {
	start_pod "$PROBE_ID" -- pause
	g_bg s1 stop "$UUID"
	local a=$BG
	g_bg s2 stop "$UUID"
	local b=$BG
	g_wait "$a" s1
	assert_ok
	g_wait "$b" s2
	assert_ok
	wait_state "$UUID" exited
	many 3 rm "$UUID"
	local i won=0
	for i in 1 2 3; do
		[ "$(cat "$T/$i.rc")" != 0 ] || won=$((won + 1))
		[ "$(cat "$T/$i.rc")" = 0 ] || [ "$(cat "$T/$i.rc")" = 254 ] || fail "status $(cat "$T/$i.rc")"
	done
	[ $won -ge 1 ] || fail "nobody removed it: $(cat "$T"/*.err)"
	collect_all
	assert_no_leaks
}

@test "parallel: ten enters of one pod" {
	start_pod "$PROBE_ID" -- pause
	many 10 enter "$UUID" /probe out 'hello {}' , exit '{}'
	local i
	for i in $(seq 1 10); do
		assert_equal "$(cat "$T/$i.rc") $(cat "$T/$i.out")" "$i hello $i"
	done
	g stop "$UUID"
	collect_all
	assert_no_leaks
}

@test "parallel: the last pod of a network goes while the next one comes" {
	local i
	for i in $(seq 1 10); do
		g_bg a run "$PROBE_ID" -- exit 0
		local a=$BG
		g_bg b run "$PROBE_ID" -- exit 0
		local b=$BG
		g_wait "$a" a
		assert_ok
		g_wait "$b" b
		assert_ok
	done
	collect_all
	assert_no_leaks
}
