#!/usr/bin/env bats
# The plugins under libcni, which most CNI hosts are made of; alone, and in chains with Debian's, under
# names (ref-...) that only those have.

load ../lib/cni

CNITOOL=${PROBE%/*}/cnitool
have_cnitool() { [ -x "$CNITOOL" ]; }

setup() {
	cni_up
	need cnitool cni nft
	have_ours || skip "both kinds are here"
	outside
	in_world sh -c 'for p in /usr/lib/cni/*; do ln -s "$p" "/opt/cni/bin/ref-${p##*/}"; done'
	mkdir "$T/net.d"
	pod p1
}
teardown() { cni_down; }

CAPS='{"portMappings":[{"hostPort":8080,"containerPort":8080,"protocol":"tcp"}]}'

# cnitool COMMAND NETNS
cnitool() {
	in_world env CNI_PATH="$CNI_PLUGINS:/opt/cni/bin" NETCONFPATH="$T/net.d" CNI_CACHE=/run/cni-cache CAP_ARGS="${CAP:-}" \
		CNI_ARGS="${ARGS:-}" CNI_CONTAINERID="${ID:-c1}" "$CNITOOL" "$1" n "$2"
}

# chain VERSION PLUGIN...: the network "n" of these plugins
chain() {
	local version=$1 IFS=,
	shift
	printf '{"cniVersion":"%s","name":"n","plugins":[%s]}' "$version" "$*" >"$T/net.d/n.conflist"
}
# PREFIX: ref- or empty
leases() { printf '"ipam":{"type":"%shost-local","dataDir":"/run/leases","routes":[{"dst":"0.0.0.0/0"}],%s}' "$1" "$2"; }
V4='"ranges":[[{"subnet":"10.7.0.0/24"}]]'
DUAL='"ranges":[[{"subnet":"10.7.0.0/24"}],[{"subnet":"fd07::/64"}]]'
bridge() { printf '{"type":"%sbridge","bridge":"br0","isGateway":true,"ipMasq":true,"hairpinMode":true,%s}' "$1" "$(leases "${2-$1}" "${3-$V4}")"; }
ptp() { printf '{"type":"%sptp","ipMasq":true,%s}' "$1" "$(leases "${2-$1}" "${3-$V4}")"; }
portmap() { printf '{"type":"%sportmap","snat":true,"capabilities":{"portMappings":true}}' "$1"; }
firewall() { printf '{"type":"%sfirewall"}' "$1"; }
bandwidth() { printf '{"type":"%sbandwidth","ingressRate":80000000,"ingressBurst":8000000,"egressRate":80000000,"egressBurst":8000000}' "$1"; }
tuning() { printf '{"type":"%stuning","sysctl":{"net.ipv4.conf.eth0.arp_filter":"1"}}' "$1"; }

# What an attachment leaves: whatever has the address, a link, a lease, the library's own record.
traces() {
	in_world ip link del br0 2>/dev/null
	in_world nft list ruleset 2>/dev/null | grep -E '10\.7\.0\.[0-9]+([^./0-9]|$)|fd07::|dport 8080|gantry-'
	in_world ip -o link show type veth | grep -v 'up0@'
	in_world ip -o link show type ifb
	in_world ip route | grep -E '^10\.7\.0\.[0-9]+ '
	in_world find /run/leases /run/cni-cache -type f ! -name lock ! -name 'last_reserved*' 2>/dev/null
}
no_traces() { [ -z "$(traces)" ]; }
gone() { wait_for 60 no_traces || { echo "left: $(traces)"; return 1; }; }

# From outside to port 8080 of the host: prints the address that the container saw.
by_port() {
	inside p1 timeout 60 nc -n -v -l 8080 >"$T/heard" 2>"$T/log" </dev/null 3>&- &
	wait_for 60 inside p1 sh -c 'ss -Htln | grep -q :8080'
	echo word | inside out nc -n -N -w 30 192.0.2.1 8080
	wait $!
	grep -q '^word$' "$T/heard"
	sed -n 's/^Connection received on \([^ ]*\) .*/\1/p' "$T/log"
}

works() { # traffic into it by the port, out of it, and between it and the host
	[ "$(by_port)" = 192.0.2.2 ]
	pings p1 192.0.2.2
	in_world ping -q -n -c 1 -W 10 "$(jq -r '.ips[0].address | sub("/.*"; "")' "$T/result")" >/dev/null
}

