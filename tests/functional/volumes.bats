# Root file systems and volumes.

load ../lib/gantry

setup_file() { suite_up; }
teardown_file() { suite_down; }
setup() {
	test_up
	mkdir -p "$T/src/sub"
	echo from-host >"$T/src/file"
}
teardown() { test_down; }

# v FLAG... -- IMAGE-AND-WORDS: run with volumes.
v() { g run --net=none "$@"; }

host() { echo "--volume=vol,kind=host,source=${1:-$T/src}${2:-}"; }

at() { echo "--mount=volume=vol,target=$1"; }

# --- the root

@test "volumes: the root is writable by default, and read-only when asked" {
	need ns-flavor
	run_probe -- write /new x , cat /new
	assert_ok
	assert_out 'write /new=ok'
	run_probe --readonly-rootfs=true -- write /new x , mkdir /tmp/x , write /etc/passwd x
	assert_ok
	assert_out 'write /new=EROFS' 'mkdir /tmp/x=EROFS' 'write /etc/passwd=EROFS'
}

@test "volumes: a read-only root leaves /dev, /dev/shm and volumes writable" {
	need ns-flavor
	v "$(host)" "$(at /data)" "$PROBE_ID" --readonly-rootfs=true -- \
		write /data/new x , write /dev/shm/x x , poke /dev/null x , write /x x
	assert_ok
	assert_out 'write /data/new=ok' 'write /dev/shm/x=ok' 'poke /dev/null=ok' 'write /x=EROFS'
}

@test "volumes: a read-only root cannot be made writable again" {
	INSECURE=image,seccomp,capabilities
	run_probe --readonly-rootfs=true -- mount /
	assert_ok
	assert_match '^mount /=[a-z]+ ro,'
}

@test "volumes: no device nodes on the root or on volumes" {
	need ns-flavor
	v "$(host)" "$(at /data)" "$PROBE_ID" -- mount / /data
	assert_ok
	assert_match '^mount /=[^ ]+ [^ ]*nodev' '^mount /data=[^ ]+ [^ ]*nodev'
}

tree_state() { find "$DATA/cas/tree" -printf '%p %s %m %U %G %T@\n' | sort | sha512sum; }

@test "volumes: what an app writes does not reach the store" {
	local before
	before=$(tree_state)
	run_probe -- write /etc/passwd hacked , unlink /srv/data/from-image , write /new x
	assert_ok
	assert_equal "$(tree_state)" "$before"
	run_probe -- cat /etc/passwd /srv/data/from-image
	assert_match '^root:x:0' '^image$'
}

@test "volumes: a data directory with a name that mount options would trip over" {
	mv "$DATA" "$T/da:ta, with=odd\\name"
	DATA="$T/da:ta, with=odd\\name"
	run_probe -- write /x hello , cat /x
	assert_ok
	assert_match hello
}

# --- host volumes

@test "volumes: a host directory, read and written" {
	v "$(host)" "$(at /data)" "$PROBE_ID" -- cat /data/file , write /data/new from-app
	assert_ok
	assert_out from-host 'write /data/new=ok'
	assert_equal "$(cat "$T/src/new")" from-app
}

@test "volumes: readOnly=true" {
	v "$(host "$T/src" ,readOnly=true)" "$(at /data)" "$PROBE_ID" -- cat /data/file , write /data/new x
	assert_ok
	assert_out from-host 'write /data/new=EROFS'
	[ ! -e "$T/src/new" ] || fail "written"
}

@test "volumes: the mount point of the image may ask for read-only" {
	probe_image ro ',"mountPoints":[{"name":"vol","path":"/data","readOnly":true}]'
	v "$(host)" "$ID" -- cat /data/file , write /data/new x
	assert_ok
	assert_out from-host 'write /data/new=EROFS'
}

@test "volumes: what the operator says of a volume counts more than the mount point" {
	probe_image ro ',"mountPoints":[{"name":"vol","path":"/data","readOnly":true}]'
	g run --net=none "$(host "$T/src" ,readOnly=false)" "$ID" -- write /data/new x
	assert_ok
	g run --net=none "$(host "$T/src" ,readOnly=false)" "$(at /data)" "$ID" -- write /data/new x
	assert_ok
	probe_image rw ',"mountPoints":[{"name":"vol","path":"/data","readOnly":false}]'
	g run --net=none "$(host "$T/src" ,readOnly=true)" "$ID" -- write /data/new x
	assert_match '^write /data/new=EROFS'
}

