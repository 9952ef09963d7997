#!/usr/bin/env bats
# Side by side with the reference plugins: the same result, the same addresses, routes and parameters in
# the container and on the bridge; and chains in which both kinds work together on the same leases.

load ../lib/cni

setup() {
	need cni
	have_ours || skip "compares gantry's plugins with the reference ones"
	cni_up
}
teardown() { cni_down; }

V4='"subnet":"10.7.0.0/24"'
DUAL='"ranges":[[{"subnet":"10.7.0.0/24","rangeStart":"10.7.0.9"}],[{"subnet":"fd07::/64"}]]'
DEFAULT='"routes":[{"dst":"0.0.0.0/0"},{"dst":"::/0"},{"dst":"10.200.0.0/16","gw":"10.7.0.1"}]'

# with_plugins DIRECTORY COMMAND...: with other plugins under test.
with_plugins() {
	local CNI_PLUGINS=$1
	shift
	"$@"
}

# What both must agree on: the result without names and addresses that are random by nature ...
result() {
	jq -S '.interfaces //= [] | .interfaces |= map(del(.mac) | .name |= sub("^veth[0-9a-f]{8}$"; "veth"))' <<<"$output"
}

# ... and what the kernel has.  Link-local addresses follow from random ones.
kernel() {
	inside p1 ip -o addr show dev "${IF:-eth0}" scope global | awk '{print $3, $4, $5, $6}' | sort
	inside p1 ip route | sort
	inside p1 ip -6 route | grep -v ^fe80 | sed 's/ pref medium//' | sort
	inside p1 ip link show dev "${IF:-eth0}" | grep -o 'mtu [0-9]*\|state [A-Z]*'
	in_world ip -o addr show dev br0 scope global 2>/dev/null | awk '{print $3, $4, $5, $6}' | sort
	in_world sh -c 'cat /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv6/conf/all/forwarding
		cat /proc/sys/net/ipv6/conf/br0/accept_ra 2>/dev/null' || :
	inside p1 sh -c "cat /proc/sys/net/ipv4/conf/${IF:-eth0}/arp_notify /proc/sys/net/ipv6/conf/${IF:-eth0}/accept_dad"
}

one_side() { # DIRECTORY PLUGIN CONFIGURATION
	CNI_PLUGINS=$1
	world_up
	pod p1
	must ADD "$2" c1 p1 "$3"
	result >"$T/result.$4"
	kernel >"$T/kernel.$4"
	in_world sh -c 'cd /run/leases/n 2>/dev/null && for f in *; do [ "$f" = lock ] || { echo "$f"; cat "$f"; }; done' \
		>"$T/leases.$4"
	[ "$2" = host-local ] || must CHECK "$2" c1 p1 "$(prev "$3")"
	must DEL "$2" c1 p1 "$3"
	CNI_PLUGINS=$OURS
	world_down
}

same() { # PLUGIN CONFIGURATION
	world_down
	one_side "$REFERENCE" "$1" "$2" reference
	one_side "$OURS" "$1" "$2" ours
	diff "$T/result.reference" "$T/result.ours"
	diff "$T/leases.reference" "$T/leases.ours"
	# the reference leaves ptp's link with duplicate address detection on, and says nothing to neighbours
	[ "$1" = ptp ] && sed -i '$d' "$T"/kernel.* && sed -i '$d' "$T"/kernel.*
	sed -i 's/ nodad//; s/ noprefixroute//' "$T"/kernel.*
	diff "$T/kernel.reference" "$T/kernel.ours"
}

@test "bridge: plain, gateway, default gateway" {
	same bridge "$(conf n bridge "\"bridge\":\"br0\",$(ipam "$V4")")"
	same bridge "$(conf n bridge "\"bridge\":\"br0\",\"isGateway\":true,$(ipam "$V4")")"
	same bridge "$(conf n bridge "\"bridge\":\"br0\",\"isDefaultGateway\":true,\"mtu\":1400,$(ipam "$V4")")"
}

@test "bridge: dual stack with routes" {
	same bridge "$(conf n bridge "\"bridge\":\"br0\",\"isGateway\":true,\"dns\":{\"domain\":\"d\"},$(ipam "$DUAL,$DEFAULT")")"
}

@test "bridge: every version" {
	local v
	for v in 0.2.0 0.3.0 0.3.1; do
		V=$v
		world_down
		one_version "$REFERENCE" reference
		one_version "$OURS" ours
		diff "$T/result.reference" "$T/result.ours"
	done
	V=0.4.0 same bridge "$(V=0.4.0 conf n bridge "\"bridge\":\"br0\",\"isGateway\":true,$(ipam "$V4")")"
}

one_version() { # DIRECTORY NAME
	CNI_PLUGINS=$1
	world_up
	pod p1
	must ADD bridge c1 p1 "$(conf n bridge "\"bridge\":\"br0\",\"isGateway\":true,$(ipam "$V4")")"
	result >"$T/result.$2"
	CNI_PLUGINS=$OURS
	world_down
}

@test "ptp: single and dual stack" {
	same ptp "$(conf n ptp "$(ipam "$V4")")"
	same ptp "$(conf n ptp "$(ipam "$V4,\"routes\":[{\"dst\":\"0.0.0.0/0\"}]")")"
}

