# Image layouts as a source of images: which image is meant, and documents that nobody should believe.

load ../lib/gantry
load ../lib/layers
load ../lib/documents

setup_file() {
	suite_up
	mkdir -p "$BATS_FILE_TMPDIR/tree/etc"
	echo layer >"$BATS_FILE_TMPDIR/tree/etc/layer"
	tar -C "$BATS_FILE_TMPDIR/tree" --owner=0 --group=0 --mtime=@0 -cf - etc | gzip -n >"$BATS_FILE_TMPDIR/layer.tar.gz"
	export LAYER=$BATS_FILE_TMPDIR/layer.tar.gz
}
teardown_file() { suite_down; }
setup() {
	test_up
	L=$T/layout
	plain_layout "$L"
}
teardown() { test_down; }

# Refused with this text, and nothing of it is in the store.
refused() {
	g fetch "oci:$L${REF:-}"
	assert_refused 254 "$@"
	assert_equal "$(find "$DATA/cas/image" -name oci-manifest)" ''
	assert_equal "$(ls "$DATA/cas/tmp")" ''
}

id_of() { echo "sha512-$(printf '%s' "$1" | sha512sum | cut -c1-32)"; }

@test "oci-layout: the id is the hash of the manifest; documents and layers are kept as they are" {
	g fetch "oci:$L"
	assert_ok
	assert_equal "$output" "$(id_of "$text")"
	g image cat-manifest --raw "$output"
	assert_equal "$output" "$text"
	g image cat-manifest --config layout
	assert_equal "$output" "$(cat "$L/blobs/sha256/$(jq -r '.digest[7:]' <<<"$config")")"
	cmp "$LAYER" "$DATA/cas/blob/$(jq -r '.digest | sub(":"; "-")' <<<"$layer")/blob"
	assert_equal "$(ls "$DATA/cas/tmp")" ''
	g fetch --full "oci:$L"
	assert_equal "$output" "sha512-$(printf '%s' "$text" | sha512sum | cut -d' ' -f1)"
}

@test "oci-layout: which image is meant: by name, by digest, the only one" {
	layout_make "$L" other "$LAYER" "$LAYER"
	local first
	first=$(jq -r '.manifests[0].digest' "$L/index.json")
	g fetch "oci:$L:test"
	assert_equal "$output" "$(id_of "$text")"
	g fetch "oci:$L:other"
	assert_ok
	[ "$output" != "$(id_of "$text")" ] || fail 'the same image'
	g fetch "oci:$L@$first"
	assert_equal "$output" "$(id_of "$text")"
	g fetch "oci:$L"
	assert_refused 254 'there are several images in it, and one must be named: "test", "other"'
	g fetch "oci:$L:none"
	assert_refused 254 'there is no image named "none" in it; there is: "test", "other"'
	g fetch "oci:$L@sha256:$(printf '%064d' 0)"
	assert_refused 254 'blobs/sha256/0{64}: No such file or directory'
	g image list --fields=name --no-legend
	assert_out layout:other layout:test
}

@test "oci-layout: a name that is a whole reference is the image's name" {
	index "$L" "$(jq -c '.annotations={"org.opencontainers.image.ref.name":"quay.example/a/b:3"}' <<<"$manifest")"
	g fetch "oci:$L"
	assert_ok
	g image list --fields=name --no-legend
	assert_out quay.example/a/b:3
}

@test "oci-layout: of an index the one for this machine, through indexes of indexes" {
	local me other
	me=$(jq -c '.platform={"os":"linux","architecture":"amd64"}' <<<"$manifest")
	other=$(jq -c '.platform={"os":"linux","architecture":"s390x"}' <<<"$manifest")
	put "$L" "{\"schemaVersion\":2,\"manifests\":[$other,$me]}"
	put "$L" "{\"schemaVersion\":2,\"mediaType\":\"$OCI.index.v1+json\",\"manifests\":[$(described $OCI.index.v1+json)]}"
	index "$L" "$(described $OCI.index.v1+json)"
	need_amd64
	g fetch "oci:$L"
	assert_equal "$output" "$(id_of "$text")"
	# Without names the layout's own index is one image for several machines.
	index "$L" "$other" "$me"
	g fetch "oci:$L"
	assert_equal "$output" "$(id_of "$text")"
}

need_amd64() { [ "$(uname -m)" = x86_64 ] || skip 'the test names this architecture'; }

