# fetch: a download that broke off goes on where it was, and only if that is right.

load ../lib/gantry

setup_file() {
	need root openssl
	world_up
	fixtures_up
	T=$BATS_FILE_TMPDIR
	mkdir "$T/www"
	export WWW=$T/www
	cp -a "$FIX/root" "$T/root"
	head -c 3000000 /dev/urandom >"$T/root/large"
	make_aci "$WWW/large.aci" example.com/large '{"exec":["/probe"],"user":"0","group":"0"}' "$T/root"
	head -c 3000000 /dev/urandom >"$T/root/large"
	make_aci "$WWW/other.aci" example.com/large '{"exec":["/probe"],"user":"0","group":"0"}' "$T/root"
	# validators of time are good after a second
	touch -d @1700000000 "$WWW"/*.aci
	export LARGE_KEY OTHER_KEY LARGE_SIZE
	LARGE_KEY=$(image_key "$WWW/large.aci")
	OTHER_KEY=$(image_key "$WWW/other.aci")
	LARGE_SIZE=$(stat -c %s "$WWW/large.aci")
	httpd_up "$WWW" "$T"
}
teardown_file() { world_down; }
setup() {
	sandbox_up "$BATS_TEST_TMPDIR"
	INSECURE=image,http
	LOG=$BATS_FILE_TMPDIR/access.log
	rm -f "$LOG".once.*
	: >"$LOG"
	cp -p "$WWW/large.aci" "$WWW/it.aci"
}
teardown() { test_down; }

requests() { grep -cE -e "$1" "$LOG" || :; }
partial_size() { stat -c %s "$DATA"/cas/partial/*/blob 2>/dev/null || echo 0; }
partial_exceeds() { [ "$(partial_size)" -gt "$1" ]; }
no_partial() { assert_equal "$(ls "$DATA/cas/partial" 2>/dev/null)" ''; }
is_large() { assert_ok; assert_equal "$output" "sha512-${LARGE_KEY:0:32}"; no_partial; }

# half PATH [ARG...]: a fetch that is killed when it has a part of what PATH gives.
half() {
	local path=$1
	shift
	g_bg half fetch "$URL/$path" "$@"
	wait_for 60 partial_exceeds 500000 || fail "nothing arrives"
	kill -KILL "$BG"
	wait "$BG" 2>/dev/null || :
	# whoever had the lock is gone as well
	wait_for 60 flock -n "$(echo "$DATA"/cas/partial/*)" true
	: >"$LOG"
}

@test "fetch-resume: killed half-way, and the rest is asked for" {
	half once/stall/it.aci
	local have
	have=$(partial_size)
	g fetch "$URL/once/stall/it.aci"
	is_large
	assert_equal "$(requests "^GET /once/stall/it.aci 206 - bytes=$have- if-range=\"")" 1
	assert_equal "$(requests .)" 1
	assert_err 'resuming .*it.aci'
	g run --net=none example.com/large -- out runs
	assert_ok
	assert_out runs
}

@test "fetch-resume: a time of last change will do" {
	half once/stall/date/it.aci
	g fetch "$URL/once/stall/date/it.aci"
	is_large
	assert_equal "$(requests ' 206 - bytes=.* if-range=Tue, 14 Nov 2023 22:13:20 GMT')" 1
}

@test "fetch-resume: but not one within the second of the answer" {
	touch "$WWW/it.aci" -d '1 hour'
	half once/stall/date/it.aci
	g fetch "$URL/once/stall/date/it.aci"
	is_large
	assert_equal "$(requests ' 200 - - ')" 1
}

@test "fetch-resume: without a strong validator it starts again" {
	local how
	for how in bare weak; do
		half "once/stall/$how/it.aci"
		g fetch "$URL/once/stall/$how/it.aci"
		is_large
		assert_equal "$(requests ' 200 - - ')" 1
		g image rm "$output"
	done
}

@test "fetch-resume: what changed meanwhile is fetched from the start" {
	half once/stall/it.aci
	cp -p "$WWW/other.aci" "$WWW/it.aci"
	touch -d @1700000001 "$WWW/it.aci"
	g fetch "$URL/once/stall/it.aci"
	assert_ok
	assert_equal "$output" "sha512-${OTHER_KEY:0:32}"
	assert_equal "$(requests ' 200 - bytes=')" 1
	assert_equal "$(requests .)" 1
	no_partial
}

@test "fetch-resume: a server that ignores If-Range is seen through" {
	half once/stall/careless/it.aci
	cp -p "$WWW/other.aci" "$WWW/it.aci"
	touch -d @1700000001 "$WWW/it.aci"
	g fetch "$URL/once/stall/careless/it.aci"
	assert_ok
	assert_equal "$output" "sha512-${OTHER_KEY:0:32}"
	assert_equal "$(requests ' 206 - bytes=')" 1
	assert_equal "$(requests ' 200 - - ')" 1
	no_partial
}

