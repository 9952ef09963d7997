#!/bin/bash
# Runs suites and ends with one line: N passed, N failed, N skipped.
#
#   tests/run.sh BUILD-DIR SUITE...      suites: layers headers unit fuzz contract functional fly crash
#
#   FUNCTIONAL   which functional files (all)
#   JOBS         how many files of tests at once (twice as many as there are processors)
# The exit status is 0 when nothing failed and something passed.
set -u
cd "$(dirname "$(readlink -f "$0")")/.." || exit 1
B=$1
shift
build=$(readlink -e "$B") || { echo "run.sh: no $B: run make" >&2; exit 1; }
export B=$build GANTRY=$build/bin/gantry PROBE=$build/tests/probe HTTPD=$build/tests/httpd MKTAR=$build/tests/mktar
: "${JOBS:=$(($(nproc) * 2))}"
passed=0 failed=0 skipped=0
failures=()

count() { # NAME: TAP on stdin
	local line planned=-1 seen=0
	while IFS= read -r line; do
		case $line in
		"ok "*"# skip"* | "ok "*"# SKIP"*) skipped=$((skipped + 1)) seen=$((seen + 1)) ;;
		"ok "*) passed=$((passed + 1)) seen=$((seen + 1)) ;;
		"not ok "*) failed=$((failed + 1)) seen=$((seen + 1)) failures+=("$1: ${line#not ok }") ;;
		1..*) planned=${line#1..} ;;
		esac
		printf '%s\n' "$line"
	done
	# A suite that broke off is a failure, whatever it said before.
	if [ "$planned" -ne "$seen" ]; then
		failed=$((failed + 1))
		failures+=("$1: planned $planned, ran $seen")
	fi
}

one() { # NAME COMMAND...: a check that either works or does not
	local name=$1 out
	shift
	if out=$("$@" 2>&1); then
		passed=$((passed + 1))
		printf 'ok %s\n' "$name"
	else
		failed=$((failed + 1))
		failures+=("$name")
		printf 'not ok %s\n%s\n' "$name" "$out"
	fi
}

suite_unit() {
	local t
	for t in "$build"/tests/unit/*; do
		[ -x "$t" ] || continue
		count "unit/${t##*/}" < <(CMOCKA_MESSAGE_OUTPUT=TAP "$t" 2>&1)
	done
}

suite_fuzz() {
	local f
	for f in "$build"/tests/fuzz/*; do
		[ -x "$f" ] && one "fuzz/${f##*/}" "$f" "tests/fuzz/corpus/${f##*/}"
	done
}

# Files of tests are independent of each other: each has a world of its own.  They wait more than
# they work: twice as many at once as there are processors.  What each has to say comes when it is through.
bats_files() { # LABEL FILE...
	local label=$1 file dir ran=0
	local -A running=()
	shift
	dir=$(mktemp -d) || return 1
	for file; do
		[ ${#running[@]} -lt "$JOBS" ] || bats_next
		bats --tap "$file" >"$dir/${file##*/}" 2>&1 </dev/null &
		running[$!]=$file
	done
	while [ ${#running[@]} -gt 0 ]; do bats_next; done
	rm -rf "$dir"
	one "every file of $#$label" test "$ran" = $#
}

bats_next() { # the next one that ends, of bats_files
	local pid ended
	wait -n -p pid "${!running[@]}"
	ended=${running[$pid]}
	unset "running[$pid]"
	ran=$((ran + 1))
	echo "# $ended$label"
	count "$ended$label" <"$dir/${ended##*/}"
	rm -f "$dir/${ended##*/}"
}

suite_functional() {
	# shellcheck disable=SC2086 # a list of files
	bats_files '' ${FUNCTIONAL:-tests/functional/*.bats}
}

# What does not ask for namespaces, once more over the other flavour of stage1.
FLY_FILES="app app-args crash detach diagnostic disk enter env exit export gc hooks interactive kernel-files
	lifecycle list-status metadata monitor names notify oci-stack pid-file pod-manifest pod-names prepare restart run
	socket-activation uuid-file volume-flags volumes volumes-sources"

suite_fly() {
	local f files=()
	for f in ${FLY:-$FLY_FILES}; do files+=("tests/functional/$f.bats"); done
	GANTRY_FLAVOR=fly bats_files ' over fly' "${files[@]}"
}

suite_contract() { bats_files '' tests/contract/*.bats; }
suite_crash() { bats_files '' tests/crash/*.bats; }
suite_layers() { one layers tests/layers.sh "$build"; }
suite_headers() { one headers tests/headers.sh; }

for suite; do
	"suite_$suite" || exit 1
done
if [ ${#failures[@]} -gt 0 ]; then
	printf '\nfailed:\n'
	printf '  %s\n' "${failures[@]}"
fi
printf '\n%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
