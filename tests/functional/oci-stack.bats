# Several layers, one root: what overlayfs shows of them, what a copy holds, and what unpacking them one over the
# other gives, are the same tree.

load ../lib/gantry

MKOCI=$BATS_TEST_DIRNAME/../lib/mkoci.py

# layout NAME: an image in $BATS_FILE_TMPDIR/layout from a description on standard input, with a busybox below it.
layout() {
	{
		cat <<-EOF
			config Entrypoint ["/bin/sh","-c"]
			config Cmd ["true"]
			layer
			d . 0755 0 0 1000000000
			d bin 0755 0 0 1000000000
			f bin/busybox 0755 0 0 1000000000 @$(busybox_static)
		EOF
		for a in sh cat ls find stat sort id mount touch rm mkdir chmod sleep; do
			echo "s bin/$a busybox"
		done
		cat
	} | "$MKOCI" "$BATS_FILE_TMPDIR/layout" "$1" >/dev/null
}

image() { echo "oci:$BATS_FILE_TMPDIR/layout:$1"; }

# Everything that a tree is: one line for each name, below its root.
# What the pod itself has made is left out, and so are times of what it was made in.
LIST='cd /; find . -xdev ! -path "./proc*" ! -path "./sys*" ! -path "./dev*" ! -path ./etc ! -path . ! -path ./tmp \
	! -path ./etc/hosts ! -path ./etc/hostname ! -path ./etc/mtab ! -path ./etc/resolv.conf | sort | while read -r f; do
		if [ -L "$f" ]; then ls -l "$f" | busybox sed "s/.* //"
		elif [ -d "$f" ]; then stat -c "%n %f %u:%g %Y" "$f"
		elif [ -f "$f" ]; then stat -c "%n %f %u:%g %Y %s" "$f"; busybox md5sum "$f"
		else stat -c "%n %f %u:%g %Y %t:%T" "$f"
		fi
	done; stat -c "%n %f %u:%g" / /etc'

setup_file() {
	need root
	suite_up
	need busybox python
	layout odd <<-EOF
		d etc 0751 3 4 1000000004
		f etc/motd 0640 5 6 1000000005 one
		f etc/gone 0644 0 0 1000000006 x
		h etc/hard etc/motd
		d opt 0775 7 8 1000000007
		f opt/a 0644 0 0 1000000008 a
		d opt/sub 0700 9 9 1000000009
		f opt/sub/b 0644 0 0 1000000010 b
		d var 0755 0 0 1000000011
		d var/lib 0750 11 12 1000000012
		d var/lib/x 1777 13 14 1000000013
		f var/lib/x/f 0644 0 0 1000000014 f
		d turn 0755 0 0 1000000015
		f turn/in 0644 0 0 1000000015 f
		f file 0644 0 0 1000000016 f
		p pipe
		c null 1 3
		s absolute /etc/motd
		layer
		d . 0711 1 2 1000000001
		w etc/gone
		w var/lib/none
		o opt
		f opt/new 0600 0 0 1000000020 new
		f var/lib/x/g 4755 15 16 1000000021 g
		f turn 0644 0 0 1000000022 nowfile
		d file 0700 0 0 1000000023
		f file/in 0644 0 0 1000000024 in
		d implied/twice 0755 0 0 1000000040
		layer
		f var/lib/x/h 0644 0 0 1000000030 h
		w var/lib/x/f
		d opt/sub 0711 2 3 1000000039
		f opt/sub/c 0644 0 0 1000000031 c
		w absolute
		d absolute 0700 1 1 1000000032
		d absolute/dir 0700 1 1 1000000032
		d implied 0700 50 51 1000000042
		layer
		f implied/again 0600 0 0 1000000050
		f etc/motd 0600 20 21 1000000051 four
	EOF
}
teardown_file() { suite_down; }
setup() { test_up; }
teardown() { test_down; }

whole_id() { gantry image list --full --no-legend --fields=id | head -n 1; }