@test "oci-layout: no image for this machine, and what there is" {
	put "$L" "{\"schemaVersion\":2,\"manifests\":[$(jq -c '.platform={"os":"linux","architecture":"s390x"}' <<<"$manifest"),$(
		jq -c '.platform={"os":"unknown","architecture":"unknown"}' <<<"$manifest")]}"
	index "$L" "$(described $OCI.index.v1+json)"
	refused 'no image for linux/[a-z0-9/]*; there is: linux/s390x$'
}

@test "oci-layout: an index without platforms means its first image; a configuration without one is this machine's" {
	put "$L" "{\"schemaVersion\":2,\"manifests\":[$manifest]}"
	index "$L" "$(described $OCI.index.v1+json)"
	g fetch "oci:$L"
	assert_equal "$output" "$(id_of "$text")"
	config_is "$L" 'del(.os, .architecture)'
	g fetch "oci:$L"
	assert_ok
	g image cat-manifest layout
	! grep -q '"arch"' <<<"$output"
}

@test "oci-layout: an image for another machine is told of" {
	config_is "$L" '.architecture="s390x"'
	g fetch "oci:$L"
	assert_ok
	assert_err 'the image is for "linux/s390x", and this machine is linux/'
}

@test "oci-layout: an image for another system is refused before its layers are read" {
	local blob
	config_is "$L" '.os="windows"'
	blob=$L/blobs/sha256/$(jq -r '.digest[7:]' <<<"$layer")
	mv "$blob" "$T/layer"
	refused 'image configuration: os "windows" is not supported, only linux$'
	config_is "$L" '.os="Linux"'
	refused 'os "Linux" is not supported'
	config_is "$L" '.os=""'
	refused "$(basename "$blob")"
}

@test "oci-layout: a policy is asked; without a rule only --insecure-options=image lets it in" {
	INSECURE='' g fetch "oci:$L"
	assert_refused 254 'no rule says that it may be used \(there is no policy.json; see --insecure-options=image\)'
	echo '{"default":[{"type":"reject"}],"transports":{"oci":{"'"$L"'":[{"type":"insecureAcceptAnything"}]}}}' >"$LOCAL/policy.json"
	INSECURE='' g fetch "oci:$L"
	assert_ok
	rm "$LOCAL/policy.json"
	g fetch "oci:$L" --signature=/dev/null
	assert_refused 254 '--signature is for ACIs'
}

# --- hostile documents ---------------------------------------------------------------------------

@test "oci-layout: digests are checked: manifest, configuration, layer" {
	local file
	for file in "$(jq -r '.digest[7:]' <<<"$manifest")" "$(jq -r '.digest[7:]' <<<"$config")"; do
		plain_layout "$L"
		sed -i 's/amd64/amd65/; s/schemaVersion":2/schemaVersion": 2/; s/"size":/"size":0/' "$L/blobs/sha256/$file"
		truncate -s "$(stat -c %s "$L/blobs/sha256/$file")" "$L/blobs/sha256/$file"
		refused "has [0-9]* bytes, not [0-9]*|its digest is sha256:[0-9a-f]*, not sha256:$file"
	done
	plain_layout "$L"
	file=$L/blobs/sha256/$(jq -r '.digest[7:]' <<<"$manifest")
	sed -i 's/gzip/gziq/' "$file"
	refused 'its digest is sha256:[0-9a-f]*, not sha256:'
	plain_layout "$L"
	file=$L/blobs/sha256/$(jq -r '.digest[7:]' <<<"$layer")
	printf '\1' | dd of="$file" bs=1 seek=5 conv=notrunc status=none
	refused 'layer 1 of 1, sha256:[0-9a-f]*: its digest is sha256:'
	plain_layout "$L"
	rm "$L/blobs/sha256/$(jq -r '.digest[7:]' <<<"$layer")"
	refused 'No such file or directory'
}

@test "oci-layout: sizes are checked: manifest, configuration, layer" {
	index "$L" "$(jq -c '.size+=1' <<<"$manifest")"
	refused 'blobs/sha256/[0-9a-f]* has [0-9]* bytes, not'
	manifest_is "$L" "$(jq -c '.config.size=1' <<<"$text")"
	refused 'image configuration: blobs/sha256/[0-9a-f]* has [0-9]* bytes, not 1$'
	manifest_is "$L" "$(jq -c '.layers[0].size-=1' <<<"$text")"
	refused 'has [0-9]* bytes, not'
	manifest_is "$L" "$(jq -c '.config.size=5000000' <<<"$text")"
	refused '5000000 bytes are too many for a document'
	manifest_is "$L" "$(jq -c '.layers[0].size=-1' <<<"$text")"
	refused 'layers\[0\].size: -1 is not within'
}

