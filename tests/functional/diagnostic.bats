# Why a program could not be executed: rkt's words, which scripts look for.

load ../lib/gantry

setup_file() { suite_up; }
teardown_file() { suite_down; }
setup() { test_up; }
teardown() { test_down; }

# refused PATH: exec fails with this as what could not be opened
refused() { assert_refused 203 "Error: Unable to open \"$1\": No such file or directory"; }

@test "diagnostic: a program that is not there, with arguments and with spaces" {
	run_probe --exec=/foo-not-there
	refused /foo-not-there
	run_probe --exec=/foo-not-there -- bar baz
	refused /foo-not-there
	run_probe --exec='/foo not there'
	refused '/foo not there'
	run_probe --exec='/foo not there' -- 'with space' x
	refused '/foo not there'
}

@test "diagnostic: the image's own exec" {
	make_aci "$T/bad.aci" example.com/bad '{"exec":["/foo not there","a b"],"user":"0","group":"0"}'
	g run --net=none "$T/bad.aci"
	refused '/foo not there'
}

@test "diagnostic: the loader of a dynamic program" {
	command -v readelf >/dev/null || skip "no readelf here"
	local loader
	loader=$(readelf -p .interp /bin/ls 2>/dev/null | grep -o '/[^ ]*$' | head -n 1)
	[ -n "$loader" ] || skip "ls is static here"
	cp -a "$FIX/root" "$T/root"
	cp -L /bin/ls "$T/root/dynamic"
	probe_image dynamic '' "$T/root"
	g run --net=none "$ID" --exec=/dynamic
	refused "$loader"
}

@test "diagnostic: in a pod that was prepared, and in the pod's records" {
	g prepare --quiet "$PROBE_ID" --name=app --exec=/foo-not-there
	assert_ok
	UUID=$output
	g run-prepared --net=none "$UUID"
	refused /foo-not-there
	g status "$UUID"
	assert_ok
	assert_out state=exited app-app=203
}