@test "stack: overlay, copy and extraction are one tree" {
	need overlay
	g run --net=none "$(image odd)" -- "$LIST"
	assert_ok
	cp "$T/out" "$T/overlay"
	assert_out './var/lib/x/g 89ed 15:16 1000000021 1'
	g run --no-overlay --net=none "$(image odd)" -- "$LIST"
	assert_ok
	diff "$T/overlay" "$T/out" || fail "the copy differs"
	gantry fetch "$(image odd)" >"$T/id"
	g image extract --rootfs-only "$(cat "$T/id")" "$T/x"
	assert_ok
	chroot "$T/x" /bin/sh -c "$LIST" >"$T/extracted"
	diff "$T/overlay" "$T/extracted" || fail "what was extracted differs"
	# no marks, and nothing that was hidden
	refute_match 'etc/gone|opt/a$|opt/sub/b|lib/x/f|turn/in|[.]wh'
	assert_equal "$(stat -c %a:%u:%g "$T/x" "$T/x/implied" "$T/x/var/lib/x" "$T/x/etc" | xargs)" \
		'711:1:2 700:50:51 1777:13:14 751:3:4'
	assert_equal "$(stat -c %Y "$T/x/var/lib/x" "$T/x/etc" "$T/x/implied" | xargs)" '1000000013 1000000004 1000000042'
	# a hard link whose other name an upper layer has replaced
	assert_equal "$(cat "$T/x/etc/hard" "$T/x/etc/motd")" onefour
}

@test "stack: the tree is umoci's" {
	command -v umoci >/dev/null || skip 'no umoci'
	umoci unpack --image "$BATS_FILE_TMPDIR/layout:odd" "$T/bundle" >/dev/null 2>&1
	gantry fetch "$(image odd)" >"$T/id"
	g image extract --rootfs-only "$(cat "$T/id")" "$T/x"
	assert_ok
	# umoci touches a directory when it removes something from it.
	(cd "$T/bundle/rootfs" && find . -printf '%p %y %m %U:%G %l %n %T@\n' && find . -type f -exec md5sum {} +) | LC_ALL=C sort |
		sed -E '/^(\.|\.\/(opt|absolute)) d/s/ [^ ]*$//' >"$T/a"
	(cd "$T/x" && find . -printf '%p %y %m %U:%G %l %n %T@\n' && find . -type f -exec md5sum {} +) | LC_ALL=C sort |
		sed -E '/^(\.|\.\/(opt|absolute)) d/s/ [^ ]*$//' >"$T/b"
	diff "$T/a" "$T/b" || fail "differs from umoci's"
}

@test "stack: attributes that a lower layer gave are a tree of their own, shared by all starts" {
	g run --net=none "$(image odd)" -- true
	assert_ok
	local attrs=("$DATA"/cas/tree/attrs-sha512-*)
	assert_equal "${#attrs[@]}" 1
	[ -d "${attrs[0]}/rootfs/var/lib/x" ] || fail "no directory that was implied"
	assert_equal "$(find "${attrs[0]}/rootfs" ! -type d | wc -l)" 0
	# changed by somebody: put right
	gantry fetch "$(image odd)" >"$T/id"
	chmod 700 "${attrs[0]}/rootfs/var/lib/x"
	mkdir "${attrs[0]}/rootfs/more"
	g image verify "$(cat "$T/id")"
	assert_status 0
	assert_equal "$(stat -c %a "${attrs[0]}/rootfs/var/lib/x")" 1777
	[ ! -e "${attrs[0]}/rootfs/more" ] || fail "what is too much is still there"
	# lists that are none
	local line first=$(grep -l . "$DATA"/cas/tree/layer-*/implied | head -n 1)
	rm -rf "${attrs[0]}"
	for line in ../../etc a/../b /etc '' a//b 'a b' '\056\056'; do
		printf '%s\n' "$line" >"$T/implied"
		cp "$first" "$T/kept"
		cp "$T/implied" "$first"
		g run --net=none "$(image odd)" -- true
		assert_refused 254 'implied: malformed line'
		cp "$T/kept" "$first"
	done
	g run --net=none "$(image odd)" -- true
	assert_ok
	# removed by somebody: made again
	rm -rf "${attrs[0]}"
	g run --net=none "$(image odd)" -- 'stat -c %a:%u:%g /var/lib/x'
	assert_ok
	assert_equal "$output" 1777:13:14
	# a layer that implies nothing new needs none
	layout plain <<-EOF
		d etc 0755 0 0 1
		layer
		d . 0755 0 0 1000000000
		d etc 0755 0 0 2
		f etc/f 0644 0 0 1
	EOF
	g run --net=none "$(image plain)" -- 'cat /etc/f'
	assert_ok
	attrs=("$DATA"/cas/tree/attrs-sha512-*)
	assert_equal "${#attrs[@]}" 1
}

