#!/usr/bin/env bats
# macvlan, ipvlan, vlan, dummy: one link in the container.  And static, the addresses that are written down.
# CNI_PLUGINS=/usr/lib/cni asks the reference plugins.

load ../lib/cni

setup() {
	cni_up
	pod c1 c2
}
teardown() { cni_down; }

can() { unshare -n sh -c "ip link add p0 type veth peer name p1 && ip link add link p0 name x type $1" 2>/dev/null; }
have_macvlan() { can 'macvlan mode bridge'; }
have_ipvlan() { can ipvlan; }
have_vlan() { can 'vlan id 7'; }

RANGE='"ranges":[[{"subnet":"10.9.0.0/24"}]]'
# up: the host's link, with something behind it
master() {
	in_world ip link add up0 type veth peer name up1
	in_world ip link set up0 up
	in_world ip link set up1 up
}

static() { printf '"ipam":{"type":"static",%s}' "$1"; }

# --- macvlan ---

@test "macvlan: a link in the container, addresses, result, DEL leaves nothing" {
	need macvlan
	master
	local c
	c=$(conf m macvlan "\"master\":\"up0\",$(ipam "$RANGE")")
	must ADD macvlan i1 c1 "$c"
	[ "$(get '.interfaces|length')" = 1 ]
	[ "$(get .interfaces[0].name)" = eth0 ]
	[ "$(get .interfaces[0].sandbox)" = /run/netns/c1 ]
	[ "$(get .ips[0].address)" = 10.9.0.2/24 ]
	[ "$(get .ips[0].interface)" = 0 ]
	inside c1 ip -d link show eth0 | grep -q 'macvlan mode bridge'
	inside c1 ip addr show eth0 | grep -q 'inet 10.9.0.2/24'
	in_world ip -o link | grep -q macvlan && fail 'the host sees it'
	local result=$output
	must CHECK macvlan i1 c1 "$(prev "$c")"
	output=$result must DEL macvlan i1 c1 "$c"
	inside c1 ip link show eth0 && fail 'the link is there'
	[ "$(leases m)" = 0 ]
	must DEL macvlan i1 c1 "$c"
	must DEL macvlan i1 '' "$c"
}

@test "macvlan: two containers on one link speak with each other" {
	need macvlan
	master
	local c
	c=$(conf m macvlan "\"master\":\"up0\",$(ipam "$RANGE")")
	must ADD macvlan i1 c1 "$c"
	must ADD macvlan i2 c2 "$c"
	pings c1 10.9.0.3
}

@test "macvlan: mode, mtu, mac" {
	need macvlan
	master
	must ADD macvlan i1 c1 "$(conf m macvlan '"master":"up0","mode":"private","mtu":1400,"ipam":{}')"
	inside c1 ip -d link show eth0 | grep -q 'mtu 1400'
	inside c1 ip -d link show eth0 | grep -q 'macvlan mode private'
	call ADD macvlan i2 c2 "$(conf m macvlan '"master":"up0","mode":"none","ipam":{}')"
	[ "$status" = 1 ] && [[ "$output" == *"unknown macvlan mode"* ]]
	call ADD macvlan i2 c2 "$(conf m macvlan '"master":"up0","mtu":9000,"ipam":{}')"
	[ "$status" = 1 ] && [[ "$output" == *"invalid MTU 9000, must be [0, master MTU(1500)]"* ]]
	ARGS='IgnoreUnknown=1;MAC=02:00:00:00:00:07' must ADD macvlan i2 c2 "$(conf m macvlan '"master":"up0","ipam":{}')"
	[ "$(get .interfaces[0].mac)" = 02:00:00:00:00:07 ]
}

@test "macvlan: without a master it takes the device of the default route" {
	need macvlan
	master
	in_world ip addr add 192.0.2.1/24 dev up0
	call ADD macvlan i1 c1 "$(conf m macvlan '"ipam":{}')"
	[ "$status" = 1 ]
	in_world ip route add default via 192.0.2.9
	must ADD macvlan i1 c1 "$(conf m macvlan '"ipam":{}')"
	local at
	at=$(in_world cat /sys/class/net/up0/ifindex 2>/dev/null || in_world ip -o link show up0 | cut -d: -f1)
	inside c1 ip link show eth0 | grep -q "eth0@if$at:"
}

