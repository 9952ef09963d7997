# Trees of images with dependencies and white lists: image render, fetch and run.

load ../lib/gantry

setup_file() { suite_up; }
teardown_file() { suite_down; }
setup() { test_up; }
teardown() { test_down; }

# layer NAME: an empty root for an image of that name, in $ROOT; image NAME [EXTRA-JSON [VERSION]] packs and
# fetches it.
layer() {
	ROOT=$T/layers/$1/root
	mkdir -p "$ROOT"
}
image() {
	local app='{"exec":["/probe"],"user":"0","group":"0"}'
	IMAGE_EXTRA=${2:-} make_aci "$T/$1.aci" "example.com/$1" "$app" "$T/layers/$1/root" \
		"[{\"name\":\"version\",\"value\":\"${3:-1}\"},{\"name\":\"os\",\"value\":\"linux\"},{\"name\":\"arch\",\"value\":\"$(image_arch)\"}]"
	g fetch --pull-policy=new "$T/$1.aci"
	assert_ok
	ID=sha512-$(image_key "$T/$1.aci")
}
# needs NAME...: the JSON of these dependencies.
needs() {
	local name out=''
	for name; do
		out+="${out:+,}{\"imageName\":\"example.com/$name\"}"
	done
	printf ',"dependencies":[%s]' "$out"
}
white() { printf ',"pathWhitelist":%s' "$(words_json "$@")"; }

# files DIR: what is in it, with the content of files, one line each, sorted.
files() {
	(cd "$1" && find . -mindepth 1 \( -type f -printf '%P=' -exec head -n 1 {} \; -o -type l -printf '%P->%l\n' -o -printf '%P/\n' \)) | LC_ALL=C sort
}
render() {
	rm -rf "$T/out"
	g image render --rootfs-only "$1" "$T/rendered"
	assert_ok
	LISTING=$(files "$T/rendered")
	rm -rf "$T/rendered"
}
assert_listing() {
	local want
	want=$(printf '%s\n' "$@" | LC_ALL=C sort)
	[ "$LISTING" = "$want" ] || fail "expected:
$want
got:
$LISTING"
}
tree_count() { ls "$DATA/cas/tree" | grep -c '^deps-' || :; }

abcd() {
	local i
	for i in a b c d; do
		layer $i
		mkdir -p "$ROOT/dir"
		echo $i >"$ROOT/$i"
		echo $i >"$ROOT/dir/$i"
		echo $i >"$ROOT/common"
	done
	echo d >"$T/layers/d/root/dc" && echo c >"$T/layers/c/root/dc"
	echo b >"$T/layers/b/root/bd" && echo d >"$T/layers/d/root/bd"
	echo b >"$T/layers/b/root/bc" && echo c >"$T/layers/c/root/bc"
	image d
	image b
	image c "$(needs d)"
	image a "$(needs b c)"
}

@test "render: A needs B and C, C needs D: B, D, C, A" {
	abcd
	render example.com/a
	assert_listing a=a b=b c=c d=d common=a dir/ dir/a=a dir/b=b dir/c=c dir/d=d dc=c bd=d bc=c
	render example.com/c
	assert_listing c=c d=d common=c dir/ dir/c=c dir/d=d dc=c bd=d bc=c
}

@test "render: fetch renders, and files of layers are linked, not copied" {
	abcd
	assert_equal "$(tree_count)" 2
	local tree
	tree=$(ls -d "$DATA"/cas/tree/deps-*/rootfs | head -n 1)
	local file
	for file in "$tree/d" "$tree/dir/d"; do
		[ "$(stat -c %h "$file")" = 3 ] || fail "$file is not the layer's own"
	done
	# what is there is not made again
	local before
	before=$(stat -c %i "$DATA"/cas/tree/deps-*)
	render example.com/a
	g run --net=none example.com/c --exec=/none
	assert_equal "$(stat -c %i "$DATA"/cas/tree/deps-*)" "$before"
	assert_equal "$(ls "$DATA/cas/tmp")" ''
}

@test "render: an app starts from it" {
	layer top
	echo top >"$ROOT/from-top"
	image top "$(needs probe)"
	g run --net=none example.com/top -- cat /from-top /srv/data/from-image
	assert_ok
	assert_out top image
	RUN_FLAGS=(--no-overlay)
	g run --net=none --no-overlay example.com/top -- cat /from-top /srv/data/from-image
	assert_ok
	assert_out top image
}

