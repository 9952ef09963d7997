# A network of many plugins, both families, with a port: whoever is killed when, gc leaves nothing of it.

load ../lib/gantry

CNI=$(readlink -f "${GANTRY%/bin/gantry}/libexec/gantry/cni")
PLUGINS='bridge tuning firewall bandwidth portmap'
have_ifb() { unshare -n ip link add x type ifb 2>/dev/null; }

setup_file() {
	need ns-flavor veth bridge nft ifb
	suite_up
	# plugins that are killed some time after their start, while /run/shoot says so
	local p
	for p in $PLUGINS; do
		in_world sh -c 'cat >"/opt/cni/bin/shot-$1"; chmod 755 "/opt/cni/bin/shot-$1"' sh "$p" <<-END
			#!/bin/sh
			grep -qx "\$CNI_COMMAND" /run/shoot 2>/dev/null || exec $CNI/$p
			random=\$(od -An -N2 -tu2 /dev/urandom)
			exec timeout -s KILL "0.0\$(printf %05d \$((random % 15000 + 1)))" $CNI/$p
		END
	done
}
teardown_file() { suite_down; }
setup() {
	test_up
	T=$T make_aci "$T/web.aci" example.com/web \
		'{"exec":["/probe"],"user":"0","group":"0","ports":[{"name":"web","protocol":"tcp","port":80}]}' "$FIX/root"
}
teardown() { test_down; }

# network PREFIX: the network "n" of all of them
network() {
	printf '{"cniVersion":"1.1.0","name":"n","plugins":[
		{"type":"%sbridge","bridge":"crash0","isGateway":true,"ipMasq":true,"ipam":{"type":"host-local","dataDir":"/run/leases",
		 "ranges":[[{"subnet":"10.88.40.0/24"}],[{"subnet":"fd88:40::/64"}]]}},
		{"type":"%stuning","mtu":1400,"sysctl":{"net.ipv4.conf.eth0.arp_filter":"1"}},
		{"type":"%sfirewall","ingressPolicy":"same-bridge"},
		{"type":"%sbandwidth","ingressRate":80000000,"ingressBurst":8000000,"egressRate":80000000,"egressBurst":8000000},
		{"type":"%sportmap","snat":true,"capabilities":{"portMappings":true}}]}' "$1" "$1" "$1" "$1" "$1" >"$LOCAL/net.d/10-n.conflist"
}

traces() {
	in_world nft list ruleset 2>/dev/null | grep -E '10\.88\.40\.|fd88:40:|dport 8080|gantry|crash0|CNI-ISOLATION'
	in_world ip -o link show type veth
	in_world ip -o link show type ifb
	in_world find /run/leases /run/gantry/netns /run/cni -type f ! -name lock ! -name 'last_reserved*' 2>/dev/null
	grep -o ' /run/gantry/netns/[^ ]*' "/proc/$WORLD/mountinfo"
	find "$DATA/pods" -path '*/net/*'
}
no_traces() { [ -z "$(traces)" ]; }

nothing_left() {
	local pod
	for pod in "$DATA"/pods/run/*-*; do
		[ ! -d "$pod" ] || wait_for 60 flock -n "$pod" true || fail "somebody still holds ${pod##*/}"
	done
	note_pods
	collect_all
	wait_for 60 no_traces || fail "left: $(traces)"
}

# a pod in the background, on the network
start() { g_bg pod run --net=n --port=web:8080 "$T/web.aci" -- pause; }

@test "net crash: the front is killed at any moment of the start" {
	local i
	network ''
	for i in $(seq 20); do
		start
		sleep "0.$(printf %03d $((RANDOM % 150)))"
		kill -KILL "$BG" 2>/dev/null || :
		wait "$BG" 2>/dev/null || :
		nothing_left
	done
	g run --net=n --port=web:8080 "$T/web.aci" -- out again
	assert_ok
	assert_out again
	nothing_left
}

@test "net crash: stop and gc are killed at any moment of the end" {
	local i
	network ''
	for i in $(seq 10); do
		g run --detach --net=n --port=web:8080 "$T/web.aci" -- pause
		assert_ok
		UUID=${lines[-1]}
		[ $((i % 2)) = 0 ] || kill -KILL "$(monitor_of "$UUID")"
		g_bg end stop "$UUID"
		sleep "0.$(printf %03d $((RANDOM % 60)))"
		kill -KILL "$BG" 2>/dev/null || :
		wait "$BG" 2>/dev/null || :
		g stop --force "$UUID" || :
		wait_state "$UUID" exited
		g_bg gc gc --grace-period=0s
		sleep "0.$(printf %03d $((RANDOM % 60)))"
		kill -KILL "$BG" 2>/dev/null || :
		wait "$BG" 2>/dev/null || :
		nothing_left
	done
}

@test "net crash: plugins are killed in ADD: the start fails, names one, and leaves nothing" {
	local i=0 failed=0
	network shot-
	while [ $i -lt 20 ] || { [ $failed = 0 ] && [ $i -lt 200 ]; }; do
		i=$((i + 1))
		in_world sh -c 'echo ADD >/run/shoot'
		g run --net=n --port=web:8080 "$T/web.aci" -- id
		if [ "$status" != 0 ]; then
			failed=$((failed + 1))
			assert_refused 254 'failed to setup network "n": plugin shot-(bridge|tuning|firewall|bandwidth|portmap): '
		fi
		nothing_left
	done
	[ $failed -gt 0 ]
}

@test "net crash: plugins are killed in DEL: the pod waits for a gc that is not disturbed" {
	local i=0 kept=0
	network shot-
	# twenty times, and as often as it takes to meet one: how soon is a matter of the machine
	while [ $i -lt 20 ] || { [ $kept = 0 ] && [ $i -lt 200 ]; }; do
		i=$((i + 1))
		in_world sh -c ': >/run/shoot'
		g run --detach --net=n --port=web:8080 "$T/web.aci" -- pause
		assert_ok
		UUID=${lines[-1]}
		in_world sh -c 'echo DEL >/run/shoot'
		g stop "$UUID"
		wait_state "$UUID" exited
		g gc --grace-period=0s
		in_world sh -c ': >/run/shoot'
		[ -z "$(find "$DATA/pods" -path '*/net/results/*')" ] || kept=$((kept + 1))
		nothing_left
	done
	[ $kept -gt 0 ]
}
