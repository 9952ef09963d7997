# image rm (the plain cases are in image.bats).

load ../lib/gantry

setup_file() {
	suite_up
	T=$BATS_FILE_TMPDIR
	mkdir -p "$T/top"
	echo top >"$T/top/file"
	IMAGE_EXTRA=',"dependencies":[{"imageName":"example.com/probe"}]' make_aci "$T/top.aci" example.com/top \
		'{"exec":["/probe"],"user":"0","group":"0"}' "$T/top"
	gantry fetch --pull-policy=new "$T/top.aci" >/dev/null
	export TOP_ID
	TOP_ID=sha512-$(image_key "$T/top.aci")
}
teardown_file() { suite_down; }
setup() { test_up; }
teardown() { test_down; }

left() { ls "$DATA/cas/image" "$DATA/cas/tree" "$DATA/cas/tmp" | grep -v ':$' | xargs; }

@test "image rm: several, by id, short id and name; twice the same" {
	g image rm "${PROBE_ID:0:12}" example.com/top example.com/top
	assert_ok
	assert_match "removed aci for image: \"$PROBE_ID\"" "removed aci for image: \"$TOP_ID\""
	assert_err 'no image "example.com/top" in the store'
	assert_err 'rm: 2 image\(s\) successfully removed$'
	assert_equal "$(left)" ''
}

@test "image rm: duplicates of a name go one by one" {
	local n
	for n in 1 2 3; do
		make_aci "$T/$n.aci" example.com/dup "{\"exec\":[\"/probe\",\"$n\"],\"user\":\"0\",\"group\":\"0\"}"
		g fetch "$T/$n.aci"
		assert_ok
	done
	g image rm example.com/dup
	assert_match "\"sha512-$(image_key "$T/3.aci")\""
	g image rm example.com/dup example.com/dup
	assert_ok
	assert_equal "${#lines[@]}" 2
	g image rm example.com/dup
	assert_ok
	assert_err 'no image'
}

@test "image rm: of a dependency takes the rendered tree along, of the top as well" {
	g image rm example.com/probe
	assert_ok
	assert_equal "$(ls "$DATA/cas/tree")" "$TOP_ID"
	g image rm example.com/top
	assert_ok
	assert_equal "$(left)" ''
}

@test "image rm: what pods use stays until they are gone" {
	start_pod example.com/top -- pause
	g prepare --quiet example.com/top -- cat /file
	local prepared=$output
	g image rm example.com/top example.com/probe
	assert_ok
	assert_equal "$(ls "$DATA/cas/image")" ''
	assert_equal "$(ls "$DATA/cas/tree" | cut -c1-12)" 'deps-sha512-'
	g enter "$UUID" /probe cat /file
	assert_ok
	assert_out top
	g run-prepared --net=none "$prepared"
	assert_ok
	assert_out top
	g list --no-legend
	assert_match 'example.com/top:1.0.0'
	g stop --force "$UUID"
	wait_state "$UUID" exited
	g gc --grace-period=0s
	g gc --grace-period=0s
	assert_equal "$(left)" ''
}

@test "image rm: killed anywhere, gc leaves nothing" {
	local i
	mkdir -p "$T/many/"{1..30}
	for i in {1..30}; do
		(cd "$T/many/$i" && touch {1..30})
	done
	make_aci "$T/many.aci" example.com/many '{"exec":["/probe"],"user":"0","group":"0"}' "$T/many"
	rm -r "$DATA"
	mkdir "$DATA"
	for i in {1..10}; do
		g fetch "$T/many.aci"
		assert_ok
		g_bg rm image rm example.com/many
		sleep "0.00$((RANDOM % 10))"
		kill -KILL "$BG" 2>/dev/null || :
		wait "$BG" 2>/dev/null || :
		if [ -n "$(ls "$DATA/cas/image")" ]; then
			g image verify example.com/many
			assert_ok
			g image rm example.com/many
			assert_ok
		fi
		g gc --grace-period=0s
		assert_equal "$(left)" ''
	done
}

@test "image rm: on a full disk" {
	mkdir "$T/small"
	in_world sh -c 'mount -t tmpfs -o size=$(($(du -sk "$1" | cut -f1) + 256))k small "$2" && cp -a "$1/." "$2"' \
		sh "$DATA" "$T/small"
	DATA=$T/small
	in_world sh -c 'dd if=/dev/zero of="$1/fill" bs=4k 2>/dev/null || :' sh "$DATA"
	g image rm example.com/top example.com/probe
	assert_ok
	assert_equal "$(in_world ls "$DATA/cas/image" "$DATA/cas/tree" "$DATA/cas/tmp" | grep -v ':$' | xargs)" ''
	in_world umount "$T/small"
	DATA=$T/data
}

@test "image rm: where not even a directory can be made any more" {
	truncate -s 16M "$T/disk"
	mkfs.ext4 -q -m 0 -N 1000 "$T/disk" && mkdir "$T/small" &&
		in_world mount -o loop "$T/disk" "$T/small" || skip "no loop devices here"
	in_world cp -a "$DATA/." "$T/small"
	DATA=$T/small
	# every block, and every inode
	in_world sh -c 'dd if=/dev/zero of="$1/fill" bs=1k 2>/dev/null; i=0; while (: >"$1/i$i") 2>/dev/null; do i=$((i + 1)); done; :' sh "$DATA"
	in_world mkdir "$DATA/cas/tmp/x" 2>/dev/null && fail "there is room"
	g image rm example.com/top example.com/probe
	assert_ok
	assert_equal "${#lines[@]}" 2
	assert_equal "$(in_world ls "$DATA/cas/image" "$DATA/cas/tree" "$DATA/cas/tmp" | grep -v ':$' | xargs)" ''
	in_world umount "$T/small"
	DATA=$T/data
}

@test "image rm: two at once" {
	g_bg one image rm example.com/probe example.com/top
	local one=$BG
	g_bg two image rm example.com/top example.com/probe
	g_wait "$BG" two
	assert_ok
	g_wait "$one" one
	assert_ok
	g gc --grace-period=0s
	assert_equal "$(left)" ''
}