@test "loopback" {
	world_down
	local side
	for side in "$REFERENCE" "$OURS"; do
		CNI_PLUGINS=$side
		world_up
		pod p1
		IF=lo must ADD loopback c1 p1 "$(conf lo loopback '"x":1')"
		jq -S . <<<"$output" >"$T/lo.${side//\//_}"
		world_down
	done
	CNI_PLUGINS=$OURS
	diff "$T"/lo.*
}

@test "host-local: order of addresses, round and round, with both plugins in turn" {
	local c i side
	c=$(conf n host-local "$(ipam '"ranges":[[{"subnet":"10.7.0.0/29"},{"subnet":"10.8.0.0/29","rangeStart":"10.8.0.5"}]]')")
	pod p1
	for i in $(seq 12); do
		if [ $((i % 3)) = 0 ]; then side=$REFERENCE; else side=$OURS; fi
		with_plugins "$side" must ADD host-local "c$i" p1 "$c"
		echo "$i $(get '.ips[0].address')" >>"$T/order"
		[ "$i" -lt 4 ] || with_plugins "$OURS" must DEL host-local "c$((i - 3))" p1 "$c"
	done
	awk '{print $2}' "$T/order" | tr '\n' ' ' >"$T/line"
	[ "$(cat "$T/line")" = "10.7.0.2/29 10.7.0.3/29 10.7.0.4/29 10.7.0.5/29 10.7.0.6/29 10.8.0.5/29 10.8.0.6/29 \
10.7.0.2/29 10.7.0.3/29 10.7.0.4/29 10.7.0.5/29 10.7.0.6/29 " ]
	# each takes back what the other gave
	with_plugins "$REFERENCE" must DEL host-local c10 p1 "$c"
	with_plugins "$OURS" must DEL host-local c12 p1 "$c"
	with_plugins "$OURS" must DEL host-local c11 p1 "$c"
	[ "$(leases n)" = 0 ]
	# nobody gives an address twice, nobody gives two
	with_plugins "$REFERENCE" must ADD host-local c1 p1 "$c"
	with_plugins "$OURS" call ADD host-local c1 p1 "$c"
	refused 999 'duplicate allocation'
	with_plugins "$OURS" must ADD host-local c2 p1 "$c"
	with_plugins "$REFERENCE" call ADD host-local c2 p1 "$c"
	refused 999 'duplicate allocation'
}

@test "requested addresses: from each place, taken, the gateway's, out of range" {
	local c side
	c=$(conf n host-local "$(ipam "$V4")")
	pod p1
	for side in "$REFERENCE" "$OURS"; do
		ARGS=IP=10.7.0.50 with_plugins "$side" must ADD host-local c1 p1 "$c"
		[ "$(get '.ips[0].address')" = 10.7.0.50/24 ]
		ARGS=IP=10.7.0.50 with_plugins "$side" call ADD host-local c2 p1 "$c"
		refused 999 'requested IP address .?10.7.0.50.? is not available in range set'
		ARGS=IP=10.7.0.1 with_plugins "$side" call ADD host-local c2 p1 "$c"
		refused 999 'requested ip .?10.7.0.1.? is subnet.s gateway'
		ARGS=IP=10.9.0.1 with_plugins "$side" call ADD host-local c2 p1 "$c"
		refused 999 'allocate all requested IPs'
		with_plugins "$side" must ADD host-local c3 p1 "$(with "$c" '.args.cni.ips = ["10.7.0.60"]')"
		[ "$(get '.ips[0].address')" = 10.7.0.60/24 ]
		with_plugins "$side" must ADD host-local c4 p1 "$(with "$c" '.runtimeConfig.ips = ["10.7.0.70/24"]')"
		[ "$(get '.ips[0].address')" = 10.7.0.70/24 ]
		for id in c1 c2 c3 c4; do with_plugins "$side" must DEL host-local $id p1 "$c"; done
		[ "$(leases n)" = 0 ]
	done
}

@test "mixed: our bridge with the reference IPAM plugins, the reference bridge with our IPAM" {
	local c
	pod p1 p2 p3
	c=$(conf n bridge "\"bridge\":\"br0\",\"isGateway\":true,$(ipam "$V4")")
	CNI_DIRS=$REFERENCE must ADD bridge c1 p1 "$c"
	CNI_DIRS=$OURS with_plugins "$REFERENCE" must ADD bridge c2 p2 "$c"
	pings p1 10.7.0.3
	CNI_DIRS=$REFERENCE must DEL bridge c1 p1 "$c"
	CNI_DIRS=$OURS with_plugins "$REFERENCE" must DEL bridge c2 p2 "$c"
	[ "$(leases n)" = 0 ]
	# static: addresses from the configuration, no state
	c=$(conf n bridge '"bridge":"br0","isGateway":true,"ipam":{"type":"static","addresses":[{"address":"10.7.0.77/24","gateway":"10.7.0.1"}]}')
	CNI_DIRS=$REFERENCE must ADD bridge c3 p3 "$c"
	[ "$(get '.ips[0].address')" = 10.7.0.77/24 ]
	in_world ping -q -n -c 1 -W 5 10.7.0.77
	CNI_DIRS=$REFERENCE must DEL bridge c3 p3 "$c"
	# what an IPAM plugin says of its failure is what the runtime hears
	c=$(with "$c" '.ipam.addresses = [{"address": "nonsense"}]')
	CNI_DIRS=$REFERENCE call ADD bridge c3 p3 "$c"
	refused 999 'nonsense'
	[ -z "$(inside p3 ip -o link show type veth)" ]
}
