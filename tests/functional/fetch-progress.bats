# fetch: what the operator sees of it.

load ../lib/gantry

have_script() { command -v script >/dev/null; }

setup_file() {
	need root
	world_up
	fixtures_up
	T=$BATS_FILE_TMPDIR
	mkdir "$T/www"
	export WWW=$T/www
	cp -a "$FIX/root" "$T/root"
	head -c 3000000 /dev/urandom >"$T/root/large"
	make_aci "$WWW/app.aci" example.com/app '{"exec":["/probe"],"user":"0","group":"0"}' "$T/root"
	httpd_up "$WWW" "$T"
}
teardown_file() { world_down; }
setup() {
	sandbox_up "$BATS_TEST_TMPDIR"
	INSECURE=image,http
	: >"$BATS_FILE_TMPDIR/access.log"
}
teardown() { test_down; }

# on_terminal WORD...: gantry with a terminal as its standard error; what it wrote is in $T/tty.
on_terminal() {
	need script
	local flags word line="exec $GANTRY"
	global_flags
	for word in "${flags[@]}" "$@"; do
		line+=" $(printf %q "$word")"
	done
	in_world script -qec "stty cols ${COLS:-100}; $line 2>&1 >$T/out" "$T/typescript" </dev/null >"$T/tty" 2>&1 3>&- 4>&-
}

@test "fetch-progress: without a terminal: a line for each event, and no more" {
	g fetch "$URL/slow/app.aci"
	assert_ok
	assert_equal "$(wc -l <"$T/err")" 2
	assert_err "^gantry: fetch: downloading $URL/slow/app.aci\$"
	assert_err "^gantry: fetch: downloaded $URL/slow/app.aci \([0-9.]+ MiB\)\$"
	! grep -q $'[\r\e]' "$T/err" || fail "control characters"
}

@test "fetch-progress: nothing is said of what is in the store" {
	g fetch "$URL/maxage/app.aci"
	g fetch "$URL/maxage/app.aci"
	assert_ok
	assert_equal "$stderr" ''
	g fetch "$WWW/app.aci"
	assert_ok
	assert_equal "$stderr" ''
}

@test "fetch-progress: on a terminal: a bar" {
	on_terminal fetch "$URL/slow/app.aci"
	grep -q '\[=*>' "$T/tty" || fail "no bar: $(cat -v "$T/tty")"
	grep -qE 'app.aci \[.*MiB/[0-9.]+ MiB [0-9.]+ [KM]iB/s' "$T/tty"
	# it is gone at the end
	grep -q 'downloaded .*/slow/app.aci' "$T/tty"
	grep -q '^sha512-' "$T/out"
}

@test "fetch-progress: a narrow terminal, and a length that is not known" {
	COLS=20 on_terminal fetch "$URL/slow/app.aci"
	grep -q '^sha512-' "$T/out"
	on_terminal fetch "$URL/slow/nolength/app.aci"
	grep -qE 'MiB/\? ' "$T/tty" || fail "$(cat -v "$T/tty")"
}

@test "fetch-progress: no bar with --debug" {
	on_terminal --debug fetch "$URL/slow/app.aci"
	! grep -q '\[=*>' "$T/tty" || fail "a bar"
	grep -q 'downloading' "$T/tty"
}

@test "fetch-progress: a URL cannot write on the terminal" {
	g fetch "$URL/"$'\e[31m'"red.aci"
	assert_refused 254 'red.aci'
	! grep -q $'\e' "$T/err" || fail "control characters"
	on_terminal fetch "$URL/"$'\e[31m'"red.aci" || :
	! grep -q $'\e\[31m' "$T/tty" || fail "control characters"
}
