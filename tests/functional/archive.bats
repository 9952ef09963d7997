# Hostile archives: each class of attack on the unpacking of an image is refused by name, nothing is
# made outside, and nothing of it stays in the store.

load ../lib/gantry

setup_file() {
	need root
	world_up
	fixtures_up
}
teardown_file() { world_down; }
setup() {
	sandbox_up "$BATS_TEST_TMPDIR"
	mkdir "$T/outside"
	echo precious >"$T/outside/file"
	chmod 640 "$T/outside/file"
	OUTSIDE=$(outside)
	MANIFEST="file:manifest=$(image_manifest example.com/evil '')"
}
teardown() { test_down; }

outside() { stat -c '%n %a %u %s %Y %h' "$T/outside" "$T/outside/file"; ls "$T/outside"; }

nothing_happened() {
	assert_equal "$(outside)" "$OUTSIDE"
	assert_equal "$(gantry image list --no-legend)" ''
	assert_equal "$(ls "$DATA/cas/tmp" "$DATA/cas/image" "$DATA/cas/tree" 2>/dev/null | grep -v ':$' | xargs)" ''
}

# attack PATTERN ENTRY...: an archive of these entries is refused and the message has the pattern.
attack() {
	local pattern=$1
	shift
	"$MKTAR" "$@" >"$T/evil.aci"
	g fetch "$T/evil.aci"
	[ "$status" = 254 ] && grep -qE -e "$pattern" "$T/err" || fail "for $*
expected 254 and on stderr: $pattern"
	nothing_happened
}

