# Keys by discovery: the trust command, its question, and --trust-keys-from-https while fetching.

load ../lib/gantry
load ../lib/hosts

APP='{"exec":["/probe"],"user":"0","group":"0"}'

setup_file() {
	need root openssl gpg
	world_up
	fixtures_up
	keys_up
	hosts_up keys.test plain.test redirect.test untrusted.test
	host_up keys.test both
	host_up plain.test plain
	host_redirects redirect.test http://plain.test
	openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=untrusted.test -addext subjectAltName=DNS:untrusted.test \
		-keyout "$HOSTS/other-key.pem" -out "$HOSTS/other.pem" 2>/dev/null
	host_front untrusted.test 443 "$HOSTS/other.pem" "$HOSTS/other-key.pem" "$(cat "$HOSTS/keys.test/port")"
	W=$HOSTS/keys.test/www
	cp "$KEYS/good.asc" "$KEYS/other.asc" "$W"
	cp "$KEYS/good.asc" "$HOSTS/plain.test/www"
	make_aci "$W/app.aci" keys.test/app "$APP"
	sign "$W/app.aci" good
}
teardown_file() {
	keys_down
	hosts_down
	world_down
}
setup() {
	sandbox_up "$BATS_TEST_TMPDIR"
	INSECURE=
	W=$HOSTS/keys.test/www
	find "$HOSTS" -name '*ac-discovery=1' -delete
	host_forget keys.test plain.test
	host_page keys.test '' "$(keys_tag keys.test https://keys.test/good.asc)" "$(tag keys.test/app 'https://keys.test/app.{ext}')"
}
teardown() { test_down; }

fpr() { cat "$KEYS/$1.fpr"; }
place() { echo "$LOCAL/trustedkeys/prefix.d/$1"; }
trusted() { find "$LOCAL/trustedkeys" -type f 2>/dev/null | wc -l; }

assert_nothing_trusted() {
	assert_equal "$(trusted)" 0
}

# answer LINES WORD...: gantry on a terminal, where somebody types.  What is shown is in $T/out.
answer() {
	local lines=$1 flags
	shift
	global_flags
	status=0
	printf "$lines" | in_world timeout -k 5 "$GANTRY_TEST_TIMEOUT" script -qec \
		"$(printf '%q ' "$GANTRY" "${flags[@]}" "$@")" /dev/null >"$T/out" 2>"$T/err" 3>&- 4>&- || status=$?
	tr -d '\r' <"$T/out" >"$T/out.plain"
	mv "$T/out.plain" "$T/out"
	collect
}

SKIP=--skip-fingerprint-review

@test "trust-discovery: the keys of a prefix are found at its host" {
	g trust --prefix=keys.test/app $SKIP
	assert_ok
	[ -s "$(place keys.test/app)/$(fpr good)" ] || fail "not there"
	assert_equal "$(trusted)" 1
	assert_err 'prefix: "keys.test/app"'
	assert_err 'key: "https://keys.test/good.asc"'
	assert_err 'gpg key fingerprint is: '
	assert_err 'good@example.com'
	assert_err 'without fingerprint review'
	assert_err 'Added key for prefix "keys.test/app" at '
	g fetch keys.test/app
	assert_ok
}

@test "trust-discovery: of several tags those for the prefix count, by whole components" {
	host_page keys.test app "$(keys_tag keys.test/ap https://keys.test/other.asc)" \
		"$(keys_tag keys.test/apps https://keys.test/other.asc)" "$(keys_tag keys.test/app https://keys.test/good.asc)"
	g trust --prefix=keys.test/app $SKIP
	assert_ok
	assert_equal "$(ls "$(place keys.test/app)")" "$(fpr good)"
	host_page keys.test two "$(keys_tag keys.test https://keys.test/good.asc)" "$(keys_tag keys.test/two https://keys.test/other.asc)"
	g trust --prefix=keys.test/two $SKIP
	assert_ok
	assert_equal "$(ls "$(place keys.test/two)" | wc -l)" 2
}