@test "volumes: recursive by default, read-only all the way down; recursive=false is not" {
	need ns-flavor
	in_world mount -t tmpfs sub "$T/src/sub"
	in_world sh -c 'echo deep >"$1/deep"' sh "$T/src/sub"
	v "$(host)" "$(at /data)" "$PROBE_ID" -- cat /data/sub/deep
	assert_ok
	assert_out deep
	v "$(host "$T/src" ,readOnly=true)" "$(at /data)" "$PROBE_ID" -- write /data/sub/new x
	assert_ok
	assert_out 'write /data/sub/new=EROFS'
	v "$(host "$T/src" ,recursive=false)" "$(at /data)" "$PROBE_ID" -- cat /data/sub/deep
	assert_ok
	assert_out 'cat /data/sub/deep=ENOENT'
	in_world umount "$T/src/sub"
}

@test "volumes: a file on a file, and on what is not there" {
	v "$(host "$T/src/file")" "$(at /etc/group)" "$PROBE_ID" -- cat /etc/group
	assert_ok
	assert_out from-host
	v "$(host "$T/src/file")" "$(at /new/place/file)" "$PROBE_ID" -- cat /new/place/file
	assert_ok
	assert_out from-host
}

@test "volumes: missing parents of a target are made 0755 for root" {
	v "$(host)" "$(at /a/b/c)" "$PROBE_ID" -- stat /a /a/b , cat /a/b/c/file
	assert_ok
	assert_match '^stat /a=d 0755 0:0' '^stat /a/b=d 0755 0:0'
	assert_out from-host
}

@test "volumes: a missing source is an error and is not made" {
	v "$(host "$T/nothing")" "$(at /data)" "$PROBE_ID" -- id
	assert_refused 254 vol "$T/nothing" 'No such file or directory'
	[ ! -e "$T/nothing" ] || fail "was made"
}

# The specification would like an error; rkt follows the link of its operator, and so does gantry.
@test "volumes: a source that is a symbolic link is followed once, at the start" {
	ln -s src "$T/link"
	v "$(host "$T/link")" "$(at /data)" "$PROBE_ID" -- cat /data/file
	assert_ok
	assert_out from-host
	ln -s nowhere "$T/dangling"
	v "$(host "$T/dangling")" "$(at /data)" "$PROBE_ID" -- id
	assert_refused 254 vol "$T/dangling" 'No such file'
	[ ! -e "$T/nowhere" ] || fail "was made"
}

@test "volumes: bad words" {
	v --volume=vol,kind=host "$(at /data)" "$PROBE_ID" -- id
	assert_refused 254 vol source
	v "$(host relative)" "$(at /data)" "$PROBE_ID" -- id
	assert_refused 254 relative
	v --volume=vol,kind=cloud "$(at /data)" "$PROBE_ID" -- id
	assert_refused 254 cloud
	v "$(host "$T/src" ,colour=red)" "$(at /data)" "$PROBE_ID" -- id
	assert_refused 254 colour
	v --volume=Vol,kind=empty "$PROBE_ID" -- id
	assert_refused 254 Vol
	v --volume=vol,kind=empty,mode=9 "$PROBE_ID" -- id
	assert_refused 254 mode
	v "$(host)" --mount=volume=vol,target= "$PROBE_ID" -- id
	assert_refused 254 'target=PATH is needed'
	v "$(host)" --mount=volume=vol "$PROBE_ID" -- id
	assert_refused 254 target
	v --mount=volume=ghost,target=/x "$PROBE_ID" -- id
	assert_refused 254 'dangling mount point' ghost
	v --volume=vol,kind=empty --volume=vol,kind=empty "$PROBE_ID" -- id
	assert_refused 254 vol
}

@test "volumes: one that nobody mounts is ignored" {
	v --volume=unused,kind=empty "$PROBE_ID" -- out fine
	assert_ok
	assert_out fine
}

@test "volumes: a mount for one app, and one for all" {
	need ns-flavor
	mkdir "$T/own"
	echo own >"$T/own/file"
	v "$(host)" --volume=own,kind=host,source="$T/own" "$(at /data)" \
		"$PROBE_ID" --name=one -- cat /data/file --- \
		"$PROBE_ID" --name=two --mount=volume=own,target=/data -- cat /data/file
	assert_ok
	assert_out 'one: from-host' 'two: own'
}