@test "macvlan: a failed ADD leaves neither link nor lease" {
	need macvlan
	ours_only
	master
	call ADD macvlan i1 c1 "$(conf m macvlan "\"master\":\"nowhere\",$(ipam "$RANGE")")"
	[ "$status" = 1 ] && [[ "$output" == *'failed to lookup master \"nowhere\"'* ]]
	call ADD macvlan i1 c1 "$(conf m macvlan "\"master\":\"up0\",$(ipam "$RANGE,\"routes\":[{\"dst\":\"10.77.0.0/16\",\"gw\":\"172.31.0.1\"}]")")"
	[ "$status" = 1 ]
	inside c1 ip link show eth0 && fail 'the link is there'
	[ "$(leases m)" = 0 ]
}

@test "macvlan: DEL works when the master is gone, CHECK says so" {
	need macvlan
	master
	local c
	c=$(conf m macvlan "\"master\":\"up0\",$(ipam "$RANGE")")
	must ADD macvlan i1 c1 "$c"
	ours_only # the reference cannot delete what is gone
	in_world ip link del up0
	call CHECK macvlan i1 c1 "$(prev "$c")"
	[ "$status" = 1 ]
	must DEL macvlan i1 c1 "$c"
	[ "$(leases m)" = 0 ]
}

@test "macvlan: CHECK sees another mode and a missing address" {
	need macvlan
	ours_only
	master
	local c result
	c=$(conf m macvlan "\"master\":\"up0\",$(ipam "$RANGE")")
	must ADD macvlan i1 c1 "$c"
	result=$output
	call CHECK macvlan i1 c1 "$(prev "$(with "$c" '.mode="vepa"')")"
	[ "$status" = 1 ]
	inside c1 ip addr del 10.9.0.2/24 dev eth0
	output=$result
	call CHECK macvlan i1 c1 "$(prev "$c")"
	[ "$status" = 1 ] && [[ "$output" == *10.9.0.2/24* ]]
}

@test "macvlan: the master may be in the container" {
	need macvlan
	ours_only
	inside c1 ip link add up0 type veth peer name up1
	inside c1 ip link set up0 up
	must ADD macvlan i1 c1 "$(conf m macvlan '"master":"up0","linkInContainer":true,"ipam":{}')"
	inside c1 ip link show eth0 | grep -q 'eth0@up0'
}

# --- ipvlan, vlan, dummy: kernels without them say so ---

@test "ipvlan: add, check, del" {
	need ipvlan
	master
	local c result
	c=$(conf m ipvlan "\"master\":\"up0\",\"mode\":\"l3\",$(ipam "$RANGE")")
	must ADD ipvlan i1 c1 "$c"
	inside c1 ip -d link show eth0 | grep -q 'ipvlan  *mode l3'
	result=$output
	must CHECK ipvlan i1 c1 "$(prev "$c")"
	output=$result
	must DEL ipvlan i1 c1 "$(prev "$c")"
	inside c1 ip link show eth0 && fail 'the link is there'
	[ "$(leases m)" = 0 ]
}

@test "vlan: add, check, del" {
	need vlan
	master
	local c result
	c=$(conf m vlan "\"master\":\"up0\",\"vlanId\":42,$(ipam "$RANGE")")
	must ADD vlan i1 c1 "$c"
	inside c1 ip -d link show eth0 | grep -q 'vlan protocol 802.1Q id 42'
	result=$output
	must CHECK vlan i1 c1 "$(prev "$c")"
	output=$result
	must DEL vlan i1 c1 "$(prev "$c")"
	inside c1 ip link show eth0 && fail 'the link is there'
	[ "$(leases m)" = 0 ]
}

@test "dummy: add, check, del" {
	need dummy
	ours_only
	local c result
	c=$(conf m dummy "$(ipam "$RANGE")")
	must ADD dummy i1 c1 "$c"
	inside c1 ip -d link show eth0 | grep -q dummy
	result=$output
	must CHECK dummy i1 c1 "$(prev "$c")"
	output=$result
	must DEL dummy i1 c1 "$(prev "$c")"
	inside c1 ip link show eth0 && fail 'the link is there'
	[ "$(leases m)" = 0 ]
}

