# Pods of one network find each other by pod name and app name: the plugin dnsname in its list.

load ../lib/gantry

have_dnsmasq() { [ -x /usr/sbin/dnsmasq ]; }

setup_file() {
	need veth bridge dnsmasq
	suite_up
}
teardown_file() { suite_down; }
setup() {
	test_up
	cat >"$LOCAL/net.d/10-town.conflist" <<'END'
{"cniVersion":"1.1.0","name":"town","plugins":[
 {"type":"bridge","bridge":"town0","isGateway":true,
  "ipam":{"type":"host-local","dataDir":"/run/gantry/networks","subnet":"10.49.0.0/24"}},
 {"type":"dnsname","domainName":"town.example","capabilities":{"aliases":true}}]}
END
}
teardown() {
	in_world sh -c 'for f in /run/gantry-dnsname/*/pid; do [ ! -e "$f" ] || kill "$(cat "$f")"; done'
	test_down
}

# start NAME APP TEXT: a pod that says TEXT on port 80
start() {
	g run --detach --net=town --pod-name="$1" "$PROBE_ID" --name="$2" -- listen 80 "$3"
	assert_ok
	UUID=${lines[-1]}
}
finish() {
	g stop "$1"
	assert_ok
	wait_state "$1" exited
}
runs() { [ -e "/proc/$1" ] && ! grep -q '^State:.Z' "/proc/$1/status"; }

@test "dnsname: pods find each other by pod name, app name and with the domain" {
	local first second pid
	start north web hello
	first=$UUID
	start south db goodbye
	second=$UUID
	pid=$(in_world cat /run/gantry-dnsname/town/pid)
	g run --net=town "$PROBE_ID" --name=asks -- connect north 80 wait , connect web 80 wait , connect south 80 wait , \
		connect db.town.example 80 wait , connect asks 80 , connect nobody 80 , cat /etc/resolv.conf
	assert_ok
	assert_out 'connect north 80=ok hello' 'connect web 80=ok hello' 'connect south 80=ok goodbye' \
		'connect db.town.example 80=ok goodbye' 'connect asks 80=ECONNREFUSED' 'connect nobody 80=ENOENT'
	finish "$first"
	collect_all
	g run --net=town "$PROBE_ID" --name=asks -- connect south 80 wait , connect north 80
	assert_out 'connect south 80=ok goodbye' 'connect north 80=ENOENT'
	finish "$second"
	collect_all
	! runs "$pid" || fail "dnsmasq still runs"
	in_world test ! -e /run/gantry-dnsname
}

@test "dnsname: the name of a pod that was killed goes with gc, and so does the server" {
	local pid
	start north web hello
	pid=$(in_world cat /run/gantry-dnsname/town/pid)
	kill -KILL "$(monitor_of "$UUID")"
	wait_state "$UUID" exited
	collect_all
	! runs "$pid" || fail "dnsmasq still runs"
	in_world test ! -e /run/gantry-dnsname
}

@test "dnsname: where there is no dnsmasq the pod does not start, and net status says why" {
	in_world mount --bind /dev/null /usr/sbin/dnsmasq
	leak_snapshot
	g run --net=town "$PROBE_ID" -- id
	assert_refused 254 'failed to setup network "town": plugin dnsname: dnsmasq is not installed \(dnsmasq-base\)'
	g net status town
	assert_refused 254 'dnsmasq is not installed'
	g gc --grace-period=0s
	g gc --grace-period=0s
	in_world umount /usr/sbin/dnsmasq
	in_world ip link del town0
}
