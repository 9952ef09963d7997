#!/usr/bin/env bats
# The plugins under podman with its CNI backend (libcni: cni-libcni.bats, containerd: cni-containerd.bats).

load ../lib/cni

have_dnsmasq() { [ -x /usr/sbin/dnsmasq ]; }
have_podman() { type -P podman && type -P conmon && oci_runtime; } >/dev/null

# crun refuses hosts where cgroup v1 and v2 are mixed.
oci_runtime() {
	if [ ! -d /sys/fs/cgroup/unified ] && command -v crun; then return; fi
	command -v runc
}

cgroups_gone() {
	local dir left=0
	for dir in $(cgroup_tops); do
		[ ! -d "$dir/gantry-cni-hosts" ] ||
			find "$dir/gantry-cni-hosts" -depth -type d -exec rmdir '{}' + 2>/dev/null || left=1
	done
	[ $left = 0 ]
}

setup() {
	cni_up
	outside
}
teardown() {
	if [ -d "$T/graph" ]; then
		podman rm -a -f -t 0 >/dev/null 2>&1 || :
		# conmon ends some time after the container that it watched
		wait_for 60 cgroups_gone
	fi
	cni_down
}

# --- podman

# podman ARG...: everything of it below $T, in the world
podman() {
	in_world env HOME="$T" CONTAINERS_CONF="$T/containers.conf" CONTAINERS_STORAGE_CONF="$T/storage.conf" \
		timeout -k 5 120 podman --root "$T/graph" --runroot "$T/runroot" --tmpdir "$T/tmp" \
		--storage-driver vfs "$@" 3>&-
}

podman_up() {
	need podman busybox
	mkdir -p "$T/image/bin" "$T/net.d" "$T/graph"
	cp "$(busybox_static)" "$T/image/bin/busybox"
	ln -s busybox "$T/image/bin/sh"
	cat >"$T/containers.conf" <<-END
		[containers]
		default_ulimits = ["nofile=$(ulimit -n):$(ulimit -n)", "nproc=1024:1024"]
		[engine]
		cgroup_manager = "cgroupfs"
		events_logger = "file"
		runtime = "$(basename "$(oci_runtime)")"
		[network]
		network_backend = "cni"
		network_config_dir = "$T/net.d"
		cni_plugin_dirs = ["$CNI_PLUGINS"]
	END
	printf '[storage]\ndriver = "vfs"\nrunroot = "%s"\ngraphroot = "%s"\n' "$T/runroot" "$T/graph" >"$T/storage.conf"
	tar -C "$T/image" -cf "$T/image.tar" .
	podman import -q "$T/image.tar" box >/dev/null
	[ "$(podman info --format '{{.Host.NetworkBackend}}')" = cni ]
}

# network NAME PLUGIN...: as podman keeps them
network() {
	local name=$1 IFS=,
	shift
	printf '{"cniVersion":"0.4.0","name":"%s","plugins":[%s]}' "$name" "$*" >"$T/net.d/$name.conflist"
}

BRIDGE='{"type":"bridge","bridge":"cni-hosts0","isGateway":true,"ipMasq":true,"hairpinMode":true,
	"ipam":{"type":"host-local","dataDir":"/run/leases","routes":[{"dst":"0.0.0.0/0"}],"ranges":[[{"subnet":"10.7.0.0/24","gateway":"10.7.0.1"}]]}}'
PORTMAP='{"type":"portmap","capabilities":{"portMappings":true}}'
FIREWALL='{"type":"firewall"}'
TUNING='{"type":"tuning"}'
BANDWIDTH='{"type":"bandwidth","ingressRate":80000000,"ingressBurst":8000000,"egressRate":80000000,"egressBurst":8000000}'

# box NAME FLAGS...: a container that says its name to whoever connects to port 80
box() {
	local name=$1
	shift
	podman run -d --name "$name" --cgroup-parent /gantry-cni-hosts "$@" box \
		/bin/busybox sh -c "while :; do echo $name | /bin/busybox nc -l -p 80; done" >/dev/null
}

word() { # FROM ADDRESS PORT: what is said there
	local from=(in_world)
	[ "$1" = host ] || from=(inside "$1")
	"${from[@]}" timeout 60 sh -c "until w=\$(timeout 5 nc -n -w 5 $2 $3 </dev/null) && [ \"\$w\" ]; do :; done; echo \$w"
}

ip_of() { podman inspect --format "{{(index .NetworkSettings.Networks \"$2\").IPAddress}}" "$1"; }

