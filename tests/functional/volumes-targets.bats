# Where volumes are mounted: what they hide, what stands there already, one inside another.

load ../lib/gantry

setup_file() { suite_up; }
teardown_file() { suite_down; }
setup() {
	test_up
	mkdir -p "$T/src/sub"
	echo from-host >"$T/src/file"
	cp -a "$FIX/root" "$T/root"
}
teardown() { test_down; }

v() { g run --net=none "$@"; }
host() { echo "--volume=${2:-vol},kind=host,source=${1:-$T/src}"; }
at() { echo "--mount=volume=${2:-vol},target=$1"; }

@test "volumes-targets: what an image has in the place is hidden, and that is said" {
	v "$(host)" "$(at /srv/data)" "$PROBE_ID" -- ls /srv/data
	assert_ok
	refute_match 'from-image'
	assert_err 'app probe: volume "vol" on "/srv/data": what the image has there is hidden by it'
	v "$(host)" "$(at /home/bob)" "$PROBE_ID" -- cat /home/bob/file
	assert_ok
	assert_out from-host
	! grep -q hidden "$T/err" || fail "an empty directory hides nothing"
}

@test "volumes-targets: a file of the image gives way to a directory, and that is said" {
	local how
	for how in '' --no-overlay; do
		# shellcheck disable=SC2086
		v $how "$(host)" "$(at /srv/data/from-image)" "$PROBE_ID" -- cat /srv/data/from-image/file , cat /etc/passwd
		assert_ok
		assert_match '^from-host' 'root:x:0'
		assert_err 'volume "vol" on "/srv/data/from-image": the image has a file there, a directory takes its place'
		# the store's own is as it was
		[ -f "$DATA/cas/tree/$PROBE_ID/rootfs/srv/data/from-image" ] || fail "the store was changed"
	done
	v --volume=vol,kind=empty "$(at /srv/data/from-image)" "$PROBE_ID" --readonly-rootfs=true -- write /srv/data/from-image/x x
	assert_ok
	assert_out 'write /srv/data/from-image/x=ok'
}

@test "volumes-targets: a file of another volume does not give way" {
	v "$(host "$T/src" outer)" "$(host "$T/src/sub" inner)" "$(at /data outer)" "$(at /data/file inner)" "$PROBE_ID" -- id
	assert_refused 254 'mount on "/data/file": there is a file there'
	assert_equal "$(cat "$T/src/file")" from-host
}

@test "volumes-targets: a link to a file: what it leads to gives way, inside the root" {
	ln -s /srv/data/from-image "$T/root/link"
	probe_image link '' "$T/root"
	v "$(host)" "$(at /link)" "$ID" -- cat /srv/data/from-image/file
	assert_ok
	assert_out from-host
}

@test "volumes-targets: a file on a file, said; a file on a directory, refused" {
	v "$(host "$T/src/file")" "$(at /etc/group)" "$PROBE_ID" -- cat /etc/group
	assert_ok
	assert_out from-host
	assert_err 'volume "vol" on "/etc/group": the image.s file there is hidden by it'
	v "$(host "$T/src/file")" "$(at /etc)" "$PROBE_ID" -- id
	assert_refused 254 'app probe: volume "vol": a file cannot be mounted on the directory "/etc" of the image'
}

@test "volumes-targets: one inside another, in whatever order they are given, and that is said" {
	mkdir "$T/inner"
	echo inner >"$T/inner/file"
	local order
	for order in "$(at /data) $(at /data/sub inner)" "$(at /data/sub inner) $(at /data)"; do
		# shellcheck disable=SC2086
		v "$(host)" "$(host "$T/inner" inner)" $order "$PROBE_ID" -- cat /data/file , cat /data/sub/file
		assert_ok
		assert_match from-host inner
		assert_err 'volume "inner" on "/data/sub": it lies inside volume "vol"'
	done
	assert_equal "$(ls "$T/src/sub")" ''
}

