# Pods that another version of gantry has prepared: the files of a prepared pod as they were first written, by hand, which
# every gantry must run; and what is said of files that this one does not know.

load ../lib/gantry

setup_file() {
	need root
	suite_up
}
teardown_file() { suite_down; }
setup() {
	test_up
	leak_snapshot
	UUID=00112233-4455-4677-8899-aabbccddeeff
	POD=$DATA/pods/prepared/$UUID
}
teardown() { test_down; }

# record VERSION: NUL behind each key=value
record() {
	printf '%s\0' "version=$1" app=one "id=$PROBE_ID" image=example.com/probe version=1.0.0 mount=v path=/v \
		"source=$T/volume" app=two "id=$PROBE_ID" image=example.com/probe version=1.0.0
}

# app NAME MORE: as it stands in the pod manifest
app() {
	cat <<-EOF
		{"name":"$1","image":{"name":"example.com/probe","id":"$PROBE_ID","labels":[{"name":"version","value":"1.0.0"},
		 {"name":"os","value":"linux"},{"name":"arch","value":"amd64"}]},$2}
	EOF
}

# by_hand STAGE1 [VERSION]: a pod of two apps, one with a volume, a user, memory and a filter of system calls
by_hand() {
	local name
	mkdir -p -m 750 "$DATA/pods/prepared" "$POD"
	mkdir -p "$T/volume" "$POD/appsinfo"/{one,two}
	echo 'of the volume' >"$T/volume/f"
	for name in one two; do
		cp "$DATA/cas/image/$PROBE_ID/manifest" "$POD/appsinfo/$name/manifest"
		printf %s "$PROBE_ID" >"$POD/appsinfo/$name/treeStoreID"
	done
	record "${2:-1}" >"$POD/overlay-prepared"
	ln "$POD/overlay-prepared" "$POD/pod-created"
	printf '%s\ngantry/stage1-%s:0.1.0\n7\n' "$1" "$GANTRY_FLAVOR" >"$POD/stage1"
	cat >"$POD/pod" <<-EOF
		{"acVersion":"0.8.11","acKind":"PodManifest","apps":[$(app one '"app":{"exec":["/probe","cat","/v/f"],"user":"1000",
		 "group":"1000","environment":[{"name":"A","value":"B"}],"isolators":[{"name":"resource/memory","value":
		 {"request":"64000000","limit":"64000000"}},{"name":"os/linux/seccomp-remove-set","value":{"set":["reboot"],
		 "errno":"EPERM"}}]},"mounts":[{"volume":"v","path":"/v"}]'),$(app two '"app":{"exec":["/probe","out","two"],
		 "user":"0","group":"0"},"readOnlyRootFS":true')],"volumes":[{"name":"v","kind":"host","source":"$T/volume"},
		 {"name":"e","kind":"empty","mode":"0755","uid":0,"gid":0}]}
	EOF
}
stage1() { readlink -f "${GANTRY%/bin/gantry}/libexec/gantry/stage1/$GANTRY_FLAVOR"; }

@test "older: a pod as version 1 prepared it is listed, runs, and goes" {
	by_hand "$(stage1)"
	g list --no-legend --full
	assert_match "^$UUID.*one.*prepared"
	g status "$UUID"
	assert_out state=prepared
	g run-prepared --net=none "$UUID"
	assert_ok
	assert_equal "$(sort <<<"$output")" 'one: of the volume
two: two'
	g status "$UUID"
	assert_out state=exited app-one=0 app-two=0
	g rm "$UUID"
	assert_ok
	assert_no_leaks
}

@test "older: the stage1 that it was prepared with is gone" {
	by_hand "$T/gone/stage1/ns"
	g run-prepared --net=none "$UUID"
	assert_refused 254 "$T/gone/stage1/ns"
	assert_equal "$(wc -l <<<"$stderr")" 1
	g rm "$UUID"
	assert_ok
	[ ! -e "$POD" ] || fail "the pod is there"
	assert_no_leaks
}

@test "older: what is kept for lists in a form that is not known counts for nothing: the manifest does" {
	by_hand "$(stage1)" 2
	g list --no-legend --full
	assert_match "^$UUID.*one.*prepared"
	g run-prepared --net=none "$UUID"
	assert_ok
	assert_equal "$(sort <<<"$output")" 'one: of the volume
two: two'
	g rm "$UUID"
	assert_ok
	assert_no_leaks
}

@test "older: networks that another version recorded in a way of its own are named, and the pod goes" {
	need ns-flavor veth
	exited_pod
	mkdir "$DATA/pods/run/$UUID/net"
	echo index=0 >"$DATA/pods/run/$UUID/net/0.state"
	g gc --grace-period=0s
	assert_err "$UUID: another version of gantry has set up this pod's networks, and only that one can take back what they have of it"
	g gc --grace-period=0s
	assert_no_leaks
}