# high N: an image of N layers: each has a file of its own, a new version of one, and takes one away.
high() {
	{
		echo 'd l 0755 0 0 5'
		echo 'f top 0644 0 0 5 1\n'
		for ((i = 2; i <= $1; i++)); do
			printf 'layer\nd . 0755 0 0 1000000000\nd l 0755 0 0 5\nf l/%d 0644 0 0 5 %d\nf top 0644 0 0 5 %d\\\\n\nw l/%d\n' $i $i $i $((i - 2))
		done
	} | layout "high$1"
	g run --net=none "${@:2}" "$(image "high$1")" -- 'cat /top; ls /l'
	assert_ok
	assert_equal "$(echo $output)" "$(echo $1 $(printf '%s\n' $(($1 - 1)) "$1" | LC_ALL=C sort))"
}

@test "stack: from 3 to 130 layers" {
	local n
	for n in 3 15 16 64 65 130; do
		high $n
	done
	high 130 --no-overlay
}

@test "stack: as many layers as overlayfs takes, and no more" {
	high 499
	{
		for ((i = 2; i <= 500; i++)); do
			printf 'layer\nd . 0755 0 0 1000000000\nf l/%d 0644 0 0 5 %d\n' $i $i
		done
	} | layout too-high
	g run --net=none "$(image too-high)" -- true
	assert_refused 254 'a stack of 50[01] layers, which is more than 499'
}

@test "stack: one layer in several places" {
	{
		echo 'd l 0755 0 0 5'
		for i in 1 2 1 2 1; do
			printf 'layer\nf top 0644 0 0 5 %d\\\\n\nf l%d 0644 0 0 5 %d\nw l%d\n' $i $i $i $((3 - i))
		done
	} | layout again
	g run --net=none "$(image again)" -- 'cat /top; ls / | busybox grep ^l'
	assert_ok
	assert_equal "$(echo $output)" '1 l l1'
	g run --net=none --no-overlay "$(image again)" -- 'cat /top; ls / | busybox grep ^l'
	assert_equal "$(echo $output)" '1 l l1'
}

@test "stack: a layer that hides all below it" {
	layout whole <<-EOF
		d bin 0755 0 0 1
		f old 0644 0 0 1
		layer
		o .
		d . 0755 0 0 1
		d bin 0755 0 0 1
		f bin/sh 0755 0 0 1 @$(busybox_static)
		f bin/ls 0755 0 0 1 @$(busybox_static)
	EOF
	g run --net=none "$(image whole)" -- 'ls /bin /old'
	assert_status 1
	assert_out ls
	refute_out busybox
}

@test "stack: a whiteout of nothing leaves no trace, wherever it stands" {
	layout ghost <<-EOF
		d only 0755 0 0 1
		w only/ghost
		f only/f 0644 0 0 1
		layer
		d new 0755 0 0 1
		w new/ghost
		f new/f 0644 0 0 1
		o opaque
		w opaque/ghost
		f opaque/f 0644 0 0 1
	EOF
	local how
	for how in '' --no-overlay; do
		g run --net=none $how "$(image ghost)" -- 'ls /only /new /opaque'
		assert_ok
		assert_equal "$(echo $output)" '/new: f /only: f /opaque: f'
	done
}

