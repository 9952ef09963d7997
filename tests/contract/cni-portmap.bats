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
	# a rule that wants flows to be tracked, whoever else does
	in_world nft 'add table ip track; add chain ip track c { type filter hook prerouting priority 0; }; add rule ip track c ct state new counter'
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
	# one of several this time, which are looked for in one go
	attach i2 c2 "$(mapping 9000 9 udp),$(mapping 8053 53 udp),$(mapping 53 5 udp 192.0.2.1),$(mapping 8053 54 udp 192.0.2.77)"
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

@test "portmap: masqAll hides nobody where snat is false" {
	outside
	MORE='"masqAll":true,"snat":false' attach i1 c1 "$(mapping 8080 80)"
	serve c1 80
	reaches inside out nc -n -N -w 30 192.0.2.1 8080
	[ "$(client)" = 192.0.2.2 ]
}

# words WORD...: as a list of JSON
words() { jq -nc '$ARGS.positional' --args -- "$@"; }
# conditioned WORDS...: the configuration of i1 with conditionsV4
conditioned() { MORE="\"conditionsV4\":$(words "$@")" portmap "$(mapping 8080 80)"; }
open() { inside out nc -n -z -w 10 ${2:+-s "$2"} "${1:-192.0.2.1}" 8080; }

@test "portmap: conditions let through and keep out, in the words of iptables" {
	outside
	inside out ip addr add 192.0.2.3/24 dev eth0
	in_world ip addr add 192.0.2.9/24 dev up0
	in_world nft 'add table ip t; add chain ip t c { type filter hook prerouting priority -200; }; add rule ip t c tcp dport 8080 meta mark set 0x1234'
	attach i1 c1 "$(mapping 8080 80)"
	must DEL portmap i1 c1 "$PORTMAP"
	output=$RESULT
	inside c1 timeout 1200 nc -k -4 -n -l 80 >/dev/null </dev/null 3>&- 4>&- &
	SERVER=$!
	wait_for 60 inside c1 sh -c "ss -Htln | grep -q ':80 '"
	local line answer c wrong=
	while read -r answer line; do
		# The reference plugin's rule has a protocol and a list of ports already: iptables takes no second.
		have_ours || [[ $line != *-p\ * && $line != *port* ]] || continue
		# shellcheck disable=SC2086
		c=$(output=$RESULT conditioned $line)
		must ADD portmap i1 c1 "$c"
		if [ "$answer" = yes ]; then
			open || wrong+="closed: $line
"
		else
			! open || wrong+="open: $line
"
		fi
		must DEL portmap i1 c1 "$c"
	done <<-'EOT'
		yes -s 192.0.2.0/24
		no -s 198.51.100.0/24
		no ! -s 192.0.2.2
		yes ! -s 192.0.2.3
		yes -d 192.0.2.9,192.0.2.1
		no -d 192.0.2.9,192.0.2.8
		yes -s 192.0.2.8,192.0.2.2 -d 192.0.2.1,192.0.2.9
		no ! -d 192.0.2.0/255.255.255.0
		yes -i up0
		yes -i up+
		no -i br+
		no ! -i up+
		yes ! -i br0
		no -o up0
		yes -p tcp
		no -p udp
		no ! -p tcp
		yes -m addrtype --dst-type LOCAL
		no -m addrtype ! --dst-type LOCAL
		no -m addrtype --dst-type BROADCAST,MULTICAST
		yes -m addrtype --src-type UNICAST
		no -m addrtype ! --src-type UNICAST
		yes -m conntrack --ctstate NEW,RELATED
		no -m conntrack ! --ctstate NEW
		no -m state --state ESTABLISHED
		yes -m mark --mark 0x1234
		yes -m mark --mark 0x30/0xf0
		no -m mark --mark 0x30
		no -m mark ! --mark 0x30/0xf0
		yes -m comment --comment for-whom --dport 8080
		yes -m tcp --dport 8000:9000 --sport 1024:
		no --dport 1:79
		no ! --dport 8000:9000
		yes -m multiport --dports 80,8080
		no -m multiport ! --dports 80,8080
		no -m udp --dport 8080
	EOT
	kill $SERVER
	[ -z "$wrong" ] || fail "$wrong"
}

@test "portmap: conditions in the words of nft" {
	ours_only
	outside
	in_world ip addr add 192.0.2.9/24 dev up0
	attach i1 c1 "$(mapping 8080 80)"
	must DEL portmap i1 c1 "$PORTMAP"
	inside c1 timeout 1200 nc -k -4 -n -l 80 >/dev/null </dev/null 3>&- 4>&- &
	SERVER=$!
	wait_for 60 inside c1 sh -c "ss -Htln | grep -q ':80 '"
	local line answer c wrong=
	while read -r answer line; do
		c=$(output=$RESULT MORE="\"backend\":\"nftables\",\"conditionsV4\":$(words "$line")" portmap "$(mapping 8080 80)")
		must ADD portmap i1 c1 "$c"
		if [ "$answer" = yes ]; then
			open || wrong+="closed: $line
"
		else
			! open || wrong+="open: $line
"
		fi
		must DEL portmap i1 c1 "$c"
	done <<-'EOT'
		no ip daddr != 192.0.2.0/24
		yes ip daddr { 192.0.2.1, 192.0.2.9 } ip saddr 192.0.2.2
		no ip daddr != { 192.0.2.1, 192.0.2.9 }
		yes iifname "up*" tcp dport 8000-9000
		no iifname != "up0"
		no udp dport 8080
		yes fib daddr type local ct state new
		no meta mark 7
		yes meta mark and 0xff == 0
	EOT
	kill $SERVER
	[ -z "$wrong" ] || fail "$wrong"
}

