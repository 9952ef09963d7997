#!/usr/bin/env bats
# portmap behind bridge and ptp: real traffic, and what is left.  CNI_PLUGINS=/usr/lib/cni asks the reference
# plugins.

load ../lib/cni

setup() {
	cni_up
	pod c1 c2
	in_world ip link set lo up
}
teardown() { cni_down; }

V4='{"subnet":"10.7.0.0/24"}'
V6='{"subnet":"fd00:7::/64"}'
bridge() { conf n bridge "\"bridge\":\"br0\",\"isDefaultGateway\":true,\"hairpinMode\":true,\"ipMasq\":true,$(ipam "\"ranges\":[[$V4],[$V6]]")"; }
ptp() { conf n ptp "\"ipMasq\":true,$(ipam "\"ranges\":[[$V4],[$V6]],\"routes\":[{\"dst\":\"0.0.0.0/0\"},{\"dst\":\"::/0\"}]")"; }
# mapping HOSTPORT PORT [PROTOCOL [HOSTIP]]
mapping() { printf '{"hostPort":%d,"containerPort":%d,"protocol":"%s"%s}' "$1" "$2" "${3:-tcp}" "${4:+,\"hostIP\":\"$4\"}"; }
# portmap MAPPING,...: with the last output as prevResult
portmap() { prev "$(conf n portmap "\"capabilities\":{\"portMappings\":true},${MORE:+$MORE,}\"runtimeConfig\":{\"portMappings\":[$1]}")"; }

# attach ID NETNS MAPPING...: bridge (or $BASE), then portmap
attach() {
	must ADD "${BASE:-bridge}" "$1" "$2" "$(${BASE:-bridge})"
	RESULT=$output
	PORTMAP=$(portmap "$3")
	must ADD portmap "$1" "$2" "$PORTMAP"
}

# serve NETNS PORT: one TCP connection; what it said is in $T/said, who it was in $T/log
serve() {
	local flag=-4
	[[ ${FAMILY:-4} == 6 ]] && flag=-6
	inside "$1" timeout 60 nc $flag -n -v -l -p "$2" >"$T/said" 2>"$T/log" </dev/null 3>&- &
	SERVER=$!
	wait_for 60 inside "$1" sh -c "ss -Htln | grep -q ':$2 '"
}
# reaches COMMAND...: prefix of nc; the server got the word
reaches() {
	echo word | "$@" || { kill $SERVER; wait $SERVER; return 1; }
	wait $SERVER
	grep -q '^word$' "$T/said"
}
client() { sed -n 's/^Connection received on \([^ ]*\) .*/\1/p' "$T/log"; }

@test "portmap: from outside, and the client's address is kept" {
	outside
	attach i1 c1 "$(mapping 8080 80)"
	serve c1 80
	reaches inside out nc -n -N -w 30 192.0.2.1 8080
	[ "$(client)" = 192.0.2.2 ]
	[ "$(jq -S . <<<"$output")" = "$(jq -S . <<<"$RESULT")" ]
}

@test "portmap: from the host by its own address and by 127.0.0.1" {
	outside
	attach i1 c1 "$(mapping 8080 80)"
	serve c1 80
	reaches in_world nc -n -N -w 30 192.0.2.1 8080
	serve c1 80
	reaches in_world nc -n -N -w 30 127.0.0.1 8080
}

@test "portmap: from the container itself and from its neighbour, by the host's address" {
	outside
	attach i1 c1 "$(mapping 8080 80)"
	must ADD bridge i2 c2 "$(bridge)"
	serve c1 80
	reaches inside c2 nc -n -N -w 30 192.0.2.1 8080
	serve c1 80
	reaches inside c1 nc -n -N -w 30 192.0.2.1 8080
}

@test "portmap: behind ptp" {
	outside
	BASE=ptp attach i1 c1 "$(mapping 8080 80)"
	serve c1 80
	reaches inside out nc -n -N -w 30 192.0.2.1 8080
	[ "$(client)" = 192.0.2.2 ]
	serve c1 80
	reaches in_world nc -n -N -w 30 127.0.0.1 8080
}

