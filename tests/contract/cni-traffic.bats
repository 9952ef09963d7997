#!/usr/bin/env bats
# What attachments are for: packets.  Containers reach each other, the host, and, masqueraded, what lies
# beyond; IPv4 and IPv6, from the first packet.  CNI_PLUGINS=/usr/lib/cni asks the reference plugins.

load ../lib/cni

setup() { cni_up; }
teardown() { cni_down; }

DUAL='"ranges":[[{"subnet":"10.7.0.0/24"}],[{"subnet":"fd07::/64"}]]'
DEFAULT='"routes":[{"dst":"0.0.0.0/0"},{"dst":"::/0"}]'

@test "bridge: containers reach each other, the host, and are reached" {
	local c
	c=$(conf n bridge "\"bridge\":\"br0\",\"isDefaultGateway\":true,$(ipam "$DUAL")")
	pod p1 p2
	must ADD bridge c1 p1 "$c"
	must ADD bridge c2 p2 "$c"
	for address in 10.7.0.3 10.7.0.1 fd07::3 fd07::1; do
		pings p1 $address
	done
	in_world ping -q -n -c 1 -W 5 10.7.0.2
	in_world ping -q -n -c 1 -W 5 fd07::2
	[ "$(tcp p1 p2 10.7.0.3)" = 10.7.0.2 ]
	[ "$(tcp p2 p1 fd07::2)" = fd07::3 ]
}

@test "bridge: IPv6 passes with the first packet" {
	ours_only
	pod p1 p2
	outside
	local c
	c=$(conf n bridge "\"bridge\":\"br0\",\"isDefaultGateway\":true,$(ipam "$DUAL")")
	inside out ip -6 route add fd07::/64 via 2001:db8::1
	must ADD bridge c1 p1 "$c"
	must ADD bridge c2 p2 "$c"
	# one packet, no second chance
	inside p1 ping -q -n -c 1 -W 2 fd07::3
	inside p2 ping -q -n -c 1 -W 2 2001:db8::2
	! inside p1 ip -6 addr show | grep -q tentative
}

@test "ptp: containers reach each other, the host, and are reached, from the first packet" {
	local c
	c=$(conf n ptp "$(ipam "$DUAL,$DEFAULT")")
	pod p1 p2
	must ADD ptp c1 p1 "$c"
	must ADD ptp c2 p2 "$c"
	if have_ours; then
		inside p1 ping -q -n -c 1 -W 2 fd07::3
		in_world ping -q -n -c 1 -W 2 fd07::2
	fi
	pings p1 10.7.0.3
	pings p1 10.7.0.1
	in_world ping -q -n -c 1 -W 5 10.7.0.2
	[ "$(tcp p1 p2 10.7.0.3)" = 10.7.0.2 ]
}

@test "ptp: a container can have two interfaces in one subnet" {
	ours_only
	local c
	c=$(conf n ptp "$(ipam "$DUAL,$DEFAULT")")
	pod p1
	must ADD ptp c1 p1 "$c"
	IF=eth1 must ADD ptp c1 p1 "$c"
	IF=eth1 must CHECK ptp c1 p1 "$(prev "$c")"
	in_world ping -q -n -c 1 -W 5 10.7.0.2
	in_world ping -q -n -c 1 -W 5 10.7.0.3
	pings p1 10.7.0.1
}

masquerade() { # PLUGIN MEMBERS
	local masq plain
	plain=$(conf n "$1" "$2$(ipam "$DUAL,$DEFAULT")")
	masq=$(with "$plain" '.ipMasq = true')
	pod p1 p2 p3
	outside
	must ADD "$1" c1 p1 "$masq"
	must ADD "$1" c2 p2 "$masq"
	must ADD "$1" c3 p3 "$plain"
	[ "$(tcp p1 out 192.0.2.2)" = 192.0.2.1 ]
	[ "$(tcp p2 out 2001:db8::2)" = 2001:db8::1 ]
	pings_not p3 192.0.2.2
	# inside its network a container shows its own address
	[ "$(tcp p1 p2 10.7.0.3)" = 10.7.0.2 ]
	must DEL "$1" c1 p1 "$masq"
	[ "$(tcp p2 out 192.0.2.2)" = 192.0.2.1 ]
	must DEL "$1" c2 p2 "$masq"
	must DEL "$1" c3 p3 "$plain"
	! have_ours || nothing_left
}

@test "bridge: masquerading" { masquerade bridge '"bridge":"br0","isGateway":true,'; }
@test "ptp: masquerading" { masquerade ptp ''; }

@test "masquerading costs one rule for each subnet, however many containers" {
	ours_only
	local c i
	c=$(conf n ptp "\"ipMasq\":true,$(ipam "$DUAL")")
	for i in 1 2 3 4; do
		pod "p$i"
		must ADD ptp "c$i" "p$i" "$c"
	done
	[ "$(in_world nft list ruleset | grep -c masquerade)" = 2 ]
	[ "$(in_world nft list ruleset | grep -c 'table ')" = 1 ]
}

@test "masquerading comes back after somebody flushed it" {
	ours_only
	local c
	c=$(conf n ptp "\"ipMasq\":true,$(ipam "$DUAL,$DEFAULT")")
	pod p1 p2
	outside
	must ADD ptp c1 p1 "$c"
	in_world nft flush ruleset
	must ADD ptp c2 p2 "$c"
	[ "$(tcp p2 out 192.0.2.2)" = 192.0.2.1 ]
	# a stale element of somebody else, of a rule set that was restored
	in_world nft 'add element inet gantry-masq-n from-10.7.0.0/24 { 10.7.0.4 comment "old eth0" }'
	pod p3
	must ADD ptp c3 p3 "$c"
	must CHECK ptp c3 p3 "$(prev "$c")"
	must DEL ptp c3 p3 "$c"
	must DEL ptp c2 p2 "$c"
	must DEL ptp c1 p1 "$c"
	nothing_left
}

