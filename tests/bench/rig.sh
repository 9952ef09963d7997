# shellcheck shell=bash disable=SC2086 # a command is a list of words
# The place where all runtimes work, and the rows of a table.
: "${W:?}" "${TOOLS:?}" "${CGROUP:?}"

PLAN=$W/plan

# One root file system for all: a static busybox and the directories that some runtimes insist on.
rig_rootfs() {
	local dir=$1 name
	mkdir -p "$dir"/{bin,dev,etc,proc,root,run,sys,tmp,usr,var}
	cp /bin/busybox "$dir/bin/busybox"
	for name in true sh sleep cat; do
		ln -sf busybox "$dir/bin/$name"
	done
	printf '#!/bin/sh\nexec sleep 1000\n' >"$dir/bin/pause"
	chmod 755 "$dir/bin/pause"
	echo 'root:x:0:0:root:/:/bin/sh' >"$dir/etc/passwd"
	echo 'root:x:0:' >"$dir/etc/group"
}

rig_make() {
	ip link set lo up
	mount -t tmpfs -o mode=755 bench "$W"
	# Runtimes keep short-lived state below /run and leases below /var/lib/cni: not the machine's.
	mount -t tmpfs -o mode=755 bench /run
	[ -d /var/lib/cni ] && mount -t tmpfs -o mode=755 bench /var/lib/cni
	mkdir "$W/tmp" "$W/floor"
	export TMPDIR=$W/tmp HOME=$W/tmp LC_ALL=C.UTF-8
	rig_rootfs "$W/rootfs"
	"$TOOLS/filter" "$W/filter.bpf" >"$W/filter.calls" || echo "  filter: failed"
	FLOOR="$TOOLS/floor -r $W/rootfs -w $W/floor -f $W/filter.bpf -c $CGROUP"
	$FLOOR cgroups
	printf 'gantry benchmarks: %s cores, Linux %s, cgroup %s\n' "$(nproc)" "$(uname -r)" \
		"$([ -e /sys/fs/cgroup/cgroup.controllers ] && echo v2 || echo v1)"
	echo 'medians; CPU is user + system of all descendants; "x" is the ratio to the first row'
}

rig_remove() {
	subject_remove
	peers_remove
}

# missing NAME REASON: a row that cannot be measured is named, and the rest goes on.
missing() {
	printf '  %s: %s\n' "$1" "$2"
}

have() {
	command -v "$1" >/dev/null 2>&1
}

# title TEXT: begin a table.
title() {
	printf '\n== %s\n' "$1"
	: >"$PLAN"
}

# row NAME COUNT PARALLEL NAMESPACE|- PREPARE|- COMMAND
# Tried once before it is measured; when that fails, the end of its error output is the reason.
row() {
	local name=$1 ns=$4 prepare=$5 command=$6 enter=()
	[ "$ns" = - ] || enter=(nsenter "--mount=$ns")
	# No item of the measured run has this number (%i); %s is it modulo 64, as in interleave.c.
	command=${command//%i/900000001}
	command=${command//%s/1}
	[ "$prepare" = - ] || sh -c "$prepare" >/dev/null 2>&1 </dev/null
	if timeout -k 5 90 "${enter[@]}" sh -c "$command" >/dev/null 2>"$W/error" </dev/null; then
		(IFS=$'\t' && printf '%s\n' "$*" >>"$PLAN")
	else
		missing "$name" "failed: $(reason)"
	fi
}

# The last two lines that the command that failed has written, as one.
reason() {
	local text
	text=$(grep -v '^$' "$W/error" | tail -n 2 | paste -sd' ')
	echo "${text:-no message}"
}

# measure [ROUNDS [WARM-UP [interleave options]]]: run the rows and print the table.
measure() {
	local rounds=${1:-$ROUNDS} warm=${2:-2}
	shift $(($# < 2 ? $# : 2))
	"$TOOLS/interleave" -n "$rounds" -w "$warm" "$@" <"$PLAN"
}
