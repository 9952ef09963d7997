#!/usr/bin/env bats
# Networks of plugins that are not gantry's own: Debian's, under names that only they have, alone and
# in chains with ours; and that they leave nothing when the whole pod is killed.

load ../lib/gantry

setup_file() {
	need ns-flavor cni veth bridge nft
	suite_up
	# on the path after ours, where nothing of ours has the name
	in_world sh -c 'for p in /usr/lib/cni/*; do ln -s "$p" "/opt/cni/bin/ref-${p##*/}"; done'
	outside_up
}
teardown_file() { suite_down; }
setup() {
	test_up
	T=$T make_aci "$T/web.aci" example.com/web \
		'{"exec":["/probe"],"user":"0","group":"0","ports":[{"name":"web","protocol":"tcp","port":80}]}' "$FIX/root"
}
teardown() { test_down; }

# chain PLUGIN...: the network "n" of these plugins
chain() {
	local IFS=,
	printf '{"cniVersion":"1.0.0","name":"n","plugins":[%s]}' "$*" >"$LOCAL/net.d/10-n.conflist"
}
# PREFIX: ref- or empty
ipam() { printf '"ipam":{"type":"%shost-local","dataDir":"/run/leases","subnet":"10.88.30.0/24","routes":[{"dst":"0.0.0.0/0"}]}' "$1"; }
bridge() { printf '{"type":"%sbridge","bridge":"gref0","isGateway":true,"ipMasq":true,%s}' "$1" "$(ipam "${2-$1}")"; }
ptp() { printf '{"type":"%sptp","ipMasq":true,%s}' "$1" "$(ipam "${2-$1}")"; }
portmap() { printf '{"type":"%sportmap","snat":true,"capabilities":{"portMappings":true}}' "$1"; }
firewall() { printf '{"type":"%sfirewall"}' "$1"; }
bandwidth() { printf '{"type":"%sbandwidth","ingressRate":80000000,"ingressBurst":8000000,"egressRate":80000000,"egressBurst":8000000}' "$1"; }
tuning() { printf '{"type":"%stuning","sysctl":{"net.ipv4.conf.eth0.arp_filter":"1"}}' "$1"; }

start() { # a detached pod on the network n, with port 8080 led to a word
	g run --detach --net=n --port=web:8080 "$T/web.aci" -- listen 80 hello 4
	assert_ok
	UUID=${lines[-1]}
}

from_outside() {
	in_world ip netns exec out "$PROBE" connect 192.0.2.1 8080 wait >"$T/out"
	assert_out 'connect 192.0.2.1 8080=ok hello'
}

pods_pid() { pod_pid "$UUID"; }
in_pod() { nsenter -t "$(pods_pid)" -n "$@"; }

# What an attachment leaves: everything that has the address, a link to a container, a lease, a mount.
traces() {
	in_world nft list ruleset 2>/dev/null | grep -E '10\.88\.30\.[0-9]+([^./0-9]|$)'
	in_world nft list ruleset 2>/dev/null | grep -E 'dport 8080|gantry-'
	in_world ip -o link show type veth | grep -v 'up0@'
	in_world ip -o link show type ifb
	in_world ip route | grep -E '^10\.88\.30\.[0-9]+ '
	in_world find /run/leases /run/gantry/netns -type f ! -name lock ! -name 'last_reserved*' 2>/dev/null
	grep -o ' /run/gantry/netns/[^ ]*' "/proc/$WORLD/mountinfo"
}
no_traces() { [ -z "$(traces)" ]; }
nothing_left() {
	wait_for 60 no_traces || fail "left: $(traces)"
	in_world ip link del gref0 2>/dev/null || :
}

ends_well() {
	g stop "$UUID"
	assert_ok
	wait_state "$UUID" exited
	collect_all
	nothing_left
}

@test "foreign: bridge, tuning, firewall, bandwidth and portmap of others" {
	chain "$(bridge ref-)" "$(tuning ref-)" "$(firewall ref-)" "$(bandwidth ref-)" "$(portmap ref-)"
	start
	from_outside
	assert_equal "$(in_pod cat /proc/sys/net/ipv4/conf/eth0/arp_filter)" 1
	in_world nft list ruleset | grep -q 'CNI-FORWARD' || fail 'no rules of the firewall'
	in_world tc qdisc show | grep -q 'tbf' || fail 'no limit'
	g status "$UUID"
	assert_match '^networks=n:ip4=10\.88\.30\.'
	ends_well
}

@test "foreign: ptp of others, with its leases and with ours" {
	local from
	for from in ref- ''; do
		chain "$(ptp ref- "$from")" "$(portmap ref-)"
		start
		from_outside
		ends_well
	done
}

@test "foreign: ours first, then theirs" {
	local base
	for base in bridge ptp; do
		chain "$($base '')" "$(tuning ref-)" "$(firewall ref-)" "$(bandwidth ref-)" "$(portmap ref-)"
		start
		from_outside
		ends_well
	done
}

@test "foreign: theirs first, then ours" {
	local base
	for base in bridge ptp; do
		chain "$($base ref-)" "$(tuning '')" "$(firewall '')" "$(bandwidth '')" "$(portmap '')"
		start
		from_outside
		ends_well
	done
}

