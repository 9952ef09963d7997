#!/usr/bin/env bats
# Key by key beside the reference plugins: the same configurations, in two worlds, and then the same results
# (but for names and addresses that are random by nature), the same answers to CHECK and DEL, the same leases,
# and an error where the other side has an error.  Where the reference says 999, its word for everything, any
# code of ours will do; other codes must be the same.  What is different on purpose stands in
# cni-plugins/README.md.

load ../lib/cni

have_ipvlan() { can ipvlan; }
have_vlan() { can 'vlan id 7'; }
have_vrf() { unshare -n ip link add x type vrf table 9 2>/dev/null; }
have_ifb() { unshare -n ip link add x type ifb 2>/dev/null; }
can() { unshare -n sh -c "ip link add p0 type veth peer name p1 && ip link add link p0 name x type $1" 2>/dev/null; }

setup() {
	need cni root veth bridge
	have_ours || skip "compares gantry's plugins with the reference ones"
	T=$BATS_TEST_TMPDIR
	ROWS=()
}
teardown() { cni_down; }

# row TEXT PLUGIN MEMBERS [ENV=VALUE]...: one configuration.  CHECK=ours: that of the reference plugin is broken;
# CHECK=no: the version has none.
row() {
	local IFS=$'\x1f'
	ROWS+=("$*")
}

# What may differ: addresses and names that are random, the file of a namespace, an empty list or none.
NORMAL='del(.interfaces[]?|select(.keep|not)|.mac) | (.interfaces[]?.name) |= sub("^veth[0-9a-f]{8}$"; "veth")
	| (.interfaces[]?.name) |= sub("^bwp[0-9a-f]{12}$"; "bwp") | .dns //= {} | .interfaces //= [] | .ips //= []
	| .routes //= []'

show() { # FILTER: the last answer
	if [ "$status" = 0 ]; then
		echo "ok"
		[ -z "${output:-}" ] || jq -S "$1" <<<"$output"
	else
		echo "error $(jq -r .code <<<"$output")"
		jq -r .msg <<<"$output" >>"$2"
	fi
}

# The host as it was.
clean() {
	local l
	in_world ip netns del c1 2>/dev/null || :
	in_world ip -o link | awk -F'[ :@]+' '$2 !~ /^(lo|up0|up1|out0)$/ {print $2}' | while read -r l; do
		in_world ip link del "$l" 2>/dev/null || :
	done
	in_world rm -rf /run/leases /run/tuning
	in_world ip netns add c1
	inside c1 ip link set lo up
}

# What the container has: addresses, routes, parameters of its interface.
kernel() (
	set +e
	inside c1 ip -o addr show dev eth0 scope global 2>/dev/null | awk '{print $3, $4, $5, $6}' |
		sed 's/ nodad//; s/ noprefixroute//'
	inside c1 ip route
	inside c1 ip -6 route | grep -v '^fe80\|^ff00' | sed 's/ pref medium//'
	inside c1 ip -d link show dev eth0 2>/dev/null | grep -o 'mtu [0-9]*\|state [A-Z]*\|mode [a-z0-9]*\|id [0-9]*'
	in_world ip -o addr show dev br0 scope global 2>/dev/null | awk '{print $3, $4, $5, $6}' | sed 's/ nodad//'
	in_world ip -d link show type veth | grep -o 'hairpin o[nf]*' | sort
	:
)

