#!/usr/bin/env bats
# The protocol of CNI plugins: commands, versions, errors, names, results.  CNI_PLUGINS=/usr/lib/cni asks
# the reference plugins.

load ../lib/cni

setup() { cni_up; }
teardown() { cni_down; }

RANGE='"ranges":[[{"subnet":"10.7.0.0/24"}]]'

@test "VERSION lists every version of the specification" {
	for plugin in bridge ptp loopback host-local; do
		must VERSION $plugin '' '' '{"cniVersion":"0.4.0"}'
		if have_ours; then
			[ "$(get .cniVersion)" = 0.4.0 ]
			[ "$(get '.supportedVersions|join(" ")')" = "0.1.0 0.2.0 0.3.0 0.3.1 0.4.0 1.0.0 1.1.0" ]
		fi
		[[ "$(get '.supportedVersions|join(" ")')" == *"0.3.1 0.4.0 1.0.0"* ]]
	done
}

@test "VERSION answers whatever stands on standard input" {
	ours_only
	call VERSION bridge '' '' ''
	[ "$status" = 0 ]
	call VERSION bridge '' '' '{"cniVersion":"9.9.9"}'
	[ "$status" = 0 ] && [ "$(get .cniVersion)" = 1.1.0 ]
}

@test "without a command a plugin says what it is" {
	run --separate-stderr in_world env -u CNI_COMMAND "$CNI_PLUGINS/bridge" </dev/null
	[ "$status" = 0 ] && [ -z "$output" ]
	[[ "$stderr" == *"versions supported: "*"1.0.0"* ]]
}

@test "missing and wrong variables have code 4" {
	run in_world env CNI_COMMAND=ADD "$CNI_PLUGINS/bridge" <<<'{}'
	refused 4 'CNI_CONTAINERID.*CNI_NETNS.*CNI_IFNAME.*CNI_PATH'
	call FOO bridge c1 p1 "$(conf n bridge "$(ipam "$RANGE")")"
	refused 4 'unknown CNI_COMMAND: "?FOO"?'
	call ADD bridge ../x p1 "$(conf n bridge "$(ipam "$RANGE")")"
	refused 4 .
	IF=a/b call ADD bridge c1 p1 "$(conf n bridge "$(ipam "$RANGE")")"
	refused 4 .
}

@test "a configuration that cannot be read has code 6, a bad name code 7, a foreign version code 1" {
	call ADD bridge c1 p1 'x'
	refused 6 .
	call ADD bridge c1 p1 '{"cniVersion":"1.0.0","type":"bridge"}'
	refused 7 'missing network name'
	call ADD bridge c1 p1 "$(conf ../n bridge "$(ipam "$RANGE")")"
	refused 7 .
	V=7.0.0 call ADD bridge c1 p1 "$(V=7.0.0 conf n bridge "$(ipam "$RANGE")")"
	refused 1 'incompatible CNI versions'
	V=0.3.1 call CHECK bridge c1 p1 "$(V=0.3.1 conf n bridge "$(ipam "$RANGE")")"
	refused 1 'does not allow CHECK'
}

@test "GC and STATUS are of version 1.1.0" {
	ours_only
	for command in GC STATUS; do
		call $command bridge '' '' "$(conf n bridge "$(ipam "$RANGE")")"
		refused 1 "does not allow $command"
	done
}

@test "errors are one JSON object with the version of the configuration" {
	ours_only
	V=0.4.0 call ADD bridge c1 nowhere "$(V=0.4.0 conf n bridge "$(ipam "$RANGE")")"
	refused 8 'failed to open netns "/run/netns/nowhere": No such file'
	[ "$(get .cniVersion)" = 0.4.0 ]
	[ -z "$stderr" ]
}

@test "an IPAM type never leaves CNI_PATH" {
	ours_only
	pod p1
	in_world sh -c 'mkdir -p /opt/x && printf "#!/bin/sh\ntouch /run/pwned\n" >/opt/x/evil && chmod +x /opt/x/evil'
	for type in ../x/evil /opt/x/evil .. x/evil; do
		CNI_DIRS=/opt/cni/bin call ADD bridge c1 p1 "$(conf n bridge "\"ipam\":{\"type\":\"$type\"}")"
		refused 7 'not a plugin.s name'
	done
	in_world test ! -e /run/pwned
	nothing_left
}

