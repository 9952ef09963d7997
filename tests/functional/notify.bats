# sd_notify(3): the service manager hears from the pod, and the pod from its apps.

load ../lib/gantry

: "${ACTIVATE:=${PROBE%/*}/activate}"

setup_file() { suite_up; }
teardown_file() { suite_down; }
setup() { test_up; }
teardown() { test_down; }

# managed NAME RUN-WORD...: gantry run as a service of Type=notify, in the background; what it says: $T/NAME.log
managed() {
	local name=$1 flags words
	shift
	global_flags
	with_flavor run "$@"
	: >"$T/$name.log"
	rm -f "$T/sock"
	(exec nsenter --target="$WORLD" --mount --net -- "$ACTIVATE" -n "$T/sock" "$T/$name.log" -- \
		"$GANTRY" "${flags[@]}" "${words[@]}") </dev/null >"$T/$name.out" 2>"$T/$name.err" 3>&- 4>&- &
	BG=$!
	BG_PIDS+=("$BG")
}

# notifying NAME [MORE]: an image that says when it is ready
notifying() { IMAGE_EXTRA=',"annotations":[{"name":"appc.io/executor/supports-systemd-notify","value":"true"}]' probe_image "$1" "${2:-}"; }

@test "notify: the service manager is told by its main process, when the apps have been started" {
	managed pod --net=none "$PROBE_ID" -- await /go , pause
	wait_line "$T/pod.log" '^main READY=1$'
	note_pods
	UUID=$(known_pods)
	[ -e "$DATA/pods/run/$UUID/started/probe" ] || fail "not started yet"
	kill -TERM "$BG"
	g_wait "$BG" pod
	assert_ok
	grep -qx 'main STOPPING=1' "$T/pod.log" || fail "nothing about the end: $(cat "$T/pod.log")"
	! grep -q '^other' "$T/pod.log" || fail "others had their say: $(cat "$T/pod.log")"
}

@test "notify: not when the start fails, and an app has nothing of the manager's" {
	managed pod --net=none "$PROBE_ID" --exec=/not-there
	g_wait "$BG" pod
	assert_status 203
	assert_equal "$(grep -c READY "$T/pod.log")" 0
	managed pod --net=none "$PROBE_ID" -- notify READY=1 , env NOTIFY_SOCKET
	g_wait "$BG" pod
	assert_ok
	assert_out notify=nowhere
	! grep -q '^other' "$T/pod.log" || fail "an app spoke to the manager"
}

@test "notify: an abstract socket, and one that nobody reads" {
	NOTIFY_SOCKET=@nobody-$$ run_probe -- out fine
	assert_ok
	NOTIFY_SOCKET=/nowhere/at/all run_probe -- out fine
	assert_ok
	NOTIFY_SOCKET=vsock:2:1234 run_probe -- out fine
	assert_ok
	assert_equal "$(grep -c . "$T/err")" "$([ "$GANTRY_FLAVOR" = ns ] && echo 0 || echo 1)"
}

@test "notify: an app that says when it is ready is waited for" {
	notifying slow
	mkdir "$T/vol"
	managed pod --net=none --inherit-env --volume="v,kind=host,source=$T/vol" --mount=volume=v,target=/v "$ID" -- \
		out started , notify STATUS=warm , write /v/started , await /v/go , notify STATUS=x READY=1 , out said , pause
	wait_for 60 test -e "$T/vol/started"
	! grep -q READY "$T/pod.log" || fail "ready too early"
	touch "$T/vol/go"
	wait_line "$T/pod.log" '^main READY=1$'
	wait_line "$T/pod.out" '^said$'
	grep -qx notify=ok "$T/pod.out" || fail "$(cat "$T/pod.out")"
	kill -TERM "$BG"
	g_wait "$BG" pod
	assert_ok
}

@test "notify: --detach waits for it, too; every app must have said so" {
	need ns-flavor
	notifying one
	local one=$ID
	g run --detach --net=none "$one" --name=a -- sleep 1 , notify READY=1 , out said , pause --- "$PROBE_ID" --name=b -- pause
	assert_ok
	UUID=${lines[-1]}
	wait_line "$DATA/pods/run/$UUID/logs/a.log" '^notify=ok$'
	g stop "$UUID"
	assert_ok
	# one that ends before it was ready
	g run --detach --net=none "$one" -- exit 3
	assert_refused 254 'ended before it was ready.* status 3'
}

@test "notify: the socket is the app's, whoever it runs as, and restarts with the pod" {
	IMAGE_EXTRA=',"annotations":[{"name":"appc.io/executor/supports-systemd-notify","value":"true"}]' \
		make_aci "$T/bob.aci" example.com/bob '{"exec":["/probe"],"user":"bob","group":"bob"}'
	g fetch "$T/bob.aci"
	assert_ok
	start_pod "sha512-$(image_key "$T/bob.aci")" --name=app -- env NOTIFY_SOCKET , notify READY=1 , pause
	wait_line "$DATA/pods/run/$UUID/logs/app.log" '^notify=ok$'
	grep -qx NOTIFY_SOCKET=/run/systemd/notify "$DATA/pods/run/$UUID/logs/app.log"
	g stop "$UUID"
	assert_ok
	g restart --detach "$UUID"
	assert_ok
	g stop "$UUID"
	assert_ok
	g rm "$UUID"
	assert_ok
}

@test "notify: a volume over /run is left as it is" {
	notifying covered
	mkdir "$T/run"
	start_pod --volume="v,kind=host,source=$T/run" --mount=volume=v,target=/run "$ID" -- notify READY=1 , pause
	[ -z "$(ls -A "$T/run")" ] || fail "made in the volume: $(ls -A "$T/run")"
	assert_err 'covers /run/systemd/notify'
	g stop "$UUID"
	assert_ok
}
