# Documents of image layouts, right ones and wrong ones; beside layers.bash.
# shellcheck shell=bash disable=SC2034

OCI=application/vnd.oci.image
DOCKER=application/vnd.docker

# put DIR TEXT: as a blob; sets $digest and $size.
put() {
	printf '%s' "$2" >"$1/.text"
	digest=$(layout_blob "$1" "$1/.text")
	size=$(stat -c %s "$1/.text")
	rm -f "$1/.text"
}

# described TYPE [MEMBERS]: a descriptor of what was put last.
described() { printf '{"mediaType":"%s","digest":"%s","size":%s%s}' "$1" "$digest" "$size" "${2:-}"; }

# index DIR DESCRIPTOR...: index.json has these and nothing else.
index() {
	local dir=$1 IFS=,
	shift
	printf '{"schemaVersion":2,"manifests":[%s]}' "$*" >"$dir/index.json"
}

# plain_layout DIR: a layout of one layer; $manifest, $config and $layer are descriptors of its parts, $text is
# its manifest.
plain_layout() {
	rm -rf "$1"
	layout_make "$1" test "$LAYER"
	manifest=$(jq -c '.manifests[0] | del(.annotations)' "$1/index.json")
	text=$(cat "$1/blobs/sha256/$(jq -r '.digest[7:]' <<<"$manifest")")
	config=$(jq -c .config <<<"$text")
	layer=$(jq -c '.layers[0]' <<<"$text")
}

# manifest_is DIR TEXT [TYPE]: the layout's one image is this.
manifest_is() {
	put "$1" "$2"
	index "$1" "$(described "${3:-$OCI.manifest.v1+json}")"
}

# config_is DIR JQ: the plain image with a configuration changed by this program.
config_is() {
	local old
	old=$(cat "$1/blobs/sha256/$(jq -r '.digest[7:]' <<<"$config")")
	put "$1" "$(jq -c "$2" <<<"$old")"
	manifest_is "$1" "$(jq -c --argjson c "$(described $OCI.config.v1+json)" '.config=$c' <<<"$text")"
}
