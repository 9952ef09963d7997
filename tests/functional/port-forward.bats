# Ports of the host that lead into a pod: real traffic.

load ../lib/gantry

setup_file() {
	need veth nft
	suite_up
	outside_up
}
teardown_file() { suite_down; }
setup() {
	test_up
	web web ',"ports":[{"name":"web","protocol":"tcp","port":80},{"name":"many","protocol":"tcp","port":7000,"count":3}]'
}
teardown() { test_down; }

# web NAME MORE: the probe as an image with ports
web() {
	T=$T make_aci "$T/$1.aci" "example.com/$1" "{\"exec\":[\"/probe\"],\"user\":\"0\",\"group\":\"0\"$2}" "$FIX/root"
}
# start FLAGS -- WORDS: a detached pod of the web image
start() {
	local flags=()
	while [ "$1" != -- ]; do flags+=("$1"); shift; done
	shift
	g run --detach "${flags[@]}" "$T/web.aci" -- "$@"
	assert_ok
	UUID=$output
}
from_out() { in_world ip netns exec out "$PROBE" connect "$@"; }
from_host() { in_world "$PROBE" connect "$@"; }

@test "port: from outside, from the host's address, and from 127.0.0.1" {
	start --port=web:8080 -- listen 80 hello 3
	from_out 192.0.2.1 8080 wait >"$T/out"
	assert_out 'connect 192.0.2.1 8080=ok hello'
	from_host 192.0.2.1 8080 >"$T/out"
	assert_out 'connect 192.0.2.1 8080=ok hello'
	from_host 127.0.0.1 8080 >"$T/out"
	assert_out 'connect 127.0.0.1 8080=ok hello'
}

@test "port: the given address of the host is the only one" {
	start --port=web:192.0.2.1:8080 -- listen 80 hello 2
	from_out 192.0.2.1 8080 wait >"$T/out"
	assert_out 'connect 192.0.2.1 8080=ok hello'
	from_host 127.0.0.1 8080 >"$T/out" || :
	! grep -q 'connect 127.0.0.1 8080=ok' "$T/out"
}

@test "port: a range" {
	start --port=many:9000 -- listen 7002 third 2
	from_out 192.0.2.1 9002 wait >"$T/out"
	assert_out 'connect 192.0.2.1 9002=ok third'
}

@test "port: two of one pod, from its manifest as well" {
	start --port=web:8080 --port=many:9000 -- listen 80 hello 2
	g cat-manifest "$UUID"
	assert_json '.ports | map({name, hostPort}) | sort_by(.name) == [{"name":"many","hostPort":9000},{"name":"web","hostPort":8080}]'
	cp "$T/out" "$T/pod.json"
	g stop "$UUID"
	assert_ok
	wait_state "$UUID" exited
	g run --detach --pod-manifest="$T/pod.json"
	assert_ok
	from_out 192.0.2.1 8080 wait >"$T/out"
	assert_out 'connect 192.0.2.1 8080=ok hello'
}

@test "port: goes with the pod, also one that was killed, and nothing is left" {
	leak_snapshot
	start --port=web:8080 -- listen 80 hello 1
	g stop --force "$UUID"
	wait_state "$UUID" exited
	start --port=web:8080 -- listen 80 hello 1
	from_out 192.0.2.1 8080 wait >"$T/out"
	assert_out 'connect 192.0.2.1 8080=ok hello'
	g stop "$UUID"
	wait_state "$UUID" exited
	collect_all
	assert_no_leaks
}

@test "port: one that is taken is an error that leaves nothing, and names it" {
	start --port=web:8080 -- listen 80 hello 1
	leak_snapshot
	g run --port=web:8080 "$T/web.aci" --name=other -- id
	assert_refused 254 'host port 8080/tcp: in use'
	g gc --grace-period=0s
	assert_no_leaks
}

@test "port: without a network there is nothing to forward to" {
	g run --net=none --port=web:8080 "$T/web.aci" -- id
	assert_refused 254 port
	g run --net=host --port=web:8080 "$T/web.aci" -- id
	assert_refused 254 port
}

@test "port: the first network that masquerades has them" {
	cat >"$LOCAL/net.d/10-plain.conf" <<'END'
{"cniVersion":"1.0.0","name":"plain","type":"ptp","ipam":{"type":"host-local","dataDir":"/run/gantry/networks","subnet":"10.44.0.0/24"}}
END
	start --net=plain,default --port=web:8080 -- listen 80 hello 3
	from_out 192.0.2.1 8080 wait >"$T/out"
	assert_out 'connect 192.0.2.1 8080=ok hello'
	in_world nft list ruleset >"$T/rules"
	grep -q 'gantry-portmap-default' "$T/rules" || fail "$(cat "$T/rules")"
}
