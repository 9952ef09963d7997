# What a pod may leave behind, and the check that it did not: mounts, links, routes, rules, leases,
# cgroups in every hierarchy, processes, files.
# shellcheck shell=bash disable=SC2154

cgroup2_top() {
	awk '$3 == "cgroup2" {print $2; exit}' /proc/self/mounts
}

# cgroup_tops: the mount point of every hierarchy, v1 and v2; v1 ones once for each set of controllers.
cgroup_tops() { awk '$3 == "cgroup" || $3 == "cgroup2" {print $2}' /proc/self/mounts | sort -u; }

# controller_dir NAME: where the controller is mounted (v1) or the v2 hierarchy if it has it.
controller_dir() {
	local dir
	dir=$(awk -v c="$1" '$3 == "cgroup" && ("," $4 ",") ~ ("," c ",") {print $2; exit}' /proc/self/mounts)
	if [ -z "$dir" ]; then
		dir=$(cgroup2_top)
		grep -qw "$1" "$dir/cgroup.controllers" 2>/dev/null || return 1
	fi
	echo "$dir"
}

is_v1() { grep -qE "^[^ ]+ [^ ]+ cgroup [^ ]*\b$1\b" /proc/self/mounts; }

pod_cgroups() { # UUID
	local top
	for top in $(cgroup_tops); do
		[ ! -d "$top/gantry/$1" ] || echo "$top/gantry/$1"
	done
}

# app_cgroup UUID APP CONTROLLER: the directory with the files of that controller.
app_cgroup() { echo "$(controller_dir "$3")/gantry/$1/$2"; }

known_pods() { sort -u "$T/uuids"; }

# Host processes that belong to the sandbox: in a cgroup of one of its pods, or anything of gantry's in
# the world's mount namespace (where a test has nothing but its server).
leaked_processes() {
	local uuid
	for uuid in $(known_pods); do
		pod_procs "$uuid"
	done
	world_processes
}

no_leaked_processes() { [ -z "$(leaked_processes)" ]; }

world_processes() {
	local dir
	for dir in /proc/[0-9]*; do
		[ "$dir/ns/mnt" -ef "/proc/$WORLD/ns/mnt" ] && [ "${dir#/proc/}" != "$WORLD" ] &&
			! grep -qsaF "${HTTPD##*/}" "$dir/cmdline" || continue
		echo "${dir#/proc/} $(tr '\0' ' ' <"$dir/cmdline")"
	done 2>/dev/null
}

leak_state() {
	local uuid
	echo "== mounts"
	awk '{print $5, $(NF-2), $(NF-1)}' "/proc/$WORLD/mountinfo" | sort
	echo "== links"
	in_world ip -o link show | awk -F': ' '{print $2}' | sort
	echo "== routes"
	in_world ip -o route show table all | grep -v ' dev lo ' | sort
	in_world ip -6 -o route show table all | grep -v ' dev lo ' | sort
	echo "== rules"
	! command -v nft >/dev/null || in_world nft list ruleset
	echo "== files"
	# locks and the note of the last address given may stay: they are the network's, not the pod's
	find "/proc/$WORLD/root/run" "/proc/$WORLD/root/var/lib" ! -type d 2>/dev/null |
		sed "s,^/proc/$WORLD/root,," | grep -vE '(lock|last_reserved_ip[^/]*)$' | sort
	echo "== cgroups"
	for uuid in $(known_pods); do
		pod_cgroups "$uuid"
	done
	echo "== processes"
	leaked_processes
	echo "== pods"
	find "$DATA/pods" -mindepth 2 -maxdepth 2 2>/dev/null | sort
	echo "== temporary files"
	find "$DATA/cas/tmp" -mindepth 1 -maxdepth 1 2>/dev/null | sort
}

leak_snapshot() { leak_state >"$T/leak-before"; }

# Nothing that was not there before. What others take away meanwhile (a mount of the host that the world saw
# when it was made) is no leak.
same_as_before() {
	leak_state >"$T/leak-after"
	! diff "$T/leak-before" "$T/leak-after" | grep -q '^>'
}

# The kernel tears a network namespace down some time after its last process: wait for it.
assert_no_leaks() {
	wait_for 60 same_as_before ||
		fail "left over (- before, + now): $(diff -u0 "$T/leak-before" "$T/leak-after" | grep -E '^[-+]' || :)"
}

# collect_all: gc without grace, twice: the first marks and sweeps, the second must find nothing to do.
collect_all() {
	g gc --grace-period=0s --expire-prepared=0s
	assert_ok
	g gc --grace-period=0s --expire-prepared=0s
	assert_ok
}
