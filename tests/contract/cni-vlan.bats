#!/usr/bin/env bats
# VLANs of the bridge plugin, on kernels whose bridges have them (`make check-vm CONTRACT=cni-vlan`),
# and what it says where they have not.

load ../lib/cni

setup() {
	cni_up
	pod c1 c2 c3
}
teardown() { cni_down; }

have_bridge_vlan() {
	unshare -n sh -c 'ip link add b0 type bridge vlan_filtering 1 && ip link add v0 master b0 type veth &&
		bridge vlan add dev v0 vid 7' 2>/dev/null
}

V4='"ranges":[[{"subnet":"10.9.0.0/24"}]]'
DUAL='"ranges":[[{"subnet":"10.9.0.0/24"}],[{"subnet":"fd09::/64"}]]'

# vlans DEVICE: "1 Egress Untagged" and so on, joined by commas
vlans() {
	in_world bridge -j -compressvlans vlan show dev "$1" |
		jq -r '.[0].vlans | map((.vlan|tostring) + (if .vlanEnd then "-\(.vlanEnd)" else "" end)
			+ (.flags // [] | map(" " + .) | join(""))) | join(",")'
}
port() { get '.interfaces[1].name'; } # of the last result

@test "vlan: the port is in that VLAN, without tags, and in no other" {
	need bridge_vlan
	local c
	c=$(conf n bridge "\"bridge\":\"br0\",\"vlan\":100,$(ipam "$V4")")
	must ADD bridge i1 c1 "$c"
	in_world ip -d link show br0 | grep -q 'vlan_filtering 1'
	[ "$(vlans "$(port)")" = '100 PVID Egress Untagged' ]
	[ "$(get '.interfaces|length')" = 3 ]
	must CHECK bridge i1 c1 "$(prev "$c")"
	must DEL bridge i1 c1 "$c"
	nothing_left
}

@test "vlan: preserveDefaultVlan keeps the port in the default VLAN" {
	need bridge_vlan
	local c result
	c=$(conf n bridge "\"bridge\":\"br0\",\"vlan\":100,\"preserveDefaultVlan\":true,$(ipam "$V4")")
	must ADD bridge i1 c1 "$c"
	[ "$(vlans "$(port)")" = '1 Egress Untagged,100 PVID Egress Untagged' ]
	result=$output
	must CHECK bridge i1 c1 "$(prev "$c")"
	output=$result
	# which another configuration of the same port would not want
	ours_only
	call CHECK bridge i1 c1 "$(prev "$(with "$c" '.preserveDefaultVlan = false')")"
	refused 999 'link veth[0-9a-f]* is in VLAN 1, which the configuration does not name'
}

@test "vlan: containers of one VLAN reach each other, those of two do not" {
	need bridge_vlan
	local c
	c=$(conf n bridge "\"bridge\":\"br0\",\"vlan\":100,$(ipam "$V4")")
	must ADD bridge i1 c1 "$c"
	must ADD bridge i2 c2 "$c"
	must ADD bridge i3 c3 "$(with "$c" '.vlan = 200')"
	pings c1 10.9.0.3
	pings_not c1 10.9.0.4
	pings_not c3 10.9.0.2
}

@test "vlan: the gateway has its place in the VLAN, both families; the last one takes it away" {
	need bridge_vlan
	local c other first second
	c=$(conf n bridge "\"bridge\":\"br0\",\"vlan\":100,\"isDefaultGateway\":true,$(ipam "$DUAL")")
	other=$(conf m bridge "\"bridge\":\"br0\",\"vlan\":200,\"isGateway\":true,$(ipam '"subnet":"10.9.1.0/24"')")
	must ADD bridge i1 c1 "$c"
	first=$output
	[ "$(get '.interfaces|map(.name)|.[3]')" = br0.100 ]
	[ "$(get '.interfaces[3].mac')" = "$(in_world ip -j link show br0.100 | jq -r '.[0].address')" ]
	[ "$(get '.interfaces[3].sandbox')" = null ]
	[ "$(get '.ips|map(.interface|tostring)|join(" ")')" = '2 2' ]
	in_world ip -o addr show dev br0.100 | grep -q 'inet 10.9.0.1/24'
	in_world ip -o addr show dev br0.100 | grep -q 'inet6 fd09::1/64'
	[ -z "$(in_world ip -o -4 addr show dev br0)" ]
	must ADD bridge i2 c2 "$c"
	second=$output
	must ADD bridge i3 c3 "$other"
	pings c1 10.9.0.1
	pings c1 fd09::1
	pings c2 10.9.0.2
	in_world ping -q -n -c 1 -W 5 10.9.0.2
	# from VLAN to VLAN the host routes
	inside c3 ip route add default via 10.9.1.1
	pings c1 10.9.1.2
	[ "$(in_world ip -o link show type veth | grep -c ': br0\.')" = 2 ]
	output=$second
	must CHECK bridge i2 c2 "$(prev "$c")"
	ours_only
	must DEL bridge i1 c1 "$c"
	pings c2 10.9.0.1
	output=$second
	must CHECK bridge i2 c2 "$(prev "$c")"
	must DEL bridge i2 c2 "$c"
	in_world ip link show br0.100 && fail 'the gateway is there'
	in_world ip link show br0.200
	must DEL bridge i3 c3 "$other"
	nothing_left
}

@test "vlan: a gateway that somebody else made is used and left alone" {
	need bridge_vlan
	ours_only
	local c
	in_world ip link add br0 type bridge vlan_filtering 1
	in_world ip link set br0 up
	in_world ip link add br0.100 type veth peer name mine
	in_world ip link set mine master br0 up
	in_world bridge vlan add dev mine vid 100 pvid untagged
	c=$(conf n bridge "\"bridge\":\"br0\",\"vlan\":100,\"isGateway\":true,$(ipam "$V4")")
	must ADD bridge i1 c1 "$c"
	pings c1 10.9.0.1
	must CHECK bridge i1 c1 "$(prev "$c")"
	must DEL bridge i1 c1 "$c"
	in_world ip link show br0.100
}

@test "vlan: the gateway goes with the last user by GC, and where the namespace is gone" {
	need bridge_vlan
	ours_only
	local c
	c=$(V=1.1.0 conf n bridge "\"bridge\":\"br0\",\"vlan\":100,\"isGateway\":true,$(ipam "$V4")")
	must ADD bridge i1 c1 "$c"
	must ADD bridge i2 c2 "$c"
	must GC bridge '' '' "$(with "$c" '.["cni.dev/valid-attachments"] = [{"containerID":"i2","ifname":"eth0"}]')"
	in_world ip link show br0.100
	pings c2 10.9.0.1
	in_world ip netns del c2
	must DEL bridge i2 '' "$c"
	wait_for 60 nothing_left
	must ADD bridge i3 c3 "$c"
	must GC bridge '' '' "$(with "$c" '.["cni.dev/valid-attachments"] = []')"
	nothing_left
}

@test "vlan: a failed ADD takes away what it made, the gateway as well" {
	need bridge_vlan
	ours_only
	local c
	c=$(conf n bridge "\"bridge\":\"br0\",\"vlan\":100,\"isGateway\":true,$(ipam "$V4")")
	must ADD bridge i1 c1 "$c"
	call ADD bridge i2 c2 "$(with "$c" '.name = "m" | .ipam.ranges = [[{"subnet": "10.9.7.0/24"}]]')"
	refused 999 '"br0.100" already has an IP address different from 10.9.7.1/24'
	[ "$(leases m)" = 0 ]
	[ "$(in_world ip -o link show type veth | grep -vc 'up0')" = 3 ]
	must DEL bridge i1 c1 "$c"
	nothing_left
	call ADD bridge i2 c2 "$(with "$c" '.ipam.routes = [{"dst": "10.99.0.0/16", "gw": "192.0.2.77"}]')"
	[ "$status" = 1 ]
	nothing_left
}

@test "vlanTrunk: tagged frames of those VLANs, by ids and ranges" {
	need bridge_vlan
	local c
	c=$(conf n bridge '"bridge":"br0","vlanTrunk":[{"id":7},{"minID":100,"maxID":102},{"id":103}],"ipam":{}')
	must ADD bridge i1 c1 "$c"
	[ "$(vlans "$(port)")" = 7,100-103 ]
	have_ours && must CHECK bridge i1 c1 "$(prev "$c")"
	# with tags from the container to one without in the VLAN
	must ADD bridge i2 c2 "$(conf m bridge "\"bridge\":\"br0\",\"vlan\":101,$(ipam "$V4")")"
	inside c1 ip link add link eth0 name eth0.101 type vlan id 101
	inside c1 ip addr add 10.9.0.77/24 dev eth0.101
	inside c1 ip link set eth0.101 up
	pings c1 10.9.0.2
	inside c1 ip link set eth0.101 down
	inside c1 ip addr add 10.9.0.78/24 dev eth0
	pings_not c1 10.9.0.2
	must DEL bridge i1 c1 "$c"
}

