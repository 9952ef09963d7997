# run --interactive: a terminal of the app's own for a terminal, a pipe for everything else; and modes of
# streams by annotation.

load ../lib/gantry

setup_file() {
	suite_up
	have_busybox || return 0
	local name root=$BATS_FILE_TMPDIR/shell
	mkdir -p "$root"/{bin,etc,tmp}
	cp "$(busybox_static)" "$root/bin/busybox"
	for name in sh tty stty cat echo id sleep ls yes true kill test; do
		ln -s busybox "$root/bin/$name"
	done
	cp "$FIX"/root/etc/{passwd,group} "$root/etc"
	make_aci "$BATS_FILE_TMPDIR/shell.aci" example.com/shell \
		'{"exec":["/bin/sh"],"user":"0","group":"0","environment":[{"name":"PS1","value":"> "}]}' "$root"
	make_aci "$BATS_FILE_TMPDIR/bob.aci" example.com/bob \
		'{"exec":["/bin/sh"],"user":"bob","group":"bob","environment":[{"name":"PS1","value":"> "}]}' "$root"
}
teardown_file() { suite_down; }
setup() {
	test_up
	SH=$BATS_FILE_TMPDIR/shell.aci
}
teardown() { test_down; }

i() { g run --net=none --interactive "$@"; }

# on_pty STEP... -- IMAGE ...: run --interactive on a terminal
on_pty() {
	local steps=()
	while [ "$1" != -- ]; do
		steps+=("$1")
		shift
	done
	g_pty "${steps[@]}" -- run --net=none --interactive "${@:2}"
}

assert_terminal() { assert_out terminal=same; }

@test "interactive: the app has a terminal in its own /dev/pts" {
	need busybox
	on_pty 'expect:> ' 'send:tty; ls /dev/pts; id -u\n' 'expect:0\r' 'expect:> ' 'send:exit 7\n' -- "$SH"
	assert_status 7
	assert_match '^/dev/pts/0$' '^0 +ptmx$|^ptmx$'
	assert_terminal
}

@test "interactive: the terminal is the app's, whoever its user is" {
	need busybox
	on_pty 'expect:> ' 'send:id -u; echo opened >/dev/tty; echo again >/dev/stdout\n' 'expect:again\r' \
		'expect:> ' 'send:exit\n' -- "$BATS_FILE_TMPDIR/bob.aci"
	assert_ok
	assert_out 1234 opened again
	assert_terminal
}

@test "interactive: what the terminal does with keys is done inside" {
	need busybox
	# typed once, shown once; Ctrl-C ends the command and not the pod; Ctrl-D is the end of the input
	on_pty 'expect:> ' 'send:sh -c "echo started; sleep 1000"\n' 'expect:started\r' 'send:\x03' 'expect:> ' 'send:echo al' 'send:ive\n' \
		'expect:alive\r' 'expect:> ' 'send:\x04' -- "$SH"
	assert_match '^alive$'
	assert_equal "$(grep -c '^alive$' "$T/out")" 1
	assert_terminal
}

@test "interactive: the window's size, at the start and when it changes" {
	need busybox
	on_pty 'expect:> ' 'send:stty size\n' 'expect:24 80' 'size:33x99' 'expect:> ' \
		'send:stty size\n' 'expect:33 99' 'expect:> ' 'send:exit\n' -- "$SH"
	assert_ok
	assert_out '24 80' '33 99'
}

@test "interactive: TERM is the caller's, unless the app has its own" {
	need busybox
	TERM=gantry-test on_pty 'expect:> ' 'send:echo $TERM.\n' 'expect:gantry-test.' 'send:exit\n' -- "$SH"
	assert_ok
	TERM=gantry-test on_pty 'expect:> ' 'send:echo $TERM.\n' 'expect:mine.' 'send:exit\n' -- "$SH" --environment=TERM=mine
	assert_ok
}

@test "interactive: Ctrl-] three times within a second ends the pod with status 1" {
	need busybox
	on_pty 'expect:> ' 'send:sleep 1000\n' 'send:\x1d\x1d\x1d' -- "$SH"
	assert_status 1
	assert_terminal
}

