# list, status, cat-manifest: what they print, as table, as lines and as JSON.

load ../lib/gantry

setup_file() { suite_up; }
teardown_file() { suite_down; }
setup() { test_up; }
teardown() { test_down; }

DATE='[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,3})? [+-][0-9]{4} [A-Z0-9+-]+'

# --- list

@test "list: the header alone when there is nothing" {
	g list
	assert_ok
	assert_match '^UUID\s+APP\s+IMAGE NAME\s+STATE\s+CREATED\s+STARTED\s+NETWORKS\s*$'
	assert_equal "${#lines[@]}" 1
	g list --no-legend
	assert_ok
	assert_equal "$output" ''
}

@test "list: one line for each app, short and full" {
	start_pod "$PROBE_ID" --name=app -- pause
	g list
	assert_ok
	assert_match "^${UUID:0:8}\s+app\s+example.com/probe:1\.0\.0\s+running\s+.*(ago|now)"
	g list --full
	assert_ok
	assert_match '^UUID\s+APP\s+IMAGE NAME\s+IMAGE ID\s+STATE'
	assert_match "^$UUID\s+app\s+example.com/probe:1\.0\.0\s+${PROBE_ID:0:19}\s+running\s+$DATE\s+$DATE"
}

@test "list: further apps of a pod have empty first and last columns" {
	need ns-flavor
	start_pod "$PROBE_ID" --name=one -- pause --- "$PROBE_ID" --name=two -- pause
	g list --no-legend
	assert_ok
	assert_equal "${#lines[@]}" 2
	[[ ${lines[0]} == "${UUID:0:8}"*one* ]] || fail "first line"
	assert_match '^\s+two\s+example.com/probe:1\.0\.0\s*$'
}

@test "list: columns are aligned with tabs" {
	start_pod "$PROBE_ID" --name=app -- pause
	g list
	assert_match $'^UUID\t+APP\t+IMAGE NAME\t'
	assert_match "^${UUID:0:8}"$'\tapp\t'
}

@test "list: every state by its name" {
	g prepare "$PROBE_ID"
	local prepared=${lines[-1]}
	exited_pod
	local exited=$UUID
	start_pod "$PROBE_ID" -- pause
	g list --no-legend
	assert_match "^${prepared:0:8}.*\sprepared\s" "^${exited:0:8}.*\sexited\s" "^${UUID:0:8}.*\srunning\s"
	g gc --mark-only
	g list --no-legend
	assert_match "^${exited:0:8}.*\sexited garbage\s"
	# sorted by UUID
	assert_equal "$(grep -oE '^[0-9a-f]{8}' "$T/out")" "$(grep -oE '^[0-9a-f]{8}' "$T/out" | sort)"
}

@test "list: json is null without pods, and an array of pods with them" {
	g list --format=json
	assert_ok
	assert_equal "$output" null
	exited_pod 3
	local exited=$UUID
	start_pod "$PROBE_ID" --name=app -- pause
	g list --format=json
	assert_ok
	assert_json 'length == 2'
	assert_json ".[] | select(.name == \"$UUID\") | .state == \"running\" and .app_names == [\"app\"]"
	assert_json ".[] | select(.name == \"$UUID\") | .apps[0].state == \"running\""
	assert_json ".[] | select(.name == \"$UUID\") | .apps[0].image_id | startswith(\"${PROBE_ID:0:39}\")"
	assert_json ".[] | select(.name == \"$exited\") | .state == \"exited\" and .apps[0].exit_code == 3"
	# pods count in seconds, apps in nanoseconds
	assert_json "all(.[]; .created_at > 1500000000 and .created_at < 10000000000)"
	assert_json ".[] | select(.name == \"$exited\") | .started_at >= .created_at"
	g list --format=json-pretty
	assert_ok
	assert_json 'length == 2'
	[ "${#lines[@]}" -gt 10 ] || fail "not pretty"
	g list --format=xml
	assert_refused 254 xml
}

@test "list: goes on after the image was removed" {
	exited_pod
	g image rm "$PROBE_ID"
	assert_ok
	g list --no-legend
	assert_ok
	assert_match "^${UUID:0:8}\s+app\s+example.com/probe:1\.0\.0\s+exited"
}

@test "list: a damaged pod is reported on stderr and hides nothing else" {
	exited_pod
	mkdir -p "$DATA/pods/run/12345678-0000-4000-8000-000000000000"
	echo '{"broken' >"$DATA/pods/run/12345678-0000-4000-8000-000000000000/pod"
	g list --no-legend
	assert_ok
	assert_match "^${UUID:0:8}"
	assert_err '12345678'
}

