# --pod-manifest: what cannot stand beside it, and what can.

load ../lib/gantry

setup_file() { suite_up; }
teardown_file() { suite_down; }
setup() {
	test_up
	printf '{"acVersion":"0.8.11","acKind":"PodManifest","apps":[{"name":"a","image":{"id":"%s"},"app":{"exec":["/probe","hostname",",","mount","/"],"user":"0","group":"0"}}]}' \
		"$PROBE_ID" >"$T/pod.json"
}
teardown() { test_down; }

@test "pod-manifest-conflicts: each flag that says what the manifest says" {
	local flag c
	for flag in --volume=x,kind=empty --mount=volume=x,target=/x --port=x:80 --inherit-env --set-env=A=1 \
		--set-env-file=/dev/null --pull-policy=never --pull-policy=update --store-only --no-store \
		--annotation=a=b --user-annotation=a=b --user-label=a=b; do
		for c in "run --net=none" prepare; do
			g $c --pod-manifest="$T/pod.json" $flag
			assert_refused 254 "^gantry: ${c%% *}: conflicting flags set with --pod-manifest \(see --help\)$"
			g $c $flag --pod-manifest="$T/pod.json"
			assert_refused 254 'conflicting flags set with --pod-manifest \(see --help\)'
		done
	done
}

@test "pod-manifest-conflicts: images" {
	g run --net=none --pod-manifest="$T/pod.json" "$PROBE_ID"
	assert_refused 254 'conflicting flags set with --pod-manifest \(see --help\)'
	g prepare "$PROBE_ID" --pod-manifest="$T/pod.json" -- args
	assert_refused 254 'conflicting flags set with --pod-manifest \(see --help\)'
	[ -z "$(find "$DATA/pods" -mindepth 2 -maxdepth 2 -type d 2>/dev/null)" ] || fail "a pod was made"
}

@test "pod-manifest-conflicts: neither images nor a manifest" {
	g run --net=none
	assert_refused 254 'must provide at least one image or specify the pod manifest'
	g prepare --no-overlay
	assert_refused 254 'must provide at least one image or specify the pod manifest'
	g run --net=none ''
	assert_refused 254 'must provide at least one image or specify the pod manifest'
}

@test "pod-manifest-conflicts: what goes along" {
	g run --net=none --pod-manifest="$T/pod.json" --pull-policy=new --no-overlay --hostname=box --pod-name=given \
		--uuid-file-save="$T/uuid" --dns=192.0.2.1 --hosts-entry=192.0.2.1=x --ipc=private
	assert_ok
	assert_out hostname=box
	refute_match '^mount /=overlay'
	assert_equal "$(stat -c %s "$T/uuid")" 36
	g status given
	assert_ok
	assert_out app-a=0
	g prepare --quiet --pod-manifest="$T/pod.json" --no-overlay
	assert_ok
	[[ $output =~ ^[0-9a-f-]{36}$ ]] || fail "not the UUID alone"
}

@test "pod-manifest-conflicts: options of an app have no app to follow" {
	local flag
	for flag in --exec=/x --name=x --user=0 --group=0 --memory=1M --environment=A=1 --caps-retain=CAP_KILL \
		--seccomp=mode=retain,read --signature=x --stdin=null; do
		g run --net=none --pod-manifest="$T/pod.json" $flag
		assert_refused 254 "${flag%%=*} must follow an image"
	done
}
