#!/usr/bin/env bats
# Answers to what is odd but happens: words of another type, versions that a plugin does not have, results
# that cannot be read, addresses and links spelt in another way.  Each stands in what the reference plugins do
# (CNI_PLUGINS=/usr/lib/cni asks them) or says why not.

load ../lib/cni

setup() { cni_up; }
teardown() { cni_down; }

V4='"subnet":"10.7.0.0/24"'
DUAL='"ranges":[[{"subnet":"10.7.0.0/24"}],[{"subnet":"fd07::/64"}]]'
br() { conf n bridge "\"bridge\":\"br0\",$1"; }

@test "the frame: what has code 1, 6 and 7" {
	pod c1
	call ADD bridge i1 c1 null
	refused 7 'missing network name'
	for word in ADD CHECK DEL; do
		call $word bridge i1 c1 '{"cniVersion":"1.0.0","name":5}'
		refused 6 .
	done
	for word in ADD DEL; do
		call $word bridge i1 c1 '{"cniVersion":"x","name":"n"}'
		refused 1 .
	done
	call CHECK bridge i1 c1 '{"cniVersion":"x","name":"n"}'
	refused 6 .
}

@test "bandwidth is of 0.3.0, firewall of 0.4.0, vrf of 0.3.1" {
	local row plugin first before
	for row in 'bandwidth 0.3.0 0.2.0' 'firewall 0.4.0 0.3.1' 'vrf 0.3.1 0.3.0'; do
		read -r plugin first before <<<"$row"
		must VERSION "$plugin" '' '' '{"cniVersion":"1.0.0"}'
		[ "$(get '.supportedVersions[0]')" = "$first" ]
		pod "c$plugin"
		call ADD "$plugin" i1 "c$plugin" "$(V=$before conf n "$plugin" '"x":1')"
		refused 1 'incompatible CNI versions'
	done
}

@test "VERSION of nobody's version names the latest" {
	must VERSION bridge '' '' '{}'
	[ "$(get .cniVersion)" = "$(get '.supportedVersions[-1]')" ]
}

@test "words of another type are refused by ADD, and do not keep DEL from its work" {
	local members
	pod c1
	for members in '"type":5' '"capabilities":5' '"capabilities":{"mac":"yes"}' '"runtimeConfig":5' '"args":5' \
		'"args":{"cni":5}' '"runtimeConfig":{"mac":5}' '"args":{"cni":{"mac":5}}' '"prevResult":5'; do
		call ADD bridge i1 c1 "$(br "$members,$(ipam "$V4")")"
		[ "$status" = 1 ]
		[ "$(leases n)" = 0 ]
	done
	ours_only
	must ADD bridge i1 c1 "$(br "$(ipam "$V4")")"
	must DEL bridge i1 c1 "$(br "\"capabilities\":5,\"runtimeConfig\":5,\"dns\":5,\"prevResult\":5,$(ipam "$V4")")"
	[ "$(leases n)" = 0 ]
	nothing_left
}

@test "a prevResult that cannot be read: no matter to who stands first, an error to who is chained" {
	local bad='"prevResult":{"cniVersion":"9.9.9"}'
	pod c1
	must ADD bridge i1 c1 "$(br "$bad,$(ipam "$V4")")"
	must DEL bridge i1 c1 "$(br "$bad,$(ipam "$V4")")"
	call ADD tuning i1 c1 "$(conf n tuning "$bad")"
	[ "$status" = 1 ]
	call ADD portmap i1 c1 "$(conf n portmap "$bad")"
	[ "$status" = 1 ]
}

@test "MAC addresses in the three usual forms; none and a group's are refused" {
	local mac
	for mac in 02-00-00-00-00-0A 0200.0000.000a 02:00:00:00:00:0a; do
		pod c1
		must ADD bridge i1 c1 "$(br "\"runtimeConfig\":{\"mac\":\"$mac\"}")"
		[ "$(get '.interfaces[2].mac')" = 02:00:00:00:00:0a ]
		in_world ip netns del c1
	done
	pod c1
	for mac in 00:00:00:00:00:00 01:00:00:00:00:01 ff:ff:ff:ff:ff:ff 02:00:00:00:00 02:00:00:00:00:01:02 02-00:00-00:00-01 \
		0200.0000.00011 02:00:00:00:00:0x; do
		call ADD bridge i1 c1 "$(br "\"runtimeConfig\":{\"mac\":\"$mac\"}")"
		[ "$status" = 1 ] || { echo "$mac: $output"; return 1; }
	done
}

@test "an interface name with a % is no name" {
	pod c1
	IF=eth%d call ADD bridge i1 c1 "$(br "$(ipam "$V4")")"
	[ "$status" = 1 ]
	# a failed ADD of the reference leaves its link
	ours_only
	refused 4 'contains %'
	inside c1 ip -o link | grep -v '^1: lo' && return 1
	[ "$(leases n)" = 0 ]
}

