# restart: a pod that has ended runs again.

load ../lib/gantry

setup_file() { suite_up; }
teardown_file() { suite_down; }
setup() { test_up; }
teardown() { test_down; }

# exited NAME WORD...: a named pod that ended; its UUID is in $UUID and $T/uuid.
exited() {
	g run --net=none --pod-name="$1" --uuid-file-save="$T/uuid" "${RUN_FLAGS[@]}" "$PROBE_ID" --name=app -- "${@:2}"
	UUID=$(cat "$T/uuid")
}

@test "restart: by UUID, by a beginning of it, by name and by file" {
	local word
	exited again out hello
	assert_ok
	for word in "$UUID" "${UUID:0:8}" again; do
		g restart --net=none "$word"
		assert_ok
		assert_out hello
	done
	g restart --net=none --uuid-file="$T/uuid"
	assert_ok
	assert_out hello
	g list --no-legend
	assert_equal "${#lines[@]}" 1
}

@test "restart: what the app wrote is still there, the status of the last run is not" {
	# 3 the first time, then what the file says
	exited twice stat /left , write /left x , exit 3
	assert_status 3
	assert_out 'stat /left=ENOENT'
	g status twice
	assert_out app-app=3
	g restart --net=none --detach twice
	assert_ok
	assert_equal "$output" "$UUID"
	wait_state twice exited
	grep -q '^stat /left=f ' "$DATA/pods/run/$UUID/logs/app.log" || fail "$(cat "$DATA/pods/run/$UUID/logs/app.log")"
	g status twice
	assert_out app-app=3 exited=true
}

@test "restart: while it runs there is no status, and the start is the new one" {
	RUN_FLAGS=(--pod-name=service)
	start_pod "$PROBE_ID" --name=app -- on 15 bye 7 , pause
	local uuid=$UUID pid started created
	g status service
	pid=$(value pid) started=$(value started) created=$(value created)
	g stop service
	assert_ok
	wait_state service exited
	g status service
	assert_match '^app-app='
	g restart --net=none --detach service
	assert_ok
	assert_equal "$output" "$uuid"
	g status service
	assert_out state=running exited=false "created=$created"
	refute_match '^app-'
	[ "$(value pid)" != "$pid" ] || fail "the old pid"
	[ "$(value started)" != "$started" ] || fail "the old start"
	g enter service /probe out inside
	assert_ok
	assert_out inside
}

@test "restart: only an exited pod" {
	g prepare --quiet "$PROBE_ID"
	UUID=$output
	g restart --net=none "$UUID"
	assert_refused 254 "^gantry: restart: pod \"$UUID\" is prepared: only an exited one can be restarted$"
	start_pod "$PROBE_ID" -- pause
	g restart --net=none "$UUID"
	assert_refused 254 "pod \"$UUID\" is running: only an exited one"
	assert_equal "$(pod_state "$UUID")" running
	exited_pod
	g gc --mark-only
	g restart --net=none "$UUID"
	assert_refused 254 "pod \"$UUID\" is exited garbage: only an exited one"
	g restart deadbeef
	assert_refused 254 'no matches found for "deadbeef"'
	g restart
	assert_refused 254 'must provide a pod UUID'
	g restart a-name b-name
	assert_refused 254 'must supply exactly one pod UUID'
	g restart --uuid-file="$T/no-such-file"
	assert_refused 254 'no-such-file'
}

@test "restart: of two at once one wins" {
	local sa sb
	RUN_FLAGS=(--pod-name=contended)
	start_pod "$PROBE_ID" --name=app -- pause
	g stop --force contended
	wait_state contended exited
	g_bg first restart --net=none --detach contended
	local a=$BG
	g_bg second restart --net=none --detach contended
	local b=$BG
	sa=0 sb=0
	wait "$a" || sa=$?
	wait "$b" || sb=$?
	assert_equal "$(printf '%s\n' $sa $sb | sort -n | xargs)" '0 254'
	assert_equal "$(pod_state contended)" running
}

