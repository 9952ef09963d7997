# gantry sign: signatures by the operator's own key, and an image that was built, signed, fetched and run.

load ../lib/gantry

setup_file() {
	suite_up
	keys_up
}
teardown_file() {
	keys_down
	suite_down
}
setup() {
	test_up
	INSECURE=
	export GNUPGHOME=$KEYS/home
	cp "$FIX/probe.aci" "$T/a.aci"
	FPR=$(cat "$KEYS/good.fpr")
}
teardown() { test_down; }

@test "sign: a built and signed image is fetched by its trusted key, and runs" {
	mkdir "$T/l"
	cp -a "$FIX/root" "$T/l/rootfs"
	image_manifest example.com/signed '{"exec":["/probe"],"user":"0","group":"0"}' >"$T/l/manifest"
	g build "$T/l" "$T/s.aci"
	assert_ok
	g sign --key="$FPR" "$T/s.aci"
	assert_ok
	assert_out "$FPR"
	assert_equal "$(head -n 1 "$T/s.aci.asc")" '-----BEGIN PGP SIGNATURE-----'
	assert_equal "$(stat -c %a "$T/s.aci.asc")" 644
	signer --verify "$T/s.aci.asc" "$T/s.aci"
	g fetch --full "$T/s.aci"
	assert_refused 254 'unknown entity'
	install_key good example.com
	g fetch --full "$T/s.aci"
	assert_ok
	g run --net=none "${lines[-1]}" -- id
	assert_ok
	assert_match 'uid=0'
}

@test "sign: the key by words, the keyring by an option, the default key" {
	g sign --key=other@example.com "$T/a.aci"
	assert_ok
	assert_out "$(cat "$KEYS/other.fpr")"
	GNUPGHOME=/nowhere g sign --overwrite --homedir="$KEYS/home" --key="$FPR" "$T/a.aci"
	assert_ok
	assert_out "$FPR"
	g sign --overwrite --output="$T/elsewhere.asc" "$T/a.aci"
	assert_ok
	[[ $output =~ ^[0-9a-f]{40}$ ]] || fail "no fingerprint"
	signer --verify "$T/elsewhere.asc" "$T/a.aci"
	cp "$T/a.aci" "$T/b.aci"
	g sign --overwrite --key="$FPR" "$T/a.aci" "$T/b.aci"
	assert_ok
	assert_equal "$output" "$FPR"$'\n'"$FPR"
}

@test "sign: what is refused leaves nothing behind" {
	g sign --key=nobody@example.com "$T/a.aci"
	assert_refused 254 'there is no secret key "nobody@example.com"'
	g sign --key=example.com "$T/a.aci"
	assert_refused 254 'more than one secret key is "example.com"'
	g sign --key=expired@example.com "$T/a.aci"
	assert_refused 254 ''
	mkdir -m 700 "$T/empty"
	g sign --homedir="$T/empty" "$T/a.aci"
	assert_refused 254 ''
	[ ! -e "$T/a.aci.asc" ] || fail "a signature"
	assert_equal "$(ls "$T" | grep -c tmp$)" 1
	g sign --key="$FPR" "$T/gone.aci"
	assert_refused 254 'open ".*gone.aci": No such file'
	g sign --key="$FPR" "$T/tmp"
	assert_refused 254 'is no regular file'
	g sign
	assert_refused 254 'must provide a file'
	g sign --output=x "$T/a.aci" "$T/a.aci"
	assert_refused 254 '--output is for one file'
	g sign --key="$FPR" "$T/a.aci"
	assert_ok
	before=$(sha256sum <"$T/a.aci.asc")
	g sign --key="$FPR" "$T/a.aci"
	assert_refused 254 'a.aci.asc" is there already \(see --overwrite\)'
	assert_equal "$(sha256sum <"$T/a.aci.asc")" "$before"
	gpgconf --homedir "$T/empty" --kill all 2>/dev/null || :
}

@test "sign: a hash that nobody accepts is not used" {
	mkdir -m 700 "$T/home"
	cp -a "$KEYS/home/." "$T/home"
	rm -f "$T/home"/S.*
	printf 'digest-algo SHA1\nallow-weak-digest-algos\n' >"$T/home/gpg.conf"
	g sign --homedir="$T/home" --key=rsa@example.com "$T/a.aci"
	gpgconf --homedir "$T/home" --kill all 2>/dev/null || :
	assert_refused 254 'gpg signs with SHA1, which is not accepted'
	[ ! -e "$T/a.aci.asc" ] || fail "a signature"
}
