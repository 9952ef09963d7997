# --annotation, --user-annotation, --user-label: of apps and of the pod.

load ../lib/gantry

setup_file() {
	suite_up
	make_aci "$BATS_FILE_TMPDIR/a.aci" example.com/a '{"exec":["/probe"],"user":"0","group":"0","userAnnotations":{"from":"image"},"userLabels":{"tier":"image"}}'
	gantry fetch "$BATS_FILE_TMPDIR/a.aci" >/dev/null
	A=sha512-$(image_key "$BATS_FILE_TMPDIR/a.aci")
	export A
}
teardown_file() { suite_down; }
setup() { test_up; }
teardown() { test_down; }

manifest() {
	g prepare --quiet "$@"
	assert_ok
	g cat-manifest "$output"
	assert_ok
}

@test "annotations: behind an image they are the app's, before the first the pod's" {
	manifest --annotation=example.com/pod=1 --user-annotation='Any Thing=x=y' --user-label=l= \
		"$PROBE_ID" --name=one --annotation=example.com/app=2 --user-annotation=u=3 --user-label=v=4 --- "$PROBE_ID" --name=two
	assert_json '.annotations == [{"name":"example.com/pod","value":"1"}]'
	assert_json '.userAnnotations == {"Any Thing":"x=y"} and .userLabels == {"l":""}'
	assert_json '.apps[0].annotations == [{"name":"example.com/app","value":"2"}]'
	assert_json '.apps[0].app.userAnnotations == {"u":"3"} and .apps[0].app.userLabels == {"v":"4"}'
	assert_json '.apps[1] | has("annotations") | not'
}

@test "annotations: the user's of the command line replace the image's, as a whole" {
	manifest "$A"
	assert_json '.apps[0].app.userAnnotations == {"from":"image"} and .apps[0].app.userLabels == {"tier":"image"}'
	manifest "$A" --user-annotation=other=1
	assert_json '.apps[0].app.userAnnotations == {"other":"1"} and .apps[0].app.userLabels == {"tier":"image"}'
	manifest "$A" --user-label=other=2
	assert_json '.apps[0].app.userAnnotations == {"from":"image"} and .apps[0].app.userLabels == {"other":"2"}'
}

@test "annotations: what is none" {
	local flag
	for flag in annotation user-annotation user-label; do
		g prepare "$PROBE_ID" --$flag=nothing
		assert_refused 254 "app probe: --$flag \"nothing\": expected NAME=VALUE"
		g prepare "$PROBE_ID" --$flag==x
		assert_refused 254 "app probe: --$flag \"=x\": expected NAME=VALUE"
		g prepare "$PROBE_ID" --$flag=a=1 --$flag=a=2
		assert_refused 254 "app probe: --$flag: \"a\" is there twice"
		g prepare --$flag=nothing "$PROBE_ID"
		assert_refused 254 "^gantry: prepare: --$flag \"nothing\": expected NAME=VALUE"
	done
	g prepare "$PROBE_ID" --annotation=Not-An-Identifier=x
	assert_refused 254 '--annotation "Not-An-Identifier=x"'
	g prepare --annotation=Not-An-Identifier=x "$PROBE_ID"
	assert_refused 254 '--annotation "Not-An-Identifier=x"'
}
