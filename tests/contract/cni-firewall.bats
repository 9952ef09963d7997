#!/usr/bin/env bats
# firewall behind bridge: packets pass a host that drops what it forwards.  CNI_PLUGINS=/usr/lib/cni asks the
# reference plugins.

load ../lib/cni

have_iptables() { command -v iptables-nft >/dev/null && command -v ip6tables-nft >/dev/null; }

setup() {
	cni_up
	need iptables
	pod c1 c2 c3
	outside
}
teardown() { cni_down; }

V4='{"subnet":"10.7.0.0/24"}'
V6='{"subnet":"fd00:7::/64"}'
bridge() { conf n bridge "\"bridge\":\"${BRIDGE:-br0}\",\"isDefaultGateway\":true,\"ipMasq\":true,$(ipam "\"ranges\":[[$V4],[$V6]]")"; }
other() { conf m bridge "\"bridge\":\"br1\",\"isDefaultGateway\":true,$(ipam '"ranges":[[{"subnet":"10.8.0.0/24"}]]')"; }
drop() {
	in_world iptables-nft -P FORWARD DROP
	in_world ip6tables-nft -P FORWARD DROP
}
# attach ID NETNS [MEMBERS]
attach() {
	must ADD bridge "$1" "$2" "$("${BASE:-bridge}")"
	FIREWALL=$(prev "$(conf "$(get .name 2>/dev/null || echo n)" firewall "${3:-\"x\":1}")")
	FIREWALL=$(with "$FIREWALL" --arg n "${NET:-n}" '.name=$n')
	must ADD firewall "$1" "$2" "$FIREWALL"
}

@test "firewall: with policy DROP a container reaches the outside, both families" {
	drop
	must ADD bridge i2 c2 "$(bridge)"
	pings_not c2 192.0.2.2
	attach i1 c1
	pings c1 192.0.2.2
	pings c1 2001:db8::2
	pings_not c2 192.0.2.2
}

@test "firewall: the policy may come later, and nobody gets in unasked" {
	attach i1 c1
	drop
	pings c1 192.0.2.2
	inside out ip route add 10.7.0.0/24 via 192.0.2.1
	pings_not out 10.7.0.2
}

@test "firewall: iptables can still list its tables" {
	attach i1 c1
	in_world iptables-nft-save >"$T/save"
	in_world ip6tables-nft-save >>"$T/save"
	! grep -i incompatible "$T/save"
	grep -q -- '-A CNI-FORWARD -s 10.7.0.2/32 .*-j ACCEPT' "$T/save"
	grep -q -- '-A CNI-FORWARD -d 10.7.0.2/32 .*ESTABLISHED.* -j ACCEPT' "$T/save"
	grep -q -- '-A CNI-FORWARD .*-j CNI-ADMIN' "$T/save"
	in_world iptables-nft -A FORWARD -s 203.0.113.1 -j ACCEPT
}

@test "firewall: a mapped port passes policy DROP" {
	ours_only
	drop
	attach i1 c1
	local c
	c=$(conf n portmap '"runtimeConfig":{"portMappings":[{"hostPort":8080,"containerPort":80,"protocol":"tcp"}]}')
	c=$(jq -c --argjson p "$(jq -c .prevResult <<<"$FIREWALL")" '.prevResult=$p' <<<"$c")
	must ADD portmap i1 c1 "$c"
	inside c1 timeout 60 nc -4 -n -l -p 80 >"$T/said" </dev/null 3>&- &
	wait_for 60 inside c1 sh -c "ss -Htln | grep -q ':80 '"
	inside out nc -n -N -w 30 192.0.2.1 8080 <<<word
	wait $!
	grep -q word "$T/said"
}

@test "firewall: DEL takes its rules, without prevResult, the last one the chains" {
	ours_only
	attach i1 c1
	attach i2 c2
	must DEL firewall i1 '' "$(conf n firewall '"x":1')"
	in_world nft list ruleset | grep -q 'ip saddr 10.7.0.2 ' && fail 'a rule of i1 is there'
	in_world nft list ruleset | grep -q 'ip saddr 10.7.0.3 '
	must DEL firewall i2 c2 "$FIREWALL"
	must DEL firewall i2 c2 "$FIREWALL"
	! in_world nft list ruleset | grep -q CNI-FORWARD
}

@test "firewall: rules of the operator in CNI-ADMIN come first and stay" {
	drop
	attach i1 c1
	in_world iptables-nft -A CNI-ADMIN -d 192.0.2.2 -j DROP
	pings_not c1 192.0.2.2
	must DEL firewall i1 c1 "$FIREWALL"
	in_world iptables-nft -S CNI-ADMIN | grep -q 192.0.2.2
}

@test "firewall: CHECK is true both ways, and puts back what was flushed when asked" {
	ours_only
	drop
	attach i1 c1
	must CHECK firewall i1 c1 "$FIREWALL"
	in_world iptables-nft -F CNI-FORWARD
	call CHECK firewall i1 c1 "$FIREWALL"
	refused 999 'a rule of this container is missing'
	ARGS='Repair=1' must CHECK firewall i1 c1 "$FIREWALL"
	pings c1 192.0.2.2
	in_world iptables-nft -F FORWARD
	call CHECK firewall i1 c1 "$FIREWALL"
	refused 999 'the jump to CNI-FORWARD is missing'
	ARGS='Repair=1' must CHECK firewall i1 c1 "$FIREWALL"
	[ "$(in_world iptables-nft -S CNI-FORWARD | grep -c 10.7.0.2)" = 2 ]
	pings c1 192.0.2.2
	must CHECK firewall i1 c1 "$FIREWALL"
}

@test "firewall: same-bridge keeps bridges apart, isolated also neighbours" {
	attach i1 c1 '"ingressPolicy":"same-bridge"'
	must ADD bridge i2 c2 "$(bridge)"
	BASE=other NET=m attach i3 c3 '"ingressPolicy":"same-bridge"'
	pings c1 10.7.0.3
	pings c1 192.0.2.2
	pings_not c1 10.8.0.2
	pings_not c3 10.7.0.2
	ours_only
	must DEL firewall i1 c1 "$FIREWALL"
}

@test "firewall: firewalld's table gets the rules as well" {
	ours_only
	in_world nft -f - <<'END'
table inet firewalld {
	chain filter_FORWARD {
		type filter hook forward priority filter + 10; policy accept;
		ct state established,related accept
		reject with icmpx admin-prohibited
	}
}
END
	must ADD bridge i2 c2 "$(bridge)"
	pings_not c2 192.0.2.2
	attach i1 c1
	pings c1 192.0.2.2
	must CHECK firewall i1 c1 "$FIREWALL"
	must DEL firewall i1 c1 "$FIREWALL"
	[ "$(in_world nft -a list chain inet firewalld filter_FORWARD | grep -c handle)" = 3 ]
}

@test "firewall: GC removes what is not valid of this network" {
	ours_only
	attach i1 c1
	attach i2 c2
	BASE=other NET=m attach i3 c3
	V=1.1.0 must GC firewall '' '' "$(V=1.1.0 conf n firewall '"cni.dev/valid-attachments":[{"containerID":"i2","ifname":"eth0"}]')"
	! in_world iptables-nft -S CNI-FORWARD | grep 10.7.0.2
	in_world iptables-nft -S CNI-FORWARD | grep -q 10.7.0.3
	in_world iptables-nft -S CNI-FORWARD | grep -q 10.8.0.2
}

@test "firewall: wrong words are refused" {
	must ADD bridge i1 c1 "$(bridge)"
	local result=$output
	call ADD firewall i1 c1 "$(conf n firewall '"x":1')"
	[ "$status" = 1 ]
	ours_only
	output=$result
	call ADD firewall i1 c1 "$(prev "$(conf n firewall '"ingressPolicy":"none"')")"
	refused 7 'unsupported ingress policy: "none"'
	output=$result
	call ADD firewall i1 c1 "$(prev "$(conf n firewall '"backend":"firewalld","firewalldZone":"public"')")"
	refused 7 'only the zone trusted'
}

have_iptables_legacy() { command -v iptables-legacy >/dev/null && unshare -n iptables-legacy -S FORWARD >/dev/null 2>&1; }

@test "firewall: what iptables-legacy drops is told, with what helps" {
	need iptables_legacy
	ours_only
	local warning='warning: iptables-legacy drops what is forwarded \(table filter, chain FORWARD\)' rule n=0
	# never used, and used without harm
	attach i1 c1
	[ -z "$stderr" ]
	in_world test ! -s /proc/self/net/ip_tables_names || fail 'asking made a table'
	in_world iptables-legacy -A FORWARD -s 203.0.113.0/24 -j DROP
	must ADD firewall i1 c1 "$FIREWALL"
	[ -z "$stderr" ]
	for rule in '-P FORWARD DROP' '-A FORWARD -j DROP' '-A FORWARD -j REJECT'; do
		# shellcheck disable=SC2086
		in_world iptables-legacy $rule
		must ADD firewall i1 c1 "$FIREWALL"
		grep -qE "$warning" <<<"$stderr" || fail "not told: $rule"
		[ "$(wc -l <<<"$stderr")" = 1 ]
		pings_not c1 192.0.2.2
		in_world iptables-legacy -P FORWARD ACCEPT
		in_world iptables-legacy -F FORWARD
	done
	in_world iptables-legacy -P FORWARD DROP
	must ADD portmap i1 c1 "$(with "$FIREWALL" '.type="portmap" | .runtimeConfig={portMappings:[{hostPort:8080,containerPort:80,protocol:"tcp"}]}')"
	grep -qE "$warning" <<<"$stderr"
	# another's source does not help, the container's own does
	in_world iptables-legacy -I FORWARD -s 10.9.0.0/24 -j ACCEPT
	must ADD firewall i1 c1 "$FIREWALL"
	grep -qE -- "$warning.*iptables-legacy -I FORWARD -s 10\.7\.0\.2 -j ACCEPT" <<<"$stderr"
	in_world iptables-legacy -I FORWARD -s 10.7.0.0/24 -j ACCEPT
	in_world iptables-legacy -I FORWARD -d 10.7.0.0/24 -j ACCEPT
	must ADD firewall i1 c1 "$FIREWALL"
	[ -z "$stderr" ]
	pings c1 192.0.2.2
	in_world ip6tables-legacy -P FORWARD DROP
	must ADD firewall i1 c1 "$FIREWALL"
	grep -qE 'ip6tables-legacy drops .* -s fd00:7::2 -j ACCEPT' <<<"$stderr"
}
