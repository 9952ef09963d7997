# image export.

load ../lib/gantry

setup_file() {
	suite_up
	T=$BATS_FILE_TMPDIR
	local how
	for how in gzip bzip2 xz; do
		COMPRESS=$how make_aci "$T/$how.aci" example.com/$how '{"exec":["/probe"],"user":"0","group":"0"}'
		gantry fetch "$T/$how.aci" >/dev/null
	done
}
teardown_file() { suite_down; }
setup() {
	test_up
	F=$BATS_FILE_TMPDIR
}
teardown() { test_down; }

hash_of() { sha512sum "$1" | cut -d' ' -f1; }

@test "image export: the identical archive, however it was compressed" {
	local how
	for how in gzip bzip2 xz; do
		g image export example.com/$how "$T/$how.out"
		assert_ok
		cmp "$F/$how.aci" "$T/$how.out" || fail "$how: not the same bytes"
		assert_equal "$(image_key "$T/$how.out")" "$(image_key "$F/$how.aci")"
	done
	g image export example.com/probe "$T/probe.aci"
	assert_ok
	assert_equal "sha512-$(hash_of "$T/probe.aci")" "$PROBE_ID"
	assert_equal "$(stat -c %a "$T/probe.aci")" 644
	assert_equal "$(ls "$DATA/cas/tmp")" ''
}

@test "image export: as a plain tar, by option, by name, or called as rkt" {
	local how
	for how in gzip bzip2 xz; do
		g image export --uncompressed example.com/$how "$T/$how.out"
		assert_ok
		assert_equal "$(hash_of "$T/$how.out")" "$(image_key "$F/$how.aci")"
		g image export example.com/$how "$T/$how.tar"
		assert_ok
		cmp "$T/$how.out" "$T/$how.tar" || fail "$how: by name"
	done
	ln -s "$GANTRY" "$T/rkt"
	in_world "$T/rkt" --dir="$DATA" image export example.com/gzip "$T/rkt.aci"
	cmp "$T/rkt.aci" "$T/gzip.tar" || fail "as rkt"
	assert_equal "$(ls "$DATA/cas/tmp")" ''
}

@test "image export: by id and short id" {
	local id=sha512-$(image_key "$F/xz.aci") n=0 word
	for word in "$id" "${id:0:71}" "${id:0:39}" "${id:0:19}" example.com/xz:1.0.0; do
		g image export "$word" "$T/$((++n)).aci"
		assert_ok
		cmp "$F/xz.aci" "$T/$n.aci" || fail "$word"
	done
}

@test "image export: a file that is there is not touched without --overwrite" {
	echo mine >"$T/out.aci"
	g image export example.com/gzip "$T/out.aci"
	assert_refused 254 'unable to open output file' 'try --overwrite'
	assert_equal "$(cat "$T/out.aci")" mine
	g image export --overwrite example.com/gzip "$T/out.aci"
	assert_ok
	cmp "$F/gzip.aci" "$T/out.aci" || fail "not replaced"
	g image export --overwrite example.com/gzip "$T/new.aci"
	assert_ok
	assert_equal "$(ls "$T" | grep -c aci)" 2
}

@test "image export: into a pipe" {
	gantry image export --overwrite example.com/gzip /dev/stdout | cmp - "$F/gzip.aci" || fail "not the same"
	gantry image export --overwrite --uncompressed example.com/gzip /dev/stdout | sha512sum | cut -d' ' -f1 >"$T/sum"
	assert_equal "$(cat "$T/sum")" "$(image_key "$F/gzip.aci")"
}

@test "image export: what cannot be" {
	g image export example.com/nothing "$T/out.aci"
	assert_refused 254 'no image "example.com/nothing" in the store'
	g image export sha512-00000000 "$T/out.aci"
	assert_refused 254 'no image IDs found'
	g image export sha512-0 "$T/out.aci"
	assert_refused 254 'image ID too short'
	g image export example.com/gzip
	assert_refused 254 'must provide an image and an output file'
	g image export example.com/gzip "$T/no/such/dir.aci"
	assert_refused 254 'unable to open output file'
	g image export example.com/gzip "$T"
	assert_refused 254 'unable to open output file'
	g image export --overwrite example.com/gzip "$T"
	assert_refused 254 'unable to open output file'
	assert_equal "$(ls "$T" | grep -c aci || :)" 0
}

@test "image export: an archive that is damaged is told, and no file is left" {
	local id=sha512-$(image_key "$F/gzip.aci")
	printf X | dd of="$DATA/cas/image/$id/blob" bs=1 seek=$(($(stat -c %s "$F/gzip.aci") / 2)) conv=notrunc status=none
	g image export --uncompressed example.com/gzip "$T/out.tar"
	assert_refused 254 "image $id"
	[ ! -e "$T/out.tar" ] || fail "a file is left"
	assert_equal "$(ls "$T" | grep -c out.tar || :)" 0
}

@test "image export: killed anywhere, no file is left" {
	local i
	for i in {1..8}; do
		g_bg x image export --uncompressed example.com/gzip "$T/out.tar"
		sleep "0.00$((RANDOM % 10))"
		kill -KILL "$BG" 2>/dev/null || :
		wait "$BG" 2>/dev/null || :
		if [ -e "$T/out.tar" ]; then
			assert_equal "$(hash_of "$T/out.tar")" "$(image_key "$F/gzip.aci")"
			rm "$T/out.tar"
		fi
		assert_equal "$(ls "$T" | grep -c out.tar || :)" 0
	done
	g gc
	assert_ok
	assert_equal "$(ls "$DATA/cas/tmp")" ''
}

@test "image export: a full disk leaves no file" {
	mkdir "$T/small"
	in_world mount -t tmpfs -o size=64k small "$T/small"
	g image export example.com/probe "$T/small/out.aci"
	assert_refused 254 'No space left on device'
	assert_equal "$(in_world ls -A "$T/small")" ''
	in_world umount "$T/small"
}
