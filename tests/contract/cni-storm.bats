#!/usr/bin/env bats
# Many at once, and killed half-way: the plugins whose rules and links all containers share.
# (bridge and ptp: cni-life.bats.)

load ../lib/cni

have_ifb() { unshare -n ip link add x type ifb 2>/dev/null; }
have_macvlan() { unshare -n sh -c 'ip link add p0 type veth peer name p1 && ip link add link p0 name x type macvlan mode bridge' 2>/dev/null; }

setup() {
	cni_up
	in_world ip link add up0 type veth peer name up1
	in_world ip link set up0 up
	in_world ip link set up1 up
}
teardown() { cni_down; }

RANGES='"ranges":[[{"subnet":"10.7.0.0/24"}],[{"subnet":"fd07::/64"}]]'
MANY=32

# A chain is a function chain_NAME N: its configurations, one a line, for the Nth container.
base() { conf n ptp "\"ipMasq\":true,$(ipam "$RANGES")"; }
portmap() {
	conf n portmap "\"capabilities\":{\"portMappings\":true},\"runtimeConfig\":{\"portMappings\":[
		{\"hostPort\":$((8000 + $1)),\"containerPort\":80,\"protocol\":\"tcp\"},
		{\"hostPort\":$((8000 + $1)),\"containerPort\":53,\"protocol\":\"udp\"}]}" | tr -d '\n'
}
chain_portmap() {
	base
	echo
	portmap "$1"
}
chain_firewall() {
	conf n bridge "\"bridge\":\"br0\",\"isDefaultGateway\":true,$(ipam "$RANGES")"
	echo
	conf n firewall '"ingressPolicy":"same-bridge"'
}
chain_bandwidth() {
	base
	echo
	conf n bandwidth '"ingressRate":8000000,"ingressBurst":800000,"egressRate":8000000,"egressBurst":800000'
}
chain_whole() {
	chain_firewall
	echo
	portmap "$1"
}
chain_macvlan() { conf n macvlan "\"master\":\"up0\",$(ipam "$RANGES")"; }

type_of() { jq -r .type <<<"$1"; }

# add NAME N: the whole chain; the result is in $T/result
add() {
	local c result=
	while IFS= read -r c; do
		[ -z "$result" ] || c=$(jq -c --argjson r "$result" '.prevResult = $r' <<<"$c")
		must ADD "$(type_of "$c")" "c$2" "p$2" "$c"
		result=$output
	done < <("chain_$1" "$2"; echo)
	printf '%s' "$result" >"$T/result"
}

# del NAME N: in reverse order, with the result where there is one
del() {
	local c result={}
	[ ! -s "$T/result" ] || result=$(cat "$T/result")
	while IFS= read -r c; do
		[ "$result" = {} ] || c=$(jq -c --argjson r "$result" '.prevResult = $r' <<<"$c")
		must DEL "$(type_of "$c")" "c$2" "p$2" "$c"
	done < <({ "chain_$1" "$2"; echo; } | tac)
}

# What stays of a host that never had one of these: the firewall's own empty chains, the master, the bridge.
left() {
	in_world ip -o link show type veth | grep -v ' up[01]@'
	in_world ip -o link show type ifb
	in_world nft list ruleset 2>/dev/null | grep -E '10\.7\.0\.|fd07:|gantry|CNI-(FORWARD|ISOLATION)|dport'
	in_world find /run/leases -type f ! -name lock ! -name 'last_*' 2>/dev/null
	in_world ip route | grep -E '^10\.7\.0\.[0-9]+ '
}
none_left() { [ -z "$(left)" ]; }
clean() { wait_for 60 none_left || { echo "left: $(left)"; return 1; }; }

# at_once COMMAND NAME: all of them; each in a directory of its own
at_once() {
	local i pids=
	for i in $(seq $MANY); do
		(T=$T/$i && mkdir -p "$T" && "$1" "$2" "$i") 3>&- &
		pids+=" $!"
	done
	for i in $pids; do wait "$i"; done
}

storm() { # NAME
	local i
	for i in $(seq $MANY); do pod "p$i"; done
	at_once add "$1"
	[ "$(jq -r '.ips[].address' "$T"/*/result | sort -u | wc -l)" = $((2 * MANY)) ]
	"has_all_$1"
	at_once check "$1"
	at_once del "$1"
	ours_only
	clean
}

check() {
	local c
	have_ours || return 0
	while IFS= read -r c; do
		must CHECK "$(type_of "$c")" "c$2" "p$2" \
			"$(jq -c --slurpfile r "$T/result" '.prevResult = $r[0]' <<<"$c")"
	done < <("chain_$1" "$2"; echo)
}

has_all_portmap() {
	local i
	have_ours || return 0
	in_world nft list ruleset >"$T/rules"
	for i in $(seq $MANY); do
		[ "$(grep -cE "tcp \. $((8000 + i)) |udp \. $((8000 + i)) " "$T/rules")" -ge 1 ]
	done
}
has_all_firewall() {
	# two rules of each family for each, the shared ones once
	have_ours || return 0
	[ "$(in_world nft list chain ip filter CNI-FORWARD | grep -c '10\.7\.0\.')" = $((2 * MANY)) ]
	[ "$(in_world nft list chain ip filter FORWARD | grep -c 'jump CNI-FORWARD')" = 1 ]
	[ "$(in_world nft list chain ip filter FORWARD | grep -c 'jump CNI-ISOLATION-STAGE-1')" = 1 ]
	[ "$(in_world nft list chain ip filter CNI-ISOLATION-STAGE-2 | grep -c drop)" = 1 ]
}
has_all_whole() {
	has_all_firewall
	has_all_portmap
}
has_all_bandwidth() {
	[ "$(in_world ip -o link show type ifb | wc -l)" = $MANY ]
	[ "$(in_world tc qdisc show | grep -c tbf)" = $((2 * MANY)) ]
}
has_all_macvlan() {
	local i
	for i in $(seq $MANY); do
		inside "p$i" ip -o -d link show eth0 | grep -q macvlan
	done
}

@test "storm: 32 portmaps at once, then 32 DELs" { storm portmap; }
@test "storm: 32 firewalls at once, then 32 DELs" { storm firewall; }
@test "storm: 32 containers of bridge, firewall and portmap at once, then 32 DELs" { storm whole; }
@test "storm: 32 bandwidths at once, then 32 DELs" {
	need ifb
	storm bandwidth
}
@test "storm: 32 macvlans at once, then 32 DELs" {
	need macvlan
	storm macvlan
}

@test "storm: some come while others go" {
	ours_only
	local i pids=
	for i in $(seq $MANY); do pod "p$i"; done
	MANY=16 at_once add portmap
	for i in $(seq 16); do
		(T=$T/$i && del portmap "$i") 3>&- &
		pids+=" $!"
		(T=$T/$((i + 16)) && mkdir "$T" && add portmap $((i + 16))) 3>&- &
		pids+=" $!"
	done
	for i in $pids; do wait "$i"; done
	for i in $(seq 17 32); do (T=$T/$i && check portmap "$i"); done
	for i in $(seq 17 32); do (T=$T/$i && del portmap "$i"); done
	clean
}

# killed NAME: the last plugin of the chain is killed at moments all over its work; DEL of the chain, then
# once more all of it
killed() {
	local c last delay result killed=0 whole=0
	pod p1
	for delay in 5 9 12 15 18 21 24 28 33 40 50 80; do
		result=
		while IFS= read -r c; do
			[ -z "$result" ] || c=$(jq -c --argjson r "$result" '.prevResult = $r' <<<"$c")
			last=$c
			[ "$(type_of "$c")" != "$1" ] || break
			must ADD "$(type_of "$c")" c1 p1 "$c"
			result=$output
		done < <("chain_$1" 1; echo)
		printf '%s' "$last" >"$T/conf"
		if in_world env CNI_COMMAND=ADD CNI_CONTAINERID=c1 CNI_NETNS=/run/netns/p1 CNI_IFNAME=eth0 \
			CNI_PATH="$CNI_PLUGINS" timeout -s KILL "$(printf '0.%04d' "$delay")" "$CNI_PLUGINS/$1" \
			<"$T/conf" >/dev/null 2>&1
		then
			whole=$((whole + 1))
		else
			killed=$((killed + 1))
		fi
		rm -f "$T/result"
		del "$1" 1
		clean
		add "$1" 1
		# the other half: DEL is killed, and called again
		"chain_$1" 1 | tail -n 1 >"$T/conf"
		in_world env CNI_COMMAND=DEL CNI_CONTAINERID=c1 CNI_NETNS=/run/netns/p1 CNI_IFNAME=eth0 \
			CNI_PATH="$CNI_PLUGINS" timeout -s KILL "$(printf '0.%04d' "$delay")" "$CNI_PLUGINS/$1" \
			<"$T/conf" >/dev/null 2>&1 || :
		del "$1" 1
		clean
	done
	echo "killed $killed, whole $whole"
	[ $killed -gt 0 ] # how many is a matter of the machine
}

@test "storm: portmap killed at any moment: DEL leaves nothing" {
	ours_only
	killed portmap
}
@test "storm: firewall killed at any moment: DEL leaves nothing" {
	ours_only
	killed firewall
}
@test "storm: bandwidth killed at any moment: DEL leaves nothing" {
	ours_only
	need ifb
	killed bandwidth
}
@test "storm: macvlan killed at any moment: DEL leaves nothing" {
	ours_only
	need macvlan
	killed macvlan
}
