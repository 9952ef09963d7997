#!/usr/bin/env bats
# Chained plugins where names, numbers and the state of the host are as bad as they can be.

load ../lib/cni

setup() {
	cni_up
	ours_only
	pod c1 c2
}
teardown() { cni_down; }

long() { printf "%0$1d" 0 | tr 0 "${2:-a}"; }
# What bridge or ptp would say: addresses $1..., interfaces as they are there.
result() {
	local a ips=''
	for a; do ips+="${ips:+,}{\"address\":\"$a\",\"interface\":1}"; done
	printf '{"cniVersion":"1.0.0","interfaces":[{"name":"%s"},{"name":"eth0","sandbox":"/run/netns/c1"}],"ips":[%s]}' \
		"${BRIDGE:-br0}" "$ips"
}
chained() { # NAME PLUGIN MEMBERS ADDRESS...
	local name=$1 plugin=$2 members=$3
	shift 3
	conf "$name" "$plugin" "$members,\"prevResult\":$(result "$@")"
}
ports() { printf '"runtimeConfig":{"portMappings":[{"hostPort":%s,"containerPort":80,"protocol":"tcp"}]}' "$1"; }
rules() { in_world nft list table ip filter 2>/dev/null | grep -c "saddr $1 .*accept" || :; }
real() { must ADD ptp i1 c1 "$(conf n ptp "$(ipam '"ranges":[[{"subnet":"10.7.0.0/24"}]]')")"; }

@test "firewall: names that are equal for 399 bytes are two containers'" {
	local n a b
	n=$(long 200 n) a=$(long 199 i)a b=$(long 199 i)b
	must ADD firewall "$a" c1 "$(chained "$n" firewall '"x":1' 10.7.0.2/24)"
	must ADD firewall "$b" c1 "$(chained "$n" firewall '"x":1' 10.7.0.3/24)"
	must DEL firewall "$a" '' "$(conf "$n" firewall '"x":1')"
	[ "$(rules 10.7.0.2)" = 0 ] && [ "$(rules 10.7.0.3)" = 1 ]
	must CHECK firewall "$b" c1 "$(chained "$n" firewall '"x":1' 10.7.0.3/24)"
	V=1.1.0 must GC firewall '' '' "$(V=1.1.0 conf "$n" firewall "\"cni.dev/valid-attachments\":[{\"containerID\":\"$b\",\"ifname\":\"eth0\"}]")"
	[ "$(rules 10.7.0.3)" = 1 ]
	V=1.1.0 must GC firewall '' '' "$(V=1.1.0 conf "${n%n}m" firewall '"cni.dev/valid-attachments":[]')"
	[ "$(rules 10.7.0.3)" = 1 ]
	V=1.1.0 must GC firewall '' '' "$(V=1.1.0 conf "$n" firewall "\"cni.dev/valid-attachments\":[{\"containerID\":\"$a\",\"ifname\":\"eth0\"}]")"
	[ "$(rules 10.7.0.3)" = 0 ]
}

@test "portmap, bandwidth: the longest names are whole" {
	local n a b
	n=$(long 200 n) a=$(long 199 i)a b=$(long 199 i)b
	must ADD portmap "$a" c1 "$(chained "$n" portmap "$(ports 8080)" 10.7.0.2/24)"
	must ADD portmap "$b" c1 "$(chained "$n" portmap "$(ports 8081)" 10.7.0.3/24)"
	call ADD portmap "$b" c1 "$(chained "${n%n}m" portmap "$(ports 8080)" 10.7.0.3/24)"
	[ "$status" = 0 ]
	must DEL portmap "$a" '' "$(conf "$n" portmap '"x":1')"
	must CHECK portmap "$b" c1 "$(chained "$n" portmap "$(ports 8081)" 10.7.0.3/24)"
	must DEL portmap "$b" '' "$(conf "$n" portmap '"x":1')"
	must CHECK portmap "$b" c1 "$(chained "${n%n}m" portmap "$(ports 8080)" 10.7.0.3/24)"
	must DEL portmap "$b" '' "$(conf "${n%n}m" portmap '"x":1')"
	nothing_left
}

@test "a name of 20000 bytes that no link can have is refused" {
	local x
	x=$(long 20000 x)
	V=1.0.0 call ADD macvlan i1 c1 "$(conf n macvlan "\"master\":\"$x\"")"
	refused 999 'failed to|look up link'
	call ADD host-device i1 c1 "$(conf n host-device "\"device\":\"$x\"")"
	refused 999 'look up link'
	call ADD tap i1 c1 "$(conf n tap "\"bridge\":\"$x\"")"
	refused 999 'look up link'
}