@test "oci-layout: diff ids are checked, and there are as many as layers" {
	layout_make "$L" wrong "$LAYER=sha256:$(printf '%064d' 1)"
	REF=:wrong refused "its diff id is sha256:[0-9a-f]*, not sha256:0*1 as the configuration says"
	config_is "$L" '.rootfs.diff_ids+=.rootfs.diff_ids'
	refused 'image configuration: 2 diff_ids for 1 layers'
	config_is "$L" '.rootfs.diff_ids=["sha256:../../../etc"]'
	refused 'image configuration: rootfs.diff_ids\[0\]: .* 64 lower-case hex digits'
	config_is "$L" '.rootfs.type="tree"'
	refused 'image configuration: rootfs.type: "tree": not "layers"'
	config_is "$L" 'del(.rootfs)'
	refused 'image configuration: rootfs: required member is missing'
}

@test "oci-layout: digests are no paths" {
	local bad
	for bad in sha256:../../../../etc/passwd sha256: sha1:0123 "sha256:$(printf '%064d' 0 | tr 0 A)" \
		"sha256/$(printf '%064d' 0)" "sha256:$(printf '%063d' 0)/"; do
		index "$L" "{\"mediaType\":\"$OCI.manifest.v1+json\",\"digest\":\"$bad\",\"size\":1}"
		refused 'index.json: image index: manifests\[0\].digest: '
		manifest_is "$L" "$(jq -c --arg d "$bad" '.layers[0].digest=$d' <<<"$text")"
		refused 'image manifest: layers\[0\].digest: '
	done
}

@test "oci-layout: a document is one thing: index or manifest, and what its type says" {
	local i='"manifests":[]'
	manifest_is "$L" "$(jq -c '.manifests=[]' <<<"$text")"
	refused 'more than one kind of document at once'
	manifest_is "$L" "$(jq -c '.Layers=[]' <<<"$text")"
	refused 'member "Layers" is not written layers'
	manifest_is "$L" "$text" $OCI.index.v1+json
	refused 'does not fit what the document holds'
	manifest_is "$L" "$(jq -c ".mediaType=\"$OCI.index.v1+json\"" <<<"$text")"
	refused 'mediaType "[^"]*" does not fit what the document holds'
	manifest_is "$L" "{\"schemaVersion\":2,$i}"
	refused 'does not fit what the document holds'
	manifest_is "$L" "{\"schemaVersion\":1,\"fsLayers\":[]}"
	refused 'schema 1\) is not supported'
	manifest_is "$L" '{"schemaVersion":2}'
	refused 'neither an index nor a manifest'
	printf '%s' "$text" >"$L/index.json"
	refused 'index.json: it is no index'
}

@test "oci-layout: duplicate members, depth, size, and what is no JSON" {
	manifest_is "$L" "${text/\"layers\"/\"layers\":[],\"layers\"}"
	refused 'duplicate member "layers"'
	manifest_is "$L" "${text%\}},\"x\":$(printf '[%.0s' {1..100})$(printf ']%.0s' {1..100})}"
	refused 'nested'
	manifest_is "$L" "${text%\}},\"x\":\"$(head -c 4200000 /dev/zero | tr '\0' x)\"}"
	refused 'larger than 4194304 bytes|are too many for a document|are too many for a manifest'
	manifest_is "$L" "$text trailing"
	refused 'text after the document'
	manifest_is "$L" '<html>'
	refused 'JSON: line 1, column 1'
}

