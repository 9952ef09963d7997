# Layers of OCI images: what becomes of them beside what umoci and podman make of them, what is refused, and what
# is left when something goes wrong.

load ../lib/gantry
load ../lib/layers

setup_file() {
	need root
	suite_up
	L=$BATS_FILE_TMPDIR
	TREE_LIST=$BATS_TEST_DIRNAME/../lib/tree_list.sh
	export TREE_LIST
	base_root "$L/base"
	tar --xattrs --xattrs-include='*' --format=pax --sparse -C "$L/base" -cf "$L/base.tar" .
	mkdir -p "$L/second"/{var/cache/x,opt/app,etc,srv}
	(
		cd "$L/second" || exit
		touch var/cache/x/.wh.1 opt/app/.wh..wh..opq .wh.home srv/.wh.none
		echo 3 >var/cache/x/3
		echo new >opt/app/new
		ln -s /etc/hosts etc/h
		chmod 700 etc
	)
	tar -C "$L/second" --format=gnu -cf "$L/second.tar" .
	"$MKTAR" file:usr/lib/deep/x=1 dir:home dir:home/v file:bin/.wh.dir dir:turned file:turned/in=1 file:dir-before=now \
		file:left.tar=1 hard:left.hard=left.tar >"$L/third.tar"
	gzip -kf "$L/base.tar" "$L/second.tar" "$L/third.tar"
	layout_make "$L/layout" all "$L/base.tar.gz" "$L/second.tar.gz" "$L/third.tar.gz"
}
teardown_file() { suite_down; }
setup() {
	test_up
	L=$BATS_FILE_TMPDIR
	INSECURE=image
}
teardown() { test_down; }

# Something of everything that a file system can have.
base_root() {
	mkdir -p "$1"/{bin,etc,usr/lib,var/cache/x,dev,tmp,opt/app/data,home/u,dir-before/sub}
	(
		cd "$1" || exit
		cp "$PROBE" bin/ls
		cp "$PROBE" bin/ping
		echo x >turned
		ln bin/ls bin/dir
		ln -s usr/lib lib
		mknod dev/null c 1 3
		mknod dev/sda b 8 0
		mkfifo tmp/p
		echo x >var/cache/x/1
		echo y >var/cache/x/2
		echo h >etc/hosts
		truncate -s 10M opt/app/sparse
		echo end >>opt/app/sparse
		echo n >"opt/app/data/$(printf 'n%.0s' {1..200})"
		mkdir -p "opt/$(printf 'd%.0s' {1..120})/$(printf 'e%.0s' {1..120})"
		printf 'odd' >"$(printf 'a\tb\\c "d\x01')"
		chmod 1777 tmp
		chmod 4755 bin/ls
		chown 1000:70000 home/u
		chmod 2750 home/u
		setfattr -n user.test -v val etc/hosts 2>/dev/null
		setcap cap_net_raw+ep bin/ping 2>/dev/null
		touch -d '2001-02-03 04:05:06.789' etc/hosts
		touch -d 1999-01-01 etc usr var var/cache
	)
	return 0
}

# same_attributes A B: all but the times of directories that no layer has an entry for, or that only had
# something taken out of: those are when the other program did it.
same_attributes() {
	local tree
	for tree in "$1" "$2"; do
		"$TREE_LIST" "$tree" >"$T/raw"
		sed -E 's,^(d [0-7]+ [0-9]+:[0-9]+) [0-9.]+ (.* \./usr/lib(/deep)?|.* \./bin|.* \.)$,\1 - \2,' "$T/raw" >"$T/list-$([ "$tree" = "$1" ] && echo a || echo b)"
	done
	[ "$(wc -l <"$T/list-a")" -gt 40 ] || fail "that is no list"
	diff "$T/list-a" "$T/list-b" >"$T/diff" || fail "$(cat "$T/diff")"
}

# rendered REFERENCE: its tree, in $T/tree
rendered() {
	g fetch "$1"
	assert_ok
	g image render --overwrite --rootfs-only "$output" "$T/tree"
	assert_ok
}

# What is in cas/DIR besides the image that every sandbox has.
in_cas() { in_world ls -A "$DATA/cas/$1" 2>/dev/null | grep -vx "$PROBE_ID"; }
count() { in_cas "$1" | wc -l; }
nothing_there() { [ -z "$(for dir in blob image partial tmp tree; do in_cas $dir; done)" ]; }
# What a failed fetch must not leave.
assert_nothing_there() {
	nothing_there || fail "left: $(in_world find "$DATA/cas" -mindepth 2 -maxdepth 2)"
}