@test "fetch-resume: so is one that sends another part than was asked for" {
	half once/stall/wrong/it.aci
	g fetch "$URL/once/stall/wrong/it.aci"
	is_large
	assert_equal "$(requests ' 200 - - ')" 1
}

@test "fetch-resume: a server that knows no ranges sends all of it" {
	half once/stall/whole/it.aci
	g fetch "$URL/once/stall/whole/it.aci"
	is_large
	assert_equal "$(requests .)" 1
}

@test "fetch-resume: 416: from the start" {
	half once/stall/date/it.aci
	# shorter than what is there, and of the same time
	head -c 200000 "$WWW/large.aci" >"$WWW/it.aci"
	touch -d @1700000000 "$WWW/it.aci"
	g fetch "$URL/once/stall/date/it.aci"
	assert_refused 254 'it.aci'
	assert_equal "$(requests ' 416 - bytes=')" 1
	assert_equal "$(requests ' 200 - - ')" 1
	no_partial
}

@test "fetch-resume: all was there, only the end was missing" {
	half once/stall/it.aci
	cp "$WWW/large.aci" "$(echo "$DATA"/cas/partial/*/blob)"
	g fetch "$URL/once/stall/it.aci"
	is_large
	assert_equal "$(requests " 206 - bytes=$((LARGE_SIZE - 1))- ")" 1
	assert_equal "$(requests .)" 1
}

@test "fetch-resume: what is longer than the file is no part of it" {
	half once/stall/it.aci
	truncate -s 9000000 "$DATA"/cas/partial/*/blob
	g fetch "$URL/once/stall/it.aci"
	is_large
	assert_equal "$(requests ' 200 - - ')" 1
}

@test "fetch-resume: a damaged part does no harm" {
	keys_up
	INSECURE=http
	install_key good example.com/large
	sign "$WWW/it.aci" good
	half once/stall/it.aci --signature="$WWW/it.aci.asc"
	dd if=/dev/zero of="$(echo "$DATA"/cas/partial/*/blob)" bs=1 seek=400000 count=100 conv=notrunc 2>/dev/null
	g fetch "$URL/once/stall/it.aci" --signature="$WWW/it.aci.asc"
	is_large
	assert_err 'downloading it from the beginning'
	assert_equal "$(requests '^GET /once/stall/it.aci 206')" 1
	assert_equal "$(requests '^GET /once/stall/it.aci 200 - - ')" 1
	rm -f "$WWW/it.aci.asc"
	keys_down
}

@test "fetch-resume: of a large image it is known early that nobody trusted signed it" {
	keys_up
	INSECURE=http
	install_key good example.com/large
	cp -a "$FIX/root" "$T/root"
	head -c 40000000 /dev/zero | openssl enc -aes-128-ctr -K 0 -iv 0 >"$T/root/large" 2>/dev/null
	make_aci "$WWW/it.aci" example.com/large '{"exec":["/probe"],"user":"0","group":"0"}' "$T/root"
	sign "$WWW/it.aci" other
	# the server never sends the second half
	g fetch "$URL/stall/it.aci" --signature="$WWW/it.aci.asc"
	assert_refused 254 'openpgp: signature made by unknown entity'
	no_partial
	keys_down
}

@test "fetch-resume: a part of another URL, or that came with fewer checks, is not used" {
	half once/stall/it.aci
	sed -i 's/waived=2/waived=6/; s/waived=4/waived=6/' "$DATA"/cas/partial/*/state
	g fetch "$URL/once/stall/it.aci"
	is_large
	assert_equal "$(requests ' 200 - - ')" 1
	g image rm "$output"
	rm -f "$LOG".once.*
	half once/stall/it.aci
	sed -i 's/it.aci/is.aci/' "$DATA"/cas/partial/*/state
	g fetch "$URL/once/stall/it.aci"
	is_large
	assert_equal "$(requests ' 200 - - ')" 1
}