@test "oci-layout: artifacts and unknown media types are refused by name" {
	manifest_is "$L" "$(jq -c '.artifactType="application/spdx" | .config.mediaType="application/vnd.oci.empty.v1+json"' <<<"$text")"
	refused 'an artifact of type "application/spdx", and no image'
	manifest_is "$L" "$(jq -c '.config.mediaType="application/vnd.cncf.helm.config.v1+json"' <<<"$text")"
	refused 'an artifact of type "application/vnd.cncf.helm.config.v1\+json", and no image'
	manifest_is "$L" "$(jq -c '.layers[0].mediaType="application/vnd.in-toto+json"' <<<"$text")"
	refused 'layer 1 is no tar archive: unknown media type "application/vnd.in-toto\+json"'
	manifest_is "$L" "$(jq -c '.mediaType="application/vnd.x"' <<<"$text")"
	refused 'unknown media type "application/vnd.x" of a manifest'
	manifest_is "$L" "$(jq -c '.layers=[]' <<<"$text")"
	refused 'the image has no layers'
	manifest_is "$L" "$text" application/vnd.x
	refused 'there is no image in it'
}

@test "oci-layout: schema 2 of docker is taken as well" {
	local docker
	docker=$(jq -c ".mediaType=\"$DOCKER.distribution.manifest.v2+json\" | .config.mediaType=\"$DOCKER.container.image.v1+json\" |
		.layers[0].mediaType=\"$DOCKER.image.rootfs.diff.tar.gzip\"" <<<"$text")
	manifest_is "$L" "$docker" $DOCKER.distribution.manifest.v2+json
	g fetch "oci:$L"
	assert_equal "$output" "$(id_of "$docker")"
	put "$L" "{\"schemaVersion\":2,\"mediaType\":\"$DOCKER.distribution.manifest.list.v2+json\",\"manifests\":[$(described $DOCKER.distribution.manifest.v2+json)]}"
	index "$L" "$(described $DOCKER.distribution.manifest.list.v2+json)"
	g fetch "oci:$L"
	assert_equal "$output" "$(id_of "$docker")"
}

@test "oci-layout: too many layers, too deep indexes" {
	manifest_is "$L" "$(jq -c '.layers=[range(501) as $i | .layers[0]]' <<<"$text")"
	refused 'image manifest: layers: more than 500'
	put "$L" "$text"
	local i
	for i in {1..12}; do
		put "$L" "{\"schemaVersion\":2,\"manifests\":[$(described $(((i == 1)) && echo $OCI.manifest.v1+json || echo $OCI.index.v1+json))]}"
	done
	index "$L" "$(described $OCI.index.v1+json)"
	refused 'more than 8 indexes inside each other'
}

@test "oci-layout: what the configuration asks for and cannot be is refused before layers are fetched" {
	config_is "$L" '.config.Volumes={"/":{}}'
	refused 'image configuration: Volumes: "/": the root cannot be a volume'
	config_is "$L" '.config.ExposedPorts={"http":{}}'
	refused 'image configuration: ExposedPorts: "http": not a port'
	config_is "$L" '.config.Healthcheck={"Test":["x"]}'
	refused 'image configuration: Healthcheck: "x": neither NONE, CMD nor CMD-SHELL'
	config_is "$L" '.config.Env={"A":"b"}'
	refused 'image configuration: config.Env: expected array'
	config_is "$L" '.config.StopSignal="SIGNOPE"'
	refused 'SIGNOPE'
	assert_equal "$(ls "$DATA/cas/blob" 2>/dev/null)" ''
}

@test "oci-layout: nothing is read that is no regular file in the directory" {
	local blob=$L/blobs/sha256/$(jq -r '.digest[7:]' <<<"$manifest") outside=$T/outside
	mv "$blob" "$outside"
	ln -s "$outside" "$blob"
	refused 'No such file or directory'
	rm "$blob"
	mkfifo "$blob"
	refused 'is no regular file'
	rm "$blob"
	mkdir "$blob"
	refused 'is no regular file'
	rmdir "$blob"
	# A link that stays inside is fine: some tools share blobs by them.
	mv "$outside" "$L/shared"
	ln -s ../../shared "$blob"
	g fetch "oci:$L"
	assert_ok
}

@test "oci-layout: what is no layout" {
	echo '{"imageLayoutVersion":"2.0.0"}' >"$L/oci-layout"
	refused 'unknown version "2.0.0" of image layouts'
	rm "$L/oci-layout"
	refused 'oci-layout: No such file or directory'
	g fetch "oci:$T/none"
	assert_refused 254 'image layout "[^"]*/none": No such file or directory'
	mkfifo "$T/fifo"
	g fetch "oci:$T/fifo"
	assert_refused 254 'it is no regular file'
	g fetch 'oci:'
	assert_refused 254 'invalid image string "oci:": no path'
	g fetch "oci://$L"
	assert_refused 254 'a directory is written oci:PATH'
}
