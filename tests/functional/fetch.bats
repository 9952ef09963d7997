# fetch: files and URLs into the store, with the faults that a server can have.

load ../lib/gantry

setup_file() {
	need root
	world_up
	fixtures_up
	T=$BATS_FILE_TMPDIR
	mkdir "$T/www"
	make_aci "$T/www/app.aci" example.com/app '{"exec":["/probe"],"user":"0","group":"0"}'
	COMPRESS='gzip -n' make_aci "$T/www/zipped.aci" example.com/zipped '{"exec":["/probe"],"user":"0","group":"0"}'
	export WWW=$T/www
	export APP_KEY ZIPPED_KEY
	APP_KEY=$(image_key "$WWW/app.aci")
	ZIPPED_KEY=$(image_key "$WWW/zipped.aci")
	httpd_up "$WWW" "$T"
}
teardown_file() {
	world_down
}
setup() {
	sandbox_up "$BATS_TEST_TMPDIR"
	INSECURE=image,http
	LOG=$BATS_FILE_TMPDIR/access.log
	: >"$LOG"
}
teardown() { test_down; }

store_is_empty() {
	assert_equal "$(gantry image list --no-legend)" ''
	assert_equal "$(ls "$DATA/cas/tmp" "$DATA/cas/image" "$DATA/cas/tree" 2>/dev/null | grep -v ':$' | xargs)" ''
}

requests() { grep -cE -e "$1" "$LOG" || :; }

# --- files

