# image list, rm, cat-manifest.

load ../lib/gantry

setup_file() {
	suite_up
	T=$BATS_FILE_TMPDIR
	make_aci "$T/other.aci" example.com/other '{"exec":["/probe"],"user":"0","group":"0"}'
	gantry fetch "$T/other.aci" >/dev/null
	export OTHER_ID
	OTHER_ID=sha512-$(image_key "$T/other.aci")
}
teardown_file() { suite_down; }
setup() { test_up; }
teardown() { test_down; }

@test "image: list shows ID, name, size and times" {
	g image list
	assert_ok
	assert_match '^ID\s+NAME\s+SIZE\s+IMPORT TIME\s+LAST USED\s*$'
	assert_match "^${PROBE_ID:0:19}\s+example.com/probe:1\.0\.0\s+[0-9.]+(B|KiB|MiB)\s+.*(ago|now)"
	assert_equal "${#lines[@]}" 3
	g image list --no-legend
	assert_equal "${#lines[@]}" 2
}

@test "image: list --full" {
	g image list --full --no-legend
	assert_ok
	assert_match "^${PROBE_ID:0:71}[0-9a-f]*\s+example.com/probe:1\.0\.0\s+[0-9]+\s+[0-9]{4}-[0-9]{2}-[0-9]{2} "
}

@test "image: list --fields, in the order given" {
	g image list --fields=name,id
	assert_ok
	assert_match '^NAME\s+ID\s*$' "^example.com/probe:1\.0\.0\s+${PROBE_ID:0:19}\s*$"
	g image list --fields=name,colour
	assert_refused 254 colour
}

@test "image: list --sort and --order" {
	g image list --no-legend --fields=name --sort=name
	assert_ok
	assert_equal "$(echo $output)" 'example.com/other:1.0.0 example.com/probe:1.0.0'
	g image list --no-legend --fields=name --sort=name --order=desc
	assert_equal "$(echo $output)" 'example.com/probe:1.0.0 example.com/other:1.0.0'
	g image list --no-legend --fields=name --sort=importtime
	assert_equal "$(echo $output)" 'example.com/probe:1.0.0 example.com/other:1.0.0'
	g image list --sort=colour
	assert_refused 254 colour
	g image list --order=sideways
	assert_refused 254 sideways
}

@test "image: list as JSON" {
	g image list --format=json
	assert_ok
	assert_json 'length == 2'
	assert_json ".[] | select(.name == \"example.com/probe:1.0.0\") | (.id | startswith(\"${PROBE_ID:0:71}\")) and .size > 0"
	assert_json 'all(.[]; .import_time > 1500000000000000000 and .last_used_time >= .import_time)'
	g image list --format=json-pretty
	assert_ok
	assert_json 'length == 2'
}

@test "image: cat-manifest prints the bytes of the image, by ID, short ID and name" {
	local who
	for who in "$PROBE_ID" "${PROBE_ID:0:19}" example.com/probe example.com/probe:1.0.0; do
		g image cat-manifest "$who"
		assert_ok
		assert_json '.acKind == "ImageManifest" and .name == "example.com/probe"'
	done
	assert_match $'^\t'
	g image cat-manifest --pretty-print=false example.com/probe
	assert_ok
	assert_equal "$output" "$(tar -xOf "$FIX/probe.aci" manifest)"
	g image cat-manifest example.com/unknown
	assert_refused 254 'example.com/unknown'
	g image cat-manifest
	assert_refused 254
}

@test "image: rm by ID, short ID and name" {
	g image rm "${PROBE_ID:0:19}"
	assert_ok
	assert_match "^successfully removed aci for image: \"${PROBE_ID:0:71}[0-9a-f]*\"$"
	g image rm example.com/other
	assert_ok
	g image list --no-legend
	assert_equal "$output" ''
	assert_equal "$(ls "$DATA/cas/image" "$DATA/cas/tree" "$DATA/cas/tmp" 2>/dev/null | grep -v ':$' | xargs)" ''
}