# harmless ENTRY...: it is taken; the tree is in $TREE.
harmless() {
	"$MKTAR" "$@" >"$T/fine.aci"
	g fetch "$T/fine.aci"
	[ "$status" = 0 ] || fail "for $*"
	TREE=$(ls -d "$DATA"/cas/tree/*/rootfs)
	assert_equal "$(outside)" "$OUTSIDE"
}

UP=../../../../../../../../../../../..

@test "archive: names with .. and absolute names" {
	attack 'escape|\.\.' "$MANIFEST" dir:rootfs "file:rootfs/../escape=x"
	attack '\.\.' "$MANIFEST" dir:rootfs "file:rootfs/$UP$T/outside/new=x"
	attack '\.\.' "$MANIFEST" dir:rootfs "file:rootfs/a/../../../new=x"
	attack '\.\.' "$MANIFEST" dir:rootfs "dir:rootfs/.."
	attack 'outside/new' "$MANIFEST" dir:rootfs "file:$T/outside/new=x"
	attack 'outside/new' "$MANIFEST" dir:rootfs "pax:path=$T/outside/new" file:x
	attack '\.\.' "$MANIFEST" dir:rootfs "pax:path=rootfs/$UP$T/outside/new" file:x
	attack '\.\.' "$MANIFEST" dir:rootfs "gnulong:rootfs/$UP$T/outside/new" file:x
}

@test "archive: a symbolic link, and then through it" {
	attack 'link' "$MANIFEST" dir:rootfs "sym:rootfs/link=$T/outside" "file:rootfs/link/new=x"
	attack 'link' "$MANIFEST" dir:rootfs "sym:rootfs/link=$UP$T/outside" "file:rootfs/link/file=x"
	attack 'link' "$MANIFEST" dir:rootfs "sym:rootfs/link=$T/outside" "dir:rootfs/link/sub"
	attack 'link' "$MANIFEST" dir:rootfs "sym:rootfs/link=$T/outside" "sym:rootfs/link/s=x"
	attack 'link' "$MANIFEST" dir:rootfs dir:rootfs/a "sym:rootfs/a/link=../.." "file:rootfs/a/link/manifest=x"
}

@test "archive: a symbolic link, and then the same name again" {
	attack 'link|duplicate|twice' "$MANIFEST" dir:rootfs "sym:rootfs/link=$T/outside/file" "file:rootfs/link=x"
	attack 'link|duplicate|twice' "$MANIFEST" dir:rootfs "sym:rootfs/link=$T/outside" mode:0777 "dir:rootfs/link"
}

@test "archive: rootfs itself, or the top, as a link or a file" {
	attack 'rootfs' "$MANIFEST" "sym:rootfs=$T/outside" "file:rootfs/new=x"
	attack 'rootfs' "$MANIFEST" "file:rootfs=x"
	attack '.' "$MANIFEST" "sym:.=$T/outside" dir:rootfs "file:rootfs/new=x"
	attack '.' "$MANIFEST" dir:rootfs "sym:/=$T/outside"
}

@test "archive: hard links to the outside" {
	attack 'hard|link|file' "$MANIFEST" dir:rootfs "hard:rootfs/h=$T/outside/file"
	attack '\.\.|link' "$MANIFEST" dir:rootfs "hard:rootfs/h=rootfs/$UP$T/outside/file"
	attack 'link' "$MANIFEST" dir:rootfs "sym:rootfs/link=$T/outside" "hard:rootfs/h=rootfs/link/file"
	attack '[hl]' "$MANIFEST" dir:rootfs "hard:rootfs/h=rootfs/not-there"
	attack '[hl]' "$MANIFEST" dir:rootfs "hard:rootfs/h=manifest"
	attack '[hl]' "$MANIFEST" dir:rootfs dir:rootfs/d "hard:rootfs/h=rootfs/d"
	attack '[hl]' "$MANIFEST" dir:rootfs "hard:rootfs/h=rootfs/h"
	# a hard link to a symbolic link gives no way to write to what that points to
	attack 'link|duplicate|twice|h' "$MANIFEST" dir:rootfs "sym:rootfs/link=$T/outside/file" \
		"hard:rootfs/h=rootfs/link" "file:rootfs/h=x"
}

@test "archive: duplicate entries" {
	attack 'duplicate|twice|exists' "$MANIFEST" dir:rootfs file:rootfs/a=1 file:rootfs/a=2
	attack 'duplicate|twice|exists' "$MANIFEST" dir:rootfs file:rootfs/a=1 file:rootfs//a=2
	attack 'duplicate|twice|exists' "$MANIFEST" dir:rootfs file:rootfs/a=1 file:rootfs/./a=2
	attack 'manifest' "$MANIFEST" dir:rootfs "$MANIFEST"
	attack 'duplicate|twice|exists|a' "$MANIFEST" dir:rootfs dir:rootfs/a file:rootfs/a=2
}

@test "archive: the manifest is missing, no file, or too large" {
	attack 'manifest' dir:rootfs file:rootfs/a
	attack 'manifest' dir:manifest dir:rootfs
	attack 'manifest' "sym:manifest=/etc/passwd" dir:rootfs
	attack 'manifest' fifo:manifest dir:rootfs
	attack 'manifest' "hard:manifest=rootfs/a" dir:rootfs
	attack 'manifest' zeros:manifest=2 dir:rootfs
	attack 'manifest' chr:manifest=1,5 dir:rootfs
}

@test "archive: no rootfs, and other names at the top" {
	attack 'rootfs' "$MANIFEST"
	attack 'extra' "$MANIFEST" dir:rootfs file:extra=x
	attack 'rootfs2' "$MANIFEST" dir:rootfs file:rootfs2/a=x
	attack 'Rootfs' "$MANIFEST" dir:rootfs dir:Rootfs
}

@test "archive: the manifest may come last" {
	harmless dir:rootfs file:rootfs/a=x "$MANIFEST"
}

@test "archive: truncated at any place" {
	"$MKTAR" "$MANIFEST" dir:rootfs file:rootfs/a=hello zeros:rootfs/b=1 >"$T/whole"
	local n
	for n in 1 100 511 512 700 1024 1536 2000 2600 500000; do
		head -c $n "$T/whole" >"$T/evil.aci"
		g fetch "$T/evil.aci"
		assert_refused 254 'evil.aci'
		nothing_happened
	done
	gzip -c "$T/whole" >"$T/whole.gz"
	for n in 5 20 200; do
		head -c $n "$T/whole.gz" >"$T/evil.aci"
		g fetch "$T/evil.aci"
		assert_refused 254 'evil.aci'
		nothing_happened
	done
	xz -c "$T/whole" | head -c 200 >"$T/evil.aci"
	g fetch "$T/evil.aci"
	assert_refused 254 'evil.aci'
	nothing_happened
}

@test "archive: a header that claims more than there is" {
	attack 'evil.aci' "$MANIFEST" dir:rootfs short:rootfs/a=8000000000 noend
	attack 'evil.aci' "$MANIFEST" dir:rootfs short:rootfs/a=1000 noend
}

@test "archive: a header with a wrong checksum" {
	attack 'evil.aci' "$MANIFEST" dir:rootfs badsum:rootfs/a
}

@test "archive: formats that are no image" {
	printf '#mtree\n./rootfs type=dir\n./manifest type=file contents=/etc/passwd\n' >"$T/evil.aci"
	g fetch "$T/evil.aci"
	assert_refused 254 evil.aci
	echo "$T/outside/file" | cpio -o 2>/dev/null >"$T/evil.aci" || printf '070707' >"$T/evil.aci"
	g fetch "$T/evil.aci"
	assert_refused 254 evil.aci
	printf 'PK\003\004xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx' >"$T/evil.aci"
	g fetch "$T/evil.aci"
	assert_refused 254 evil.aci
	printf '7z\274\257\047\034xxxxxxxxxxxxxxxxxxxxxxxxxxx' >"$T/evil.aci"
	g fetch "$T/evil.aci"
	assert_refused 254 evil.aci
	printf '!<arch>\nx/              0           0     0     644     1         `\nx\n' >"$T/evil.aci"
	g fetch "$T/evil.aci"
	assert_refused 254 evil.aci
	head -c 100000 /dev/urandom >"$T/evil.aci"
	g fetch "$T/evil.aci"
	assert_refused 254 evil.aci
	# an archive in an archive: compressed twice is not what the specification has
	"$MKTAR" "$MANIFEST" dir:rootfs | gzip -c | gzip -c >"$T/evil.aci"
	g fetch "$T/evil.aci"
	assert_refused 254 evil.aci
	nothing_happened
}

@test "archive: a bomb is stopped by its ratio, soon" {
	"$MKTAR" "$MANIFEST" dir:rootfs zeros:rootfs/bomb=600 | gzip -1 -c >"$T/evil.aci"
	g fetch "$T/evil.aci"
	assert_refused 254 'ratio|limit|too large|larger|bomb'
	nothing_happened
}

@test "archive: zeros that are not out of proportion are fine" {
	harmless "$MANIFEST" dir:rootfs zeros:rootfs/zeros=20
	assert_equal "$(stat -c %s "$TREE/zeros")" $((20 << 20))
}

@test "archive: names and paths that are too long" {
	local long
	long=$(head -c 300 /dev/zero | tr '\0' n)
	attack 'name|long|nnnn' "$MANIFEST" dir:rootfs "pax:path=rootfs/$long" file:x
	long=$(printf 'd/%.0s' {1..3000})
	attack 'name|long|path|deep|depth' "$MANIFEST" dir:rootfs "pax:path=rootfs/${long}x" file:x
	long=$(head -c 70000 /dev/zero | tr '\0' n)
	"$MKTAR" "$MANIFEST" dir:rootfs "gnulong:rootfs/$long" file:x >"$T/evil.aci"
	g fetch "$T/evil.aci"
	assert_refused 254 .
	nothing_happened
}

@test "archive: what is printed of a name cannot steer the terminal" {
	"$MKTAR" "$MANIFEST" dir:rootfs $'pax:path=rootfs/../\e[31mred\r' file:x >"$T/evil.aci"
	g fetch "$T/evil.aci"
	assert_refused 254 red
	! grep -q $'[\e\r]' "$T/err" || fail "escape sequence on stderr"
	nothing_happened
}

@test "archive: unusual types of entries" {
	attack '.' "$MANIFEST" dir:rootfs type:Z,rootfs/odd
	attack '.' "$MANIFEST" dir:rootfs type:V,rootfs/volume type:M,rootfs/multi
}

@test "archive: device nodes are refused, or cannot be opened by an app" {
	local app
	app=$(image_manifest example.com/dev '{"exec":["/probe"],"user":"0","group":"0"}')
	"$MKTAR" "file:manifest=$app" dir:rootfs mode:0755 "from:rootfs/probe=$PROBE" mode:0666 \
		chr:rootfs/mem=1,1 chr:rootfs/null=1,3 blk:rootfs/disk=254,0 mode:1777 dir:rootfs/tmp >"$T/dev.aci"
	g fetch "$T/dev.aci"
	[ "$status" = 0 ] || { assert_refused 254 'device'; return 0; }
	g run --net=none example.com/dev -- open r /mem /disk /null
	assert_ok
	refute_match '=ok$'
}

@test "archive: overlay's and trusted attributes do not get into the store" {
	need xattr
	mkdir -p "$T/root/dir"
	: >"$T/root/dir/file"
	setfattr -n trusted.overlay.opaque -v y "$T/root/dir"
	setfattr -n trusted.evil -v y "$T/root/dir/file"
	image_manifest example.com/xattr '' >"$T/manifest"
	TAR_FLAGS='--format=posix --xattrs --xattrs-include=*' pack_aci "$T/x.aci" "$T/manifest" "$T/root"
	g fetch "$T/x.aci"
	if [ "$status" = 0 ]; then
		assert_equal "$(getfattr -R -d -m 'trusted\.' "$DATA"/cas/tree/*/rootfs 2>/dev/null)" ''
	else
		assert_refused 254 'trusted'
	fi
}

