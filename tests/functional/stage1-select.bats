# Which stage1 a pod gets: --stage1-*, configuration, and the installed default.

load ../lib/gantry
load ../contract/stub-stage1/stub

setup_file() {
	suite_up
	mkdir -p "$BATS_FILE_TMPDIR/www" "$BATS_FILE_TMPDIR/log"
	T=$BATS_FILE_TMPDIR
	stub_aci "$T/www/stub-stage1.aci"
	STUB_ID=sha512-$(image_key "$T/www/stub-stage1.aci")
	export STUB_ID
	httpd_up "$T/www" "$T/log"
}
teardown_file() {
	keys_down
	suite_down
}
setup() {
	test_up
	export STUB_OUT='' STUB_RUN=exit STUB_EXIT=0
	STUB=$BATS_FILE_TMPDIR/www/stub-stage1.aci
	SAID='stub stage1: nothing is run'
	INSTALLED=$(readlink -f "$(dirname "$GANTRY")/../libexec/gantry/stage1")
	RUN=(run --net=none)
}
teardown() { test_down; }

configure() { # SUBDIR KIND MEMBERS
	mkdir -p "$LOCAL/$1"
	printf '{"rktKind":"%s","rktVersion":"v1",%s}\n' "$2" "$3" >"$LOCAL/$1/cfg.json"
}

# assert_stub, assert_stage1 DIR: what the pod was run by.
assert_stub() {
	assert_ok
	assert_out "$SAID"
	assert_stage1 "$DATA/cas/tree/$STUB_ID"
}
assert_stage1() { assert_equal "$(readlink -f "$(head -qn 1 "$DATA"/pods/*/*/stage1)")" "$(readlink -f "$1")"; }
again() { rm -rf "$DATA/pods"; }