@test "list: errors of single pods are a block on stderr, and the exit status stays 0" {
	exited_pod
	mkdir -p "$DATA"/pods/run/1234567{8,9}-0000-4000-8000-000000000000
	echo '{"broken' >"$DATA/pods/run/12345678-0000-4000-8000-000000000000/pod"
	echo '[]' >"$DATA/pods/run/12345679-0000-4000-8000-000000000000/pod"
	g list --no-legend
	assert_ok
	assert_equal "${#lines[@]}" 3
	assert_match '^12345678\s+-\s+-\s+exited'
	assert_equal "$(head -n 1 "$T/err")" 'gantry: list: 2 error(s) encountered when listing pods:'
	assert_equal "$(wc -l <"$T/err")" 3
	assert_err '^gantry: list: pod 12345678-0000-4000-8000-000000000000: '
	assert_err '^gantry: list: pod 12345679-0000-4000-8000-000000000000: '
}

@test "list: a pod without a time of creation is in no JSON, and that is told" {
	mkdir -p "$DATA/pods/prepare/12345678-0000-4000-8000-000000000000"
	g list --format=json
	assert_ok
	assert_equal "$output" null
	assert_err '1 error\(s\) encountered when listing pods:'
	assert_err 'pod 12345678-0000-4000-8000-000000000000: it has no creation time'
	g list --no-legend
	assert_ok
	assert_match '^12345678\s+-\s+-\s+aborted prepare'
	assert_equal "$stderr" ''
}

@test "list: embryos and garbage are not shown" {
	mkdir -p "$DATA/pods/embryo/12345678-0000-4000-8000-000000000000" "$DATA/pods/garbage/12345679-0000-4000-8000-000000000000"
	g list --no-legend
	assert_ok
	assert_equal "$output" ''
}

@test "list: the columns as Go's tabwriter makes them" {
	g prepare --quiet "$PROBE_ID" --name=a --- "$PROBE_ID" --name=an-app-with-a-long-name
	UUID=$output
	g list
	assert_ok
	# a cell is padded to a multiple of 8, with at least one tab behind it
	assert_match $'^UUID\t\tAPP\t\t\tIMAGE NAME\t\tSTATE\t\tCREATED\t+STARTED\tNETWORKS$'
	assert_match "^${UUID:0:8}"$'\ta\t\t\texample.com/probe:1.0.0\tprepared\t'
	assert_equal "$(sed -n 3p "$T/out" | cut -f1-4)" $'\t\tan-app-with-a-long-name\texample.com/probe:1.0.0'
}

@test "list: user annotations and labels of pods and apps are in the JSON" {
	g prepare --quiet --user-annotation=who=me --user-label=tier=front "$PROBE_ID" --name=app \
		--user-annotation=k=v --user-label='any thing=x=y' --volume=d,kind=empty --mount=volume=d,target=/d
	assert_ok
	g list --format=json
	assert_ok
	assert_json '.[0].user_annotations == {"who":"me"} and .[0].user_labels == {"tier":"front"}'
	assert_json '.[0].apps[0].user_annotations == {"k":"v"} and .[0].apps[0].user_labels == {"any thing":"x=y"}'
	assert_json '.[0].apps[0].mounts == [{"name":"d","container_path":"/d","host_path":"","read_only":false}]'
	assert_json '.[0].apps[0].state == "created" and (.[0] | has("started_at") | not) and (.[0].apps[0] | has("exit_code") | not)'
	# list and status tell the same
	cp "$T/out" "$T/list.json"
	g status --format=json "$(jq -r '.[0].name' "$T/list.json")"
	assert_ok
	[ "$(jq -S . "$T/out")" = "$(jq -S '.[0]' "$T/list.json")" ] || fail "they differ: $(cat "$T/list.json")"
}

@test "list: what is refused" {
	g list extra
	assert_refused 254 'unexpected argument "extra"'
	g list --format=yaml
	assert_refused 254 -- '--format "yaml": json or json-pretty'
}

@test "list: names from outside cannot steer the terminal" {
	exited_pod
	local pod=$DATA/pods/run/$UUID/pod
	[ -f "$pod" ] || fail "no pod manifest at $pod"
	sed -i 's/"example.com\/probe"/"\\u001b[31mred"/' "$pod"
	g list
	refute_match $'\x1b'
	! grep -q $'\x1b' "$T/err" || fail "escape on stderr"
}

@test "list: needs no write access" {
	exited_pod
	in_world unshare -m sh -c 'mount --bind -o ro "$1" "$1" && mount -o remount,bind,ro "$1" && shift && exec "$@"' sh \
		"$DATA" "$GANTRY" --dir="$DATA" list --no-legend >"$T/out" 2>"$T/err" || fail "$(cat "$T/err")"
	assert_match "^${UUID:0:8}"
}

# --- status

@test "status: of a running pod" {
	start_pod "$PROBE_ID" --name=app -- pause
	g status "$UUID"
	assert_ok
	assert_out state=running exited=false
	assert_match "^created=$DATE\$" "^started=$DATE\$" '^pid=[0-9]+$'
	refute_match '^app-'
	kill -0 "$(value pid)"
}