@test "rules of a network whose name has every sign can be saved and loaded" {
	local n=A.b_c-9. p
	for p in portmap firewall; do
		must ADD $p Z.y_x-0 c1 "$(chained "$n" $p "$(ports 8080)" 10.7.0.2/24 fd00:7::2/64)"
	done
	in_world nft list ruleset >"$T/saved"
	in_world nft flush ruleset
	in_world nft -f - <"$T/saved"
	in_world nft list ruleset | diff "$T/saved" -
	for p in portmap firewall; do
		must CHECK $p Z.y_x-0 c1 "$(chained "$n" $p "$(ports 8080)" 10.7.0.2/24 fd00:7::2/64)"
		must DEL $p Z.y_x-0 '' "$(conf "$n" $p '"x":1')"
	done
	in_world sh -c '! nft list ruleset | grep -q "gantry\|CNI-FORWARD"'
}

@test "macvlan, ipvlan: a mode that is null is none, another type is refused" {
	local p
	for p in macvlan ipvlan; do
		call ADD $p i1 c1 "$(conf n $p "\"master\":\"none\",\"mode\":null,$(ipam '"subnet":"10.7.0.0/24"')")"
		refused 999 'failed to lookup master "none"'
		call ADD $p i1 c1 "$(conf n $p '"master":"none","mode":7')"
		refused 7 'mode: expected string'
	done
}

@test "sbr: repairing what is whole changes nothing" {
	real
	local c
	c=$(prev "$(conf n sbr '"x":1')")
	must ADD sbr i1 c1 "$c"
	inside c1 ip rule >"$T/before"
	inside c1 ip route show table 100 >>"$T/before"
	for _ in 1 2; do
		ARGS=Repair=1 must CHECK sbr i1 c1 "$c"
	done
	inside c1 ip rule >"$T/after"
	inside c1 ip route show table 100 >>"$T/after"
	diff "$T/before" "$T/after"
	# The rule is gone, its table is not, and the other way round.
	inside c1 ip rule del from 10.7.0.2
	ARGS=Repair=1 must CHECK sbr i1 c1 "$c"
	inside c1 ip rule | grep -q 'from 10.7.0.2 lookup 100'
}

@test "portmap: CHECK misses the rule of masqAll" {
	local c
	c=$(chained n portmap "\"masqAll\":true,$(ports 8080)" 10.7.0.2/24)
	must ADD portmap i1 c1 "$c"
	must CHECK portmap i1 c1 "$c"
	in_world sh -c 'h=$(nft -a list chain inet gantry-portmap-n postrouting | sed -n "s/.*@all4.*handle //p"); nft delete rule inet gantry-portmap-n postrouting handle $h'
	call CHECK portmap i1 c1 "$c"
	refused 999 'no rule "all4"'
	ARGS=Repair=1 must CHECK portmap i1 c1 "$c"
}

@test "portmap: thousands of ports in one call" {
	local c
	c=$(with "$(chained n portmap '"x":1' 10.7.0.2/24 fd00:7::2/64)" \
		'.runtimeConfig.portMappings=[range(1;3001)|{hostPort:.,containerPort:.,protocol:"tcp"}]')
	must ADD portmap i1 c1 "$c"
	must CHECK portmap i1 c1 "$c"
	must DEL portmap i1 '' "$c"
	nothing_left
}

@test "firewall: a bridge that a second network wants isolated is" {
	must ADD firewall i1 c1 "$(chained n firewall '"ingressPolicy":"same-bridge"' 10.7.0.2/24)"
	must ADD firewall i2 c1 "$(chained m firewall '"ingressPolicy":"isolated"' 10.7.0.3/24)"
	in_world nft list chain ip filter CNI-ISOLATION-STAGE-1 | grep -q 'iifname "br0" oifname "br0".*drop'
	must ADD firewall i3 c1 "$(chained m firewall '"ingressPolicy":"isolated"' 10.7.0.4/24)"
	[ "$(in_world nft list chain ip filter CNI-ISOLATION-STAGE-1 | grep -c br0)" = 2 ]
}

