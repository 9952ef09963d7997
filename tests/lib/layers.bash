# shellcheck shell=bash
# OCI image layouts made of given layers, right ones and wrong ones.
#
#	layout_make DIR TAG LAYER...  a layout (added to if it is there) with an image of these files, which may
#	                              be compressed.  LAYER=DIFFID: claim this diff id instead of the right one
#	                              LAYER_DIGEST, LAYER_SIZE, LAYER_MEDIA: what the manifest says of them
#	layout_blob DIR FILE          put the file into it; prints "sha256:..."

have_umoci() { command -v umoci >/dev/null; }
have_podman() { command -v podman >/dev/null; }
have_zstd() { command -v zstd >/dev/null; }

layout_blob() {
	local sum
	sum=$(sha256sum "$2" | cut -d' ' -f1)
	mkdir -p "$1/blobs/sha256"
	cp "$2" "$1/blobs/sha256/$sum"
	echo "sha256:$sum"
}

# What it inflates to, by what the bytes are.
layer_plain() {
	case $(head -c 4 "$1" | od -An -tx1 | tr -d ' \n') in
	1f8b*) gzip -dc <"$1" ;;
	28b52ffd | 5?2a4d18) zstd -dcq <"$1" ;;
	425a68*) bzip2 -dc <"$1" ;;
	fd377a58) xz -dc <"$1" ;;
	*) cat "$1" ;;
	esac
}

layout_make() {
	local dir=$1 tag=$2 file want diffs='' layers='' digest sep='' config manifest old='' text
	local media=${LAYER_MEDIA:-application/vnd.oci.image.layer.v1.tar+gzip}
	shift 2
	mkdir -p "$dir"
	for file; do
		want=${file#*=}
		[ "$want" = "$file" ] && want=
		file=${file%%=*}
		[ -n "$want" ] || want=sha256:$(layer_plain "$file" | sha256sum | cut -d' ' -f1)
		digest=$(layout_blob "$dir" "$file")
		diffs+="$sep\"$want\""
		layers+="$sep{\"mediaType\":\"$media\",\"digest\":\"${LAYER_DIGEST:-$digest}\",\"size\":${LAYER_SIZE:-$(stat -c %s "$file")}}"
		sep=,
	done
	echo "{\"architecture\":\"amd64\",\"os\":\"linux\",\"config\":{\"Cmd\":[\"/bin/sh\"]},\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[$diffs]}}" >"$dir/.text"
	config=$(layout_blob "$dir" "$dir/.text")
	text="{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\"config\":{\"mediaType\":\"application/vnd.oci.image.config.v1+json\",\"digest\":\"$config\",\"size\":$(stat -c %s "$dir/.text")},\"layers\":[$layers]}"
	printf '%s' "$text" >"$dir/.text"
	manifest=$(layout_blob "$dir" "$dir/.text")
	[ ! -e "$dir/index.json" ] || old=$(jq -c '.manifests[]' "$dir/index.json" | tr '\n' ,)
	echo "{\"schemaVersion\":2,\"manifests\":[$old{\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\"digest\":\"$manifest\",\"size\":$(stat -c %s "$dir/.text"),\"annotations\":{\"org.opencontainers.image.ref.name\":\"$tag\"}}]}" >"$dir/index.json"
	echo '{"imageLayoutVersion":"1.0.0"}' >"$dir/oci-layout"
	rm -f "$dir/.text"
}
