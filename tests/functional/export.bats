# export: what an app of an exited pod has left, as an image that runs.

load ../lib/gantry

setup_file() { suite_up; }
teardown_file() { suite_down; }
setup() { test_up; }
teardown() { test_down; }

# left WORD...: an exited pod of one app that did this; its UUID is in $UUID.
left() {
	g run --net=none --uuid-file-save="$T/uuid" "${RUN_FLAGS[@]}" "$PROBE_ID" --name=app -- "$@"
	assert_ok
	UUID=$(cat "$T/uuid")
}

names() { gzip -dc "$1" | tar -tf - | sort; }

# as_left: the exported image runs, and has the file
as_left() {
	g run --net=none "$T/out.aci" --name=again -- cat /new , out '' , cat /srv/data/from-image
	assert_ok
	assert_out 'from the app' image
}

@test "export: an app's changes, in an image that runs" {
	left write /new 'from the app' , unlink /etc/group , mkdir /dir
	g export "$UUID" "$T/out.aci"
	assert_ok
	[ -z "$output$stderr" ] || fail "said something"
	as_left
	g run --net=none "$T/out.aci" -- stat /etc/group , stat /dir , id
	assert_ok
	assert_out 'stat /etc/group=ENOENT'
	assert_match '^stat /dir=d'
}

@test "export: a pod without overlay" {
	RUN_FLAGS=(--no-overlay)
	left write /new 'from the app' , unlink /etc/group
	g export "$UUID" "$T/out.aci"
	assert_ok
	as_left
	! names "$T/out.aci" | grep -q etc/group || fail "still there"
}

@test "export: the archive is compressed, and has the manifest of the image and rootfs alone" {
	left write /new x
	g export "$UUID" "$T/out.aci"
	assert_ok
	assert_equal "$(head -c 2 "$T/out.aci" | od -An -tx1 | tr -d ' ')" 1f8b
	assert_equal "$(names "$T/out.aci" | cut -d/ -f1 | sort -u | tr '\n' ' ')" 'manifest rootfs '
	assert_equal "$(names "$T/out.aci" | uniq -d)" ''
	gzip -dc "$T/out.aci" | tar -xOf - manifest >"$T/exported"
	g image cat-manifest --pretty-print=false example.com/probe
	jq -S . "$T/exported" >"$T/a"
	jq -S . "$T/out" >"$T/b"
	cmp "$T/a" "$T/b" || fail "another manifest"
}

@test "export: what was deleted is not there, and no trace of how the layer says so" {
	cp -a "$FIX/root" "$T/root"
	mkdir -p "$T/root/full/of/things"
	: >"$T/root/full/file"
	probe_image full '' "$T/root"
	have_busybox || skip "no busybox here"
	cp "$(busybox_static)" "$T/root/busybox"
	probe_image full2 '' "$T/root"
	g run --net=none --uuid-file-save="$T/uuid" "$ID" --exec=/busybox -- sh -c 'rm -r /full && mkdir /full && echo new >/full/new'
	assert_ok
	g export "$(cat "$T/uuid")" "$T/out.aci"
	assert_ok
	assert_equal "$(names "$T/out.aci" | grep rootfs/full | tr '\n' ' ')" 'rootfs/full/ rootfs/full/new '
	! gzip -dc "$T/out.aci" | grep -aq overlay || fail "attributes of the overlay"
	! gzip -dc "$T/out.aci" | tar -tvf - | grep '^c' || fail "a whiteout"
}

