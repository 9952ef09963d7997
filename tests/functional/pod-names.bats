# --pod-name: what every command takes instead of a UUID.

load ../lib/gantry

setup_file() { suite_up; }
teardown_file() { suite_down; }
setup() { test_up; }
teardown() { test_down; }

# named NAME [WORD...]: a prepared pod of that name; its UUID is in $UUID.
named() {
	g prepare --quiet --pod-name="$1" "$PROBE_ID" --name=app "${@:2}"
	assert_ok
	UUID=$output
}

exited_named() {
	g run --net=none --pod-name="$1" --uuid-file-save="$T/uuid" "$PROBE_ID" --name=app -- exit "${2:-0}"
	assert_status "${2:-0}"
	UUID=$(cat "$T/uuid")
}

@test "pod-names: status, cat-manifest and run-prepared take the name" {
	named web-server -- exit 3
	g status web-server
	assert_ok
	assert_out name=web-server state=prepared
	g cat-manifest web-server
	assert_ok
	assert_json '.apps[0].name == "app"'
	g run-prepared --net=none web-server
	assert_status 3
	g status web-server
	assert_ok
	assert_out state=exited app-app=3
}

@test "pod-names: enter, stop and rm take the name" {
	RUN_FLAGS=(--pod-name=service)
	start_pod "$PROBE_ID" --name=app -- on 15 bye 0 , pause
	g enter service /probe out inside
	assert_ok
	assert_out inside
	g stop service
	assert_ok
	assert_out "\"$UUID\""
	wait_state service exited
	g rm service
	assert_ok
	assert_out "\"$UUID\""
	g status service
	assert_refused 254 'no matches found for "service"'
	[ ! -L "$DATA/pods/names/service" ] || fail "the name is still there"
}

@test "pod-names: a file that --uuid-file names may hold a name" {
	named worker
	echo worker >"$T/file"
	g status --uuid-file="$T/file"
	assert_ok
	assert_out state=prepared
}

@test "pod-names: two pods cannot have one name at once" {
	named taken
	local first=$UUID
	g prepare --pod-name=taken "$PROBE_ID"
	assert_refused 254 '^gantry: prepare: --pod-name "taken": pod '"$first"' has that name$'
	g run --net=none --pod-name=taken "$PROBE_ID" -- id
	assert_refused 254 "$first"
	assert_equal "$(find "$DATA/pods" -mindepth 2 -maxdepth 2 -type d)" "$DATA/pods/prepared/$first"
	# an exited one keeps it as long as it is there
	g run-prepared --net=none taken
	g prepare --pod-name=taken "$PROBE_ID"
	assert_refused 254 "pod $first has that name, and has exited \\(gantry rm taken removes it\\)\$"
	g gc --mark-only
	g run --net=none --pod-name=taken "$PROBE_ID" -- id
	assert_refused 254 "$first.*gantry rm taken"
	g gc --grace-period=0s
	assert_ok
	named taken
	[ "$UUID" != "$first" ] || fail "the same pod"
	g status taken
	assert_ok
}

@test "pod-names: of several that ask for it at once one gets it" {
	local i pids=() got=0
	for i in 1 2 3 4; do
		g_bg "p$i" prepare --quiet --pod-name=contended "$PROBE_ID"
		pids+=("$BG")
	done
	for i in 1 2 3 4; do
		g_wait "${pids[i - 1]}" "p$i"
		[ "$status" = 0 ] && got=$((got + 1)) || assert_refused 254 'has that name'
	done
	assert_equal "$got" 1
	assert_equal "$(gantry list --no-legend | wc -l)" 1
	g status contended
	assert_ok
}

@test "pod-names: what is no name, or could be a UUID" {
	local name
	for name in '' UPPER under_score -dash dash- 'two words' a--b ../x x/y; do
		g prepare --pod-name="$name" "$PROBE_ID"
		assert_refused 254 '--pod-name'
	done
	for name in db cafe 12345678 12345678-1 deadbeef-0123; do
		g prepare --pod-name="$name" "$PROBE_ID"
		assert_refused 254 "--pod-name \"$name\": a UUID may begin like this"
	done
	g prepare --pod-name="$(printf 'x%.0s' {1..64})" "$PROBE_ID"
	assert_refused 254 'longer than 63 characters'
	for name in ace-db d-b 1234567-8 w "$(printf 'x%.0s' {1..63})"; do
		named "$name"
		g status "$name"
		assert_ok
		assert_out "name=$name"
	done
	assert_equal "$(ls "$DATA/pods/prepare")" ''
}

@test "pod-names: list shows them when asked for everything, and only then" {
	named first
	local with=$UUID
	g prepare --quiet "$PROBE_ID" --name=one --- "$PROBE_ID" --name=two
	local without=$output
	g list
	refute_match first
	g list --full
	assert_match '^UUID.*\sNETWORKS\s+POD NAME$' "^$with\s.*\sfirst\$"
	refute_match "^$without.*first"
	g list --full --no-legend
	assert_equal "$(grep -c first "$T/out")" 1
	g list --format=json
	assert_json ".[] | select(.name == \"$with\") | .pod_name == \"first\""
	assert_json ".[] | select(.name == \"$without\") | has(\"pod_name\") | not"
	g rm first
	# without names the columns are rkt's
	g list --full
	refute_match 'POD NAME'
	assert_match 'NETWORKS$'
}

@test "pod-names: a failed start does not keep the name" {
	g run --net=none --pod-name=again "$PROBE_ID" --working-dir=relative -- id
	assert_refused 254 relative
	# a preparation that was killed: aborted, but the link is there
	local dead=12345678-0000-4000-8000-000000000000
	mkdir -p "$DATA/pods/prepare/$dead" "$DATA/pods/names"
	printf again >"$DATA/pods/prepare/$dead/name"
	ln -s "$dead" "$DATA/pods/names/again"
	g status again
	assert_ok
	assert_out 'state=aborted prepare'
	exited_named again
	g status again
	assert_out state=exited
	# and the dead one does not take the name along
	g rm "$dead"
	assert_ok
	g status again
	assert_ok
	assert_out state=exited
}

@test "pod-names: a link that leads nowhere is replaced, and gc sweeps it" {
	mkdir -p "$DATA/pods/names"
	ln -s 87654321-0000-4000-8000-000000000000 "$DATA/pods/names/stale"
	ln -s 87654321-0000-4000-8000-000000000000 "$DATA/pods/names/stale-too"
	ln -s ../../../etc "$DATA/pods/names/foreign"
	g status stale
	assert_refused 254 'no matches found for "stale"'
	g status foreign
	assert_refused 254 'no matches found for "foreign"'
	named stale
	g status stale
	assert_ok
	g gc
	assert_ok
	[ ! -L "$DATA/pods/names/stale-too" ] || fail "not swept"
	[ -L "$DATA/pods/names/stale" ] || fail "swept a good one"
}

@test "pod-names: a name does not match by its beginning" {
	named worker
	g status work
	assert_refused 254 'no matches found for "work"'
	g status WORKER
	assert_refused 254 'no matches found for "WORKER"'
}

@test "pod-names: the name comes with a given pod manifest, too" {
	printf '{"acVersion":"0.8.11","acKind":"PodManifest","apps":[{"name":"a","image":{"id":"%s"},"app":{"exec":["/probe","exit","4"],"user":"0","group":"0"}}]}' \
		"$PROBE_ID" >"$T/pod.json"
	g run --net=none --pod-name=given --pod-manifest="$T/pod.json"
	assert_status 4
	g status given
	assert_ok
	assert_out state=exited app-a=4
}
