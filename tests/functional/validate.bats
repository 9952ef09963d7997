# gantry validate: everything that is wrong with images, layouts and manifests, and where it stands.

load ../lib/gantry

setup_file() { suite_up; }
teardown_file() { suite_down; }
setup() { test_up; }
teardown() { test_down; }

# findings LINE...: exactly these on standard error, in this order, and status 254.
assert_findings() {
	[ "$status" = 254 ] || fail "expected status 254"
	diff <(sed "s|gantry: validate: $T/||" "$T/err") <(printf '%s\n' "$@") || fail "other findings"
}

@test "validate: what is valid is said, by its kind" {
	g validate "$FIX/probe.aci"
	assert_ok
	assert_out "$FIX/probe.aci: valid image"
	image_manifest example.com/x '' >"$T/m.json"
	printf '{"acKind":"PodManifest","acVersion":"0.8.11","apps":[{"name":"a","image":{"id":"%s"}}]}' "$PROBE_ID" >"$T/pod.json"
	mkdir -p "$T/l/rootfs"
	cp "$T/m.json" "$T/l/manifest"
	for c in gzip bzip2 xz; do $c -c "$FIX/probe.aci" >"$T/$c.aci"; done
	g validate "$T/m.json" "$T/pod.json" "$T/l" "$T/gzip.aci" "$T/bzip2.aci" "$T/xz.aci"
	assert_ok
	assert_out "$T/m.json: valid image manifest" "$T/pod.json: valid pod manifest" "$T/l: valid layout" \
		"$T/gzip.aci: valid image" "$T/xz.aci: valid image"
	g validate --quiet "$T/m.json"
	assert_ok
	assert_equal "$output" ""
}

@test "validate: a text that is no JSON, by line and column" {
	printf '{\n  "acKind": "ImageManifest",\n  "name": "x",,\n}' >"$T/m"
	g validate "$T/m"
	assert_findings 'm: JSON: line 3, column 15: member name expected'
	printf '{\n"a": "\xff"}' >"$T/m"
	g validate "$T/m"
	assert_findings 'm: JSON: line 2, column 7: not valid UTF-8'
	printf '{"a":1,\n"a":2}' >"$T/m"
	g validate "$T/m"
	assert_findings 'm: line 1, column 1: duplicate member "a"'
	printf '' >"$T/m"
	g validate --type=manifest "$T/m"
	assert_findings 'm: JSON: line 1, column 1: value expected'
}

@test "validate: every finding of an image manifest, with its place" {
	cat >"$T/m" <<'JSON'
{
  "acKind": "ImageManifest",
  "acVersion": "0.8",
  "name": "Example.com/x",
  "labels": [
    {"name": "os", "value": "linux"},
    {"name": "os", "value": "freebsd"},
    {"name": "B d"}
  ],
  "app": {
    "exec": ["/a", 5],
    "user": "",
    "workingDirectory": "relative",
    "ports": [{"name": "http", "protocol": "tcp", "port": 0}],
    "isolators": [{"name": "os/linux/capabilities-retain-set", "value": {"set": ["NONE"]}}],
    "typo": {}
  },
  "annotations": [{"name": "created", "value": "yesterday"}]
}
JSON
	g validate "$T/m"
	[ "$status" = 254 ] || fail "status"
	for place in 'line 3, column 16: acVersion: ' 'line 4, column 11: name: ' 'line 8, column 14: labels\[2\].name: ' \
		'line 8, column 5: labels\[2\].value: required' 'line 11, column 20: app.exec\[1\]: expected string' \
		'line 12, column 13: app.user: ' 'line 10, column 10: app.group: required member is missing' \
		'line 13, column 25: app.workingDirectory: ' 'line 14, column 59: app.ports\[0\].port: ' \
		'line 15, column [0-9]*: app.isolators\[0\]' 'line 16, column 13: app.typo: unknown member' \
		'line 18, column 48: annotations\[0\].value: '; do
		assert_err "m: $place"
	done
}

@test "validate: every finding of a pod manifest" {
	printf '{"acKind":"PodManifest","acVersion":"0.8.11",\n"apps":[{"name":"A","image":{"id":"x"}}],\n"volumes":[{"name":"v","kind":"host"}]}' >"$T/m"
	g validate "$T/m"
	[ "$status" = 254 ] || fail "status"
	assert_err 'm: line 2, column 17: apps\[0\].name: '
	assert_err 'm: line 2, column 35: apps\[0\].image.id: '
	assert_err 'm: line 3, .*volumes\[0\]'
}

