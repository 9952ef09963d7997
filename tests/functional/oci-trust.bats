# Which OCI images may be used: policy.json, OpenPGP signatures of simple signing, sigstore's.

load ../lib/gantry
load ../lib/registry
load ../lib/sign
load ../lib/signatures

R=127.0.0.1:5000

setup_file() {
	need root registry python openssl gpg
	world_up
	fixtures_up
	keys_up
	registry_up plain 5000
	image_layout "$BATS_FILE_TMPDIR/layout" "$FIX/root/probe"
	for name in lib/app:1 lib/app:2 lib/other:1; do skopeo_push "oci:$LAYOUT:test" "$R/$name"; done
	cp "$BATS_FILE_TMPDIR/layout/index.json" "$BATS_FILE_TMPDIR/index.json"
	cosign_keys_up
}
teardown_file() {
	registry_down
	world_down
}
setup() {
	sandbox_up "$BATS_TEST_TMPDIR"
	KEYDIR=$BATS_FILE_TMPDIR
	DIGEST=${MANIFEST% *}
	SIDE=$T/side
	mkdir -p "$SIDE"
	INSECURE=http
}
teardown() { test_down; }

@test "oci-trust: without a rule an image is refused, unless signatures are waived" {
	fetch
	assert_refused 254 'no rule says that it may be used \(there is no policy.json; see --insecure-options=image\)'
	nothing_came
	policy '{"transports":{"docker":{"example.com":[{"type":"insecureAcceptAnything"}]}}}'
	fetch
	assert_refused 254 'no rule says that it may be used \(nothing in .*policy.json'
	INSECURE=http,image fetch
	assert_ok
}

@test "oci-trust: rules accept and reject by registry and name, also when signatures are waived" {
	policy "{\"default\":[{\"type\":\"reject\"}],\"transports\":{\"docker\":{\"$R/lib/app\":[{\"type\":\"insecureAcceptAnything\"}],
		\"$R/lib/app:2\":[{\"type\":\"reject\"}]}}}"
	fetch lib/other:1
	assert_refused 254 'rejected by the rule for default'
	fetch lib/app:2
	assert_refused 254 "rejected by the rule for docker $R/lib/app:2"
	INSECURE=http,image fetch lib/app:2
	assert_refused 254 'rejected by the rule'
	fetch lib/app:1
	assert_ok
	g run --net=none --pull-policy=never "docker://$R/lib/app:1" -- exit 3
	assert_status 3
	rule '{"type":"reject"}'
	g run --net=none --pull-policy=never "docker://$R/lib/app:1" -- exit 3
	assert_refused 254 'rejected'
}

@test "oci-trust: a path's rule is for what the path really is" {
	cp -r "$LAYOUT" "$T/layout"
	ln -s layout "$T/link"
	policy "{\"default\":[{\"type\":\"insecureAcceptAnything\"}],\"transports\":{\"oci\":{\"$T/layout\":[{\"type\":\"reject\"}]}}}"
	for path in "$T/layout" "$T/link" "$T/../${T##*/}/layout"; do
		g fetch "oci:$path"
		assert_refused 254 "rejected by the rule for oci $T/layout"
	done
	cd "$T"
	g fetch oci:layout
	assert_refused 254 'rejected by the rule for oci'
}

@test "oci-trust: a path's rule is for what was opened, also while somebody changes links" {
	local good out
	image_layout "$T/bad" "$PROBE"
	cp -r "$BATS_FILE_TMPDIR/layout" "$T/good"
	for one in good bad; do tar -C "$T/$one" -cf "$T/$one.tar" .; done
	policy "{\"default\":[{\"type\":\"reject\"}],\"transports\":{
		\"oci\":{\"$T/good\":[{\"type\":\"insecureAcceptAnything\"}],\"$T/bad\":[{\"type\":\"reject\"}]},
		\"oci-archive\":{\"$T/good.tar\":[{\"type\":\"insecureAcceptAnything\"}],\"$T/bad.tar\":[{\"type\":\"reject\"}]}}}"
	good=$(gantry fetch "oci:$T/good:test")
	[ -n "$good" ]
	/usr/bin/python3 - "$T" <<-'PY' 3>&- 4>&- &
		import os, sys, time
		os.chdir(sys.argv[1])
		n = 0
		while os.path.exists("good") and n < 100000:
		    for link, target in (("link", ("good", "bad")[n % 2]), ("link.tar", ("good.tar", "bad.tar")[n % 2])):
		        os.symlink(target, "new")
		        os.rename("new", link)
		    n += 1
		    time.sleep(0.002)
	PY
	local flipper=$!
	wait_for 60 test -e "$T/link.tar"
	out=
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		for word in "oci:$T/link:test" "oci-archive:$T/link.tar:test"; do
			g fetch "$word"
			[ "$status" -ne 0 ] || [ "$output" = "$good" ] || out+=" $word"
			[ "$status" -eq 0 ] || [[ $stderr == *"rejected by the rule for oci"*"$T/bad"* ]] || out+=" ($stderr)"
		done
	done
	mv "$T/good" "$T/end" # which ends the other
	wait "$flipper"
	assert_equal "$out" ''
}