@test "status: of an exited, a prepared and a marked pod" {
	exited_pod 7
	g status "$UUID"
	assert_ok
	assert_out state=exited exited=true app-app=7
	g gc --mark-only
	g status "$UUID"
	assert_ok
	assert_out 'state=exited garbage' exited=true app-app=7
	g prepare "$PROBE_ID"
	UUID=${lines[-1]}
	g status "$UUID"
	assert_ok
	assert_out state=prepared
	refute_match '^(started|pid|exited|app-)'
}

@test "status: by prefix and by --uuid-file" {
	exited_pod
	g status "${UUID:0:8}"
	assert_ok
	assert_out state=exited
	g status "${UUID^^}"
	assert_ok
	assert_out state=exited
	g status --uuid-file="$T/uuid"
	assert_ok
	assert_out state=exited
	g status --uuid-file="$T/no-such-file"
	assert_refused 1 no-such-file
	g status
	assert_refused 254
	g status ''
	assert_refused 254 'UUID cannot be empty'
	g status deadbeef
	assert_refused 254 'no matches found for "deadbeef"'
}

@test "status: json" {
	exited_pod 7
	g status --format=json "$UUID"
	assert_ok
	assert_json ".name == \"$UUID\" and .state == \"exited\" and .app_names == [\"app\"]"
	assert_json '.apps[0] | .name == "app" and .state == "exited" and .exit_code == 7'
	assert_json '.started_at >= .created_at'
}

@test "status: --wait returns when the pod ended" {
	start_pod "$PROBE_ID" --name=app -- on 15 bye 0 , pause
	gantry status --wait "$UUID" >"$T/waited" 2>&1 &
	local waiter=$!
	g status --wait=1ms "$UUID"
	assert_refused 254 "${UUID:0:8}|timeout|timed out|wait"
	kill -0 $waiter
	g stop "$UUID"
	assert_ok
	wait $waiter
	grep -qx exited=true "$T/waited" || fail "$(cat "$T/waited")"
}

@test "status: --wait and its words" {
	local w
	exited_pod
	for w in --wait --wait=true --wait=T --wait=1 --wait=-1s --wait=10m --wait=1h30m --wait=false --wait=0 --wait=0s; do
		g status $w "$UUID"
		assert_ok
		assert_out state=exited
	done
	# a word behind it is the pod, as with any flag that may stand alone
	g status --wait "$UUID"
	assert_ok
	for w in --wait=soon --wait=5 --wait= --wait-ready=soon; do
		g status "$w" "$UUID"
		assert_refused 254 "${w%%=*} \"${w#*=}\": true, false or a duration"
	done
	start_pod "$PROBE_ID" -- pause
	for w in --wait=false --wait=0 --wait=0s; do
		g status $w "$UUID"
		assert_ok
		assert_out state=running
	done
	g status --wait=1ms "$UUID"
	assert_refused 254 'timeout while waiting for the pod to exit'
}

@test "status: --wait-ready of what will not be ready" {
	g prepare --quiet "$PROBE_ID"
	g status --wait-ready=1ms "$output"
	assert_refused 254 'timeout while waiting for the pod to be ready'
	mkdir -p "$DATA/pods/prepare/12345678-0000-4000-8000-000000000000"
	g status --wait-ready 12345678
	assert_refused 254 'the pod ended before it was ready'
}

@test "status: --wait of a prepared pod lasts until it has run" {
	g prepare --quiet "$PROBE_ID" --name=app -- exit 6
	UUID=$output
	gantry status --wait "$UUID" >"$T/waited" 2>&1 &
	local waiter=$!
	g run-prepared --net=none "$UUID"
	assert_status 6
	wait $waiter
	grep -qx app-app=6 "$T/waited" || fail "$(cat "$T/waited")"
}

@test "status: --wait-ready of a ready pod returns at once" {
	start_pod "$PROBE_ID" -- pause
	g status --wait-ready "$UUID"
	assert_ok
	assert_out state=running
}

@test "status: the exit status of status is 0 whatever the app's was" {
	exited_pod 9
	g status "$UUID"
	assert_ok
}

# --- cat-manifest

@test "cat-manifest: prints the pod manifest" {
	exited_pod
	g cat-manifest "$UUID"
	assert_ok
	assert_json '.acKind == "PodManifest" and .apps[0].name == "app"'
	assert_json ".apps[0].image.id | startswith(\"${PROBE_ID:0:39}\")"
	assert_json '.apps[0].image.name == "example.com/probe"'
	assert_match $'^\t'
	g cat-manifest --pretty-print=false "$UUID"
	assert_ok
	assert_equal "${#lines[@]}" 1
	g cat-manifest --uuid-file="$T/uuid"
	assert_ok
	assert_json '.acKind == "PodManifest"'
	g cat-manifest deadbeef
	assert_refused 254 'no matches found for'
	g cat-manifest
	assert_refused 254
}

@test "cat-manifest: what it prints can be run again" {
	exited_pod 4
	gantry cat-manifest "$UUID" >"$T/pod.json"
	g run --net=none --pod-manifest="$T/pod.json"
	assert_status 4
}
