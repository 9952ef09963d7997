#!/usr/bin/env bats
# host-device and tap.  CNI_PLUGINS=/usr/lib/cni asks the reference plugins.

load ../lib/cni

have_tun() { [ -c /dev/net/tun ]; }

setup() {
	cni_up
	pod c1 c2
	in_world ip link add dev0 type veth peer name far0
}
teardown() { cni_down; }

RANGE='"ranges":[[{"subnet":"10.9.0.0/24"}]]'
here() { in_world ip link show "$1" >/dev/null 2>&1; }

@test "host-device: the link goes in and comes back under its name" {
	local c result
	c=$(conf h host-device "\"device\":\"dev0\",$(ipam "$RANGE")")
	must ADD host-device i1 c1 "$c"
	! here dev0
	inside c1 ip addr show eth0 | grep -q 'inet 10.9.0.2/24'
	inside c1 ip link show eth0 | grep -q UP
	[ "$(get .interfaces[0].name)" = eth0 ]
	[ "$(get .interfaces[0].sandbox)" = /run/netns/c1 ]
	result=$output
	must CHECK host-device i1 c1 "$(prev "$c")"
	output=$result must DEL host-device i1 c1 "$c"
	here dev0
	! inside c1 ip link show eth0
	[ "$(leases h)" = 0 ]
	have_ours || return 0
	! in_world ip link show dev0 | grep -q alias
	must DEL host-device i1 c1 "$c"
}

@test "host-device: by its address" {
	local mac
	mac=$(in_world ip -br link show dev0 | awk '{print $3}')
	must ADD host-device i1 c1 "$(conf h host-device "\"hwaddr\":\"$mac\"")"
	! here dev0
	[ "$(get .interfaces[0].mac)" = "$mac" ]
	must DEL host-device i1 c1 "$(conf h host-device "\"hwaddr\":\"$mac\"")"
	here dev0
}

@test "host-device: the lease is released without a namespace, and when it is gone" {
	ours_only
	local c
	c=$(conf h host-device "\"device\":\"dev0\",$(ipam "$RANGE")")
	must ADD host-device i1 c1 "$c"
	must DEL host-device i1 '' "$c"
	[ "$(leases h)" = 0 ]
	must DEL host-device i1 /run/netns/gone "$c"
}

@test "host-device: a failed ADD brings it back" {
	ours_only
	local c
	c=$(conf h host-device "\"device\":\"dev0\",$(ipam "$RANGE,\"routes\":[{\"dst\":\"10.77.0.0/16\",\"gw\":\"172.31.0.1\"}]")")
	call ADD host-device i1 c1 "$c"
	[ "$status" = 1 ]
	here dev0
	[ "$(leases h)" = 0 ]
	inside c1 ip link add eth0 type veth peer name x
	call ADD host-device i1 c1 "$(conf h host-device '"device":"dev0"')"
	refused 999 'already exists'
	here dev0
}

@test "host-device: its old name is taken meanwhile" {
	ours_only
	must ADD host-device i1 c1 "$(conf h host-device '"device":"dev0"')"
	in_world ip link add dev0 type veth peer name y
	must DEL host-device i1 c1 "$(conf h host-device '"device":"dev0"')"
	! inside c1 ip link show eth0
	[ "$(in_world ip -o link show type veth | wc -l)" = 4 ]
}

@test "host-device: what names no device is refused" {
	call ADD host-device i1 c1 "$(conf h host-device '"x":1')"
	[ "$status" = 1 ] && [[ "$output" == *'specify either'* ]]
	call ADD host-device i1 c1 "$(conf h host-device '"device":"nowhere"')"
	[ "$status" = 1 ] && [[ "$output" == *'failed to find host device'* ]]
	ours_only
	call ADD host-device i1 c1 "$(conf h host-device '"kernelpath":"/sys/devices/../../etc"')"
	refused 7 'not a path below /sys/devices'
	call ADD host-device i1 c1 "$(conf h host-device '"pciBusID":"../x"')"
	refused 7 'not the name of a device'
}

@test "tap: owner, queue, addresses; DEL takes it" {
	need tun
	ours_only
	local c result
	c=$(conf t tap "\"multiQueue\":true,\"owner\":1000,\"group\":1001,\"mtu\":1400,$(ipam "$RANGE")")
	must ADD tap i1 c1 "$c"
	inside c1 ip -d link show eth0 | grep -q 'tun type tap.*multi_queue'
	inside c1 ip -d link show eth0 | grep -q 'user 1000 group 1001\|user .* group .*'
	inside c1 ip link show eth0 | grep -q 'mtu 1400'
	inside c1 ip addr show eth0 | grep -q 'inet 10.9.0.2/24'
	result=$output
	must CHECK tap i1 c1 "$(prev "$c")"
	output=$result must DEL tap i1 c1 "$c"
	! inside c1 ip link show eth0
	[ "$(leases t)" = 0 ]
	must DEL tap i1 '' "$c"
}

@test "tap: on a bridge of the container; twice is refused" {
	need tun
	ours_only
	inside c1 ip link add br0 type bridge
	must ADD tap i1 c1 "$(conf t tap '"bridge":"br0","mac":"02:00:00:00:00:05"')"
	inside c1 ip link show eth0 | grep -q 'master br0'
	inside c1 ip link show eth0 | grep -q '02:00:00:00:00:05'
	call ADD tap i1 c1 "$(conf t tap '"x":1')"
	refused 999 'already exists'
	call ADD tap i2 c2 "$(conf t tap '"bridge":"br0"')"
	[ "$status" = 1 ] && [[ "$output" == *'bridge \"br0\" in the container'* ]]
	! inside c2 ip link show eth0
	call ADD tap i2 c2 "$(conf t tap '"selinuxContext":"u:r:t"')"
	refused 2 'selinuxContext'
}