# refused REFERENCE MESSAGE: and nothing is left; with KEEPS, but for what was right
refused() {
	g fetch "$1"
	assert_refused 254 "$2"
	[ -n "${KEEPS:-}" ] || assert_nothing_there
}

@test "oci layers: the tree is umoci's to the last attribute" {
	need umoci
	rendered "oci:$L/layout:all"
	umoci unpack --image "$L/layout:all" "$T/umoci" >/dev/null 2>&1
	same_attributes "$T/tree" "$T/umoci/rootfs"
}

@test "oci layers: the tree is podman's to the last attribute" {
	need podman
	local p=(podman --root "$T/podman" --runroot "$T/podman-run" --tmpdir "$T/podman-tmp" --storage-driver vfs) id
	id=$(cd "$L" && "${p[@]}" pull -q "oci:layout:all" 2>"$T/podman-error") || skip "podman: $(cat "$T/podman-error")"
	rendered "oci:$L/layout:all"
	same_attributes "$T/tree" "$("${p[@]}" image mount "$id")"
	"${p[@]}" image unmount -f "$id" >/dev/null
	"${p[@]}" rmi -f "$id" >/dev/null
}

@test "oci layers: markers never appear, and hide what they say" {
	rendered "oci:$L/layout:all"
	[ -z "$(find "$T/tree" -name '.wh.*')" ] || fail "a marker is there"
	assert_equal "$(ls "$T/tree/var/cache/x" | xargs)" '2 3'
	assert_equal "$(ls "$T/tree/opt/app")" new
	assert_equal "$(ls "$T/tree/home")" v
	[ ! -e "$T/tree/bin/dir" ] && [ -e "$T/tree/bin/ls" ] || fail "bin: $(ls "$T/tree/bin")"
	assert_equal "$(cat "$T/tree/turned/in") $(cat "$T/tree/dir-before")" '1 now'
}

@test "oci layers: gzip in members, zstd in frames and with frames to skip, neither" {
	need zstd
	local f n=0
	{
		head -c 3000 "$L/third.tar" | gzip
		tail -c +3001 "$L/third.tar" | gzip
		head -c 600 /dev/zero
	} >"$T/1"
	{
		printf '\x50\x2a\x4d\x18\x05\x00\x00\x00hello'
		head -c 3000 "$L/third.tar" | zstd -q
		printf '\x5f\x2a\x4d\x18\x00\x00\x00\x00'
		tail -c +3001 "$L/third.tar" | zstd -q
		printf '\x51\x2a\x4d\x18\x02\x00\x00\x00hi'
	} >"$T/2"
	zstd -q -19 --long=27 -o "$T/3" "$L/third.tar"
	cp "$L/third.tar" "$T/4"
	bzip2 <"$L/third.tar" >"$T/5"
	xz <"$L/third.tar" >"$T/6"
	for f in 1 2 3 4 5 6; do
		layout_make "$T/forms" "f$f" "$T/$f=sha256:$(sha256sum "$L/third.tar" | cut -d' ' -f1)"
		g fetch "oci:$T/forms:f$f"
		assert_ok
		n=$((n + 1))
		assert_equal "$(count blob)" $n
		# one content, one tree
		assert_equal "$(in_cas tree | grep -c layer-)" 1
	done
}

@test "oci layers: a digest of SHA-512" {
	local sum
	sum=$(sha512sum "$L/third.tar.gz" | cut -d' ' -f1)
	LAYER_DIGEST=sha512:$sum layout_make "$T/l" long "$L/third.tar.gz"
	mkdir "$T/l/blobs/sha512"
	cp "$L/third.tar.gz" "$T/l/blobs/sha512/$sum"
	g fetch "oci:$T/l:long"
	assert_ok
	assert_equal "$(in_cas blob)" "sha512-$sum"
	g image rm "$output"
	assert_ok
	head -c "$(stat -c %s "$L/third.tar.gz")" /dev/urandom >"$T/l/blobs/sha512/$sum"
	refused "oci:$T/l:long" "layer 1 of 1, sha512:$sum: "
}

