# prepare and run-prepared.

load ../lib/gantry

setup_file() { suite_up; }
teardown_file() { suite_down; }
setup() { test_up; }
teardown() { test_down; }

@test "prepare: prints the whole UUID last, and the pod is prepared" {
	g prepare "$PROBE_ID" -- out hello
	assert_ok
	UUID=${lines[-1]}
	[[ $UUID =~ ^[0-9a-f-]{36}$ ]] || fail "no UUID"
	assert_equal "$(pod_state "$UUID")" prepared
	[ -d "$DATA/pods/prepared/$UUID" ] || fail "not in prepared/"
	g prepare --quiet "$PROBE_ID"
	assert_ok
	[[ $output =~ ^[0-9a-f-]{36}$ ]] || fail "more than the UUID"
}

@test "prepare: run-prepared runs what was prepared" {
	g prepare --quiet "$PROBE_ID" --environment=X=1 -- env X , exit 3
	g run-prepared --net=none "$output"
	assert_status 3
	assert_out X=1
}

@test "prepare: run-prepared takes a prefix" {
	g prepare --quiet "$PROBE_ID" -- out hello
	g run-prepared --net=none "${output:0:9}"
	assert_ok
	assert_out hello
}

@test "prepare: a pod runs once" {
	g prepare --quiet "$PROBE_ID" -- out hello
	UUID=$output
	g run-prepared --net=none "$UUID"
	assert_ok
	g run-prepared --net=none "$UUID"
	assert_refused 254 "pod \"$UUID\" is not prepared"
}

@test "prepare: of two run-prepared at once one wins" {
	local i
	for i in 1 2 3 4 5; do
		g prepare --quiet "$PROBE_ID" -- out it ran
		UUID=$output
		g_bg first run-prepared --net=none "$UUID"
		local a=$BG
		g_bg second run-prepared --net=none "$UUID"
		local b=$BG sa=0 sb=0
		wait "$a" || sa=$?
		wait "$b" || sb=$?
		assert_equal "$(cat "$T/first.out" "$T/second.out")" 'it ran'
		assert_equal "$(printf '%s\n' $sa $sb | sort -n | xargs)" '0 254'
		grep -qF "$UUID" "$T/first.err" "$T/second.err" || fail "the loser does not say which pod"
	done
}

@test "prepare: an unknown pod" {
	g run-prepared --net=none deadbeef
	assert_refused 254 'no matches found for "deadbeef"'
	g run-prepared --net=none
	assert_refused 254
	g run-prepared --net=none ''
	assert_refused 254 'UUID cannot be empty'
}

@test "prepare: needs no image afterwards" {
	g prepare --quiet "$PROBE_ID" -- out still here
	UUID=$output
	g image rm "$PROBE_ID"
	assert_ok
	g run-prepared --net=none "$UUID"
	assert_ok
	assert_out 'still here'
}

@test "prepare: flags of run-prepared alone are refused by prepare, and the other way" {
	g prepare --net=none "$PROBE_ID"
	assert_refused 254 'unknown flag: --net'
	g prepare --quiet "$PROBE_ID"
	g run-prepared --volume=x,kind=empty "$output"
	assert_refused 254 'unknown flag: --volume'
}

@test "prepare: each start of an image has a clean copy" {
	run_probe -- write /left-behind x
	assert_ok
	run_probe -- stat /left-behind
	assert_ok
	assert_out 'stat /left-behind=ENOENT'
}

@test "prepare: --no-overlay copies, and works the same" {
	g run --net=none --no-overlay "$PROBE_ID" -- mount / , write /x hello , stat /home/bob /bin/probe-link , cat /x
	assert_ok
	refute_match '^mount /=overlay'
	assert_match '^stat /home/bob=d 0755 1234:1234' '^stat /bin/probe-link=l '
	assert_out 'write /x=ok'
	run_probe -- stat /x
	assert_out 'stat /x=ENOENT'
}

@test "prepare: overlay is used where it can be had" {
	need overlay
	run_probe -- mount /
	assert_ok
	assert_match '^mount /=overlay '
}

@test "prepare: an image without os or arch, or for another, is refused to run" {
	local app='{"exec":["/probe"],"user":"0","group":"0"}' arch
	arch=$(image_arch)
	make_aci "$T/noos.aci" example.com/noos "$app" "$FIX/root" '[{"name":"version","value":"1"}]'
	g run --net=none "$T/noos.aci"
	assert_refused 254 'missing os label in the image manifest'
	g prepare "$T/noos.aci"
	assert_refused 254 'missing os label in the image manifest'
	make_aci "$T/noarch.aci" example.com/noarch "$app" "$FIX/root" '[{"name":"os","value":"linux"}]'
	g run --net=none "$T/noarch.aci"
	assert_refused 254 'missing arch label in the image manifest'
	make_aci "$T/bsd.aci" example.com/bsd "$app" "$FIX/root" '[{"name":"os","value":"freebsd"},{"name":"arch","value":"amd64"}]'
	g run --net=none "$T/bsd.aci"
	assert_refused 254 'bad os "freebsd"'
}

@test "prepare: what it has to say does not go where the UUID is" {
	probe_image mounts ',"mountPoints":[{"name":"data","path":"/data"}]'
	g prepare "$ID"
	assert_ok
	[[ ${lines[-1]} =~ ^[0-9a-f-]{36}$ ]] || fail "no UUID at the end"
	assert_err 'implicitly creating an "empty" volume'
	g prepare --quiet "$ID"
	assert_ok
	[[ $output =~ ^[0-9a-f-]{36}$ ]] || fail "more than the UUID"
}

@test "prepare: a refusal makes no pod" {
	local word
	for word in --name=Bad --working-dir=relative --user-label=x --memory=1Q --mount=volume=none,target=/x; do
		g prepare "$PROBE_ID" "$word"
		assert_refused 254 "${word%%=*}|dangling"
	done
	g prepare --pull-policy=sometimes "$PROBE_ID"
	assert_refused 254 '--pull-policy "sometimes": new, update or never'
	[ -z "$(find "$DATA/pods" -mindepth 2 -maxdepth 2 -type d 2>/dev/null)" ] || fail "a pod was made"
}

@test "prepare: a copied pod of two apps has two copies" {
	need ns-flavor
	g prepare --quiet --no-overlay "$PROBE_ID" --name=one -- write /x 1 , stat /x --- "$PROBE_ID" --name=two -- stat /y
	assert_ok
	UUID=$output
	[ -f "$DATA/pods/prepared/$UUID/appsinfo/one/rootfs/probe" ] || fail "no copy"
	[ ! -e "$DATA/pods/prepared/$UUID/overlay-prepared" ] || fail "says overlay"
	touch "$DATA/pods/prepared/$UUID/appsinfo/two/rootfs/y"
	g run-prepared --net=none "$UUID"
	assert_ok
	assert_match '^one: stat /x=f ' '^two: stat /y=f '
}