@test "hairpin: a container reaches itself by way of the bridge" {
	local c
	c=$(conf n bridge "\"bridge\":\"br0\",\"isGateway\":true,\"hairpinMode\":true,$(ipam "$DUAL")")
	pod p1
	must ADD bridge c1 p1 "$c"
	in_world bridge -d link show dev "$(get '.interfaces[1].name')" | grep -q 'hairpin on'
}

@test "isolated ports see the gateway and nobody else" {
	ours_only
	local c
	c=$(conf n bridge "\"bridge\":\"br0\",\"isGateway\":true,\"portIsolation\":true,$(ipam "$DUAL")")
	pod p1 p2
	must ADD bridge c1 p1 "$c"
	must ADD bridge c2 p2 "$c"
	pings p1 10.7.0.1
	pings_not p1 10.7.0.3
}

@test "mtu and MAC address are as asked for" {
	local c name
	c=$(conf n bridge "\"bridge\":\"br0\",\"mtu\":1400,$(ipam "$DUAL")")
	pod p1
	ARGS='IgnoreUnknown=1;MAC=02:11:22:33:44:55' must ADD bridge c1 p1 "$c"
	[ "$(get '.interfaces[2].mac')" = 02:11:22:33:44:55 ]
	inside p1 ip link show eth0 | grep -q 'mtu 1400'
	inside p1 ip link show eth0 | grep -q 02:11:22:33:44:55
	name=$(get '.interfaces[1].name')
	in_world ip link show "$name" | grep -q 'mtu 1400'
}

@test "an address that is used again keeps its link address" {
	ours_only
	local c mac
	c=$(conf n bridge "\"bridge\":\"br0\",\"isGateway\":true,$(ipam '"subnet":"10.7.0.0/30"')")
	pod p1 p2
	must ADD bridge c1 p1 "$c"
	mac=$(get '.interfaces[2].mac')
	in_world ping -q -n -c 1 -W 5 10.7.0.2
	must DEL bridge c1 p1 "$c"
	must ADD bridge c2 p2 "$c"
	[ "$(get '.interfaces[2].mac')" = "$mac" ]
	in_world ping -q -n -c 1 -W 2 10.7.0.2
}

@test "layer 2: a bridge without IPAM" {
	local c
	c=$(conf n bridge '"bridge":"br0"')
	pod p1
	must ADD bridge c1 p1 "$c"
	[ "$(get '.interfaces|length')" = 3 ] && [ "$(get '.ips|length')" = 0 ]
	inside p1 ip -o link show eth0 | grep -q 'state UP'
	# the reference plugins execute an IPAM plugin of the name ""
	! have_ours || must CHECK bridge c1 p1 "$(prev "$c")"
	must DEL bridge c1 p1 "$c"
}

@test "the gateway's address: clash, force, and a second subnet" {
	local c
	c=$(conf n bridge "\"bridge\":\"br0\",\"isGateway\":true,$(ipam '"subnet":"10.7.0.0/24"')")
	pod p1 p2
	must ADD bridge c1 p1 "$c"
	c=$(with "$c" '.name = "m" | .ipam.subnet = "10.8.0.0/24"')
	call ADD bridge c2 p2 "$c"
	refused 999 'already has an IP address different from'
	[ "$(leases m)" = 0 ]
	! inside p2 ip link show eth0 2>/dev/null || ! have_ours
	inside p2 ip link del eth0 2>/dev/null || :
	must ADD bridge c2 p2 "$(with "$c" '.forceAddress = true')"
	[ "$(in_world ip -4 -o addr show br0 | awk '{print $4}')" = 10.8.0.1/24 ]
}

@test "the bridge is never taken away, and another kind of device is not taken for one" {
	local c
	c=$(conf n bridge "\"bridge\":\"br0\",\"isGateway\":true,$(ipam "$DUAL")")
	pod p1
	must ADD bridge c1 p1 "$c"
	must DEL bridge c1 p1 "$c"
	in_world ip link show br0 >/dev/null
	in_world ip link add vx type veth peer name vy
	call ADD bridge c1 p1 "$(with "$c" '.bridge = "vx"')"
	refused 999 'vx"? already exists but is not a bridge'
	[ "$(leases n)" = 0 ]
}

@test "macspoofchk: a container sends under its own address only" {
	pod p1 p2
	local c result
	c=$(conf n bridge "\"bridge\":\"br0\",\"isGateway\":true,\"macspoofchk\":true,$(ipam '"ranges":[[{"subnet":"10.7.0.0/24"}]]')")
	must ADD bridge c1 p1 "$c"
	result=$output
	must ADD bridge c2 p2 "$c"
	pings p1 10.7.0.1
	inside p1 ip link set eth0 address 02:00:00:00:00:66
	pings_not p1 10.7.0.1
	pings p2 10.7.0.1
	have_ours || return 0
	inside p1 ip link set eth0 address "$(jq -r '.interfaces[2].mac' <<<"$result")"
	c=$(jq -c --argjson r "$result" '.prevResult=$r' <<<"$c")
	must CHECK bridge c1 p1 "$c"
	in_world nft flush ruleset
	call CHECK bridge c1 p1 "$c"
	refused 999 'MAC spoofing check of .* is missing'
	ARGS='Repair=1' must CHECK bridge c1 p1 "$c"
	must DEL bridge c1 p1 "$c"
	must DEL bridge c2 '' "$c"
	! in_world nft list ruleset | grep spoof
}