@test "stack: a store that lies on an overlay" {
	need overlay
	g run --net=none "$(image odd)" -- "$LIST"
	assert_ok
	cp "$T/out" "$T/usual"
	mkdir "$T"/{lower,upper,work,merged}
	in_world mount -t overlay overlay -o "lowerdir=$T/lower,upperdir=$T/upper,workdir=$T/work" "$T/merged"
	DATA=$T/merged/data
	g run --net=none "$(image odd)" -- "$LIST"
	assert_ok
	assert_err 'is on an overlay file system'
	diff "$T/usual" "$T/out" || fail "the root differs"
	gantry gc --grace-period=0s
	in_world umount "$T/merged"
	DATA=$T/data
}

@test "stack: volumes begin with what the layers have there" {
	need ns-flavor
	layout filled <<-EOF
		d data 0711 70 71 9
		f data/a 0600 70 70 9 a
		f data/b 0600 70 70 9 b
		d data/sub 0700 7 7 9
		f data/sub/s 0644 0 0 9 s
		d empty 1770 80 81 9
		s link data
		layer
		f data/c 0644 0 0 9 c
		w data/a
		o data/sub
		f data/sub/t 0644 0 0 9 t
		config Volumes {"/data":{},"/empty":{},"/link/sub":{},"/none":{}}
	EOF
	local look='stat -c %a:%u:%g /data /empty; ls /data /data/sub /empty; cat /data/b; echo new > /data/b; touch /empty/x'
	for how in '' --no-overlay; do
		g run --net=none $how --uuid-file-save="$T/uuid" "$(image filled)" -- "$look"
		assert_ok
		assert_equal "$(echo $output)" '711:70:71 1770:80:81 /data: b c sub /data/sub: t /empty: b'
		g run --net=none $how "$(image filled)" -- 'cat /data/b; ls /empty'
		assert_equal "$output" b
	done
}

@test "stack: export holds what the app left of the layers" {
	g run --net=none --uuid-file-save="$T/uuid" "$(image odd)" -- \
		'rm /etc/motd /opt/new; echo mine > /var/lib/x/mine; chmod 700 /opt'
	assert_ok
	g export "$(cat "$T/uuid")" "$T/out.aci"
	assert_ok
	tar -tf "$T/out.aci" >"$T/names"
	grep -qx rootfs/var/lib/x/mine "$T/names" || fail "what was written is not there"
	grep -qx rootfs/var/lib/x/h "$T/names" || fail "what a layer has is not there"
	! grep -E 'etc/motd|opt/new|opt/a$|etc/gone' "$T/names" || fail "what was hidden is there"
	assert_equal "$(tar -tvf "$T/out.aci" rootfs/opt/ --no-recursion | head -n 1 | cut -d' ' -f1,2)" 'drwx------ 7/8'
}

@test "stack: restart, enter and gc" {
	start_pod "$(image odd)" -- 'echo up > /opt/up; sleep 1000'
	local id=$UUID
	wait_for 60 sh -c "ls '$DATA'/pods/run/$id/appsinfo/*/upper/opt/up" || fail "it never wrote"
	g enter "$id" /bin/sh -c 'ls /opt; stat -c %a:%u:%g /var/lib/x'
	assert_ok
	assert_equal "$(echo $output)" 'new sub up 1777:13:14'
	g stop "$id"
	g restart --detach "$id"
	assert_ok
	g enter "$id" ls /opt
	assert_equal "$(echo $output)" 'new sub up'
	g stop "$id"
	g rm "$id"
	assert_ok
}