@test "libcni: every plugin of a chain, both families: add, check, traffic, del twice" {
	local base
	for base in bridge ptp; do
		chain 1.0.0 "$($base '' '' "$DUAL")" "$(tuning '')" "$(firewall '')" "$(bandwidth '')" "$(portmap '')"
		CAP=$CAPS cnitool add /run/netns/p1 >"$T/result"
		jq -e '.cniVersion == "1.0.0" and ([.ips[].address] == ["10.7.0.2/24","fd07::2/64"])' "$T/result"
		CAP=$CAPS cnitool check /run/netns/p1
		works
		inside p1 ping -q -n -c 1 -W 10 fd07::1 >/dev/null
		CAP=$CAPS cnitool del /run/netns/p1
		CAP=$CAPS cnitool del /run/netns/p1
		gone
		in_world rm -rf /run/leases
	done
}

@test "libcni: every version that it speaks" {
	local v
	for v in 0.3.0 0.3.1 0.4.0 1.0.0; do
		chain "$v" "$(ptp '')" "$(bandwidth '')" "$(portmap '')"
		CAP=$CAPS cnitool add /run/netns/p1 >"$T/result"
		[ "$(jq -r .cniVersion "$T/result")" = "$v" ]
		works
		case $v in
		0.3.*) ! CAP=$CAPS cnitool check /run/netns/p1 2>/dev/null ;; # the library itself says no
		*) CAP=$CAPS cnitool check /run/netns/p1 ;;
		esac
		CAP=$CAPS cnitool del /run/netns/p1
		gone
	done
}

@test "libcni: del when the namespace is gone leaves nothing" {
	local base
	for base in bridge ptp; do
		chain 1.0.0 "$($base '' '' "$DUAL")" "$(tuning '')" "$(firewall '')" "$(bandwidth '')" "$(portmap '')"
		CAP=$CAPS cnitool add /run/netns/p1 >"$T/result"
		in_world ip netns del p1
		CAP=$CAPS cnitool del /run/netns/p1
		gone
		pod p1
	done
}

@test "libcni: errors reach its caller, and nothing stays after its del" {
	chain 1.0.0 "$(ptp '')" "$(portmap '')"
	CAP=$CAPS cnitool add /run/netns/p1 >/dev/null
	pod p2
	ID=c2 CAP=$CAPS run --separate-stderr cnitool add /run/netns/p2
	[ "$status" = 1 ]
	grep -q '8080/tcp: in use' <<<"$stderr"
	ID=c2 CAP=$CAPS cnitool del /run/netns/p2
	[ "$(by_port)" = 192.0.2.2 ]
	ARGS=IP=10.9.0.1 ID=c2 run --separate-stderr cnitool add /run/netns/p2
	[ "$status" = 1 ]
	grep -q '10\.9\.0\.1' <<<"$stderr"
	ID=c2 CAP=$CAPS cnitool del /run/netns/p2
	CAP=$CAPS cnitool del /run/netns/p1
	gone
}

@test "libcni: theirs first, then ours" {
	local base from
	for base in bridge ptp; do
		for from in ref- ''; do
			chain 1.0.0 "$($base ref- "$from")" "$(tuning '')" "$(firewall '')" "$(bandwidth '')" "$(portmap '')"
			CAP=$CAPS cnitool add /run/netns/p1 >"$T/result"
			works
			CAP=$CAPS cnitool check /run/netns/p1
			CAP=$CAPS cnitool del /run/netns/p1
			gone
		done
	done
}

@test "libcni: ours first, then theirs" {
	local base from
	for base in bridge ptp; do
		for from in ref- ''; do
			chain 1.0.0 "$($base '' "$from")" "$(tuning ref-)" "$(firewall ref-)" "$(bandwidth ref-)" "$(portmap ref-)"
			CAP=$CAPS cnitool add /run/netns/p1 >"$T/result"
			works
			CAP=$CAPS cnitool del /run/netns/p1
			gone
		done
	done
}

@test "libcni: one of ours between theirs, and the other way round" {
	chain 1.0.0 "$(bridge ref-)" "$(tuning ref-)" "$(firewall '')" "$(bandwidth ref-)" "$(portmap ref-)"
	CAP=$CAPS cnitool add /run/netns/p1 >"$T/result"
	works
	CAP=$CAPS cnitool del /run/netns/p1
	gone
	chain 1.0.0 "$(ptp '' ref- "$DUAL")" "$(tuning '')" "$(firewall ref-)" "$(bandwidth '')" "$(portmap '')"
	CAP=$CAPS cnitool add /run/netns/p1 >"$T/result"
	works
	CAP=$CAPS cnitool check /run/netns/p1
	CAP=$CAPS cnitool del /run/netns/p1
	gone
}
