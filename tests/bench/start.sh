# shellcheck shell=bash disable=SC2086 # a command is a list of words
# Starting, entering and ending. Targets are those that gantry has set itself: RATIO to a peer.
: "${W:?}" "${CGROUP:?}"

NSPAWN="systemd-nspawn -q --register=no --keep-unit --as-pid2 --private-network -D $W/nspawn"
BWRAP="bwrap --bind $W/rootfs / --proc /proc --dev /dev --unshare-all"

bench_one() {
	title 'one app without network (target: 1.5 x floor, later 1.2; 0.6 x crun)'
	row floor 1 1 - - "$FLOOR one -- /bin/true"
	gantry_row 1 1 - "$GANTRY_GC" "$G run --net=none $IMAGE_ID --exec=/bin/true"
	row crun 1 1 "$CRUN_NS" - "$CRUN run --bundle $W/oci/crun/one one%i"
	row runc 1 1 - - "$RUNC run --bundle $W/oci/runc/one one%i"
	row 'bwrap (no cgroup, no seccomp)' 1 1 - - "$BWRAP /bin/true"
	row systemd-nspawn 1 1 - - "$NSPAWN /bin/true"
	row podman 1 1 "$PODMAN_NS" - \
		"$PODMAN run --rm --network none --cgroup-parent /$CGROUP bench /bin/true"
	measure "$ROUNDS" 2 -t floor=1.5 -t crun=0.6
}

bench_pod() {
	title 'two-app pod with the default network, up and down (target: 2 x floor; 1/3 crun; 1/35 podman)'
	row floor 1 1 - - "$FLOOR pod -- /bin/true"
	gantry_row 1 1 - "$GANTRY_GC" "$G run --pod-manifest=$W/pod-true.json --net=default"
	row 'crun x3 (empty network)' 1 1 "$CRUN_NS" - "$(oci_pod "$CRUN" crun true)"
	row 'runc x3 (empty network)' 1 1 - - "$(oci_pod "$RUNC" runc true)"
	row 'podman pod' 1 1 "$PODMAN_NS" - "$(podman_pod true)"
	measure $((ROUNDS / 2)) 1 -t floor=2 -t 'crun x3 (empty network)=0.333' -t 'podman pod=0.0286'
}

# The command that the floor runs in the app of a "floor one" that sleeps.
enter_floor() {
	local child=''
	$FLOOR one -- /bin/sleep 1000 &
	FLOOR_PID=$!
	for _ in $(seq 100); do
		read -r child 2>/dev/null <"/proc/$FLOOR_PID/task/$FLOOR_PID/children"
		[ "$(readlink "/proc/${child:-0}/exe")" = /bin/busybox ] && break
		sleep 0.02
	done
	row nsenter 1 1 - - "nsenter -t $child -m -u -i -n -p -C -r -w /bin/true"
}

bench_enter() {
	local uuid=
	title 'enter (target: 0.6 x crun exec)'
	enter_floor
	if gantry_start uuid --net=none "$IMAGE_ID" --exec=/bin/sleep -- 1000; then
		gantry_row 1 1 - - "$G enter $uuid /bin/true"
	fi
	in_crun_ns $CRUN run -d --bundle "$W/oci/crun/sleep" enter >/dev/null 2>&1 </dev/null
	row 'crun exec' 1 1 "$CRUN_NS" - "$CRUN exec enter /bin/true"
	$RUNC run -d --bundle "$W/oci/runc/sleep" enter >/dev/null 2>&1 </dev/null
	row 'runc exec' 1 1 - - "$RUNC exec enter /bin/true"
	in_podman_ns $PODMAN run -d --name enter --network none --cgroup-parent "/$CGROUP" bench \
		/bin/sleep 1000 >/dev/null 2>&1 </dev/null
	row 'podman exec' 1 1 "$PODMAN_NS" - "$PODMAN exec enter /bin/true"
	measure "$ROUNDS" 2 -t 'crun exec=0.6'
	[ -z "$uuid" ] || gantry_end "$uuid"
	in_crun_ns $CRUN delete -f enter >/dev/null 2>&1
	$RUNC delete -f enter >/dev/null 2>&1
	in_podman_ns $PODMAN rm -f -t 0 enter >/dev/null 2>&1
	kill "$FLOOR_PID"
}

# Per pod: start two apps that run until they are told to stop, then stop and remove. gantry's own
# word for "started" is that the pod is ready.
bench_many() {
	local pods=50 few=12 file=$W/tmp/uuid-%i
	title "$pods pods of two apps, four at a time, started, stopped and removed (target: 1/10 podman)"
	row floor $pods 4 - - "$FLOOR -k pod -- /bin/sleep 1000"
	gantry_row $pods 4 - "$GANTRY_GC" "$G run --detach --uuid-file-save=$file\
 --pod-manifest=$W/pod-sleep.json --net=default && $G stop --uuid-file=$file && $G rm --uuid-file=$file"
	row 'crun x3 (empty network)' $pods 4 "$CRUN_NS" - "$(oci_pod "$CRUN" crun sleep)"
	row 'podman pod' $few 4 "$PODMAN_NS" - "$(podman_pod sleep)"
	measure 3 0 -t 'podman pod=0.1'
	echo "  per pod, amortised; of podman only $few pods"
}
