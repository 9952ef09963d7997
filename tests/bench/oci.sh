# shellcheck shell=bash disable=SC2086 # a command is a list of words
# Fetch, verify and unpack a large OCI image: one layer in gzip's form and in zstd's from a layout, six layers
# from a registry; what memory that takes, and two layers in zstd's form.
: "${W:?}" "${GANTRY:?}" "${TOOLS:?}" "${BENCH_MB:?}"

OCI_G="$GANTRY --dir=$W/oci-store --local-config=$W/oci-etc --insecure-options=image,http"
OCI_EMPTY="rm -rf $W/oci-store $W/out; mkdir $W/out"
OCI_TARGETS=(-t 'podman pull=0.2' -t 'umoci unpack=0.2')

oci_gantry() {
	mkdir -p "$W/oci-etc"
	gantry_row 1 1 - "$OCI_EMPTY" "$OCI_G fetch $1"
}

oci_podman() {
	have podman || return 0
	row 'podman pull' 1 1 "$PODMAN_NS" "$(podman_forget)" "$PODMAN pull -q --tls-verify=false $1"
}

# oci_layout FILE: the layout of image.sh with this layer instead.
oci_layout() {
	rm -rf "$W/layout"
	LARGE=$1 image_oci
}

oci_table() { # TEXT LAYER
	title "$1 of $BENCH_MB MB (target: 1.25 x pass; 0.2 x podman and umoci)"
	row pass 1 1 - "$OCI_EMPTY" "$TOOLS/pass -2 -x $W/out $2"
	oci_gantry "oci:$W/layout"
}

# A registry on this network's loopback.
oci_registry() {
	have docker-registry && have skopeo || {
		missing docker-registry 'not installed, or no skopeo (make bench-deps)'
		return 1
	}
	printf 'version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\nstorage: {filesystem: {rootdirectory: %s}}\nhttp: {addr: "127.0.0.1:5000"}\n' \
		"$W/registry" >"$W/registry.yml"
	docker-registry serve "$W/registry.yml" >/dev/null 2>&1 &
	OCI_REGISTRY_PID=$!
}

# oci_parts TAG COUNT COMPRESS...: an image in the registry of so many layers, a sixth of BENCH_MB each.
oci_parts() {
	local dir=$W/oci-parts tag=$1 count=$2 i
	shift 2
	for ((i = 0; i < count; i++)); do
		mkdir -p "$dir/$i"
		"$TOOLS/corpus" "$dir/$i" $((BENCH_MB / 6)) >/dev/null
		tar -C "$dir" --format=gnu --sort=name --numeric-owner --owner=0 --group=0 --mtime=@1000000000 -cf "$dir/$i.tar" $i
		sha256sum <"$dir/$i.tar" | cut -d' ' -f1 >"$dir/$i.diff"
		"$@" <"$dir/$i.tar" >"$dir/$i.layer"
		rm -rf "${dir:?}/$i" "$dir/$i.tar"
	done
	oci_layers "$dir" "$1" && skopeo copy -q --dest-tls-verify=false "oci:$W/parts:all" "docker://127.0.0.1:5000/parts:$tag" 2>"$W/error" || {
		missing docker-registry "no image in it: $(reason)"
		return 1
	}
	rm -rf "$W/parts" "$dir"
}

# oci_layers DIR gzip|zstd: a layout $W/parts of the layers DIR/*.layer, whose diff ids are in DIR/*.diff.
oci_layers() {
	local dir=$W/parts file sum diffs='' layers='' config manifest
	mkdir -p "$dir/blobs/sha256"
	for file in "$1"/*.layer; do
		sum=$(sha256sum "$file" | cut -d' ' -f1)
		diffs+=${diffs:+,}\"sha256:$(cat "${file%.layer}.diff")\"
		layers+="${layers:+,}{\"mediaType\":\"application/vnd.oci.image.layer.v1.tar+$2\",\"digest\":\"sha256:$sum\",\"size\":$(stat -c %s "$file")}"
		ln "$file" "$dir/blobs/sha256/$sum"
	done
	config=$(oci_blob "$dir" "{\"architecture\":\"amd64\",\"os\":\"linux\",\"config\":{},\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[$diffs]}}")
	manifest=$(oci_blob "$dir" "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",
	 \"config\":{\"mediaType\":\"application/vnd.oci.image.config.v1+json\",$config},\"layers\":[$layers]}")
	echo '{"imageLayoutVersion":"1.0.0"}' >"$dir/oci-layout"
	echo "{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",$manifest,\"annotations\":{\"org.opencontainers.image.ref.name\":\"all\"}}]}" >"$dir/index.json"
}

# oci_memory TAG WHAT: the most that all processes of a fetch have of memory that is no file's, at any time that was
# looked at.
oci_memory() {
	local pid dir sum peak=0
	rm -rf "$W/oci-store"
	processes >"$W/before"
	$OCI_G fetch "docker://127.0.0.1:5000/parts:$1" >/dev/null 2>&1 &
	pid=$!
	while kill -0 $pid 2>/dev/null; do
		sum=$(for dir in $(comm -13 "$W/before" <(processes)); do
			case $(readlink "/proc/$dir/exe") in
			"${GANTRY%/bin/gantry}"/*) awk '$1 == "Pss_Anon:" { print $2 }' "/proc/$dir/smaps_rollup" 2>/dev/null ;;
			esac
		done | awk '{ sum += $1 } END { print sum + 0 }')
		[ "$sum" -le $peak ] || peak=$sum
	done
	wait $pid
	printf '  anonymous memory of all processes of a fetch of %s: %d KiB at most (target: 16384)\n' "$2" "$peak"
}

bench_oci() {
	image_make
	oci_layout "$LARGE"
	oci_table 'one layer, gzip, from a layout' "$LARGE"
	if have umoci; then
		row 'umoci unpack' 1 1 - "rm -rf $W/umoci" "umoci unpack --image $W/layout $W/umoci"
	fi
	oci_podman "oci:$W/layout"
	measure 5 0 -t pass=1.25 "${OCI_TARGETS[@]}"
	rm -rf "$W/umoci"
	if have zstd; then
		gzip -dc "$LARGE" | zstd -q -o "$W/large.zst"
		oci_layout "$W/large.zst"
		oci_table 'one layer, zstd, from a layout' "$W/large.zst"
		oci_podman "oci:$W/layout"
		measure 5 0 -t pass=1.25 -t 'podman pull=0.2'
		rm -f "$W/large.zst"
	fi
	rm -rf "$W/layout" "$LARGE"
	title "six layers, gzip, together $BENCH_MB MB, from docker-registry (target: 0.2 x podman)"
	if oci_registry && oci_parts all 6 gzip -6 -n; then
		oci_gantry docker://127.0.0.1:5000/parts:all
		oci_podman docker://127.0.0.1:5000/parts:all
		measure 5 0 -t 'podman pull=0.2'
		oci_memory all 'six layers, gzip'
		if have zstd && oci_parts zstd 2 zstd -q; then
			oci_memory zstd 'two layers, zstd'
		fi
	fi
	[ -z "${OCI_REGISTRY_PID:-}" ] || kill "$OCI_REGISTRY_PID"
	rm -rf "$W/oci-store" "$W/out" "$W/parts" "$W/oci-parts" "$W/registry"
}
