# shellcheck shell=bash
# Verify and unpack a large local ACI, signature included.
: "${W:?}" "${B:?}" "${TOOLS:?}" "${BENCH_MB:?}"

LARGE=$W/large.aci

# Making it takes longer than measuring it, so a copy stays in the build directory.
image_make() {
	local kept=$B/bench/large-$BENCH_MB.aci dir=$W/large
	if [ ! -e "$kept" ]; then
		mkdir -p "$dir/rootfs/usr/share" "$dir/rootfs/bin"
		"$TOOLS/corpus" "$dir/rootfs/usr/share" "$BENCH_MB" >/dev/null
		cp -a "$W/rootfs/bin/." "$dir/rootfs/bin"
		image_manifest bench.example/large "$dir"
		tar -C "$dir" --format=gnu --sort=name --numeric-owner --owner=0 --group=0 \
			--mtime=@1000000000 -cf - manifest rootfs | gzip -6 -n >"$kept.new" &&
			mv "$kept.new" "$kept"
		rm -rf "$dir"
	fi
	cp "$kept" "$LARGE"
}

image_sign() {
	export GNUPGHOME=$W/gnupg
	mkdir -m 700 "$GNUPGHOME"
	gpg --batch --quiet --passphrase '' --quick-generate-key 'bench <bench@bench.example>' \
		rsa3072 sign never 2>"$W/error" &&
		gpg --batch --quiet --armor --detach-sign --output "$LARGE.asc" "$LARGE" &&
		gpg --batch --quiet --armor --export --output "$W/key.asc"
}

# The same bytes as the one layer of an OCI image, by hand: nothing here can push.
image_oci() {
	local dir=$W/layout layer diff config manifest
	mkdir -p "$dir/blobs/sha256"
	layer=$(sha256sum "$LARGE" | cut -d' ' -f1)
	diff=$(case $LARGE in *.zst) zstd -dcq "$LARGE" ;; *) gzip -dc "$LARGE" ;; esac | sha256sum | cut -d' ' -f1)
	ln "$LARGE" "$dir/blobs/sha256/$layer"
	config=$(oci_blob "$dir" "{\"architecture\":\"amd64\",\"os\":\"linux\",\"config\":{},
	 \"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"sha256:$diff\"]}}")
	manifest=$(oci_blob "$dir" "{\"schemaVersion\":2,
	 \"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",
	 \"config\":{\"mediaType\":\"application/vnd.oci.image.config.v1+json\",$config},
	 \"layers\":[{\"mediaType\":\"application/vnd.oci.image.layer.v1.tar+gzip\",
	  \"digest\":\"sha256:$layer\",\"size\":$(stat -c %s "$LARGE")}]}")
	echo '{"imageLayoutVersion":"1.0.0"}' >"$dir/oci-layout"
	echo "{\"schemaVersion\":2,\"manifests\":[{
	 \"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",$manifest,
	 \"annotations\":{\"org.opencontainers.image.ref.name\":\"latest\"}}]}" >"$dir/index.json"
}

# oci_blob LAYOUT TEXT: store it; prints its digest and size as members of a descriptor.
oci_blob() {
	local sum
	printf '%s' "$2" >"$1/blob"
	sum=$(sha256sum "$1/blob" | cut -d' ' -f1)
	printf '"digest":"sha256:%s","size":%d' "$sum" "$(stat -c %s "$1/blob")"
	mv "$1/blob" "$1/blobs/sha256/$sum"
}

image_gantry() {
	local g="$GANTRY --dir=$W/large-store --local-config=$W/large-etc"
	if [ -z "$GANTRY_WHY" ]; then
		mkdir -p "$W/large-etc"
		$g trust --prefix=bench.example --skip-fingerprint-review "$W/key.asc" \
			>/dev/null 2>"$W/error" </dev/null ||
			missing gantry "trust failed: $(reason)"
	fi
	gantry_row 1 1 - "rm -rf $W/large-store; mkdir $W/large-store" "$g fetch $LARGE"
}

bench_image() {
	title "verify and unpack a local ACI of $BENCH_MB MB (target: 1.4 x pass; 0.3 x podman pull)"
	image_make
	image_sign || missing gpg "no signature: $(reason)"
	image_oci
	cat >"$W/tools.sh" <<-END
	gpg --batch --verify $LARGE.asc $LARGE && sha512sum $LARGE && gzip -dc $LARGE | sha512sum &&
		tar -C $W/out -xzf $LARGE
	END
	local empty="rm -rf $W/out; mkdir $W/out"
	row 'pass (no signature)' 1 1 - "$empty" "$TOOLS/pass -x $W/out $LARGE"
	image_gantry
	row 'sha512sum; tar -xzf' 1 1 - "$empty" "sha512sum $LARGE && tar -C $W/out -xzf $LARGE"
	row 'gpg; sha512sum x2; tar -xzf' 1 1 - "$empty" "sh $W/tools.sh"
	row 'gpg --verify alone' 1 1 - - "gpg --batch --verify $LARGE.asc $LARGE"
	if have podman; then
		row 'podman pull' 1 1 "$PODMAN_NS" "$(podman_forget)" "$PODMAN pull -q oci:$W/layout"
	fi
	measure 5 0 -t 'pass (no signature)=1.4' -t 'podman pull=0.3'
	rm -rf "$W/out" "$W/large-store" "$W/layout" "$LARGE" "$LARGE.asc"
	gpgconf --kill all 2>/dev/null
}

# Everything but the small image; run by sh outside of podman's mount namespace.
podman_forget() {
	local enter=''
	[ "$PODMAN_NS" = - ] || enter="nsenter --mount=$PODMAN_NS"
	echo "$enter $PODMAN images -q --filter reference!=bench | xargs -r $enter $PODMAN rmi -f"
}