@test "image: rm of what is not there" {
	g image rm sha512-00000000000000000000
	assert_err '00000000000000000000'
	g image rm sha512-0
	assert_err 'image ID too short'
	g image rm ''
	[ -n "$stderr" ] || fail "no word"
	# one bad name does not hinder the others
	g image rm example.com/unknown "$PROBE_ID"
	assert_match 'successfully removed'
	assert_err 'example.com/unknown'
}

@test "image: rm of one in use leaves running and prepared pods alone" {
	start_pod "$PROBE_ID" -- pause
	local running=$UUID
	g prepare --quiet "$PROBE_ID" -- out prepared ran
	local prepared=$output
	g image rm "$PROBE_ID"
	assert_ok
	g enter "$running" /probe out still here
	assert_ok
	assert_out 'still here'
	g run-prepared --net=none "$prepared"
	assert_ok
	assert_out 'prepared ran'
	# and when no pod needs the tree any more, gc takes it
	g stop --force "$running"
	wait_state "$running" exited
	collect_all
	[ ! -e "$DATA/cas/tree/$PROBE_ID" ] || fail "the tree is still there"
}

@test "image: an ambiguous short ID is refused" {
	local a=${PROBE_ID:7:1} n
	# make images until two share their first two digits
	for n in $(seq 1 60); do
		"$MKTAR" "file:manifest=$(image_manifest example.com/n$n '')" dir:rootfs >"$T/n.aci"
		gantry fetch "$T/n.aci" >/dev/null
		a=$(ls "$DATA/cas/image" | cut -c1-9 | sort | uniq -d | head -n 1)
		[ -z "$a" ] || break
	done
	[ -n "$a" ] || skip "no two alike among 60"
	g image cat-manifest "$a"
	assert_refused 254 'ambiguous image ID'
}

@test "image: name without version prefers the newest" {
	local app='{"exec":["/probe","out","old"],"user":"0","group":"0"}'
	make_aci "$T/v1.aci" example.com/versions "$app" "$FIX/root" "[{\"name\":\"version\",\"value\":\"1\"},{\"name\":\"os\",\"value\":\"linux\"},{\"name\":\"arch\",\"value\":\"$(image_arch)\"}]"
	make_aci "$T/v2.aci" example.com/versions "${app/old/new}" "$FIX/root" "[{\"name\":\"version\",\"value\":\"2\"},{\"name\":\"os\",\"value\":\"linux\"},{\"name\":\"arch\",\"value\":\"$(image_arch)\"}]"
	gantry fetch "$T/v1.aci" >/dev/null
	gantry fetch "$T/v2.aci" >/dev/null
	g run --net=none example.com/versions
	assert_ok
	assert_out new
	g run --net=none example.com/versions:1
	assert_ok
	assert_out old
	g image cat-manifest example.com/versions:3
	assert_refused 254 'example.com/versions:3'
}

@test "image: a store without write access can be read" {
	in_world unshare -m sh -c 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && shift && exec "$@"' sh \
		"$DATA" "$GANTRY" --dir="$DATA" image list --no-legend >"$T/out" 2>"$T/err" || fail "$(cat "$T/err")"
	assert_match '^sha512-'
}

@test "image: a stray directory in the store is no image" {
	mkdir -p "$DATA/cas/image/sha512-zz" "$DATA/cas/image/junk"
	g image list --no-legend
	assert_ok
	assert_equal "${#lines[@]}" 2
}

@test "image: a label cannot steer the terminal, nor make a line of its own" {
	make_aci "$T/esc.aci" example.com/esc '{"exec":["/probe"],"user":"0","group":"0"}' "$FIX/root" \
		'[{"name":"version","value":"1\u001b[31m\nx"},{"name":"os","value":"linux"},{"name":"arch","value":"'"$(image_arch)"'"}]'
	g fetch "$T/esc.aci"
	assert_ok
	g image list --no-legend
	assert_ok
	assert_match 'example.com/esc:1\\x1b\[31m\\nx'
	! grep -q $'\e' "$T/out" || fail "a control character came through"
	assert_equal "${#lines[@]}" 3
}