@test "interactive: Ctrl-] that is not typed three times in a row is just a key" {
	need busybox
	on_pty 'expect:> ' 'send:echo \x1d\x1d.\x1d\x1d.' 'send:\n' 'expect:> ' 'send:exit 5\n' -- "$SH"
	assert_status 5
}

@test "interactive: the terminal is restored when the pod is ended by signals" {
	need busybox
	local signal
	for signal in 15 2 3 1; do
		on_pty 'raw:' "signal:$signal" -- "$SH" --exec=/bin/cat
		assert_ok
		assert_terminal
	done
}

@test "interactive: a shell, which does not heed SIGTERM, ends by that its terminal goes away" {
	need busybox
	on_pty 'expect:> ' 'raw:' 'signal:15' -- "$SH"
	assert_status 0
	assert_terminal
	on_pty 'expect:> ' 'raw:' 'signal:1' -- "$SH"
	assert_status 0
	g status "$(tail -n 1 "$T/uuids")"
	assert_out app-shell=0
}

@test "interactive: the terminal is restored while the front is stopped, and raw again afterwards" {
	need busybox
	on_pty 'expect:> ' 'raw:' 'signal:20' 'stopped:' 'cooked:' 'signal:18' 'raw:' 'send:exit 9\n' -- "$SH"
	assert_status 9
	assert_terminal
}

@test "interactive: a start that fails leaves the terminal as it was, and one line" {
	on_pty 'expect:Unable' -- "$PROBE_ID" --exec=/nothing
	assert_status 203
	assert_match '^gantry: run: .*Unable to open "/nothing": No such file or directory$'
	assert_terminal
	on_pty 'expect:dangling' -- --mount=volume=ghost,target=/x "$PROBE_ID" -- id
	assert_status 254
	assert_terminal
}

@test "interactive: the app cannot type into the terminal of its caller" {
	on_pty 'expect:tiocsti' -- "$PROBE_ID" -- try tiocsti
	assert_ok
	assert_out 'tiocsti=EPERM'
}

@test "interactive: without a terminal, standard input comes through and output is as ever" {
	need busybox
	local flags
	global_flags
	status=0
	printf 'one\ntwo\n' | in_world "$GANTRY" "${flags[@]}" run --net=none --interactive "$SH" --exec=/bin/sh -- \
		-c 'test -t 0 && echo terminal; cat; echo err >&2; exit 4' >"$T/out" 2>"$T/err" || status=$?
	note_pods
	collect
	assert_status 4
	assert_equal "$output" "$(printf 'one\ntwo')"
	assert_err '^err$'
	# and it is logged
	assert_equal "$(cat "$DATA"/pods/run/*/logs/shell.log)" "$(printf 'one\ntwo\nerr')"
}

@test "interactive: an input that is a file is given as a pipe, not as the file" {
	need busybox
	local flags
	global_flags
	echo secret >"$T/file"
	in_world "$GANTRY" "${flags[@]}" run --net=none --interactive "$SH" --exec=/bin/sh -- \
		-c 'test -p /dev/stdin && echo pipe; cat; echo evil 2>/dev/null >/proc/self/fd/0; true' \
		<"$T/file" >"$T/out" 2>"$T/err" || fail "failed: $(cat "$T/err")"
	note_pods
	assert_equal "$(cat "$T/out")" "$(printf 'pipe\nsecret')"
	assert_equal "$(cat "$T/file")" secret
}

@test "interactive: an app that does not read its input is not waited for" {
	need busybox
	local flags
	global_flags
	in_world sh -c 'yes | "$@"' sh "$GANTRY" "${flags[@]}" run --net=none --interactive "$SH" --exec=/bin/true \
		>"$T/out" 2>"$T/err" || fail "failed: $(cat "$T/err")"
	note_pods
}