@test "trust-discovery: no page, no tag, no key" {
	rm "$W/?ac-discovery=1"
	g trust --prefix=keys.test/app $SKIP
	assert_refused 254 'discovery failed for "keys.test/app"' 'https://keys.test/app\?ac-discovery=1: .*404'
	host_page keys.test app "$(keys_tag keys.test https://keys.test/gone.asc)"
	g trust --prefix=keys.test/app $SKIP
	assert_refused 254 'key "https://keys.test/gone.asc"' 404
	host_page keys.test app "$(keys_tag keys.test https://keys.test/app.aci)"
	g trust --prefix=keys.test/app $SKIP
	assert_refused 254 'key "https://keys.test/app.aci"'
	host_page keys.test app "$(keys_tag keys.test https://keys.test/endless/x)"
	g trust --prefix=keys.test/app $SKIP
	assert_refused 254 'key "https://keys.test/endless/x"' 'large|limit'
	host_page keys.test app "$(keys_tag keys.test file:///etc/passwd)" "$(keys_tag keys.test /good.asc)"
	g trust --prefix=keys.test/app $SKIP
	assert_refused 254 'discovery failed'
	assert_nothing_trusted
}

@test "trust-discovery: words that go together" {
	g trust
	assert_refused 254 'prefix|root'
	g trust --root $SKIP
	assert_refused 254 'root'
	g trust --root --prefix=keys.test $SKIP
	assert_refused 254 'exclude'
	g trust $SKIP "$KEYS/good.asc"
	assert_refused 254 'root' 'implicit unbounded trust'
	g trust --prefix=https://keys.test/app $SKIP
	assert_refused 254 'must not contain a URL scheme, omit https://'
	assert_nothing_trusted
	assert_equal "$(host_asked keys.test)" ''
}

# --- the question

@test "trust-discovery: without a terminal nobody is asked and nothing is trusted" {
	g trust --prefix=keys.test/app
	assert_refused 254 'terminal' 'skip-fingerprint-review' 'trust-keys-from-https'
	# the fingerprint is shown all the same
	tr -d ' ' <"$T/err" | grep -qi "$(fpr good)" || fail "no fingerprint"
	assert_nothing_trusted
}

@test "trust-discovery: yes" {
	answer 'yes\n' trust --prefix=keys.test/app
	assert_ok
	assert_match 'Are you sure you want to trust this key \(yes/no\)\?' 'after fingerprint review'
	[ -s "$(place keys.test/app)/$(fpr good)" ] || fail "not there"
}

@test "trust-discovery: no" {
	answer 'no\n' trust --prefix=keys.test/app
	assert_ok
	assert_match 'not trusting "https://keys.test/good.asc"'
	assert_nothing_trusted
}

@test "trust-discovery: anything else is asked again" {
	answer 'y\nYES\n\nyes\n' trust --prefix=keys.test/app
	assert_ok
	assert_equal "$(grep -c "Please enter 'yes' or 'no'" "$T/out")" 3
	assert_equal "$(trusted)" 1
}

@test "trust-discovery: each of several keys has a question of its own" {
	host_page keys.test app "$(keys_tag keys.test https://keys.test/good.asc)" "$(keys_tag keys.test https://keys.test/other.asc)"
	answer 'no\nyes\n' trust --prefix=keys.test/app
	assert_ok
	assert_equal "$(ls "$(place keys.test/app)")" "$(fpr other)"
}

@test "trust-discovery: a very long line is no answer" {
	answer "$(printf 'x%.0s' {1..45})yes\nxxxxxxxxxxxxxxxyes\nno\n" trust --prefix=keys.test/app
	assert_ok
	assert_nothing_trusted
}

@test "trust-discovery: --trust-keys-from-https asks nobody" {
	g trust --trust-keys-from-https --prefix=keys.test/app
	assert_ok
	assert_equal "$(trusted)" 1
	assert_err 'without fingerprint review'
}

