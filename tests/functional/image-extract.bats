# image extract, and the same rules for image render (what it renders is in render.bats).

load ../lib/gantry

setup_file() {
	suite_up
	T=$BATS_FILE_TMPDIR
	cp -a "$FIX/root" "$T/root"
	ln -s /etc/passwd "$T/root/absolute"
	mkfifo "$T/root/pipe"
	chmod 2755 "$T/root/srv"
	setfattr -n user.note -v kept "$T/root/etc" 2>/dev/null || :
	make_aci "$T/full.aci" example.com/full '{"exec":["/probe"],"user":"0","group":"0"}' "$T/root"
	gantry fetch "$T/full.aci" >/dev/null
}
teardown_file() { suite_down; }
setup() {
	test_up
	F=$BATS_FILE_TMPDIR
}
teardown() { test_down; }

# same_tree A B: names, kinds, owners, modes, times and contents.
same_tree() {
	diff -r --no-dereference --exclude=pipe "$1" "$2" >"$T/diff" || fail "$(cat "$T/diff")"
	local a b format='%P %y %U:%G %m %l\n'
	a=$(cd "$1" && find . -printf "$format" | LC_ALL=C sort)
	b=$(cd "$2" && find . -printf "$format" | LC_ALL=C sort)
	assert_equal "$a" "$b"
}

@test "image extract: manifest and rootfs" {
	local verb
	for verb in extract render; do
		g image $verb example.com/full "$T/$verb"
		assert_ok
		assert_equal "$(ls "$T/$verb" | xargs)" 'manifest rootfs'
		assert_equal "$(cat "$T/$verb/manifest")" "$(tar -xOf "$F/full.aci" manifest)"
		same_tree "$F/root" "$T/$verb/rootfs"
		assert_equal "$(stat -c %Y "$T/$verb/rootfs/etc/passwd")" 1000000000
		# a copy: writing to it does not reach the store
		echo mine >"$T/$verb/rootfs/etc/passwd"
		cmp -s "$F/root/etc/passwd" "$DATA/cas/tree/sha512-$(image_key "$F/full.aci")/rootfs/etc/passwd" || fail "the store was written to"
	done
}

@test "image extract: --rootfs-only" {
	local verb
	for verb in extract render; do
		g image $verb --rootfs-only example.com/full "$T/$verb"
		assert_ok
		same_tree "$F/root" "$T/$verb"
	done
}

@test "image extract: extended attributes and hard links" {
	need xattr
	g image extract --rootfs-only example.com/full "$T/x"
	assert_ok
	assert_equal "$(stat -c %i "$T/x/probe")" "$(stat -c %i "$T/x/usr/bin/probe-in-path")"
}

@test "image extract: by id and short id, into new parents, with slashes at the end" {
	local id=sha512-$(image_key "$F/full.aci") word n=0
	for word in "$id" "${id:0:71}" "${id:0:39}" "${id:0:19}" example.com/full:1.0.0; do
		g image extract "$word" "$T/new/$((++n))//"
		assert_ok
		[ -f "$T/new/$n/manifest" ] || fail "$word"
	done
	cd "$T"
	g image render example.com/full here
	assert_ok
	[ -f "$T/here/manifest" ] || fail "relative path"
}

@test "image extract: what is there stays without --overwrite" {
	local verb
	for verb in extract render; do
		rm -rf "$T/to"
		mkdir "$T/to"
		touch "$T/to/mine"
		g image $verb example.com/full "$T/to"
		assert_refused 254 'output directory exists \(try --overwrite\)'
		[ -e "$T/to/mine" ] || fail "gone"
		g image $verb --overwrite example.com/full "$T/to"
		assert_ok
		assert_equal "$(ls "$T/to" | xargs)" 'manifest rootfs'
		# a link is replaced; where it leads is not touched
		rm -rf "$T/to" "$T/other" && mkdir "$T/other" && touch "$T/other/mine" && ln -s other "$T/to"
		g image $verb --overwrite example.com/full "$T/to"
		assert_ok
		[ -d "$T/to" ] && [ ! -L "$T/to" ] && [ -e "$T/other/mine" ] || fail "link"
	done
}

@test "image extract: / and the store are refused" {
	local verb path
	for verb in extract render; do
		for path in / // /. /usr/.. /../; do
			g image $verb --overwrite example.com/full "$path"
			assert_refused 254 'root filesystem|not the name of a directory'
			g image $verb example.com/full "$path"
			assert_refused 254 'root filesystem|not the name of a directory'
		done
		for path in "$DATA" "$DATA/cas" "$T" "$DATA/cas/tree/"; do
			g image $verb --overwrite example.com/full "$path"
			assert_refused 254 'data directory. Refusing'
		done
	done
	g image verify example.com/full
	assert_ok
	assert_match 'successfully verified'
}

@test "image extract: what cannot be" {
	g image extract example.com/nothing "$T/to"
	assert_refused 254 'no image "example.com/nothing" in the store'
	g image extract sha512-00000000 "$T/to"
	assert_refused 254 'no image IDs found'
	g image extract example.com/full
	assert_refused 254 'must provide an image and an output directory'
	g image extract example.com/full ''
	assert_refused 254 'must provide an image and an output directory'
	echo file >"$T/file"
	g image extract example.com/full "$T/file/out"
	assert_refused 254
	[ ! -e "$T/to" ] || fail "something was made"
}

@test "image extract: a full disk leaves nothing" {
	mkdir "$T/small"
	in_world mount -t tmpfs -o size=64k small "$T/small"
	g image extract example.com/full "$T/small/out"
	assert_refused 254 'No space left on device'
	assert_equal "$(in_world ls -A "$T/small")" ''
	in_world umount "$T/small"
}
