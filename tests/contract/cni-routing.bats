#!/usr/bin/env bats
# sbr and vrf behind ptp.  CNI_PLUGINS=/usr/lib/cni asks the reference plugins.

load ../lib/cni

have_vrf() { unshare -n ip link add x type vrf table 9 2>/dev/null; }

setup() {
	cni_up
	pod c1
}
teardown() { cni_down; }

# net NAME SUBNET...: a ptp network
net() {
	local name=$1 ranges='' s
	shift
	for s; do ranges+="${ranges:+,}[{\"subnet\":\"$s\"}]"; done
	conf "$name" ptp "$(ipam "\"ranges\":[$ranges],\"routes\":[{\"dst\":\"0.0.0.0/0\"}]")"
}
# attach IF NAME SUBNET...: the result in RESULT
attach() {
	local if=$1
	shift
	IF=$if must ADD ptp i1 c1 "$(net "$@")"
	RESULT=$output
}
chained() { output=$RESULT prev "$(conf n "$1" "$2")"; }

@test "sbr: each address by its own interface" {
	attach eth0 n 10.7.0.0/24
	attach eth1 m 10.8.0.0/24
	IF=eth1 must ADD sbr i1 c1 "$(chained sbr '"x":1')"
	inside c1 ip rule | grep -q 'from 10.8.0.2 lookup 100'
	inside c1 ip route show table 100 | grep -q '^default via 10.8.0.1 dev eth1'
	! inside c1 ip route | grep -q eth1
	inside c1 ip route get 192.0.2.1 from 10.8.0.2 | grep -q 'via 10.8.0.1 dev eth1'
	inside c1 ip route get 192.0.2.1 from 10.7.0.2 | grep -q 'via 10.7.0.1 dev eth0'
	[ "$(get '.ips[0].address')" = 10.8.0.2/24 ]
	inside c1 ping -q -n -c 1 -W 5 -I 10.8.0.2 10.8.0.1
	IF=eth1 must CHECK sbr i1 c1 "$(chained sbr '"x":1')"
	IF=eth1 must DEL sbr i1 c1 "$(chained sbr '"x":1')"
	! inside c1 ip rule | grep -q 10.8.0.2
	IF=eth1 must DEL sbr i1 c1 "$(chained sbr '"x":1')"
}

@test "sbr: two addresses have two tables, both families" {
	attach eth1 m 10.8.0.0/24 fd00:8::/64
	IF=eth1 must ADD sbr i1 c1 "$(chained sbr '"x":1')"
	inside c1 ip rule | grep -q 'from 10.8.0.2 lookup 100'
	inside c1 ip -6 rule | grep -q 'from fd00:8::2 lookup 101'
	inside c1 ip -6 route show table 101 | grep -q '^default via fd00:8::1 dev eth1'
}

@test "sbr: table, gateways, source hints; CHECK and repair; DEL without a namespace" {
	ours_only
	attach eth1 m 10.8.0.0/24
	local c
	c=$(chained sbr '"table":777,"gateways":["10.8.0.1"],"addSourceHints":true')
	IF=eth1 must ADD sbr i1 c1 "$c"
	inside c1 ip route show table 777 | grep -q '^default via 10.8.0.1 dev eth1 src 10.8.0.2'
	inside c1 ip rule del from 10.8.0.2
	IF=eth1 call CHECK sbr i1 c1 "$c"
	refused 999 'sbr: rule for 10.8.0.2/24 is missing'
	IF=eth1 ARGS='Repair=1' must CHECK sbr i1 c1 "$c"
	IF=eth1 must CHECK sbr i1 c1 "$c"
	IF=eth1 must DEL sbr i1 '' "$c"
	IF=eth1 call ADD sbr i1 c1 "$(chained sbr '"gateways":["x"]')"
	refused 7 'not an IP address'
}

@test "vrf: the interface is a member, and the VRF goes with its last one" {
	need vrf
	ours_only
	local c d
	attach eth0 n 10.7.0.0/24
	c=$(chained vrf '"vrfname":"blue"')
	must ADD vrf i1 c1 "$c"
	inside c1 ip link show eth0 | grep -q 'master blue'
	inside c1 ip -d link show blue | grep -q 'vrf table 1'
	inside c1 ip route show vrf blue | grep -q '^default via 10.7.0.1'
	attach eth1 m 10.8.0.0/24
	d=$(chained vrf '"vrfname":"blue"')
	IF=eth1 must ADD vrf i1 c1 "$d"
	must CHECK vrf i1 c1 "$c"
	must DEL vrf i1 c1 "$c"
	inside c1 ip link show blue
	call CHECK vrf i1 c1 "$c"
	refused 999 'is not in VRF'
	IF=eth1 must DEL vrf i1 c1 "$d"
	! inside c1 ip link show blue
	must DEL vrf i1 '' "$c"
}

@test "vrf: a table of its own, and IPv6 addresses stay" {
	need vrf
	ours_only
	attach eth0 n 10.7.0.0/24 fd00:7::/64
	must ADD vrf i1 c1 "$(chained vrf '"vrfname":"red","table":42')"
	inside c1 ip -d link show red | grep -q 'vrf table 42'
	inside c1 ip -6 addr show eth0 | grep -q fd00:7::2
	call ADD vrf i1 c1 "$(chained vrf '"vrfname":"red","table":43')"
	refused 999 'has table 42, not 43'
}

@test "vrf: wrong words" {
	ours_only
	attach eth0 n 10.7.0.0/24
	call ADD vrf i1 c1 "$(chained vrf '"x":1')"
	refused 7 'vrfname "" is required'
	call ADD vrf i1 c1 "$(chained vrf '"vrfname":"a/b"')"
	refused 7 'vrfname'
	have_vrf && return 0
	call ADD vrf i1 c1 "$(chained vrf '"vrfname":"blue"')"
	[ "$status" = 1 ] && [[ "$output" == *'create vrf blue'* ]]
}
