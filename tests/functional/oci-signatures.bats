# Signatures of OCI images that are kept in the store, and checked again without the place that they came from.

load ../lib/gantry
load ../lib/registry
load ../lib/sign
load ../lib/signatures

R=127.0.0.1:5000
SAME=',"signedIdentity":{"type":"matchRepository"}'

setup_file() {
	need root registry python openssl gpg
	world_up
	fixtures_up
	keys_up
	cosign_keys_up
	registry_up plain 5000
	image_layout "$BATS_FILE_TMPDIR/layout" "$FIX/root/probe"
	for name in lib/app:1 lib/app:2; do skopeo_push "oci:$LAYOUT:test" "$R/$name"; done
	make_index
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
teardown() {
	REPOSITORY=lib/app DIGEST=${MANIFEST% *} no_cosign
	test_down
}

# Of all places that could be asked, the directory of signatures is gone by then, and so is cosign's tag.
again() { g image verify --signature "${@:-docker://$R/lib/app:1}"; }
kept() { echo "$DATA"/cas/image/sha512-*/signatures; }

@test "oci-signatures: an OpenPGP signature is kept, and checked by the keys of today" {
	rule "$(signed_by good)"
	simple good "$R/lib/app:1"
	fetch
	assert_ok
	rm -r "$SIDE"
	again
	assert_ok
	assert_match "successfully verified signature of image: \"sha512-.*$(cat "$KEYS/good.fpr")"
	# a key that may sign no more
	rule "$(signed_by other)"
	again
	assert_refused 254 'the rule for docker 127.0.0.1:5000/lib in .*: openpgp: signature made by unknown entity'
	g image verify "docker://$R/lib/app:1"
	assert_ok
	# or that is not there
	rule "{\"type\":\"signedBy\",\"keyType\":\"GPGKeys\",\"keyPath\":\"$T/gone.asc\",\"lookaside\":\"file://$SIDE\"}"
	again
	assert_refused 254 'the policy.s key .*/gone.asc. is not there'
	# another kind of signature, another name
	rule "$(sigstore ec "$SAME")"
	again
	assert_refused 254 'no signature of the kind that it asks for was kept \(fetch the image again\)'
	rule "$(signed_by good ',"signedIdentity":{"type":"exactReference","dockerReference":"example.com/x:1"}')"
	again
	assert_refused 254 "the signature is for \"$R/lib/app:1\""
}

@test "oci-signatures: nothing waives it, and a rule without keys does not pass for one" {
	rule "$(signed_by good)"
	simple good "$R/lib/app:1"
	fetch
	assert_ok
	INSECURE=http,image
	rule '{"type":"insecureAcceptAnything"}'
	again
	assert_refused 254 'the rule for docker 127.0.0.1:5000/lib in .* asks for no signature, and has no key'
	rule '{"type":"reject"}'
	again
	assert_refused 254 'rejected by the rule for docker 127.0.0.1:5000/lib'
	rule "$(signed_by other)"
	again
	assert_refused 254 'unknown entity'
	rm "$LOCAL/policy.json"
	again
	assert_refused 254 'no rule says that it may be used'
}

@test "oci-signatures: what cosign signed" {
	rule "$(sigstore ec "$SAME")"
	cosign ec "$R/lib/app"
	fetch
	assert_ok
	no_cosign
	again
	assert_ok
	assert_match "successfully verified signature of image: .*key sigstore:$KEYDIR/ec.pub"
	rule "$(sigstore rsa "$SAME")"
	again
	assert_refused 254 'key .*/rsa.pub: it is not made by this key'
	rule "$(sigstore ec "$SAME"),$(signed_by good)"
	again
	assert_refused 254 'no signature of the kind'
}

@test "oci-signatures: all that a rule asks for" {
	rule "$(sigstore ec "$SAME"),$(signed_by good)"
	simple good "$R/lib/app:1"
	simple other "$R/lib/app:1" "$DIGEST" 2
	cosign ec "$R/lib/app"
	fetch
	assert_ok
	rm -r "$SIDE"
	no_cosign
	assert_equal "$(jq -c '[.signatures[].type]' "$(kept)")" '["sigstore","openpgp"]'
	assert_equal "$(jq -r '.reference' "$(kept)")" "docker://$R/lib/app:1"
	again
	assert_ok
	rule "$(sigstore ec "$SAME"),$(signed_by other)"
	again
	assert_refused 254 'unknown entity'
}

@test "oci-signatures: of an index, which leads to the image" {
	DIGEST=$BOTH REPOSITORY=lib/both
	rule "$(signed_by good)"
	simple good "$R/lib/both:1"
	fetch lib/both:1
	assert_ok
	rm -r "$SIDE"
	again "docker://$R/lib/both:1"
	assert_ok
	# one that does not
	jq -c ".indexes[0] = \"$(jq -c 'del(.manifests[1])' "$LAYOUT/blobs/sha256/${BOTH#*:}" | base64 -w0)\"" "$(kept)" >"$T/changed"
	cp "$T/changed" "$(kept)"
	again "docker://$R/lib/both:1"
	assert_refused 254 "an index that was kept does not lead to ${MANIFEST% *}"
	# one that nobody signed
	jq -c ".indexes[0] = \"$(jq -c '.x=1' "$LAYOUT/blobs/sha256/${BOTH#*:}" | base64 -w0)\"" "$T/changed" >"$(kept)"
	again "docker://$R/lib/both:1"
	assert_refused 254 'no signature of the kind that it asks for was kept'
}

@test "oci-signatures: an image that came without one, and gets one later" {
	INSECURE=http,image fetch
	assert_ok
	rule "$(signed_by good)"
	again
	assert_refused 254 'image sha512-.*: it was fetched without a signature'
	simple good "$R/lib/app:1"
	fetch
	assert_ok
	again
	assert_ok
	# one for another name, and one that nobody looked at
	simple good "$R/lib/app:2"
	fetch lib/app:2
	assert_ok
	assert_equal "$(jq -r '.reference' "$(kept)")" "docker://$R/lib/app:2"
	again "docker://$R/lib/app:2"
	assert_ok
	INSECURE=http,image g fetch --pull-policy=update "docker://$R/lib/app:1"
	assert_ok
	again
	assert_ok
}

@test "oci-signatures: a file that was changed" {
	rule "$(signed_by good)"
	simple good "$R/lib/app:1"
	fetch
	assert_ok
	cp "$(kept)" "$T/kept"
	jq -c '.signatures[0].data = "bm9uZQ=="' "$T/kept" >"$(kept)"
	again
	assert_refused 254 'openpgp: no'
	jq -c ".reference = \"docker://$R/lib/app:2\"" "$T/kept" >"$(kept)"
	again
	assert_refused 254 "the signature is for \"$R/lib/app:1\""
	echo '{}' >"$(kept)"
	again
	assert_refused 254 'image sha512-.*: reference: '
	# written before they were kept
	rm "$(kept)"
	again
	assert_refused 254 'its signatures were not kept \(fetch it again\)'
	fetch
	g fetch --pull-policy=update "docker://$R/lib/app:1"
	assert_ok
}
