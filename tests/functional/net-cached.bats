# What a pod directory says of each attachment: libcni's cached results, which libcni can read.

load ../lib/gantry

CNITOOL=${PROBE%/*}/cnitool
have_cnitool() { [ -x "$CNITOOL" ]; }

setup_file() {
	need ns-flavor veth bridge nft
	suite_up
}
teardown_file() { suite_down; }
setup() {
	test_up
	cat >"$LOCAL/net.d/10-town.conflist" <<'END'
{"cniVersion":"1.0.0","name":"town","plugins":[
 {"type":"bridge","bridge":"town0","isGateway":true,
  "ipam":{"type":"host-local","dataDir":"/run/gantry/networks","ranges":[[{"subnet":"10.49.0.0/24"}],[{"subnet":"fd49::/64"}]]}},
 {"type":"firewall"}]}
END
	T=$T make_aci "$T/web.aci" example.com/web \
		'{"exec":["/probe"],"user":"0","group":"0","ports":[{"name":"web","protocol":"tcp","port":80}]}' "$FIX/root"
}
teardown() { test_down; }

results() { echo "$DATA/pods/run/$UUID/net/results"; }
file() { echo "$(results)/$1-$UUID-$2"; } # NETWORK IFNAME

start() {
	g run --detach --net="$1" --port=web:8080 "$T/web.aci" -- listen 80 hello 4
	assert_ok
	UUID=${lines[-1]}
}

@test "cached: every attachment has its file, in libcni's form" {
	start town:IP=10.49.0.77,default
	assert_equal "$(ls "$(results)")" "$(printf 'default-%s-eth1\ntown-%s-eth0' "$UUID" "$UUID")"
	assert_equal "$(stat -c %a "$(results)"/* "$(results)" | sort -u | tr '\n' ' ')" '600 700 '
	jq -e --arg id "$UUID" '.kind == "cniCacheV1" and .containerId == $id and .ifName == "eth0" and .networkName == "town"
		and .cniArgs == [["IP","10.49.0.77"]] and (.netns | startswith("/proc/"))
		and (has("capabilityArgs") | not)
		and .result.ips[0].address == "10.49.0.77/24" and .result.interfaces[2].sandbox == .netns
		and (.config | @base64d | fromjson | .name == "town" and [.plugins[].type] == ["bridge","firewall"])' \
		"$(file town eth0)" || fail "$(cat "$(file town eth0)")"
	# what was added to the network for this pod is in the list that DEL goes by
	jq -e '.capabilityArgs.portMappings == [{"hostPort":8080,"containerPort":80,"protocol":"tcp"}]
		and (has("cniArgs") | not)
		and (.config | @base64d | fromjson | .plugins[0].type == "ptp" and .plugins[-1].type == "portmap")' \
		"$(file default eth1)" || fail "$(cat "$(file default eth1)")"
	# another runtime's place stays empty
	in_world test ! -e /var/lib/cni
}

@test "cached: the file goes with the DEL that succeeded, and not before" {
	start default
	test -e "$(file default eth0)"
	in_world sh -c 'printf "#!/bin/sh\necho {\\\"code\\\":100,\\\"msg\\\":\\\"not now\\\"}; exit 1\n" >/opt/cni/bin/no; chmod 755 /opt/cni/bin/no'
	g net check "$UUID"
	assert_ok
	# the record leads DEL to another plugin: it fails, and the record stays
	jq -c '.config |= (@base64d | fromjson | .plugins += [{"type":"no"}] | tojson | @base64)' "$(file default eth0)" >"$T/record"
	cp "$T/record" "$(file default eth0)"
	g stop "$UUID"
	assert_ok
	wait_state "$UUID" exited
	test -e "$(file default eth0)" || test -e "$DATA/pods/exited-garbage/$UUID/net/results/default-$UUID-eth0" || fail "gone"
	in_world sh -c 'printf "#!/bin/sh\n" >/opt/cni/bin/no'
	collect_all
	[ -z "$(find "$DATA/pods" -path '*net*')" ] || fail "$(find "$DATA/pods" -path '*net*')"
}

@test "cached: check goes by the record, whatever became of the configuration" {
	start town
	rm "$LOCAL/net.d/10-town.conflist"
	g net check "$UUID"
	assert_ok
	in_world nft flush ruleset
	g net check "$UUID"
	assert_refused 254 'network "town" \(eth0\): plugin (firewall|portmap)'
	g net check --repair "$UUID"
	assert_ok
	g stop "$UUID"
	assert_ok
	wait_state "$UUID" exited
	[ -z "$(find "$DATA/pods" -path '*net/*')" ] || fail "$(find "$DATA/pods" -path '*net/*')"
	in_world ip link del town0
}

@test "cached: one that is damaged is named, and nothing is taken for done" {
	local record
	start town
	record=$(file town eth0)
	cp "$record" "$T/record"
	echo '{"kind":"cniCacheV1",' >"$record"
	g net check "$UUID"
	assert_refused 254 "net/results/town-$UUID-eth0: JSON: line 2"
	jq -c '.config = "e30"' "$T/record" >"$record"
	g net check "$UUID"
	assert_refused 254 "net/results/town-$UUID-eth0: config: missing, or not as it was written"
	cp "$T/record" "$record"
	g net check "$UUID"
	assert_ok
}

# libcni ARGS...: of this pod, with its directory as libcni's cache
libcni() {
	in_world env CNI_CACHE="$DATA/pods/run/$UUID/net" CNI_CONTAINERID="$UUID" NETCONFPATH="$LOCAL/net.d" CNI_ARGS="${ARGS:-}" \
		CNI_PATH="$(readlink -f "${GANTRY%/bin/gantry}/libexec/gantry/cni")" "$CNITOOL" "$@"
}

@test "cached: libcni reads it, CHECKs by it, and DELs by it" {
	need cnitool
	local netns
	start town:IP=10.49.0.77
	netns=$(jq -r .netns "$(file town eth0)")
	libcni cached town "$netns" >"$T/out"
	assert_json '.config.name == "town" and .result.ips[0].address == "10.49.0.77/24" and .args == [["IP","10.49.0.77"]]
		and .caps.portMappings[0].hostPort == 8080'
	libcni check town "$netns"
	# a list that libcni would not know by itself: portmap was put behind it
	printf '%s' "$(jq -r '.config | @base64d' "$(file town eth0)")" >"$LOCAL/net.d/10-town.conflist"
	ARGS=IP=10.49.0.77 libcni del town "$netns"
	[ ! -e "$(file town eth0)" ] || fail "still there"
	in_world test ! -e /run/gantry/networks/town/10.49.0.77
	! in_world nft list ruleset | grep -qE '10\.49\.0\.|8080' || fail "$(in_world nft list ruleset)"
	g stop "$UUID"
	assert_ok
	in_world ip link del town0
}