@test "vlanTrunk: with preserveDefaultVlan untagged frames stay in the default VLAN" {
	need bridge_vlan
	local c
	c=$(conf n bridge '"bridge":"br0","vlanTrunk":[{"id":7}],"preserveDefaultVlan":true,"ipam":{}')
	must ADD bridge i1 c1 "$c"
	[ "$(vlans "$(port)")" = '1 PVID Egress Untagged,7' ]
}

@test "a bridge that was there without VLANs learns them, its other ports stay where they are" {
	need bridge_vlan
	ours_only
	local c
	c=$(conf n bridge "\"bridge\":\"br0\",\"isGateway\":true,$(ipam "$V4")")
	must ADD bridge i1 c1 "$c"
	must ADD bridge i2 c2 "$c"
	must ADD bridge i3 c3 "$(conf m bridge "\"bridge\":\"br0\",\"vlan\":100,$(ipam '"subnet":"10.9.1.0/24"')")"
	in_world ip -d link show br0 | grep -q 'vlan_filtering 1'
	pings c1 10.9.0.3
	pings c1 10.9.0.1
}

@test "CHECK misses a VLAN, the filter, the gateway's interface and its address" {
	need bridge_vlan
	ours_only
	local c p
	c=$(conf n bridge "\"bridge\":\"br0\",\"vlan\":100,\"isGateway\":true,$(ipam "$V4")")
	must ADD bridge i1 c1 "$c"
	p=$(port)
	c=$(prev "$c")
	in_world bridge vlan add dev "$p" vid 100
	call CHECK bridge i1 c1 "$c"
	refused 999 "link $p: VLAN 100 should be the one without tags"
	in_world bridge vlan del dev "$p" vid 100
	call CHECK bridge i1 c1 "$c"
	refused 999 "link $p is not in VLAN 100"
	in_world bridge vlan add dev "$p" vid 100 pvid untagged
	must CHECK bridge i1 c1 "$c"
	in_world ip link set br0 type bridge vlan_filtering 0
	call CHECK bridge i1 c1 "$c"
	refused 999 'bridge br0 does not filter VLANs'
	in_world ip link set br0 type bridge vlan_filtering 1
	in_world ip addr flush dev br0.100
	call CHECK bridge i1 c1 "$c"
	refused 999 'interface "br0.100" lacks the gateway.s address 10.9.0.1/24'
	in_world ip link set br0.100 down
	call CHECK bridge i1 c1 "$c"
	refused 999 'the gateway.s interface br0.100 is down'
	in_world ip link del br0.100
	call CHECK bridge i1 c1 "$c"
	refused 999 'the gateway.s interface br0.100 does not exist'
}