@test "validate: the manifest inside an image and a layout, and what is around it" {
	mkdir -p "$T/l/rootfs"
	printf '{"acKind":"ImageManifest","acVersion":"0.8.11",\n"name":"X"}' >"$T/l/manifest"
	echo more >"$T/l/README"
	g validate "$T/l"
	assert_findings 'l: "README": an image has nothing beside manifest and rootfs'
	rm "$T/l/README"
	g validate "$T/l"
	assert_err 'l: manifest: line 2, column 8: name: "X"'
	tar -cf "$T/a.aci" -C "$T/l" manifest rootfs
	g validate "$T/a.aci"
	assert_err 'a.aci: manifest: line 2, column 8: name: "X"'
	# a pod manifest is none of an image
	printf '{"acKind":"PodManifest","acVersion":"0.8.11","apps":[]}' >"$T/l/manifest"
	g validate "$T/l"
	assert_err 'l: manifest: line 1, column 11: acKind: "PodManifest": not "ImageManifest"'
	rm "$T/l/manifest"
	g validate "$T/l"
	assert_findings 'l: there is no manifest'
	rmdir "$T/l/rootfs"
	g validate "$T/l"
	assert_findings 'l: there is no rootfs' 'l: there is no manifest'
}

@test "validate: every finding of an archive" {
	mkdir -p "$T/w/rootfs/d" "$T/w/other"
	image_manifest example.com/x '' >"$T/w/manifest"
	echo f >"$T/w/rootfs/f"
	ln -s d "$T/w/rootfs/s"
	tar -cf "$T/a.aci" -C "$T/w" manifest manifest rootfs other rootfs/f \
		--transform='s,^other/in-link$,rootfs/s/x,'
	tar -rf "$T/a.aci" -C "$T/w" --transform='s,^rootfs/f$,rootfs/s/x,' rootfs/f
	tar -rf "$T/a.aci" -C "$T/w" --transform='s,^rootfs/f$,rootfs/f/below,' rootfs/f
	tar -rPf "$T/a.aci" -C "$T/w" --transform='s,^rootfs/f$,rootfs/../../x,' rootfs/f
	g validate "$T/a.aci"
	assert_findings \
		'a.aci: "manifest": duplicate entry' \
		'a.aci: "other/": an image has nothing beside manifest and rootfs' \
		'a.aci: "rootfs/f": duplicate entry' \
		'a.aci: "rootfs/s/x": a symbolic link is in the way, in "s"' \
		'a.aci: "rootfs/f/below": "f" is no directory' \
		'a.aci: "rootfs/../../x": name with ".."'
	g fetch "$T/a.aci"
	assert_refused 254 'duplicate entry'
	gzip -c "$FIX/probe.aci" | head -c 3000 >"$T/cut.aci"
	g validate "$T/cut.aci"
	assert_findings 'cut.aci: gzip: the data is cut short'
	echo 'this is no archive' >"$T/no.aci"
	g validate "$T/no.aci"
	[ "$status" = 254 ] || fail "status"
	tar -cf "$T/e.aci" -C "$T/w" other
	g validate "$T/e.aci"
	assert_findings 'e.aci: "other/": an image has nothing beside manifest and rootfs' \
		'e.aci: the image has no manifest' 'e.aci: the image has no rootfs'
}

@test "validate: hundreds of findings are bounded" {
	mkdir "$T/w"
	(cd "$T/w" && seq -f 'x%g' 500 | xargs touch)
	tar -cf "$T/a.aci" -C "$T/w" .
	g validate "$T/a.aci"
	[ "$status" = 254 ] || fail "status"
	assert_equal "$(wc -l <"$T/err")" 101
	assert_err 'a.aci: and 402 more'
}

@test "validate: types, several files, and what is not there" {
	image_manifest example.com/x '' >"$T/m"
	g validate --type=image "$T/m"
	[ "$status" = 254 ] || fail "status"
	g validate --type=layout "$T/m"
	assert_refused 254 'm: is no directory'
	g validate --type=manifest "$T/tmp"
	assert_refused 254 'tmp: is a directory'
	g validate --type=thing "$T/m"
	assert_refused 254 'invalid argument "thing" for --type: image, layout or manifest'
	g validate "$T/gone" "$T/m"
	assert_refused 254 'gone: open: No such file'
	assert_out "$T/m: valid image manifest"
	g validate
	assert_refused 254 'must provide a file or directory'
	mkfifo "$T/fifo"
	g validate "$T/fifo"
	assert_refused 254 'fifo: is no regular file'
}

@test "validate: by anybody" {
	U=$(mktemp -d /tmp/gantry-validate.XXXXXX)
	cp "$FIX/probe.aci" "$U/a.aci"
	tar -cf "$U/b.aci" -C "$T" tmp
	chmod -R a+rX "$U"
	as_user() { run in_world setpriv --reuid=1234 --regid=1234 --clear-groups "$GANTRY" validate "$@"; }
	as_user "$U/a.aci"
	[ "$status" = 0 ] || fail "$output"
	as_user "$U/b.aci"
	rm -rf "$U"
	[ "$status" = 254 ] && [[ $output == *'the image has no manifest'* ]] || fail "$output"
}

@test "validate: nothing of an image is written anywhere" {
	before=$(in_world find "$DATA" /tmp/gantry-check* 2>/dev/null | wc -l)
	g validate "$FIX/probe.aci"
	assert_ok
	assert_equal "$(in_world find "$DATA" /tmp/gantry-check* 2>/dev/null | wc -l)" "$before"
}
