# gantry build: a directory or an image, and changes of the manifest, to an image that runs.

load ../lib/gantry

setup_file() { suite_up; }
teardown_file() { suite_down; }
setup() {
	test_up
	L=$T/layout
	mkdir -p "$L"
	cp -a "$FIX/root" "$L/rootfs"
	image_manifest example.com/built '{"exec":["/probe"],"user":"0","group":"0"}' >"$L/manifest"
}
teardown() {
	[ -z "${U:-}" ] || rm -rf "$U"
	test_down
}

manifest_of() { tar -xOf "$1" manifest; }

# run_image ACI WORD...: fetch it and run it; words before a lone -- are per-app flags.
run_image() {
	local aci=$1
	shift
	g fetch --full "$aci"
	assert_ok
	g run --net=none "${lines[-1]}" "$@"
}

@test "build: a layout becomes an image with the id that is printed, by gzip, and runs" {
	g build "$L" "$T/a.aci"
	assert_ok
	assert_out "sha512-$(image_key "$T/a.aci")"
	assert_equal "$(head -c 2 "$T/a.aci" | od -An -tx1 | tr -d ' ')" 1f8b
	assert_equal "$(stat -c %a "$T/a.aci")" 644
	cmp <(manifest_of "$T/a.aci") "$L/manifest"
	run_image "$T/a.aci" -- cat /srv/data/from-image
	assert_ok
	assert_match image
}

@test "build: the same files give the same bytes, wherever and whenever" {
	g build --mtime=1000 "$L" "$T/a.aci"
	cp -r "$L" "$T/again"
	find "$T/again" -exec touch -h {} +
	# another order in the directories
	mv "$T/again/rootfs/etc" "$T/again/rootfs/etc2" && mv "$T/again/rootfs/etc2" "$T/again/rootfs/etc"
	cp -a "$L/rootfs/." "$T/again/rootfs"
	g build --mtime=1000 "$T/again" "$T/b.aci"
	assert_ok
	cmp "$T/a.aci" "$T/b.aci"
	assert_equal "$(tar --utc -tvf "$T/a.aci" | grep -cv '1970-01-01 00:16')" 0
	g build --no-compression --mtime=1000 "$L" "$T/c.aci"
	assert_ok
	cmp "$T/c.aci" <(gzip -dc "$T/a.aci")
}

@test "build: order, owners, modes, times, links, holes, devices and attributes are kept" {
	need xattr
	local r=$L/rootfs long
	long=$(printf 'n%.0s' {1..200})
	mkdir -p "$r/$long/$long" "$r/priv"
	echo deep >"$r/$long/$long/$long"
	chmod 4711 "$r/priv" && chown 3000000:4000000 "$r/priv"
	printf x >"$r/b\\a"$'\n\377'
	ln -s "$long/$long" "$r/far"
	truncate -s 5M "$r/holes"
	printf data | dd of="$r/holes" bs=1 seek=3000000 conv=notrunc status=none
	truncate -s 1M "$r/nothing"
	mkdir "$r/many" && (cd "$r/many" && seq 3000 | xargs touch)
	mkfifo "$r/pipe"
	mknod "$r/null" c 1 3
	setfattr -n user.a -v one "$r/priv"
	setfattr -n user.z=% -v 'two = 2' "$r/holes"
	setcap cap_net_raw+ep "$r/bin/cap" 2>/dev/null || { cp "$PROBE" "$r/bin/cap" && setcap cap_net_raw+ep "$r/bin/cap"; }
	setfattr -n trusted.overlay.opaque -v y "$r/priv"
	touch -d @1234567890 "$r/priv" "$r/holes"
	touch -h -d @-5 "$r/far"
	g build "$L" "$T/a.aci"
	assert_ok
	tar -tf "$T/a.aci" >"$T/names"
	assert_equal "$(head -n 2 "$T/names" | tr '\n' ' ')" 'manifest rootfs/ '
	g image extract "$(gantry fetch --full "$T/a.aci")" "$T/tree"
	assert_ok
	list() { (cd "$1" && find . -printf '%p %y %m %U:%G %s %n %l %Ts\n' | sed 's/ d \([0-7]*\) \([^ ]*\) [0-9]*/ d \1 \2/' | LC_ALL=C sort); }
	diff <(list "$r" | sed 's/^\. .*//') <(list "$T/tree/rootfs" | sed 's/^\. .*//')
	assert_equal "$(getfattr -n user.a --only-values "$T/tree/rootfs/priv" 2>/dev/null)" one
	assert_equal "$(getfattr -n 'user.z=%' --only-values "$T/tree/rootfs/holes" 2>/dev/null)" 'two = 2'
	[[ $(getcap "$T/tree/rootfs/bin/cap") == *cap_net_raw=ep* ]] || fail "no capability"
	! getfattr -n trusted.overlay.opaque "$T/tree/rootfs/priv" 2>/dev/null || fail "an attribute of overlayfs"
	cmp "$r/holes" "$T/tree/rootfs/holes"
	[ "$(du -k "$T/tree/rootfs/holes" | cut -f1)" -lt 1000 ] || fail "the holes are gone"
	assert_equal "$(stat -c %i "$T/tree/rootfs/probe")" "$(stat -c %i "$T/tree/rootfs/usr/bin/probe-in-path")"
	# and other readers agree
	mkdir "$T/tar"
	tar -xpf "$T/a.aci" -C "$T/tar"
	cmp "$r/holes" "$T/tar/rootfs/holes"
	cmp "$r/$long/$long/$long" "$T/tar/rootfs/$long/$long/$long"
}

