#!/usr/bin/env bats
# The plugins under containerd: its own CNI library loads /etc/cni/net.d and runs /opt/cni/bin, as on a node.

load ../lib/cni

have_containerd() { type -P containerd && type -P ctr && type -P containerd-shim-runc-v2 && type -P runc; } >/dev/null

IMAGE=example.com/box:1

setup() {
	cni_up
	need containerd busybox
	outside
	containerd_up
}

teardown() {
	local pid
	if [ -s "$T/containerd.pid" ]; then
		ctr task ls -q 2>/dev/null | while read -r pid; do ctr task kill -s KILL "$pid" || :; done
		for pid in $RUNS; do wait "$pid" || :; done
		kill "$(cat "$T/containerd.pid")" 2>/dev/null || :
		wait_for 60 containerd_gone
		wait_for 60 cgroups_gone
	fi
	cni_down
}

# Everything of it has the world's mounts: shims too.  A shim outlives the daemon by design.
in_the_world() {
	local dir
	for dir in /proc/[0-9]*; do
		[ "$dir/ns/mnt" -ef "/proc/$WORLD/ns/mnt" ] && grep -qsa '^[^ ]*containerd' "$dir/cmdline" && echo "${dir#/proc/}"
	done 2>/dev/null
}
containerd_gone() {
	local pids
	pids=$(in_the_world)
	# shellcheck disable=SC2086
	[ -z "$pids" ] || { kill -KILL $pids 2>/dev/null; return 1; }
}
cgroups_gone() {
	local dir left=0
	for dir in $(cgroup_tops); do
		[ ! -d "$dir/gantry-cni-containerd" ] ||
			find "$dir/gantry-cni-containerd" -depth -type d -exec rmdir '{}' + 2>/dev/null || left=1
	done
	[ $left = 0 ]
}

ctr() {
	in_world env CONTAINERD_SNAPSHOTTER=native timeout -k 5 120 ctr --address "$T/c.sock" "$@" 3>&-
}
answers() { ctr version >/dev/null 2>&1; }

# The daemon in the world, all of it below $T; the world has an /etc and an /opt/cni/bin of its own.
containerd_up() {
	RUNS=
	in_world sh -c 'cp -a /etc /run/etc && mount --bind /run/etc /etc && rm -rf /etc/cni && mkdir -p /etc/cni/net.d'
	in_world mount --bind "$CNI_PLUGINS" /opt/cni/bin
	mkdir -p "$T/root" "$T/state"
	cat >"$T/config.toml" <<-END
		version = 2
		root = "$T/root"
		state = "$T/state"
		disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.snapshotter.v1.aufs",
			"io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper",
			"io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.overlayfs"]
		[debug]
		level = "warn"
		[grpc]
		address = "$T/c.sock"
	END
	in_world sh -c 'echo $$ >"$1/containerd.pid"; exec containerd --config "$1/config.toml"' sh "$T" \
		>"$T/containerd.log" 2>&1 3>&- &
	wait_for 60 answers || { cat "$T/containerd.log"; return 1; }
	image >"$T/image.tar"
	ctr image import "$T/image.tar" >/dev/null
}

blob() { # FILE: puts it among the image's blobs; digest and size
	local digest
	digest=$(sha256sum <"$1" | cut -d ' ' -f 1)
	mv "$1" "$T/oci/blobs/sha256/$digest"
	printf '"digest":"sha256:%s","size":%s' "$digest" "$(stat -c %s "$T/oci/blobs/sha256/$digest")"
}

# An image of busybox alone, as an archive of the OCI layout.
image() {
	local layer config manifest diff
	mkdir -p "$T/tree/bin" "$T/oci/blobs/sha256"
	cp "$(busybox_static)" "$T/tree/bin/busybox"
	ln -s busybox "$T/tree/bin/sh"
	tar -C "$T/tree" --owner=0 --group=0 -cf "$T/layer" .
	diff=$(sha256sum <"$T/layer" | cut -d ' ' -f 1)
	layer=$(blob "$T/layer")
	printf '{"architecture":"%s","os":"linux","config":{"Cmd":["/bin/sh"]},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' \
		"$(case $(uname -m) in x86_64) echo amd64 ;; aarch64) echo arm64 ;; *) uname -m ;; esac)" "$diff" >"$T/config"
	config=$(blob "$T/config")
	printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",
		"config":{"mediaType":"application/vnd.oci.image.config.v1+json",%s},
		"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar",%s}]}' "$config" "$layer" >"$T/manifest"
	manifest=$(blob "$T/manifest")
	printf '{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json",%s,
		"annotations":{"io.containerd.image.name":"%s"}}]}' "$manifest" "$IMAGE" >"$T/oci/index.json"
	echo '{"imageLayoutVersion":"1.0.0"}' >"$T/oci/oci-layout"
	tar -C "$T/oci" -cf - .
}

# network VERSION PLUGIN...: the one that containers join
network() {
	local version=$1 IFS=,
	shift
	printf '{"cniVersion":"%s","name":"one","plugins":[%s]}' "$version" "$*" |
		in_world sh -c 'cat >/etc/cni/net.d/10-one.conflist'
}

BRIDGE='{"type":"bridge","bridge":"cni-ctd0","isGateway":true,"ipMasq":true,"hairpinMode":true,
	"ipam":{"type":"host-local","dataDir":"/run/leases","routes":[{"dst":"0.0.0.0/0"},{"dst":"::/0"}],
	"ranges":[[{"subnet":"10.7.0.0/24"}],[{"subnet":"fd07::/64"}]]}}'