@test "render: pathWhitelist of an image without dependencies" {
	layer one
	mkdir -p "$ROOT/dir/sub"
	echo x | tee "$ROOT/wanted" "$ROOT/other" "$ROOT/dir/wanted" "$ROOT/dir/other" >"$ROOT/dir/sub/wanted"
	ln -s wanted "$ROOT/link"
	ln -s other "$ROOT/dir/link"
	image one "$(white /wanted /dir//wanted /dir/sub/wanted/ /link)"
	render example.com/one
	assert_listing dir/ dir/sub/ dir/sub/wanted=x dir/wanted=x wanted=x 'link->wanted'
	# extract gives what the image itself holds
	g image extract --rootfs-only example.com/one "$T/extracted"
	assert_ok
	[ -e "$T/extracted/other" ] || fail "extract must not filter"
}

@test "render: the white list of an image filters what is below it" {
	abcd
	layer top
	echo top >"$ROOT/top"
	echo top >"$ROOT/not"
	image top "$(needs a)$(white /top /a /dir/d /common)"
	render example.com/top
	assert_listing top=top a=a common=a dir/ dir/d=d
}

@test "render: a diamond is filtered on each way by its own lists" {
	layer base
	mkdir -p "$ROOT/e"
	echo base | tee "$ROOT/e/left" "$ROOT/e/right" >"$ROOT/e/none"
	image base
	layer left && image left "$(needs base)$(white /e/left)"
	layer right && image right "$(needs base)$(white /e/right)"
	layer top && image top "$(needs left right)"
	render example.com/top
	assert_listing e/ e/left=base e/right=base
}

@test "render: a list of a list: both must have it" {
	layer base
	echo base | tee "$ROOT/1" "$ROOT/2" >"$ROOT/3"
	image base "$(white /1 /2)"
	layer middle && image middle "$(needs base)$(white /2 /3)"
	layer top && image top "$(needs middle)"
	render example.com/top
	assert_listing 2=base
}

@test "render: a link to a directory is replaced, never followed" {
	mkdir "$T/host"
	layer lower
	mkdir -p "$ROOT/a" "$ROOT/b" "$ROOT/real"
	echo lower | tee "$ROOT/a/file" "$ROOT/b/file" >"$ROOT/real/kept"
	ln -s "$T/host" "$ROOT/c"
	ln -s real "$ROOT/d"
	image lower
	layer upper
	ln -s "$T/host" "$ROOT/a"
	ln -s real "$ROOT/b"
	mkdir "$ROOT/c" "$ROOT/d"
	echo upper | tee "$ROOT/c/file" >"$ROOT/d/file"
	image upper "$(needs lower)"
	render example.com/upper
	assert_listing "a->$T/host" 'b->real' c/ c/file=upper d/ d/file=upper real/ real/kept=lower
	assert_equal "$(ls "$T/host")" ''
}

@test "render: a file hides a directory, and the other way round" {
	layer lower
	mkdir -p "$ROOT/a/b"
	echo lower | tee "$ROOT/a/b/c" >"$ROOT/f"
	image lower
	layer upper
	mkdir "$ROOT/f"
	echo upper | tee "$ROOT/a" >"$ROOT/f/x"
	image upper "$(needs lower)"
	render example.com/upper
	assert_listing a=upper f/ f/x=upper
}

@test "render: a directory looks like that of the topmost image that has it" {
	layer lower
	mkdir -m 711 "$ROOT/both" "$ROOT/one"
	chown 3:4 "$ROOT/both"
	echo lower >"$ROOT/both/file"
	image lower
	layer upper
	mkdir -m 750 "$ROOT/both"
	chown 5:6 "$ROOT/both"
	image upper "$(needs lower)"
	g image render --rootfs-only example.com/upper "$T/r"
	assert_ok
	assert_equal "$(stat -c '%a %u:%g %Y' "$T/r/both")" '750 5:6 1000000000'
	assert_equal "$(stat -c '%a %u:%g %Y' "$T/r/one")" '711 0:0 1000000000'
	assert_equal "$(stat -c '%Y' "$T/r")" 1000000000
}

@test "render: hard links, special files and attributes come through" {
	layer lower
	echo x >"$ROOT/one"
	ln "$ROOT/one" "$ROOT/two"
	mkfifo -m 640 "$ROOT/pipe"
	cp "$PROBE" "$ROOT/suid" && chmod 4755 "$ROOT/suid"
	image lower
	layer upper
	image upper "$(needs lower)"
	g image render --rootfs-only example.com/upper "$T/r"
	assert_ok
	assert_equal "$(stat -c %i "$T/r/one")" "$(stat -c %i "$T/r/two")"
	assert_equal "$(stat -c '%F %a' "$T/r/pipe")" 'fifo 640'
	assert_equal "$(stat -c %a "$T/r/suid")" 4755
}