@test "trust-discovery: --trust-keys-from-https is for https" {
	host_page keys.test app "$(keys_tag keys.test http://keys.test/good.asc)"
	g trust --trust-keys-from-https --insecure-allow-http --prefix=keys.test/app
	assert_refused 254 'terminal'
	host_page plain.test app "$(keys_tag plain.test https://keys.test/good.asc)"
	g trust --trust-keys-from-https --insecure-allow-http --prefix=plain.test/app
	assert_refused 254 'terminal'
	# https in its name, and http on the way
	host_page keys.test app "$(keys_tag keys.test https://redirect.test/good.asc)"
	g trust --trust-keys-from-https --insecure-allow-http --prefix=keys.test/app
	assert_refused 254 'terminal'
	INSECURE=tls,pubkey
	g trust --trust-keys-from-https --prefix=keys.test/app
	assert_refused 254 'terminal'
	g trust --trust-keys-from-https --prefix=keys.test/app "$KEYS/good.asc"
	assert_refused 254 'terminal'
	assert_nothing_trusted
}

# --- transports

@test "trust-discovery: pages and keys over http need permission for keys" {
	host_page plain.test app "$(keys_tag plain.test http://plain.test/good.asc)"
	g trust --prefix=plain.test/app $SKIP
	assert_refused 254 'discovery failed'
	g trust --prefix=plain.test/app $SKIP http://plain.test/good.asc
	assert_refused 254 'insecure-allow-http required for http URLs'
	INSECURE=http
	g trust --prefix=plain.test/app $SKIP
	assert_refused 254 'discovery failed'
	assert_equal "$(host_asked plain.test)" ''
	assert_nothing_trusted
	INSECURE=
	g trust --insecure-allow-http --prefix=plain.test/app $SKIP
	assert_ok
	assert_equal "$(trusted)" 1
	INSECURE=pubkey
	g trust --prefix=plain.test/other $SKIP
	assert_refused 254 'discovery failed' 'http://plain.test/other'
	g trust --prefix=plain.test/other $SKIP http://plain.test/good.asc
	assert_ok
	assert_equal "$(trusted)" 2
}

@test "trust-discovery: an http key of an https page" {
	host_page keys.test app "$(keys_tag keys.test http://keys.test/good.asc)"
	g trust --prefix=keys.test/app $SKIP
	assert_refused 254 'key "http://keys.test/good.asc"' 'insecure-allow-http required'
	host_page keys.test app "$(keys_tag keys.test https://redirect.test/good.asc)"
	g trust --prefix=keys.test/app $SKIP
	assert_refused 254 'key "https://redirect.test/good.asc"'
	assert_nothing_trusted
}

@test "trust-discovery: a waiver for images' TLS is none for keys" {
	host_page keys.test app "$(keys_tag untrusted.test https://untrusted.test/good.asc)"
	INSECURE=tls
	g trust --prefix=untrusted.test/app $SKIP
	assert_refused 254 '[Cc]ertificate'
	g trust --prefix=untrusted.test/app $SKIP https://untrusted.test/good.asc
	assert_refused 254 '[Cc]ertificate'
	assert_nothing_trusted
	INSECURE=tls,pubkey
	g trust --prefix=untrusted.test/app $SKIP
	assert_ok
}

# --- while fetching

@test "trust-discovery: a name without a key is looked after when the operator says so" {
	g fetch keys.test/app
	assert_refused 254 'openpgp: signature made by unknown entity' 'gantry trust'
	assert_nothing_trusted
	g --trust-keys-from-https fetch keys.test/app
	assert_ok
	assert_equal "$output" "sha512-$(image_key "$W/app.aci" | cut -c1-32)"
	assert_equal "$(ls "$(place keys.test/app)")" "$(fpr good)"
	assert_err 'without fingerprint review'
}

@test "trust-discovery: a name that has a key gets no second one" {
	install_key other keys.test
	g --trust-keys-from-https fetch keys.test/app
	assert_refused 254 'openpgp: signature made by unknown entity'
	assert_equal "$(trusted)" 1
}

@test "trust-discovery: a mask stays" {
	mkdir -p "$(place keys.test/app)"
	: >"$(place keys.test/app)/$(fpr good)"
	g --trust-keys-from-https fetch keys.test/app
	assert_refused 254 'masked' 'unknown entity'
	[ ! -s "$(place keys.test/app)/$(fpr good)" ] || fail "the mask is gone"
}