@test "fetch-resume: a part from before the last boot is not used" {
	half once/stall/it.aci
	sed -i 's/boot=[0-9a-f]/boot=x/' "$DATA"/cas/partial/*/state
	g fetch "$URL/once/stall/it.aci"
	is_large
	assert_equal "$(requests ' 200 - - ')" 1
}

@test "fetch-resume: one that breaks in the middle goes on by itself" {
	local how
	for how in cut reset; do
		: >"$LOG"
		g fetch "$URL/once/$how/it.aci"
		is_large
		assert_equal "$(requests ' 200 - - ')" 1
		assert_equal "$(requests ' 206 - bytes=')" 1
		g image rm "$output"
	done
}

@test "fetch-resume: one that breaks for ever is given up, and what came is kept" {
	g fetch "$URL/cut/it.aci"
	assert_refused 254 '/cut/it.aci'
	[ "$(requests .)" -le 8 ] || fail "too many requests"
	[ "$(partial_size)" -gt 1000000 ] || fail "nothing is kept"
	# without a validator there is nothing to go on with
	: >"$LOG"
	g fetch "$URL/cut/bare/it.aci"
	assert_refused 254 '/cut/bare/it.aci'
	assert_equal "$(requests .)" 1
	assert_equal "$(find "$DATA/cas/partial" -mindepth 1 -maxdepth 1 | wc -l)" 1
}

# The server breaks the connections that it has.
break_off() { pgrep -P "$HTTPD_PID" | xargs kill -KILL; }

@test "fetch-resume: what changes in the middle is no image of either" {
	g_bg slow fetch "$URL/once/stall/it.aci"
	wait_for 60 partial_exceeds 100000
	cp -p "$WWW/other.aci" "$WWW/new.aci"
	touch -d @1700000002 "$WWW/new.aci"
	mv "$WWW/new.aci" "$WWW/it.aci"
	break_off
	g_wait "$BG" slow
	assert_refused 254 'changed while it was downloaded'
	g image list --no-legend
	assert_equal "$output" ''
}

@test "fetch-resume: a stalled server is given up, and the next fetch goes on" {
	g fetch "$URL/once/stall/it.aci"
	assert_refused 254 'stall/it.aci' 'too slow|[Tt]imed? ?out'
	partial_exceeds 1000000 || fail "nothing is kept"
	: >"$LOG"
	g fetch "$URL/once/stall/it.aci"
	is_large
	assert_equal "$(requests ' 206 ')" 1
}

@test "fetch-resume: two at once: one download, two answers" {
	g_bg one fetch "$URL/once/stall/maxage/it.aci"
	local first=$BG
	wait_for 60 partial_exceeds 100000
	g_bg two fetch "$URL/once/stall/maxage/it.aci"
	wait_line "$T/two.err" 'waiting for another download'
	break_off
	g_wait "$BG" two
	assert_ok
	assert_equal "$output" "sha512-${LARGE_KEY:0:32}"
	g_wait "$first" one
	is_large
	assert_equal "$(requests ' 200 - - ') $(requests ' 206 ') $(requests .)" '1 1 2'
}

@test "fetch-resume: two at once, and the first is killed" {
	g_bg one fetch "$URL/once/stall/it.aci"
	local first=$BG
	wait_for 60 partial_exceeds 100000
	g_bg two fetch "$URL/once/stall/it.aci"
	wait_line "$T/two.err" 'waiting'
	kill -KILL "$first"
	wait "$first" 2>/dev/null || :
	g_wait "$BG" two
	is_large
	assert_equal "$(requests ' 206 ')" 1
}

@test "fetch-resume: a full disk leaves a valid part or nothing" {
	mkdir "$T/small"
	in_world mount -t tmpfs -o size=2M small "$T/small"
	DATA=$T/small
	g fetch "$URL/it.aci"
	assert_refused 254 'No space left on device'
	g image list --no-legend
	assert_ok
	assert_equal "$output" ''
	no_partial
	in_world mount -o remount,size=20M "$T/small"
	g fetch "$URL/it.aci"
	is_large
	in_world umount "$T/small"
	DATA=$T/data
}

@test "fetch-resume: where no part can be kept it works all the same" {
	mkdir -p "$DATA/cas"
	ln -s /nonexistent "$DATA/cas/partial"
	g fetch "$URL/it.aci"
	assert_refused 254 'cas/partial'
	rm "$DATA/cas/partial"
	mkdir "$DATA/cas/partial"
	chattr +i "$DATA/cas/partial" 2>/dev/null || skip "no immutable directories here"
	g fetch "$URL/it.aci"
	chattr -i "$DATA/cas/partial"
	is_large
}

@test "fetch-resume: killed at any moment: the next one is right, and gc takes what nobody wants" {
	local i
	for i in 0 0.02 0.05 0.1 0.2 0.4 0.8; do
		g_bg kill fetch "$URL/slow/it.aci"
		sleep $i
		kill -KILL "$BG" 2>/dev/null || :
		wait "$BG" 2>/dev/null || :
		g image list --no-legend
		assert_ok
		assert_equal "$output" ''
	done
	g fetch "$URL/slow/it.aci"
	is_large
	# another, a day old
	half once/stall/it.aci
	g image gc
	assert_ok
	[ "$(partial_size)" -gt 0 ] || fail "gc took what may be wanted"
	touch -d '2 days ago' "$DATA"/cas/partial/*
	g image gc
	assert_ok
	no_partial
}
