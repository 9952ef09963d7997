# image save, image export of OCI images: image layouts that others read.

load ../lib/gantry
load ../lib/layers
load ../lib/documents

setup_file() {
	suite_up
	T=$BATS_FILE_TMPDIR
	mkdir -p "$T/tree/etc"
	echo layer >"$T/tree/etc/layer"
	export LAYER=$T/layer.tar.gz
	tar -C "$T/tree" --owner=0 --group=0 --mtime=@0 -cf - etc | gzip -n >"$LAYER"
	plain_layout "$T/layout"
	index "$T/layout" "$(jq -c '.annotations={"org.opencontainers.image.ref.name":"quay.example/a/b:1"}' <<<"$manifest")"
	layout_make "$T/other" two "$LAYER" "$LAYER"
	export ID OTHER TEXT=$text
	ID=$(gantry fetch --full "oci:$T/layout")
	OTHER=$(gantry fetch --full "oci:$T/other")
}
teardown_file() { suite_down; }
setup() {
	test_up
	F=$BATS_FILE_TMPDIR
}
teardown() { test_down; }

have_skopeo() { command -v skopeo >/dev/null; }
have_umoci() { command -v umoci >/dev/null; }

# The blobs of a layout are what their names say.
assert_blobs() {
	(cd "$1/blobs/sha256" && for f in *; do echo "$f  $f"; done | sha256sum --quiet -c) || fail "blobs of $1"
}
names() { jq -c '[.manifests[].annotations."org.opencontainers.image.ref.name"]' "$1/index.json"; }
again() {
	rm -rf "$T/again"
	"$GANTRY" --dir="$T/again" --insecure-options=image fetch --full "$1"
}

@test "image save: a new layout with the bytes that were fetched" {
	g image save quay.example/a/b "oci:$T/lay"
	assert_ok
	assert_equal "$(names "$T/lay")" '["1"]'
	assert_equal "$(jq -r '.manifests[0].annotations."io.containerd.image.name"' "$T/lay/index.json")" quay.example/a/b:1
	assert_blobs "$T/lay"
	assert_equal "$(cat "$T/lay/blobs/sha256/$(jq -r '.manifests[0].digest[7:]' "$T/lay/index.json")")" "$TEXT"
	diff <(ls "$F/layout/blobs/sha256") <(ls "$T/lay/blobs/sha256") || fail 'other blobs'
	assert_equal "$(stat -c %a "$T/lay" "$T/lay/index.json" | xargs)" '755 644'
	assert_equal "$(again "oci:$T/lay")" "$ID"
	"$GANTRY" --dir="$T/again" image list --fields=name --no-legend | grep -qx quay.example/a/b:1 || fail 'another name'
}

@test "image save: beside other images of a layout; one of the same name is replaced" {
	g image save "$ID" "oci:$T/lay:one"
	assert_ok
	g image save "$OTHER" "oci:$T/lay:two"
	assert_ok
	assert_equal "$(names "$T/lay")" '["one","two"]'
	g image save "$OTHER" "oci:$T/lay:one"
	assert_ok
	assert_equal "$(names "$T/lay")" '["two","one"]'
	assert_equal "$(jq -r '[.manifests[].digest] | unique | length' "$T/lay/index.json")" 1
	assert_blobs "$T/lay"
	assert_equal "$(again "oci:$T/lay:two")" "$OTHER"
	# What others wrote into the index stays.
	jq -c '.annotations={"a":"b"} | .manifests[0].platform={"os":"linux","architecture":"s390x"}' "$T/lay/index.json" >"$T/x"
	cp "$T/x" "$T/lay/index.json"
	g image save "$ID" "oci:$T/lay:three"
	assert_ok
	jq -e '.annotations.a == "b" and .manifests[0].platform.architecture == "s390x"' "$T/lay/index.json" || fail 'lost'
	mkdir "$T/empty"
	g image save "$ID" "oci:$T/empty"
	assert_ok
	assert_equal "$(again "oci:$T/empty")" "$ID"
}

