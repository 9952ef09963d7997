#!/bin/bash
# Run the benchmarks: run.sh [one] [pod] [enter] [many] [memory] [image] [oci] [list] [plugins] [counts]
#
# Everything happens in a PID, mount and network namespace of its own, with the data of all
# runtimes on one tmpfs: when the first process ends, its processes, mounts and links are gone. Only
# cgroups are outside of that; the outer half of this script removes those of the peers.
#
# Environment: B (build directory), GANTRY (default $B/bin/gantry), ROUNDS (default 30;
# more make the medians steadier), BENCH_MB (size of the large image, default 400).
set -u
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
B=$(realpath "${B:-build}")
GANTRY=${GANTRY:-$B/bin/gantry}
export TOOLS=$B/bench
CGROUP=gantry-bench
ROUNDS=${ROUNDS:-30}
BENCH_MB=${BENCH_MB:-400}

# What the peers make: below $CGROUP, as they are told, and nspawn's two beside itself.
cgroups() {
	find /sys/fs/cgroup -maxdepth 2 -type d \
		'(' -name "$CGROUP" -o -name payload -o -name supervisor ')'
}

# remove_cgroups KEPT: all of them but those that were there before.
remove_cgroups() {
	local dir
	for dir in $(cgroups); do
		[[ " $1 " == *" $dir "* ]] || find "$dir" -depth -type d -exec rmdir {} + 2>/dev/null
	done
}

outer() {
	local work status kept
	if [ "$(id -u)" != 0 ]; then
		echo "bench: must be root" >&2
		exit 1
	fi
	kept=$(cgroups | tr '\n' ' ')
	work=/tmp/gantry-bench.$$ # lower case: it becomes part of an image reference
	mkdir -m 700 "$work" || exit 1
	unshare --net --mount --pid --fork --kill-child --mount-proc --propagation slave \
		env BENCH_WORK="$work" B="$B" GANTRY="$GANTRY" "$HERE/run.sh" "$@"
	status=$?
	remove_cgroups "$kept"
	rmdir "$work"
	exit $status
}

[ -n "${BENCH_WORK:-}" ] || outer "$@"
export W=$BENCH_WORK

for part in rig peers subject start memory image oci list plugins counts; do
	# shellcheck disable=SC1090 # the files beside this one
	. "$HERE/$part.sh"
done

[ $# -gt 0 ] || set -- one pod enter many memory image oci list plugins
begin=$SECONDS
rig_make
peers_make
subject_make
for section; do
	case $section in
	one | pod | enter | many | memory | image | oci | list | plugins | counts) "bench_$section" ;;
	*) echo "bench: no section $section" >&2 && exit 2 ;;
	esac
done
rig_remove
printf '\n%d seconds\n' $((SECONDS - begin))
