# Networks of other directories than net.d: --net-dir.

load ../lib/gantry

setup_file() {
	need veth
	suite_up
}
teardown_file() { suite_down; }
setup() {
	test_up
	MORE=$T/cni
	mkdir "$MORE"
	net "$LOCAL/net.d/10-mine.conf" mine 10.44.0.0/24
	net "$MORE/05-theirs.conf" theirs 10.45.0.0/24
	net "$MORE/06-mine.conf" mine 10.46.0.0/24
}
teardown() { test_down; }

net() { # FILE NAME SUBNET
	printf '{"cniVersion":"1.0.0","name":"%s","type":"ptp","ipam":{"type":"host-local","dataDir":"/run/gantry/networks","subnet":"%s"}}' \
		"$2" "$3" >"$1"
}

@test "net-dir: its networks come after those of net.d, and who won is said" {
	g run --net=mine,theirs --net-dir="$MORE" "$PROBE_ID" -- addrs
	assert_ok
	assert_match 'addr eth0=10\.44\.' 'addr eth1=10\.45\.'
	assert_err "$MORE/06-mine.conf: not used, network \"mine\" is the one of $LOCAL/net.d/10-mine.conf"
}

@test "net-dir: without it there are no such networks, with all they are among them" {
	g run --net=theirs "$PROBE_ID" -- id
	assert_refused 254 'networks not found: "theirs"'
	g run --net=all --net-dir="$MORE" --dry-run "$PROBE_ID" -- id
	assert_ok
	assert_match 'eth0: mine ' 'eth1: theirs ' 'eth2: default '
}

@test "net-dir: more than one, relative, of run-prepared and restart as well" {
	mkdir "$T/third"
	net "$T/third/01-third.conf" third 10.47.0.0/24
	g prepare "$PROBE_ID" -- addrs
	assert_ok
	UUID=${lines[-1]}
	cd "$T"
	g run-prepared --net=third,theirs --net-dir=cni --net-dir=third "$UUID"
	assert_ok
	assert_match 'addr eth0=10\.45\.' 'addr eth1=10\.47\.'
	g restart --net=third --net-dir="$T/third" "$UUID"
	assert_ok
	assert_match 'addr eth0=10\.47\.'
}

@test "net-dir: one that is not there is refused, before there is a pod" {
	g run --net-dir="$T/none" "$PROBE_ID" -- id
	assert_refused 254 '--net-dir "[^"]*/none": No such file or directory'
	g list --no-legend
	assert_equal "$(cat "$T/out")" ''
	g net list --net-dir="$T/none"
	assert_refused 254 'networks of "[^"]*/none": No such file or directory'
}

@test "net-dir: net list, status and gc know it" {
	g net list --no-legend --net-dir="$MORE"
	assert_ok
	assert_match "^mine .*$LOCAL/net.d/10-mine.conf" "^theirs .*$MORE/05-theirs.conf" '^default .*built in'
	assert_err 'not used, network "mine"'
	g net status --net-dir="$MORE" theirs
	assert_ok
	assert_out $'theirs\tready'
	g net gc --net-dir="$MORE" theirs
	assert_ok
	g net status theirs
	assert_refused 254 'networks not found: "theirs"'
}
