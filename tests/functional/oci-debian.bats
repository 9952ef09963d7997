# A whole root file system of Debian, as debootstrap makes it, as an image: what is unpacked, what umoci and podman make
# of the same layers, and what runs in it.

load ../lib/gantry
load ../lib/layers
load ../lib/debian

setup_file() {
	need root xattr
	need_debian
	[ "$(df --output=avail -m "$BATS_FILE_TMPDIR" | tail -n 1)" -gt 5000 ] || skip "less than 5 GB are free in $BATS_FILE_TMPDIR"
	suite_up
	L=$BATS_FILE_TMPDIR
	export TREE_LIST=$BATS_TEST_DIRNAME/../lib/tree_list.sh
	mkdir -p "$L/second"/{etc,opt/links,usr/share}
	# Over it what a build of nginx would be, and what Debian's packages do not have.
	(
		cd "$L/second" || exit
		touch etc/.wh.motd usr/share/.wh.lintian
		mkdir -p var/www/html usr/local/bin
		echo page >var/www/html/index.html
		cp -a "$DEBIAN/usr/sbin/nginx" usr/local/bin/server
		setcap cap_net_bind_service+ep usr/local/bin/server
		ln usr/local/bin/server opt/links/server
		setfattr -n user.origin -v here var/www/html/index.html
		mkdir -m 2775 srv
		chown 33:33 srv var/www/html
		mknod opt/links/loop b 7 1
		mkfifo -m 600 opt/links/pipe
		touch -h -d '2001-02-03 04:05:06.789012345' var/www/html/index.html opt/links/pipe
		touch -d '1999-12-31 23:59:59.999999999' etc usr/share srv opt/links
	)
	# compilers of PostgreSQL's queries are a third of it, and of no interest here
	pack "$DEBIAN" "$L/first.tar" --exclude='libLLVM-*.so*' --exclude='libz3.so*'
	pack "$L/second" "$L/second.tar"
	# not compressed: that is asked elsewhere, and half a gigabyte takes its time
	LAYER_MEDIA=application/vnd.oci.image.layer.v1.tar layout_make "$L/layout" debian "$L/first.tar" "$L/second.tar"
	rm "$L/first.tar"
	gantry fetch "oci:$L/layout:debian" >"$L/id"
	gantry image render --rootfs-only "$(cat "$L/id")" "$L/tree"
}
pack() { tar --xattrs --xattrs-include='*' --format=pax --numeric-owner -C "$1" --sort=name "${@:3}" -cf "$2" .; }
teardown_file() { suite_down; }
# One store for all of them: copies of it take longer than the tests.
setup() {
	sandbox_up "$BATS_TEST_TMPDIR"
	L=$BATS_FILE_TMPDIR DATA=$FILE_DATA
}
teardown() { test_down; }

# same TREE: ours is that to the last attribute, but for the time of the top when the other program works in it
same() {
	"$TREE_LIST" "$L/tree" "${2:-0}" >"$T/ours"
	"$TREE_LIST" "$1" "${2:-0}" >"$T/theirs"
	[ "$(wc -l <"$T/theirs")" -gt 5000 ] || fail "that is no list"
	diff "$T/theirs" "$T/ours" >"$T/diff" || fail "$(head -n 50 "$T/diff")"
}

@test "oci-debian: the tree is umoci's to the last attribute" {
	need umoci
	umoci unpack --image "$L/layout:debian" "$T/umoci" >"$T/umoci.log" 2>&1 || fail "$(cat "$T/umoci.log")"
	same "$T/umoci/rootfs"
}

@test "oci-debian: the tree is podman's to the last attribute" {
	need podman
	local p=(podman --root "$T/podman" --runroot "$T/podman-run" --tmpdir "$T/podman-tmp" --storage-driver vfs) id
	id=$(cd "$L" && "${p[@]}" pull -q "oci:layout:debian" 2>"$T/podman-error") || skip "podman: $(cat "$T/podman-error")"
	same "$("${p[@]}" image mount "$id")" 1
	"${p[@]}" image unmount -f "$id" >/dev/null
	"${p[@]}" rmi -f "$id" >/dev/null
}

@test "oci-debian: the store has what the layers have" {
	g image verify "$(cat "$L/id")"
	assert_ok
	assert_equal "$(cd "$L/tree" && find . -name '.wh.*')" ''
	[ ! -e "$L/tree/etc/motd" ] && [ ! -e "$L/tree/usr/share/lintian" ] || fail "what the second layer takes away is there"
}

@test "oci-debian: dpkg in a pod finds every file of its packages as it was" {
	g run --net=none "$(cat "$L/id")" --exec=/usr/bin/dpkg -- --verify
	assert_ok
	grep -vE ' (/etc/motd|/usr/share/lintian(/.*)?|/usr/lib/.*/lib(LLVM|z3).*\.so.*)$' <<<"$output" >"$T/differ" || :
	COMMAND_SHOWN=
	[ ! -s "$T/differ" ] || fail "$(head -n 50 "$T/differ")"
	g run --net=none "$(cat "$L/id")" --exec=/usr/bin/dpkg-query -- -W -f='${db:Status-Status}\n'
	assert_ok
	assert_equal "$(sort -u <<<"$output")" installed
}

@test "oci-debian: its programs work: users, set-user-id, Perl, what the second layer brings" {
	g run --net=none "$(cat "$L/id")" --exec=/bin/bash -- -ec '
		su -s /bin/sh www-data -c "id -un; cat /var/www/html/index.html"
		stat -c "%a %U" /usr/bin/passwd /usr/bin/su
		perl -e "print q(perl ), 6 * 7, qq(\n)"
		/usr/local/bin/server -v 2>&1 | cut -d/ -f1
		stat -c "%h %t:%T" /opt/links/server /opt/links/loop
		useradd -m somebody && su somebody -c "cd && pwd && touch x && ls"
		tar -C /usr/share -cf - common-licenses | gzip -1 | gzip -dc | tar -tf - | grep -c /GPL-3'
	assert_ok
	assert_equal "$output" 'www-data
page
4755 root
4755 root
perl 42
nginx version: nginx
2 0:0
1 7:1
/home/somebody
x
1'
}