@test "vlan, ipvlan, dummy: wrong keys are refused before anything is made" {
	master
	call ADD vlan i1 c1 "$(conf m vlan "$(ipam "$RANGE")")"
	[ "$status" = 1 ] && [[ "$output" == *'\"master\" field is required'* ]]
	call ADD vlan i1 c1 "$(conf m vlan "\"master\":\"up0\",\"vlanId\":4095,$(ipam "$RANGE")")"
	[ "$status" = 1 ]
	have_ours && refused 7 'invalid VLAN ID 4095 \(must be between 0 and 4094\)'
	call ADD ipvlan i1 c1 "$(conf m ipvlan "\"master\":\"up0\",\"mode\":\"l9\",$(ipam "$RANGE")")"
	[ "$status" = 1 ] && [[ "$output" == *'unknown ipvlan mode'* ]]
	if have_ours; then
		call ADD dummy i1 c1 "$(conf m dummy '"ipam":{}')"
		refused 7 'ipam is required'
	fi
	[ "$(leases m)" = 0 ]
	inside c1 ip link show eth0 && fail 'a link was made'
	return 0
}

@test "a kernel without the driver is an error that leaves no lease" {
	ours_only
	have_vlan && skip 'this kernel has vlan'
	master
	call ADD vlan i1 c1 "$(conf m vlan "\"master\":\"up0\",\"vlanId\":1,$(ipam "$RANGE")")"
	[ "$status" = 1 ] && [[ "$output" == *'create vlan eth0'* ]]
	[ "$(leases m)" = 0 ]
}

# --- static ---

@test "static: addresses, gateway, routes, dns" {
	local c
	c=$(conf s ptp "$(static '"addresses":[{"address":"10.8.0.5/24","gateway":"10.8.0.1"},{"address":"fd00:8::5/64","gateway":"fd00:8::1"}],"routes":[{"dst":"0.0.0.0/0"}],"dns":{"nameservers":["10.8.0.1"],"search":["example.org"]}')")
	must ADD ptp i1 c1 "$c"
	[ "$(get '.ips|map(.address)|join(" ")')" = '10.8.0.5/24 fd00:8::5/64' ]
	inside c1 ip route | grep -q '^default via 10.8.0.1'
	local result=$output
	must CHECK ptp i1 c1 "$(prev "$c")"
	output=$result must DEL ptp i1 c1 "$c"
	call ADD static i1 c1 "$c"
	[ "$status" = 0 ] && [ "$(get '.dns.nameservers[0]')" = 10.8.0.1 ]
}

@test "static: the runtime's words go before those of the file" {
	local c='"addresses":[{"address":"10.8.0.5/24"}]'
	ARGS='IP=10.8.1.7/24;GATEWAY=10.8.1.1' must ADD static i1 c1 "$(conf s x "$(static "$c")")"
	[ "$(get '.ips|map(.address)|join(" ")')" = '10.8.0.5/24 10.8.1.7/24' ]
	[ "$(get '.ips[1].gateway')" = 10.8.1.1 ]
	must ADD static i1 c1 "$(conf s x "$(static "$c"),\"args\":{\"cni\":{\"ips\":[\"10.8.2.1/24\"]}}")"
	[ "$(get '.ips|map(.address)|join(" ")')" = 10.8.2.1/24 ]
	must ADD static i1 c1 "$(conf s x "$(static "$c"),\"runtimeConfig\":{\"ips\":[\"10.8.3.1/24\"]},\"args\":{\"cni\":{\"ips\":[\"10.8.2.1/24\"]}}")"
	[ "$(get '.ips|map(.address)|join(" ")')" = 10.8.3.1/24 ]
}

@test "static: what is no address is refused with its place" {
	call ADD static i1 c1 "$(conf s x "$(static '"addresses":[{"address":"10.8.0.5"}]')")"
	[ "$status" = 1 ]
	have_ours || return 0
	refused 7 'ipam.addresses\[0\].*10.8.0.5'
	call ADD static i1 c1 "$(conf s x "$(static '"addresses":[{"address":"10.8.0.5/24","gateway":"x"}]')")"
	refused 7 'invalid gateway "x"'
	ARGS='IP=10.8.1.7' call ADD static i1 c1 "$(conf s x "$(static '"addresses":[]')")"
	refused 4 'IP'
}

@test "static: CHECK misses an address that prevResult has not" {
	local c='"addresses":[{"address":"10.8.0.5/24"}]'
	must ADD static i1 c1 "$(conf s x "$(static "$c")")"
	local result=$output
	must CHECK static i1 c1 "$(prev "$(conf s x "$(static "$c")")")"
	output=$(jq -c '.ips=[]' <<<"$result")
	ours_only
	call CHECK static i1 c1 "$(prev "$(conf s x "$(static "$c")")")"
	[ "$status" = 1 ] && [[ "$output" == *10.8.0.5/24* ]]
}