@test "portmap: IPv6 from outside and from the host" {
	outside
	attach i1 c1 "$(mapping 8080 80)"
	in_world sysctl -q net.ipv6.conf.all.forwarding=1 2>/dev/null || :
	FAMILY=6 serve c1 80
	reaches inside out nc -n -N -w 30 2001:db8::1 8080
	[ "$(client)" = 2001:db8::2 ]
	FAMILY=6 serve c1 80
	reaches in_world nc -n -N -w 30 2001:db8::1 8080
}

@test "portmap: only at the given address of the host" {
	outside
	in_world ip addr add 192.0.2.9/24 dev up0
	attach i1 c1 "$(mapping 8080 80 tcp 192.0.2.9)"
	serve c1 80
	inside out nc -n -N -w 5 192.0.2.1 8080 </dev/null && fail 'at another address too'
	reaches inside out nc -n -N -w 30 192.0.2.9 8080
}

@test "portmap: several ports, and two containers with the same port at two addresses" {
	outside
	in_world ip addr add 192.0.2.9/24 dev up0
	attach i1 c1 "$(mapping 8080 80 tcp 192.0.2.9),$(mapping 9090 90)"
	attach i2 c2 "$(mapping 8080 80 tcp 192.0.2.1)"
	serve c1 90
	reaches inside out nc -n -N -w 30 192.0.2.1 9090
	serve c2 80
	reaches inside out nc -n -N -w 30 192.0.2.1 8080
	serve c1 80
	reaches inside out nc -n -N -w 30 192.0.2.9 8080
}

# A datagram from one and the same port, which is what makes the host remember it.
udp() { echo "$1" | inside out nc -n -u -N -w 1 -p 7000 192.0.2.1 8053; }

@test "portmap: UDP follows the mapping at once, whatever the host remembers" {
	outside
	# nobody there yet: the host's flow leads to itself
	udp early || :
	attach i1 c1 "$(mapping 8053 53 udp)"
	inside c1 timeout 60 nc -4 -n -u -l -p 53 >"$T/said" </dev/null 3>&- &
	wait_for 60 inside c1 sh -c "ss -Hlnu | grep -q ':53 '"
	udp first
	wait_for 60 grep -q first "$T/said"
	kill $! || :
	# the container goes, another one comes
	must DEL portmap i1 c1 "$PORTMAP"
	must DEL bridge i1 c1 "$(bridge)"
	udp between || :
	attach i2 c2 "$(mapping 8053 53 udp)"
	inside c2 timeout 60 nc -4 -n -u -l -p 53 >"$T/said2" </dev/null 3>&- &
	wait_for 60 inside c2 sh -c "ss -Hlnu | grep -q ':53 '"
	udp second
	wait_for 60 grep -q second "$T/said2"
	kill $! || :
}

@test "portmap: a neighbour does not reach the host's 127.0.0.1 (CVE-2020-8558)" {
	ours_only
	attach i1 c1 "$(mapping 8080 80)"
	must ADD bridge i2 c2 "$(bridge)"
	in_world timeout 60 nc -4 -n -l 127.0.0.1 7777 >"$T/host" </dev/null 3>&- &
	wait_for 60 in_world sh -c "ss -Htln | grep -q ':7777 '"
	inside c2 ip route add 127.0.0.1/32 via 10.7.0.1
	inside c2 sh -c 'echo 1 >/proc/sys/net/ipv4/conf/all/route_localnet'
	! inside c2 nc -n -N -w 3 127.0.0.1 7777 <<<intruder
	! grep -q intruder "$T/host"
}

@test "portmap: DEL takes everything, again, without namespace and without mappings" {
	attach i1 c1 "$(mapping 8080 80),$(mapping 8053 53 udp)"
	attach i2 c2 "$(mapping 8081 80)"
	must DEL portmap i1 c1 "$PORTMAP"
	must DEL portmap i1 c1 "$PORTMAP"
	have_ours && in_world nft list ruleset | grep -q 'tcp . 8080' && fail 'the mapping is there'
	must DEL portmap i2 '' "$(conf n portmap '"snat":true')"
	have_ours || return 0
	! in_world nft list ruleset | grep portmap
}

@test "portmap: without mappings it hands the result on and touches nothing" {
	must ADD bridge i1 c1 "$(bridge)"
	local c
	c=$(prev "$(conf n portmap '"capabilities":{"portMappings":true}')")
	must ADD portmap i1 c1 "$c"
	! in_world nft list ruleset | grep -i portmap
	call ADD portmap i1 c1 "$(conf n portmap '"runtimeConfig":{"portMappings":[]}')"
	[ "$status" = 1 ] || ! have_ours
}

