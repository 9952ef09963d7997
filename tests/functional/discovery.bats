# Meta discovery: from an image's name to its URL, over hosts of a small internet of the test's own.

load ../lib/gantry
load ../lib/hosts

APP='{"exec":["/probe"],"user":"0","group":"0"}'

setup_file() {
	need root openssl
	world_up
	fixtures_up
	hosts_up one.test two.test plain.test strange.test redirect.test untrusted.test
	host_up one.test both
	host_up two.test tls
	host_up plain.test plain
	host_up strange.test tls
	host_redirects redirect.test http://plain.test
	openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=untrusted.test -addext subjectAltName=DNS:untrusted.test \
		-keyout "$HOSTS/other-key.pem" -out "$HOSTS/other.pem" 2>/dev/null
	host_front untrusted.test 443 "$HOSTS/other.pem" "$HOSTS/other-key.pem" "$(cat "$HOSTS/one.test/port")"
	local www=$HOSTS/one.test/www
	mkdir -p "$www/images" "$www/a" "$HOSTS/two.test/www/images" "$HOSTS/plain.test/www"
	make_aci "$www/images/app.aci" one.test/app "$APP"
	make_aci "$HOSTS/plain.test/www/app.aci" plain.test/app "$APP"
}
teardown_file() {
	hosts_down
	world_down
}
setup() {
	sandbox_up "$BATS_TEST_TMPDIR"
	INSECURE=image
	find "$HOSTS" -name '*ac-discovery=1' -delete
	host_forget one.test two.test plain.test strange.test
}
teardown() { test_down; }

id_of() { echo "sha512-$(image_key "$1" | cut -c1-32)"; }

assert_fetched() { # FILE
	assert_ok
	assert_equal "$output" "$(id_of "$1")"
}

IMAGES=https://one.test/images

@test "discovery: the name's own page" {
	host_page one.test app "$(tag one.test/app $IMAGES/app.{ext})"
	g fetch one.test/app
	assert_fetched "$HOSTS/one.test/www/images/app.aci"
	assert_equal "$(host_asked one.test)" $'/app?ac-discovery=1\n/images/app.aci'
}

@test "discovery: the page of a parent, down to the host" {
	host_page one.test '' "$(tag one.test $IMAGES/app.{ext})"
	g fetch one.test/app
	assert_fetched "$HOSTS/one.test/www/images/app.aci"
	assert_equal "$(host_asked one.test)" $'/app?ac-discovery=1\n/?ac-discovery=1\n/images/app.aci'
}

@test "discovery: a page without a tag for the name sends on to its parent" {
	host_page one.test app '<p>nothing here'
	host_page one.test '' "$(tag one.test $IMAGES/app.{ext})"
	g fetch one.test/app
	assert_fetched "$HOSTS/one.test/www/images/app.aci"
	host_page one.test app "$(tag one.test/other $IMAGES/wrong.{ext})" "$(tag one.test/ap $IMAGES/wrong.{ext})"
	g fetch one.test/app
	assert_fetched "$HOSTS/one.test/www/images/app.aci"
}

@test "discovery: nobody has an answer, and each page is named with what it said" {
	host_page one.test deep '<p>nothing here'
	g fetch one.test/deep/app
	assert_refused 254 'discovery failed for "one.test/deep/app"' \
		'https://one.test/deep/app\?ac-discovery=1: .*404' 'https://one.test/deep\?ac-discovery=1: no such tag for this name' \
		'https://one.test\?ac-discovery=1: .*404'
	assert_equal "$(wc -l <"$T/err")" 1
	g fetch nowhere.test/app
	assert_refused 254 'discovery failed for "nowhere.test/app"' 'https://nowhere.test/app\?ac-discovery=1: .*resolve'
	assert_equal "$(gantry image list --no-legend)" ''
}