@test "build: --owner-root, by somebody who is not root" {
	# bats' own directory is for root only
	U=$(mktemp -d /tmp/gantry-build.XXXXXX)
	cp -a "$L" "$U/layout"
	mkdir "$U/o"
	chown -R 1234:1234 "$U"
	as_user() { run in_world setpriv --reuid=1234 --regid=1234 --clear-groups "$GANTRY" build "$@"; }
	as_user --owner-root "$U/layout" "$U/o/a.aci"
	[ "$status" = 0 ] || fail "$output"
	assert_equal "$(tar --numeric-owner -tvf "$U/o/a.aci" | awk '{print $2}' | sort -u)" 0/0
	chown 0:0 "$U/layout/rootfs/srv"
	chmod 700 "$U/layout/rootfs/srv"
	as_user "$U/layout" "$U/o/b.aci"
	[ "$status" = 254 ] && [[ $output == *'"rootfs/srv": open: Permission denied'* ]] || fail "$output"
	assert_equal "$(ls "$U/o")" a.aci
}

@test "build: what an image may not hold is refused by name, and nothing is left" {
	mkdir "$T/o"
	echo x >"$L/more"
	g build "$L" "$T/o/a.aci"
	assert_refused 254 'layout: "more": an image has nothing beside manifest and rootfs'
	rm "$L/more"
	python3 -c 'import socket,sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$L/rootfs/srv/sock" 2>/dev/null ||
		timeout 1 nc -lU "$L/rootfs/srv/sock" </dev/null || :
	[ -S "$L/rootfs/srv/sock" ] || fail "no socket"
	g build "$L" "$T/o/a.aci"
	assert_refused 254 'layout: "rootfs/srv/sock": a socket cannot be in an image'
	rm "$L/rootfs/srv/sock"
	(cd "$L/rootfs/srv" && for i in $(seq 210); do mkdir d && cd d; done)
	g build "$L" "$T/o/a.aci"
	assert_refused 254 'path too deep'
	rm -rf "$L/rootfs/srv/d"
	mv "$L/rootfs" "$L/other" && ln -s other "$L/rootfs"
	g build "$L" "$T/o/a.aci"
	assert_refused 254 'rootfs is no directory|"other"'
	rm -rf "$L/other" "$L/rootfs"
	g build "$L" "$T/o/a.aci"
	assert_refused 254 'there is no rootfs'
	mkdir "$L/rootfs"
	echo '{"acKind":"ImageManifest"}' >"$L/manifest"
	g build "$L" "$T/o/a.aci"
	assert_refused 254 'manifest: line 1, column 1: acVersion: required member is missing \(and 1 more'
	rm "$L/manifest"
	g build "$L" "$T/o/a.aci"
	assert_refused 254 'there is no manifest'
	g build "$T/nothing" "$T/o/a.aci"
	assert_refused 254 'open ".*nothing": No such file'
	assert_equal "$(ls "$T/o")" ''
}

@test "build: names and words of the command line" {
	g build "$L"
	assert_refused 254 'must provide a directory and the name of the image'
	g build --patch "$L"
	assert_refused 254 'must provide an image and the name of the new one'
	g build "$L" "$T/a.tar"
	assert_refused 254 'the name of an image ends in .aci'
	g build "$L" "$T/a.aci"
	assert_ok
	g build "$L" "$T/a.aci"
	assert_refused 254 'a.aci" is there already \(see --overwrite\)'
	g build --overwrite --name=example.com/new "$L" "$T/a.aci"
	assert_ok
	manifest_of "$T/a.aci" | jq -e '.name == "example.com/new"' >/dev/null || fail "not replaced"
	g build "$T/a.aci" "$T/b.aci"
	assert_refused 254 'a.aci" is no directory \(an image is changed with --patch\)'
	g build --mtime=soon "$L" "$T/b.aci"
	assert_refused 254 '--mtime: "soon" is no number of seconds'
	g build --patch --owner-root "$T/a.aci" "$T/b.aci"
	assert_refused 254 '--owner-root: an image keeps its owners'
}