@test "foreign: leases of theirs under our bridge" {
	chain "$(bridge '' ref-)" "$(portmap '')"
	start
	from_outside
	in_world find /run/leases -name '10.88.30.*' | grep -q . || fail 'no lease'
	ends_well
}

@test "foreign: our ptp, whose port mappings only they have" {
	chain "$(ptp '')" "$(portmap ref-)"
	start
	from_outside
	ends_well
}

@test "foreign: two pods, and one goes" {
	chain "$(bridge ref-)" "$(firewall '')"
	NET=n start_pod "$PROBE_ID" -- listen 80 hello 2
	local first=$UUID ip
	NET=n start_pod "$PROBE_ID" -- listen 80 hello 2
	ip=$(gantry status "$UUID" | sed -n 's/^networks=.*ip4=\([0-9.]*\).*/\1/p')
	g stop "$first"
	assert_ok
	wait_state "$first" exited
	collect_all
	in_world "$PROBE" connect "$ip" 80 wait >"$T/out"
	assert_out "connect $ip 80=ok hello"
	ends_well
}

@test "foreign: a network of ours only has no mount on the host, one with theirs has until it ends" {
	chain "$(ptp '')"
	NET=n start_pod "$PROBE_ID" -- pause
	! grep -q /run/gantry/netns "/proc/$WORLD/mountinfo" || fail 'a mount'
	ends_well
	chain "$(ptp '' ref-)"
	NET=n start_pod "$PROBE_ID" -- pause
	assert_equal "$(in_world stat -L -c 'net:[%i]' "/run/gantry/netns/$UUID.0")" \
		"$(readlink "/proc/$(pods_pid)/ns/net")"
	ends_well
}

# killed FIRST SECOND: kill -9 of the pod's two processes that could clean up, in that order; stopped before, so
# that the second does not come to it while we are on our way.
killed() {
	kill -STOP "$1" "$2"
	kill -KILL "$1" "$2" 2>/dev/null || :
	wait_state "$UUID" exited
	traces >"$T/traces" || :
	grep -q '10\.88\.30\.' "$T/traces" || fail "gone before gc: $(cat "$T/traces")"
	collect_all
	nothing_left
}

@test "foreign: the whole pod is killed: gc leaves nothing of theirs" {
	local base
	for base in bridge ptp; do
		chain "$($base ref-)" "$(firewall ref-)" "$(bandwidth ref-)" "$(portmap ref-)"
		start
		killed "$(monitor_of "$UUID")" "$(pods_pid)"
		start
		killed "$(pods_pid)" "$(monitor_of "$UUID")"
	done
}

@test "foreign: the whole pod is killed: gc leaves nothing of a mixed chain" {
	chain "$(ptp ref- '')" "$(firewall '')" "$(portmap '')"
	start
	killed "$(monitor_of "$UUID")" "$(pods_pid)"
	chain "$(bridge '')" "$(firewall ref-)" "$(portmap ref-)"
	start
	killed "$(monitor_of "$UUID")" "$(pods_pid)"
}

@test "foreign: killed while a plugin hangs: gc takes the mount back" {
	in_world sh -c 'cat >/opt/cni/bin/hangs; chmod 755 /opt/cni/bin/hangs' <<-'END'
		#!/bin/sh
		case $CNI_COMMAND in
		ADD) : >/run/hangs; exec sleep 1000 ;;
		esac
	END
	in_world rm -f /run/hangs
	chain "$(ptp ref-)" '{"type":"hangs"}'
	g_bg pod run --net=n "$PROBE_ID" -- pause
	wait_for 60 in_world test -e /run/hangs
	kill -KILL "$BG"
	wait "$BG" 2>/dev/null || :
	note_pods
	UUID=$(known_pods)
	in_world test -e "/run/gantry/netns/$UUID.0" || fail 'no mount'
	wait_state "$UUID" exited
	collect_all
	# the sleeping plugin is the test's own to end, if nobody did
	local pid
	for pid in $(world_processes | awk '/sleep 1000/ {print $1}'); do
		kill -KILL "$pid"
	done
	nothing_left
}

@test "foreign: a DEL of theirs that fails keeps the namespace for the next" {
	in_world sh -c 'cat >/opt/cni/bin/refuses; chmod 755 /opt/cni/bin/refuses' <<-'END'
		#!/bin/sh
		[ "$CNI_COMMAND" = ADD ] && exec jq .prevResult
		[ ! -e /run/refuse ] || { echo '{"code":100,"msg":"not now"}'; exit 1; }
	END
	chain "$(ptp ref-)" '{"type":"refuses"}'
	in_world touch /run/refuse
	NET=n start_pod "$PROBE_ID" -- pause
	kill -KILL "$(monitor_of "$UUID")"
	wait_state "$UUID" exited
	g gc --grace-period=0s
	g gc --grace-period=0s
	in_world test -e "/run/gantry/netns/$UUID.0" || fail 'the namespace went before its rules'
	in_world rm /run/refuse
	collect_all
	nothing_left
}
