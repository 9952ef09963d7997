# The limit of an image as a whole, which many layers of a size that is fine may be over.  The files have holes.

load ../lib/gantry
load ../lib/layers

setup_file() {
	need root
	world_up
	fixtures_up
	L=$BATS_FILE_TMPDIR/layers
	mkdir "$L"
	for n in 1 2 3 4 5 6 7 8 9 10; do
		truncate -s 7G "$L/f$n"
		tar -C "$L" -cSf "$L/$n.tar" "f$n"
		rm "$L/f$n"
	done
	export L
}
teardown_file() { world_down; }
setup() {
	sandbox_up "$BATS_TEST_TMPDIR"
	INSECURE=image
}
teardown() { test_down; }

@test "oci image limit: layers that are too large together" {
	layout_make "$T/l" nine "$L"/{1,2,3,4,5,6,7,8,9}.tar
	layout_make "$T/l" ten "$L"/{1,2,3,4,5,6,7,8,9,10}.tar
	g fetch "oci:$T/l:ten"
	assert_refused 254 'layer [0-9]+ of 10, sha256:[0-9a-f]+: with it the image is larger than the limit of 68719476736 bytes, unpacked'
	[ -z "$(ls "$DATA/cas/image" | grep sha512)" ]
	g fetch "oci:$T/l:nine"
	assert_ok
	# what is there counts as well, and one of the ten may be
	g fetch "oci:$T/l:ten"
	assert_refused 254 '(with it the image is|layers are) larger than the limit of 68719476736 bytes'
}

@test "oci image limit: what can be told before anything comes" {
	printf x >"$T/x"
	tar -C "$T" -cf "$T/x.tar" x
	LAYER_SIZE=8000000000 layout_make "$T/l" large "$T/x.tar"
	local layer
	layer=$(jq -c '.manifests[0].digest' "$T/l/index.json" | tr -d '"')
	# nine layers of 8 GB, by what the manifest says of them
	jq -c '.layers = [range(9) as $i | .layers[0] | .digest = "sha256:" + ("\($i)" * 64)]' "$T/l/blobs/sha256/${layer#*:}" | tr -d '\n' >"$T/m"
	jq -c '.rootfs.diff_ids = [range(9) as $i | .rootfs.diff_ids[0]]' "$T/l/blobs/sha256/$(jq -r .config.digest "$T/m" | cut -d: -f2)" | tr -d '\n' >"$T/c"
	jq -c ".config.digest = \"$(layout_blob "$T/l" "$T/c")\" | .config.size = $(stat -c %s "$T/c")" "$T/m" | tr -d '\n' >"$T/m2"
	jq -c ".manifests = [.manifests[0] | .digest = \"$(layout_blob "$T/l" "$T/m2")\" | .size = $(stat -c %s "$T/m2")]" "$T/l/index.json" >"$T/i"
	cp "$T/i" "$T/l/index.json"
	g fetch "oci:$T/l:large"
	assert_refused 254 "the image's layers are larger than the limit of 68719476736 bytes together"
}
