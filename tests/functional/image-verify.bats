# image verify.

load ../lib/gantry

setup_file() {
	suite_up
	T=$BATS_FILE_TMPDIR
	mkdir -p "$T/top/dir"
	echo top >"$T/top/dir/file"
	IMAGE_EXTRA=',"dependencies":[{"imageName":"example.com/probe"}]' make_aci "$T/top.aci" example.com/top \
		'{"exec":["/probe"],"user":"0","group":"0"}' "$T/top"
	gantry fetch --pull-policy=new "$T/top.aci" >/dev/null
	export TOP_ID=sha512-$(image_key "$T/top.aci")
	rm -rf "$T/top"
}
teardown_file() { keys_down; suite_down; }
setup() {
	test_up
	TREE=$DATA/cas/tree/$PROBE_ID/rootfs
	cp -a "$TREE" "$T/before"
}
teardown() { test_down; }

assert_good() {
	g image verify "$@"
	assert_ok
	assert_match 'successfully verified checksum for image: "sha512-'
	assert_equal "$stderr" ''
}
# assert_mended WHAT: it is told, exit status 0; then all is well, and as it was.
assert_mended() {
	g image verify example.com/probe
	assert_ok
	assert_err "tree cache verification failed for image $PROBE_ID: .*$1.*;  rebuilding\.\.\."
	assert_good example.com/probe
	assert_same
}
assert_same() {
	local format='%P %y %U:%G %m %l %T@ %s\n' a b
	diff -r --no-dereference "$T/before" "$TREE" >"$T/diff" || fail "$(cat "$T/diff")"
	a=$(cd "$T/before" && find . \( -type d -printf '%P %y %U:%G %m %T@\n' -o -printf "$format" \) | LC_ALL=C sort)
	b=$(cd "$TREE" && find . \( -type d -printf '%P %y %U:%G %m %T@\n' -o -printf "$format" \) | LC_ALL=C sort)
	assert_equal "$b" "$a"
	assert_equal "$(ls "$DATA/cas/tmp")" ''
}

@test "image verify: what is right" {
	assert_good example.com/probe
	assert_good "${PROBE_ID:0:19}" example.com/top
	assert_equal "${#lines[@]}" 2
	assert_same
}

@test "image verify: a file that is missing comes back" {
	rm "$TREE/etc/passwd"
	assert_mended '"/etc/passwd" is missing'
}

@test "image verify: directories, links and all that is in them" {
	rm -r "$TREE/srv" "$TREE/bin" "$TREE/tmp"
	assert_mended 'is missing'
	rm -r "$TREE"
	mkdir "$TREE"
	assert_mended 'is missing'
	rm -r "$TREE"
	assert_mended 'is missing'
}

@test "image verify: contents, owners, modes, times, attributes" {
	local mtime
	mtime=$(stat -c @%Y "$TREE/etc/passwd")
	printf R | dd of="$TREE/etc/passwd" conv=notrunc status=none
	touch -d "$mtime" "$TREE/etc/passwd"
	assert_mended '"/etc/passwd" is not what the image has'
	chown 7 "$TREE/etc/group"
	assert_mended '"/etc/group" is not what the image has'
	chmod 4755 "$TREE/probe"
	assert_mended 'is not what the image has'
	touch "$TREE/etc/group"
	assert_mended '"/etc/group"'
	chmod 700 "$TREE/home"
	assert_mended '"/home/" has other attributes'
	truncate -s 1 "$TREE/etc/group"
	assert_mended '"/etc/group"'
}

@test "image verify: extended attributes" {
	need xattr
	setcap cap_net_raw+p "$TREE/etc/group" || skip "no file capabilities here"
	assert_mended '"/etc/group"'
	setfattr -n user.x -v y "$TREE/home" || skip "no user attributes here"
	assert_mended '"/home/" has other attributes'
	[ -z "$(getfattr -d "$TREE/home" 2>/dev/null)" ] || fail "the attribute stays"
}

@test "image verify: what is too many, and what is something else" {
	touch "$TREE/extra"
	mkdir -p "$TREE/etc/extra/deep"
	assert_mended 'is not in the image'
	rm "$TREE/etc/group" && mkdir -p "$TREE/etc/group/x"
	assert_mended '"/etc/group"'
	rm -r "$TREE/srv" && ln -s /etc "$TREE/srv"
	assert_mended '"/srv"'
	rm "$TREE/usr/bin/probe-in-path" && cp -a "$TREE/probe" "$TREE/usr/bin/probe-in-path"
	assert_mended 'is not the link'
	assert_equal "$(stat -c %i "$TREE/probe")" "$(stat -c %i "$TREE/usr/bin/probe-in-path")"
}

