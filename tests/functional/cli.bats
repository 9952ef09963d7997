# What holds for every command: help, version, prefixes, exit codes, streams.

load ../lib/gantry

setup_file() {
	need root
	world_up
}
teardown_file() { world_down; }
setup() {
	sandbox_up "$BATS_TEST_TMPDIR"
	INSECURE=
}

COMMANDS='build cat-manifest completion enter fetch gc help image list metadata-service prepare rm run run-prepared sign status stop trust validate version'

@test "cli: no command is exit 2, with help" {
	g
	assert_refused 2 'missing command'
	grep -q prepare "$T/out" "$T/err" || fail "no help"
}

@test "cli: help lists every command" {
	g help
	assert_ok
	local c
	for c in $COMMANDS; do
		assert_match "(^|\s)$c(\s|$)"
	done
	g --help
	assert_ok
	assert_match run-prepared
}

@test "cli: help of every command names its flags" {
	local c
	for c in $COMMANDS; do
		[ "$c" != help ] || continue
		g help "$c"
		assert_ok
		g "$c" --help
		assert_ok
		assert_match "$c"
	done
	g help run
	assert_match '--net' '--volume' '--detach'
	g help nonsense
	assert_refused 254 nonsense
}

@test "cli: version" {
	g version
	assert_ok
	assert_match '^gantry Version: [0-9]+\.[0-9]+' '^appc Version: 0\.8\.11$'
}

@test "cli: an unknown command is refused by name" {
	g frobnicate
	assert_refused 254 '^gantry: ' frobnicate
}

@test "cli: a unique prefix is the command, an ambiguous one is refused" {
	g vers
	assert_ok
	assert_match '^gantry Version'
	g li
	assert_ok
	assert_match ^UUID
	g st "$T"
	assert_refused 254 '\bst\b'
	# a whole name wins over longer ones that begin with it
	g run
	assert_refused 254 'image'
	g image li
	assert_ok
}

@test "cli: commands of rkt that are not built yet are refused by name" {
	local c
	for c in attach app api-service; do
		g $c
		assert_refused 254 "$c"
	done
}

@test "cli: an unknown flag is refused by every command" {
	local c
	for c in $COMMANDS; do
		[ $c != help ] && [ $c != image ] || continue
		g $c --no-such-flag
		assert_refused 254 'unknown flag: --no-such-flag'
	done
	for c in list rm cat-manifest; do
		g image $c --no-such-flag
		assert_refused 254 'unknown flag: --no-such-flag'
	done
	g --no-such-flag list
	assert_refused 254 'unknown flag: --no-such-flag'
}

@test "cli: a flag without its value, and a boolean that is none" {
	g list --format
	assert_refused 254 'flag needs an argument: --format'
	g list --full=perhaps
	assert_refused 254 'invalid argument' perhaps '--full'
}

@test "cli: global flags go before and after the command" {
	local other=$T/other
	mkdir "$other"
	in_world "$GANTRY" list --dir="$other" --no-legend
	in_world "$GANTRY" --dir="$other" list --no-legend
	in_world "$GANTRY" --dir "$other" --debug list --no-legend
}

@test "cli: --insecure-options knows its words" {
	local w
	for w in none image tls http pubkey capabilities paths seccomp all-fetch all-run all ondisk image,tls; do
		g --insecure-options=$w list
		assert_ok
	done
	g --insecure-options=everything list
	assert_refused 254 everything
	g --insecure-options=image,bogus list
	assert_refused 254 bogus
}

@test "cli: messages are one line, on stderr, with the command in front" {
	g status deadbeef
	assert_refused 254 '^gantry: status: '
	assert_equal "$output" ''
	assert_equal "$(wc -l <"$T/err")" 1
}

@test "cli: control characters of arguments do not reach the terminal raw" {
	g status $'\e[31mdead\r'
	assert_refused 254 'dead'
	! grep -q $'[\e\r]' "$T/err" || fail "escape sequence on stderr"
}

@test "cli: root is needed where rkt needs it" {
	local c flags
	global_flags
	chmod 755 "$BATS_RUN_TMPDIR"
	for c in run run-prepared prepare enter gc rm; do
		status=0
		in_world setpriv --reuid=4000 --regid=4000 --clear-groups "$GANTRY" "${flags[@]}" $c x \
			>"$T/out" 2>"$T/err" </dev/null || status=$?
		collect
		assert_refused 254 'cannot run as unprivileged user'
	done
	chmod 700 "$BATS_RUN_TMPDIR"
}

@test "cli: closed standard streams do not break it" {
	local flags rc=0
	global_flags
	in_world sh -c 'exec "$@" <&- >&- 2>&-' sh "$GANTRY" "${flags[@]}" list || rc=$?
	[ $rc -lt 128 ] || fail "crashed: $rc"
	rc=0
	in_world sh -c 'exec "$@" >/dev/full' sh "$GANTRY" "${flags[@]}" list 2>"$T/err" || rc=$?
	[ $rc = 254 ] || fail "output was lost without a word: $rc"
}

@test "cli: the data directory may be a symbolic link" {
	mkdir "$T/real"
	ln -s real "$T/link"
	DATA=$T/link
	g list
	assert_ok
}

@test "cli: the name of a file cannot steer the terminal" {
	g fetch $'/none\e]0;x\a\e[31m.aci'
	assert_refused 254 'No such file or directory'
	! grep -q $'[\e\a]' "$T/err" || fail "a control character came through"
}
