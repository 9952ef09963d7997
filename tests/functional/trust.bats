# Signatures and trust: which image gets in, and which key counts for which name.

load ../lib/gantry

setup_file() {
	need root gpg
	world_up
	fixtures_up
	keys_up
	T=$BATS_FILE_TMPDIR
	make_aci "$T/app.aci" example.com/app '{"exec":["/probe"],"user":"0","group":"0"}'
}
teardown_file() {
	keys_down
	world_down
}
setup() {
	sandbox_up "$BATS_TEST_TMPDIR"
	INSECURE=
	cp "$BATS_FILE_TMPDIR/app.aci" "$T/app.aci"
	ACI=$T/app.aci
	# whatever gpg the caller has must be of no importance
	export HOME=$T/home GNUPGHOME=
	mkdir -p "$HOME"
}
teardown() { test_down; }

fetch() { g fetch "$ACI"; }

in_store() { gantry image list --no-legend --fields=name | grep -q '^example.com/app'; }

assert_accepted() {
	assert_ok
	assert_match '^sha512-[0-9a-f]{32}$'
	in_store || fail "not in the store"
}

# Refused, for this reason, and nothing of it is in the store.
assert_rejected() {
	assert_refused 254 "$@"
	! in_store || fail "is in the store nevertheless"
	assert_equal "$(ls "$DATA/cas/tmp" 2>/dev/null)" ''
}

@test "trust: a good signature by a trusted key" {
	install_key good example.com/app
	sign "$ACI" good
	fetch
	assert_accepted
}

@test "trust: no signature" {
	install_key good example.com/app
	fetch
	assert_rejected 'error opening signature file' 'app.aci.asc'
}

@test "trust: no signature is fine when nobody asked for one" {
	INSECURE=image
	fetch
	assert_ok
}

@test "trust: an unknown key" {
	sign "$ACI" good
	fetch
	assert_rejected 'openpgp: signature made by unknown entity'
	install_key other example.com/app
	fetch
	assert_rejected 'openpgp: signature made by unknown entity'
}

@test "trust: a signature of something else" {
	install_key good example.com/app
	cp "$FIX/probe.aci" "$T/else.aci"
	sign "$T/else.aci" good
	cp "$T/else.aci.asc" "$ACI.asc"
	fetch
	assert_rejected 'signature'
	refute_match 'unknown entity'
}

@test "trust: one changed byte of the image" {
	install_key good example.com/app
	sign "$ACI" good
	# in the content of the last file, where the archive stays well-formed
	printf X | dd of="$ACI" bs=1 seek=$(($(stat -c %s "$ACI") / 2)) conv=notrunc status=none
	fetch
	assert_rejected 'signature'
}

@test "trust: an expired key" {
	install_key expired example.com/app
	sign "$ACI" expired --faked-system-time 20200110T000000
	fetch
	assert_rejected 'expired'
}

@test "trust: an expired signature of a good key" {
	install_key good example.com/app
	local created
	created=$(date -u -d '-1 second' +%Y%m%dT%H%M%S)
	sign "$ACI" good --faked-system-time "$created" --default-sig-expire seconds=1
	sleep 2
	fetch
	assert_rejected 'expired'
}

@test "trust: a revoked key" {
	sign "$ACI" revoked
	cp "$KEYS/revoked-before.asc" "$T/before.asc"
	# before the revocation was known the same signature is good
	mkdir -p "$LOCAL/trustedkeys/prefix.d/example.com/app"
	cp "$T/before.asc" "$LOCAL/trustedkeys/prefix.d/example.com/app/$(cat "$KEYS/revoked.fpr")"
	fetch
	assert_accepted
	g image rm example.com/app
	assert_ok
	revoke_key revoked
	install_key revoked example.com/app
	fetch
	assert_rejected 'revoked'
}

@test "trust: SHA-1 is no digest any more" {
	install_key rsa example.com/app
	sign "$ACI" rsa
	fetch
	assert_accepted
	g image rm example.com/app
	sign "$ACI" rsa --digest-algo SHA1 --allow-weak-digest-algos
	fetch
	assert_rejected 'digest|SHA-?1|weak'
}

@test "trust: two signatures, both good" {
	install_key good example.com/app
	install_key rsa example.com/app
	signer --local-user =good@example.com --local-user =rsa@example.com --armor --output "$ACI.asc" --detach-sign "$ACI"
	fetch
	assert_accepted
}

@test "trust: two signatures, one by an unknown key, in either order" {
	install_key good example.com/app
	signer --local-user =good@example.com --local-user =other@example.com --output "$ACI.asc" --detach-sign "$ACI"
	fetch
	assert_rejected 'unknown entity|signature'
	rm "$ACI.asc"
	signer --local-user =other@example.com --local-user =good@example.com --output "$ACI.asc" --detach-sign "$ACI"
	fetch
	assert_rejected 'unknown entity|signature'
}

