# Images as buildah makes them: from scratch, layer by layer, by its own commands, into a layout, an archive and a
# registry.  Nothing of buildah's is outside of the directory of this file.

load ../lib/gantry
load ../lib/registry

R=127.0.0.1:5000
TREE_LIST=$BATS_TEST_DIRNAME/../lib/tree_list.sh
PLACES=(oci oci-archive docker-archive docker)

have_buildah() { command -v buildah >/dev/null; }

# In the world, without the host's configuration; BUILDAH_ISOLATION: no runtime, no network of its own.
buildah() {
	in_world env HOME="$F/home" TMPDIR="$F/tmp" BUILDAH_ISOLATION=chroot CONTAINERS_CONF=/dev/null \
		CONTAINERS_STORAGE_CONF="$F/storage.conf" timeout -k 5 "$GANTRY_TEST_TIMEOUT" \
		buildah --storage-driver vfs --root "$F/storage" --runroot "$F/run" "$@" </dev/null 3>&- 4>&-
}

# commit CONTAINER FORMAT NAME: everywhere; and it stays in buildah's storage
commit() {
	local to
	for to in "oci:$F/layout:$3" "oci-archive:$F/$3.oci.tar:$3" "docker-archive:$F/$3.docker.tar:docker.io/here/$3:1" \
		"docker://$R/here/$3:1" "$3"; do
		buildah commit -q --format "$2" --tls-verify=false --signature-policy "$F/policy.json" "$1" "$to" || return 1
	done
}

place() { # WHERE NAME: how gantry calls it
	case $1 in
	oci) echo "oci:$F/layout:$2" ;;
	oci-archive) echo "oci-archive:$F/$2.oci.tar" ;;
	docker-archive) echo "docker-archive:$F/$2.docker.tar" ;;
	docker) echo "docker://$R/here/$2:1" ;;
	esac
}

# What the first layer has.
make_root() {
	mkdir -p "$1"/{bin,etc,srv/old/deep,srv/kept,home/u,data,tmp}
	cp "$(busybox_static)" "$1/bin/busybox"
	local a
	for a in sh cat ls rm mv mkdir ln chmod id; do ln -s busybox "$1/bin/$a"; done
	printf 'root:x:0:0::/:/bin/sh\nu:x:1000:1001::/home/u:/bin/sh\n' >"$1/etc/passwd"
	printf 'root:x:0:\ng:x:1001:\nmore:x:1002:u\n' >"$1/etc/group"
	echo 1 >"$1/srv/old/deep/1"
	echo 2 >"$1/srv/old/2"
	echo 3 >"$1/srv/kept/3"
	echo 4 >"$1/srv/4"
	ln "$1/srv/4" "$1/srv/4-again"
	echo begun >"$1/data/begun"
	chmod 1777 "$1/tmp"
	cp "$1/bin/busybox" "$1/bin/ping"
	setcap cap_net_raw+ep "$1/bin/ping" 2>/dev/null || :
	setfattr -n user.who -v buildah "$1/srv/4" 2>/dev/null || :
}

