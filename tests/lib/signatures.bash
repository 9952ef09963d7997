# Rules for OCI images and signatures of them; beside gantry.bash, registry.bash and sign.bash.  $R is the registry,
# $DIGEST what is signed, $REPOSITORY where (lib/app), $SIDE a directory of OpenPGP signatures, $KEYDIR where cosign_keys_up put its keys.
# shellcheck shell=bash disable=SC2154

cosign_keys_up() {
	# ECDSA and RSA, as cosign makes them
	openssl ecparam -name prime256v1 -genkey -noout -out "$BATS_FILE_TMPDIR/ec.key"
	openssl ec -in "$BATS_FILE_TMPDIR/ec.key" -pubout -out "$BATS_FILE_TMPDIR/ec.pub" 2>/dev/null
	openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$BATS_FILE_TMPDIR/rsa.key" 2>/dev/null
	openssl pkey -in "$BATS_FILE_TMPDIR/rsa.key" -pubout -out "$BATS_FILE_TMPDIR/rsa.pub"
	openssl genpkey -algorithm ed25519 -out "$BATS_FILE_TMPDIR/ed.key"
	openssl pkey -in "$BATS_FILE_TMPDIR/ed.key" -pubout -out "$BATS_FILE_TMPDIR/ed.pub"
	openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:1024 -out "$BATS_FILE_TMPDIR/weak.key" 2>/dev/null
	openssl pkey -in "$BATS_FILE_TMPDIR/weak.key" -pubout -out "$BATS_FILE_TMPDIR/weak.pub"
}

# policy JSON: the administrator's rules.
policy() { printf '%s' "$1" >"$LOCAL/policy.json"; }
# rule REQUIREMENT: for 127.0.0.1:5000/lib, everything else is rejected.
rule() { policy "{\"default\":[{\"type\":\"reject\"}],\"transports\":{\"docker\":{\"$R/lib\":[$1]}}}"; }
signed_by() { printf '{"type":"signedBy","keyType":"GPGKeys","keyPath":"%s","lookaside":"file://%s"%s}' "$KEYS/$1.asc" "$SIDE" "${2:-}"; }
sigstore() { printf '{"type":"sigstoreSigned","keyPath":"%s"%s}' "$KEYDIR/$1.pub" "${2:-}"; }

# payload TYPE DIGEST REFERENCE
payload() {
	printf '{"critical":{"type":"%s","image":{"docker-manifest-digest":"%s"},"identity":{"docker-reference":"%s"}},"optional":{}}' "$@"
}
# simple KEY REFERENCE [DIGEST [N [NAME]]]: a signature in the lookaside directory.
simple() {
	local dir=$SIDE/${5:-${REPOSITORY:-lib/app}}@${DIGEST/:/=}
	mkdir -p "$dir"
	payload "atomic container signature" "${3:-$DIGEST}" "$2" | signer -u "=$1@example.com" --sign >"$dir/signature-${4:-1}"
}

upload() { # FILE: a blob
	local digest location
	digest=sha256:$(sha256sum <"$1" | cut -d' ' -f1)
	location=$(in_world curl -sf -i -X POST "http://$R/v2/${REPOSITORY:-lib/app}/blobs/uploads/" | tr -d '\r' | sed -n 's/^[Ll]ocation: //p')
	in_world curl -sf -X PUT -H 'Content-Type: application/octet-stream' --data-binary @"$1" "$location&digest=$digest" >/dev/null
}

# cosign KEY PAYLOAD-REFERENCE [DIGEST [TYPE]]: a signature beside the image, by its tag.
cosign() {
	local signature payload_digest config=$T/empty manifest=$T/sig.json hash=(-sha256)
	payload "${4:-cosign container image signature}" "${3:-$DIGEST}" "$2" >"$T/payload"
	if [ "$1" = ed ]; then
		openssl pkeyutl -sign -inkey "$KEYDIR/$1.key" -rawin -in "$T/payload" -out "$T/sig"
	else
		openssl dgst "${hash[@]}" -sign "$KEYDIR/$1.key" -out "$T/sig" "$T/payload"
	fi
	signature=$(base64 -w0 <"$T/sig")
	payload_digest=sha256:$(sha256sum <"$T/payload" | cut -d' ' -f1)
	printf '{}' >"$config"
	upload "$T/payload"
	upload "$config"
	printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","size":2,"digest":"sha256:%s"},
		"layers":[{"mediaType":"application/vnd.dev.cosign.simplesigning.v1+json","size":%d,"digest":"%s","annotations":{"dev.cosignproject.cosign/signature":"%s"}}]}' \
		"$(sha256sum <"$config" | cut -d' ' -f1)" "$(stat -c %s "$T/payload")" "$payload_digest" "${SIGNATURE:-$signature}" >"$manifest"
	in_world curl -sf -X PUT -H 'Content-Type: application/vnd.oci.image.manifest.v1+json' --data-binary @"$manifest" \
		"http://$R/v2/${REPOSITORY:-lib/app}/manifests/${DIGEST/:/-}.sig" >/dev/null
}
no_cosign() { # the tag is gone
	local digest
	digest=$(in_world curl -s -I -H 'Accept: application/vnd.oci.image.manifest.v1+json' "http://$R/v2/${REPOSITORY:-lib/app}/manifests/${DIGEST/:/-}.sig" |
		tr -d '\r' | sed -n 's/^[Dd]ocker-[Cc]ontent-[Dd]igest: //p')
	[ -z "$digest" ] || in_world curl -sf -X DELETE "http://$R/v2/${REPOSITORY:-lib/app}/manifests/$digest" >/dev/null
}

fetch() { g fetch "docker://$R/${1:-lib/app:1}"; }
nothing_came() { [ -z "$(ls -A "$DATA/cas/image" "$DATA/cas/blob" 2>/dev/null | grep sha)" ] || fail "something is in the store"; }
