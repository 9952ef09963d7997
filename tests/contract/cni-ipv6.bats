#!/usr/bin/env bats
# IPv6, alone and beside IPv4: nobody waits for duplicate address detection, neither in the container nor on the
# host, whoever made the bridge; mapped ports, masquerading and the firewall do for it what they do for IPv4.

load ../lib/cni

setup() {
	cni_up
	pod c1 c2
	outside
	in_world ip link set lo up
}
teardown() { cni_down; }

have_macvlan() { unshare -n sh -c 'ip link add p0 type veth && ip link add link veth0 type macvlan' 2>/dev/null; }

ONLY='"subnet":"fd07::/64"'
DUAL='"ranges":[[{"subnet":"10.7.0.0/24"}],[{"subnet":"fd07::/64"}]]'
ROUTES='"routes":[{"dst":"::/0"}]'
no_tentative() {
	[ -z "$(in_world ip -6 addr show tentative)" ] && [ -z "$(inside c1 ip -6 addr show tentative)" ]
}
first() { inside "$1" ping -q -n -c 1 -W 2 "$2"; } # FROM ADDRESS: one packet, no second chance

@test "bridge: the first packet passes in every direction, on a bridge that somebody else made as well" {
	ours_only
	local c
	inside out ip -6 route add fd07::/64 via 2001:db8::1
	c=$(conf n bridge "\"bridge\":\"br0\",\"isDefaultGateway\":true,$(ipam "$ONLY")")
	in_world ip link add br0 type bridge
	must ADD bridge i1 c1 "$c"
	no_tentative
	first out fd07::2
	in_world cat /proc/sys/net/ipv6/conf/br0/accept_ra | grep -q 0
	must ADD bridge i2 c2 "$c"
	first c1 fd07::3
	first c2 fd07::1
	first c2 2001:db8::2
	no_tentative
	[ "$(tcp out c2 fd07::3)" = 2001:db8::2 ]
}

@test "bridge: both families at once, the host's address of each at once" {
	ours_only
	must ADD bridge i1 c1 "$(conf n bridge "\"bridge\":\"br0\",\"isGateway\":true,$(ipam "$DUAL")")"
	no_tentative
	first c1 fd07::1
	first c1 10.7.0.1
}

@test "bridge: enabledad waits for the detection and sees a duplicate" {
	local c
	c=$(conf n bridge "\"bridge\":\"br0\",\"isGateway\":true,\"enabledad\":true,$(ipam "$ONLY")")
	must ADD bridge i1 c1 "$c"
	! inside c1 ip -6 addr show scope global tentative | grep -q fd07
	must DEL bridge i1 c1 "$c"
	ours_only
	# somebody has the next address already
	in_world ip addr add fd07::3/64 dev br0 nodad
	in_world ip link set br0 up
	call ADD bridge i2 c2 "$c"
	refused 999 'duplicate address detection'
	[ "$(leases n)" = 0 ]
	inside c2 ip link show eth0 && fail 'the link is there'
	return 0
}

@test "ptp: the first packet passes in every direction" {
	ours_only
	inside out ip -6 route add fd07::/64 via 2001:db8::1
	local c
	c=$(conf n ptp "$(ipam "$ONLY,$ROUTES")")
	must ADD ptp i1 c1 "$c"
	no_tentative
	first out fd07::2
	must ADD ptp i2 c2 "$c"
	first c1 fd07::3
	first c1 2001:db8::2
	first c2 fd07::1
	no_tentative
}

@test "macvlan: the first packet passes" {
	need macvlan
	ours_only
	local c
	in_world ip link add m0 type veth peer name m1
	in_world ip link set m0 up
	in_world ip link set m1 up
	c=$(conf n macvlan "\"master\":\"m0\",$(ipam "$ONLY")")
	must ADD macvlan i1 c1 "$c"
	must ADD macvlan i2 c2 "$c"
	[ -z "$(inside c1 ip -6 addr show tentative)" ]
	first c1 fd07::3
	first c2 fd07::2
	[ "$(inside c1 cat /proc/sys/net/ipv6/conf/eth0/ndisc_notify)" = 1 ]
}

# mapped BASE-CONFIGURATION BASE: from outside, from the host and from the container, and nothing is left
mapped() {
	local p i
	must ADD "$2" i1 c1 "$1"
	p=$(prev "$(conf n portmap '"capabilities":{"portMappings":true},"runtimeConfig":{"portMappings":[{"hostPort":8080,"containerPort":80,"protocol":"tcp"}]}')")
	must ADD portmap i1 c1 "$p"
	for i in 'inside out' in_world ${3:+"$3"}; do
		inside c1 timeout 60 nc -6 -n -v -l -p 80 >"$T/said" 2>"$T/log" </dev/null 3>&- &
		local server=$!
		wait_for 60 inside c1 sh -c 'ss -Htln | grep -q ":80 "'
		echo word | $i nc -n -N -w 30 2001:db8::1 8080
		wait $server
		grep -q '^word$' "$T/said"
		[ "$i" != 'inside out' ] || grep -q 'received on 2001:db8::2 ' "$T/log"
	done
	have_ours && must CHECK portmap i1 c1 "$p"
	must DEL portmap i1 c1 "$p"
	must DEL "$2" i1 c1 "$1"
	! have_ours || nothing_left
}

@test "portmap: IPv6 alone behind a bridge: from outside, from the host, from the container itself" {
	mapped "$(conf n bridge "\"bridge\":\"br0\",\"isDefaultGateway\":true,\"hairpinMode\":true,$(ipam "$ONLY")")" \
		bridge 'inside c1'
}

@test "portmap: IPv6 behind ptp, beside IPv4: from outside and from the host" {
	mapped "$(conf n ptp "\"ipMasq\":true,$(ipam "$DUAL,$ROUTES")")" ptp
}

@test "portmap: only at the given IPv6 address of the host; IPv4 is left alone" {
	local p
	in_world ip addr add 2001:db8::9/64 dev up0 nodad
	must ADD bridge i1 c1 "$(conf n bridge "\"bridge\":\"br0\",\"isDefaultGateway\":true,$(ipam "$DUAL")")"
	p=$(prev "$(conf n portmap '"capabilities":{"portMappings":true},"runtimeConfig":{"portMappings":[{"hostPort":8080,"containerPort":80,"protocol":"tcp","hostIP":"2001:db8::9"}]}')")
	must ADD portmap i1 c1 "$p"
	inside c1 timeout 60 nc -6 -n -l -p 80 >"$T/said" </dev/null 3>&- &
	local server=$!
	wait_for 60 inside c1 sh -c 'ss -Htln | grep -q ":80 "'
	inside out nc -n -N -w 5 2001:db8::1 8080 </dev/null && fail 'at another address too'
	inside out nc -n -N -w 5 192.0.2.1 8080 </dev/null && fail 'by IPv4 too'
	echo word | inside out nc -n -N -w 30 2001:db8::9 8080
	wait $server
	grep -q word "$T/said"
}

@test "masquerading: IPv6 alone, behind bridge and ptp" {
	local c
	c=$(conf n bridge "\"bridge\":\"br0\",\"isDefaultGateway\":true,\"ipMasq\":true,$(ipam "$ONLY")")
	must ADD bridge i1 c1 "$c"
	[ "$(tcp c1 out 2001:db8::2)" = 2001:db8::1 ]
	must DEL bridge i1 c1 "$c"
	c=$(conf m ptp "\"ipMasq\":true,$(ipam "$ONLY,$ROUTES")")
	must ADD ptp i2 c2 "$c"
	[ "$(tcp c2 out 2001:db8::2)" = 2001:db8::1 ]
}
