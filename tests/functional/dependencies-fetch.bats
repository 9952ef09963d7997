# What an image depends on: found, fetched, checked; and the tree that is made of it.

load ../lib/gantry
load ../lib/hosts

APP='{"exec":["/probe"],"user":"0","group":"0"}'

# image NAME DEPENDENCIES [LABELS]: an image below dep.test with one file of its own, /NAME.
image() {
	local root=$BATS_TEST_TMPDIR/root.$1
	mkdir -p "$root" "$W/dep.test"
	echo "$1" >"$root/$1"
	IMAGE_EXTRA=${2:+",\"dependencies\":[$2]"} make_aci "$W/dep.test/$1.aci" "dep.test/$1" '' "$root" "${3:-}"
}
# base: the image with the probe, and an app section, so that what depends on it can run.
top() { # NAME DEPENDENCIES
	local root=$BATS_TEST_TMPDIR/root.$1
	mkdir -p "$root" "$W/dep.test"
	echo "$1" >"$root/$1"
	IMAGE_EXTRA=",\"dependencies\":[$2]" make_aci "$W/dep.test/$1.aci" "dep.test/$1" "$APP" "$root"
}
dep() { echo "{\"imageName\":\"dep.test/$1\"${2:+,$2}}"; }
key() { image_key "$W/dep.test/$1.aci"; }
short() { echo "sha512-$(key "$1" | cut -c1-32)"; }
fetched() { host_asked dep.test | sed -n 's,^/dep.test/\(.*\)\.aci$,\1,p'; }

setup_file() {
	need root openssl gpg
	world_up
	fixtures_up
	keys_up
	hosts_up dep.test
	host_up dep.test tls
	host_page dep.test '' "$(tag dep.test 'https://dep.test/{name}.{ext}')"
}
teardown_file() {
	keys_down
	hosts_down
	world_down
}
setup() {
	sandbox_up "$BATS_TEST_TMPDIR"
	W=$HOSTS/dep.test/www
	rm -rf "$W/dep.test"
	mkdir -p "$W/dep.test"
	make_aci "$W/dep.test/probe.aci" dep.test/probe "$APP"
	host_forget dep.test
}
teardown() { test_down; }

names() { gantry image list --no-legend --fields=name | sed 's/:.*//' | sort | tr '\n' ' '; }

@test "dependencies-fetch: depth first, in the order of the lists" {
	image b "$(dep d)"
	image c ''
	image d ''
	top a "$(dep b),$(dep c),$(dep probe)"
	g fetch dep.test/a
	assert_ok
	assert_equal "$output" "$(short a)"
	assert_equal "$(fetched | tr '\n' ' ')" 'a b d c probe '
	assert_equal "$(names)" 'dep.test/a dep.test/b dep.test/c dep.test/d dep.test/probe '
}

@test "dependencies-fetch: what several need is asked for once" {
	image b "$(dep e)"
	image c "$(dep b),$(dep e),$(dep probe)"
	image d "$(dep b),$(dep e)"
	image e "$(dep probe)"
	top a "$(dep b),$(dep c),$(dep d)"
	top z "$(dep d),$(dep a)"
	g fetch dep.test/a dep.test/z
	assert_ok
	assert_equal "$(fetched | sort | uniq -c | awk '$1 > 1')" ''
	assert_equal "$(fetched | wc -l)" 7
}

@test "dependencies-fetch: what the store has is not asked for by run, and again by fetch" {
	image b ''
	image c "$(dep b)"
	top a "$(dep b),$(dep c),$(dep probe)"
	gantry fetch "$W/dep.test/b.aci" >/dev/null
	g --debug run --net=none dep.test/a -- out ran
	assert_ok
	assert_out ran
	assert_err 'image: using image from local store for image name dep.test/b'
	assert_equal "$(fetched | tr '\n' ' ')" 'a c probe '
	host_forget dep.test
	g run --net=none dep.test/a -- out ran
	assert_ok
	assert_equal "$(host_asked dep.test)" ''
	g fetch dep.test/a
	assert_ok
	assert_equal "$(fetched | tr '\n' ' ')" 'a b c probe '
}

