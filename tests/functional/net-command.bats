# gantry net: the networks of the host, and whether those of pods are as they should be.

load ../lib/gantry

setup_file() {
	need veth nft
	suite_up
}
teardown_file() { suite_down; }
setup() { test_up; }
teardown() { test_down; }

web() {
	make_aci "$T/web.aci" example.com/web '{"exec":["/probe"],"user":"0","group":"0","ports":[{"name":"web","protocol":"tcp","port":80}]}' "$FIX/root"
}

@test "net: list shows what pods can join, and where it comes from" {
	echo '{"cniVersion":"1.0.0","name":"mine","type":"bridge","bridge":"br9","ipam":{}}' >"$LOCAL/net.d/10-mine.conf"
	g net list
	assert_ok
	assert_match '^NAME ' "^mine +bridge +1\.0\.0 +$LOCAL/net.d/10-mine.conf$" '^default +ptp +1\.1\.0 +built in$' '^default-restricted '
	g net list --no-legend
	assert_match '^mine '
	g net list --format=json
	assert_json 'map(.name) == ["mine","default","default-restricted"]'
	assert_json '.[0].plugins[0].bridge == "br9"'
	g net list --format=xml
	assert_refused 254 '--format "xml"'
	g net list mine
	assert_refused 254 'unexpected argument'
}

@test "net: a broken file is named" {
	echo '{"name":' >"$LOCAL/net.d/10-broken.conf"
	g net list
	assert_refused 254 10-broken.conf
}

@test "net: status asks the plugins" {
	g net status
	assert_ok
	assert_match '^default	ready$'
	echo '{"cniVersion":"1.1.0","name":"full","type":"ptp","ipam":{"type":"host-local","dataDir":"/run/full","ranges":[[{"subnet":"10.60.0.0/24","rangeStart":"10.60.0.5","rangeEnd":"10.60.0.5"}]]}}' >"$LOCAL/net.d/10-full.conf"
	NET=full start_pod "$PROBE_ID" -- pause
	g net status full
	assert_refused 254 'no IP addresses available'
	assert_match '^full	not ready$'
	g net status nothing
	assert_refused 254 'networks not found: "nothing"'
}

@test "net: check finds what is gone, repair puts it back" {
	web
	g run --detach --port=web:8080 "$T/web.aci" -- listen 80 hello 2
	assert_ok
	UUID=$output
	g net check
	assert_ok
	g net check "$UUID"
	assert_ok
	in_world nft flush ruleset
	g net check
	assert_refused 254 'network "default" \(eth0\): plugin ptp: masquerading of 172\.16\.28\.[0-9]+/24 is missing'
	g net check --repair "${UUID:0:8}"
	assert_ok
	g net check
	assert_ok
	in_world "$PROBE" connect 127.0.0.1 8080 wait >"$T/out"
	grep -q 'connect 127.0.0.1 8080=ok hello' "$T/out"
}

@test "net: check of pods that do not run, and without networks" {
	g run --net=none --uuid-file-save="$T/uuid" "$PROBE_ID" -- id
	assert_ok
	g net check "$(cat "$T/uuid")"
	assert_refused 254 "isn't currently running"
	g net check 00000000
	assert_refused 254 'no matches found for "00000000"'
	start_pod "$PROBE_ID" -- pause
	g net check
	assert_ok
}

@test "net: gc releases what no pod has" {
	NET=default start_pod "$PROBE_ID" -- pause
	# what a runtime of before left: a lease and a rule of a pod that nobody knows
	in_world sh -c 'printf "11111111-2222-3333-4444-555555555555\r\neth0" >/run/gantry/networks/default/172.16.28.200'
	g net gc default
	assert_ok
	in_world test ! -e /run/gantry/networks/default/172.16.28.200
	[ "$(in_world sh -c 'ls /run/gantry/networks/default/172.16.28.*' | wc -l)" = 1 ]
	g net check
	assert_ok
	# a pod of another data directory is left alone
	mkdir "$T/other"
	DATA=$T/other g net gc
	assert_ok
	g net check
	assert_ok
}

@test "net: without a command it says what there is" {
	g net
	assert_refused 2 'missing command'
}
