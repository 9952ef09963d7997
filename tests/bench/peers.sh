# shellcheck shell=bash disable=SC2086,SC2034 # a command is a list of words, used elsewhere
# The other runtimes: where they keep their things and how they are told to do the same work.
: "${W:?}" "${CGROUP:?}"

SLOTS=64	# bundles for pods that run at the same time; interleave replaces %s
CRUN_NS=-	# mount namespace for crun and for podman with it

CRUN="crun --root $W/crun"
RUNC="runc --root $W/runc"
PODMAN="podman --root $W/podman --runroot $W/podman-run --tmpdir $W/podman-tmp --storage-driver overlay"

# crun refuses a host whose cgroup2 mount still has a controller beside v1: it gets a mount
# namespace where an empty tmpfs covers that mount.
crun_namespace() {
	[ -d /sys/fs/cgroup/unified ] || return 0
	# shellcheck disable=SC2016 # the inner shell expands it
	unshare --mount --propagation private sh -c \
		'umount /sys/fs/cgroup/unified && mount -t tmpfs none /sys/fs/cgroup/unified &&
		 touch "$1" && exec sleep 3600' sh "$W/crun-ns-ready" &
	CRUN_NS_PID=$!
	for _ in $(seq 100); do
		[ -e "$W/crun-ns-ready" ] && break
		sleep 0.02
	done
	CRUN_NS=/proc/$CRUN_NS_PID/ns/mnt
}

# oci_bundle DIR CGROUP-NAME NAMESPACE-PATH|- ARG...: the floor's work, told to an OCI runtime.
oci_bundle() {
	local dir=$1 cgroup=$2 path=$3 ns='' type args=''
	shift 3
	for type in pid ipc uts; do
		ns+="{\"type\":\"$type\"$(oci_ns_path "$path" $type)},"
	done
	ns+="{\"type\":\"network\"$(oci_ns_path "$path" net)},{\"type\":\"mount\"}"
	[ -e /sys/fs/cgroup/cgroup.controllers ] && ns+=',{"type":"cgroup"}'
	args=$(printf '"%s",' "$@")
	mkdir -p "$dir"
	cat >"$dir/config.json" <<-END
	{"ociVersion":"1.0.2","hostname":"bench","root":{"path":"$W/rootfs","readonly":false},
	 "process":{"user":{"uid":0,"gid":0},"args":[${args%,}],"env":["PATH=/bin"],"cwd":"/",
	  "capabilities":{"bounding":[$OCI_CAPS],"effective":[$OCI_CAPS],"permitted":[$OCI_CAPS]}},
	 "mounts":[
	  {"destination":"/proc","type":"proc","source":"proc","options":["nosuid","nodev","noexec"]},
	  {"destination":"/sys","type":"sysfs","source":"sysfs","options":["ro","nosuid","nodev","noexec"]},
	  {"destination":"/dev","type":"tmpfs","source":"tmpfs","options":["nosuid","mode=755","size=65536k"]},
	  {"destination":"/dev/pts","type":"devpts","source":"devpts",
	   "options":["nosuid","noexec","newinstance","ptmxmode=0666","mode=0620","gid=5"]},
	  {"destination":"/dev/shm","type":"tmpfs","source":"shm","options":["nosuid","noexec","nodev","mode=1777"]},
	  {"destination":"/dev/mqueue","type":"mqueue","source":"mqueue","options":["nosuid","noexec","nodev"]}],
	 "linux":{"cgroupsPath":"/$CGROUP/$cgroup","namespaces":[$ns],
	  "resources":{"memory":{"limit":67108864},"cpu":{"shares":512},"pids":{"limit":64}},
	  "seccomp":{"defaultAction":"SCMP_ACT_ERRNO","architectures":["SCMP_ARCH_X86_64"],
	   "syscalls":[{"names":[$OCI_CALLS],"action":"SCMP_ACT_ALLOW"}]},
	  "maskedPaths":["/proc/kcore","/proc/keys","/proc/timer_list","/proc/acpi","/proc/scsi"],
	  "readonlyPaths":["/proc/bus","/proc/fs","/proc/irq","/proc/sys","/proc/sysrq-trigger"]}}
	END
}

oci_ns_path() {
	[ "$1" = - ] || printf ',"path":"%s/%s"' "$1" "$2"
}

