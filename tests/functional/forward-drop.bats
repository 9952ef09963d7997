# A host that drops what it forwards, as Docker leaves it: the built-in networks work all the same.

load ../lib/gantry

have_iptables() { command -v iptables-nft >/dev/null; }

setup_file() {
	need veth nft iptables
	suite_up
	outside_up
	in_world sysctl -qw net.ipv6.conf.up0.disable_ipv6=1
}
teardown_file() { suite_down; }
setup() {
	test_up
	in_world iptables-nft -P FORWARD DROP
	in_world iptables-nft-save >"$T/before"
	make_aci "$T/web.aci" example.com/web '{"exec":["/probe"],"user":"0","group":"0",
		"ports":[{"name":"web","protocol":"tcp","port":80}]}' "$FIX/root"
}
teardown() {
	in_world nft delete table ip filter 2>/dev/null || :
	test_down
}

start() {
	g run --detach "$@"
	assert_ok
	UUID=${lines[-1]}
}
ends() {
	g stop "$UUID"
	assert_ok
	wait_state "$UUID" exited
	collect_all
}
rules() { in_world iptables-nft-save | grep -v '^#' | sed 's/\[[0-9:]*\]//'; }
# what listens outside, for one connection
answers() {
	in_world ip netns exec out "$PROBE" listen 7777 outside 1 >/dev/null 3>&- &
}

@test "forward: with policy DROP a pod reaches the outside and is reached by its ports" {
	answers
	g run --net=default "$T/web.aci" -- connect 192.0.2.2 7777 wait
	assert_ok
	assert_out 'connect 192.0.2.2 7777=ok outside'
	# what is there now is the operator's chain CNI-ADMIN, which stays
	leak_snapshot
	start --port=web:8080 "$T/web.aci" -- listen 80 hello 2
	rules >"$T/rules"
	grep -q -- '-P\|:FORWARD DROP' "$T/rules" || fail "$(cat "$T/rules")"
	grep -q -- '-A CNI-FORWARD -s 172.16.28' "$T/rules" || fail "$(cat "$T/rules")"
	in_world ip netns exec out "$PROBE" connect 192.0.2.1 8080 wait >"$T/out"
	assert_out 'connect 192.0.2.1 8080=ok hello'
	in_world "$PROBE" connect 127.0.0.1 8080 >"$T/out"
	assert_out 'connect 127.0.0.1 8080=ok hello'
	ends
	rules >"$T/rules"
	! grep -q '172.16.28\|CNI-FORWARD' "$T/rules" || fail "$(cat "$T/rules")"
	grep -q ':FORWARD DROP' "$T/rules" || fail "$(cat "$T/rules")"
	assert_no_leaks
}

@test "forward: the plan tells, and what was recorded is what DEL uses" {
	g run --dry-run --net=default-restricted,default "$T/web.aci" -- id
	assert_ok
	assert_match 'eth0: default \(ptp\+firewall, built in\)' 'eth1: default-restricted \(ptp\+firewall, built in\)'
	start --net=default "$T/web.aci" -- pause
	in_world nft delete table ip filter
	g run --dry-run --net=default "$T/web.aci" -- id
	assert_match 'eth0: default \(ptp, built in\)'
	ends
}

@test "forward: one that was killed leaves no rule behind gc" {
	start --net=default "$T/web.aci" -- pause
	kill -KILL "$(monitor_of "$UUID")"
	wait_state "$UUID" exited
	collect_all
	rules >"$T/rules"
	! grep -q '172.16.28' "$T/rules" || fail "$(cat "$T/rules")"
}

@test "forward: rules that somebody flushed come back by check --repair" {
	start --net=default "$T/web.aci" -- pause
	in_world iptables-nft -F CNI-FORWARD
	g net check "$UUID"
	assert_refused 254 'firewall'
	g net check --repair "$UUID"
	assert_ok
	rules >"$T/rules"
	grep -q -- '-A CNI-FORWARD -s 172.16.28' "$T/rules" || fail "$(cat "$T/rules")"
	ends
}

have_iptables_legacy() { command -v iptables-legacy >/dev/null && unshare -n iptables-legacy -S FORWARD >/dev/null 2>&1; }

@test "forward: what iptables-legacy drops is told, once, unless it lets some network through" {
	need iptables_legacy
	local warning='warning: iptables-legacy drops what is forwarded'
	g run --net=default "$T/web.aci" -- hostname
	assert_ok
	[[ $stderr != *iptables-legacy* ]] || fail "$stderr"
	in_world iptables-legacy -P FORWARD DROP
	g run --net=default "$T/web.aci" -- hostname
	assert_ok
	[ "$(grep -c "$warning" <<<"$stderr")" = 1 ] || fail "$stderr"
	g run --net=host "$T/web.aci" -- hostname
	assert_ok
	[[ $stderr != *iptables-legacy* ]] || fail "$stderr"
	in_world iptables-legacy -A FORWARD -s 172.16.28.0/24 -j ACCEPT
	in_world iptables-legacy -A FORWARD -d 172.16.28.0/24 -j ACCEPT
	answers
	g run --net=default "$T/web.aci" -- connect 192.0.2.2 7777 wait
	assert_ok
	assert_out 'connect 192.0.2.2 7777=ok outside'
	[[ $stderr != *iptables-legacy* ]] || fail "$stderr"
	in_world iptables-legacy -F FORWARD
	in_world iptables-legacy -P FORWARD ACCEPT
}
