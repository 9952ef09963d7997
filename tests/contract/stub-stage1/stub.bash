# Making stub stage1s for the tests. Load after tests/lib/gantry.
# shellcheck shell=bash disable=SC2154

# stub_dir DIR [VERSION [ENTRY...]]: a stage1 of that interface version (none: "-") with these entry points.
stub_dir() {
	local dir=$1 version=${2:-7} entry notes=''
	shift $(($# < 2 ? $# : 2))
	[ $# != 0 ] || set -- run enter stop gc
	rm -rf "$dir"
	mkdir -p "$dir/rootfs"
	for entry; do
		cp "$TOP/tests/contract/stub-stage1/program" "$dir/rootfs/$entry"
		notes+=",{\"name\":\"coreos.com/rkt/stage1/$entry\",\"value\":\"/$entry\"}"
	done
	[ "$version" = - ] ||
		notes+=",{\"name\":\"coreos.com/rkt/stage1/interface-version\",\"value\":\"$version\"}"
	printf '{"acKind":"ImageManifest","acVersion":"0.8.11","name":"%s","labels":[{"name":"version","value":"%s"},%s],"annotations":[%s]}\n' \
		"${STUB_NAME:-example.com/stub-stage1}" "${STUB_VERSION:-0.0.1}" \
		'{"name":"os","value":"linux"},{"name":"arch","value":"'"$(image_arch)"'"}' "${notes#,}" >"$dir/manifest"
}

# stub_aci FILE: the stub of interface version 6 as an image.
stub_aci() {
	stub_dir "$T/stub-for-aci" "${STUB_INTERFACE:-6}"
	pack_aci "$1" "$T/stub-for-aci/manifest" "$T/stub-for-aci/rootfs"
}

# stub_said ENTRY WHAT: what the stub wrote down.
stub_said() { cat "$STUB_OUT/$1/$2"; }

# assert_argv ENTRY WORD...: exactly these arguments; a word may be a glob pattern.
assert_argv() {
	local entry=$1 got i
	shift
	mapfile -t got <"$STUB_OUT/$entry/argv"
	[ ${#got[@]} = $# ] || fail "argv of $entry: ${got[*]}"
	for ((i = 0; i < ${#got[@]}; i++)); do
		# shellcheck disable=SC2053
		[[ ${got[i]} == $1 ]] || fail "argv of $entry: ${got[i]}, expected $1"
		shift
	done
}

# --- tests that run pods by a stub (load ../lib/gantry before) ---

stub_test_up() {
	test_up
	export STUB_OUT=$T/said STUB_RUN=exit STUB_EXIT=0 STUB_SAY=
	STUB=$T/stub
}
stub_test_down() {
	local pod
	for pod in "$DATA"/pods/run/*/; do
		[ ! -d "$pod" ] || stub_end "$pod"
	done
	STUB_OUT='' STUB_EXIT=0
	test_down
}

stub_end() {
	: >"$1/end"
	[ ! -p "$1/end.fifo" ] || timeout 60 sh -c 'echo >"$1"' sh "$1/end.fifo" || :
}

# stub_run VERSION WORD...: run the probe's image by a stub of that version.
stub_run() {
	local version=$1
	shift
	stub_dir "$STUB" "$version"
	rm -rf "$STUB_OUT"
	g run --stage1-path="$STUB" "$@" "$PROBE_ID"
}

# stub_start VERSION: the same detached, with STUB_RUN's manner of starting; $UUID, $POD.
stub_start() {
	stub_run "$1" --detach --net=none
	assert_ok
	UUID=$output
	POD=$DATA/pods/run/$UUID
}

the_uuid() { basename "$DATA"/pods/*/*-*-*-*-*; }