@test "archive: file capabilities and set-user-ID bits are kept" {
	need xattr
	mkdir "$T/root"
	cp "$PROBE" "$T/root/cap"
	setcap cap_net_raw=ep "$T/root/cap"
	cp "$PROBE" "$T/root/suid"
	chmod 4755 "$T/root/suid"
	image_manifest example.com/caps '' >"$T/manifest"
	TAR_FLAGS='--format=posix --xattrs --xattrs-include=*' pack_aci "$T/x.aci" "$T/manifest" "$T/root"
	g fetch "$T/x.aci"
	assert_ok
	assert_equal "$(getcap "$DATA"/cas/tree/*/rootfs/cap | awk '{print $2}')" cap_net_raw=ep
	assert_equal "$(stat -c %a "$DATA"/cas/tree/*/rootfs/suid)" 4755
}

@test "archive: the store is closed to others, whatever modes an image has" {
	harmless "$MANIFEST" mode:0777 dir:rootfs mode:4777 file:rootfs/suid=x
	local dir=$TREE mode open=1
	# some directory above the tree must keep others out
	while [ "$dir" != "$DATA" ]; do
		dir=${dir%/*}
		mode=$(stat -c %a "$dir")
		[ "$dir" = "$DATA" ] || [ $((0$mode & 1)) != 0 ] || open=
	done
	[ $((0$(stat -c %a "$DATA") & 1)) != 0 ] || open=
	[ -z "$open" ] || fail "others can reach $TREE"
}

@test "archive: what follows the end of the archive is part of the ID, or is refused" {
	"$MKTAR" "$MANIFEST" dir:rootfs >"$T/a.aci"
	cp "$T/a.aci" "$T/b.aci"
	"$MKTAR" dir:rootfs "file:rootfs/hidden=x" >>"$T/b.aci"
	g fetch "$T/a.aci"
	assert_ok
	local a=$output
	g fetch "$T/b.aci"
	if [ "$status" = 0 ]; then
		assert_equal "$output" "sha512-$(sha512sum <"$T/b.aci" | head -c 32)"
		[ "$output" != "$a" ] || fail "two archives, one ID"
	else
		assert_refused 254 b.aci
	fi
}

@test "archive: many entries are unpacked in a time that grows with their number" {
	harmless "$MANIFEST" dir:rootfs many:rootfs/f=20000
	assert_equal "$(find "$TREE" -type f | wc -l)" 20000
}

@test "archive: a read-only directory in the image can have content" {
	harmless "$MANIFEST" dir:rootfs mode:0555 dir:rootfs/ro mode:0444 file:rootfs/ro/file=x
	assert_equal "$(stat -c %a "$TREE/ro")" 555
	assert_equal "$(cat "$TREE/ro/file")" x
}

@test "archive: a parent that the archive does not name is made" {
	harmless "$MANIFEST" file:rootfs/a/b/c=x
	assert_equal "$(cat "$TREE/a/b/c")" x
	assert_equal "$(stat -c '%a %u:%g' "$TREE/a")" '755 0:0'
}