@test "build: a manifest from elsewhere" {
	rm "$L/manifest"
	image_manifest example.com/else '{"exec":["/probe"],"user":"0","group":"0"}' >"$T/m.json"
	g build --manifest="$T/m.json" "$L" "$T/a.aci"
	assert_ok
	cmp <(manifest_of "$T/a.aci") "$T/m.json"
	echo 'nonsense' >"$T/m.json"
	g build --overwrite --manifest="$T/m.json" "$L" "$T/a.aci"
	assert_refused 254 'm.json: manifest: JSON: line 1, column 1: value expected'
}

@test "build: options change the manifest, and the image runs by them" {
	g build --name=example.com/changed --label=version=2.0 --annotation=example.com/a=b \
		--exec='/probe id , env , cwd' --user=1234 --group=50 --supplementary-gids=63,77 --working-dir=/srv \
		--environment=ONE=1 --environment=TWO=a=b --capability=CAP_KILL,CAP_CHOWN \
		--isolator=os/linux/no-new-privileges=true --mounts='work,path=/work,readOnly=true:db,path=/db' \
		--ports='http,protocol=tcp,port=80,count=2:dns,protocol=udp,port=53,socketActivated=true' \
		--isolators='resource/memory,limit=64M:resource/cpu,request=100m,limit=500m' \
		--seccomp-mode=remove,errno=ENOSYS --seccomp-set=chmod,fchmod \
		--pre-start='/probe exit 0' --post-stop=/probe "$L" "$T/a.aci"
	assert_ok
	manifest_of "$T/a.aci" >"$T/out"
	assert_json '.name == "example.com/changed" and (.labels | map(select(.name=="version")) == [{"name":"version","value":"2.0"}])'
	assert_json '.annotations == [{"name":"example.com/a","value":"b"}]'
	assert_json '.app.exec == ["/probe","id",",","env",",","cwd"] and .app.user == "1234" and .app.group == "50"'
	assert_json '.app.supplementaryGIDs == [63,77] and .app.workingDirectory == "/srv"'
	assert_json '.app.environment == [{"name":"ONE","value":"1"},{"name":"TWO","value":"a=b"}]'
	assert_json '.app.mountPoints == [{"name":"work","path":"/work","readOnly":true},{"name":"db","path":"/db"}]'
	assert_json '.app.ports == [{"name":"http","protocol":"tcp","port":80,"count":2},{"name":"dns","protocol":"udp","port":53,"socketActivated":true}]'
	assert_json '.app.eventHandlers == [{"name":"pre-start","exec":["/probe","exit","0"]},{"name":"post-stop","exec":["/probe"]}]'
	assert_json '.app.isolators | map({(.name): .value}) | add == {"os/linux/capabilities-retain-set":{"set":["CAP_KILL","CAP_CHOWN"]},"resource/memory":{"limit":"64M"},"resource/cpu":{"request":"100m","limit":"500m"},"os/linux/no-new-privileges":true,"os/linux/seccomp-remove-set":{"set":["chmod","fchmod"],"errno":"ENOSYS"}}'
	g build --name=example.com/runs --exec='/probe id , env ONE' --user=1234 --group=50 --environment=ONE=1 "$L" "$T/b.aci"
	run_image "$T/b.aci"
	assert_ok
	assert_match 'uid=1234' 'ONE=1'
}