# --- empty volumes

@test "volumes: an empty volume has mode and owner, and is shared by apps" {
	need ns-flavor
	v --volume=vol,kind=empty,mode=1770,uid=12,gid=34 "$(at /shared)" \
		"$PROBE_ID" --name=one -- stat /shared , write /shared/x hello --- \
		"$PROBE_ID" --name=two -- await /shared/x , stat /shared
	assert_ok
	assert_match '^one: stat /shared=d 1770 12:34' '^two: stat /shared=d 1770 12:34'
}

@test "volumes: an empty volume is 0755 of root, and empty for each pod" {
	local i
	for i in 1 2; do
		v --volume=vol,kind=empty "$(at /shared)" "$PROBE_ID" -- stat /shared , ls /shared , write /shared/x x
		assert_ok
		assert_match '^stat /shared=d 0755 0:0'
		refute_match '^entry /shared'
	done
}

@test "volumes: a mount point of the image that nobody fills gets an empty volume" {
	need ns-flavor
	probe_image implicit ',"mountPoints":[{"name":"data","path":"/data"}]'
	v "$ID" -- mount /data , write /data/x x
	assert_ok
	refute_out 'mount /data=none'
	assert_out 'write /data/x=ok'
}

# --- targets that an image controls

@test "volumes: links in the image as a target stay inside its root" {
	cp -a "$FIX/root" "$T/root"
	ln -s /srv/data "$T/root/absolute"
	ln -s ../../../../../../srv/data "$T/root/up"
	ln -s "$T/trap" "$T/root/dangling"
	ln -s /proc/1/root/srv "$T/root/magic"
	probe_image links '' "$T/root"
	local target
	for target in /absolute /up; do
		v "$(host)" "$(at $target)" "$ID" -- cat /srv/data/file
		assert_ok
		assert_out from-host
	done
	v "$(host)" "$(at /dangling/deep)" "$ID" -- cat /dangling/deep/file
	[ ! -e "$T/trap" ] || fail "made $T/trap on the host"
	v "$(host)" "$(at /magic/x)" "$ID" -- id
	[ "$status" = 254 ] || assert_ok
	v "$(host)" "$(at /../../..$T/trap2)" "$ID" -- id
	[ ! -e "$T/trap2" ] || fail "made $T/trap2 on the host"
}

@test "volumes: nothing goes over /proc" {
	local target
	for target in /proc /proc/ /proc/sys /proc/self/attr /srv/../proc /proc/1/fd; do
		v "$(host)" "$(at $target)" "$PROBE_ID" -- id
		assert_refused 254 '/proc'
	done
}

@test "volumes: nothing goes over /proc by way of a link" {
	cp -a "$FIX/root" "$T/root"
	ln -s proc "$T/root/p"
	ln -s /proc/sys "$T/root/q"
	probe_image procs '' "$T/root"
	v "$(host)" "$(at /p)" "$ID" -- cat /proc/self/status
	[ "$status" = 0 ] && assert_match '^State:' || assert_refused 254 '/p\b|/proc'
	v "$(host)" "$(at /q)" "$ID" -- ls /proc/sys
	[ "$status" = 0 ] && refute_match 'entry /proc/sys/file' || assert_refused 254 '/q\b|/proc'
}

@test "volumes: nothing goes over the root itself" {
	v "$(host)" "$(at /)" "$PROBE_ID" -- id
	assert_refused 254 'vol|/'
}

@test "volumes: one on /sys is allowed" {
	v "$(host)" "$(at /sys)" "$PROBE_ID" -- cat /sys/file
	assert_ok
	assert_out from-host
}

@test "volumes: mounts of a pod are not seen by the host, nor later ones of the host by the pod" {
	need ns-flavor
	start_pod "$(host)" "$(at /data)" "$PROBE_ID" -- out ready , await /data/go , ls /data/sub
	in_world mount -t tmpfs late "$T/src/sub"
	in_world sh -c ': >"$1/sub/late"; : >"$1/go"' sh "$T/src"
	wait_state "$UUID" exited
	! grep -q late "$DATA/pods/run/$UUID/logs/probe.log" || fail "a late mount of the host came through"
	in_world umount "$T/src/sub"
}