@test "stage1-select: the installed default, in place" {
	g "${RUN[@]}" "$PROBE_ID" -- out hello
	assert_ok
	assert_out hello
	assert_stage1 "$INSTALLED/ns"
	[ ! -e "$DATA"/pods/run/*/stage1TreeStoreID ] || fail "it is no image"
}

@test "stage1-select: at most one of the options" {
	g "${RUN[@]}" --stage1-path="$STUB" --stage1-name=example.com/x "$PROBE_ID"
	assert_refused 254 '--stage1-path and --stage1-name: only one stage1 can be chosen'
	g prepare --stage1-hash="$STUB_ID" --stage1-from-dir=x.aci "$PROBE_ID"
	assert_refused 254 '--stage1-hash and --stage1-from-dir: only one stage1 can be chosen'
	g "${RUN[@]}" --stage1-path= "$PROBE_ID"
	assert_refused 254 '--stage1-path: empty'
	[ -z "$(ls "$DATA"/pods/*)" ] || fail "a pod was made"
}

# --- --stage1-path ---

@test "stage1-select: --stage1-path, an image" {
	g "${RUN[@]}" --stage1-path="$STUB" "$PROBE_ID"
	assert_stub
	again
	cd "$(dirname "$STUB")"
	g "${RUN[@]}" --debug --stage1-path=stub-stage1.aci "$PROBE_ID"
	assert_stub
	assert_err 'image: using image from file stub-stage1.aci'
	again
	g prepare --quiet --stage1-path=./stub-stage1.aci "$PROBE_ID"
	assert_ok
	g run-prepared --net=none "$output"
	assert_stub
}

@test "stage1-select: --stage1-path, what is not there" {
	g "${RUN[@]}" --stage1-path="$T/none.aci" "$PROBE_ID"
	assert_refused 254 "--stage1-path: stage1 $T/none.aci: No such file or directory"
	echo garbage >"$T/garbage.aci"
	g "${RUN[@]}" --stage1-path="$T/garbage.aci" "$PROBE_ID"
	assert_refused 254 '--stage1-path: .*garbage.aci'
	[ -z "$(ls "$DATA"/pods/*)" ] || fail "a pod was made"
}

@test "stage1-select: --stage1-path, an installed directory" {
	g "${RUN[@]}" --insecure-options=none --stage1-path="$INSTALLED/ns" "$PROBE_ID" -- out hello
	assert_ok
	assert_out hello
	assert_stage1 "$INSTALLED/ns"
}

@test "stage1-select: --stage1-path, another directory: nothing can vouch for it" {
	stub_dir "$T/stub" 7
	INSECURE=
	g "${RUN[@]}" --stage1-path="$T/stub" "$PROBE_ID"
	assert_refused 254 "$T/stub is a directory, which has no signature \(--insecure-options=image uses it all the same\)"
	# a link that only seems to lie in the right place is none either
	ln -s "$T/stub" "$T/ns"
	g "${RUN[@]}" --stage1-path="$T/ns" "$PROBE_ID"
	assert_refused 254 'which has no signature'
	INSECURE=image
	g "${RUN[@]}" --stage1-path="$T/stub" "$PROBE_ID"
	assert_ok
	assert_stage1 "$T/stub"
}

# --- signatures ---

@test "stage1-select: an image is verified like every other" {
	need gpg
	INSECURE=
	cp "$STUB" "$T/s.aci"
	local how
	for how in --stage1-path="$T/s.aci" --stage1-url="file://$T/s.aci"; do
		g "${RUN[@]}" "$how" "$PROBE_ID"
		assert_refused 254 'error opening signature file'
	done
	g "${RUN[@]}" --insecure-options=http --stage1-url="$URL/stub-stage1.aci" "$PROBE_ID"
	assert_refused 254 '(signature|stub-stage1.aci.asc)'
	configure stage1.d stage1 "\"location\":\"$T/s.aci\""
	g "${RUN[@]}" "$PROBE_ID"
	assert_refused 254 'configured stage1: .*error opening signature file'
	configure paths.d paths "\"stage1-images\":\"$T\""
	g "${RUN[@]}" --stage1-from-dir=s.aci "$PROBE_ID"
	assert_refused 254 'error opening signature file'
	[ ! -d "$DATA/cas/image/$STUB_ID" ] || fail "in the store"
}

@test "stage1-select: a signed one, trusted for its name" {
	need gpg
	keys_up
	INSECURE=
	cp "$STUB" "$T/s.aci"
	sign "$T/s.aci" good
	g "${RUN[@]}" --stage1-path="$T/s.aci" "$PROBE_ID"
	assert_refused 254 'openpgp: signature made by unknown entity'
	install_key good example.com/stub-stage1
	g "${RUN[@]}" --stage1-path="$T/s.aci" "$PROBE_ID"
	assert_stub
}

# --- --stage1-url ---

@test "stage1-select: --stage1-url" {
	INSECURE=image,http
	g "${RUN[@]}" --stage1-url="$URL/stub-stage1.aci" "$PROBE_ID"
	assert_stub
	again
	g "${RUN[@]}" --stage1-url="$URL/stub-stage1.aci" "$PROBE_ID"
	assert_stub
	again
	g "${RUN[@]}" --stage1-url="file://$STUB" "$PROBE_ID"
	assert_stub
	g "${RUN[@]}" --stage1-url=example.com/stub.aci "$PROBE_ID"
	assert_refused 254 '--stage1-url: "example.com/stub.aci" is a URL without scheme'
	g "${RUN[@]}" --stage1-url="$URL/none.aci" "$PROBE_ID"
	assert_refused 254 '--stage1-url: .*404'
}

# --- --stage1-hash ---

@test "stage1-select: --stage1-hash" {
	g fetch "$STUB"
	g "${RUN[@]}" --stage1-hash="$STUB_ID" "$PROBE_ID"
	assert_stub
	again
	g "${RUN[@]}" --debug --stage1-hash="${STUB_ID:0:20}" "$PROBE_ID"
	assert_stub
	assert_err 'using image from the store with hash'
	again
	g "${RUN[@]}" --stage1-hash=sha512-00000000 "$PROBE_ID"
	assert_refused 254 '--stage1-hash: .*no image IDs found'
	g "${RUN[@]}" --stage1-hash=example.com/stub "$PROBE_ID"
	assert_refused 254 '--stage1-hash: "example.com/stub"'
}

# --- --stage1-name ---

@test "stage1-select: --stage1-name, one that is installed" {
	local name
	for name in gantry/stage1-ns "gantry/stage1-ns:$(jq -r '.labels[]|select(.name=="version").value' "$INSTALLED/ns/manifest")" \
		gantry/stage1-ns,os=linux coreos.com/rkt/stage1-coreos coreos.com/rkt/stage1-host:1.30.0 \
		coreos.com/rkt/stage1-src:1.30.0+git; do
		again
		g "${RUN[@]}" --insecure-options=none --stage1-name="$name" "$PROBE_ID" -- out hello
		assert_ok
		assert_stage1 "$INSTALLED/ns"
	done
	for name in gantry/stage1-fly coreos.com/rkt/stage1-fly:1.30.0; do
		again
		g prepare --quiet --stage1-name="$name" "$PROBE_ID"
		assert_ok
		assert_stage1 "$INSTALLED/fly"
	done
	g "${RUN[@]}" --stage1-name=coreos.com/rkt/stage1-kvm:1.30.0 "$PROBE_ID"
	assert_refused 254 'stage1 kvm \(virtual machines\) is not supported'
}

@test "stage1-select: --stage1-name, one in the store" {
	g fetch "$STUB"
	g "${RUN[@]}" --debug --stage1-name=example.com/stub-stage1:0.0.1 "$PROBE_ID"
	assert_stub
	assert_err 'image: using image from local store for image name example.com/stub-stage1:0.0.1'
	again
	g "${RUN[@]}" --stage1-name=example.com/stub-stage1 "$PROBE_ID"
	assert_stub
}

@test "stage1-select: --stage1-name, what is no name" {
	g "${RUN[@]}" --stage1-name=/etc/passwd "$PROBE_ID"
	assert_refused 254 '--stage1-name: invalid image string'
	g "${RUN[@]}" --stage1-name=a:b:c "$PROBE_ID"
	assert_refused 254 '--stage1-name: invalid image string'
}

@test "stage1-select: an image of rkt's name in the store wins over what stands in for it" {
	STUB_NAME=coreos.com/rkt/stage1-coreos STUB_VERSION=1.30.0 stub_aci "$T/rkt.aci"
	g fetch "$T/rkt.aci"
	g "${RUN[@]}" --stage1-name=coreos.com/rkt/stage1-coreos:1.30.0 "$PROBE_ID"
	assert_ok
	assert_out "$SAID"
}

# --- --stage1-from-dir ---

@test "stage1-select: --stage1-from-dir, rkt's files stand for what is installed" {
	local file
	for file in stage1-coreos.aci stage1-host.aci stage1-src.aci ns; do
		again
		g "${RUN[@]}" --insecure-options=none --stage1-from-dir=$file "$PROBE_ID" -- out hello
		assert_ok
		assert_stage1 "$INSTALLED/ns"
	done
	for file in stage1-fly.aci fly; do
		again
		g prepare --quiet --stage1-from-dir=$file "$PROBE_ID"
		assert_ok
		assert_stage1 "$INSTALLED/fly"
	done
	g "${RUN[@]}" --stage1-from-dir=stage1-kvm.aci "$PROBE_ID"
	assert_refused 254 'stage1 kvm \(virtual machines\) is not supported'
	g "${RUN[@]}" --stage1-from-dir=none.aci "$PROBE_ID"
	assert_refused 254 "--stage1-from-dir: no \"none.aci\" in $INSTALLED"
	for file in ../ns .. ns/../ns /etc/passwd; do
		g "${RUN[@]}" --stage1-from-dir=$file "$PROBE_ID"
		assert_refused 254 "--stage1-from-dir: \"$file\" is not the name of a file"
	done
}

@test "stage1-select: --stage1-from-dir, the configured directory comes first" {
	mkdir "$T/images"
	cp "$STUB" "$T/images/stage1-fly.aci"
	configure paths.d paths "\"stage1-images\":\"$T/images\""
	g "${RUN[@]}" --debug --stage1-from-dir=stage1-fly.aci "$PROBE_ID"
	assert_stub
	assert_err "image: using image from file $T/images/stage1-fly.aci"
	again
	g "${RUN[@]}" --stage1-from-dir=stage1-coreos.aci "$PROBE_ID" -- out hello
	assert_ok
	assert_stage1 "$INSTALLED/ns"
	g "${RUN[@]}" --stage1-from-dir=none.aci "$PROBE_ID"
	assert_refused 254 "no \"none.aci\" in $T/images"
}

# --- configuration ---

@test "stage1-select: configured: the location first, then the store" {
	configure stage1.d stage1 "\"name\":\"example.com/stub-stage1\",\"version\":\"0.0.1\",\"location\":\"$STUB\""
	g "${RUN[@]}" --debug "$PROBE_ID"
	assert_stub
	assert_err "image: using image from file $STUB"
	again
	g "${RUN[@]}" --debug "$PROBE_ID"
	assert_stub
	assert_err 'image: using image from local store for image name example.com/stub-stage1:0.0.1'
	! grep -q 'using image from file' "$T/err" || fail "read again"
}

@test "stage1-select: configured with another name or version: the location every time" {
	local what
	for what in '"name":"example.com/other","version":"0.0.1"' '"name":"example.com/stub-stage1","version":"3.2.1"'; do
		configure stage1.d stage1 "$what,\"location\":\"file://$STUB\""
		for _ in 1 2; do
			again
			g "${RUN[@]}" --debug "$PROBE_ID"
			assert_stub
			assert_err "image: using image from file $STUB"
		done
	done
}

@test "stage1-select: configured by URL" {
	INSECURE=image,http
	configure stage1.d stage1 "\"name\":\"example.com/stub-stage1\",\"version\":\"0.0.1\",\"location\":\"$URL/stub-stage1.aci\""
	g "${RUN[@]}" "$PROBE_ID"
	assert_stub
	again
	g "${RUN[@]}" --debug "$PROBE_ID"
	assert_stub
	assert_err 'image: using image from local store for image name example.com/stub-stage1:0.0.1'
}

@test "stage1-select: configured, and not there: what is installed under that name" {
	configure stage1.d stage1 '"location":"/usr/lib/rkt/stage1-images/stage1-coreos.aci"'
	g "${RUN[@]}" --insecure-options=none "$PROBE_ID" -- out hello
	assert_ok
	assert_stage1 "$INSTALLED/ns"
	again
	configure stage1.d stage1 '"name":"coreos.com/rkt/stage1-fly","version":"1.30.0"'
	g prepare --quiet "$PROBE_ID"
	assert_ok
	assert_stage1 "$INSTALLED/fly"
	again
	configure stage1.d stage1 '"name":"gantry/stage1-fly","version":"0.0.0","location":"/none/mine.aci"'
	g prepare "$PROBE_ID"
	assert_refused 254 'configured stage1: stage1 /none/mine.aci: No such file or directory'
}

@test "stage1-select: configured, and nowhere: never asked for on the network" {
	configure stage1.d stage1 '"name":"example.com/none","version":"1"'
	g "${RUN[@]}" --debug "$PROBE_ID"
	assert_refused 254 'configured stage1: example.com/none:1 is neither installed nor in the store, and no location is configured'
	! grep -qi 'discover' "$T/err" || fail "$stderr"
}

@test "stage1-select: a file of that name beside the program" {
	mkdir -p "$T/prog/bin" "$T/empty"
	cp "$GANTRY" "$T/prog/bin/gantry"
	ln -s "$(readlink -f "$(dirname "$GANTRY")/../libexec")" "$T/prog/libexec"
	cp "$STUB" "$T/prog/bin/my-stage1.aci"
	configure stage1.d stage1 "\"location\":\"$T/empty/my-stage1.aci\""
	# it came with the program: no signature is asked for
	GANTRY=$T/prog/bin/gantry INSECURE='' g "${RUN[@]}" --debug "$PROBE_ID"
	assert_stub
	assert_err "image: using image from file $T/empty/my-stage1.aci"
	assert_err "image: using image from file $T/prog/bin/my-stage1.aci"
	# what is installed is found through links on the way to it, too
	again
	rm "$LOCAL/stage1.d/cfg.json"
	GANTRY=$T/prog/bin/gantry INSECURE='' g "${RUN[@]}" --stage1-from-dir=ns "$PROBE_ID" -- out hello
	assert_ok
	assert_out hello
}

@test "stage1-select: an option wins over the configuration" {
	configure stage1.d stage1 "\"location\":\"$STUB\""
	g "${RUN[@]}" --stage1-from-dir=ns "$PROBE_ID" -- out hello
	assert_ok
	assert_stage1 "$INSTALLED/ns"
}

@test "stage1-select: a relative location is refused in rkt's words" {
	configure stage1.d stage1 '"location":"some/stage1.aci"'
	g "${RUN[@]}" "$PROBE_ID"
	assert_refused 254 'default stage1 image location is either a relative path or a URL without scheme'
	# who says which one does not depend on it
	g "${RUN[@]}" --stage1-name=gantry/stage1-ns "$PROBE_ID" -- out hello
	assert_ok
}

@test "stage1-select: called as rkt, a file of rkt's package that is gone stands for ours" {
	ln -s "$GANTRY" "$T/rkt"
	g "${RUN[@]}" --stage1-path=/usr/lib/rkt/stage1-images/stage1-coreos.aci "$PROBE_ID" -- out hello
	assert_refused 254 'No such file or directory'
	GANTRY=$T/rkt g "${RUN[@]}" --stage1-path=/usr/lib/rkt/stage1-images/stage1-coreos.aci "$PROBE_ID" -- out hello
	assert_ok
	assert_stage1 "$INSTALLED/ns"
}