@test "portmap: CHECK is true both ways, and puts back what was flushed when asked" {
	ours_only
	attach i1 c1 "$(mapping 8080 80)"
	must CHECK portmap i1 c1 "$PORTMAP"
	in_world nft flush chain inet gantry-portmap-n hostports
	call CHECK portmap i1 c1 "$PORTMAP"
	refused 999 'port mapping of .* is missing'
	ARGS='IgnoreUnknown=1;Repair=1' must CHECK portmap i1 c1 "$PORTMAP"
	must CHECK portmap i1 c1 "$PORTMAP"
	in_world nft flush ruleset
	call CHECK portmap i1 c1 "$PORTMAP"
	refused 999 'port mapping of .* is missing'
	ARGS='Repair=1' must CHECK portmap i1 c1 "$PORTMAP"
	must CHECK portmap i1 c1 "$PORTMAP"
	serve c1 80
	reaches in_world nc -n -N -w 30 127.0.0.1 8080
}

@test "portmap: a taken port is refused, and by the same container taken again" {
	ours_only
	attach i1 c1 "$(mapping 8080 80)"
	must ADD bridge i2 c2 "$(bridge)"
	call ADD portmap i2 c2 "$(portmap "$(mapping 8080 80)")"
	refused 999 'host port 8080/tcp: in use by container "i1 eth0"'
	call ADD portmap i1 c1 "$PORTMAP"
	[ "$status" = 0 ]
}

@test "portmap: GC removes what is not valid" {
	ours_only
	attach i1 c1 "$(mapping 8080 80)"
	attach i2 c2 "$(mapping 8081 80)"
	V=1.1.0 must GC portmap '' '' "$(V=1.1.0 conf n portmap '"cni.dev/valid-attachments":[{"containerID":"i2","ifname":"eth0"}]')"
	! in_world nft list ruleset | grep -q 'tcp . 8080'
	in_world nft list ruleset | grep -q 'tcp . 8081'
}

@test "portmap: snat false leaves addresses alone, masqAll hides all of them" {
	ours_only
	outside
	MORE='"masqAll":true' attach i1 c1 "$(mapping 8080 80)"
	serve c1 80
	reaches inside out nc -n -N -w 30 192.0.2.1 8080
	[ "$(client)" = 10.7.0.1 ]
	MORE='"snat":false' attach i2 c2 "$(mapping 8081 80)"
	in_world nft list set inet gantry-portmap-n snat-10.7.0.0/24 | grep -q 10.7.0.3 && fail 'masqueraded all the same'
	return 0
}

@test "portmap: a chain that would mark for others is not needed" {
	ours_only
	outside
	MORE='"externalSetMarkChain":"KUBE-MARK-MASQ"' attach i1 c1 "$(mapping 8080 80)"
	serve c1 80
	reaches in_world nc -n -N -w 30 127.0.0.1 8080
}

@test "portmap: what it cannot do is refused by name" {
	must ADD bridge i1 c1 "$(bridge)"
	call ADD portmap i1 c1 "$(portmap "$(mapping 0 80)")"
	[ "$status" = 1 ] && [[ "$output" == *'host port'* ]]
	call ADD portmap i1 c1 "$(portmap "$(mapping 80 0)")"
	[ "$status" = 1 ] && [[ "$output" == *'ontainer port'* ]]
	ours_only
	call ADD portmap i1 c1 "$(portmap "$(mapping 80 80 icmp)")"
	refused 7 'unknown port protocol "icmp"'
	call ADD portmap i1 c1 "$(portmap "$(mapping 80 80 tcp here)")"
	refused 7 'hostIP "here"'
	call ADD portmap i1 c1 "$(MORE='"conditionsV4":["-s","192.0.2.0/24"]' portmap "$(mapping 80 80)")"
	refused 2 'conditionsV4'
	call ADD portmap i1 c1 "$(MORE='"externalSetMarkChain":"X","markMasqBit":3' portmap "$(mapping 80 80)")"
	refused 7 'cannot specify externalSetMarkChain and markMasqBit'
	call ADD portmap i1 c1 "$(conf n portmap "\"runtimeConfig\":{\"portMappings\":[$(mapping 80 80)]}")"
	[ "$status" = 1 ]
}
