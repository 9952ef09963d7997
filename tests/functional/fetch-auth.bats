# fetch: credentials: to whom they go, to whom not, and what is said when they are missing.

load ../lib/gantry

setup_file() {
	need root
	world_up
	fixtures_up
	T=$BATS_FILE_TMPDIR
	mkdir "$T/www" "$T/one" "$T/two"
	export WWW=$T/www
	make_aci "$WWW/app.aci" example.com/app '{"exec":["/probe"],"user":"0","group":"0"}'
	export APP_KEY ONE TWO ONE_PID
	APP_KEY=$(image_key "$WWW/app.aci")
	httpd_up "$WWW" "$T/one"
	ONE=${URL#http://} ONE_PID=$HTTPD_PID
	httpd_up "$WWW" "$T/two"
	TWO=${URL#http://}
}
teardown_file() {
	kill -KILL "$ONE_PID" 2>/dev/null || :
	world_down
}
setup() {
	sandbox_up "$BATS_TEST_TMPDIR"
	INSECURE=image,http
	LOG=$BATS_FILE_TMPDIR/one/access.log LOG2=$BATS_FILE_TMPDIR/two/access.log
	rm -f "$LOG".once.* "$LOG2".once.*
	: >"$LOG"
	: >"$LOG2"
	BASIC=$(printf 'alice:pass word' | base64)
}
teardown() { test_down; }

# auth DIR FILE DOMAIN TYPE CREDENTIALS
auth() {
	mkdir -p "$1/auth.d"
	printf '{"rktKind":"auth","rktVersion":"v1","domains":["%s"],"type":"%s","credentials":%s}\n' "$3" "$4" "$5" >"$1/auth.d/$2.json"
	chmod 600 "$1/auth.d/$2.json"
}
basic() { auth "$LOCAL" "${2:-one}" "$1" basic '{"user":"alice","password":"pass word"}'; }
is_app() { assert_ok; assert_equal "$output" "sha512-${APP_KEY:0:32}"; }
no_secret() {
	! grep -rqE 'pass word|cGFzcyB3b3Jk|s3cr3t' "$T/out" "$T/err" "$DATA" || fail "a secret is shown or stored"
}
# redirect_to URL: a path of the first server that leads there
redirect_to() { echo "http://$ONE/goto/$(sed 's,:,%3a,g; s,/,%2f,g' <<<"$1")"; }

@test "fetch-auth: without credentials: 401, the host, and what to do" {
	g fetch "http://$ONE/auth/app.aci"
	assert_refused 254 'bad HTTP status code: 401' "$ONE wants credentials" "$LOCAL/auth.d" "\"$ONE\""
	g fetch "http://$ONE/status/403/app.aci"
	assert_refused 254 'bad HTTP status code: 403' "$ONE"
}

@test "fetch-auth: basic" {
	basic "$ONE"
	g --debug fetch "http://$ONE/auth/app.aci"
	is_app
	grep -qF "auth=Basic $BASIC" "$LOG"
	assert_equal "$(wc -l <"$LOG")" 1
	no_secret
}

@test "fetch-auth: a token" {
	auth "$LOCAL" one "$ONE" oauth '{"token":"s3cr3t-t0ken"}'
	g --debug fetch "http://$ONE/auth/app.aci"
	is_app
	grep -qF 'auth=Bearer s3cr3t-t0ken' "$LOG"
	no_secret
}

@test "fetch-auth: AWS, version 4" {
	auth "$LOCAL" one "$ONE" aws '{"accessKeyID":"AKIDEXAMPLE","secretAccessKey":"s3cr3tKEY","awsRegion":"eu-west-1"}'
	g fetch "http://$ONE/auth/app.aci"
	is_app
	grep -qE 'auth=AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/[0-9]{8}/eu-west-1/s3/aws4_request, ?SignedHeaders=[a-z0-9;-]*host[a-z0-9;-]*x-amz-date[a-z0-9;-]*, ?Signature=[0-9a-f]{64}' "$LOG" ||
		fail "$(cat "$LOG")"
	no_secret
}

# hmac HEXKEY TEXT
hmac() { printf %s "$2" | openssl dgst -sha256 -mac HMAC -macopt "hexkey:$1" | sed 's/.* //'; }
sha256() { printf %s "$1" | sha256sum | cut -d' ' -f1; }

@test "fetch-auth: AWS: the signature is what its specification says" {
	need openssl
	auth "$LOCAL" one "$ONE" aws '{"accessKeyID":"AKIDEXAMPLE","secretAccessKey":"s3cr3tKEY","awsRegion":"eu-west-1"}'
	g fetch "http://$ONE/auth/app.aci?z=1&a=2"
	assert_refused 254 404
	local date day key request part
	date=$(sed -n 's/.* date=//p' "$LOG")
	day=${date%T*}
	request="GET
/auth/app.aci
a=2&z=1
host:$ONE
x-amz-content-sha256:$(sha256 '')
x-amz-date:$date

host;x-amz-content-sha256;x-amz-date
$(sha256 '')"
	key=$(printf %s AWS4s3cr3tKEY | od -An -tx1 | tr -d ' \n')
	for part in "$day" eu-west-1 s3 aws4_request; do
		key=$(hmac "$key" "$part")
	done
	part="AWS4-HMAC-SHA256
$date
$day/eu-west-1/s3/aws4_request
$(sha256 "$request")"
	grep -qF "Signature=$(hmac "$key" "$part")" "$LOG" || fail "$(cat "$LOG")"
}

@test "fetch-auth: wrong ones: the host refuses what is configured" {
	auth "$LOCAL" one "$ONE" basic '{"user":"alice","password":"s3cr3t"}'
	g fetch "http://$ONE/need/another/app.aci"
	assert_refused 254 'bad HTTP status code: 401' "$ONE does not take the credentials" "$LOCAL/auth.d"
	no_secret
}

@test "fetch-auth: those for another host, or for another port, do not go" {
	basic other.example.com
	basic "127.0.0.1:1" two
	basic "${TWO}" three
	g fetch "http://$ONE/auth/app.aci"
	assert_refused 254 401 'none are configured'
	assert_equal "$(grep -c 'auth=[^ ]' "$LOG")" 0
}

@test "fetch-auth: the administrator's win over the vendor's" {
	auth "$SYSTEM" one "$ONE" basic '{"user":"alice","password":"s3cr3t"}'
	basic "$ONE"
	g fetch "http://$ONE/need/$BASIC/app.aci"
	is_app
}

@test "fetch-auth: a malformed file is named" {
	mkdir -p "$LOCAL/auth.d"
	echo '{' >"$LOCAL/auth.d/bad.json"
	g fetch "http://$ONE/app.aci"
	assert_refused 254 'auth.d/bad.json'
	assert_equal "$(wc -l <"$LOG")" 0
}

@test "fetch-auth: they are for the signature as well" {
	keys_up
	INSECURE=http
	install_key good example.com/app
	sign "$WWW/app.aci" good
	basic "$ONE"
	g fetch "http://$ONE/need/$BASIC/app.aci"
	is_app
	assert_equal "$(grep -cF "auth=Basic $BASIC" "$LOG")" 2
	rm -f "$WWW/app.aci.asc"
	keys_down
}

@test "fetch-auth: a redirect on the same host and port keeps them" {
	basic "$ONE"
	g fetch "$(redirect_to "/need/$BASIC/app.aci")"
	is_app
	assert_equal "$(grep -cF "auth=Basic $BASIC" "$LOG")" 2
}

@test "fetch-auth: a redirect to another port drops them" {
	basic "$ONE"
	g fetch "$(redirect_to "http://$TWO/app.aci")"
	is_app
	assert_equal "$(grep -c 'auth=[^ ]' "$LOG2")" 0
	g fetch "$(redirect_to "http://$TWO/auth/app.aci")"
	assert_refused 254 'bad HTTP status code: 401' "$TWO"
	assert_equal "$(grep -c 'auth=[^ ]' "$LOG2")" 0
}

@test "fetch-auth: a redirect to another name of the host drops them" {
	basic "$ONE"
	g fetch "$(redirect_to "http://localhost:${ONE#*:}/app.aci")"
	is_app
	assert_equal "$(grep -c 'auth=[^ ]' "$LOG")" 1
}

@test "fetch-auth: and they do not come back when it leads home again" {
	basic "$ONE"
	g fetch "$(redirect_to "http://$TWO/goto/http%3a%2f%2f$ONE%2fapp.aci")"
	is_app
	assert_equal "$(grep -c 'auth=[^ ]' "$LOG")" 1
	assert_equal "$(grep -c 'auth=[^ ]' "$LOG2")" 0
}

@test "fetch-auth: the other host gets what is configured for it" {
	auth "$LOCAL" one "$ONE" oauth '{"token":"s3cr3t"}'
	basic "$TWO" two
	g fetch "$(redirect_to "http://$TWO/need/$BASIC/app.aci")"
	is_app
	assert_equal "$(grep -c 's3cr3t' "$LOG2")" 0
	assert_equal "$(grep -c "auth=Basic" "$LOG")" 0
}

@test "fetch-auth: redirects are counted over all hosts" {
	basic "$ONE"
	basic "$TWO" two
	g fetch "$(redirect_to "http://$TWO/redirect/200/app.aci")"
	assert_refused 254 'more than 10 redirects'
	[ "$(cat "$LOG" "$LOG2" | wc -l)" -le 12 ] || fail "too many"
}

@test "fetch-auth: user and password of the URL itself" {
	g fetch "http://alice:pass%20word@$ONE/auth/app.aci"
	is_app
	grep -qF "auth=Basic $BASIC" "$LOG"
	no_secret
	! grep -rqE 'pass%20word|alice' "$DATA/cas/image" "$DATA/cas/remote" || fail "it is in the store"
	# they are not for another host, and a configured one does not take their place
	basic "$TWO"
	g fetch "http://alice:wr%6fng@$ONE/goto/http%3a%2f%2f$TWO%2fauth/app.aci"
	is_app
	assert_equal "$(grep -cF "auth=Basic $(printf alice:wrong | base64)" "$LOG")" 1
	assert_equal "$(grep -cF "auth=Basic $BASIC" "$LOG2")" 1
	g fetch "http://alice:x%0d%0aX-Evil:y@$ONE/app.aci"
	assert_refused 254 'malformed'
	g --debug fetch "http://alice:s3cr3t@$ONE/status/403/app.aci"
	assert_refused 254 403
	no_secret
}

@test "fetch-auth: while it runs, no secret is in any argv or environment" {
	basic "$ONE"
	g_bg slow fetch "http://alice2:s3cr3t@$ONE/once/stall/app.aci"
	wait_for 60 grep -q 'auth=Basic' "$LOG"
	local p found=
	for p in $(pgrep -f libexec/gantry/fetch; pgrep -x fetch); do
		tr '\0' '\n' <"/proc/$p/cmdline" | grep -q s3cr3t && found="argv of $p"
		tr '\0' '\n' <"/proc/$p/environ" | grep -q s3cr3t && found="environ of $p"
	done
	kill -KILL "$BG"
	wait "$BG" 2>/dev/null || :
	[ -z "$found" ] || fail "$found"
}

@test "fetch-auth: that everybody can read them is said once" {
	keys_up
	INSECURE=http
	install_key good example.com/app
	sign "$WWW/app.aci" good
	basic "$ONE"
	chmod 644 "$LOCAL/auth.d/one.json"
	g fetch "http://$ONE/auth/app.aci"
	is_app
	assert_equal "$(grep -c 'everybody can read' "$T/err")" 1
	rm -f "$WWW/app.aci.asc"
	keys_down
}