@test "portmap: IPv6 has its own conditions" {
	outside
	attach i1 c1 "$(mapping 8080 80)"
	must DEL portmap i1 c1 "$PORTMAP"
	local closed opened
	closed=$(output=$RESULT MORE='"conditionsV6":["!","-s","2001:db8::/64"],"conditionsV4":["-s","192.0.2.0/24"]' portmap "$(mapping 8080 80)")
	opened=$(output=$RESULT MORE='"conditionsV6":["-s","2001:db8::/64","-d","2001:db8::1","!","-i","br0"]' portmap "$(mapping 8080 80)")
	must ADD portmap i1 c1 "$closed"
	! inside out nc -n -z -w 5 2001:db8::1 8080
	serve c1 80
	reaches inside out nc -n -N -w 30 192.0.2.1 8080
	must DEL portmap i1 c1 "$closed"
	must ADD portmap i1 c1 "$opened"
	FAMILY=6 serve c1 80
	reaches inside out nc -n -N -w 30 2001:db8::1 8080
}

@test "portmap: one port for two containers under different conditions; CHECK, repair, DEL" {
	ours_only
	outside
	in_world ip addr add 192.0.2.9/24 dev up0
	MORE='"conditionsV4":["-d","192.0.2.1,192.0.2.7"],"conditionsV6":["-d","2001:db8::1"]' attach i1 c1 "$(mapping 8080 80)"
	local one=$PORTMAP
	MORE='"conditionsV4":["-d","192.0.2.9"],"conditionsV6":["-d","2001:db8::9"]' attach i2 c2 "$(mapping 8080 80)"
	serve c1 80
	reaches inside out nc -n -N -w 30 192.0.2.1 8080
	serve c2 80
	reaches inside out nc -n -N -w 30 192.0.2.9 8080
	must CHECK portmap i1 c1 "$one"
	must CHECK portmap i2 c2 "$PORTMAP"
	# the second rule of the first: 192.0.2.7
	local handle
	handle=$(in_world nft -a list chain inet gantry-portmap-n hostports | sed -n 's/.*192\.0\.2\.7.* # handle //p' | head -n 1)
	in_world nft delete rule inet gantry-portmap-n hostports handle "$handle"
	must CHECK portmap i2 c2 "$PORTMAP"
	call CHECK portmap i1 c1 "$one"
	refused 999 'port mapping of .* is missing: no rule'
	ARGS='Repair=1' must CHECK portmap i1 c1 "$one"
	in_world nft list chain inet gantry-portmap-n hostports | grep -q '192\.0\.2\.7'
	must DEL portmap i1 c1 "$one"
	serve c2 80
	reaches inside out nc -n -N -w 30 192.0.2.9 8080
	must DEL portmap i2 '' "$(conf n portmap '"snat":true')"
	! in_world nft list ruleset | grep portmap
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
	call ADD portmap i1 c1 "$(MORE='"conditionsV4":["-m","set","--match-set","white","src"]' portmap "$(mapping 80 80)")"
	refused 7 'conditionsV4: -m "set": not supported'
	call ADD portmap i1 c1 "$(MORE='"conditionsV6":["ip6","saddr","@white"]' portmap "$(mapping 80 80)")"
	refused 7 'conditionsV6: ip6 saddr "@white": not an address'
	call ADD portmap i1 c1 "$(MORE='"backend":"nftables","conditionsV4":["-d","192.0.2.1"]' portmap "$(mapping 80 80)")"
	refused 7 'nftables backend was requested but configuration contains iptables-specific options \[conditionsV4\]'
	call ADD portmap i1 c1 "$(MORE='"backend":"nftables","externalSetMarkChain":"X"' portmap "$(mapping 80 80)")"
	refused 7 'iptables-specific options \[externalSetMarkChain\]'
	call ADD portmap i1 c1 "$(MORE='"externalSetMarkChain":"X","markMasqBit":3' portmap "$(mapping 80 80)")"
	refused 7 'cannot specify externalSetMarkChain and markMasqBit'
	call ADD portmap i1 c1 "$(conf n portmap "\"runtimeConfig\":{\"portMappings\":[$(mapping 80 80)]}")"
	[ "$status" = 1 ]
}

@test "portmap: all ports of a host lead into one container; what is beyond is refused by its limit" {
	ours_only
	must ADD bridge i1 c1 "$(bridge)"
	local c
	c=$(prev "$(conf n portmap '"snat":true')" | jq -c '.runtimeConfig.portMappings =
		[range(1; 65536) | {hostPort: ., containerPort: ., protocol: "tcp", hostIP: "2001:0db8:0000:0000:0000:0000:0000:0001"}]')
	must ADD portmap i1 c1 "$c"
	in_world nft list map inet gantry-portmap-n one6 >"$T/map"
	[ "$(grep -o ' : fd00:7::2 \. ' "$T/map" | wc -l)" = 65535 ]
	must CHECK portmap i1 c1 "$c"
	must DEL portmap i1 c1 "$c"
	! in_world nft list ruleset | grep portmap
	call ADD portmap i1 c1 "$(jq -c '.runtimeConfig.portMappings += [{hostPort: 1, containerPort: 1, protocol: "udp"}]' <<<"$c")"
	refused 7 'runtimeConfig.portMappings\[65535\]: more than 65535 port mappings of one container'
	call ADD portmap i1 c1 "$(jq -c --slurpfile x <(head -c 16777216 /dev/zero | tr '\0' x | jq -R .) '.x = $x[0]' <<<"$c")"
	refused 5 'the network configuration is larger than 16 MiB'
}
