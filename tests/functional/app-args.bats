# The grammar of run and prepare: images, options between them, "--" and "---".

load ../lib/gantry

setup_file() { suite_up; }
teardown_file() { suite_down; }
setup() { test_up; }
teardown() { test_down; }

n() { g run --net=none "$@"; }

@test "app-args: -- begins the words of the image before it, --- ends them" {
	need ns-flavor
	n "$PROBE_ID" --name=one -- args a --net=host -- x --- "$PROBE_ID" --name=two -- args b
	assert_ok
	assert_out 'one: argc=4' 'one: arg[0]=a' 'one: arg[1]=--net=host' 'one: arg[2]=--' 'one: arg[3]=x' \
		'two: argc=1' 'two: arg[0]=b'
}

@test "app-args: --- outside of words means nothing" {
	n --- "$PROBE_ID" --- --name=one -- args a
	assert_ok
	assert_out argc=1 'arg[0]=a'
}

@test "app-args: empty words are dropped, and an empty image is none" {
	n '' "$PROBE_ID" '' -- args '' a '' '' b
	assert_ok
	assert_out argc=2 'arg[0]=a' 'arg[1]=b'
}

@test "app-args: -- twice for one image, and before any" {
	n "$PROBE_ID" -- args a --- -- args b
	assert_refused 254 "^gantry: run: image \"$PROBE_ID\" has arguments behind \"--\" twice"
	n -- "$PROBE_ID"
	assert_refused 254 'arguments behind "--" must follow an image'
	g prepare --no-overlay -- "$PROBE_ID"
	assert_refused 254 'arguments behind "--" must follow an image'
	# an empty group is one
	n "$PROBE_ID" -- --- -- x
	assert_refused 254 'twice'
}

@test "app-args: options of the pod stand anywhere, those of an app behind its image" {
	need ns-flavor
	n "$PROBE_ID" --name=one --hostname=box -- hostname --- --set-env=X=1 "$PROBE_ID" --name=two -- env X
	assert_ok
	assert_out 'one: hostname=box' 'two: X=1'
	local flag
	for flag in name exec working-dir user group supplementary-gids readonly-rootfs environment memory cpu cpu-shares \
		oom-score-adj pids caps-retain caps-remove oom-score-adjust cap-retain cap-remove seccomp signature stdin stdout stderr; do
		n --$flag=x "$PROBE_ID"
		assert_refused 254 "^gantry: run: --$flag must follow an image$"
		n --$flag x "$PROBE_ID"
		assert_refused 254 "--$flag must follow an image"
	done
}

@test "app-args: --exec and --signature once for an image" {
	need ns-flavor
	n "$PROBE_ID" --exec=/a --exec=/b
	assert_refused 254 '--exec specified multiple times'
	n "$PROBE_ID" --signature=/a --signature=/b
	assert_refused 254 '--signature specified multiple times'
	n "$PROBE_ID" --name=one --exec=/probe -- out 1 --- "$PROBE_ID" --name=two --exec=/probe -- out 2
	assert_ok
	assert_out 'one: 1' 'two: 2'
}

@test "app-args: the name of an app is the image's, made fit; two of one name are refused" {
	make_aci "$T/n.aci" example.com/some.thing-x '{"exec":["/probe","id"],"user":"0","group":"0"}'
	g prepare --quiet "$T/n.aci"
	assert_ok
	g cat-manifest "$output"
	assert_json '.apps[0].name == "some-thing-x"'
	n "$PROBE_ID" "$PROBE_ID"
	assert_refused 254 'two apps are named "probe" \(use --name\)'
	n "$PROBE_ID" --name=same --- "$PROBE_ID" --name=same
	assert_refused 254 'two apps are named "same"'
	n "$PROBE_ID" --name=Not_A_Name
	assert_refused 254 '--name "Not_A_Name"'
}

@test "app-args: enter and run-prepared: options end where the pod's words begin" {
	start_pod "$PROBE_ID" --name=app -- pause
	g enter "$UUID" /probe args --app=x --debug
	assert_ok
	assert_out argc=2 'arg[0]=--app=x' 'arg[1]=--debug'
	g enter --app=app "$UUID" -- /probe args -x
	assert_ok
	assert_out argc=1 'arg[0]=-x'
}

@test "app-args: old names of flags work, and say what to write now" {
	need ns-flavor
	n "$PROBE_ID" --cap-retain=CAP_KILL -- status CapBnd
	assert_ok
	assert_out CapBnd=0000000000000020
	assert_err '^gantry: run: --cap-retain is deprecated, use --caps-retain$'
	n "$PROBE_ID" --cap-remove=CAP_KILL -- id
	assert_ok
	assert_err '--cap-remove is deprecated, use --caps-remove'
	n --store-only "$PROBE_ID" -- id
	assert_ok
	assert_err '--store-only is deprecated, use --pull-policy=never'
	n --no-store "$PROBE_ID" -- id
	assert_ok
	assert_err '--no-store is deprecated, use --pull-policy=update'
	n --store-only --no-store "$PROBE_ID"
	assert_refused 254 'both --store-only and --no-store specified'
	n --store-only --pull-policy=update "$PROBE_ID"
	assert_refused 254 '--store-only is --pull-policy=never, not "update"'
	n "$PROBE_ID" --cap-retain=CAP_KILL --caps-remove=CAP_CHOWN -- id
	assert_refused 254 'exclude each other'
}

@test "app-args: booleans as Go reads them" {
	local w
	for w in 1 t T true TRUE True; do
		n "$PROBE_ID" --readonly-rootfs=$w -- write /x y
		assert_ok
		assert_out 'write /x=EROFS'
	done
	for w in 0 f F false FALSE False; do
		n --no-overlay=$w "$PROBE_ID" --readonly-rootfs=$w -- write /x y
		assert_ok
		assert_out 'write /x=ok'
	done
	n --no-overlay=yes "$PROBE_ID" -- id
	assert_refused 254 'invalid argument "yes" for --no-overlay: true or false'
	n "$PROBE_ID" --readonly-rootfs=yes -- id
	assert_refused 254 '--readonly-rootfs "yes": true or false'
}