setup_file() {
	need root python busybox registry buildah
	suite_up
	F=$BATS_FILE_TMPDIR
	mkdir -p "$F/home" "$F/tmp" "$F/second"
	printf '[storage]\ndriver = "vfs"\n' >"$F/storage.conf"
	echo '{"default":[{"type":"insecureAcceptAnything"}]}' >"$F/policy.json"
	registry_up plain 5000
	make_root "$F/root"
	local c
	{
		c=$(buildah from --name first scratch)
		buildah copy -q "$c" "$F/root" /
		buildah run --user root "$c" -- /bin/sh -c 'busybox chown -R u:g /data /home/u; chmod 2750 /home/u'
		buildah config --entrypoint '["/bin/sh","-c"]' --cmd '"id; cat /data/begun; pwd; echo $WORD"' --env WORD='two words' \
			--workingdir /srv --user u --volume /data --port 80/tcp --stop-signal SIGUSR1 --label org.example=yes "$c"
		commit "$c" oci first
		# What goes away becomes whiteouts, and what is a directory again, an opaque one or as many of them.
		c=$(buildah from --name second --signature-policy "$F/policy.json" localhost/first)
		buildah run --user root "$c" -- /bin/sh -c 'rm /srv/4; rm -r /srv/old; mkdir /srv/old; echo new >/srv/old/new
			mv /srv/kept /srv/moved; rm /bin/chmod; mkdir /bin/chmod; ln /srv/old/new /srv/hard; rm -r /home/u; ln -s /data /home/u'
		echo added >"$F/second/added"
		buildah copy -q --chown 1000:1001 "$c" "$F/second/added" /data/added
		buildah config --entrypoint '["/bin/ls"]' --cmd '-a /srv' --env WORD- "$c"
		commit "$c" docker second
		# A container of it: times in layers are of whole seconds.
		buildah from --name third --signature-policy "$F/policy.json" localhost/second
		buildah mount third
	} >"$F/log" 2>&1 || { cat "$F/log"; return 1; }
	tail -n 1 "$F/log" >"$F/mounted"
}
teardown_file() {
	registry_down
	suite_down
}
setup() {
	test_up
	F=$BATS_FILE_TMPDIR
	INSECURE=image,http
}
teardown() { test_down; }

@test "oci-buildah: from scratch, from all four places, with all of its configuration" {
	local where
	for where in "${PLACES[@]}"; do
		g run --net=none "$(place "$where" first)"
		assert_ok
		assert_match '^uid=1000\(u\) gid=1001\(g\) groups=.*1002\(more\)' '^begun$' '^/srv$' '^two words$'
		g image cat-manifest "$(place "$where" first)"
		assert_json '.app | (.mountPoints[].path == "/data") and (.ports[].name == "80-tcp")'
		assert_json '[.app.isolators[] | select(.name == "gantry/stop-signal") | .value.signal] == ["SIGUSR1"]'
		assert_json '.annotations[] | select(.name == "org.example") | .value == "yes"'
		g image rm "$(place "$where" first)"
		assert_ok
	done
}

@test "oci-buildah: a second layer of whiteouts, in a pod" {
	local where flag
	for where in "${PLACES[@]}"; do
		for flag in '' --no-overlay; do
			g run --net=none $flag "$(place "$where" second)"
			assert_ok
			assert_equal "$(xargs <<<"$output")" '. .. 4-again hard moved old'
		done
		g run --net=none "$(place "$where" second)" --exec=/bin/sh -- -c \
			'ls -d /bin/chmod/; cat /srv/moved/3 /srv/4-again /srv/hard /data/added; ls /srv/old /home; ls /home/u/; echo $WORD.; id -u'
		assert_ok
		assert_equal "$(xargs <<<"$output")" '/bin/chmod/ 3 4 new added /home: u /srv/old: new added begun . 1000'
		g image rm "$(place "$where" second)"
		assert_ok
	done
}

@test "oci-buildah: the tree is what buildah has mounted, to the last attribute" {
	local where
	# But for the root, which no layer has an entry for: buildah's is 0555, and ours 0755 as Docker's.
	"$TREE_LIST" "$(cat "$F/mounted")" | grep -v ' - - \.$' >"$T/theirs"
	[ "$(wc -l <"$T/theirs")" -gt 40 ] || fail "that is no list"
	for where in "${PLACES[@]}"; do
		g fetch "$(place "$where" second)"
		assert_ok
		g image render --overwrite --rootfs-only "$output" "$T/tree"
		assert_ok
		"$TREE_LIST" "$T/tree" | grep -v ' - - \.$' >"$T/ours"
		diff "$T/theirs" "$T/ours" >"$T/diff" || fail "$where: $(cat "$T/diff")"
		g image rm "$(place "$where" second)"
	done
}

@test "oci-buildah: what two images share is stored once, and fetched once" {
	g fetch "$(place docker first)"
	assert_ok
	local before
	before=$(ls "$DATA/cas/blob" | sort)
	g fetch "$(place docker second)"
	assert_ok
	assert_equal "$(ls "$DATA/cas/blob" | wc -l)" 2
	comm -23 <(echo "$before") <(ls "$DATA/cas/blob" | sort) >"$T/gone"
	[ ! -s "$T/gone" ] || fail "a blob is another one now"
}