@test "fetch: a file, and the ID that is printed" {
	g fetch "$WWW/app.aci"
	assert_ok
	assert_equal "$output" "sha512-${APP_KEY:0:32}"
	g fetch --full "$WWW/app.aci"
	assert_ok
	[[ sha512-$APP_KEY == "$output"* && ${#output} -ge 71 ]] || fail "not the whole ID"
}

@test "fetch: several at once, one line each" {
	g fetch "$WWW/app.aci" "$WWW/zipped.aci"
	assert_ok
	assert_equal "$(echo $output)" "sha512-${APP_KEY:0:32} sha512-${ZIPPED_KEY:0:32}"
}

@test "fetch: gzip, bzip2 and xz are unpacked, and give the ID of what is inside" {
	local f
	for f in gzip bzip2 xz; do
		COMPRESS="$f -c" make_aci "$T/$f.aci" example.com/app '{"exec":["/probe"],"user":"0","group":"0"}'
		g fetch "$T/$f.aci"
		assert_ok
		assert_equal "$output" "sha512-${APP_KEY:0:32}"
	done
	g run --net=none "sha512-$APP_KEY" -- out runs
	assert_ok
	assert_out runs
}

@test "fetch: modes, owners, times, links and extended attributes are kept" {
	cp -a "$FIX/root" "$T/root"
	: >"$T/root/special"
	chown 12:34 "$T/root/special"
	chmod 6751 "$T/root/special"
	touch -d @1234567890 "$T/root/special"
	setfattr -n user.color -v blue "$T/root/special" 2>/dev/null || :
	local manifest=$T/manifest
	image_manifest example.com/kept '{"exec":["/probe"],"user":"0","group":"0"}' >"$manifest"
	TAR_FLAGS='--format=posix --xattrs --xattrs-include=*' pack_aci "$T/kept.aci" "$manifest" "$T/root"
	g fetch "$T/kept.aci"
	assert_ok
	g run --net=none "$output" -- stat /special /usr/bin/probe-in-path /bin/probe-link /tmp
	assert_ok
	assert_match '^stat /special=f 6751 12:34' '^stat /usr/bin/probe-in-path=f .*nlink 2' '^stat /bin/probe-link=l' '^stat /tmp=d 1777'
}

@test "fetch: a file is always read again, whatever the policy" {
	g fetch --pull-policy=new "$WWW/app.aci"
	assert_ok
	cp "$WWW/zipped.aci" "$T/app.aci"
	g fetch --pull-policy=never "$T/app.aci"
	assert_ok
	assert_equal "$output" "sha512-${ZIPPED_KEY:0:32}"
}

@test "fetch: twice is once in the store" {
	g fetch "$WWW/app.aci"
	g fetch "$WWW/app.aci"
	assert_ok
	assert_equal "$(gantry image list --no-legend | wc -l)" 1
	assert_equal "$(find "$DATA/cas/image" -mindepth 1 -maxdepth 1 | wc -l)" 1
}

@test "fetch: what is not a regular file is refused, without a wait" {
	g fetch "$T"
	assert_refused 254 "$T"
	mkfifo "$T/fifo.aci"
	g fetch "$T/fifo.aci"
	assert_refused 254 fifo.aci
	g fetch /dev/zero
	assert_refused 254 /dev/zero
	: >"$T/empty.aci"
	g fetch "$T/empty.aci"
	assert_refused 254 empty.aci
	store_is_empty
}

@test "fetch: application arguments are an error" {
	g fetch "$WWW/app.aci" -- id
	assert_refused 254 'arguments|--'
	g fetch
	assert_refused 254 'image'
}

@test "fetch: of two images one bad does not hide which" {
	g fetch "$WWW/app.aci" "$T/no-such.aci"
	assert_refused 254 'no-such.aci' 'No such file'
}

# --- URLs

@test "fetch: a URL" {
	g fetch "$URL/app.aci"
	assert_ok
	assert_equal "$output" "sha512-${APP_KEY:0:32}"
	g run --net=none "sha512-$APP_KEY" -- out runs
	assert_ok
}

@test "fetch: http needs permission" {
	INSECURE=image
	g fetch "$URL/app.aci"
	assert_refused 254 'http'
	assert_equal "$(requests .)" 0
	store_is_empty
}

@test "fetch: redirects are followed, up to a number" {
	g fetch "$URL/redirect/3/app.aci"
	assert_ok
	assert_equal "$output" "sha512-${APP_KEY:0:32}"
	g fetch "$URL/loop/app.aci"
	assert_refused 254 'redirect' '/loop/app.aci'
	g fetch "$URL/redirect/200/app.aci"
	assert_refused 254 'redirect'
}

@test "fetch: a redirect leads to no file and no other scheme" {
	cp "$WWW/zipped.aci" "$T/secret.aci"
	g fetch "$URL/goto/file%3a%2f%2f$(tr / @ <<<"$T/secret.aci" | sed 's/@/%2f/g')/x.aci"
	assert_refused 254 'goto'
	g fetch "$URL/goto/gopher%3a%2f%2f127.0.0.1%3a1%2fx.aci"
	assert_refused 254 'goto'
	store_is_empty
}

@test "fetch: statuses are named" {
	g fetch "$URL/status/404/app.aci"
	assert_refused 254 404 '/status/404/app.aci'
	g fetch "$URL/status/500/app.aci"
	assert_refused 254 500
	g fetch "$URL/auth/app.aci"
	assert_refused 254 401
	store_is_empty
}

@test "fetch: a body that is cut is refused" {
	g fetch "$URL/cut/app.aci"
	assert_refused 254 '/cut/app.aci'
	store_is_empty
}

@test "fetch: small pieces, chunks and no length are fine" {
	local how
	for how in slow chunked nolength; do
		g fetch "$URL/$how/app.aci"
		assert_ok
		assert_equal "$output" "sha512-${APP_KEY:0:32}"
	done
}

@test "fetch: a chunked or unannounced body that is no image is refused" {
	echo 'this is no image' >"$WWW/text.aci"
	g fetch "$URL/nolength/text.aci"
	assert_refused 254 'text.aci'
	store_is_empty
}

@test "fetch: headers without end, and what is not HTTP" {
	g fetch "$URL/headers/app.aci"
	assert_refused 254 '/headers/app.aci'
	g fetch "$URL/garbage/app.aci"
	assert_refused 254 '/garbage/app.aci'
	store_is_empty
}

@test "fetch: a body without end is refused, and does not fill the disk" {
	g fetch "$URL/endless/app.aci"
	assert_refused 254 '/endless/app.aci'
	store_is_empty
}

@test "fetch: nobody listens there" {
	g fetch http://127.0.0.1:1/app.aci
	assert_refused 254 '127.0.0.1:1' '[Rr]efused|connect'
}

@test "fetch: ETag: what did not change is not sent again" {
	g fetch "$URL/app.aci"
	assert_ok
	g fetch "$URL/app.aci"
	assert_ok
	assert_equal "$output" "sha512-${APP_KEY:0:32}"
	assert_equal "$(requests '^GET /app.aci 200')" 1
	assert_equal "$(requests '^GET /app.aci 304 "')" 1
}

@test "fetch: what did change is" {
	cp "$WWW/app.aci" "$WWW/moving.aci"
	g fetch "$URL/moving.aci"
	assert_ok
	cp "$WWW/zipped.aci" "$WWW/moving.aci"
	g fetch "$URL/moving.aci"
	assert_ok
	assert_equal "$output" "sha512-${ZIPPED_KEY:0:32}"
}

@test "fetch: Cache-Control max-age: no request while fresh" {
	g fetch "$URL/maxage/app.aci"
	assert_ok
	g fetch "$URL/maxage/app.aci"
	assert_ok
	assert_equal "$output" "sha512-${APP_KEY:0:32}"
	assert_equal "$(requests 'maxage')" 1
}

@test "fetch: pull policies" {
	g fetch --pull-policy=never "$URL/app.aci"
	assert_refused 254 'unable to fetch' '/app.aci'
	assert_equal "$(requests .)" 0
	g fetch --pull-policy=new "$URL/app.aci"
	assert_ok
	g fetch --pull-policy=new "$URL/app.aci"
	assert_ok
	assert_equal "$(requests /app.aci)" 1
	g fetch --pull-policy=never "$URL/app.aci"
	assert_ok
	assert_equal "$output" "sha512-${APP_KEY:0:32}"
	g fetch --pull-policy=update "$URL/app.aci"
	assert_ok
	assert_equal "$(requests /app.aci)" 2
}

@test "fetch: run fetches what it needs" {
	g run --net=none "$URL/app.aci" -- out ran
	assert_ok
	assert_out ran
	g run --net=none "$URL/app.aci" -- out ran again
	assert_ok
	assert_equal "$(requests /app.aci)" 1
}

@test "fetch: the signature is fetched from beside the image, and before it" {
	keys_up
	INSECURE=http
	install_key good example.com/signed
	make_aci "$WWW/signed.aci" example.com/signed '{"exec":["/probe"],"user":"0","group":"0"}'
	g fetch "$URL/signed.aci"
	assert_refused 254 'signature' 'signed.aci'
	sign "$WWW/signed.aci" good
	: >"$LOG"
	g fetch "$URL/signed.aci"
	assert_ok
	assert_equal "$(grep -oE '^GET /[^ ]+' "$LOG" | head -n 1)" 'GET /signed.aci.asc'
	sign "$WWW/signed.aci" other
	g image rm example.com/signed
	: >"$LOG"
	g fetch "$URL/signed.aci"
	assert_refused 254 'openpgp: signature made by unknown entity'
	keys_down
}

@test "fetch: proxies and credentials of the environment do not reach the image's host unasked" {
	export http_proxy= HTTP_PROXY=
	g fetch "$URL/app.aci"
	assert_ok
}

# --- faults

@test "fetch: killed at any moment leaves nothing but what gc takes" {
	local i
	COMPRESS='gzip -1' make_aci "$T/kill.aci" example.com/kill '{"exec":["/probe"],"user":"0","group":"0"}'
	for i in 0 0.005 0.01 0.02 0.03 0.05 0.08; do
		g_bg fetch fetch "$T/kill.aci"
		sleep $i
		kill -KILL "$BG" 2>/dev/null || :
		wait "$BG" 2>/dev/null || :
		g image list --no-legend
		assert_ok
		# whole or not there
		[ -z "$output" ] || { g run --net=none example.com/kill -- out whole && assert_ok; }
	done
	g fetch "$T/kill.aci"
	assert_ok
	g run --net=none example.com/kill -- out whole
	assert_ok
	collect_all
	assert_equal "$(ls "$DATA/cas/tmp" 2>/dev/null)" ''
}

@test "fetch: a full disk is an error with a name, and nothing stays" {
	mkdir "$T/small"
	cp -a "$FIX/root" "$T/root"
	head -c 6000000 /dev/urandom >"$T/root/large"
	make_aci "$T/large.aci" example.com/large '{"exec":["/probe"],"user":"0","group":"0"}' "$T/root"
	in_world mount -t tmpfs -o size=3M small "$T/small"
	DATA=$T/small
	g fetch "$T/large.aci"
	assert_refused 254 'No space left on device'
	g image list --no-legend
	assert_ok
	assert_equal "$output" ''
	in_world umount "$T/small"
	DATA=$T/data
}

@test "fetch: a full /tmp is of no importance" {
	export TMPDIR=/nonexistent
	g fetch "$WWW/app.aci"
	assert_ok
}