@test "stack: links in layers lead nowhere outside" {
	echo secret >"$T/secret"
	layout links <<-EOF
		d data 0755 0 0 1
		f data/in 0644 0 0 1 in
		layer
		w data
		s data /etc
		d real 0755 0 0 1
		f real/x 0644 0 0 1 x
		s out ../../../../../../..$T
		layer
		d etc 0755 0 0 1
		f etc/inside 0644 0 0 1 "inside\n"
	EOF
	mkdir "$T/vol"
	echo vol >"$T/vol/v"
	# through the link of a layer to a directory of another
	g run --net=none --volume=v,kind=host,source="$T/vol" --mount=volume=v,target=/data/sub "$(image links)" -- \
		'cat /etc/sub/v /data/inside; ls /out 2>&1'
	assert_status 1
	assert_equal "$(echo ${lines[0]} ${lines[1]})" 'vol inside'
	[ ! -e "$T/sub" ] || fail "outside"
	g run --net=none --volume=v,kind=host,source="$T/vol" --mount=volume=v,target=/out/sub "$(image links)" -- true
	[ ! -e "$T/sub" ] || fail "outside"
}

@test "stack: /proc, /dev and /etc that are something else in a layer" {
	local spec
	for spec in 's proc /etc' 'f proc 0644 0 0 1 x' 's dev /etc' 'f dev 0644 0 0 1 x' 's sys /' 's etc /' 'f etc 0644 0 0 1'; do
		echo "$spec" | layout one
		{
			echo layer
			echo "$spec"
		} | layout two
		g run --net=none "$(image one)" -- 'cat /proc/1/comm; ls -d /dev/null'
		local one="$status $(echo $output)"
		g run --net=none "$(image two)" -- 'cat /proc/1/comm; ls -d /dev/null'
		assert_equal "$status $(echo $output)" "$one"
	done
}

@test "stack: the user's groups are those of the image, a missing directory is made" {
	layout groups <<-EOF
		d etc 0755 0 0 1
		f etc/passwd 0644 0 0 1 "root:x:0:0::/:/bin/sh"
		config WorkingDir "/new/work"
		layer
		f etc/passwd 0644 0 0 1 "root:x:0:0::/:/bin/sh\nweb:x:1000:1001::/:/bin/sh\nbad:x:9:no::/:"
		f etc/group 0644 0 0 1 "root:x:0:\nweb:x:1001:\nextra:x:77:root,web\nother:x:78:webx"
	EOF
	local look='id -u; id -g; busybox grep Groups /proc/self/status; stat -c %n:%a:%u:%g .; pwd'
	user() {
		g run --net=none "$(image groups)" "${@:2}" -- "$look"
		assert_ok
		assert_equal "$(echo $output)" "$1 .:755:0:0 /new/work"
	}
	user '0 0 Groups: 0 77'
	user '1000 1001 Groups: 77 1001' --user=web
	user '1000 1001 Groups: 77 1001' --user=1000
	user '1234 0 Groups: 0' --user=1234
	user '1000 78 Groups: 78' --user=web --group=78
	user '1000 1001 Groups: 5 77 1001' --user=web --supplementary-gids=5
	g run --net=none "$(image groups)" --user=bad -- true
	assert_refused 254 'the line of "bad" has no valid group'
	g run --net=none "$(image groups)" --user=none -- true
	assert_refused 254 '"none" user not found in /etc/passwd of the image'
}

@test "stack: apps end by the signal that the image names" {
	local spec
	for spec in 'SIGUSR1 10' 'usr2 12' '12 12' 'SIGRTMIN+3 37' 'RTMAX 64' 'SIGQUIT 3'; do
		layout signals <<-EOF
			config StopSignal "${spec% *}"
			config Volumes {"/kept":{}}
			d kept 0755 0 0 1
		EOF
		mkdir -p "$T/kept"
		rm -f "$T/kept"/*
		start_pod --volume=volume-kept,kind=host,source="$T/kept" "$(image signals)" -- \
			"for s in 10 12 37 64 3 15; do trap \"echo \$s > /kept/got; exit 0\" \$s; done; : > /kept/up; while :; do sleep 0.1; done"
		wait_for 60 test -e "$T/kept/up" || fail 'it never was up'
		g stop "$UUID"
		wait_state "$UUID" exited
		assert_equal "$(cat "$T/kept/got")" "${spec#* }"
	done
}