@test "oci-trust: a policy that is not understood is an error" {
	policy '{"default":[{"type":"signedBy","keyType":"GPGKeys"}]}'
	fetch
	assert_refused 254 'policy.json: default\[0\].*keyPath'
	policy '{"default":[{"type":"sigstoreSigned","keyPath":"/k","rekorPublicKeyPath":"/r"}]}'
	fetch
	assert_refused 254 'rekorPublicKeyPath'
	nothing_came
}

@test "oci-trust: simple signing: the right key for the right name" {
	rule "$(signed_by good)"
	fetch
	assert_refused 254 "no signature of $DIGEST in file://"
	simple good "$R/lib/app:1"
	fetch
	assert_ok
	g image list --fields=id --no-legend --full
	g image verify "docker://$R/lib/app:1"
	assert_ok
	fetch lib/app:2
	assert_refused 254 "the signature is for \"$R/lib/app:1\""
}

@test "oci-trust: simple signing: signatures that are none" {
	rule "$(signed_by good)"
	simple other "$R/lib/app:1"
	fetch
	assert_refused 254 'signature-1: openpgp: signature made by unknown entity'
	simple good "$R/lib/app:1" "sha256:$(printf x | sha256sum | cut -d' ' -f1)"
	fetch
	assert_refused 254 'the signature is for another manifest'
	payload "atomic container signature" "$DIGEST" "$R/lib/app:1" |
		signer --faked-system-time 20200115T000000 -u =expired@example.com --sign >"$SIDE/lib/app@${DIGEST/:/=}/signature-1"
	rule "$(signed_by expired)"
	fetch
	assert_refused 254 'expired key'
	rule "$(signed_by good)"
	payload "atomic container signature" "$DIGEST" "$R/lib/app:1" >"$SIDE/lib/app@${DIGEST/:/=}/signature-1"
	fetch
	assert_refused 254 'openpgp: no'
	# a detached one says nothing
	payload "atomic container signature" "$DIGEST" "$R/lib/app:1" >"$T/text"
	signer -u =good@example.com --detach-sign <"$T/text" >"$SIDE/lib/app@${DIGEST/:/=}/signature-1"
	fetch
	assert_refused 254 'signature-1'
	signer -u =good@example.com --clearsign <"$T/text" >"$SIDE/lib/app@${DIGEST/:/=}/signature-1"
	fetch
	assert_refused 254 'signature-1: openpgp: a cleartext signature'
	payload "cosign container image signature" "$DIGEST" "$R/lib/app:1" | signer -u =good@example.com --sign >"$SIDE/lib/app@${DIGEST/:/=}/signature-1"
	fetch
	assert_refused 254 'it says that it is'
	nothing_came
}