@test "dependencies-fetch: of a file as well" {
	image b ''
	top a "$(dep b),$(dep probe)"
	g run --net=none "$W/dep.test/a.aci" -- ls /
	assert_ok
	assert_equal "$(names)" 'dep.test/a dep.test/b dep.test/probe '
	assert_match '\ba\b' '\bb\b' '\bprobe\b'
}

@test "dependencies-fetch: the tree is there after fetch" {
	image b ''
	top a "$(dep b),$(dep probe)"
	g fetch dep.test/a
	assert_ok
	assert_equal "$(ls "$DATA/cas/tree" | grep -c '^deps-sha512-')" 1
	local tree
	tree=$(echo "$DATA"/cas/tree/deps-sha512-*)
	assert_equal "$(cat "$tree/rootfs/a" "$tree/rootfs/b")" 'a
b'
	g run --net=none dep.test/a -- out ran
	assert_ok
	assert_equal "$(ls "$DATA/cas/tree" | grep -c '^deps-sha512-')" 1
}

# --- labels, ids, sizes

@test "dependencies-fetch: labels choose the version" {
	local v1='[{"name":"version","value":"1"}]' v2='[{"name":"version","value":"2"}]'
	host_page dep.test '' "$(tag dep.test 'https://dep.test/{name}-{version}.{ext}')"
	image b '' "$v1"
	mv "$W/dep.test/b.aci" "$W/dep.test/b-1.aci"
	image b '' "$v2"
	mv "$W/dep.test/b.aci" "$W/dep.test/b-2.aci"
	top a "$(dep b '"labels":[{"name":"version","value":"1"}]')"
	mv "$W/dep.test/a.aci" "$W/dep.test/a-latest.aci"
	g fetch dep.test/a
	assert_ok
	assert_equal "$(fetched | tr '\n' ' ')" 'a-latest b-1 '
	top a "$(dep b '"labels":[{"name":"version","value":"3"}]')"
	mv "$W/dep.test/a.aci" "$W/dep.test/a-latest.aci"
	touch -d '+1 hour' "$W/dep.test/a-latest.aci"
	g fetch dep.test/a
	assert_refused 254 'image "dep.test/a"' 'dependency "dep.test/b:3"' 'b-3.aci'
	# what is served as 3 and says that it is 2
	cp "$W/dep.test/b-2.aci" "$W/dep.test/b-3.aci"
	g fetch dep.test/a
	assert_refused 254 'dependency "dep.test/b:3"' 'version'
	host_page dep.test '' "$(tag dep.test 'https://dep.test/{name}.{ext}')"
}

@test "dependencies-fetch: an image id is honoured" {
	image b ''
	top a "$(dep b "\"imageID\":\"sha512-$(key b)\""),$(dep probe)"
	g fetch dep.test/a
	assert_ok
	host_forget dep.test
	# nothing can be newer than an id
	g fetch dep.test/a
	assert_ok
	assert_equal "$(fetched | tr '\n' ' ')" 'a probe '
}

@test "dependencies-fetch: an image that is not the one of the id" {
	local other
	image b ''
	other=$(key b)
	rm "$W/dep.test/b.aci"
	image b "$(dep probe)"
	top a "$(dep b "\"imageID\":\"sha512-$other\"")"
	g fetch dep.test/a
	assert_refused 254 'image "dep.test/a"' 'dependency "dep.test/b"' "sha512-$(key b)" "sha512-$other"
	# the id is in the store and belongs to another name
	image c ''
	top a "$(dep b "\"imageID\":\"sha512-$(key c)\"")"
	touch -d '+1 hour' "$W/dep.test/a.aci"
	g fetch "$W/dep.test/c.aci"
	assert_ok
	g fetch dep.test/a
	assert_refused 254 'dep.test/b' "sha512-$(key c)" 'dep.test/c'
}