@test "firewall: CHECK misses a rule of the isolation, in either stage, and repairs it" {
	local c s
	c=$(chained n firewall '"ingressPolicy":"isolated"' 10.7.0.2/24)
	must ADD firewall i1 c1 "$c"
	in_world nft list chain ip filter CNI-ISOLATION-STAGE-1 | sed 's/packets.*bytes [0-9]*//' >"$T/before"
	for s in 1 2; do
		in_world nft flush chain ip filter CNI-ISOLATION-STAGE-$s
		call CHECK firewall i1 c1 "$c"
		refused 999 "a rule of the bridge is missing in chain CNI-ISOLATION-STAGE-$s"
		ARGS=Repair=1 must CHECK firewall i1 c1 "$c"
	done
	in_world nft list chain ip filter CNI-ISOLATION-STAGE-1 | sed 's/packets.*bytes [0-9]*//' | diff "$T/before" -
	must DEL firewall i1 '' "$(conf n firewall '"x":1')"
	! in_world nft list ruleset | grep ISOLATION
}

@test "firewall: DEL works where somebody else's rule leads to the chain" {
	must ADD firewall i1 c1 "$(chained n firewall '"x":1' 10.7.0.2/24)"
	in_world nft add chain ip filter MINE
	in_world nft add rule ip filter MINE jump CNI-FORWARD
	must DEL firewall i1 '' "$(conf n firewall '"x":1')"
	[ "$(rules 10.7.0.2)" = 0 ]
	must DEL firewall i1 '' "$(conf n firewall '"x":1')"
}

@test "host-device: what the container made of the alias is no reason to keep the link" {
	local alias
	for alias in "$(long 200)" a/b 'x%s'; do
		in_world ip link add dev0 type veth peer name peer0
		must ADD host-device i1 c1 "$(conf n host-device '"device":"dev0"')"
		inside c1 ip link set eth0 alias "$alias"
		must DEL host-device i1 c1 "$(conf n host-device '"device":"dev0"')"
		! inside c1 ip link show eth0
		in_world ip -o link show type veth | grep -q ': dev[0-9]*@peer0'
		in_world ip link del peer0
	done
}

@test "tuning: half a backup is none" {
	real
	local c
	c=$(prev "$(conf n tuning '"mtu":1400')")
	must ADD tuning i1 c1 "$c"
	for half in '{"mac":"02:00:00:00:00:01","mtu":"x"}' '{"mac":' '[]' ''; do
		printf %s "$half" | in_world sh -c 'cat >/run/cni/tuning/i1_eth0.json'
		must DEL tuning i1 c1 "$c"
		in_world test ! -e /run/cni/tuning/i1_eth0.json
	done
}

@test "bandwidth: numbers and types that are none" {
	real
	local x
	for x in '"runtimeConfig":{"bandwidth":7}' '"runtimeConfig":{"bandwidth":[]}' '"ingressRate":"8"' \
		'"ingressRate":1e30,"ingressBurst":8' '"egressRate":8,"egressBurst":34359738360' \
		'"egressRate":-8,"egressBurst":8' '"egressRate":8.5,"egressBurst":8'; do
		call ADD bandwidth i1 c1 "$(output='{"cniVersion":"1.0.0"}' prev "$(conf n bandwidth "$x")")"
		refused 7 .
	done
}

@test "results of every version, without interfaces, of one family" {
	local v p
	for v in 0.2.0 0.3.1 0.4.0 1.0.0 1.1.0; do
		for p in firewall portmap; do
			local r='{"ips":[{"version":"6","address":"fd00:7::2/64"}]}'
			# firewall is of 0.4.0
			case $p$v in firewall0.[23].*) continue ;; esac
			[ $v = 0.2.0 ] && r='{"ip6":{"ip":"fd00:7::2/64"}}'
			local c
			c=$(V=$v conf n $p "$(ports 8080),\"prevResult\":$(jq -c --arg v $v '.cniVersion=$v' <<<"$r")")
			must ADD $p i1 c1 "$c"
			[ "$(get .cniVersion)" = $v ]
			[ "$(get '.ip6.ip // .ips[0].address')" = fd00:7::2/64 ]
			case $v in 0.4.0 | 1.*) must CHECK $p i1 c1 "$c" ;; esac
			must DEL $p i1 '' "$c"
			must DEL $p i1 '' "$c"
		done
	done
	in_world sh -c '! nft list ruleset | grep -q "gantry\|CNI-FORWARD"'
}

