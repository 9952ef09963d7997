# --volume and --mount: their words, which one wins, and what they come to in the manifest.

load ../lib/gantry

setup_file() {
	suite_up
	make_aci "$BATS_FILE_TMPDIR/m.aci" example.com/m '{"exec":["/probe"],"user":"0","group":"0","mountPoints":[{"name":"data","path":"/data"},{"name":"conf","path":"/conf","readOnly":true}]}'
	gantry fetch "$BATS_FILE_TMPDIR/m.aci" >/dev/null
	M=sha512-$(image_key "$BATS_FILE_TMPDIR/m.aci")
	export M
}
teardown_file() { suite_down; }
setup() { test_up; }
teardown() { test_down; }

# manifest WORD...: prepare, and the pod's manifest on standard output.
manifest() {
	g prepare --quiet "$@"
	assert_ok
	g cat-manifest "$output"
	assert_ok
}

refused() { # PATTERN FLAG...
	local pattern=$1
	shift
	g prepare "$@" "$PROBE_ID"
	assert_refused 254 "$pattern"
}

@test "volume-flags: every form of a volume" {
	manifest --volume=a,kind=empty --volume=b,kind=empty,mode=0700,uid=5,gid=6 --volume=c,kind=host,source=/srv \
		--volume=d,kind=host,source=/srv,readOnly=true,recursive=false --volume f,readOnly=1,kind=host,source=/a,recursive=t \
		--volume=g,source=/with=sign,kind=host "$PROBE_ID"
	assert_json '.volumes | map(select(.name == "a")) == [{"name":"a","kind":"empty","mode":"0755","uid":0,"gid":0}]'
	assert_json '.volumes | map(select(.name == "b")) == [{"name":"b","kind":"empty","mode":"0700","uid":5,"gid":6}]'
	assert_json '.volumes | map(select(.name == "c")) == [{"name":"c","kind":"host","source":"/srv"}]'
	assert_json '.volumes | map(select(.name == "d")) == [{"name":"d","kind":"host","readOnly":true,"source":"/srv","recursive":false}]'
	assert_json '.volumes | map(select(.name == "f")) == [{"name":"f","kind":"host","readOnly":true,"source":"/a","recursive":true}]'
	assert_json '.volumes | map(select(.name == "g")) == [{"name":"g","kind":"host","source":"/with=sign"}]'
}

@test "volume-flags: volumes that nobody mounts are ignored, whatever is behind them" {
	g run --net=none --volume=x,kind=host,source=/no/such/place --volume=y,kind=empty "$PROBE_ID" -- out fine
	assert_ok
	assert_out fine
}

@test "volume-flags: what is no volume" {
	refused 'volume "x": kind is missing' --volume=x
	refused 'volume "x,kind=tmpfs": kind="tmpfs": neither host nor empty' --volume=x,kind=tmpfs
	refused 'source: required for kind host' --volume=x,kind=host
	refused 'source="srv"' --volume=x,kind=host,source=srv
	refused 'source: only for kind host' --volume=x,kind=empty,source=/srv
	refused 'recursive: only for kind host' --volume=x,kind=empty,recursive=true
	refused 'mode: only for kind empty' --volume=x,kind=host,source=/srv,mode=0700
	refused 'uid: only for kind empty' --volume=x,kind=host,source=/srv,uid=1
	refused 'mode="9": not an octal mode' --volume=x,kind=empty,mode=9
	refused 'uid="-1"' --volume=x,kind=empty,uid=-1
	refused 'gid="staff"' --volume=x,kind=empty,gid=staff
	refused 'readOnly="maybe": neither true nor false' --volume=x,kind=host,source=/srv,readOnly=maybe
	refused 'colour="red": unknown key' --volume=x,kind=empty,colour=red
	refused 'key "kind" is there twice' --volume=x,kind=empty,kind=host
	refused '"empty": expected key=value' --volume=x,empty
	refused 'name "X"' --volume=X,kind=empty
	refused 'name ""' --volume=,kind=empty
	refused 'volume "x" is there twice' --volume=x,kind=empty --volume=x,kind=empty
}

@test "volume-flags: a mount before the images is for all, one behind an image for that, and it wins" {
	manifest --volume=g,kind=empty --volume=o,kind=empty --mount=volume=g,target=/g --mount=volume=g,target=/both \
		"$PROBE_ID" --name=one --mount=target=/both/,volume=o --- "$PROBE_ID" --name=two --mount volume=o,target=/o
	assert_json '.apps[0].mounts == [{"volume":"o","path":"/both/"},{"volume":"g","path":"/g"}]'
	assert_json '.apps[1].mounts | sort_by(.path) == [{"volume":"g","path":"/both"},{"volume":"g","path":"/g"},{"volume":"o","path":"/o"}]'
}

@test "volume-flags: a target is a place in the app's root, with or without the slash" {
	manifest --volume=v,kind=empty "$PROBE_ID" --mount=volume=v,target=dir/below
	assert_json '.apps[0].mounts == [{"volume":"v","path":"/dir/below"}]'
}

@test "volume-flags: what is no mount" {
	refused 'volume=NAME is needed' --mount=target=/x
	refused 'target=PATH is needed' --mount=volume=x
	refused 'target=PATH is needed' --mount=volume=x,target=
	refused 'unknown or repeated word "readOnly=true"' --mount=volume=x,target=/x,readOnly=true
	refused 'unknown or repeated word "volume=y"' --mount=volume=x,volume=y,target=/x
	refused 'unknown or repeated word ""' --mount=volume=x,target=/x,
	refused 'dangling mount point: no volume "x" for "/x"' --mount=volume=x,target=/x
	g prepare --volume=v,kind=empty "$PROBE_ID" --mount=volume=v,target=/x --mount=volume=v,target=/x/
	assert_refused 254 'the target is there twice'
	g prepare "$PROBE_ID" --mount=volume=gone,target=/x
	assert_refused 254 'app probe: dangling mount point: no volume "gone" for "/x"'
}

@test "volume-flags: mount points of an image: by name, by path, or an empty one of its own" {
	manifest --volume=data,kind=host,source=/srv --volume=other,kind=empty "$M" --mount=volume=other,target=/conf
	assert_json '.apps[0].mounts == [{"volume":"other","path":"/conf"},{"volume":"data","path":"/data"}]'
	assert_json '.volumes | length == 2'
	g prepare --quiet "$M" --name=one --- "$M" --name=two
	assert_ok
	assert_err 'no volume specified for mount point "data", implicitly creating an "empty" volume'
	g cat-manifest "$output"
	assert_json '.volumes | map(.name) | sort == ["one-conf","one-data","two-conf","two-data"]'
	assert_json '.apps[1].mounts == [{"volume":"two-data","path":"/data"},{"volume":"two-conf","path":"/conf"}]'
	# one volume of that name is for both
	manifest --volume=data,kind=empty --volume=conf,kind=empty "$M" --name=one --- "$M" --name=two
	assert_json '.volumes | length == 2'
}