@test "export: owners, modes, times, links, holes, devices and attributes" {
	need busybox xattr
	cp -a "$FIX/root" "$T/root"
	cp "$(busybox_static)" "$T/root/busybox"
	: >"$T/root/capable"
	setcap cap_net_raw+ep "$T/root/capable"
	setfattr -n user.note -v from-image "$T/root/capable" 2>/dev/null || skip "no user attributes here"
	TAR_FLAGS='--format=pax --xattrs --xattrs-include=*' probe_image rich '' "$T/root"
	g run --net=none --uuid-file-save="$T/uuid" "$ID" --exec=/busybox -- sh -c '
		alias b=/busybox
		b mkdir /d && b chown 5:6 /d && b chmod 3750 /d && echo x >/d/f && b touch -d "1999-01-01 01:01:01" /d/f &&
		b ln /d/f /d/hard && b ln -s ../nowhere /d/soft && b mkfifo -m 600 /d/fifo && b mknod /d/null c 1 3 &&
		b dd if=/dev/zero of=/d/hole bs=1 count=1 seek=20M 2>/dev/null'
	assert_ok
	g export "$(cat "$T/uuid")" "$T/out.aci"
	assert_ok
	[ "$(stat -c %s "$T/out.aci")" -lt $((8 << 20)) ] || fail "the hole was filled"
	mkdir "$T/x"
	gzip -dc "$T/out.aci" | tar --xattrs --xattrs-include='*' --numeric-owner -xpf - -C "$T/x"
	cd "$T/x/rootfs/d"
	assert_equal "$(stat -c %u:%g:%a .)" 5:6:3750
	assert_equal "$(TZ=UTC stat -c %y f)" '1999-01-01 01:01:01.000000000 +0000'
	assert_equal "$(stat -c %i f)" "$(stat -c %i hard)"
	assert_equal "$(readlink soft)" ../nowhere
	assert_equal "$(stat -c '%F %a' fifo)" 'fifo 600'
	assert_equal "$(stat -c '%F %t:%T' null)" 'character special file 1:3'
	assert_equal "$(stat -c %s hole)" $(((20 << 20) + 1))
	assert_equal "$(getcap -n ../capable | cut -d' ' -f2)" cap_net_raw=ep
	assert_equal "$(getfattr --only-values -n user.note ../capable)" from-image
	cd /
	# times to the nanosecond, as they were in the pod
	local upper
	upper=$(echo "$DATA"/pods/run/*/appsinfo/rich/upper)
	assert_equal "$(stat -c %y "$T/x/rootfs/d/soft")" "$(stat -c %y "$upper/d/soft")"
	# and gantry itself reads it
	g run --net=none "$T/out.aci" --exec=/busybox -- stat -c '%s %b' /d/hole
	assert_ok
	assert_match '^20971521 [0-9]{1,3}$'
}

@test "export: places of mounts are not files of the image" {
	need ns-flavor
	left write /new 'from the app'
	g export "$UUID" "$T/out.aci"
	assert_ok
	! names "$T/out.aci" | grep -E 'etc/(hosts|hostname|resolv.conf)' || fail "empty files"
	as_left
	g run --net=none "$T/out.aci" -- cat /etc/hosts
	assert_match 'localhost'
}

@test "export: volumes are not part of it" {
	mkdir "$T/src"
	echo host >"$T/src/secret"
	RUN_FLAGS=(--volume=vol,kind=host,source="$T/src" --mount=volume=vol,target=/vol)
	left write /new x
	g export "$UUID" "$T/out.aci"
	assert_ok
	! names "$T/out.aci" | grep -q secret || fail "a file of the host"
}

@test "export: a socket that was left is not a reason to fail" {
	left write /new 'from the app'
	local socket=$DATA/pods/run/$UUID/appsinfo/app/upper/socket
	(cd "${socket%/*}" && exec nc -lU socket) </dev/null >/dev/null 2>&1 3>&- 4>&- &
	BG_PIDS+=($!)
	wait_for 60 test -S "$socket"
	g export "$UUID" "$T/out.aci"
	assert_ok
	as_left
}

@test "export: one app of several, by name" {
	need ns-flavor
	g run --net=none --uuid-file-save="$T/uuid" "$PROBE_ID" --name=one -- write /new one --- \
		"$PROBE_ID" --name=two -- write /new two
	assert_ok
	UUID=$(cat "$T/uuid")
	g export "$UUID" "$T/out.aci"
	assert_refused 254 'pod contains multiple apps, specify app using --app \(one of: one, two\)'
	[ ! -e "$T/out.aci" ] || fail "made"
	g export --app=three "$UUID" "$T/out.aci"
	assert_refused 254 'no app "three" in the pod \(it has: one, two\)'
	g export --app=two "$UUID" "$T/out.aci"
	assert_ok
	g run --net=none "$T/out.aci" -- cat /new
	assert_out two
}

@test "export: a dependency's files and the app's own, whatever the image's white list says" {
	mkdir -p "$T/base/lib" "$T/top"
	echo base >"$T/base/lib/base"
	cp "$PROBE" "$T/top/probe"
	make_aci "$T/base.aci" example.com/base '' "$T/base"
	g fetch "$T/base.aci"
	assert_ok
	IMAGE_EXTRA=',"dependencies":[{"imageName":"example.com/base"}],"pathWhitelist":["/probe","/lib/base"]' \
		make_aci "$T/top.aci" example.com/top '{"exec":["/probe"],"user":"0","group":"0"}' "$T/top"
	g run --net=none --pull-policy=new --uuid-file-save="$T/uuid" "$T/top.aci" -- write /new 'from the app'
	assert_ok
	g export "$(cat "$T/uuid")" "$T/out.aci"
	assert_ok
	sandbox_up "$T/second"
	g run --net=none "${T%/second}/out.aci" -- cat /new , out '' , cat /lib/base
	assert_ok
	assert_out 'from the app' base
}

@test "export: after the pod was marked by gc, and from a data directory with an odd name" {
	left write /new 'from the app'
	g gc --mark-only
	assert_ok
	g export "$UUID" "$T/out.aci"
	assert_ok
	as_left
	mv "$DATA" "$T/da:ta,with=odd"
	DATA="$T/da:ta,with=odd"
	g export "$UUID" "$T/again.aci"
	assert_ok
	cmp "$T/out.aci" "$T/again.aci" || fail "not the same twice"
}

@test "export: only of exited pods" {
	start_pod "$PROBE_ID" -- pause
	g export "$UUID" "$T/out.aci"
	assert_refused 254 'pod is not exited. Only exited pods can be exported'
	g prepare --quiet "$PROBE_ID"
	g export "${lines[-1]}" "$T/out.aci"
	assert_refused 254 'pod is not exited'
	g export ffffffff "$T/out.aci"
	assert_refused 254 'no matches found for "ffffffff"'
	[ ! -e "$T/out.aci" ] || fail "made"
}

@test "export: the output's name, and files that are there" {
	left write /new 'from the app'
	g export "$UUID" "$T/out.tar"
	assert_refused 254 'extension must be .aci \(given "[^"]*out.tar"\)'
	g export "$UUID"
	assert_refused 254 'must provide a pod UUID and an output file'
	g export "$UUID" "$T/nowhere/out.aci"
	assert_refused 254 'unable to open target .*nowhere/out.aci": No such file or directory'
	echo mine >"$T/out.aci"
	g export "$UUID" "$T/out.aci"
	assert_refused 254 'target file exists \(try --overwrite\)'
	assert_equal "$(cat "$T/out.aci")" mine
	g export --overwrite "$UUID" "$T/out.aci"
	assert_ok
	as_left
	mkdir "$T/dir.aci"
	g export --overwrite "$UUID" "$T/dir.aci"
	assert_refused 254 'dir.aci" is not a regular file'
}

@test "export: an error leaves no partial file" {
	left write /new x
	in_world mount -t tmpfs -o size=4k small "$T/tmp"
	g export "$UUID" "$T/tmp/out.aci"
	assert_refused 254 'No space left on device'
	assert_equal "$(in_world ls -A "$T/tmp")" ''
	in_world umount "$T/tmp"
}

@test "export: leaves no mount and nothing else" {
	left write /new x
	leak_snapshot
	g export "$UUID" "$T/out.aci"
	assert_ok
	g rm "$UUID"
	assert_ok
	assert_no_leaks
}

@test "export: only for root" {
	in_world setpriv --reuid=65534 --clear-groups "$GANTRY" --dir="$DATA" export x y.aci >"$T/out" 2>"$T/err" && fail "worked"
	collect
	assert_err 'cannot run as unprivileged user'
}
