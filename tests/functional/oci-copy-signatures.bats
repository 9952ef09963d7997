# Signatures that lie beside an image go along with it: image copy and image push.

load ../lib/gantry
load ../lib/registry
load ../lib/sign
load ../lib/signatures

R=127.0.0.1:5000
R2=127.0.0.1:5001
P2=127.0.0.1:5010 # the proxy before R2

setup_file() {
	need root registry python openssl
	world_up
	fixtures_up
	cosign_keys_up
	registry_up plain 5000
	registry_up other 5001
	proxy_up "$R2" "$P2"
	image_layout "$BATS_FILE_TMPDIR/layout" "$FIX/root/probe"
	skopeo_push "oci:$LAYOUT:test" "$R/lib/app:1"
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
	REPOSITORY=lib/app
	INSECURE=http,image
	TO=copied/$BATS_TEST_NUMBER
	rules '[]'
}
teardown() {
	REPOSITORY=lib/app DIGEST=${MANIFEST% *} no_cosign
	test_down
}

copy() { INSECURE=http,image g image copy "$@"; }
# The copy is used under a rule that asks for the original's name.
fetch_copy() { # REFERENCE
	policy "{\"default\":[{\"type\":\"reject\"}],\"transports\":{
		\"docker\":{\"\":[$(sigstore ec ",\"signedIdentity\":{\"type\":\"exactRepository\",\"dockerRepository\":\"$R/lib/app\"}")]},
		\"oci\":{\"$T\":[$(sigstore ec ",\"signedIdentity\":{\"type\":\"exactRepository\",\"dockerRepository\":\"$R/lib/app\"}")]},
		\"oci-archive\":{\"$T\":[$(sigstore ec ",\"signedIdentity\":{\"type\":\"exactRepository\",\"dockerRepository\":\"$R/lib/app\"}")]}}}"
	INSECURE=http g fetch "$1"
	rm "$LOCAL/policy.json"
}
put_manifest() { # REFERENCE FILE TYPE
	in_world curl -sf -X PUT -H "Content-Type: $3" --data-binary @"$2" "http://$R/v2/lib/app/manifests/$1" >/dev/null
}
# refer: the signature of the tag becomes one that refers to the image; $REFERRER is its digest.
refer() {
	jq -c ".artifactType=\"application/vnd.dev.cosign.artifact.sig.v1+json\"|.subject={mediaType:.mediaType,digest:\"$DIGEST\",size:${MANIFEST#* }}" \
		"$T/sig.json" | tr -d '\n' >"$T/referrer.json"
	REFERRER=sha256:$(sha256sum <"$T/referrer.json" | cut -d' ' -f1)
	no_cosign
	put_manifest "$REFERRER" "$T/referrer.json" application/vnd.oci.image.manifest.v1+json
	jq -nc "{schemaVersion:2,mediaType:\"application/vnd.oci.image.index.v1+json\",manifests:[{mediaType:\"application/vnd.oci.image.manifest.v1+json\",
		digest:\"$REFERRER\",size:$(stat -c %s "$T/referrer.json"),artifactType:\"application/vnd.dev.cosign.artifact.sig.v1+json\"}]}" >"$T/list.json"
	put_manifest "${DIGEST/:/-}" "$T/list.json" application/vnd.oci.image.index.v1+json
}
no_referrers() {
	local digest
	digest=$(registry_manifest "$R/lib/app" "${DIGEST/:/-}" | sha256sum | cut -d' ' -f1)
	in_world curl -s -X DELETE "http://$R/v2/lib/app/manifests/sha256:$digest" >/dev/null
}
registry_manifest() { # HOST/NAME REFERENCE
	in_world curl -sf -H 'Accept: application/vnd.oci.image.index.v1+json' -H 'Accept: application/vnd.oci.image.manifest.v1+json' \
		"http://${1%%/*}/v2/${1#*/}/manifests/$2"
}