@test "podman: an address, traffic both ways, a port, and nothing left" {
	podman_up
	network one "$BRIDGE" "$PORTMAP" "$FIREWALL" "$TUNING"
	box first --network one -p 8080:80
	[ "$(ip_of first one)" = 10.7.0.2 ]
	[ "$(word host 10.7.0.2 80)" = first ]
	[ "$(word out 192.0.2.1 8080)" = first ]
	[ "$(word host 127.0.0.1 8080)" = first ]
	podman exec first /bin/busybox ping -q -c 1 -W 10 192.0.2.2
	podman rm -f -t 0 first
	wait_for 60 podman_left_nothing
}

# firewall leaves the host's own chain and the administrator's, both empty
podman_left_nothing() {
	local left
	in_world ip link del cni-hosts0 2>/dev/null || :
	left=$(leftovers | grep -vE '^nft\s*(#.*|\}|table ip filter .*|chain (FORWARD|CNI-ADMIN) .*|type filter hook forward .*)?$')
	[ -z "$left" ] || { echo "left: $left"; return 1; }
}

@test "podman: containers reach each other, and one that goes takes only its own along" {
	podman_up
	network one "$BRIDGE" "$PORTMAP" "$FIREWALL"
	box first --network one -p 8080:80
	box second --network one -p 8081:80
	[ "$(podman exec second /bin/busybox nc -w 10 10.7.0.2 80)" = first ]
	podman rm -f -t 0 first
	[ "$(word out 192.0.2.1 8081)" = second ]
	! in_world nft list ruleset | grep -qw 8080
	box third --network one -p 8080:80
	[ "$(word out 192.0.2.1 8080)" = third ]
	podman rm -a -f -t 0
	wait_for 60 podman_left_nothing
}

@test "podman: two networks, one with a limit, and a static address" {
	podman_up
	network one "$BRIDGE" "$BANDWIDTH"
	network two '{"type":"ptp","ipam":{"type":"host-local","dataDir":"/run/leases","ranges":[[{"subnet":"10.8.0.0/24"}]]}}'
	box first --network one:ip=10.7.0.77 --network two
	[ "$(ip_of first one)" = 10.7.0.77 ]
	[ "$(ip_of first two)" = 10.8.0.2 ]
	[ "$(word host 10.7.0.77 80)" = first ]
	[ "$(word host 10.8.0.2 80)" = first ]
	in_world tc qdisc show | grep -q tbf
	podman rm -f -t 0 first
	wait_for 60 podman_left_nothing
}

@test "podman: networks that podman itself writes" {
	podman_up
	podman network create --subnet 10.9.0.0/24 own >/dev/null
	box first --network own -p 8080:80
	[ "$(word out 192.0.2.1 8080)" = first ]
	podman network inspect own >/dev/null
	podman stop -t 0 first >/dev/null
	podman start first >/dev/null
	[ "$(word out 192.0.2.1 8080)" = first ]
	podman rm -f -t 0 first
	podman network rm own >/dev/null
	wait_for 60 no_veths
}
no_veths() { [ -z "$(in_world ip -o link show type veth | grep -v 'up0@')" ]; }

@test "podman: a port that is taken is refused with the owner, and nothing stays" {
	ours_only
	podman_up
	network one "$BRIDGE" "$PORTMAP"
	box first --network one -p 192.0.2.1:8080:80
	run box second --network one -p 192.0.2.1:8080:80
	[ "$status" != 0 ]
	[ "$(in_world find /run/leases -name '10.7.0.*' | wc -l)" = 1 ]
	podman rm -a -f -t 0
	wait_for 60 podman_left_nothing
}

@test "podman: containers find each other by name and alias, also when the first one has gone" {
	ours_only
	need dnsmasq
	podman_up
	network one "$BRIDGE" "$FIREWALL" '{"type":"dnsname","domainName":"dns.podman","capabilities":{"aliases":true}}'
	box first --network one
	box second --network one --network-alias other
	[ "$(named first second)" = second ]
	[ "$(named first other.dns.podman)" = second ]
	[ "$(named second first)" = first ]
	podman rm -f -t 0 first
	box third --network one
	[ "$(named third second)" = second ]
	podman rm -a -f -t 0
	in_world test ! -e /run/gantry-dnsname
	wait_for 60 podman_left_nothing
}

named() { # CONTAINER NAME: what is said there
	podman exec "$1" /bin/busybox sh -c "until w=\$(/bin/busybox nc -w 5 $2 80 </dev/null) && [ \"\$w\" ]; do /bin/busybox sleep 0.1; done; echo \$w"
}
