#!/bin/bash
# The functional tests and those of the CNI plugins in the machine; `make check-vm`
# builds what they need and calls this.  The last line is the result: N passed, N failed, N skipped.
#
#   FUNCTIONAL   the test files (all of tests/functional)
#   CONTRACT     names of files in tests/contract, "cni-vlan cni-child", in place of those
#   B            the build directory (build)
#   VM_INIT      plain or systemd (plain)
#   VM_TIMEOUT   seconds for all of it (7200)
#   GANTRY_TEST_TIMEOUT, GANTRY_TEST_REQUIRE: see tests/lib/gantry.bash
set -euo pipefail

cd "$(dirname "$(readlink -f "$0")")/../.."
build=$(readlink -e "${B:-build}") || { echo "check-vm.sh: no ${B:-build}: run make" >&2; exit 1; }
if [ -n "${CONTRACT:-}" ]; then
	read -ra files <<<"$CONTRACT"
	files=("${files[@]#tests/contract/}")
	files=("${files[@]%.bats}")
	files=("${files[@]/#/tests/contract/}")
	files=("${files[@]/%/.bats}")
	# The drivers that these are run here for.
	features=root,veth,bridge,bridge_vlan,macvlan,ipvlan,vlan,dummy,vrf
else
	read -ra files <<<"${FUNCTIONAL:-$(echo tests/functional/*.bats)}"
	features=root,overlay,cgroup2,memory,cpu,pids,veth,bridge,dummy
fi
# Relays the lines of bats as they come, and counts.  No awk: mawk, which is Debian's, reads a whole
# block before it sees the first line, and the tests of an hour would look as if they hung.
relay() {
	local line planned=0 passed=0 failed=0 skipped=0 lost

	while IFS= read -r line || [ -n "$line" ]; do
		printf '%s\n' "$line"
		case $line in
		"not ok "*) failed=$((failed + 1)) ;;
		"ok "*" # skip"*) skipped=$((skipped + 1)) ;;
		"ok "*) passed=$((passed + 1)) ;;
		*) [[ ! $line =~ ^1\.\.([0-9]+)$ ]] || planned=${BASH_REMATCH[1]} ;;
		esac
	done
	lost=$((planned - passed - failed - skipped))
	[ $lost -le 0 ] || echo "$lost did not run"
	echo "$passed passed, $failed failed, $skipped skipped"
	[ $lost -le 0 ] && [ $passed -gt 0 ]
}

command -v bats >/dev/null || { echo "check-vm.sh: bats is not installed" >&2; exit 1; }

# What this machine has by construction must not be skipped; and emulation is slow.
require=${GANTRY_TEST_REQUIRE:-$features}
set +e
tests/vm/vm.sh --init="${VM_INIT:-plain}" --timeout "${VM_TIMEOUT:-7200}" --ro "$build" \
	--env GANTRY="$build/bin/gantry" --env PROBE="$build/tests/probe" \
	--env HTTPD="$build/tests/httpd" --env MKTAR="$build/tests/mktar" \
	--env GANTRY_TEST_REQUIRE="$require" \
	--env GANTRY_TEST_TIMEOUT="${GANTRY_TEST_TIMEOUT:-600}" \
	-- bats --tap "${files[@]}" | relay
codes=("${PIPESTATUS[@]}")
# A run that broke off or passed nothing is no success, whatever bats says.
[ "${codes[0]}" = 0 ] || exit "${codes[0]}"
exit "${codes[1]}"