@test "the plugin's own namespace is refused" {
	ours_only
	for command in ADD DEL CHECK; do
		call $command bridge c1 /proc/self/ns/net "$(conf n bridge "$(ipam "$RANGE")" | jq -c '.prevResult={}')"
		refused 8 'should not be the same'
		call $command loopback c1 /proc/self/ns/net "$(conf n loopback '"x":1')"
		refused 8 'should not be the same'
	done
	in_world ip -o link show lo | grep -q 'LOOPBACK,UP'
	call ADD bridge c1 /dev/null "$(conf n bridge "$(ipam "$RANGE")")"
	refused 8 'not a network namespace'
}

@test "results have the form of their version" {
	local v shape
	for v in 0.2.0 0.3.1 0.4.0 1.0.0; do
		pod "p$v"
		V=$v must ADD ptp "c$v" "p$v" "$(V=$v conf n ptp "$(ipam "$RANGE")")"
		[ "$(get .cniVersion)" = $v ]
		case $v in
		0.2.0) shape='.ip4.ip != null and .ips == null and .interfaces == null' ;;
		0.*) shape='.ips[0].version == "4" and .ips[0].interface == 1 and .interfaces[1].sandbox != null' ;;
		*) shape='(.ips[0]|has("version")|not) and .ips[0].gateway == "10.7.0.1"' ;;
		esac
		[ "$(get "$shape")" = true ] || { echo "$v: $output"; return 1; }
		[ "$(get 'has("dns")')" = true ]
	done
	if have_ours; then
		pod p1
		V=1.1.0 must ADD ptp c1 p1 "$(V=1.1.0 conf n ptp "$(ipam "$RANGE")")"
		[ "$(get .interfaces[1].mtu)" = 1500 ]
	fi
}

@test "loopback: up, checked, down, and a result of its own or the one before it" {
	pod p1
	must ADD loopback c1 p1 "$(conf lo loopback '"x":1')"
	inside p1 ip -o link show lo | grep -q 'LOOPBACK,UP'
	[ "$(get '.ips[0].address')" = 127.0.0.1/8 ] && [ "$(get '.interfaces[0].name')" = lo ]
	pings p1 127.0.0.1
	must CHECK loopback c1 p1 "$(prev "$(conf lo loopback '"x":1')")"
	must DEL loopback c1 p1 "$(conf lo loopback '"x":1')"
	call CHECK loopback c1 p1 "$(conf lo loopback '"x":1,"prevResult":{"cniVersion":"1.0.0"}')"
	refused 999 'down'
	must DEL loopback c1 gone "$(conf lo loopback '"x":1')"
	must DEL loopback c1 '' "$(conf lo loopback '"x":1')"
	output='{"cniVersion":"1.0.0","ips":[{"address":"10.0.0.9/8"}],"dns":{}}'
	must ADD loopback c1 p1 "$(prev "$(conf lo loopback '"x":1')")"
	[ "$(get '.ips[0].address')" = 10.0.0.9/8 ]
}

@test "DNS comes from the configuration, else from IPAM" {
	ours_only
	pod p1 p2
	in_world sh -c 'printf "nameserver 10.0.0.53 \nsearch a.b c\n# x\noptions ndots:2\n" >/run/resolv'
	local c
	c=$(conf n bridge "$(ipam "$RANGE,\"resolvConf\":\"/run/resolv\"")")
	must ADD bridge c1 p1 "$c"
	[ "$(jq -c .dns <<<"$output")" = '{"nameservers":["10.0.0.53"],"search":["a.b","c"],"options":["ndots:2"]}' ]
	must ADD bridge c2 p2 "$(with "$c" '.dns={"nameservers":["1.1.1.1"]}')"
	[ "$(jq -c .dns <<<"$output")" = '{"nameservers":["1.1.1.1"]}' ]
}