@test "restart: the options are those of this run" {
	need ns-flavor
	exited names hostname , cat /etc/hosts /etc/resolv.conf
	g restart --net=none --hostname=late --dns=192.0.2.1 --hosts-entry=192.0.2.2=friend names
	assert_ok
	assert_out hostname=late 'nameserver 192.0.2.1'
	assert_match '^192\.0\.2\.2\s+friend$'
	# nothing of that stays
	g restart --net=none names
	assert_out "hostname=gantry-$UUID"
	refute_match friend '192\.0\.2\.1'
}

@test "restart: volumes keep what is in them" {
	mkdir "$T/src"
	RUN_FLAGS=(--volume=e,kind=empty --mount=volume=e,target=/e --volume=h,kind=host,source="$T/src" --mount=volume=h,target=/h)
	exited volumes stat /e/file , write /e/file x , write /h/file y
	assert_ok
	assert_out 'stat /e/file=ENOENT'
	RUN_FLAGS=()
	g restart --net=none volumes
	assert_ok
	assert_match '^stat /e/file=f '
}

@test "restart: a copied root, and a pod of two apps" {
	need ns-flavor
	g run --net=none --no-overlay --pod-name=copy "$PROBE_ID" --name=one -- stat /x , write /x 1 --- \
		"$PROBE_ID" --name=two -- out two
	assert_ok
	assert_out 'one: stat /x=ENOENT'
	g restart --net=none copy
	assert_ok
	assert_match '^one: stat /x=f '
	assert_out 'two: two'
}

@test "restart: a pod whose monitor was killed" {
	leak_snapshot
	RUN_FLAGS=(--pod-name=killed)
	start_pod "$PROBE_ID" --name=app -- pause
	kill -KILL "$(monitor_of "$UUID")"
	wait_state killed exited
	g restart --net=none --detach killed
	assert_ok
	assert_equal "$(pod_state killed)" running
	g stop --force killed
	wait_state killed exited
	g rm killed
	assert_ok
	assert_no_leaks
}

@test "restart: with a network, after one that nobody took back" {
	need ns-flavor
	need veth nft
	leak_snapshot
	RUN_FLAGS=(--pod-name=net)
	NET=default start_pod "$PROBE_ID" --name=app -- pause
	kill -KILL "$(monitor_of "$UUID")"
	wait_state net exited
	g restart --net=default --detach net
	assert_ok
	g status net
	assert_match '^networks=default:ip4=172\.16\.28\.[0-9]+$'
	g stop --force net
	wait_state net exited
	g rm net
	assert_ok
	assert_no_leaks
}

@test "restart: --dry-run changes nothing" {
	exited dry exit 5
	g restart --net=none --dry-run dry
	assert_ok
	g status dry
	assert_out state=exited app-app=5
}

@test "restart: what fails to start again is exited, and can be tried again" {
	mkdir "$T/src"
	RUN_FLAGS=(--volume=h,kind=host,source="$T/src" --mount=volume=h,target=/h)
	exited volume out hello
	assert_ok
	RUN_FLAGS=()
	rmdir "$T/src"
	g restart --net=none volume
	assert_refused 254 "$T/src"
	assert_equal "$(pod_state volume)" exited
	mkdir "$T/src"
	g restart --net=none volume
	assert_ok
	assert_out hello
}

@test "restart: killed at any moment before the start, the pod is exited and can be restarted" {
	local n flags rc
	exited killed out hello
	global_flags
	for n in 1 2 3 4 5 6 7; do
		rc=0
		in_world strace -qq -o "$T/trace" -e trace=unlinkat,rmdir -e inject=unlinkat:signal=KILL:when=$n \
			"$GANTRY" "${flags[@]}" restart --net=none killed >"$T/out" 2>"$T/err" </dev/null 3>&- 4>&- || rc=$?
		[ "$rc" = 137 ] || break
		wait_state killed exited
		g list --no-legend
		assert_ok
	done
	[ $n -gt 3 ] || fail "it was killed $n times only: $(cat "$T/trace" "$T/err")"
	g restart --net=none killed
	assert_ok
	assert_out hello
}