@test "discovery: templates" {
	local arch
	arch=$(image_arch)
	mkdir -p "$HOSTS/one.test/www/t/one.test"
	cp "$HOSTS/one.test/www/images/app.aci" "$HOSTS/one.test/www/t/one.test/app-1.0.0-linux-$arch.aci"
	host_page one.test app "$(tag one.test 'https://one.test/t/{name}-{version}-{os}-{arch}.{ext}')"
	g fetch one.test/app:1.0.0
	assert_fetched "$HOSTS/one.test/www/images/app.aci"
	g fetch "one.test/app:1.0.0,os=linux,arch=$arch"
	assert_fetched "$HOSTS/one.test/www/images/app.aci"
	g fetch one.test/app
	assert_refused 254 "https://one.test/t/one.test/app-latest-linux-$arch.aci" 404
	g fetch one.test/app:2.0,arch=armv7l
	assert_refused 254 "https://one.test/t/one.test/app-2.0-linux-armv7l.aci" 404
}

@test "discovery: without a version what is served as latest is taken, whatever version it has" {
	cp "$HOSTS/one.test/www/images/app.aci" "$HOSTS/one.test/www/images/app-latest.aci"
	host_page one.test app "$(tag one.test/app "$IMAGES/app-{version}.{ext}")"
	g fetch one.test/app
	assert_fetched "$HOSTS/one.test/www/images/app.aci"
}