@test "trust: a good signature beside one of something else" {
	install_key good example.com/app
	cp "$FIX/probe.aci" "$T/else"
	signer --local-user =good@example.com --output "$T/one.sig" --detach-sign "$ACI"
	signer --local-user =good@example.com --output "$T/two.sig" --detach-sign "$T/else"
	cat "$T/one.sig" "$T/two.sig" >"$ACI.asc"
	fetch
	assert_rejected 'signature'
	cat "$T/two.sig" "$T/one.sig" >"$ACI.asc"
	fetch
	assert_rejected 'signature'
}

@test "trust: a signed message of its own is no signature of the image" {
	install_key good example.com/app
	echo harmless >"$T/text"
	signer --local-user =good@example.com --armor --output "$ACI.asc" --sign "$T/text"
	fetch
	assert_rejected 'signature'
	rm "$ACI.asc"
	signer --local-user =good@example.com --armor --output "$ACI.asc" --clear-sign "$T/text"
	fetch
	assert_rejected 'signature'
	rm "$ACI.asc"
	signer --local-user =good@example.com --output "$ACI.asc" --sign "$ACI"
	fetch
	assert_rejected 'signature'
}

@test "trust: truncated, empty, garbage and oversized signatures" {
	install_key good example.com/app
	sign "$ACI" good
	cp "$ACI.asc" "$T/whole"
	head -c 120 "$T/whole" >"$ACI.asc"
	fetch
	assert_rejected 'signature'
	: >"$ACI.asc"
	fetch
	assert_rejected 'signature'
	head -c 300 /dev/urandom >"$ACI.asc"
	fetch
	assert_rejected 'signature'
	{ cat "$T/whole"; head -c 200000 /dev/zero | tr '\0' '\n'; } >"$ACI.asc"
	fetch
	assert_rejected 'signature'
	rm "$ACI.asc"
	mkdir "$ACI.asc"
	fetch
	assert_rejected 'signature'
}

@test "trust: a binary signature is as good as an armored one" {
	install_key good example.com/app
	signer --local-user =good@example.com --output "$ACI.asc" --detach-sign "$ACI"
	fetch
	assert_accepted
}

@test "trust: --signature names the file" {
	install_key good example.com/app
	sign "$ACI" good
	mv "$ACI.asc" "$T/elsewhere.sig"
	g fetch "$ACI" --signature="$T/elsewhere.sig"
	assert_accepted
	g run --net=none --signature="$T/elsewhere.sig" "$ACI" -- id
	assert_refused 254 'signature must follow an image'
}

@test "trust: a subkey that signs counts as its primary key" {
	signer --quick-generate-key sub@example.com ed25519 cert never 2>/dev/null
	local fpr
	fpr=$(key_fpr sub@example.com)
	signer --quick-add-key "$fpr" ed25519 sign never 2>/dev/null
	signer --armor --export =sub@example.com >"$KEYS/sub.asc"
	echo "$fpr" >"$KEYS/sub.fpr"
	install_key sub example.com/app
	sign "$ACI" sub
	fetch
	assert_accepted
}

# --- which key counts for which name

@test "trust: a key of a parent prefix and of the root count" {
	sign "$ACI" good
	install_key good example.com
	fetch
	assert_accepted
	g image rm example.com/app
	rm -r "$LOCAL/trustedkeys"
	install_key good root
	fetch
	assert_accepted
}

@test "trust: prefixes match by whole components" {
	sign "$ACI" good
	local p
	for p in example.com/ap example.com/apps example.co example.com/app/sub example org/example.com/app; do
		rm -rf "$LOCAL/trustedkeys"
		install_key good "$p"
		fetch
		assert_rejected 'openpgp: signature made by unknown entity'
	done
}

@test "trust: a key file that holds two keys vouches for neither" {
	sign "$ACI" other
	install_key good example.com/app
	cat "$KEYS/good.asc" "$KEYS/other.asc" >"$LOCAL/trustedkeys/prefix.d/example.com/app/$(cat "$KEYS/good.fpr")"
	fetch
	assert_rejected "$(cat "$KEYS/good.fpr")|unknown entity"
	# both in one armor, as gpg --export writes them
	signer --armor --export =good@example.com =other@example.com \
		>"$LOCAL/trustedkeys/prefix.d/example.com/app/$(cat "$KEYS/good.fpr")"
	fetch
	assert_rejected "$(cat "$KEYS/good.fpr")|unknown entity"
}

@test "trust: a key file whose name is not its fingerprint is an error" {
	sign "$ACI" good
	install_key good example.com/app
	mv "$LOCAL/trustedkeys/prefix.d/example.com/app/$(cat "$KEYS/good.fpr")" \
		"$LOCAL/trustedkeys/prefix.d/example.com/app/$(cat "$KEYS/other.fpr")"
	fetch
	assert_rejected "$(cat "$KEYS/other.fpr")"
}

@test "trust: system keys count, and an empty local file masks one" {
	sign "$ACI" good
	install_key good example.com/app "$SYSTEM"
	fetch
	assert_accepted
	g image rm example.com/app
	mkdir -p "$LOCAL/trustedkeys/prefix.d/example.com/app"
	: >"$LOCAL/trustedkeys/prefix.d/example.com/app/$(cat "$KEYS/good.fpr")"
	fetch
	assert_rejected 'openpgp: signature made by unknown entity'
}

