# Images in tar files: image layouts, and what docker save writes.

load ../lib/gantry
load ../lib/layers
load ../lib/documents

setup_file() {
	suite_up
	mkdir -p "$BATS_FILE_TMPDIR/tree/etc"
	echo layer >"$BATS_FILE_TMPDIR/tree/etc/layer"
	export PLAIN=$BATS_FILE_TMPDIR/layer.tar LAYER=$BATS_FILE_TMPDIR/layer.tar.gz
	tar -C "$BATS_FILE_TMPDIR/tree" --owner=0 --group=0 --mtime=@0 -cf "$PLAIN" etc
	gzip -n <"$PLAIN" >"$LAYER"
}
teardown_file() { suite_down; }
setup() {
	test_up
	L=$T/layout
	plain_layout "$L"
	index "$L" "$(jq -c '.annotations={"org.opencontainers.image.ref.name":"v1"}' <<<"$manifest")"
	ID=sha512-$(printf '%s' "$text" | sha512sum | cut -c1-32)
}
teardown() { test_down; }

have_skopeo() { command -v skopeo >/dev/null; }
have_zstd() { command -v zstd >/dev/null; }

pack() { tar -C "$L" -cf "$T/a.tar" "${@:-.}"; }

# saved [JQ]: what docker save would write, into $T/d.tar; the program changes manifest.json.
saved() {
	local sum dir=$T/saved
	rm -rf "$dir" && mkdir -p "$dir/aaaa" "$dir/bbbb"
	sum=$(sha256sum <"$PLAIN" | cut -d' ' -f1)
	cp "$PLAIN" "$dir/aaaa/layer.tar"
	ln -s ../aaaa/layer.tar "$dir/bbbb/layer.tar"
	printf '{"os":"linux","architecture":"%s","config":{"Cmd":["/x"]},"rootfs":{"type":"layers","diff_ids":["sha256:%s","sha256:%s"]}}' \
		"$(uname -m | sed 's/x86_64/amd64/; s/aarch64/arm64/')" "$sum" "$sum" >"$dir/config.json"
	echo '[{"Config":"config.json","RepoTags":["busybox:1.36","quay.example/b:2"],"Layers":["aaaa/layer.tar","bbbb/layer.tar"]}]' |
		jq -c "${1:-.}" >"$dir/manifest.json"
	tar -C "$dir" -cf "$T/d.tar" .
}

refused() {
	g fetch "$1"
	assert_refused 254 "${@:2}"
	assert_equal "$(find "$DATA/cas/image" -name oci-manifest)" ''
	assert_equal "$(ls "$DATA/cas/tmp")" ''
}

@test "oci-archive: a layout in a tar, whatever it is called by" {
	local word
	pack
	for word in "oci-archive:$T/a.tar" "oci-archive:$T/a.tar:v1" "oci:$T/a.tar" "oci:$T/a.tar:v1" \
		"oci-archive:$T/a.tar@$(jq -r .digest <<<"$manifest")"; do
		g fetch "$word"
		assert_ok
		assert_equal "$output" "$ID"
	done
	g image list --fields=name --no-legend
	assert_out a:v1
	pack oci-layout index.json blobs
	g fetch "oci-archive:$T/a.tar"
	assert_equal "$output" "$ID"
	assert_equal "$(ls "$DATA/cas/tmp")" ''
}

@test "oci-archive: it may be compressed" {
	local how
	pack
	for how in gzip bzip2 xz zstd; do
		command -v $how >/dev/null || continue
		$how -c <"$T/a.tar" >"$T/$how"
		g fetch "oci-archive:$T/$how"
		assert_ok
		assert_equal "$output" "$ID"
		g image rm "$ID"
	done
	assert_equal "$(ls "$DATA/cas/tmp")" ''
}

