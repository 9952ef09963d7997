# Image manifests: every violation is refused at fetch and named by its JSON path.

load ../lib/gantry

setup_file() { suite_up; }
teardown_file() { suite_down; }
setup() {
	test_up
	mkdir -p "$T/tiny/etc"
}
teardown() { test_down; }

# bad PATTERN MANIFEST: an archive with that manifest is refused, and nothing of it stays.
bad() {
	printf '%s' "$2" >"$T/manifest"
	pack_aci "$T/bad.aci" "$T/manifest" "$T/tiny"
	g fetch "$T/bad.aci"
	[ "$status" = 254 ] && grep -qE -e "$1" "$T/err" || fail "for $2
expected 254 and on stderr: $1"
}

top() { printf '{"acKind":"ImageManifest","acVersion":"0.8.11","name":"example.com/x"%s}' "$1"; }
with_app() { top ",\"app\":$1"; }

@test "image-manifest: the smallest one is taken" {
	top '' >"$T/manifest"
	pack_aci "$T/ok.aci" "$T/manifest" "$T/tiny"
	g fetch "$T/ok.aci"
	assert_ok
}

@test "image-manifest: one with everything is taken" {
	top ',"labels":[{"name":"version","value":"1"},{"name":"os","value":"linux"},{"name":"arch","value":"amd64"},{"name":"channel","value":"Any Text"}],"app":{"exec":["/x"],"user":"0","group":"0","supplementaryGIDs":[1],"eventHandlers":[{"name":"pre-start","exec":["/x"]},{"name":"post-stop","exec":["/x"]}],"workingDirectory":"/","environment":[{"name":"A_b.c-9","value":""}],"mountPoints":[{"name":"data","path":"/d","readOnly":true}],"ports":[{"name":"web","protocol":"tcp","port":80,"count":2,"socketActivated":false}],"isolators":[],"userAnnotations":{"k":"v"},"userLabels":{"k":"v"}},"dependencies":[],"pathWhitelist":[],"annotations":[{"name":"created","value":"2020-01-02T03:04:05Z"},{"name":"authors","value":"A <a@b>"},{"name":"homepage","value":"https://example.com"},{"name":"appc.io/executor/supports-systemd-notify","value":"true"}]' >"$T/manifest"
	pack_aci "$T/ok.aci" "$T/manifest" "$T/tiny"
	g fetch "$T/ok.aci"
	assert_ok
}

@test "image-manifest: violations of the top level" {
	bad acKind '{"acVersion":"0.8.11","name":"example.com/x"}'
	bad acKind '{"acKind":"PodManifest","acVersion":"0.8.11","name":"example.com/x"}'
	bad acVersion '{"acKind":"ImageManifest","name":"example.com/x"}'
	bad acVersion '{"acKind":"ImageManifest","acVersion":"0.8","name":"example.com/x"}'
	bad name '{"acKind":"ImageManifest","acVersion":"0.8.11"}'
	bad name '{"acKind":"ImageManifest","acVersion":"0.8.11","name":""}'
	bad name '{"acKind":"ImageManifest","acVersion":"0.8.11","name":"Example"}'
	bad name '{"acKind":"ImageManifest","acVersion":"0.8.11","name":"../../etc"}'
	bad name '{"acKind":"ImageManifest","acVersion":"0.8.11","name":"a//b"}'
	bad name '{"acKind":"ImageManifest","acVersion":"0.8.11","name":["a"]}'
	bad surprise "$(top ',"surprise":1')"
	bad 'labels: expected array' "$(top ',"labels":{}')"
	bad 'labels\[0\]\.name' "$(top ',"labels":[{"name":"Bad","value":"x"}]')"
	bad 'labels\[0\]\.name' "$(top ',"labels":[{"name":"name","value":"x"}]')"
	bad 'labels\[1\]' "$(top ',"labels":[{"name":"a","value":"x"},{"name":"a","value":"y"}]')"
	bad 'labels\[0\]\.value' "$(top ',"labels":[{"name":"a","value":1}]')"
	bad 'labels.*(plan9|os)' "$(top ',"labels":[{"name":"os","value":"plan9"}]')"
	bad 'labels.*(vax|arch)' "$(top ',"labels":[{"name":"os","value":"linux"},{"name":"arch","value":"vax"}]')"
	bad 'dependencies\[0\]\.imageName' "$(top ',"dependencies":[{}]')"
	bad 'dependencies\[0\]\.imageID' "$(top ',"dependencies":[{"imageName":"a.com/b","imageID":"sha512-12"}]')"
	bad 'pathWhitelist\[0\]' "$(top ',"pathWhitelist":["relative"]')"
	bad 'annotations\[0\]' "$(top ',"annotations":[{"name":"created","value":"yesterday"}]')"
	bad 'annotations\[0\]' "$(top ',"annotations":[{"name":"homepage","value":"gopher://x"}]')"
}

@test "image-manifest: violations of the app section" {
	bad 'app\.user' "$(with_app '{"exec":["/x"],"group":"0"}')"
	bad 'app\.group' "$(with_app '{"exec":["/x"],"user":"0"}')"
	bad 'app\.exec' "$(with_app '{"exec":"/x","user":"0","group":"0"}')"
	bad 'app\.eventHandlers\[0\]\.name' "$(with_app '{"exec":["/x"],"user":"0","group":"0","eventHandlers":[{"name":"x","exec":["/x"]}]}')"
	bad 'app\.environment\[0\]\.name' "$(with_app '{"exec":["/x"],"user":"0","group":"0","environment":[{"name":"1A","value":""}]}')"
	bad 'app\.mountPoints\[1\]' "$(with_app '{"exec":["/x"],"user":"0","group":"0","mountPoints":[{"name":"a","path":"/a"},{"name":"a","path":"/b"}]}')"
	bad 'app\.ports\[0\]\.port' "$(with_app '{"exec":["/x"],"user":"0","group":"0","ports":[{"name":"a","protocol":"tcp","port":65536}]}')"
	bad 'app\.isolators\[0\]' "$(with_app '{"exec":["/x"],"user":"0","group":"0","isolators":[{"name":"unknown/thing","value":1}]}')"
	bad 'app\.userLabels' "$(with_app '{"exec":["/x"],"user":"0","group":"0","userLabels":[]}')"
}

@test "image-manifest: text that is not strict JSON" {
	bad 'line 1' 'not json'
	bad 'line 1' "$(top '') x"
	bad 'name' '{"acKind":"ImageManifest","acVersion":"0.8.11","name":"example.com/x","name":"example.com/y"}'
	bad 'name' '{"acKind":"ImageManifest","acVersion":"0.8.11","name":"example.com/x","\u006eame":"example.com/y"}'
	bad 'line 1' $'{"acKind":"ImageManifest","acVersion":"0.8.11","name":"example.com/x\x01"}'
	bad 'line 1' '{"acKind":"ImageManifest","acVersion":"0.8.11","name":"example.com/x","size":01}'
	bad 'line 2, column' $'{"acKind":"ImageManifest",\n"acVersion":0.8.11}'
}

@test "image-manifest: nothing of a refused image stays in the store" {
	bad acKind '{"acVersion":"0.8.11","name":"example.com/x"}'
	g image list --no-legend
	assert_ok
	refute_match 'example.com/x'
	assert_equal "$(ls "$DATA/cas/tmp" 2>/dev/null)" ''
}