@test "render: a dependency that changed makes a new tree" {
	layer base && echo 1 >"$ROOT/v" && image base '' 1
	layer top && image top "$(needs base)"
	render example.com/top
	assert_listing v=1
	layer base && echo 2 >"$ROOT/v" && image base '' 2
	render example.com/top
	assert_listing v=2
	assert_equal "$(tree_count)" 2
}

@test "render: labels and imageID of a dependency" {
	layer base && echo 1 >"$ROOT/v" && image base '' 1
	local first=$ID
	echo 2 >"$ROOT/v" && image base '' 2
	layer old && image old ',"dependencies":[{"imageName":"example.com/base","labels":[{"name":"version","value":"1"}]}]'
	render example.com/old
	assert_listing v=1
	layer pinned && image pinned ",\"dependencies\":[{\"imageName\":\"example.com/base\",\"imageID\":\"$first\"}]"
	render example.com/pinned
	assert_listing v=1
}

@test "render: what is missing is named" {
	abcd
	g image rm example.com/d
	assert_ok
	g image render example.com/a "$T/r"
	assert_refused 254 'dependency example.com/d is not in the store'
	[ ! -e "$T/r" ] || fail "something was made"
	g image render example.com/nothing "$T/r"
	assert_refused 254 'no image "example.com/nothing" in the store'
}

@test "render: many at once make one tree" {
	abcd
	rm -rf "$DATA"/cas/tree/deps-* "$DATA"/cas/image/*/tree
	local i pids=()
	for i in {1..8}; do
		g_bg r$i image render --rootfs-only example.com/a "$T/r$i"
		pids+=("$BG")
	done
	for i in {1..8}; do
		g_wait "${pids[i - 1]}" r$i
		assert_ok
		diff -r "$T/r1" "$T/r$i" || fail "they differ"
	done
	assert_equal "$(tree_count)" 1
	assert_equal "$(ls "$DATA/cas/tmp")" ''
}

@test "render: killed anywhere, nothing half is seen, and gc takes the rest" {
	local i
	layer base
	mkdir -p "$ROOT"/{1..40}
	for i in {1..40}; do
		(cd "$ROOT/$i" && touch {1..40})
	done
	image base
	layer top && echo top >"$ROOT/top" && image top "$(needs base)"
	for i in {1..15}; do
		rm -rf "$DATA"/cas/tree/deps-* "$DATA"/cas/image/*/tree
		g_bg r image render --rootfs-only example.com/top "$T/r"
		sleep "0.0$((RANDOM % 70))"
		kill -KILL "$BG" 2>/dev/null || :
		wait "$BG" 2>/dev/null || :
		if [ "$(tree_count)" = 1 ]; then
			assert_equal "$(find "$DATA"/cas/tree/deps-*/rootfs | wc -l)" 1642
		fi
		g gc
		assert_ok
		assert_equal "$(ls "$DATA/cas/tmp")" ''
		rm -rf "$T"/r "$T"/.r.*
	done
	g image render --rootfs-only example.com/top "$T/r"
	assert_ok
	assert_equal "$(find "$T/r" | wc -l)" 1642
}

@test "render: a full disk leaves nothing" {
	abcd
	rm -rf "$DATA"/cas/tree/deps-* "$DATA"/cas/image/*/tree
	mkdir "$T/small"
	# just enough inodes for what is there, and some
	in_world sh -c 'mount -t tmpfs -o nr_inodes=$(($(find "$1" | wc -l) + 4)) small "$2" && cp -a "$1/." "$2"' sh "$DATA" "$T/small"
	DATA=$T/small
	g image render example.com/a "$T/r"
	assert_refused 254 'No space left on device'
	[ ! -e "$T/r" ] || fail "something was made"
	assert_equal "$(in_world sh -c 'ls "$1/cas/tmp"; ls "$1/cas/tree" | grep deps' sh "$DATA")" ''
	in_world umount "$T/small"
	DATA=$T/data
}

@test "render: trees that gc took are made again" {
	abcd
	g image gc
	assert_ok
	assert_equal "$(ls "$DATA/cas/tree")" ''
	render example.com/a
	assert_listing a=a b=b c=c d=d common=a dir/ dir/a=a dir/b=b dir/c=c dir/d=d dc=c bd=d bc=c
	g run --net=none "$PROBE_ID" -- out again
	assert_ok
	assert_out again
}