@test "oci-archive: what is not as it should be" {
	pack oci-layout blobs
	refused "oci-archive:$T/a.tar" 'there is no "index.json" in the archive'
	pack index.json blobs
	refused "oci-archive:$T/a.tar" 'there is no "oci-layout" in the archive'
	pack oci-layout index.json
	refused "oci-archive:$T/a.tar" "there is no $(jq -r .digest <<<"$manifest") in the archive"
	pack oci-layout index.json blobs ./index.json
	refused "oci-archive:$T/a.tar" '"index.json" is in the archive twice'
	pack
	refused "oci-archive:$T/a.tar:v2" 'there is no image named "v2" in it; there is: "v1"'
	truncate -s -15000 "$T/a.tar"
	refused "oci-archive:$T/a.tar" 'archive "[^"]*/a.tar": '
	echo no tar >"$T/text"
	refused "oci-archive:$T/text" 'archive "[^"]*/text": '
	refused "oci-archive:$T/none" 'archive "[^"]*/none": open: No such file or directory'
	refused "oci-archive:$T" 'it is no regular file'
	mkfifo "$T/fifo"
	refused "oci-archive:$T/fifo" 'it is no regular file'
	gzip -c <"$T/text" >"$T/text.gz"
	refused "oci-archive:$T/text.gz" 'archive "[^"]*/text.gz": '
}

@test "oci-archive: blobs in it are checked like others" {
	local blob=$L/blobs/sha256/$(jq -r '.digest[7:]' <<<"$layer")
	printf x | dd of="$blob" bs=1 seek=20 conv=notrunc status=none
	pack
	refused "oci-archive:$T/a.tar" 'layer 1 of 1, sha256:[0-9a-f]*: '
	plain_layout "$L"
	echo more >>"$blob"
	pack
	refused "oci-archive:$T/a.tar" 'has [0-9]* bytes, not'
	plain_layout "$L"
	mv "$blob" "$L/away"
	ln -s /etc/passwd "$blob"
	pack
	refused "oci-archive:$T/a.tar" 'there is no sha256:[0-9a-f]* in the archive'
}

@test "docker-archive: the image that is meant, its name, and layers that are links" {
	local id
	saved
	g fetch "docker-archive:$T/d.tar"
	assert_ok
	id=$output
	g image list --fields=name --no-legend
	assert_out docker.io/library/busybox:1.36
	g fetch "docker-archive:$T/d.tar:quay.example/b:2"
	assert_equal "$output" "$id"
	g image list --fields=name --no-legend
	assert_out quay.example/b:2
	g fetch "docker-archive:$T/d.tar:docker.io/library/busybox:1.36"
	assert_equal "$output" "$id"
	# One layer in two places is stored once.
	assert_equal "$(ls "$DATA/cas/blob" | wc -l)" 1
	gzip <"$T/d.tar" >"$T/d.tar.gz"
	g fetch "docker-archive:$T/d.tar.gz"
	assert_equal "$output" "$id"
	g image cat-manifest --config docker.io/library/busybox
	assert_equal "$output" "$(cat "$T/saved/config.json")"
}

@test "docker-archive: what is not as it should be" {
	saved
	refused "docker-archive:$T/d.tar:busybox" 'there is no image named "busybox" in it; there is: "busybox:1.36", "quay.example/b:2"'
	saved '. + [.[0]]'
	refused "docker-archive:$T/d.tar" 'there are several images in it, and one must be named: "busybox:1.36"'
	saved '[]'
	refused "docker-archive:$T/d.tar" 'there is no image in it'
	saved '.[0].Config="../../etc/passwd"'
	refused "docker-archive:$T/d.tar" 'there is no "../../etc/passwd" in the archive, which manifest.json names'
	saved '.[0].Layers[1]="none"'
	refused "docker-archive:$T/d.tar" 'there is no "none" in the archive, which manifest.json names'
	saved '.[0].Layers|=.[:1]'
	refused "docker-archive:$T/d.tar" 'manifest.json: 1 layers, and 2 diff_ids in the configuration'
	saved '.[0].Config=5'
	refused "docker-archive:$T/d.tar" 'manifest.json: \[0\].Config: expected string'
	saved '{}'
	refused "docker-archive:$T/d.tar" 'manifest.json: expected array'
	saved
	echo x >>"$T/saved/aaaa/layer.tar"
	tar -C "$T/saved" -cf "$T/d.tar" .
	refused "docker-archive:$T/d.tar" 'layer [12] of 2, sha256:'
	rm "$T/saved/manifest.json"
	echo '{}' >"$T/saved/repositories"
	tar -C "$T/saved" -cf "$T/d.tar" .
	refused "docker-archive:$T/d.tar" 'docker before 1.10 wrote it, without manifest.json'
}