@test "oci-copy-signatures: from registry to registry, unless they are to stay behind" {
	cosign ec "$R/lib/app"
	copy --remove-signatures "docker://$R/lib/app:1" "docker://$R2/$TO:1"
	assert_ok
	fetch_copy "docker://$R2/$TO:1"
	assert_refused 254 "no sigstore signature of $DIGEST in"
	copy "docker://$R/lib/app:1" "docker://$R2/$TO:1"
	assert_ok
	assert_err "copied 1 signature\\(s\\) of ${DIGEST:0:19}"
	assert_out "$DIGEST"
	assert_equal "$(registry_manifest "$R2/$TO" "${DIGEST/:/-}.sig" | sha256sum)" "$(sha256sum <"$T/sig.json")"
	fetch_copy "docker://$R2/$TO:1"
	assert_ok
	INSECURE=http,image g image push "docker://$R/lib/app:1" "docker://$R2/$TO/pushed:1"
	assert_ok
	assert_equal "$(registry_manifest "$R2/$TO/pushed" "${DIGEST/:/-}.sig" | sha256sum)" "$(sha256sum <"$T/sig.json")"
	INSECURE=http,image g image push --remove-signatures "docker://$R/lib/app:1" "docker://$R2/$TO/bare:1"
	assert_ok
	run registry_manifest "$R2/$TO/bare" "${DIGEST/:/-}.sig"
	[ "$status" -ne 0 ]
}

@test "oci-copy-signatures: into a layout and back, and what a layout's own rule asks for" {
	cosign ec "$R/lib/app"
	copy "docker://$R/lib/app:1" "oci:$T/layout:1"
	assert_ok
	assert_equal "$(jq -c '[.manifests[].annotations["org.opencontainers.image.ref.name"]]' "$T/layout/index.json")" "[\"1\",\"${DIGEST/:/-}.sig\"]"
	assert_equal "$(skopeo inspect --format '{{.Digest}}' "oci:$T/layout:1")" "$DIGEST"
	copy "oci:$T/layout" "docker://$R2/$TO:1" # the only image
	assert_ok
	fetch_copy "docker://$R2/$TO:1"
	assert_ok
	# the same image once more: nothing is there twice
	copy "docker://$R/lib/app:1" "oci:$T/layout:1"
	assert_ok
	assert_equal "$(jq '.manifests | length' "$T/layout/index.json")" 2
	g image rm "docker://$R2/$TO:1"
	assert_ok
	fetch_copy "oci:$T/layout:1"
	assert_ok
	# and it is checked again without the layout
	policy "{\"transports\":{\"oci\":{\"$T/layout\":[$(sigstore ec ",\"signedIdentity\":{\"type\":\"exactRepository\",\"dockerRepository\":\"$R/lib/app\"}")]}}}"
	rm -r "$T/layout"
	g image verify --signature "$(basename "$DATA"/cas/image/sha512-*)"
	assert_ok
}

@test "oci-copy-signatures: through an archive" {
	cosign ec "$R/lib/app"
	copy "docker://$R/lib/app:1" "oci-archive:$T/a.tar:1"
	assert_ok
	assert_equal "$(tar -tf "$T/a.tar" | sort | uniq -d)" ''
	fetch_copy "oci-archive:$T/a.tar:1"
	assert_ok
	copy "oci-archive:$T/a.tar" "docker://$R2/$TO:1"
	assert_ok
	fetch_copy "docker://$R2/$TO:1"
	assert_ok
}

@test "oci-copy-signatures: referrers, to a registry that lists none itself, by a layout, and once only" {
	cosign ec "$R/lib/app"
	refer
	copy "docker://$R/lib/app:1" "oci:$T/layout:1"
	assert_ok
	assert_equal "$(jq -c '[.manifests[].artifactType]' "$T/layout/index.json")" '[null,"application/vnd.dev.cosign.artifact.sig.v1+json"]'
	fetch_copy "oci:$T/layout:1"
	assert_ok
	for _ in 1 2; do
		copy "oci:$T/layout" "docker://$R2/$TO:1"
		assert_ok
		assert_equal "$(registry_manifest "$R2/$TO" "${DIGEST/:/-}" | jq -c '[.manifests[].digest]')" "[\"$REFERRER\"]"
	done
	fetch_copy "docker://$R2/$TO:1"
	assert_ok
	no_referrers
}

@test "oci-copy-signatures: referrers, to a registry that lists them" {
	cosign ec "$R/lib/app"
	refer
	rules '[{"path":"/referrers/","status":200,"headers":{"Content-Type":"application/vnd.oci.image.index.v1+json"},"body":"{\"schemaVersion\":2,\"manifests\":[]}"}]'
	copy "docker://$R/lib/app:1" "docker://$P2/$TO:1"
	assert_ok
	assert_equal "$(asked "PUT /v2/$TO/manifests/$REFERRER 201")" 1
	assert_equal "$(asked "PUT /v2/$TO/manifests/${DIGEST/:/-} ")" 0
	no_referrers
}