@test "host-local: the same address asked for in two places is one address" {
	local c
	c=$(conf n host-local "\"runtimeConfig\":{\"ips\":[\"10.7.0.9\"]},\"args\":{\"cni\":{\"ips\":[\"10.7.0.9\"]}},$(ipam "$DUAL")")
	ARGS=IP=10.7.0.9 must ADD host-local i1 c1 "$c"
	[ "$(get '.ips[0].address')" = 10.7.0.9/24 ] && [ "$(get '.ips|length')" = 2 ]
}

@test "host-local: a lease of ranges that were is no second allocation" {
	must ADD host-local i1 c1 "$(conf n host-local "$(ipam "$V4")")"
	must ADD host-local i1 c1 "$(conf n host-local "$(ipam '"subnet":"10.8.0.0/24"')")"
	[ "$(get '.ips[0].address')" = 10.8.0.2/24 ]
	call ADD host-local i1 c1 "$(conf n host-local "$(ipam '"subnet":"10.8.0.0/24"')")"
	refused 999 'duplicate allocation'
	must DEL host-local i1 c1 "$(conf n host-local "$(ipam "$V4")")"
	[ "$(leases n)" = 0 ]
}

@test "host-local: CHECK believes the file" {
	local c
	c=$(conf n host-local "$(ipam "$V4")")
	must ADD host-local i1 c1 "$c"
	must CHECK host-local i1 c1 "$(prev "$c")"
	# in its place, so that the directory does not change
	in_world sh -c 'printf "other\r\neth0" >/run/leases/n/10.7.0.2'
	call CHECK host-local i1 c1 "$(prev "$c")"
	[ "$status" = 1 ]
}

@test "static: GATEWAY is for the addresses of IP; blanks and empty words between commas" {
	local c='"ipam":{"type":"static","addresses":[{"address":"10.7.0.5/24","gateway":"10.7.0.1"}]}'
	ARGS='IP=10.7.0.9/24, 10.8.0.9/24;GATEWAY=10.7.0.3, 10.8.0.3' must ADD static i1 c1 "$(conf n static "$c")"
	[ "$(get '[.ips[].gateway]|join(" ")')" = '10.7.0.1 10.7.0.3 10.8.0.3' ]
	ARGS='IP=,' call ADD static i1 c1 "$(conf n static "$c")"
	[ "$status" = 1 ]
	call ADD static i1 c1 "$(conf n static "\"runtimeConfig\":{\"ips\":5},$c")"
	[ "$status" = 1 ]
}

@test "bandwidth: a zero in the configuration goes before the runtime's limit" {
	local c
	pod c1
	must ADD ptp i1 c1 "$(conf n ptp "$(ipam "$V4")")"
	c=$(prev "$(conf n bandwidth '"ingressRate":0,"ingressBurst":0,"runtimeConfig":{"bandwidth":{"ingressRate":8000000,"ingressBurst":800000}}')")
	must ADD bandwidth i1 c1 "$c"
	! in_world tc qdisc | grep -q tbf
}

@test "bandwidth: CHECK of a burst that the kernel cannot tell" {
	local c
	pod c1
	must ADD ptp i1 c1 "$(conf n ptp "$(ipam "$V4")")"
	c=$(prev "$(conf n bandwidth '"ingressRate":8000,"ingressBurst":34359738352')")
	must ADD bandwidth i1 c1 "$c"
	must CHECK bandwidth i1 c1 "$(prev "$c")"
}

@test "sbr: routes move, those of the kernel as well, and the plugin before it still passes CHECK" {
	local b c
	pod c1
	b=$(br "\"isDefaultGateway\":true,$(ipam "$V4")")
	must ADD bridge i1 c1 "$b"
	c=$(prev "$(conf n sbr '"x":1')")
	must ADD sbr i1 c1 "$c"
	[ -z "$(inside c1 ip -4 route show table main)" ]
	inside c1 ip -4 route show table 100 | grep -q '^10.7.0.0/24 .*scope link src 10.7.0.2'
	inside c1 ip -4 route show table 100 | grep -q '^default via 10.7.0.1'
	pings_from_its_address
	ours_only
	must CHECK bridge i1 c1 "$(prev "$b")"
	inside c1 ip -4 route flush table 100
	call CHECK bridge i1 c1 "$(jq -c --argjson r "$(jq .prevResult <<<"$c")" '.prevResult = $r' <<<"$b")"
	refused 999 'route to 0.0.0.0/0 is missing'
}

pings_from_its_address() { inside c1 ping -q -n -c 1 -W 5 -I 10.7.0.2 10.7.0.1; }