@test "image save: what may not be written to" {
	mkdir -p "$T/full"
	echo mine >"$T/full/file"
	g image save "$ID" "oci:$T/full"
	assert_refused 254 'image layout "[^"]*/full": it is there, and no image layout'
	assert_equal "$(ls "$T/full")" file
	g image save "$ID" "oci:$T/full/file"
	assert_refused 254 'Not a directory'
	g image save "$ID" "oci:$T/none/out"
	assert_refused 254 'No such file or directory'
	g image save "$ID" "oci:$T/.."
	assert_refused 254 'it is there, and no image layout'
	cp -r "$F/layout" "$T/later"
	echo '{"imageLayoutVersion":"2"}' >"$T/later/oci-layout"
	g image save "$ID" "oci:$T/later"
	assert_refused 254 'unknown version "2" of image layouts'
	cp "$F/layout/oci-layout" "$T/later"
	echo '{}' >"$T/later/index.json"
	g image save "$ID" "oci:$T/later"
	assert_refused 254 'index.json: schemaVersion is not 2'
	g image save "$ID" docker-archive:x
	assert_refused 254 'archives of this kind are read only'
	g image save "$ID" docker://x
	assert_refused 254 'images get into a registry by image push'
	g image save "$ID" "oci:$T/x@sha256:$(printf %064d 0)"
	assert_refused 254 'an image cannot be given a digest'
	g image save "$ID"
	assert_refused 254 'must provide an image and oci:DIRECTORY'
	g image save "$ID" /x
	assert_refused 254 'invalid image string'
	g image save "$PROBE_ID" "oci:$T/probe"
	assert_refused 254 'is an ACI, and no OCI image'
	[ ! -e "$T/probe" ] || fail 'something was left'
	g image save none.example/x "oci:$T/probe"
	assert_refused 254 'no image'
}

@test "image save: as a tar; it appears when it is whole" {
	g image save "$ID" "oci-archive:$T/a.tar:name"
	assert_ok
	assert_equal "$(again "oci-archive:$T/a.tar:name")" "$ID"
	cp "$T/a.tar" "$T/b.tar"
	g image save "$OTHER" "oci-archive:$T/a.tar"
	assert_refused 254 'file exists \(try --overwrite\)'
	cmp "$T/a.tar" "$T/b.tar"
	g image save --overwrite "$OTHER" "oci-archive:$T/a.tar"
	assert_ok
	assert_equal "$(again "oci:$T/a.tar")" "$OTHER"
	# The same image is the same tar.
	g image save "$ID" "oci-archive:$T/c.tar:name"
	cmp "$T/c.tar" "$T/b.tar" || fail 'another tar'
	gantry image save --overwrite "$ID" oci-archive:/dev/stdout | tar -tf - >"$T/list"
	assert_equal "$(head -n 1 "$T/list")" oci-layout
	assert_equal "$(tail -n 1 "$T/list")" index.json
	assert_equal "$(ls "$T" | grep -c 'tar[.]')" 0
}

@test "image export: of an OCI image a layout in a tar" {
	g image export "$ID" "$T/e.tar"
	assert_ok
	assert_equal "$(again "oci-archive:$T/e.tar")" "$ID"
	"$GANTRY" --dir="$T/again" image list --fields=name --no-legend | grep -qx quay.example/a/b:1 || fail 'another name'
	g image export "$ID" "$T/e.tar"
	assert_refused 254 'file exists'
}

@test "image save, export: from a store that cannot be written" {
	g image list
	in_world mount --bind "$DATA" "$DATA"
	in_world mount -o remount,bind,ro "$DATA"
	g image save "$ID" "oci:$T/lay"
	assert_ok
	g image export "$ID" "$T/e.tar"
	assert_ok
	assert_equal "$(again "oci-archive:$T/e.tar")" "$ID"
	g image rm "$ID"
	assert_refused 254 'Read-only file system'
	in_world umount "$DATA"
}

@test "image save: others read it" {
	need skopeo umoci
	g image save "$ID" "oci:$T/lay:x"
	assert_equal "$(umoci ls --layout "$T/lay")" x
	umoci unpack --image "$T/lay:x" "$T/bundle" >/dev/null 2>&1
	assert_equal "$(cat "$T/bundle/rootfs/etc/layer")" layer
	g image save "$ID" "oci-archive:$T/lay.tar:x"
	skopeo --insecure-policy copy "oci-archive:$T/lay.tar:x" "dir:$T/dir" >/dev/null
	cmp "$T/dir/$(sha256sum <"$LAYER" | cut -d' ' -f1)" "$LAYER"
}

@test "image save: a layer that is not there is told, and nothing is left" {
	rm -r "$DATA/cas/blob"
	g image save "$ID" "oci:$T/lay"
	assert_refused 254 'layer 1'
	g image save "$ID" "oci-archive:$T/lay.tar"
	assert_refused 254 'layer 1'
	assert_equal "$(cd "$T" && ls -A | grep -c lay)" 0
}