@test "dependencies-fetch: a size that is given must be right" {
	image b ''
	top a "$(dep b "\"size\":$(stat -c %s "$W/dep.test/b.aci")"),$(dep probe)"
	g fetch dep.test/a
	assert_ok
	top a "$(dep b '"size":12'),$(dep probe)"
	touch -d '+1 hour' "$W/dep.test/a.aci"
	g fetch dep.test/a
	assert_refused 254 'dependency "dep.test/b"' "$(stat -c %s "$W/dep.test/b.aci") bytes" '12'
}

# --- what cannot be

@test "dependencies-fetch: a cycle is refused and named" {
	image b "$(dep c)"
	image c "$(dep a)"
	top a "$(dep b)"
	g fetch dep.test/a
	assert_refused 254 'the dependencies form a cycle: dep.test/a -> dep.test/b -> dep.test/c -> dep.test/a'
	assert_equal "$(grep -c cycle "$T/err")" 1
	image s "$(dep s)"
	g fetch dep.test/s
	assert_refused 254 'the dependencies form a cycle: dep.test/s -> dep.test/s'
	g run --net=none dep.test/a
	assert_refused 254 'cycle'
}

@test "dependencies-fetch: too deep" {
	local i
	for i in {1..40}; do
		image "n$i" "$(dep n$((i + 1)))"
	done
	image n41 ''
	g fetch dep.test/n1
	assert_refused 254 'image "dep.test/n1"' 'deep'
	[ "$(fetched | wc -l)" -lt 40 ] || fail "all were fetched"
}

@test "dependencies-fetch: one that cannot be had is named, with what needs it" {
	image b "$(dep gone)"
	top a "$(dep b)"
	g fetch dep.test/a
	assert_refused 254 'image "dep.test/a"' 'dependency "dep.test/gone"' 'gone.aci.*404'
	g fetch --pull-policy=never "$W/dep.test/b.aci"
	assert_refused 254 'dependency "dep.test/gone"' 'unable to fetch image from image name "dep.test/gone"'
	g run --net=none dep.test/a
	assert_refused 254 'dep.test/gone'
	assert_equal "$(ls "$DATA/cas/tmp")" ''
	assert_equal "$(ls "$DATA/pods/prepare" "$DATA/pods/run" "$DATA/pods/embryo" 2>/dev/null | grep -c -)" 0
}

@test "dependencies-fetch: one with another name is refused" {
	image c ''
	mv "$W/dep.test/c.aci" "$W/dep.test/b.aci"
	top a "$(dep b)"
	g fetch dep.test/a
	assert_refused 254 'dependency "dep.test/b"' 'dep.test/c'
}

@test "dependencies-fetch: one that is named two thousand times is one" {
	local list
	image b ''
	list=$(dep b)$(printf ',{"imageName":"dep.test/b"}%.0s' {1..2000})
	image a "$list"
	g fetch dep.test/a
	# whether there are too many layers is the renderer's to say
	[ "$status" = 0 ] || assert_refused 254 'layers'
	assert_equal "$(fetched | tr '\n' ' ')" 'a b '
}

@test "dependencies-fetch: signatures are checked like any image's" {
	INSECURE=
	install_key good dep.test/a
	image b ''
	top a "$(dep b)"
	sign "$W/dep.test/a.aci" good
	g fetch dep.test/a
	assert_refused 254 'dependency "dep.test/b"' 'error downloading the signature file'
	sign "$W/dep.test/b.aci" good
	g fetch dep.test/a
	# the key is for the one name only
	assert_refused 254 'dependency "dep.test/b"' 'unknown entity'
	install_key good dep.test/b
	g fetch dep.test/a
	assert_ok
}