@test "vlan: repair puts back the port's VLAN, the filter, the gateway's interface, VLAN and address" {
	need bridge_vlan
	ours_only
	local c p gate
	c=$(conf n bridge "\"bridge\":\"br0\",\"vlan\":100,\"isGateway\":true,$(ipam "$V4")")
	must ADD bridge i1 c1 "$c"
	p=$(port)
	c=$(prev "$c")
	repaired() {
		ARGS='IgnoreUnknown=1;Repair=1' must CHECK bridge i1 c1 "$c"
		must CHECK bridge i1 c1 "$c"
		[ "$(vlans "$p")" = '100 PVID Egress Untagged' ]
		# a gateway that was made anew has another MAC address, which the container must notice
		wait_for 60 pings c1 10.9.0.1
	}
	in_world bridge vlan del dev "$p" vid 100
	in_world bridge vlan add dev "$p" vid 7 pvid untagged
	in_world bridge vlan add dev "$p" vid 200-210
	pings_not c1 10.9.0.1
	call CHECK bridge i1 c1 "$c"
	refused 999 "link $p is not in VLAN 100"
	repaired
	in_world bridge vlan add dev "$p" vid 100
	call CHECK bridge i1 c1 "$c"
	refused 999 'should be the one without tags'
	repaired
	in_world ip link set br0 type bridge vlan_filtering 0
	call CHECK bridge i1 c1 "$c"
	refused 999 'bridge br0 does not filter VLANs'
	repaired
	gate=$(in_world bridge -j vlan show | jq -r --arg p "$p" '.[].ifname|select(startswith("veth") and . != $p)')
	in_world bridge vlan del dev "$gate" vid 100
	call CHECK bridge i1 c1 "$c"
	refused 999 "link $gate is not in VLAN 100"
	repaired
	in_world ip addr flush dev br0.100
	repaired
	in_world ip link del br0.100
	repaired
	must DEL bridge i1 c1 "$c"
	nothing_left
}