@test "interactive: a terminal for the input, a file for the output" {
	need busybox
	local flags
	global_flags
	in_world "$PTY" raw: 'send:echo into; exit 3\n' -- sh -c '"$@" >"$0"' "$T/file" \
		"$GANTRY" "${flags[@]}" run --net=none --interactive "$SH" >"$T/out" 2>"$T/err" || status=$?
	note_pods
	assert_equal "$status" 3
	grep -q into "$T/file" || fail "$(cat "$T/file" "$T/out")"
}

@test "interactive: without the option nothing is read, and nothing is a terminal" {
	need busybox
	g_pty 'expect:done' -- run --net=none "$SH" --exec=/bin/sh -- -c 'cat; test -t 0 || test -t 1 || echo done'
	assert_ok
	assert_out 'done'
}

@test "interactive: one app only, and not detached" {
	i "$PROBE_ID" --name=a -- id --- "$PROBE_ID" --name=b -- id
	assert_refused 254 'interactive option only supports (pods with one app|one image)'
	i --detach "$PROBE_ID" -- id
	assert_refused 254 '--interactive and --detach exclude each other'
}

@test "interactive: a prepared pod" {
	need busybox
	g prepare --quiet "$SH"
	assert_ok
	local uuid=${lines[-1]}
	g_pty 'expect:> ' 'send:tty\n' 'expect:/dev/pts/' 'send:exit 6\n' -- run-prepared --net=none --interactive "$uuid"
	assert_status 6
	assert_terminal
}

@test "interactive: enter has a terminal whose name means something in the pod, too" {
	need ns-flavor
	need busybox
	start_pod "$SH" --name=app --exec=/bin/sleep -- 1000
	g_pty 'expect:> ' 'send:tty; ls -l `tty`\n' 'expect:/dev/pts/0' 'send:exit 2\n' -- enter "$UUID" /bin/sh
	assert_status 2
	assert_terminal
	start_pod "$BATS_FILE_TMPDIR/bob.aci" --name=app --exec=/bin/sleep -- 1000
	g_pty 'expect:> ' 'send:id -u; echo opened >`tty`\n' 'expect:opened\r' 'send:exit\n' -- enter "$UUID" /bin/sh
	assert_out 1234 opened
}

# streams STDIN STDOUT STDERR WORD...: a pod manifest whose app has these modes ("" for none)
streams() {
	local words
	words=$(words_json "${@:4}")
	jq -nc --arg id "$PROBE_ID" --argjson words "$words" --arg in "$1" --arg out "$2" --arg err "$3" \
		'{acVersion: "0.8.11", acKind: "PodManifest", apps: [{name: "app", image: {id: $id},
		app: {exec: (["/probe"] + $words), user: "0", group: "0"}, annotations:
		([["stdin", $in], ["stdout", $out], ["stderr", $err]] | map(select(.[1] != "") |
		{name: "coreos.com/rkt/stage2/\(.[0])", value: .[1]}))}]}' >"$T/pod.json"
	g run --net=none --pod-manifest="$T/pod.json"
}

@test "interactive: modes null and log of the streams" {
	streams null null log out words , err wrong
	assert_ok
	assert_equal "$output" ''
	assert_err '^wrong$'
	assert_equal "$(cat "$DATA"/pods/run/*/logs/app.log)" wrong
	g gc --grace-period=0s
	g gc --grace-period=0s
	streams '' log null out words , err wrong
	assert_ok
	assert_out words
	assert_equal "$(cat "$DATA"/pods/run/*/logs/app.log)" words
}

@test "interactive: modes that are not supported are refused by name" {
	streams stream '' '' id
	assert_refused 254 'app app: stdin mode stream: not supported by this version'
	streams '' tty '' id
	assert_refused 254 'stdout mode tty: not supported by this version without --interactive on a terminal'
	streams '' '' stream id
	assert_refused 254 'stderr mode stream'
	streams log '' '' id
	assert_refused 254 'coreos.com/rkt/stage2/stdin: "log" is none of null, stream, tty'
	streams '' nowhere '' id
	assert_refused 254 'coreos.com/rkt/stage2/stdout: "nowhere" is none of log, null, stream, tty'
}