one_row() { # SIDE NUMBER TEXT PLUGIN MEMBERS [ENV]...
	local side=$1 plugin=$4 c=$5 dir=$T/$1 check=yes kv CHECK ARGS='' IF=eth0 V=1.0.0 BASE='' MACS='' added
	mkdir -p "$dir"
	shift 5
	for kv; do local "$kv"; done
	check=${CHECK:-yes}
	clean
	c=$(conf n "$plugin" "$c")
	if [ -n "$BASE" ]; then
		# chained: behind a plugin of the same side
		must ADD "${BASE%% *}" i1 c1 "$(V=1.0.0 conf n "${BASE%% *}" "${BASE#* }")"
		c=$(prev "$c")
	fi
	call ADD "$plugin" i1 c1 "$c"
	added=$status
	show "$([ -z "$MACS" ] || printf '(.interfaces[]?|select(.sandbox)) |= (.keep = true) | ')$NORMAL" "$dir/messages"
	# A failed ADD of the reference leaves what its DEL then takes away.
	[ "$added$side$BASE" = 1ours ] || [ "$added" = 0 ] && kernel
	in_world sh -c 'cd /run/leases/n 2>/dev/null && for f in *; do [ "$f" = lock ] || { echo "lease $f"; cat "$f"; echo; }; done' || :
	if [ "$added" = 0 ] && [ "$check" = ours ] && [ "$side" = ours ]; then
		must CHECK "$plugin" i1 c1 "$(prev "$c")"
	fi
	if [ "$added" = 0 ] && [ "$check" = yes ]; then
		call CHECK "$plugin" i1 c1 "$(prev "$c")"
		echo "check $(show . "$dir/messages")"
		call CHECK "$plugin" i1 c1 "$c"
		[ -n "$BASE" ] || echo "check without prevResult $(show . "$dir/messages")"
	fi
	call DEL "$plugin" i1 c1 "$c"
	echo "del $(show . "$dir/messages")"
	call DEL "$plugin" i1 c1 "$c"
	echo "del again $(show . "$dir/messages")"
	in_world sh -c 'ls /run/leases/n 2>/dev/null | grep -v "^l"' || :
}

one_side() { # SIDE DIRECTORY
	local i CNI_PLUGINS=$2 f
	world_up
	in_world ip link add up0 type veth peer name up1
	in_world ip addr add 192.0.2.1/24 dev up0
	in_world ip link set up0 up
	in_world ip link set up1 up
	in_world ip route add default via 192.0.2.2
	for i in "${!ROWS[@]}"; do
		IFS=$'\x1f' read -r -d '' -a f <<<"${ROWS[i]}" || :
		f[-1]=${f[-1]%$'\n'}
		one_row "$1" "$i" "${f[@]}" >"$T/$1.$i" 2>"$T/$1.log"
	done
	world_down
}

same() {
	local i text word left=0
	one_side reference "$REFERENCE"
	one_side ours "$OURS"
	for i in "${!ROWS[@]}"; do
		text=${ROWS[i]%%$'\x1f'*}
		# A mistake in what DEL does not need must not keep it from its work.
		for word in del 'del again'; do
			! grep -q "^$word error" "$T/reference.$i" ||
				sed -i "/^$word \(ok\|error\)/d" "$T/reference.$i" "$T/ours.$i"
		done
		# 999 is whatever ours is
		if grep -q '^\(.* \)\?error 999$' "$T/reference.$i"; then
			sed -i 's/error [0-9]*$/error 999/' "$T/reference.$i" "$T/ours.$i"
		fi
		diff -u --label "reference: $text" --label "ours: $text" "$T/reference.$i" "$T/ours.$i" || left=$((left + 1))
	done
	[ $left = 0 ] || { echo "$left of ${#ROWS[@]} differ"; tail -n 50 "$T"/*/messages; return 1; }
}

V4='"subnet":"10.7.0.0/24"'
DUAL='"ranges":[[{"subnet":"10.7.0.0/24"}],[{"subnet":"fd07::/64"}]]'
br() { row "bridge: $1" bridge "\"bridge\":\"br0\",$2" "${@:3}"; }

@test "bridge: every key, its default and what is wrong with it" {
	br 'defaults' "$(ipam "$V4")"
	br 'isGateway' "\"isGateway\":true,$(ipam "$V4")"
	br 'isGateway, gateway of IPAM' "\"isGateway\":true,$(ipam '"subnet":"10.7.0.0/24","gateway":"10.7.0.9"')"
	br 'isDefaultGateway' "\"isDefaultGateway\":true,$(ipam "$V4")"
	br 'isDefaultGateway with a default route by another' \
		"\"isDefaultGateway\":true,$(ipam "$V4,\"routes\":[{\"dst\":\"0.0.0.0/0\",\"gw\":\"10.7.0.9\"}]")"
	br 'isDefaultGateway false, isGateway true' "\"isDefaultGateway\":false,\"isGateway\":true,$(ipam "$V4")"
	br 'routes' "$(ipam "$V4,\"routes\":[{\"dst\":\"10.100.0.0/16\"},{\"dst\":\"10.101.0.0/16\",\"gw\":\"10.7.0.9\"}]")" CHECK=ours
	br 'a route by nobody' "$(ipam "$V4,\"routes\":[{\"dst\":\"10.100.0.0/16\",\"gw\":\"192.0.2.99\"}]")"
	br 'ipMasq' "\"isGateway\":true,\"ipMasq\":true,$(ipam "$V4")"
	br 'ipMasq, both families' "\"isGateway\":true,\"ipMasq\":true,$(ipam "$DUAL")"
	br 'both families' "\"isDefaultGateway\":true,$(ipam "$DUAL")"
	br 'IPv6' "\"isDefaultGateway\":true,$(ipam '"subnet":"fd07::/64"')"
	br 'mtu' "\"mtu\":1300,$(ipam "$V4")"
	br 'mtu of no link' "\"mtu\":70000,$(ipam "$V4")"
	br 'hairpinMode' "\"hairpinMode\":true,$(ipam "$V4")"
	br 'promiscMode' "\"promiscMode\":true,$(ipam "$V4")"
	br 'hairpinMode and promiscMode' "\"hairpinMode\":true,\"promiscMode\":true,$(ipam "$V4")"
	br 'forceAddress' "\"forceAddress\":true,\"isGateway\":true,$(ipam "$V4")"
	br 'enabledad' "\"enabledad\":true,$(ipam "$V4")"
	br 'mac' "\"args\":{\"cni\":{\"mac\":\"02:00:00:00:00:01\"}},$(ipam "$V4")" MACS=1
	br 'mac of the runtime' "\"runtimeConfig\":{\"mac\":\"02:00:00:00:00:02\"},\"args\":{\"cni\":{\"mac\":\"02:00:00:00:00:01\"}},$(ipam "$V4")" MACS=1
	br 'MAC' "$(ipam "$V4")" 'ARGS=IgnoreUnknown=1;MAC=02:00:00:00:00:03' MACS=1
	br 'MAC that is none' "$(ipam "$V4")" ARGS=MAC=zz
	br 'arguments nobody knows' "$(ipam "$V4")" 'ARGS=FOO=1'
	br 'arguments nobody knows, ignored' "$(ipam "$V4")" 'ARGS=IgnoreUnknown=1;FOO=1'
	br 'arguments that are none' "$(ipam "$V4")" 'ARGS=FOO'
	br 'disabled forceAddress, IPv6 with routes' "\"isGateway\":true,$(ipam "\"subnet\":\"fd07::/64\",\"routes\":[{\"dst\":\"::/0\"},{\"dst\":\"fd99::/64\",\"gw\":\"fd07::9\"}]")" CHECK=ours
	br 'args.cni.ips' "\"args\":{\"cni\":{\"ips\":[\"10.7.0.44\"]}},$(ipam "$V4")"
	br 'runtimeConfig.ips, ipRanges' "\"runtimeConfig\":{\"ips\":[\"10.8.0.44/24\"],\"ipRanges\":[[{\"subnet\":\"10.8.0.0/24\"}]]},$(ipam "$V4")"
	br 'static' "\"isDefaultGateway\":true,\"ipam\":{\"type\":\"static\",\"addresses\":[{\"address\":\"10.7.0.5/24\",\"gateway\":\"10.7.0.1\"},{\"address\":\"fd07::5/64\"}],\"routes\":[{\"dst\":\"10.77.0.0/16\"}]}" CHECK=ours
	br 'no IPAM' '"ipam":{}' CHECK=ours
	br 'no IPAM, no key' '"x":1' CHECK=ours
	br 'no IPAM but a gateway' '"isGateway":true,"ipam":{}' CHECK=ours
	br 'an IPAM that is not there' '"ipam":{"type":"nothing"}'
	br 'an IPAM that fails' '"ipam":{"type":"host-local","dataDir":"/run/leases"}'
	br 'an IPAM without addresses' '"ipam":{"type":"static"}'
	br 'dns' "\"dns\":{\"nameservers\":[\"10.7.0.1\"],\"domain\":\"d\",\"search\":[\"s\"],\"options\":[\"o\"]},$(ipam "$V4")"
	br 'vlan out of range' "\"vlan\":4095,$(ipam "$V4")"
	br 'vlan below range' "\"vlan\":-1,$(ipam "$V4")"
	br 'isGateway as text' "\"isGateway\":\"true\",$(ipam "$V4")"
	br 'mtu as text' "\"mtu\":\"1500\",$(ipam "$V4")"
	row 'bridge as number' bridge "\"bridge\":5,$(ipam "$V4")"
	row 'bridge: its name is cni0' bridge "$(ipam "$V4")"
	row 'bridge: its name is too long' bridge "\"bridge\":\"a123456789012345\",$(ipam "$V4")"
	row 'bridge: its name is another kind of link' bridge "\"bridge\":\"up0\",$(ipam "$V4")"
	same
}

@test "bridge: every version" {
	local v
	for v in 0.1.0 0.2.0 0.3.0 0.3.1 0.4.0 1.0.0 9.9.9; do
		br "version $v" "\"isDefaultGateway\":true,$(ipam "$DUAL,\"routes\":[{\"dst\":\"10.100.0.0/16\"}]")" V=$v CHECK=no
	done
	br 'version 0.4.0, CHECK' "\"isDefaultGateway\":true,$(ipam "$DUAL")" V=0.4.0
	br 'version 0.3.1, CHECK' "\"isDefaultGateway\":true,$(ipam "$V4")" V=0.3.1
	same
}

@test "ptp: every key, its default and what is wrong with it" {
	row 'ptp: defaults' ptp "$(ipam "$V4")"
	row 'ptp: default route' ptp "$(ipam "$V4,\"routes\":[{\"dst\":\"0.0.0.0/0\"}]")"
	row 'ptp: routes' ptp "$(ipam "$V4,\"routes\":[{\"dst\":\"10.100.0.0/16\"},{\"dst\":\"10.101.0.0/16\",\"gw\":\"10.7.0.1\"}]")" CHECK=ours
	row 'ptp: both families' ptp "$(ipam "$DUAL,\"routes\":[{\"dst\":\"0.0.0.0/0\"},{\"dst\":\"::/0\"}]")"
	row 'ptp: ipMasq' ptp "\"ipMasq\":true,$(ipam "$V4")"
	row 'ptp: mtu' ptp "\"mtu\":1300,$(ipam "$V4")"
	row 'ptp: dns' ptp "\"dns\":{\"nameservers\":[\"10.7.0.1\"]},$(ipam "$V4")"
	row 'ptp: no IPAM' ptp '"x":1'
	row 'ptp: an IPAM without addresses' ptp '"ipam":{"type":"static"}'
	row 'ptp: ipMasq as text' ptp "\"ipMasq\":\"x\",$(ipam "$V4")"
	row 'ptp: version 0.3.1' ptp "$(ipam "$V4")" V=0.3.1
	row 'ptp: version 0.2.0' ptp "$(ipam "$V4")" V=0.2.0 CHECK=no
	same
}

@test "macvlan: every key, its default and what is wrong with it" {
	local m
	for m in bridge private vepa passthru; do
		row "macvlan: mode $m" macvlan "\"master\":\"up0\",\"mode\":\"$m\",$(ipam "$V4")"
	done
	row 'macvlan: mode nothing' macvlan "\"master\":\"up0\",\"mode\":\"x\",$(ipam "$V4")"
	row 'macvlan: defaults' macvlan "$(ipam "$V4")"
	row 'macvlan: a master that is not there' macvlan "\"master\":\"nothing\",$(ipam "$V4")"
	row 'macvlan: mtu' macvlan "\"master\":\"up0\",\"mtu\":1300,$(ipam "$V4")"
	row 'macvlan: mtu beyond the master' macvlan "\"master\":\"up0\",\"mtu\":1501,$(ipam "$V4")"
	row 'macvlan: mtu below 0' macvlan "\"master\":\"up0\",\"mtu\":-1,$(ipam "$V4")"
	row 'macvlan: mac' macvlan "\"master\":\"up0\",\"mac\":\"02:00:00:00:00:01\",$(ipam "$V4")" MACS=1
	row 'macvlan: mac of the runtime' macvlan "\"master\":\"up0\",\"mac\":\"02:00:00:00:00:01\",\"runtimeConfig\":{\"mac\":\"02:00:00:00:00:02\"},$(ipam "$V4")" MACS=1
	row 'macvlan: MAC' macvlan "\"master\":\"up0\",$(ipam "$V4")" 'ARGS=IgnoreUnknown=1;MAC=02:00:00:00:00:03' MACS=1
	row 'macvlan: mac that is none' macvlan "\"master\":\"up0\",\"mac\":\"zz\",$(ipam "$V4")"
	row 'macvlan: no IPAM' macvlan '"master":"up0","ipam":{}' CHECK=ours
	row 'macvlan: both families' macvlan "\"master\":\"up0\",$(ipam "$DUAL,\"routes\":[{\"dst\":\"0.0.0.0/0\"},{\"dst\":\"::/0\"}]")"
	row 'macvlan: dns' macvlan "\"master\":\"up0\",\"dns\":{\"nameservers\":[\"10.7.0.1\"]},$(ipam "$V4")"
	same
}

@test "ipvlan: every key, its default and what is wrong with it" {
	need ipvlan
	local m
	for m in l2 l3 l3s; do
		row "ipvlan: mode $m" ipvlan "\"master\":\"up0\",\"mode\":\"$m\",$(ipam "$V4")"
	done
	row 'ipvlan: mode nothing' ipvlan "\"master\":\"up0\",\"mode\":\"x\",$(ipam "$V4")"
	row 'ipvlan: defaults' ipvlan "$(ipam "$V4")" CHECK=ours
	row 'ipvlan: mtu' ipvlan "\"master\":\"up0\",\"mtu\":1300,$(ipam "$V4")"
	row 'ipvlan: both families' ipvlan "\"master\":\"up0\",$(ipam "$DUAL")"
	row 'ipvlan: a master that is not there' ipvlan "\"master\":\"nothing\",$(ipam "$V4")"
	row 'ipvlan: no IPAM' ipvlan '"master":"up0"'
	same
}

@test "vlan: every key, its default and what is wrong with it" {
	need vlan
	row 'vlan: id' vlan "\"master\":\"up0\",\"vlanId\":7,$(ipam "$V4")"
	row 'vlan: no id' vlan "\"master\":\"up0\",$(ipam "$V4")"
	row 'vlan: id out of range' vlan "\"master\":\"up0\",\"vlanId\":4095,$(ipam "$V4")"
	row 'vlan: no master' vlan "\"vlanId\":7,$(ipam "$V4")"
	row 'vlan: mtu' vlan "\"master\":\"up0\",\"vlanId\":7,\"mtu\":1300,$(ipam "$V4")"
	row 'vlan: both families' vlan "\"master\":\"up0\",\"vlanId\":7,$(ipam "$DUAL")"
	same
}

@test "host-local: every key, its default and what is wrong with it" {
	local x
	hl() { row "host-local: $1" host-local "$(ipam "$2")${3:+,$3}" "${@:4}"; }
	hl 'subnet' "$V4"
	hl 'gateway' '"subnet":"10.7.0.0/24","gateway":"10.7.0.2"'
	hl 'rangeStart, rangeEnd' '"subnet":"10.7.0.0/24","rangeStart":"10.7.0.50","rangeEnd":"10.7.0.60"'
	hl 'rangeStart behind rangeEnd' '"subnet":"10.7.0.0/24","rangeStart":"10.7.0.61","rangeEnd":"10.7.0.60"'
	hl 'rangeStart outside' '"subnet":"10.7.0.0/24","rangeStart":"10.8.0.1"'
	hl 'rangeEnd outside' '"subnet":"10.7.0.0/24","rangeEnd":"10.8.0.1"'
	hl 'gateway outside' '"subnet":"10.7.0.0/24","gateway":"10.8.0.1"'
	hl 'ranges' "$DUAL"
	hl 'ranges with subnet' "$V4,\"ranges\":[[{\"subnet\":\"10.8.0.0/24\"}]]"
	hl 'two pools' '"ranges":[[{"subnet":"10.7.0.0/24"},{"subnet":"10.8.0.0/24"}]]'
	hl 'overlap' '"ranges":[[{"subnet":"10.7.0.0/24"},{"subnet":"10.7.0.0/16"}]]'
	hl 'overlap of sets' '"ranges":[[{"subnet":"10.7.0.0/24"}],[{"subnet":"10.7.0.0/24"}]]'
	hl 'families mixed' '"ranges":[[{"subnet":"10.7.0.0/24"},{"subnet":"fd07::/64"}]]'
	hl 'no ranges' '"ranges":[]'
	hl 'an empty set' '"ranges":[[]]'
	hl 'host bits' '"subnet":"10.7.0.1/24"'
	hl 'subnet of one' '"subnet":"10.7.0.0/32"'
	hl 'subnet of two' '"subnet":"10.7.0.0/31"'
	hl 'subnet of four' '"subnet":"10.7.0.0/30"'
	hl 'IPv6 of four' '"subnet":"fd07::/126"'
	hl 'IPv6 of two' '"subnet":"fd07::/127"'
	hl 'no subnet' '"x":1'
	hl 'subnet that is none' '"subnet":"x"'
	hl 'routes' "$V4,\"routes\":[{\"dst\":\"0.0.0.0/0\"},{\"dst\":\"10.9.0.0/16\",\"gw\":\"10.7.0.3\"}]"
	hl 'a route that is none' "$V4,\"routes\":[{\"dst\":\"x\"}]"
	printf 'nameserver 192.0.2.53\nnameserver 2001:db8::53\nsearch a.example b.example\noptions ndots:3\n' >"$T/resolv.conf"
	hl 'resolvConf' "$V4,\"resolvConf\":\"$T/resolv.conf\""
	hl 'resolvConf not there' "$V4,\"resolvConf\":\"/nothing\""
	hl 'runtimeConfig.ipRanges' "$V4" '"runtimeConfig":{"ipRanges":[[{"subnet":"10.8.0.0/24"}]]}'
	hl 'runtimeConfig.ips' "$V4" '"runtimeConfig":{"ips":["10.7.0.9/24"]}'
	hl 'args.cni.ips' "$V4" '"args":{"cni":{"ips":["10.7.0.8"]}}'
	hl 'IP' "$V4" '' ARGS=IP=10.7.0.7
	hl 'IP with a length' "$V4" '' ARGS=IP=10.7.0.7/24
	hl 'IP of the gateway' "$V4" '' ARGS=IP=10.7.0.1
	hl 'IP outside' "$V4" '' ARGS=IP=10.8.0.1
	hl 'IP that is none' "$V4" '' ARGS=IP=x
	hl 'args.cni.ips that is none' "$V4" '"args":{"cni":{"ips":["x"]}}'
	hl 'version 0.3.1' "$DUAL" '' V=0.3.1
	hl 'version 0.2.0' "$DUAL" '' V=0.2.0 CHECK=no
	hl 'version 0.2.0, one family twice' '"ranges":[[{"subnet":"10.7.0.0/24"}],[{"subnet":"10.8.0.0/24"}]]' '' V=0.2.0 CHECK=no
	same
}

@test "static: every key, its default and what is wrong with it" {
	st() { row "static: $1" static "\"ipam\":{\"type\":\"static\"$2}${3:+,$3}" "${@:4}"; }
	st 'nothing' ''
	st 'addresses' ',"addresses":[{"address":"10.7.0.5/24","gateway":"10.7.0.1"},{"address":"fd07::5/64"}]'
	st 'routes, dns' ',"addresses":[{"address":"10.7.0.5/24"}],"routes":[{"dst":"0.0.0.0/0","gw":"10.7.0.1"}],"dns":{"nameservers":["10.7.0.1"]}'
	st 'address without a length' ',"addresses":[{"address":"10.7.0.5"}]'
	st 'gateway that is none' ',"addresses":[{"address":"10.7.0.5/24","gateway":"x"}]'
	st 'IP, GATEWAY' '' '' 'ARGS=IP=10.7.0.5/24;GATEWAY=10.7.0.1'
	st 'IP twice' '' '' 'ARGS=IP=10.7.0.5/24,10.8.0.5/24'
	st 'IP without a length' '' '' 'ARGS=IP=10.7.0.5'
	st 'GATEWAY that is none' '' '' 'ARGS=IP=10.7.0.5/24;GATEWAY=x'
	st 'GATEWAY of none' '' '' 'ARGS=IP=10.7.0.5/24;GATEWAY=10.8.0.1'
	st 'IP and addresses' ',"addresses":[{"address":"10.8.0.5/24"}]' '' 'ARGS=IP=10.7.0.5/24'
	st 'args.cni.ips' ',"addresses":[{"address":"10.8.0.5/24"}]' '"args":{"cni":{"ips":["10.7.0.5/24"]}}'
	st 'runtimeConfig.ips' ',"addresses":[{"address":"10.8.0.5/24"}]' '"runtimeConfig":{"ips":["10.7.0.5/24"]}'
	same
}

PTP="ptp $(ipam "$V4")"
BRIDGE="bridge \"bridge\":\"br0\",\"isGateway\":true,$(ipam "$DUAL")"

@test "portmap: every key, its default and what is wrong with it" {
	pm() { row "portmap: $1" portmap "\"capabilities\":{\"portMappings\":true}$2" BASE="${BASE:-$PTP}" CHECK=ours "${@:3}"; }
	maps() { printf ',"runtimeConfig":{"portMappings":[%s]}' "$1"; }
	pm 'none' ''
	pm 'an empty list' "$(maps '')"
	pm 'tcp' "$(maps '{"hostPort":8080,"containerPort":80,"protocol":"tcp"}')"
	pm 'udp' "$(maps '{"hostPort":8080,"containerPort":80,"protocol":"udp"}')"
	pm 'hostIP' "$(maps '{"hostPort":8080,"containerPort":80,"protocol":"tcp","hostIP":"192.0.2.1"}')"
	pm 'hostIP 0.0.0.0' "$(maps '{"hostPort":8080,"containerPort":80,"protocol":"tcp","hostIP":"0.0.0.0"}')"
	pm 'hostIP empty' "$(maps '{"hostPort":8080,"containerPort":80,"protocol":"tcp","hostIP":""}')"
	pm 'port 0' "$(maps '{"hostPort":0,"containerPort":80,"protocol":"tcp"}')"
	pm 'port below 0' "$(maps '{"hostPort":80,"containerPort":-1,"protocol":"tcp"}')"
	pm 'no protocol' "$(maps '{"hostPort":8080,"containerPort":80}')"
	pm 'protocol that is none' "$(maps '{"hostPort":8080,"containerPort":80,"protocol":"x"}')"
	pm 'snat false' ",\"snat\":false$(maps '{"hostPort":8080,"containerPort":80,"protocol":"tcp"}')"
	pm 'markMasqBit' ",\"markMasqBit\":3$(maps '{"hostPort":8080,"containerPort":80,"protocol":"tcp"}')"
	pm 'markMasqBit out of range' ",\"markMasqBit\":32$(maps '{"hostPort":8080,"containerPort":80,"protocol":"tcp"}')"
	pm 'markMasqBit below 0' ",\"markMasqBit\":-1$(maps '{"hostPort":8080,"containerPort":80,"protocol":"tcp"}')"
	pm 'markMasqBit and externalSetMarkChain' ",\"markMasqBit\":3,\"externalSetMarkChain\":\"X\"$(maps '{"hostPort":8080,"containerPort":80,"protocol":"tcp"}')"
	BASE=$BRIDGE pm 'both families' "$(maps '{"hostPort":8080,"containerPort":80,"protocol":"tcp"}')"
	row 'portmap: not chained' portmap "\"x\":1$(maps '{"hostPort":8080,"containerPort":80,"protocol":"tcp"}')" CHECK=no
	same
}

@test "firewall: every key, its default and what is wrong with it" {
	fw() { row "firewall: $1" firewall "\"backend\":\"iptables\"$2" BASE="${BASE:-$BRIDGE}" "${@:3}"; }
	fw 'defaults' ''
	fw 'open' ',"ingressPolicy":"open"'
	fw 'same-bridge' ',"ingressPolicy":"same-bridge"'
	fw 'policy that is none' ',"ingressPolicy":"x"'
	fw 'iptablesAdminChainName' ',"iptablesAdminChainName":"ADMIN"'
	row 'firewall: backend that is none' firewall '"backend":"x"' BASE="$BRIDGE"
	fw 'firewalldZone' ',"firewalldZone":"public"'
	row 'firewall: not chained' firewall '"backend":"iptables"'
	BASE=$PTP fw 'behind ptp' ''
	same
}

@test "bandwidth: every key, its default and what is wrong with it" {
	need ifb
	bw() { row "bandwidth: $1" bandwidth "$2" BASE="$PTP" "${@:3}"; }
	bw 'nothing' '"x":1' CHECK=ours
	bw 'both' '"ingressRate":8000000,"ingressBurst":800000,"egressRate":4000000,"egressBurst":400000'
	bw 'ingress' '"ingressRate":8000000,"ingressBurst":800000'
	bw 'egress' '"egressRate":8000000,"egressBurst":800000'
	bw 'zero' '"ingressRate":0,"ingressBurst":0'
	bw 'rate alone' '"ingressRate":8000000'
	bw 'burst alone' '"egressBurst":8000000'
	bw 'below 0' '"ingressRate":-8,"ingressBurst":8'
	bw 'burst too much' '"ingressRate":8,"ingressBurst":99999999999'
	bw 'of the runtime' '"runtimeConfig":{"bandwidth":{"ingressRate":8000000,"ingressBurst":800000}}'
	row 'bandwidth: not chained' bandwidth '"ingressRate":8000000,"ingressBurst":800000'
	same
}

@test "tuning: every key, its default and what is wrong with it" {
	tu() { row "tuning: $1" tuning "\"dataDir\":\"/run/tuning\",$2" BASE="$PTP" "${@:3}"; }
	tu 'nothing' '"x":1'
	tu 'sysctl' '"sysctl":{"net.ipv4.conf.all.arp_filter":"1"}'
	tu 'sysctl with slashes' '"sysctl":{"net/ipv4/conf/eth0/arp_filter":"1"}'
	tu 'sysctl not below net' '"sysctl":{"kernel.hostname":"x"}'
	tu 'sysctl that is not there' '"sysctl":{"net.nothing":"x"}'
	tu 'sysctl of a wrong value' '"sysctl":{"net.ipv4.conf.all.arp_filter":"x"}'
	tu 'mac' '"mac":"02:00:00:00:00:01"' MACS=1
	tu 'mac that is none' '"mac":"zz"'
	tu 'mtu' '"mtu":1300'
	tu 'promisc' '"promisc":true'
	tu 'allmulti' '"allmulti":true'
	tu 'MAC' '"x":1' 'ARGS=IgnoreUnknown=1;MAC=02:00:00:00:00:03' MACS=1
	tu 'args.cni' '"args":{"cni":{"mtu":1300,"promisc":true,"mac":"02:00:00:00:00:04"}}' MACS=1
	same
}

@test "sbr, host-device, loopback" {
	row 'sbr' sbr '"x":1' BASE="$PTP"
	row 'sbr: both families' sbr '"x":1' BASE="ptp $(ipam "$DUAL")"
	row 'sbr: not chained' sbr '"x":1'
	row 'sbr: table' sbr '"x":1,"table":100' BASE="ptp $(ipam "$DUAL,\"routes\":[{\"dst\":\"0.0.0.0/0\"}]")"
	row 'host-device' host-device "\"device\":\"up1\",$(ipam "$V4")"
	row 'host-device: layer 2' host-device '"device":"up1"' CHECK=ours
	row 'host-device: nothing named' host-device "$(ipam "$V4")"
	row 'host-device: a device that is not there' host-device "\"device\":\"nothing\",$(ipam "$V4")"
	row 'host-device: hwaddr of nobody' host-device '"hwaddr":"02:00:00:00:00:77"'
	row 'loopback' loopback '"x":1' IF=lo CHECK=no
	same
}

@test "vrf" {
	need vrf
	row 'vrf: no name' vrf '"x":1' BASE="$PTP"
	row 'vrf: name' vrf '"vrfname":"red"' BASE="$PTP"
	row 'vrf: table' vrf '"vrfname":"red","table":77' BASE="$BRIDGE"
	row 'vrf: not chained' vrf '"vrfname":"red"'
	same
}