@test "vlanTrunk: CHECK sees what differs, repair makes it the same" {
	need bridge_vlan
	ours_only
	local c p want='100-110,150'
	c=$(conf n bridge '"bridge":"br0","vlanTrunk":[{"minID":100,"maxID":110},{"id":150}],"ipam":{}')
	must ADD bridge i1 c1 "$c"
	p=$(port)
	c=$(prev "$c")
	[ "$(vlans "$p")" = "$want" ]
	local row
	while read -r row; do
		# shellcheck disable=SC2086
		in_world bridge vlan ${row%%|*}
		call CHECK bridge i1 c1 "$c"
		refused 999 "link $p${row#*|}"
		ARGS='Repair=1' must CHECK bridge i1 c1 "$c"
		must CHECK bridge i1 c1 "$c"
		[ "$(vlans "$p")" = "$want" ]
	done <<-EOT
		del dev $p vid 103-105| is not in VLAN 103
		del dev $p vid 150| is not in VLAN 150
		add dev $p vid 108 untagged|: VLAN 108 should be tagged
		add dev $p vid 300-310| is in VLAN 300, which the configuration does not name
	EOT
}

@test "portmap: ports of a container in a VLAN, from the host, from 127.0.0.1 and from outside" {
	need bridge_vlan
	local c p
	outside
	c=$(conf n bridge "\"bridge\":\"br0\",\"vlan\":100,\"isDefaultGateway\":true,\"ipMasq\":true,$(ipam "$V4")")
	must ADD bridge i1 c1 "$c"
	p=$(prev "$(conf n portmap '"capabilities":{"portMappings":true},"runtimeConfig":{"portMappings":[{"hostPort":8080,"containerPort":80,"protocol":"tcp"}]}')")
	must ADD portmap i1 c1 "$p"
	inside c1 sh -c 'while :; do echo word | nc -n -N -l 80; done' >/dev/null 2>&1 3>&- &
	local server=$!
	wait_for 60 inside c1 sh -c 'ss -Htln | grep -q :80'
	[ "$(in_world nc -n -d -w 20 192.0.2.1 8080)" = word ]
	wait_for 60 inside c1 sh -c 'ss -Htln | grep -q :80'
	have_ours && [ "$(in_world nc -n -d -w 20 127.0.0.1 8080)" = word ]
	wait_for 60 inside c1 sh -c 'ss -Htln | grep -q :80'
	[ "$(inside out nc -n -d -w 20 192.0.2.1 8080)" = word ]
	kill $server
}

@test "wrong VLANs are refused before anything is made" {
	local row c
	while IFS='|' read -r members message; do
		c=$(conf n bridge "\"bridge\":\"br0\",$members,$(ipam "$V4")")
		call ADD bridge i1 c1 "$c"
		[ "$status" = 1 ]
		have_ours || continue
		refused 7 "$message"
	done <<-'END'
		"vlan":4095|invalid VLAN ID 4095 \(must be between 0 and 4094\)
		"vlan":-1|invalid VLAN ID -1 \(must be between 0 and 4094\)
		"vlan":1,"vlanTrunk":[{"id":2}]|cannot set vlan and vlanTrunk at the same time
		"vlanTrunk":[{"id":4095}]|incorrect trunk id parameter
		"vlanTrunk":[{"minID":9,"maxID":8}]|minID is greater than maxID in trunk parameter
		"vlanTrunk":[{"minID":9}]|maxID is missing
		"vlanTrunk":[{"maxID":9}]|minID is missing
		"vlan":"5"|vlan: expected
	END
	nothing_left
	ours_only
	in_world ip link show br0 && fail 'a bridge was made'
	return 0
}

@test "a kernel without VLAN filtering is an error that leaves neither bridge, veth nor lease" {
	ours_only
	have_bridge_vlan && skip 'this kernel has VLAN filtering'
	local c
	c=$(conf n bridge "\"bridge\":\"br0\",\"vlan\":5,\"isGateway\":true,$(ipam "$V4")")
	call ADD bridge i1 c1 "$c"
	refused 999 'vlan: bridges of this kernel have no VLAN filtering \(CONFIG_BRIDGE_VLAN_FILTERING\)'
	in_world ip link show br0 && fail 'the bridge is there'
	nothing_left
	call ADD bridge i1 c1 "$(with "$c" 'del(.vlan) | .vlanTrunk = [{"id": 5}]')"
	refused 999 'vlanTrunk: bridges of this kernel'
	# the same on a bridge that is there
	must ADD bridge i2 c2 "$(with "$c" 'del(.vlan)')"
	call ADD bridge i1 c1 "$c"
	refused 999 'vlan: bridges of this kernel'
	[ "$(leases n)" = 1 ]
	inside c1 ip link show eth0 && fail 'the link is there'
	must DEL bridge i1 c1 "$c"
	must DEL bridge i2 c2 "$c"
	nothing_left
}