PTP='{"type":"ptp","ipMasq":true,"ipam":{"type":"host-local","dataDir":"/run/leases","routes":[{"dst":"0.0.0.0/0"}],
	"subnet":"10.7.0.0/24"}}'
FIREWALL='{"type":"firewall"}'
TUNING='{"type":"tuning","sysctl":{"net.ipv4.conf.eth0.arp_filter":"1"}}'
BANDWIDTH='{"type":"bandwidth","ingressRate":80000000,"ingressBurst":8000000,"egressRate":80000000,"egressBurst":8000000}'
PORTMAP='{"type":"portmap","snat":true,"capabilities":{"portMappings":true}}'

# box NAME: a container that says its name to whoever connects to port 80; $PID is the front's
box() {
	local name=$1
	ctr run --rm --cni --cgroup "/gantry-cni-containerd/$name" "$IMAGE" "$name" \
		/bin/busybox sh -c "while :; do echo $name | /bin/busybox nc -l -p 80; done" >"$T/$name.out" 2>&1 </dev/null &
	PID=$!
	RUNS+=" $PID"
	wait_for 60 settled "$name" && joined "$name" || { cat "$T/$name.out" "$T/containerd.log"; return 1; }
}
pid_of() { ctr task ls | awk -v n="$1" '$1 == n {print $2}'; }
in_box() { nsenter -t "$(pid_of "$1")" -n "${@:2}"; }
joined() { [ "$(pid_of "$1")" ] && in_box "$1" ip -o -4 addr show dev eth0 2>/dev/null | grep -q inet; }
settled() { joined "$1" || ! kill -0 "$PID"; }
ip_of() { in_box "$1" ip -o "-$2" addr show dev eth0 scope global | awk '{sub("/.*", "", $4); print $4}'; }
finish() { # NAME PID: the front DELs the network
	ctr task kill -s KILL "$1" >/dev/null
	wait "$2" || :
	RUNS=${RUNS/ $2/}
}

word() { # FROM ADDRESS: what is said there
	local from=(in_world)
	[ "$1" = host ] || from=(in_box "$1")
	"${from[@]}" timeout 60 sh -c "until w=\$(timeout 5 nc -n -w 5 $2 80 </dev/null) && [ \"\$w\" ]; do :; done; echo \$w"
}

left() {
	in_world ip link del cni-ctd0 2>/dev/null || :
	leftovers | grep -vE '^nft\s*(#.*|\}|table ip6? filter .*|chain (FORWARD|CNI-ADMIN) .*|type filter hook forward .*)?$' || :
	in_world find /var/lib/cni/results -type f 2>/dev/null
	in_world ip -o link show type ifb
}
none_left() { [ -z "$(left)" ]; }

@test "containerd: an address of both families, traffic both ways, and nothing left" {
	network 1.0.0 "$BRIDGE" "$FIREWALL" "$TUNING" "$PORTMAP"
	box first
	[ "$(ip_of first 4)" = 10.7.0.2 ]
	[ "$(ip_of first 6)" = fd07::2 ]
	[ "$(word host 10.7.0.2)" = first ]
	[ "$(word host fd07::2)" = first ]
	in_box first ping -q -c 1 -W 10 192.0.2.2
	[ "$(in_box first cat /proc/sys/net/ipv4/conf/eth0/arp_filter)" = 1 ]
	# containerd kept what it was told
	in_world sh -c 'cat /var/lib/cni/results/one-default-first-eth0' | jq -e '.result.ips | length == 2'
	finish first "$PID"
	ours_only # DEL comes when the namespace is gone: the reference bridge then leaves its rules
	wait_for 60 none_left || { left; return 1; }
}

@test "containerd: two at once reach each other, and one that goes takes only its own along" {
	local first second
	network 0.4.0 "$BRIDGE" "$FIREWALL"
	box first
	first=$PID
	box second
	second=$PID
	[ "$(word second "$(ip_of first 4)")" = first ]
	[ "$(word first "$(ip_of second 6)")" = second ]
	finish first "$first"
	[ "$(word host "$(ip_of second 4)")" = second ]
	[ "$(in_world find /run/leases/one -name '10.7.0.*' | wc -l)" = 1 ]
	finish second "$second"
	ours_only
	wait_for 60 none_left || { left; return 1; }
}

@test "containerd: ptp with a limit, which DEL takes back without the namespace" {
	network 1.0.0 "$PTP" "$BANDWIDTH"
	box first
	[ "$(word host "$(ip_of first 4)")" = first ]
	in_world tc qdisc show | grep -q tbf
	in_box first ping -q -c 1 -W 10 192.0.2.2
	finish first "$PID"
	ours_only
	wait_for 60 none_left || { left; return 1; }
}

@test "containerd: an ADD that fails leaves nothing" {
	ours_only
	network 1.0.0 "$PTP" '{"type":"bandwidth","ingressRate":8}'
	run ctr run --rm --cni --cgroup /gantry-cni-containerd/first "$IMAGE" first /bin/busybox true
	[ "$status" != 0 ]
	grep -q 'burst' <<<"$output"
	# ctr leaves the task that it made, and with it the namespace
	ctr task delete --force first >/dev/null
	wait_for 60 none_left || { left; return 1; }
}