@test "image verify: with dependencies, each layer and what was rendered of them" {
	local rendered
	rendered=$(echo "$DATA"/cas/tree/deps-*/rootfs)
	# one file, which is in both trees
	printf R | dd of="$TREE/etc/passwd" conv=notrunc status=none
	g image verify example.com/top
	assert_ok
	assert_err "failed for image $PROBE_ID: .*/etc/passwd"
	assert_err "failed for image deps-sha512-[0-9a-f]+: .*/etc/passwd"
	assert_good example.com/top
	cmp "$rendered/etc/passwd" "$T/before/etc/passwd" || fail "not mended"
	rm "$rendered/dir/file" "$rendered/probe"
	g image verify example.com/top
	assert_ok
	assert_err "failed for image deps-"
	assert_good example.com/top
	assert_equal "$(cat "$rendered/dir/file")" top
}

@test "image verify: what is not rendered needs none" {
	g image gc
	assert_ok
	g image verify example.com/probe example.com/top
	assert_ok
	assert_equal "$(grep -c 'not rendered; no verification needed' "$T/out")" 2
	[ -z "$(ls "$DATA/cas/tree")" ] || fail "a tree was made"
}

@test "image verify: a running pod goes on" {
	start_pod "$PROBE_ID" -- pause
	rm "$TREE/etc/group"
	touch "$TREE/extra"
	assert_mended 'is missing|is not in the image'
	g enter "$UUID" /probe out alive
	assert_ok
	assert_out alive
	g stop --force "$UUID"
	assert_ok
}

@test "image verify: an archive that is damaged" {
	printf R | dd of="$DATA/cas/image/$PROBE_ID/blob" bs=1 seek=5000 conv=notrunc status=none
	g image verify example.com/probe
	assert_refused 254 "$PROBE_ID" 'damaged|hashes to|checksum'
	g image verify example.com/nothing
	assert_refused 254 'no image "example.com/nothing"'
	g image verify
	assert_refused 254 'must provide at least one image'
	# one that cannot be does not hinder the others
	g image verify example.com/nothing example.com/probe
	assert_refused 254 'no image "example.com/nothing"' "$PROBE_ID"
}

@test "image verify: killed anywhere, the next one ends it" {
	local i
	for i in {1..8}; do
		rm -rf "$TREE/etc" "$TREE/srv"
		touch "$TREE/extra"
		g_bg v image verify example.com/probe
		sleep "0.0$((RANDOM % 60))"
		kill -KILL "$BG" 2>/dev/null || :
		wait "$BG" 2>/dev/null || :
		g image verify example.com/probe
		assert_ok
		g gc
		assert_same
	done
}

@test "image verify: two at once" {
	rm -rf "$TREE/etc" "$TREE/srv"
	g_bg one image verify example.com/probe
	local one=$BG
	g_bg two image verify example.com/probe
	g_wait "$BG" two
	assert_ok
	g_wait "$one" one
	assert_ok
	assert_good example.com/probe
	assert_same
}

@test "image verify --signature: with the keys of today" {
	keys_up
	make_aci "$T/signed.aci" example.com/signed '{"exec":["/probe"],"user":"0","group":"0"}'
	sign "$T/signed.aci" good
	install_key good example.com
	INSECURE=
	g fetch "$T/signed.aci"
	assert_ok
	g image verify --signature example.com/signed
	assert_ok
	assert_match "successfully verified signature of image: \"sha512-.*$(cat "$KEYS/good.fpr")"
	# a key that is trusted no more
	rm -r "$LOCAL/trustedkeys"
	g image verify --signature example.com/signed
	assert_refused 254 'signature made by unknown entity'
	g image verify example.com/signed
	assert_ok
	# one that was never looked at
	g image verify --signature example.com/probe
	assert_refused 254 'it was imported without a signature'
	# and is later
	cp "$FIX/probe.aci" "$T/probe.aci"
	sign "$T/probe.aci" good
	install_key good example.com
	g fetch "$T/probe.aci"
	assert_ok
	g image verify --signature example.com/probe
	assert_ok
}