@test "oci layers: what two images share is there once, and stays until the last of them goes" {
	layout_make "$T/l" one "$L/base.tar.gz" "$L/second.tar.gz"
	layout_make "$T/l" two "$L/base.tar.gz" "$L/third.tar.gz" "$L/third.tar.gz"
	g fetch "oci:$T/l:one"
	assert_ok
	local one=$output inode
	inode=$(stat -c %i "$DATA"/cas/blob/*/blob | sort | xargs)
	# the source need not have what is here already
	rm "$T/l/blobs/sha256/$(sha256sum "$L/base.tar.gz" | cut -d' ' -f1)"
	g fetch "oci:$T/l:two"
	assert_ok
	local two=$output
	assert_equal "$(count blob) $(in_cas tree | grep -c layer-)" '3 3'
	for i in $inode; do
		stat -c %i "$DATA"/cas/blob/*/blob | grep -qx "$i" || fail "a blob was fetched again"
	done
	g image rm "$one"
	assert_ok
	assert_equal "$(count blob) $(in_cas tree | grep -c layer-)" '2 2'
	g gc --grace-period=0s
	assert_ok
	assert_equal "$(count blob) $(in_cas tree | grep -c layer-)" '2 2'
	g image render --rootfs-only "$two" "$T/tree"
	assert_ok
	g image rm "$two"
	assert_ok
	assert_nothing_there
}

@test "oci layers: trees that image gc took are made again from the blobs, which are checked again" {
	g fetch "oci:$L/layout:all"
	assert_ok
	local id=$output blob
	g image gc
	assert_ok
	assert_equal "$(count tree) $(count blob)" '0 3'
	g image render --rootfs-only "$id" "$T/tree"
	assert_ok
	assert_equal "$(ls "$T/tree/home")" v
	g image gc
	assert_ok
	blob=$DATA/cas/blob/sha256-$(sha256sum "$L/third.tar.gz" | cut -d' ' -f1)/blob
	printf 'X' | dd of="$blob" bs=1 seek=40 conv=notrunc 2>/dev/null
	g image render --rootfs-only "$id" "$T/tree2"
	assert_refused 254 'layer 3 of 3, sha256:.*: (gzip: |its digest is)'
	# and a fetch mends it
	g fetch "oci:$L/layout:all"
	assert_ok
	g image render --rootfs-only "$id" "$T/tree3"
	assert_ok
}

@test "oci layers: a diff id, a digest or a size that is wrong is refused by both names" {
	local right wrong=sha256:$(printf '%064d' 7) size
	right=sha256:$(sha256sum "$L/third.tar" | cut -d' ' -f1)
	layout_make "$T/l" diff "$L/base.tar.gz" "$L/third.tar.gz=$wrong"
	# the other layer may have come to its end: then the next try need not fetch it, and gc takes it
	KEEPS=1 refused "oci:$T/l:diff" "layer 2 of 2, sha256:[0-9a-f]+: its diff id is $right, not $wrong as the configuration says"
	assert_equal "$(count image)" 0
	g gc --grace-period=0s
	assert_ok
	assert_nothing_there
	# right bytes under a wrong name
	cp "$L/third.tar.gz" "$T/l/blobs/sha256/${wrong#*:}"
	LAYER_DIGEST=$wrong layout_make "$T/l" digest "$L/third.tar.gz"
	refused "oci:$T/l:digest" "layer 1 of 1, $wrong: its digest is sha256:$(sha256sum "$L/third.tar.gz" | cut -d' ' -f1), not $wrong"
	size=$(stat -c %s "$L/third.tar.gz")
	LAYER_SIZE=$((size + 1)) layout_make "$T/l" longer "$L/third.tar.gz"
	refused "oci:$T/l:longer" "layer 1 of 1, sha256:[0-9a-f]+: .*has $size bytes.*, not $((size + 1))"
	LAYER_SIZE=$((size - 1)) layout_make "$T/l" shorter "$L/third.tar.gz"
	refused "oci:$T/l:shorter" "layer 1 of 1, sha256:[0-9a-f]+: .*has $size bytes.*, not $((size - 1))"
}

@test "oci layers: one that is larger than the limit is not begun" {
	LAYER_SIZE=9000000000 layout_make "$T/l" large "$L/third.tar.gz"
	refused "oci:$T/l:large" 'layer 1 of 1, sha256:[0-9a-f]+: it is larger than the limit of 8589934592 bytes'
}

# archive NAME ENTRY...: a layer with these, as the only one of the image NAME
archive() {
	local name=$1
	shift
	"$MKTAR" "$@" >"$T/$name.tar"
	layout_make "$T/l" "$name" "$T/$name.tar"
}

@test "oci layers: hostile names are refused, and nothing outside changes" {
	local outside
	outside=$(find / -maxdepth 1 -printf '%P %m %U ' | sort)
	archive up file:../escaped=x
	refused "oci:$T/l:up" '"../escaped": name with ".."'
	archive deep file:a/../../escaped=x
	refused "oci:$T/l:deep" 'name with ".."'
	archive root sym:.=/tmp
	refused "oci:$T/l:root" '"\.": the root is no directory'
	archive root2 sym:/=/tmp
	refused "oci:$T/l:root2" 'the root is no directory'
	archive white file:a/.wh..=
	refused "oci:$T/l:white" 'a whiteout that names nothing'
	archive white2 file:.wh...=
	refused "oci:$T/l:white2" 'a whiteout that names nothing'
	archive white3 file:.wh.=
	refused "oci:$T/l:white3" 'a whiteout that names nothing'
	archive white4 file:.wh.a/b=
	refused "oci:$T/l:white4" 'something in a whiteout'
	archive hard hard:x=../../../etc/shadow
	refused "oci:$T/l:hard" 'hard link to "../../../etc/shadow": name with ".."'
	archive hard2 hard:x=/etc/shadow
	refused "oci:$T/l:hard2" 'hard link to "/etc/shadow", which is not in this layer'
	archive hard3 sym:up=/etc hard:x=up/shadow
	refused "oci:$T/l:hard3" 'hard link to "up/shadow", which is not in this layer'
	archive loop sym:a=b sym:b=a file:a/x=
	refused "oci:$T/l:loop" 'too many symbolic links are in the way'
	archive long pax:path="$(printf 'n%.0s' {1..300})" file:x=
	refused "oci:$T/l:long" 'name too long'
	archive depth pax:path="$(printf 'd/%.0s' {1..300})x" file:x=
	refused "oci:$T/l:depth" 'path too deep'
	assert_equal "$(find / -maxdepth 1 -printf '%P %m %U ' | sort)" "$outside"
}

@test "oci layers: what climbs by links ends inside of the layer" {
	archive climb sym:up=../../../../.. file:up/etc/climbed=x sym:abs=/etc dir:abs/dir file:abs/file=y
	g fetch "oci:$T/l:climb"
	assert_ok
	g image render --rootfs-only "$output" "$T/tree"
	assert_ok
	assert_equal "$(cat "$T/tree/etc/climbed" "$T/tree/etc/file")" 'xy'
	[ ! -e /etc/climbed ] && [ ! -e /etc/dir ] || fail "it got out"
}

@test "oci layers: an opaque root hides all that is below" {
	"$MKTAR" file:.wh..wh..opq file:only=1 >"$T/opaque.tar"
	layout_make "$T/l" opaque "$L/base.tar.gz" "$T/opaque.tar"
	g fetch "oci:$T/l:opaque"
	assert_ok
	g image render --rootfs-only "$output" "$T/tree"
	assert_ok
	assert_equal "$(ls -A "$T/tree")" only
}

@test "oci layers: damaged and lying archives" {
	local n
	head -c -300 "$L/base.tar.gz" >"$T/cut.gz"
	layout_make "$T/l" cut "$T/cut.gz=sha256:$(sha256sum "$L/base.tar" | cut -d' ' -f1)"
	refused "oci:$T/l:cut" 'layer 1 of 1, sha256:[0-9a-f]+: gzip: the data is cut short'
	{ cat "$L/third.tar.gz"; echo garbage; } >"$T/behind.gz"
	layout_make "$T/l" behind "$T/behind.gz=sha256:$(sha256sum "$L/third.tar" | cut -d' ' -f1)"
	refused "oci:$T/l:behind" 'gzip: there is something behind the end'
	{ cat "$L/third.tar"; echo garbage; } >"$T/behind"
	layout_make "$T/l" behind2 "$T/behind"
	refused "oci:$T/l:behind2" 'there is something behind the end of the archive'
	head -c 10000 /dev/urandom >"$T/noise"
	layout_make "$T/l" noise "$T/noise"
	refused "oci:$T/l:noise" 'no tar archive'
	: >"$T/empty"
	layout_make "$T/l" empty "$T/empty"
	refused "oci:$T/l:empty" 'the file is empty'
	archive badsum badsum:x
	refused "oci:$T/l:badsum" 'wrong checksum of a header'
	archive short short:x=100000 noend
	refused "oci:$T/l:short" 'cut short'
	archive type type:Z,x
	refused "oci:$T/l:type" 'entry of a type that no image has'
	n=$(printf 'x%.0s' {1..90})
	archive dirs "many:$n/$n=3" file:"$n"=
	g fetch "oci:$T/l:dirs"
	assert_ok
}

@test "oci layers: bombs are stopped" {
	need zstd
	"$MKTAR" zeros:big=300 | gzip >"$T/bomb.gz"
	layout_make "$T/l" bomb "$T/bomb.gz"
	refused "oci:$T/l:bomb" 'over the ratio limit'
	"$MKTAR" zeros:big=300 | zstd -q >"$T/bomb.zst"
	layout_make "$T/l" bomb2 "$T/bomb.zst"
	refused "oci:$T/l:bomb2" 'over the ratio limit'
	zstd -q -19 --ultra --long=28 <"$L/base.tar" >"$T/window.zst"
	# a frame of this size says a window only when its size is not told
	if zstd -lv "$T/window.zst" 2>/dev/null | grep -q 'Window Size: 256'; then
		layout_make "$T/l" window "$T/window.zst=sha256:$(sha256sum "$L/base.tar" | cut -d' ' -f1)"
		refused "oci:$T/l:window" 'zstd: the window is larger than the limit'
	fi
	archive huge short:x=60000000000 noend
	refused "oci:$T/l:huge" '"x": the layer is larger than the limit of [0-9]+ bytes'
}

@test "oci layers: devices are made as they are, but none that hides" {
	archive devices chr:null=1,3 blk:disk=8,0 chr:gone=0,0
	g fetch "oci:$T/l:devices"
	assert_ok
	g image render --rootfs-only "$output" "$T/tree"
	assert_ok
	assert_equal "$(cd "$T/tree" && stat -c '%n %F %t:%T' * | xargs -d '\n')" 'disk block special file 8:0 null character special file 1:3'
}

@test "oci layers: several at once do the work once" {
	local i
	for i in 1 2 3 4; do
		g_bg "fetch$i" fetch "oci:$L/layout:all"
		eval "pid$i=$BG"
	done
	for i in 1 2 3 4; do
		eval "wait \$pid$i" || fail "fetch $i: $(cat "$T"/fetch$i* 2>/dev/null)"
	done
	assert_equal "$(count blob) $(count tree) $(count image)" '3 3 1'
	assert_equal "$(in_cas tmp)$(in_cas partial)" ''
}

@test "oci layers: a disk that is full costs this fetch, and nothing is left of it" {
	DATA=$T/small
	mkdir "$DATA"
	in_world mount -t tmpfs -o size=3m,mode=755 small "$DATA"
	head -c 5000000 /dev/urandom >"$T/large"
	"$MKTAR" "from:large=$T/large" | gzip >"$T/large.gz"
	layout_make "$T/l" large "$L/third.tar.gz" "$T/large.gz"
	g fetch "oci:$T/l:large"
	# both are unpacked at once: whichever of them finds the disk full is named
	assert_refused 254 'layer [12] of 2, sha256:[0-9a-f]+: .*No space left on device'
	g gc --grace-period=0s
	assert_ok
	assert_nothing_there
	g fetch "oci:$L/layout:all"
	in_world umount -l "$DATA"
}

@test "oci layers: a disk that is full costs no image its blobs" {
	DATA=$T/small
	mkdir "$DATA"
	in_world mount -t tmpfs -o size=16m,mode=755 small "$DATA"
	head -c 2000000 /dev/urandom >"$T/large"
	"$MKTAR" "from:large=$T/large" | gzip >"$T/large.gz"
	layout_make "$T/l" large "$T/large.gz"
	g fetch "oci:$T/l:large"
	assert_ok
	g image gc
	assert_ok
	assert_equal "$(count tree) $(count blob)" '0 1'
	in_world dd if=/dev/zero of="$DATA/fill" bs=64k count=$(($(in_world stat -fc %f "$DATA") * 4 / 64 - 8)) status=none
	g fetch "oci:$T/l:large"
	assert_refused 254 'No space left on device'
	assert_equal "$(count blob)" 1
	in_world rm "$DATA/fill"
	g fetch "oci:$T/l:large"
	assert_ok
	in_world umount -l "$DATA"
}

@test "oci layers: fetch killed at any moment leaves what gc takes, and nothing half" {
	local i id
	head -c 30000000 /dev/urandom >"$T/large"
	"$MKTAR" "from:large=$T/large" many:f=2000 | gzip -1 >"$T/large.gz"
	layout_make "$T/l" large "$T/large.gz" "$L/base.tar.gz" "$L/second.tar.gz" "$L/third.tar.gz"
	for i in {1..12}; do
		g_bg fetch fetch "oci:$T/l:large"
		sleep "0.$(printf '%03d' $((RANDOM % 600)))"
		kill -KILL "$BG" 2>/dev/null || :
		wait "$BG" 2>/dev/null || :
		g image list --no-legend
		assert_ok
		for id in $(in_cas image); do
			g image rm "$id"
			assert_ok
		done
		# The processes of a killed one end a moment later.
		wait_for 60 collected || fail "left: $(find "$DATA/cas" -mindepth 2 -maxdepth 2)"
	done
	g fetch "oci:$T/l:large"
	assert_ok
}
collected() {
	gantry gc --grace-period=0s 2>/dev/null && nothing_there
}