@test "trust-discovery: keys that cannot be had are told of, and the signature decides" {
	host_page keys.test '' "$(tag keys.test/app 'https://keys.test/app.{ext}')"
	g --trust-keys-from-https fetch keys.test/app
	assert_refused 254 'no keys found for "keys.test/app"' 'unknown entity'
	host_page keys.test '' "$(tag keys.test/app 'https://keys.test/app.{ext}')" "$(keys_tag keys.test http://keys.test/good.asc)"
	INSECURE=http,pubkey
	g --trust-keys-from-https fetch keys.test/app
	assert_refused 254 'keys.test/good.asc' 'unknown entity'
	assert_nothing_trusted
	host_page keys.test '' "$(tag keys.test/app 'https://keys.test/app.{ext}')" "$(keys_tag keys.test https://keys.test/other.asc)"
	INSECURE=
	g --trust-keys-from-https fetch keys.test/app
	assert_refused 254 'unknown entity'
	assert_equal "$(ls "$(place keys.test/app)")" "$(fpr other)"
}

@test "trust-discovery: run fetches with it as well" {
	g --trust-keys-from-https run --net=none keys.test/app -- out ran
	assert_ok
	assert_out ran
}

# --- what is trusted, and what no more

@test "trust-discovery: --list" {
	g trust --list
	assert_ok
	assert_equal "$output" ''
	install_key good keys.test/app
	install_key other root
	install_key rsa keys.test "$SYSTEM"
	install_key good keys.test "$SYSTEM"
	mkdir -p "$(place keys.test)"
	: >"$(place keys.test)/$(fpr good)"
	g trust --list
	assert_ok
	assert_equal "$(tr -s '\t' ' ' <"$T/out")" "$(
		{
			echo "(all-images) $(fpr other) local"
			echo "keys.test $(fpr good) masked"
			echo "keys.test $(fpr rsa) system"
		} | sort
		echo "keys.test/app $(fpr good) local"
	)"
	g trust --list --prefix=keys.test/app
	assert_ok
	assert_equal "$(tr -s '\t' ' ' <"$T/out")" "keys.test/app $(fpr good) local"
	g trust --list "$KEYS/good.asc"
	assert_refused 254 'list'
}

@test "trust-discovery: --remove" {
	install_key good keys.test/app
	install_key good keys.test
	g trust --remove --prefix=keys.test/app "$(fpr good)"
	assert_ok
	g fetch keys.test/app
	assert_ok
	g trust --remove --prefix=keys.test "$(fpr good | tr a-f A-F)"
	assert_ok
	assert_nothing_trusted
	# what is in the store stays there
	g image rm keys.test/app
	g fetch keys.test/app
	assert_refused 254 'unknown entity'
	g trust --remove --prefix=keys.test "$(fpr good)"
	assert_refused 254 "$(fpr good)" 'keys.test'
	g trust --remove --prefix=keys.test ../../../etc/passwd
	assert_refused 254 'fingerprint'
	g trust --remove --prefix=keys.test
	assert_refused 254 'fingerprint'
	g trust --remove "$(fpr good)"
	assert_refused 254 'prefix'
}

@test "trust-discovery: --remove of a key of the system's masks it" {
	install_key good keys.test "$SYSTEM"
	g trust --remove --prefix=keys.test "$(fpr good)"
	assert_ok
	[ -e "$SYSTEM/trustedkeys/prefix.d/keys.test/$(fpr good)" ] || fail "the vendor's file is gone"
	[ -f "$(place keys.test)/$(fpr good)" ] && [ ! -s "$(place keys.test)/$(fpr good)" ] || fail "no mask"
	g fetch keys.test/app
	assert_refused 254 'unknown entity'
	g trust --root $SKIP "$KEYS/good.asc"
	assert_ok
	g trust --remove --root "$(fpr good)"
	assert_ok
	[ ! -e "$LOCAL/trustedkeys/root.d/$(fpr good)" ] || fail "still there"
}