@test "build: what options may not say" {
	local row
	while IFS='|' read -r option text; do
		g build "$option" "$L" "$T/a.aci"
		assert_refused 254 "$text"
	done <<'ROWS'
--name=UPPER|with these options: image manifest: name: "UPPER"
--label=noequals|"noequals" is no NAME=VALUE
--label=name=x|labels\[3\].name
--exec=  |--exec: no command
--mounts=path=/x|--mounts: "path=/x": the name comes first
--mounts=a,path=rel|app.mountPoints\[0\].path
--mounts=a,rw=true|--mounts: unknown key "rw"
--mounts=a,path=/a,path=/b|--mounts: "path" is there twice
--mounts=a,path=/a,readOnly=maybe|readOnly: "maybe" is neither true nor false
--ports=a,protocol=tcp,port=70000|port: "70000" is no number up to 65535
--ports=a,protocol=tcp|app.ports\[0\].port: required member is missing
--capability=NONSENSE|app.isolators\[0\]
--seccomp-set=chmod|--seccomp-mode and --seccomp-set go together
--isolator=os/linux/no-new-privileges|no name=JSON
--isolator=os/linux/no-new-privileges={|JSON: line 1, column 2
--supplementary-gids=a|--supplementary-gids: "a" is no group id
ROWS
	g build --capability=CAP_KILL --revoke-capability=CAP_CHOWN "$L" "$T/a.aci"
	assert_refused 254 '--capability and --revoke-capability exclude each other'
	g build --seccomp-mode=forbid --seccomp-set=chmod "$L" "$T/a.aci"
	assert_refused 254 '"forbid" is not retain or remove'
	assert_equal "$(ls "$T" | grep -c '\.aci')" 0
	image_manifest example.com/none '' >"$L/manifest"
	g build --user=5 "$L" "$T/a.aci"
	assert_refused 254 'the image has no app: --exec makes one'
	g build --exec=/probe "$L" "$T/a.aci"
	assert_ok
	manifest_of "$T/a.aci" | jq -e '.app == {"user":"0","group":"0","exec":["/probe"]}' >/dev/null || fail "no app"
}

@test "build: --patch changes an image's manifest and nothing else" {
	local form
	need xattr
	setfattr -n user.x -v y "$L/rootfs/etc/group"
	truncate -s 2M "$L/rootfs/holes"
	g build "$L" "$T/a.aci"
	xz -c <(gzip -dc "$T/a.aci") >"$T/xz.aci"
	TAR_FLAGS='--format=posix' make_aci "$T/tar.aci" example.com/tar '{"exec":["/probe"],"user":"0","group":"0"}' "$L/rootfs"
	for form in a xz tar; do
		g build --patch --overwrite --name=example.com/$form --environment=A=1 "$T/$form.aci" "$T/new.aci"
		assert_ok
		assert_out "sha512-$(image_key "$T/new.aci")"
		manifest_of "$T/new.aci" | jq -e ".name == \"example.com/$form\" and .app.environment[0].value == \"1\"" >/dev/null ||
			fail "manifest of $form"
		diff <(tar --xattrs -tvf "$T/new.aci" | grep -v ' manifest$') <(tar --xattrs -tvf "$T/$form.aci" | grep -v ' manifest$')
		run_image "$T/new.aci" -- env A
		assert_ok
		assert_match 'A=1'
	done
	# in place
	g build --patch --overwrite --name=example.com/place "$T/a.aci" "$T/a.aci"
	assert_ok
	manifest_of "$T/a.aci" | jq -e '.name == "example.com/place"' >/dev/null || fail "not in place"
}

@test "build: --patch of what is no image" {
	g build --patch "$L" "$T/b.aci"
	assert_refused 254 'is no regular file'
	echo nonsense >"$T/a.aci"
	g build --patch "$T/a.aci" "$T/b.aci"
	assert_refused 254 'a.aci: '
	tar -cf "$T/c.aci" -C "$L" manifest rootfs manifest
	g build --patch "$T/c.aci" "$T/b.aci"
	assert_refused 254 '"manifest": duplicate entry'
	assert_equal "$(ls "$T" | grep -c 'b.aci')" 0
}

@test "build: the worker that packs sees the tree only, and cannot write to it" {
	# enough to do that it can be looked at
	head -c 300M /dev/urandom >"$L/rootfs/big"
	g_bg build build "$L" "$T/a.aci"
	wait_for 60 pgrep -P "$BG"
	local pid
	pid=$(pgrep -P "$BG" | head -n 1)
	wait_for 60 grep -q '^NoNewPrivs:.1' "/proc/$pid/status"
	assert_equal "$(sed -n 's/^Uid:\t\([0-9]*\).*/\1/p' "/proc/$pid/status")" 1900000005
	assert_equal "$(sed -n 's/^CapPrm:\t//p' "/proc/$pid/status")" 0000000000000004
	[ -e "/proc/$pid/root/probe" ] && [ ! -e "/proc/$pid/root/manifest" ] || fail "another root"
	grep -qE ' / ro[ ,]' "/proc/$pid/mountinfo" || fail "not read-only"
	g_wait "$BG" build
	assert_ok
	rm -f "$L/rootfs/big" "$T/a.aci"
}