@test "portmap: tables of our name that somebody else made" {
	local c
	c=$(chained n portmap "$(ports 8080)" 10.7.0.2/24)
	in_world nft add table inet gantry-portmap-n
	must ADD portmap i1 c1 "$c"
	must CHECK portmap i1 c1 "$c"
	must DEL portmap i1 '' "$c"
	nothing_left
	in_world nft 'table inet gantry-portmap-n { set any4 { type ipv4_addr; }; }'
	call ADD portmap i1 c1 "$c"
	refused 999 'nft: add '
	must DEL portmap i1 '' "$c"
	must ADD portmap i1 c1 "$c"
}

@test "twenty at once while the rules are flushed: what is left can be repaired and removed" {
	local i p
	for i in $(seq 20); do
		for p in portmap firewall; do
			chained n $p "$(ports $((8000 + i)))" "10.7.0.$((i + 10))/24" fd00:7::$i/64 >"$T/$p.$i"
		done
	done
	in_world sh -c 'cd "$1"; for i in $(seq 20); do for p in portmap firewall; do
		CNI_COMMAND=ADD CNI_CONTAINERID=i$i CNI_NETNS=/run/netns/c1 CNI_IFNAME=eth0 CNI_PATH=$2 $2/$p <$p.$i >$p.$i.out 2>&1 &
		done; [ $((i % 5)) = 0 ] && nft flush ruleset; done; wait' sh "$T" "$CNI_PLUGINS"
	grep -L '"ips"' "$T"/*.out | while read -r i; do cat "$i"; done
	grep -i 'sanitizer' "$T"/*.out && return 1
	for i in $(seq 20); do
		for p in portmap firewall; do
			ARGS=Repair=1 must CHECK $p i$i c1 "$(<"$T/$p.$i")"
		done
	done
	for i in $(seq 20); do
		for p in portmap firewall; do
			must DEL $p i$i '' "$(<"$T/$p.$i")"
		done
	done
	in_world sh -c '! nft list ruleset | grep -q "gantry\|CNI-FORWARD"'
}

@test "DEL and GC of what never was" {
	local p ns
	for p in portmap firewall bandwidth tuning sbr vrf host-device tap macvlan ipvlan vlan dummy static; do
		local c
		c=$(V=1.1.0 conf n $p '"vrfname":"v","device":"x","master":"x","vlanId":1,"ipam":{"type":"static"}')
		for ns in c1 '' /run/netns/gone; do
			must DEL $p i1 "$ns" "$c"
		done
		must GC $p '' '' "$(with "$c" '."cni.dev/valid-attachments"=[]')"
		must GC $p '' '' "$c"
	done
	nothing_left
}

@test "killed anywhere, DEL removes it" {
	local c n=0 p
	for p in portmap firewall; do
		c=$(chained n $p "$(ports 8080)" 10.7.0.2/24 fd00:7::2/64)
		for n in 0 1 2 3 4; do
			in_world env CNI_COMMAND=ADD CNI_CONTAINERID=i1 CNI_NETNS=/run/netns/c1 CNI_IFNAME=eth0 CNI_PATH=x \
				timeout -s KILL "0.00$n" "$CNI_PLUGINS/$p" <<<"$c" >/dev/null 2>&1 || :
			must DEL $p i1 '' "$c"
			in_world sh -c '! nft list ruleset | grep -q "gantry\|CNI-FORWARD"'
		done
	done
}

@test "bandwidth: GC knows the links of the longest names" {
	local n i c
	n=$(long 200 n) i=$(long 200 i)
	real
	c=$(prev "$(conf "$n" bandwidth '"egressRate":80000,"egressBurst":80000')")
	must ADD bandwidth "$i" c1 "$c"
	V=1.1.0 must GC bandwidth '' '' "$(V=1.1.0 conf "$n" bandwidth "\"cni.dev/valid-attachments\":[{\"containerID\":\"$i\",\"ifname\":\"eth0\"}]")"
	must CHECK bandwidth "$i" c1 "$c"
	V=1.1.0 must GC bandwidth '' '' "$(V=1.1.0 conf "${n%n}m" bandwidth '"cni.dev/valid-attachments":[]')"
	must CHECK bandwidth "$i" c1 "$c"
	V=1.1.0 must GC bandwidth '' '' "$(V=1.1.0 conf "$n" bandwidth '"cni.dev/valid-attachments":[]')"
	[ -z "$(in_world ip -o link show type ifb)" ]
}