@test "oci-trust: simple signing: one good signature among others is enough; any key of several" {
	simple other "$R/lib/app:1"
	simple good "$R/lib/app:1" "$DIGEST" 2
	rule "$(signed_by good)"
	fetch
	assert_ok
	rm -r "$SIDE"/*
	simple other "$R/lib/app:1"
	policy "{\"default\":[{\"type\":\"signedBy\",\"keyType\":\"GPGKeys\",\"keyPaths\":[\"$KEYS/good.asc\",\"$KEYS/other.asc\"],\"lookaside\":\"file://$SIDE\"}]}"
	fetch
	assert_ok
	policy "{\"default\":[{\"type\":\"signedBy\",\"keyType\":\"GPGKeys\",\"keyData\":\"$(base64 -w0 <"$KEYS/other.asc")\",\"lookaside\":\"file://$SIDE\"}]}"
	fetch
	assert_ok
}

@test "oci-trust: simple signing: identities" {
	simple good example.com/signed:9
	rule "$(signed_by good ',"signedIdentity":{"type":"exactReference","dockerReference":"example.com/signed:9"}')"
	fetch
	assert_ok
	rule "$(signed_by good ',"signedIdentity":{"type":"matchRepository"}')"
	fetch lib/app:2
	assert_refused 254 'example.com/signed:9'
	simple good "$R/lib/app:1"
	fetch lib/app:2
	assert_ok
}

@test "oci-trust: simple signing: what skopeo signs, from a lookaside on the web" {
	mkdir -p "$T/registries.d" "$T/web"
	printf 'default-docker:\n  lookaside-staging: file://%s\n  sigstore-staging: file://%s\n' "$T/web" "$T/web" >"$T/registries.d/d.yaml"
	in_world env GNUPGHOME="$KEYS/home" skopeo --insecure-policy --registries.d "$T/registries.d" copy --dest-tls-verify=false \
		--sign-by "$(cat "$KEYS/good.fpr")" "oci:$LAYOUT:test" "docker://$R/lib/app:1" >/dev/null 2>"$T/skopeo.log" 3>&- 4>&- ||
		skip "skopeo does not sign here: $(tail -n 1 "$T/skopeo.log")"
	httpd_up "$T/web" "$T"
	rule "{\"type\":\"signedBy\",\"keyType\":\"GPGKeys\",\"keyPath\":\"$KEYS/good.asc\",\"lookaside\":\"$URL\"}"
	fetch
	assert_ok
	rule "{\"type\":\"signedBy\",\"keyType\":\"GPGKeys\",\"keyPath\":\"$KEYS/other.asc\",\"lookaside\":\"$URL/\"}"
	g fetch --pull-policy=update "docker://$R/lib/app:1"
	kill -KILL "$HTTPD_PID"
	HTTPD_PID=
}

@test "oci-trust: sigstore: ECDSA, RSA, Ed25519" {
	for key in ec rsa ed; do
		cosign $key "$R/lib/app"
		rule "$(sigstore $key ',"signedIdentity":{"type":"matchRepository"}')"
		gantry image gc --grace-period=0s >/dev/null
		fetch
		assert_ok
		g image rm "docker://$R/lib/app:1"
		assert_ok
	done
	rule "$(sigstore ec)"
	fetch
	assert_refused 254 "not made by this key|the signature is for"
	no_cosign
}

@test "oci-trust: sigstore: signatures that are none" {
	rule "$(sigstore ec ',"signedIdentity":{"type":"matchRepository"}')"
	fetch
	assert_refused 254 "no sigstore signature of $DIGEST in"
	cosign rsa "$R/lib/app"
	fetch
	assert_refused 254 'key .*/ec.pub: it is not made by this key'
	cosign ec "$R/lib/other"
	fetch
	assert_refused 254 "the signature is for \"$R/lib/other\""
	cosign ec "$R/lib/app" "sha256:$(printf x | sha256sum | cut -d' ' -f1)"
	fetch
	assert_refused 254 'another manifest'
	cosign ec "$R/lib/app" "$DIGEST" "atomic container signature"
	fetch
	assert_refused 254 'it says that it is'
	SIGNATURE=bm9uZQ== cosign ec "$R/lib/app"
	fetch
	assert_refused 254 'not made by this key'
	SIGNATURE='!!' cosign ec "$R/lib/app"
	fetch
	assert_refused 254 'base64'
	cosign weak "$R/lib/app"
	rule "$(sigstore weak)"
	fetch
	assert_refused 254 'a key of 1024 bits is too weak'
	policy "{\"default\":[{\"type\":\"sigstoreSigned\",\"keyPath\":\"$T/none.pub\"}]}"
	fetch
	assert_refused 254 'none.pub. is not there'
	no_cosign
	nothing_came
}

@test "oci-trust: all requirements of a rule must be met" {
	simple good "$R/lib/app:1"
	rule "$(signed_by good),$(sigstore ec ',"signedIdentity":{"type":"matchRepository"}')"
	fetch
	assert_refused 254 'no sigstore signature'
	cosign ec "$R/lib/app"
	fetch
	assert_ok
	no_cosign
}

@test "oci-trust: what is in the store without a signature does not pass for one that has it" {
	INSECURE=http,image fetch
	assert_ok
	rule "$(signed_by good)"
	g run --net=none --pull-policy=never "docker://$R/lib/app:1" -- exit 0
	assert_status 254
	INSECURE=http,image
	g run --net=none --pull-policy=never "docker://$R/lib/app:1" -- exit 0
	assert_ok
}