@test "volumes-targets: two on one path are an error, however it is written" {
	mkdir "$T/other"
	v "$(host)" "$(host "$T/other" other)" "$(at /data)" "$PROBE_ID" --mount=volume=other,target=/data -- ls /data
	assert_ok # that of the app wins over that of the pod
	refute_match 'entry /data/file'
	jq -nc --arg id "$PROBE_ID" --arg src "$T/src" '{acVersion: "0.8.11", acKind: "PodManifest",
		apps: [{name: "app", image: {id: $id}, mounts: [{volume: "a", path: "/data"}, {volume: "b", path: "//data/."}]}],
		volumes: [{name: "a", kind: "host", source: $src}, {name: "b", kind: "empty"}]}' >"$T/pod.json"
	g run --net=none --pod-manifest="$T/pod.json"
	assert_refused 254 'app app: volume "b": another volume is mounted on "/data", too'
}

@test "volumes-targets: over all of the root, /dev or anything of /proc, nothing goes" {
	local target
	for target in / /dev /proc /proc/sys; do
		v "$(host)" "$(at $target)" "$PROBE_ID" -- id
		assert_refused 254 "a volume cannot be mounted on \"$target\""
	done
}

@test "volumes-targets: missing ones are made, with their parents, for root and 0755" {
	v "$(host)" "$(at /a/b/c)" "$(host "$T/src/file" f)" "$(at /d/e/file f)" "$PROBE_ID" -- \
		stat /a /a/b /d /d/e , cat /a/b/c/file
	assert_ok
	assert_match '^stat /a=d 0755 0:0' '^stat /a/b=d 0755 0:0' '^stat /d=d 0755 0:0' '^stat /d/e=d 0755 0:0'
}

@test "volumes-targets: an image that was docker's finds in an implicit volume what it has there" {
	chmod 2750 "$T/root/srv/data"
	chown 7:8 "$T/root/srv/data"
	IMAGE_EXTRA=',"annotations":[{"name":"appc.io/docker/repository","value":"library/x"}]' \
		make_aci "$T/docker.aci" example.com/docker '{"exec":["/probe"],"user":"0","group":"0",
		"mountPoints":[{"name":"volume-data","path":"/srv/data"},{"name":"volume-new","path":"/new"}]}' "$T/root"
	local how
	for how in '' --no-overlay; do
		# shellcheck disable=SC2086
		v $how "$T/docker.aci" --readonly-rootfs=true -- cat /srv/data/from-image , stat /srv/data , write /srv/data/x x , \
			unlink /srv/data/from-image , ls /srv/data , write /new/x x , mount /srv/data
		assert_ok
		assert_match '^image' '^stat /srv/data=d 2750 7:8' '^write /srv/data/x=ok$' '^write /new/x=ok$'
		refute_out 'mount /srv/data=none'
		refute_match 'entry /srv/data/from-image'
		! grep -q hidden "$T/err" || fail "it is not hidden"
	done
	# not for others, nor where a volume is given
	probe_image plain ',"mountPoints":[{"name":"data","path":"/srv/data"}]' "$T/root"
	v "$ID" -- ls /srv/data
	refute_match from-image
	v --volume=volume-data,kind=empty "$T/docker.aci" -- ls /srv/data
	refute_match from-image
}

@test "volumes-targets: a volume of one app alone, as the manifest may have it" {
	jq -nc --arg id "$PROBE_ID" --arg src "$T/src" '{acVersion: "0.8.11", acKind: "PodManifest", apps: [
		{name: "one", image: {id: $id}, app: {exec: ["/probe", "write", "/own/x", "of-one"], user: "0", group: "0"},
			mounts: [{volume: "v", path: "/own", appVolume: {name: "v", kind: "empty", mode: "0700"}},
				{volume: "h", path: "/host", appVolume: {name: "h", kind: "host", source: $src, readOnly: true}}]},
		{name: "two", image: {id: $id}, app: {exec: ["/probe", "ls", "/own", ",", "stat", "/own"], user: "0", group: "0"},
			mounts: [{volume: "v", path: "/own"}]}],
		volumes: [{name: "v", kind: "empty", mode: "0750"}]}' >"$T/pod.json"
	g run --net=none --pod-manifest="$T/pod.json"
	assert_ok
	assert_out 'one: write /own/x=ok'
	assert_match '^two: stat /own=d 0750'
	refute_match 'entry /own/x'
}