@test "oci-copy-signatures: those of an index go with the whole of it" {
	DIGEST=$BOTH REPOSITORY=lib/both
	cosign ec "$R/lib/both"
	copy "docker://$R/lib/both:1" "docker://$R2/$TO/one:1"
	assert_ok
	assert_err 'the signature is of the index, and is not copied with one image of it \(see --all-platforms\)'
	run registry_manifest "$R2/$TO/one" "${DIGEST/:/-}.sig"
	[ "$status" -ne 0 ]
	copy --all-platforms "docker://$R/lib/both:1" "docker://$R2/$TO/all:1"
	assert_ok
	assert_out "$BOTH"
	assert_equal "$(registry_manifest "$R2/$TO/all" "${DIGEST/:/-}.sig" | sha256sum)" "$(sha256sum <"$T/sig.json")"
	no_cosign
}

@test "oci-copy-signatures: the rules are kept for where an image comes from, before any of it is copied" {
	INSECURE=http
	g image copy "docker://$R/lib/app:1" "docker://$P2/$TO:1"
	assert_refused 254 'no rule says that it may be used \(there is no policy.json; see --insecure-options=image\)'
	g image push "oci:$LAYOUT:test" "docker://$P2/$TO:1"
	assert_refused 254 'no rule says that it may be used'
	rule "$(sigstore ec ',"signedIdentity":{"type":"matchRepository"}')"
	g image copy "docker://$R/lib/app:1" "docker://$P2/$TO:1"
	assert_refused 254 "the rule for docker $R/lib in .*: no sigstore signature of $DIGEST in"
	rule '{"type":"reject"}'
	INSECURE=http,image g image copy "docker://$R/lib/app:1" "docker://$P2/$TO:1"
	assert_refused 254 "rejected by the rule for docker $R/lib"
	assert_equal "$(asked '(PUT|POST|PATCH) ')" 0
	cosign ec "$R/lib/app"
	rule "$(sigstore ec ',"signedIdentity":{"type":"matchRepository"}')"
	g image copy "docker://$R/lib/app:1" "docker://$R2/$TO:1"
	assert_ok
	# an image of the store was let in before, whatever the rules of today
	g fetch "docker://$R/lib/app:1"
	assert_ok
	rule '{"type":"reject"}'
	g image push "docker://$R/lib/app:1" "docker://$R2/$TO:2"
	assert_refused 254 'rejected'
	g image push "$(basename "$DATA"/cas/image/sha512-*)" "docker://$R2/$TO:2"
	assert_ok
}

@test "oci-copy-signatures: of an index as a whole each image is signed, or the index" {
	INSECURE=http REPOSITORY=lib/both
	rule "$(sigstore ec ',"signedIdentity":{"type":"matchRepository"}')"
	cosign ec "$R/lib/both" # one of the two
	g image copy "docker://$R/lib/both:1" "docker://$R2/$TO:1"
	assert_ok
	g image copy --all-platforms "docker://$R/lib/both:1" "docker://$R2/$TO:2"
	assert_refused 254 "no sigstore signature of $BOTH in|no sigstore signature of $OTHER in"
	no_cosign
	DIGEST=$BOTH
	cosign ec "$R/lib/both"
	g image copy --all-platforms "docker://$R/lib/both:1" "docker://$R2/$TO:2"
	assert_ok
	no_cosign
}

@test "oci-copy-signatures: when it cannot be told whether there are any" {
	copy "docker://$R/lib/app:1" "docker://$R2/$TO:1"
	assert_ok
	rules '[{"path":"/manifests/sha256-.*sig$","status":500},{"path":"/manifests/sha256-.*sig$","status":403}]'
	copy "docker://$P2/$TO:1" "oci:$T/layout:1"
	assert_refused 254 "signatures \\(see --remove-signatures\\): signatures of $DIGEST: registry $P2: .*500"
	[ ! -e "$T/layout" ]
	copy --remove-signatures "docker://$P2/$TO:1" "oci:$T/layout:1"
	assert_ok
}
