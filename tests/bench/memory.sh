# shellcheck shell=bash disable=SC2086 # a command is a list of words
# Proportional set size of all that a runtime leaves running for a pod of two apps.
: "${W:?}" "${CGROUP:?}"

processes() {
	local dir
	for dir in /proc/[0-9]*; do
		echo "${dir#/proc/}"
	done | sort
}

# pss BEFORE: "KiB what" of the processes that are new since, without the apps themselves.
pss() {
	local pid kib name
	for pid in $(comm -13 "$1" <(processes)); do
		case $(readlink "/proc/$pid/exe") in
		*/busybox | */sleep | "$(readlink /proc/$$/exe)") continue ;; # an app, or this script
		esac
		kib=$(awk '$1 == "Pss:" { print $2 }' "/proc/$pid/smaps_rollup" 2>/dev/null)
		[ -n "$kib" ] || continue
		read -r name <"/proc/$pid/comm"
		echo "$kib $name"
	done
}

# memory_row NAME START-COMMAND...: start, let it come to rest, weigh.
memory_row() {
	local name=$1 list
	shift
	processes >"$W/before"
	"$@" || return
	sleep 0.7
	list=$(pss "$W/before")
	printf '  %-34s %9d KiB  %s\n' "$name" \
		"$(awk '{ sum += $1 } END { print sum + 0 }' <<<"$list")" \
		"$(awk 'NF { n[$2]++; k[$2] += $1 }
			END { for (c in n) printf "%s%s x%d %d", s, c, n[c], k[c], s = ", " }' <<<"$list")"
}

quietly_podman() {
	in_podman_ns "$@" >/dev/null 2>"$W/error" </dev/null || {
		missing podman "failed: $(reason)"
		return 1
	}
}

memory_floor() {
	$FLOOR pod -- /bin/sleep 1000 &
	FLOOR_PID=$!
}

memory_gantry() {
	gantry_start MEMORY_UUID --pod-manifest="$W/pod-sleep.json" --net=default
}

memory_bwrap() {
	$BWRAP /bin/sleep 1000 &
	MEMORY_PIDS=$!
	$BWRAP /bin/sleep 1000 &
	MEMORY_PIDS="$MEMORY_PIDS $!"
}

memory_nspawn() {
	local dir
	MEMORY_PIDS=
	for dir in "$W/nspawn" "$W/nspawn2"; do
		rig_rootfs "$dir"
		systemd-nspawn -q --register=no --keep-unit --as-pid2 --private-network -D "$dir" \
			/bin/sleep 1000 </dev/null >/dev/null 2>&1 &
		MEMORY_PIDS="$MEMORY_PIDS $!"
	done
}

memory_podman() {
	quietly_podman $PODMAN_POD --name memory &&
		quietly_podman $PODMAN run -d --pod memory bench /bin/sleep 1000 &&
		quietly_podman $PODMAN run -d --pod memory bench /bin/sleep 1000
}

bench_memory() {
	title 'memory: PSS of the processes beside the apps, one pod of two (target: 150 KiB, later 60)'
	MEMORY_UUID=''
	memory_row floor memory_floor
	kill "$FLOOR_PID"
	memory_row gantry memory_gantry
	[ -z "$MEMORY_UUID" ] || gantry_end "$MEMORY_UUID"
	if have bwrap; then
		memory_row 'bwrap x2' memory_bwrap
		kill $MEMORY_PIDS
	fi
	if have systemd-nspawn; then
		memory_row 'systemd-nspawn x2' memory_nspawn
		kill -TERM $MEMORY_PIDS
		wait $MEMORY_PIDS 2>/dev/null
	fi
	if have podman; then
		memory_row 'podman pod' memory_podman
		in_podman_ns $PODMAN pod rm -f -t 0 memory >/dev/null 2>&1
	fi
	echo '  crun and runc leave nothing running; podman has conmon for each container'
}