@test "sbr: a route by a gateway goes to the table of that gateway's network only" {
	local addresses='"addresses":[{"address":"10.7.0.5/24","gateway":"10.7.0.1"},{"address":"10.8.0.5/24","gateway":"10.8.0.1"}]'
	pod c1
	must ADD bridge i1 c1 "$(br "\"ipam\":{\"type\":\"static\",$addresses,\"routes\":[{\"dst\":\"10.99.0.0/16\",\"gw\":\"10.8.0.1\"}]}")"
	must ADD sbr i1 c1 "$(prev "$(conf n sbr '"x":1')")"
	inside c1 ip route show table 101 | grep -q '^10.99.0.0/16 via 10.8.0.1'
	! inside c1 ip route show table 100 | grep -q '^10.99.0.0/16'
}

@test "CHECK sees another mtu than the configured one, in the container and on the host" {
	local p c
	ours_only
	in_world ip link add up0 type veth peer name up1
	for p in 'bridge "bridge":"br0"' 'ptp "x":1' 'macvlan "master":"up0"'; do
		pod c1
		c=$(conf n "${p%% *}" "${p#* },\"mtu\":1300,$(ipam "$V4")")
		must ADD "${p%% *}" i1 c1 "$c"
		c=$(prev "$c")
		must CHECK "${p%% *}" i1 c1 "$c"
		inside c1 ip link set eth0 mtu 1299
		call CHECK "${p%% *}" i1 c1 "$c"
		refused 999 'eth0": mtu is 1299, not 1300'
		inside c1 ip link set eth0 mtu 1300
		must CHECK "${p%% *}" i1 c1 "$c"
		must DEL "${p%% *}" i1 c1 "$c"
		in_world ip netns del c1
	done
}

@test "bridge: CHECK sees a bridge that is promiscuous without being told, and one with another address" {
	local c
	pod c1 c2
	c=$(br "\"isGateway\":true,$(ipam "$V4")")
	must ADD bridge i1 c1 "$c"
	c=$(prev "$c")
	must CHECK bridge i1 c1 "$c"
	in_world ip link set br0 promisc on
	call CHECK bridge i1 c1 "$c"
	[ "$status" = 1 ]
	in_world ip link set br0 promisc off
	must CHECK bridge i1 c1 "$c"
	in_world ip link set br0 address 02:11:22:33:44:55
	call CHECK bridge i1 c1 "$c"
	[ "$status" = 1 ]
}

@test "bridge: an address that follows the ports is nobody's fault" {
	local c
	ours_only
	pod c1
	in_world ip link add br0 type bridge
	c=$(br "$(ipam "$V4")")
	must ADD bridge i1 c1 "$c"
	c=$(prev "$c")
	in_world ip link add aa type veth peer name ab
	in_world ip link set aa address 02:00:00:00:00:01
	in_world ip link set aa master br0
	must CHECK bridge i1 c1 "$c"
}

@test "keys in another case are the same keys, but for those of objects that hold data" {
	pod c1
	must ADD bridge i1 c1 '{"CNIVERSION":"1.0.0","Name":"n","bridge":"br0","isgateway":true,"MTU":1300,
		"IPAM":{"Type":"host-local","datadir":"/run/leases","Ranges":[[{"Subnet":"10.7.0.0/24","rangestart":"10.7.0.50"}]]}}'
	[ "$(get '.ips[0].address + " " + .ips[0].gateway')" = '10.7.0.50/24 10.7.0.1' ]
	inside c1 ip link show eth0 | grep -q 'mtu 1300'
	in_world ip addr show br0 | grep -q 10.7.0.1/24
	must DEL bridge i1 c1 '{"cniversion":"1.0.0","name":"n","bridge":"br0","ipam":{"type":"host-local","DataDir":"/run/leases"}}'
	[ "$(leases n)" = 0 ]
	ours_only
	# where both are there, ours is meant; the reference takes the last one
	must ADD bridge i1 c1 "$(br "\"mtu\":1300,\"MTU\":1400,$(ipam "$V4")")"
	inside c1 ip link show eth0 | grep -q 'mtu 1300'
	call ADD tuning i1 c1 "$(prev "$(conf n tuning '"sysctl":{"NET.core.somaxconn":"1"}')")"
	refused 7 'is not below net'
}

@test "portmap: a mapping that is given twice is one; one place cannot lead to two ports" {
	local c m='{"hostPort":8080,"containerPort":80,"protocol":"tcp"}'
	pod c1
	must ADD ptp i1 c1 "$(conf n ptp "$(ipam "$V4")")"
	c=$(prev "$(conf n portmap "\"runtimeConfig\":{\"portMappings\":[$m,{\"hostPort\":53,\"containerPort\":53,\"protocol\":\"udp\"},$m]}")")
	must ADD portmap i1 c1 "$c"
	must DEL portmap i1 c1 "$c"
	ours_only
	c=$(with "$c" '.runtimeConfig.portMappings[2].containerPort = 81')
	call ADD portmap i1 c1 "$c"
	refused 7 'portMappings: port 8080/tcp of the host leads to two ports, 80 and 81'
}