@test "docker-archive: an image by its place, with a name or without" {
	local first
	saved
	jq -c '.config.Cmd=["/second"]' "$T/saved/config.json" >"$T/saved/other.json"
	jq -c '. + [{Config:"other.json",RepoTags:null,Layers:.[0].Layers}]' "$T/saved/manifest.json" >"$T/x"
	mv "$T/x" "$T/saved/manifest.json"
	tar -C "$T/saved" -cf "$T/d.tar" .
	refused "docker-archive:$T/d.tar:@2" 'there is no image @2 in it; the last one is @1$'
	refused "docker-archive:$T/d.tar:@" '"@": expected @ and a number from 0$'
	refused "docker-archive:$T/d.tar:@-1" '"@-1": expected @ and a number from 0$'
	g fetch "docker-archive:$T/d.tar:busybox:1.36"
	assert_ok
	first=$output
	g fetch "docker-archive:$T/d.tar:@0"
	assert_ok
	assert_equal "$output" "$first"
	g fetch "docker-archive:$T/d.tar:@1"
	assert_ok
	g image cat-manifest --config "$output"
	assert_equal "$output" "$(cat "$T/saved/other.json")"
	g image list --fields=name --no-legend
	assert_out docker.io/library/busybox:1.36
	grep -q '^d' <<<"$output" || fail 'named by its file'
	! grep -q @ <<<"$output" || fail 'a place is no tag'
	echo '{"default":[{"type":"reject"}],"transports":{"docker-archive":{"'"$T/d.tar"'":[{"type":"insecureAcceptAnything"}]}}}' >"$LOCAL/policy.json"
	INSECURE='' g fetch "docker-archive:$T/d.tar:@1"
	rm "$LOCAL/policy.json"
	assert_ok
}

@test "docker-archive: compressed layers have their digest in their name" {
	local sum dir=$T/saved
	saved '.[0].Layers|=map("x.tar.gz")'
	cp "$LAYER" "$dir/x.tar.gz"
	tar -C "$dir" -cf "$T/d.tar" .
	refused "docker-archive:$T/d.tar" 'layer "x.tar.gz" is compressed, and its digest stands nowhere'
	sum=$(sha256sum <"$LAYER" | cut -d' ' -f1)
	saved ".[0].Layers|=map(\"$sum.tar.gz\")"
	cp "$LAYER" "$dir/$sum.tar.gz"
	tar -C "$dir" -cf "$T/d.tar" .
	g fetch "docker-archive:$T/d.tar"
	assert_ok
	g image rm "$output"
	echo >>"$dir/$sum.tar.gz"
	tar -C "$dir" -cf "$T/d.tar" .
	refused "docker-archive:$T/d.tar" 'layer [12] of 2, sha256:'
}

@test "oci-archive, docker-archive: by skopeo" {
	need skopeo
	skopeo --insecure-policy copy "oci:$L:v1" "oci-archive:$T/s.tar:x" >/dev/null
	g fetch "oci-archive:$T/s.tar:x"
	assert_ok
	assert_equal "$output" "$ID"
	skopeo --insecure-policy copy "oci:$L:v1" "docker-archive:$T/sd.tar:busybox:2" >/dev/null
	g fetch "docker-archive:$T/sd.tar"
	assert_ok
	g image list --fields=name --no-legend
	assert_out docker.io/library/busybox:2
}