@test "discovery: a template that cannot be filled is skipped" {
	host_page one.test app "$(tag one.test/app "$IMAGES/{channel}/app.{ext}")" "$(tag one.test/app "$IMAGES/{bad")" \
		"$(tag one.test/app ftp://one.test/app.{ext})" "$(tag one.test/app "$IMAGES/app.{ext}")"
	g fetch one.test/app
	assert_fetched "$HOSTS/one.test/www/images/app.aci"
	host_page one.test app "$(tag one.test/app "$IMAGES/{channel}/app.{ext}")"
	g fetch one.test/app
	assert_refused 254 'one.test/app\?ac-discovery=1: no template whose variables all have a value'
	g fetch one.test/app,channel=stable
	assert_refused 254 "$IMAGES/stable/app.aci"
}

@test "discovery: a label cannot say more of the URL than its own place in it" {
	host_page one.test app "$(tag one.test/app "https://one.test/x-{version}.{ext}")"
	g fetch 'one.test/app:/../images/app.aci?'
	assert_refused 254
	host_asked one.test | grep -qxF '/x-%2F..%2Fimages%2Fapp.aci%3F.aci' || fail "$(host_asked one.test)"
}

@test "discovery: all endpoints are tried in turn" {
	host_page one.test app "$(tag one.test/app https://two.test/images/gone.{ext})" \
		"$(tag one.test/app https://nowhere.test/app.{ext})" "$(tag one.test/app "$IMAGES/app.{ext}")"
	g fetch one.test/app
	assert_fetched "$HOSTS/one.test/www/images/app.aci"
	assert_equal "$(host_asked two.test)" /images/gone.aci
}

@test "discovery: when no endpoint works the error tells of each, in one line" {
	host_page one.test app "$(tag one.test/app https://two.test/images/gone.{ext})" \
		"$(tag one.test/app https://nowhere.test/app.{ext})"
	g fetch one.test/app
	assert_refused 254 'https://two.test/images/gone.aci.*404' 'https://nowhere.test/app.aci.*resolve'
	assert_equal "$(grep -c 'gantry: fetch: image "one.test/app": ' "$T/err")" 1
	assert_equal "$(gantry image list --no-legend)" ''
}

@test "discovery: an endpoint with another image is passed over" {
	make_aci "$HOSTS/two.test/www/images/app.aci" two.test/app "$APP"
	host_page one.test app "$(tag one.test/app https://two.test/images/app.{ext})"
	g fetch one.test/app
	assert_refused 254 'two.test/app' 'one.test/app'
	assert_equal "$(gantry image list --no-legend)" ''
	host_page one.test app "$(tag one.test/app https://two.test/images/app.{ext})" "$(tag one.test/app "$IMAGES/app.{ext}")"
	g fetch one.test/app
	assert_fetched "$HOSTS/one.test/www/images/app.aci"
}

@test "discovery: a label that was asked for must be the image's" {
	host_page one.test app "$(tag one.test/app "$IMAGES/app.{ext}")"
	g fetch one.test/app:2.0.0
	assert_refused 254 'requested value for label "version": "2\.0\.0" differs from fetched aci label value: "1\.0\.0"'
	g fetch one.test/app,channel=stable
	assert_refused 254 'requested label "channel" not provided by the image manifest'
	assert_equal "$(gantry image list --no-legend)" ''
	g fetch one.test/app:1.0.0
	assert_fetched "$HOSTS/one.test/www/images/app.aci"
	# what the URL gave before is no excuse
	g fetch one.test/app:2.0.0
	assert_refused 254 'version'
}

@test "discovery: another machine's image is taken by who asks for it only" {
	make_aci "$HOSTS/one.test/www/images/foreign.aci" one.test/app "$APP" '' '[{"name":"os","value":"linux"},{"name":"arch","value":"ppc64"}]'
	host_page one.test app "$(tag one.test/app "$IMAGES/foreign.{ext}")"
	g fetch one.test/app
	assert_refused 254 'the image is for "linux" "ppc64"'
	g fetch one.test/app,arch=ppc64
	assert_fetched "$HOSTS/one.test/www/images/foreign.aci"
	make_aci "$HOSTS/one.test/www/images/any.aci" one.test/app "$APP" '' '[{"name":"version","value":"1"}]'
	host_page one.test app "$(tag one.test/app "$IMAGES/any.{ext}")"
	g fetch one.test/app:1
	assert_fetched "$HOSTS/one.test/www/images/any.aci"
}

# --- http

@test "discovery: plain http is not even asked without --insecure-options=http" {
	host_page plain.test app "$(tag plain.test http://plain.test/app.{ext})"
	g fetch plain.test/app
	assert_refused 254 'discovery failed for "plain.test/app"' 'https://plain.test/app\?ac-discovery=1'
	refute_match 'http://plain.test'
	assert_equal "$(host_asked plain.test)" ''
	INSECURE=image,tls
	g fetch plain.test/app
	assert_refused 254 'discovery failed'
	assert_equal "$(host_asked plain.test)" ''
}

@test "discovery: with it http comes after https" {
	INSECURE=image,http
	host_page plain.test app "$(tag plain.test http://plain.test/app.{ext})"
	g fetch plain.test/app
	assert_fetched "$HOSTS/plain.test/www/app.aci"
	host_page one.test app "$(tag one.test/app "$IMAGES/app.{ext}")"
	g fetch one.test/app
	assert_fetched "$HOSTS/one.test/www/images/app.aci"
	assert_equal "$(host_asked one.test)" $'/app?ac-discovery=1\n/images/app.aci'
}

@test "discovery: an endpoint over http is refused like any URL" {
	host_page one.test app "$(tag one.test/app http://one.test/images/app.{ext})"
	g fetch one.test/app
	assert_refused 254 'http://one.test/images/app.aci' 'http is not allowed'
	INSECURE=image,http
	g fetch one.test/app
	assert_fetched "$HOSTS/one.test/www/images/app.aci"
}

@test "discovery: a page that redirects to http is refused" {
	host_page plain.test app "$(tag redirect.test http://plain.test/app.{ext})"
	g fetch redirect.test/app
	assert_refused 254 'discovery failed' 'redirect.test/app\?ac-discovery=1'
	assert_equal "$(host_asked plain.test)" ''
}

@test "discovery: a page that redirects is followed" {
	host_page one.test app "$(tag one.test/redirect "$IMAGES/app.{ext}")"
	mkdir -p "$HOSTS/one.test/www/2"
	host_page one.test redirect/2/app "$(tag one.test/redirect "$IMAGES/app.{ext}")"
	make_aci "$HOSTS/one.test/www/images/app2.aci" one.test/redirect/2/app "$APP"
	host_page one.test app "$(tag one.test/redirect "$IMAGES/app2.{ext}")"
	g fetch one.test/redirect/2/app
	assert_fetched "$HOSTS/one.test/www/images/app2.aci"
}

@test "discovery: a host that cannot prove its name is refused" {
	host_page one.test app "$(tag untrusted.test "$IMAGES/app.{ext}")"
	g fetch untrusted.test/app
	assert_refused 254 'discovery failed' '[Cc]ertificate'
	make_aci "$HOSTS/one.test/www/images/app3.aci" untrusted.test/app "$APP"
	host_page one.test app "$(tag untrusted.test "$IMAGES/app3.{ext}")"
	INSECURE=image,tls
	g fetch untrusted.test/app
	assert_fetched "$HOSTS/one.test/www/images/app3.aci"
}

# --- pages of strangers

@test "discovery: a page without end" {
	g fetch strange.test/endless/app
	assert_refused 254 'strange.test/endless/app\?ac-discovery=1: .*(large|limit)'
}

@test "discovery: headers without end, half a page, nothing, no HTTP" {
	printf 'x%.0s' {1..1000} >"$HOSTS/strange.test/www/page?ac-discovery=1"
	g fetch strange.test/headers/app
	assert_refused 254 'strange.test/headers/app\?ac-discovery=1: '
	g fetch strange.test/cut/page
	assert_refused 254 'strange.test/cut/page\?ac-discovery=1: '
	g fetch strange.test/garbage/app
	assert_refused 254 'strange.test/garbage/app\?ac-discovery=1: '
	: >"$HOSTS/strange.test/www/empty?ac-discovery=1"
	g fetch strange.test/empty
	assert_refused 254 'strange.test/empty\?ac-discovery=1: no such tag'
	g fetch strange.test/loop/app
	assert_refused 254 'strange.test/loop/app\?ac-discovery=1: .*redirect'
	g fetch strange.test/status/500/app
	assert_refused 254 'strange.test/status/500/app\?ac-discovery=1: .*500'
}

@test "discovery: ten thousand tags" {
	local line
	line=$(tag strange.test/many https://strange.test/none.{ext})
	{ for _ in {1..10000}; do echo "$line"; done; } >"$HOSTS/strange.test/www/many?ac-discovery=1"
	g fetch strange.test/many
	assert_refused 254 'strange.test/many\?ac-discovery=1: the page has too many discovery tags'
	assert_equal "$(host_asked strange.test | grep -c none.aci)" 0
}

@test "discovery: a page that is no UTF-8, deep, or in pieces" {
	cp "$HOSTS/one.test/www/images/app.aci" "$HOSTS/strange.test/www/app.aci"
	make_aci "$HOSTS/strange.test/www/app.aci" strange.test/odd "$APP"
	{
		printf '\xff\xfe\xc3(\x80<html \xe2\x82><head><meta charset="utf-16"><b><i'
		printf ' x=">\n%s\n' "$(tag strange.test/odd https://strange.test/wrong.{ext})"
		printf '"><meta name="ac-discovery" content="strange.test/odd https://strange.test/\xc3\xa4.{ext}">'
		printf '<META\nNAME=ac-discovery\nCONTENT="strange.test/odd\n\thttps://strange.test/app.{ext}"'
	} >"$HOSTS/strange.test/www/odd?ac-discovery=1"
	printf '>\n' >>"$HOSTS/strange.test/www/odd?ac-discovery=1"
	g fetch strange.test/odd
	assert_fetched "$HOSTS/strange.test/www/app.aci"
	{ for _ in {1..2000}; do printf '<div>'; done; tag strange.test/odd https://strange.test/app.{ext}; } \
		>"$HOSTS/strange.test/www/odd?ac-discovery=1"
	g fetch strange.test/odd
	assert_refused 254 'nested too deeply'
}

@test "discovery: what a page says cannot steer the terminal" {
	printf '<meta name="ac-discovery" content="strange.test https://strange.test/\x1b[31m.{ext}">' \
		>"$HOSTS/strange.test/www/app?ac-discovery=1"
	g fetch strange.test/app
	assert_refused 254 'no such tag'
	! grep -q $'\x1b' "$T/err" || fail "control characters"
}

@test "discovery: a name of very many components is a bounded number of questions" {
	local name
	name=one.test$(printf '/x%.0s' {1..100})
	g fetch "$name"
	assert_refused 254 'discovery failed'
	[ "$(host_asked one.test | wc -l)" -le 32 ] || fail "$(host_asked one.test | wc -l) questions"
}
