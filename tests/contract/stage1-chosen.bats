#!/usr/bin/env bats
# Which stage1 a pod has, for life: installed ones and images, as Documentation/stage1-interface.md promises.

load ../lib/gantry
load stub-stage1/stub

setup_file() { suite_up; }
teardown_file() { suite_down; }
setup() { stub_test_up; }
teardown() { stub_test_down; }

@test "stage1-chosen: a pod keeps the stage1 that it was made with" {
	stub_dir "$STUB" 6
	g prepare --quiet --stage1-path="$STUB" "$PROBE_ID"
	assert_ok
	UUID=$output
	assert_equal "$(cat "$DATA/pods/prepared/$UUID/stage1")" "$(readlink -f "$STUB")
example.com/stub-stage1:0.0.1
6"
	g run-prepared --net=none "$UUID"
	assert_ok
	assert_out 'stub stage1: nothing is run'
}

@test "stage1-chosen: recorded and gone: named, and what can be taken back is" {
	stub_dir "$STUB" 6
	g prepare --quiet --stage1-path="$STUB" "$PROBE_ID"
	local prepared=$output
	STUB_RUN=pid stub_start 6
	rm -rf "$STUB"
	g run-prepared --net=none "$prepared"
	assert_refused 254 "stage1 of the pod: $STUB is not there any more \(the pod was made with \"example.com/stub-stage1:0.0.1\"\)"
	g enter "$UUID" true
	assert_refused 254 'is not there any more'
	g stop "$UUID"
	assert_refused 254 'is not there any more'
	g status "$UUID"
	assert_out state=running
	stub_end "$POD"
	wait_state "$UUID" exited
	g rm "$UUID" "$prepared"
	assert_ok
}

@test "stage1-chosen: a newer one at the same place serves the pods of the older" {
	STUB_RUN=pid stub_start 6
	STUB_VERSION=0.0.2 stub_dir "$STUB" 7
	g enter "$UUID" true
	assert_ok
	g stop "$UUID"
	assert_ok
	wait_state "$UUID" exited
}

@test "stage1-chosen: an image serves its pods when it is removed" {
	stub_aci "$T/stub.aci"
	g prepare --quiet --stage1-path="$T/stub.aci" "$PROBE_ID"
	assert_ok
	UUID=$output
	local id tree
	id=sha512-$(image_key "$T/stub.aci")
	assert_equal "$(cat "$DATA/pods/prepared/$UUID/stage1TreeStoreID")" "$id"
	tree=$DATA/cas/tree/$id
	assert_equal "$(head -n 1 "$DATA/pods/prepared/$UUID/stage1")" "$(readlink -f "$tree")"
	g image rm "$id"
	assert_ok
	[ -d "$tree" ] || fail "the tree went with the image"
	g gc --grace-period=0s
	g image gc --grace-period=0s
	[ -d "$tree" ] || fail "gc took the tree"
	g run-prepared --net=none "$UUID"
	assert_ok
	assert_out 'stub stage1: nothing is run'
	g rm "$UUID"
	assert_ok
	[ -s "$STUB_OUT/gc/argv" ] || fail "its gc was not asked"
}

@test "stage1-chosen: an image with dependencies: its rendered tree" {
	stub_dir "$T/base" 6
	make_aci "$T/base.aci" example.com/programs '' "$T/base/rootfs"
	g fetch "$T/base.aci"
	assert_ok
	mkdir "$T/empty"
	jq '. + {dependencies:[{imageName:"example.com/programs"}]}' "$T/base/manifest" >"$T/manifest"
	pack_aci "$T/top.aci" "$T/manifest" "$T/empty"
	g run --stage1-path="$T/top.aci" --net=none "$PROBE_ID"
	assert_ok
	assert_out 'stub stage1: nothing is run'
	local tree
	tree=$(cat "$DATA"/pods/run/*/stage1TreeStoreID)
	[[ $tree == deps-sha512-* ]] || fail "$tree"
	g image rm example.com/programs example.com/stub-stage1
	assert_ok
	g image gc --grace-period=0s
	[ -d "$DATA/cas/tree/$tree" ] || fail "the tree is gone"
	g rm "$(the_uuid)"
	assert_ok
	[ -s "$STUB_OUT/gc/argv" ] || fail "its gc was not asked"
	g image gc --grace-period=0s
	[ ! -d "$DATA/cas/tree/$tree" ] || fail "the tree is still there"
}

# --- what is no stage1 ---

@test "stage1-chosen: manifests that are refused before there is a pod" {
	local annotations want
	while IFS='|' read -r annotations want; do
		[ -n "$annotations" ] || continue
		stub_dir "$STUB" 7
		sed -i "s#\"annotations\":.*#\"annotations\":[$annotations]}#" "$STUB/manifest"
		g run --stage1-path="$STUB" --net=none "$PROBE_ID"
		assert_refused 254 "$want"
		[ -z "$(ls "$DATA/pods/prepare" 2>/dev/null)" ] || fail "$annotations: a pod was made"
	done <<-'EOT'
		{"name":"x","value":"y"}|example.com/stub-stage1:0.0.1 is no stage1: its manifest has no annotation coreos.com/rkt/stage1/run
		{"name":"coreos.com/rkt/stage1/run","value":"run"}|coreos.com/rkt/stage1/run: "run" is not an absolute path
		{"name":"coreos.com/rkt/stage1/run","value":"/../../bin/sh"}|"/../../bin/sh" is not a clean path
		{"name":"coreos.com/rkt/stage1/run","value":"/gone"}|program .*/rootfs/gone: No such file or directory
		{"name":"coreos.com/rkt/stage1/run","value":"/run"},{"name":"coreos.com/rkt/stage1/interface-version","value":"new"}|bad interface version "new"
		{"name":"coreos.com/rkt/stage1/run","value":"/run"},{"name":"coreos.com/rkt/stage1/interface-version","value":"0"}|bad interface version "0"
		{"name":"coreos.com/rkt/stage1/run"}|annotations\[0\]
	EOT
}

@test "stage1-chosen: an image of an app is none" {
	g run --stage1-hash="$PROBE_ID" --net=none "$PROBE_ID"
	assert_refused 254 'example.com/probe:1.0.0 is no stage1: its manifest has no annotation coreos.com/rkt/stage1/run'
}

@test "stage1-chosen: restart asks gc and runs again, by a stage1 that tells of the apps" {
	STUB_RUN=ready stub_start 7
	stub_end "$POD"
	wait_state "$UUID" exited
	g restart "$UUID"
	assert_ok
	assert_out 'stub stage1: nothing is run'
	[ -e "$STUB_OUT/gc/argv" ] || fail "gc was not asked"
	assert_equal "$(tail -n 1 "$STUB_OUT/run/argv")" "$UUID"
	g rm "$UUID"
	stub_run 6 --net=none
	g restart "$(the_uuid)"
	assert_refused 254 "restart not implemented for pod's stage1"
}
