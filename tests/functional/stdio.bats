# --stdin, --stdout, --stderr: where an app's streams lead; and the annotations that say so to stage1.

load ../lib/gantry

setup_file() { suite_up; }
teardown_file() { suite_down; }
setup() { test_up; }
teardown() { test_down; }

@test "stdio: the modes are annotations of the app" {
	g prepare --quiet "$PROBE_ID" --name=one --stdin=stream --stdout=null --stderr=log --- "$PROBE_ID" --name=two
	assert_ok
	g cat-manifest "$output"
	assert_json '.apps[0].annotations == [{"name":"coreos.com/rkt/stage2/stdin","value":"stream"},{"name":"coreos.com/rkt/stage2/stdout","value":"null"},{"name":"coreos.com/rkt/stage2/stderr","value":"log"}]'
	assert_json '.apps[1] | has("annotations") | not'
}

@test "stdio: modes that are none" {
	local m
	for m in stdin=log stdin=file stdout=pipe stderr=; do
		g run --net=none "$PROBE_ID" --$m
		assert_refused 254 "app probe: --${m%%=*} \"${m#*=}\": .*null, stream or tty"
	done
}

@test "stdio: log is what happens anyway, null is nothing at all" {
	g run --net=none --uuid-file-save="$T/uuid" "$PROBE_ID" --name=app --stdout=log --stderr=log -- out hello
	assert_ok
	assert_out hello
	g run --net=none --uuid-file-save="$T/uuid" "$PROBE_ID" --name=app --stdout=null -- out hello
	assert_ok
	assert_equal "$output" ''
	! grep -q hello "$DATA/pods/run/$(cat "$T/uuid")/logs/app.log" || fail "in the log"
}

@test "stdio: what this stage1 cannot do is refused by name" {
	local m
	for m in stdin=stream stdout=stream stderr=stream stdout=tty; do
		g run --net=none "$PROBE_ID" --$m -- out hello
		assert_refused 254 "app probe: .*${m%%=*}.*${m#*=}"
	done
}

@test "stdio: --interactive has one app, and is not detached" {
	g run --net=none --interactive "$PROBE_ID" --name=one --- "$PROBE_ID" --name=two
	assert_refused 254 'interactive option only supports one image'
	g run --net=none --interactive --detach "$PROBE_ID"
	assert_refused 254 '--interactive and --detach exclude each other'
	g prepare --quiet "$PROBE_ID" --name=one --- "$PROBE_ID" --name=two
	g run-prepared --net=none --interactive "$output"
	assert_refused 254 'interactive'
}
