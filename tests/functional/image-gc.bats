# image gc.

load ../lib/gantry

setup_file() {
	suite_up
	T=$BATS_FILE_TMPDIR
	make_aci "$T/other.aci" example.com/other '{"exec":["/probe"],"user":"0","group":"0"}'
	IMAGE_EXTRA=',"dependencies":[{"imageName":"example.com/probe"}]' make_aci "$T/top.aci" example.com/top \
		'{"exec":["/probe"],"user":"0","group":"0"}'
	gantry fetch --pull-policy=new "$T/other.aci" "$T/top.aci" >/dev/null
	export OTHER_ID TOP_ID
	OTHER_ID=sha512-$(image_key "$T/other.aci") TOP_ID=sha512-$(image_key "$T/top.aci")
}
teardown_file() { suite_down; }
setup() { test_up; }
teardown() { test_down; }

trees() { ls "$DATA/cas/tree"; }
images() { ls "$DATA/cas/image" | wc -l; }
# age ID: as if the image had been used two days ago.
age() {
	sed -i -E "s/importtime=[0-9]+/importtime=$(($(date +%s) - 172800))000000000/" "$DATA/cas/image/$1/info"
	touch -d '2 days ago' "$DATA/cas/image/$1/info"
}

@test "image gc: trees stay while a pod names them, and are gone after gc of both" {
	exited_pod
	g prepare --quiet example.com/top
	local prepared=$output
	g image gc
	assert_ok
	assert_err "removed treestore \"$OTHER_ID\""
	assert_equal "$(trees | cut -c1-12 | xargs)" "deps-sha512- ${PROBE_ID:0:12}"
	assert_equal "$(images)" 3
	g rm "$UUID" "$prepared"
	assert_ok
	g gc --grace-period=0s --expire-prepared=0s
	g image gc
	assert_ok
	assert_equal "$(trees)" ''
	assert_equal "$(images)" 3
	g run --net=none example.com/top -- out works
	assert_ok
	assert_out works
}

@test "image gc: images that were not used for the grace period" {
	age "$OTHER_ID"
	g image gc
	assert_ok
	assert_match "^successfully removed aci for image: \"$OTHER_ID\"$"
	assert_equal "$(images)" 2
	g image gc --grace-period=100h
	assert_equal "$(images)" 2
	g image gc --grace-period=0s
	assert_ok
	assert_equal "$(images)" 0
	assert_equal "$(ls "$DATA/cas/tree" "$DATA/cas/tmp" | grep -v ':$' | xargs)" ''
}

@test "image gc: a use counts, and a dependency is used with the image above it" {
	age "$OTHER_ID" && age "$TOP_ID" && age "$PROBE_ID"
	g run --net=none example.com/top -- out x
	assert_ok
	g image gc
	assert_ok
	g image list --no-legend --fields=name --sort=name
	assert_equal "$(echo $output)" 'example.com/probe:1.0.0 example.com/top:1.0.0'
}

@test "image gc: images of running and prepared pods stay" {
	start_pod "$PROBE_ID" -- pause
	g prepare --quiet example.com/other
	local prepared=$output
	g image gc --grace-period=0s
	assert_ok
	g image list --no-legend --fields=name --sort=name
	assert_equal "$(echo $output)" 'example.com/other:1.0.0 example.com/probe:1.0.0'
	g run-prepared --net=none "$prepared"
	g stop --force "$UUID"
	wait_state "$UUID" exited
	g image gc --grace-period=0s
	assert_ok
	assert_equal "$(images)" 0
}

@test "image gc: what killed processes left" {
	mkdir -p "$DATA/cas/tmp/0123/deep" "$DATA/cas/partial/old" "$DATA/cas/partial/new" "$DATA/cas/partial/useless"
	touch "$DATA/cas/partial/old/state" "$DATA/cas/partial/new/state"
	touch -d '2 days ago' "$DATA/cas/partial/old"
	printf 'version=1\0url=http://x/\0id=%s\0max-age=0\0time=1\0' "sha512-$(printf '0%.0s' {1..128})" >"$DATA/cas/remote/gone"
	printf 'version=1\0url=http://x/\0id=%s\0max-age=0\0time=1\0' "$PROBE_ID" >"$DATA/cas/remote/there"
	g image gc
	assert_ok
	assert_equal "$(ls "$DATA/cas/tmp")" ''
	assert_equal "$(ls "$DATA/cas/partial")" new
	assert_equal "$(ls "$DATA/cas/remote" | grep -E 'gone|there')" there
}

@test "image gc: without a store, without parts of it" {
	rm -r "$DATA/locks"
	g image gc
	assert_ok
	assert_equal "$stderr" "$(grep 'removed treestore' <<<"$stderr")"
	rm -r "$DATA/locks" "$DATA/cas/tree" "$DATA/cas/tmp"
	g gc
	assert_ok
	assert_equal "$stderr" ''
	g image gc
	assert_ok
	assert_equal "$stderr" ''
	rm -rf "$DATA/cas" "$DATA/locks"
	g image gc
	assert_ok
	g gc
	assert_ok
	assert_equal "$stderr" ''
	g image gc word
	assert_refused 254 'unexpected argument'
	g image gc --grace-period=soon
	assert_refused 254 'not a duration'
}

@test "image gc: killed anywhere, the next one ends it" {
	local i
	for i in {1..6}; do
		cp -a "$FILE_DATA/." "$DATA"
		g_bg gc image gc --grace-period=0s
		sleep "0.00$((RANDOM % 10))"
		kill -KILL "$BG" 2>/dev/null || :
		wait "$BG" 2>/dev/null || :
		g image list
		assert_ok
		g image gc --grace-period=0s
		assert_ok
		assert_equal "$(ls "$DATA/cas/tree" "$DATA/cas/tmp" "$DATA/cas/image" | grep -v ':$' | xargs)" ''
	done
}

@test "image gc: beside runs that want the trees" {
	local i pids=()
	for i in {1..6}; do
		g_bg r$i run --net=none example.com/top -- out "ran $i"
		pids+=("$BG")
		g image gc
		assert_ok
	done
	for i in {1..6}; do
		g_wait "${pids[i - 1]}" r$i
		assert_ok
		assert_out "ran $i"
	done
}

@test "image gc: a file that is being run comes back as often as it is taken" {
	local pid n flags
	global_flags
	(while in_world "$GANTRY" "${flags[@]}" image gc --grace-period=0s && sleep 0.2; do :; done) \
		</dev/null >/dev/null 2>&1 3>&- 4>&- &
	pid=$!
	BG_PIDS+=("$pid")
	for n in 1 2 3 4 5 6 7 8 9 10; do
		g run --net=none "$FIX/probe.aci" -- out here
		assert_ok
		assert_out here
	done
	kill "$pid"
	wait "$pid" || :
}
