# fetch: what is in the store is not downloaded again, and signatures that come late.

load ../lib/gantry

setup_file() {
	need root
	world_up
	fixtures_up
	T=$BATS_FILE_TMPDIR
	mkdir "$T/www"
	export WWW=$T/www
	make_aci "$WWW/app.aci" example.com/app '{"exec":["/probe"],"user":"0","group":"0"}'
	COMPRESS='gzip -n' make_aci "$WWW/other.aci" example.com/other '{"exec":["/probe"],"user":"0","group":"0"}'
	touch -d @1700000000 "$WWW"/*.aci
	export APP_KEY OTHER_KEY
	APP_KEY=$(image_key "$WWW/app.aci")
	OTHER_KEY=$(image_key "$WWW/other.aci")
	httpd_up "$WWW" "$T"
}
teardown_file() { world_down; }
setup() {
	sandbox_up "$BATS_TEST_TMPDIR"
	INSECURE=image,http
	LOG=$BATS_FILE_TMPDIR/access.log
	rm -f "$LOG".once.* "$WWW"/*.asc
	: >"$LOG"
}
teardown() { test_down; }

requests() { grep -cE -e "$1" "$LOG" || :; }
is_app() { assert_ok; assert_equal "$output" "sha512-${APP_KEY:0:32}"; }
fetch_twice() {
	g fetch "$URL/$1"
	is_app
	g fetch "$URL/$1"
	is_app
}

@test "fetch-cache: 304 by ETag" {
	fetch_twice app.aci
	assert_equal "$(requests '^GET /app.aci 304 "')" 1
	# and again: a 304 does not forget the ETag
	g fetch "$URL/app.aci"
	is_app
	assert_equal "$(requests '^GET /app.aci 304 "')" 2
}

@test "fetch-cache: 304 by the time of the last change" {
	fetch_twice date/app.aci
	assert_equal "$(requests '304 .* since=Tue, 14 Nov 2023 22:13:20 GMT')" 1
}

@test "fetch-cache: a weak ETag is good enough for that" {
	fetch_twice weak/app.aci
	assert_equal "$(requests '304 W/"')" 1
}

@test "fetch-cache: without either, it is sent again" {
	fetch_twice bare/app.aci
	assert_equal "$(requests '200')" 2
}

@test "fetch-cache: max-age and Expires: no request while it is fresh" {
	fetch_twice maxage/app.aci
	fetch_twice expires/app.aci
	assert_equal "$(requests .)" 2
}

@test "fetch-cache: but not beyond the age that it has" {
	fetch_twice aged/app.aci
	assert_equal "$(requests .)" 2
}

@test "fetch-cache: an image that is gone is fetched again, fresh or not" {
	g fetch "$URL/maxage/app.aci"
	g image rm example.com/app
	assert_ok
	g fetch "$URL/maxage/app.aci"
	is_app
	assert_equal "$(requests ' 200 ')" 2
}

@test "fetch-cache: a 304 that nobody asked for" {
	g fetch "$URL/status/304/app.aci"
	assert_refused 254 'bad HTTP status code: 304'
}

@test "fetch-cache: an unsigned image in the store is none for who wants signatures" {
	keys_up
	g fetch "$URL/maxage/app.aci"
	is_app
	INSECURE=http
	g fetch "$URL/maxage/app.aci"
	assert_refused 254 'signature'
	install_key good example.com/app
	sign "$WWW/app.aci" good
	: >"$LOG"
	g fetch "$URL/maxage/app.aci"
	is_app
	assert_equal "$(requests '^GET /maxage/app.aci 200')" 1
	# now it is signed in the store, and fresh
	: >"$LOG"
	g fetch "$URL/maxage/app.aci"
	is_app
	assert_equal "$(requests .)" 0
	keys_down
}

# --- late signatures (202)

@test "fetch-cache: a signature that is not ready comes after the image" {
	keys_up
	INSECURE=http
	install_key good example.com/app
	sign "$WWW/app.aci" good
	g fetch "$URL/once/202/app.aci"
	assert_equal "$(grep -oE '^GET [^ ]+ [0-9]+' "$LOG" | tr '\n' ';')" \
		'GET /once/202/app.aci.asc 202;GET /once/202/app.aci 202;'
	assert_refused 254 'bad HTTP status code: 202'
	: >"$LOG"
	g fetch "$URL/once/202/app.aci"
	is_app
	keys_down
}

# the signature's path is the image's with .asc: one that is late, and an image that is not
late() {
	mkdir -p "$WWW/late"
	cp "$WWW/app.aci" "$WWW/late/app.aci"
	sign "$WWW/late/app.aci" "$1"
	# of the two requests only the first is answered 202: the image's own is spent beforehand
	in_world bash -c 'exec 3<>"/dev/tcp/${1%:*}/${1#*:}"; printf "GET /once/202/late/app.aci HTTP/1.1\r\n\r\n" >&3; cat <&3' - \
		"${URL#http://}" >/dev/null
	: >"$LOG"
}

@test "fetch-cache: a late signature is verified before anything is published" {
	keys_up
	INSECURE=http
	install_key good example.com/app
	late good
	g fetch "$URL/once/202/late/app.aci"
	is_app
	assert_err 'deferring the signature'
	assert_equal "$(grep -oE '^GET [^ ]+ [0-9]+' "$LOG" | tr '\n' ';')" \
		'GET /once/202/late/app.aci.asc 202;GET /once/202/late/app.aci 200;GET /once/202/late/app.aci.asc 200;'
	g image rm example.com/app
	rm -f "$LOG".once.*
	late other
	g fetch "$URL/once/202/late/app.aci"
	assert_refused 254 'unknown entity|signature'
	g image list --no-legend
	assert_equal "$output" ''
	keys_down
}

@test "fetch-cache: a late signature that is not there, or not ready either" {
	keys_up
	INSECURE=http
	install_key good example.com/app
	late good
	mv "$WWW/late/app.aci.asc" "$T/kept.asc"
	g fetch "$URL/once/202/late/app.aci"
	assert_refused 254 'signature' '404'
	g image list --no-legend
	assert_equal "$output" ''
	# the image itself need not come again
	assert_equal "$(ls "$DATA/cas/tmp")" ''
	mv "$T/kept.asc" "$WWW/late/app.aci.asc"
	: >"$LOG"
	g fetch "$URL/once/202/late/app.aci"
	is_app
	assert_equal "$(requests '^GET /once/202/late/app.aci 206 - bytes=')" 1
	g fetch "$URL/status/202/app.aci"
	assert_refused 254 'bad HTTP status code: 202'
	keys_down
}
