#!/usr/bin/env bats
# Plugins of a whole chain, both families, killed at random moments of ADD and of DEL.  What stays is taken
# back by DEL, with the namespace or without, or by GC: nothing is left.

load ../lib/cni

have_ifb() { unshare -n ip link add x type ifb 2>/dev/null; }

ROUNDS=20

setup() {
	cni_up
	ours_only
	need ifb nft
	RANDOM=${GANTRY_TEST_SEED:-$$}
	echo "GANTRY_TEST_SEED=${GANTRY_TEST_SEED:-$$}"
	V=1.1.0
	CHAIN=("$(conf n bridge "\"bridge\":\"br0\",\"isGateway\":true,\"ipMasq\":true,\"macspoofchk\":true,$(ipam \
		'"ranges":[[{"subnet":"10.7.0.0/24"}],[{"subnet":"fd07::/64"}]],"routes":[{"dst":"0.0.0.0/0"},{"dst":"::/0"}]')")"
		"$(conf n tuning '"sysctl":{"net.ipv4.conf.eth0.arp_filter":"1"},"mtu":1400,"mac":"02:00:00:00:00:07"')"
		"$(conf n firewall '"ingressPolicy":"same-bridge"')"
		"$(conf n bandwidth '"ingressRate":8000000,"ingressBurst":800000,"egressRate":8000000,"egressBurst":800000')"
		"$(conf n portmap '"snat":true,"runtimeConfig":{"portMappings":[
			{"hostPort":8080,"containerPort":80,"protocol":"tcp"},{"hostPort":8080,"containerPort":53,"protocol":"udp"}]}' | tr -d '\n')")
}
teardown() { cni_down; }

type_of() { jq -r .type <<<"$1"; }

# The host of before: the bridge and the firewall's own empty chains may stay.
left() {
	in_world ip -o link show type veth
	in_world ip -o link show type ifb
	in_world nft list ruleset 2>/dev/null | grep -E '10\.7\.0\.|fd07:|gantry|CNI-(FORWARD|ISOLATION)|dport|veth'
	in_world find /run/leases /run/cni -type f ! -name lock ! -name 'last_*' 2>/dev/null
	in_world ip route | grep -E '^10\.7\.0\.[0-9]+ '
}
none_left() { [ -z "$(left)" ]; }

# shot COMMAND CONFIGURATION: killed some time after its start, or through before that
shot() {
	local micro=$((RANDOM % 12000))
	printf '%s' "$2" >"$T/conf"
	in_world env CNI_COMMAND="$1" CNI_CONTAINERID=c1 CNI_NETNS=/run/netns/p1 CNI_IFNAME=eth0 CNI_ARGS= CNI_PATH="$CNI_PLUGINS" \
		timeout -s KILL "$(printf '0.%06d' $((micro + 1)))" "$CNI_PLUGINS/$(type_of "$2")" <"$T/conf" >"$T/result" 2>/dev/null
}

add_all() {
	local c result=
	for c in "${CHAIN[@]}"; do
		[ -z "$result" ] || c=$(jq -c --argjson r "$result" '.prevResult = $r' <<<"$c")
		must ADD "$(type_of "$c")" c1 p1 "$c"
		result=$output
	done
	printf '%s' "$result" >"$T/final"
}

# add_until VICTIM: the chain's plugins before that one, and this one shot; whether it was hit
add_until() {
	local c result=
	for c in "${CHAIN[@]}"; do
		[ -z "$result" ] || c=$(jq -c --argjson r "$result" '.prevResult = $r' <<<"$c")
		if [ "$(type_of "$c")" = "$1" ]; then
			! shot ADD "$c"
			return
		fi
		must ADD "$(type_of "$c")" c1 p1 "$c"
		result=$output
	done
}

# del_until VICTIM: from the last one on
del_until() {
	local i c
	for ((i = ${#CHAIN[@]} - 1; i >= 0; i--)); do
		c=$(jq -c --slurpfile r "$T/final" '.prevResult = $r[0]' <<<"${CHAIN[i]}")
		if [ "$(type_of "$c")" = "$1" ]; then
			! shot DEL "$c"
			return
		fi
		must DEL "$(type_of "$c")" c1 p1 "$c"
	done
}

# As a runtime does after whatever happened, HOW: with the namespace, without it, or by GC alone when it is gone.
recover() {
	local i c
	[ "$1" = there ] || in_world ip netns del p1
	for ((i = ${#CHAIN[@]} - 1; i >= 0; i--)); do
		c=${CHAIN[i]}
		case $1 in
		there) must DEL "$(type_of "$c")" c1 p1 "$c" ;;
		gone) must DEL "$(type_of "$c")" c1 '' "$c" ;;
		esac
	done
	for c in "${CHAIN[@]}"; do
		[ "$1" != gc ] || must GC "$(type_of "$c")" '' '' "$(with "$c" '."cni.dev/valid-attachments" = []')"
	done
	wait_for 60 none_left || { echo "$1, left: $(left)"; return 1; }
	[ "$1" != there ] || in_world ip netns del p1
}

rounds() { # VICTIM
	local round ways=(there gone gc) hit=0
	for ((round = 0; round < ROUNDS; round++)); do
		pod p1
		if [ $((round % 2)) = 0 ]; then
			! add_until "$1" || hit=$((hit + 1))
		else
			add_all
			! del_until "$1" || hit=$((hit + 1))
		fi
		recover "${ways[round % 3]}"
	done
	echo "$1: hit $hit times"
	[ $hit -gt 0 ] # how many is a matter of the machine
}

@test "killed: bridge, at any moment of the chain's ADD and DEL" { rounds bridge; }
@test "killed: tuning" { rounds tuning; }
@test "killed: firewall" { rounds firewall; }
@test "killed: bandwidth" { rounds bandwidth; }
@test "killed: portmap" { rounds portmap; }
