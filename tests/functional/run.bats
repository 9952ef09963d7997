# run: the grammar of images, their flags and their arguments; what an image can be called.

load ../lib/gantry

setup_file() { suite_up; }
teardown_file() { suite_down; }
setup() { test_up; }
teardown() { test_down; }

r() { g run --net=none "$@"; }

@test "run: each image has flags and arguments of its own" {
	need ns-flavor
	r "$PROBE_ID" --name=one --environment=X=1 -- args a --b --- "$PROBE_ID" --name=two -- env X
	assert_ok
	assert_out 'one: argc=2' 'one: arg[0]=a' 'one: arg[1]=--b' 'two: X is unset'
}

@test "run: --- ends arguments, and outside of them is ignored" {
	need ns-flavor
	r --- "$PROBE_ID" --name=one -- out a --- --- "$PROBE_ID" --name=two -- out b ---
	assert_ok
	assert_out 'one: a' 'two: b'
}

@test "run: flags may take their value as the next word" {
	r "$PROBE_ID" --name one --environment X=1 -- env X
	assert_ok
	assert_out X=1
}

@test "run: a second -- for one image is an error" {
	r "$PROBE_ID" -- out a --- -- out b
	assert_refused 254 '--'
}

@test "run: -- before any image is an error" {
	r -- out a
	assert_refused 254 'image'
}

@test "run: a per-app flag must follow an image" {
	local flag
	for flag in --name=x --exec=/probe --working-dir=/ --user=0 --group=0 --caps-retain=CAP_CHOWN \
		--memory=1G --cpu=1 --cpu-shares=5 --oom-score-adj=5 --readonly-rootfs=true \
		--environment=A=1 --seccomp=mode=retain,@appc.io/all --supplementary-gids=5 --pids=5; do
		r "$flag" "$PROBE_ID" -- id
		assert_refused 254 "${flag%%=*} must follow an image"
	done
}

@test "run: no image at all" {
	r
	assert_refused 254 'image'
}

@test "run: two apps of one name are refused, and --name helps" {
	need ns-flavor
	r "$PROBE_ID" -- exit 0 --- "$PROBE_ID" -- exit 0
	assert_refused 254 probe 'name'
	r "$PROBE_ID" -- exit 0 --- "$PROBE_ID" --name=other -- exit 0
	assert_ok
}

@test "run: the app's name is the last part of the image's, made fit" {
	make_aci "$T/odd.aci" example.com/some_odd.name '{"exec":["/probe"],"user":"0","group":"0"}'
	r "$T/odd.aci" -- env AC_APP_NAME
	assert_ok
	assert_out AC_APP_NAME=some-odd-name
	r "$PROBE_ID" --name=Not_A_Name -- id
	assert_refused 254 Not_A_Name
	r "$PROBE_ID" --name=../../x -- id
	assert_refused 254 '\.\./\.\./x'
}

@test "run: empty arguments are dropped, as ever" {
	r "$PROBE_ID" -- args a '' b
	assert_ok
	assert_out argc=2 'arg[1]=b'
}

@test "run: an unknown flag is refused by name, before and after the image" {
	r --colour=red "$PROBE_ID" -- id
	assert_refused 254 'unknown flag: --colour'
	r "$PROBE_ID" --colour=red -- id
	assert_refused 254 'unknown flag: --colour'
}

@test "run: what is not built yet is refused by name, never ignored" {
	r --mds-register "$PROBE_ID" -- id
	assert_refused 254 'mds-register'
	r "$PROBE_ID" --stdin=tty -- id
	assert_refused 254 'stdin'
}

# --- what an image can be called

@test "run: an image by path, by file URL and by relative path" {
	cp "$FIX/probe.aci" "$T/probe.aci"
	r "$T/probe.aci" -- out path
	assert_ok
	r "file://$T/probe.aci" -- out url
	assert_ok
	cd "$T"
	r ./probe.aci -- out relative
	assert_ok
	r probe.aci -- out bare
	assert_ok
	assert_out bare
}

@test "run: an image by ID, short ID and by name from the store" {
	r "$PROBE_ID" -- out whole
	assert_ok
	r "${PROBE_ID:0:19}" -- out short
	assert_ok
	r example.com/probe -- out name
	assert_ok
	r example.com/probe:1.0.0 -- out version
	assert_ok
	r "example.com/probe:1.0.0,os=linux" -- out labels
	assert_ok
	assert_out labels
}

@test "run: short, ambiguous and unknown IDs" {
	r sha512-a -- id
	assert_refused 254 'image ID too short'
	r sha512-0000000000000000000000000000000000 -- id
	assert_refused 254 'no image IDs found'
	r sha512-nothexnothex -- id
	assert_refused 254 sha512-nothexnothex
}

@test "run: names and schemes that cannot be" {
	r http://127.0.0.1/image.tar -- id
	assert_refused 254 'invalid image string' 'http://127.0.0.1/image.tar'
	r 'example.com/a:1:2' -- id
	assert_refused 254 'example.com/a:1:2'
	r Example.COM/Upper -- id
	assert_refused 254 'Example.COM/Upper'
	r "$T/no-such-file.aci" -- id
	assert_refused 254 no-such-file.aci 'No such file'
}

@test "run: --pull-policy=never does not look outside" {
	r --pull-policy=never example.com/unknown -- id
	assert_refused 254 'unable to fetch image' 'example.com/unknown'
	r --pull-policy=sometimes "$PROBE_ID" -- id
	assert_refused 254 sometimes
}

@test "run: --uuid-file-save is there even when the start fails" {
	r --uuid-file-save="$T/uuid" "$PROBE_ID" --working-dir=/nowhere -- id
	assert_refused 254 /nowhere
	assert_equal "$(stat -c '%s %a' "$T/uuid")" '36 644'
	g status --uuid-file="$T/uuid"
	assert_ok
	assert_out state=exited
}

@test "run: --dry-run prints the plan and does nothing" {
	need ns-flavor
	leak_snapshot
	r --dry-run "$PROBE_ID" --memory=42Mi -- id
	assert_ok
	assert_match 'memory'
	assert_match "$((42 << 20))"
	refute_match '^uid='
	collect_all
	assert_no_leaks
}

@test "run: --debug says more, and on stderr only" {
	g --debug run --net=none "$PROBE_ID" -- out hello
	assert_ok
	assert_equal "$output" hello
}

@test "run: unprivileged callers are refused" {
	local flags
	global_flags
	chmod 755 "$BATS_RUN_TMPDIR"
	status=0
	in_world setpriv --reuid=4000 --regid=4000 --clear-groups "$GANTRY" "${flags[@]}" run --net=none \
		"$PROBE_ID" -- id >"$T/out" 2>"$T/err" </dev/null || status=$?
	chmod 700 "$BATS_RUN_TMPDIR"
	collect
	assert_refused 254 'cannot run as unprivileged user'
}