# A pod of an OCI runtime is three containers: one that holds the namespaces, and the two apps. The
# apps' configuration names the namespaces through a link that is set once the first one runs.
oci_make() {
	local name slot
	OCI_CAPS=$(printf '"CAP_%s",' AUDIT_WRITE CHOWN DAC_OVERRIDE FSETID FOWNER KILL MKNOD NET_RAW \
		NET_BIND_SERVICE SETUID SETGID SETPCAP SETFCAP SYS_CHROOT)
	OCI_CAPS=${OCI_CAPS%,}
	OCI_CALLS=$(sed 's/.*/"&"/' "$W/filter.calls" | paste -sd,)
	for name in crun runc; do
		oci_bundle "$W/oci/$name/one" "$name-one" - /bin/true
		oci_bundle "$W/oci/$name/sleep" "$name-sleep" - /bin/sleep 1000
		for slot in $(seq 0 $((SLOTS - 1))); do
			oci_bundle "$W/oci/$name/$slot/pod" "$name-$slot-pod" - /bin/sleep 1000
			oci_bundle "$W/oci/$name/$slot/a" "$name-$slot-a" "$W/oci/$name/$slot/ns" /bin/true
			oci_bundle "$W/oci/$name/$slot/b" "$name-$slot-b" "$W/oci/$name/$slot/ns" /bin/true
			oci_bundle "$W/oci/$name/$slot/c" "$name-$slot-c" "$W/oci/$name/$slot/ns" \
				/bin/sleep 1000
			oci_bundle "$W/oci/$name/$slot/d" "$name-$slot-d" "$W/oci/$name/$slot/ns" \
				/bin/sleep 1000
		done
	done
	cat >"$W/oci/link.sh" <<-'END'
	read -r pid <"$1/pid"
	exec ln -sfn "/proc/$pid/ns" "$1/ns"
	END
}

# oci_pod RUNTIME-COMMAND NAME true|sleep: a pod up and down, as a command for interleave.
oci_pod() {
	local run=$1 dir=$W/oci/$2/%s id=$2%i
	printf '%s' "$run run -d --bundle $dir/pod --pid-file $dir/pid $id-p && sh $W/oci/link.sh $dir"
	if [ "$3" = true ]; then
		printf ' && %s' "$run run --bundle $dir/a $id-a" "$run run --bundle $dir/b $id-b" \
			"$run delete -f $id-p"
	else
		printf ' && %s' "$run run -d --bundle $dir/c $id-c" "$run run -d --bundle $dir/d $id-d" \
			"$run delete -f $id-c" "$run delete -f $id-d" "$run delete -f $id-p"
	fi
}

podman_make() {
	export CONTAINERS_CONF=$W/containers.conf
	cat >"$CONTAINERS_CONF" <<-END
	[engine]
	cgroup_manager = "cgroupfs"
	events_logger = "file"
	runtime = "$(have crun && echo crun || echo runc)"
	[network]
	network_backend = "cni"
	network_config_dir = "$W/podman-net"
	cni_plugin_dirs = ["/usr/lib/cni", "/opt/cni/bin"]
	END
	tar -C "$W/rootfs" -cf "$W/rootfs.tar" .
	PODMAN_NS=$CRUN_NS
	PODMAN_POD="$PODMAN pod create --cgroup-parent /$CGROUP --infra-image bench --infra-command /bin/pause"
	# With cgroupfs on v2, podman's pod cgroup denies all devices and its containers do not start.
	[ ! -e /sys/fs/cgroup/cgroup.controllers ] || PODMAN_POD+=' --share-parent=false'
	in_podman_ns $PODMAN import -q "$W/rootfs.tar" bench >/dev/null 2>"$W/error" ||
		missing podman "import failed: $(reason)"
}

# in_ns NAMESPACE|- COMMAND...
in_ns() {
	local ns=$1
	shift
	if [ "$ns" = - ]; then
		"$@"
	else
		nsenter "--mount=$ns" "$@"
	fi
}

in_podman_ns() {
	in_ns "$PODMAN_NS" "$@"
}

in_crun_ns() {
	in_ns "$CRUN_NS" "$@"
}

# podman_pod true|sleep: a pod up and down; apps that end by themselves, or that run until removed.
podman_pod() {
	local app="$PODMAN run -d --cgroup-parent /$CGROUP --pod p%i bench" arg=/bin/true
	[ "$1" = true ] || arg='/bin/sleep 1000'
	printf '%s' "$PODMAN_POD --name p%i && $app $arg && $app $arg && $PODMAN pod rm -f -t 0 p%i"
}

peers_make() {
	local name
	for name in crun runc bwrap systemd-nspawn podman; do
		have $name || missing $name 'not installed (make bench-deps)'
	done
	rig_rootfs "$W/nspawn" # it makes files in it
	if have crun || have runc; then
		oci_make
	fi
	if have crun; then
		crun_namespace
	fi
	if have podman; then
		podman_make
	fi
}

peers_remove() {
	if have podman; then
		in_podman_ns $PODMAN rm -a -f -t 0 >/dev/null 2>&1
	fi
	[ -z "${CRUN_NS_PID:-}" ] || kill "$CRUN_NS_PID"
}