@test "trust: a mask in another prefix masks nothing" {
	sign "$ACI" good
	install_key good example.com/app "$SYSTEM"
	mkdir -p "$LOCAL/trustedkeys/prefix.d/example.com"
	: >"$LOCAL/trustedkeys/prefix.d/example.com/$(cat "$KEYS/good.fpr")"
	fetch
	assert_accepted
}

@test "trust: the caller's own keyring and gpg.conf are of no importance" {
	export GNUPGHOME=$T/evil
	mkdir -m 700 "$GNUPGHOME"
	gpg --batch --quiet --import "$KEYS/good.asc" 2>/dev/null 3>&- 4>&-
	echo "keyring $KEYS/home/pubring.kbx" >"$GNUPGHOME/gpg.conf"
	sign "$ACI" good
	fetch
	assert_rejected 'openpgp: signature made by unknown entity'
	gpgconf --homedir "$GNUPGHOME" --kill all || :
}

@test "trust: verifying leaves no agent, no home and no file behind" {
	install_key good example.com/app
	sign "$ACI" good
	leak_snapshot
	fetch
	assert_accepted
	assert_no_leaks
	assert_equal "$(find "$HOME" -mindepth 1)" ''
	# what others are about there goes again
	wait_for 60 nothing_in_tmp || fail "left: $(in_tmp)"
}
in_tmp() { find /tmp -maxdepth 1 -newer "$ACI.asc" \( -name '*gpg*' -o -name 'gantry-verify-*' \); }
nothing_in_tmp() { [ -z "$(in_tmp)" ]; }

@test "trust: the image is the bytes that were verified, not what lies there later" {
	install_key good example.com/app
	sign "$ACI" good
	local want
	want=sha512-$(image_key "$ACI")
	fetch
	assert_accepted
	[[ $want == "$output"* ]] || fail "expected $want"
	echo overwritten >"$ACI"
	g run --net=none "$want" -- out ran
	assert_ok
	assert_out ran
}

# --- the command

@test "trust: trust --prefix stores the key under its fingerprint" {
	g trust --prefix=example.com/app --skip-fingerprint-review "$KEYS/good.asc"
	assert_ok
	local file
	file=$LOCAL/trustedkeys/prefix.d/example.com/app/$(cat "$KEYS/good.fpr")
	[ -s "$file" ] || fail "not there: $file"
	grep -q 'BEGIN PGP PUBLIC KEY' "$file" || fail "not armored"
	sign "$ACI" good
	fetch
	assert_accepted
}

@test "trust: trust --root" {
	g trust --root --skip-fingerprint-review "$KEYS/good.asc"
	assert_ok
	[ -s "$LOCAL/trustedkeys/root.d/$(cat "$KEYS/good.fpr")" ] || fail "not there"
	sign "$ACI" good
	fetch
	assert_accepted
}

@test "trust: trust shows fingerprint and identity" {
	g trust --prefix=example.com --skip-fingerprint-review "$KEYS/good.asc"
	assert_ok
	cat "$T/out" "$T/err" | tr -d ' :' | grep -qi "$(cat "$KEYS/good.fpr")" || fail "no fingerprint"
	cat "$T/out" "$T/err" | grep -qF 'good@example.com' || fail "no identity"
}

@test "trust: trust without a terminal does not assume yes" {
	g trust --prefix=example.com "$KEYS/good.asc"
	assert_refused 254 'skip-fingerprint-review|terminal|tty'
	[ ! -e "$LOCAL/trustedkeys/prefix.d/example.com/$(cat "$KEYS/good.fpr")" ] || fail "was trusted"
}

@test "trust: trust refuses what has no bounds or no sense" {
	g trust --skip-fingerprint-review "$KEYS/good.asc"
	assert_refused 254 'implicit unbounded trust'
	g trust --prefix=https://example.com --skip-fingerprint-review "$KEYS/good.asc"
	assert_refused 254 'https://example.com|scheme'
	g trust --prefix=../../etc --skip-fingerprint-review "$KEYS/good.asc"
	assert_refused 254 '\.\./\.\./etc'
	g trust --prefix=example.com --skip-fingerprint-review "$T/no-such-file"
	assert_refused 254 no-such-file
	echo nonsense >"$T/nonsense"
	g trust --prefix=example.com --skip-fingerprint-review "$T/nonsense"
	assert_refused 254 nonsense
	cat "$KEYS/good.asc" "$KEYS/other.asc" >"$T/two"
	g trust --prefix=example.com --skip-fingerprint-review "$T/two"
	assert_refused 254 two
	assert_equal "$(find "$LOCAL/trustedkeys" -type f 2>/dev/null)" ''
}

@test "trust: a secret key is not stored" {
	signer --armor --export-secret-keys =good@example.com >"$T/secret"
	g trust --prefix=example.com --skip-fingerprint-review "$T/secret"
	assert_refused 254 'secret|private|public'
	assert_equal "$(find "$LOCAL/trustedkeys" -type f 2>/dev/null)" ''
}
