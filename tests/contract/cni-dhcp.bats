#!/usr/bin/env bats
# dhcp: the plugin over its daemon, against dnsmasq (lib/dhcp.bash).
# CNI_PLUGINS=/usr/lib/cni asks the reference plugins what both promise.

# shellcheck disable=SC2015,SC2016,SC2034
load ../lib/cni
load ../lib/dhcp

setup() { dhcp_up; }
teardown() { dhcp_down; }

@test "bridge: address, gateway, routes, dns; CHECK; DEL tells the server" {
	on_bridge
	server
	keeper
	local c result
	c=$(bridged)
	must ADD bridge i1 c1 "$c"
	result=$output
	get .ips[0].address | grep -qx '10\.7\.0\.[1-9][0-9]/24'
	[ "$(get .ips[0].gateway)" = 10.7.0.1 ]
	[ "$(get .routes[0].dst)" = 0.0.0.0/0 ]
	[ "$(get .routes[0].gw)" = 10.7.0.1 ]
	if have_ours; then
		[ "$(get .dns.nameservers[0])" = 10.7.0.1 ]
		[ "$(get .dns.domain)" = example.org ]
		[ "$(recorded)" = 1 ]
	fi
	inside c1 ip route | grep -q '^default via 10.7.0.1'
	pings c1 10.7.0.1
	# the client id of the reference plugin: 0, then container, network, interface
	grep -q '00:69:31:2f:6e:2f:65:74:68:30$' "$T/served"
	must CHECK bridge i1 c1 "$(prev "$c")"
	output=$result must DEL bridge i1 c1 "$(output=$result prev "$c")"
	ours_only
	wait_for 60 more DHCPRELEASE 0
	wait_for 60 none_served
	[ "$(recorded)" = 0 ]
	must DEL bridge i1 c1 "$c"
	must DEL bridge i1 '' "$c"
	must DEL bridge unknown c1 "$c"
	nothing_left_here
}

@test "macvlan: a lease over a link of the container's own" {
	need macvlan
	server
	keeper
	local c
	c=$(conf n macvlan "\"master\":\"up0\",$L")
	must ADD macvlan i1 c1 "$c"
	local result=$output
	pings c1 10.7.0.1
	must CHECK macvlan i1 c1 "$(prev "$c")"
	must DEL macvlan i1 c1 "$(output=$result prev "$c")"
	ours_only
	wait_for 60 more DHCPRELEASE 0
	wait_for 60 none_served
}

@test "the classless routes win over router and static routes" {
	ours_only
	on_bridge
	server --dhcp-option=option:classless-static-route,172.20.0.0/14,10.7.0.1,0.0.0.0/0,10.7.0.2 \
		--dhcp-option=option:static-route,192.168.5.0,10.7.0.3
	keeper
	must ADD bridge i1 c1 "$(bridged)"
	[ "$(get '[.routes[]|.dst+" "+.gw]|join(",")')" = '172.20.0.0/14 10.7.0.1,0.0.0.0/0 10.7.0.2' ]
	[ "$(get .ips[0].gateway)" = 10.7.0.2 ]
}

@test "static routes by class, and a default route; priority and suppress" {
	ours_only
	on_bridge
	server --dhcp-option=option:static-route,192.168.5.0,10.7.0.3,172.16.0.0,10.7.0.4
	keeper
	V=1.1.0
	must ADD bridge i1 c1 "$(bridged '"ipam":{"type":"dhcp","priority":77}')"
	[ "$(get '[.routes[]|.dst+" "+.gw]|join(",")')" = '192.168.5.0/24 10.7.0.3,172.16.0.0/16 10.7.0.4,0.0.0.0/0 10.7.0.1' ]
	[ "$(get '[.routes[].priority]|unique|join(",")')" = 77 ]
	inside c1 ip route | grep -q '^default .* metric 77'
	must ADD bridge i2 c2 "$(bridged '"ipam":{"type":"dhcp","suppress":["gateway"]}')"
	[ "$(get '[.routes[].dst]|index("0.0.0.0/0")')" = null ]
	[ "$(get .ips[0].gateway)" = null ]
}

@test "a lease is renewed, by unicast" {
	on_bridge
	server --dhcp-option-force=option:T1,3
	keeper
	must ADD bridge i1 c1 "$(bridged)"
	local ip n
	ip=$(get .ips[0].address) n=$(logged DHCPACK)
	wait_for 120 more DHCPACK "$((n + 1))"
	[ "$(logged DHCPDISCOVER)" -ge 1 ]
	inside c1 ip addr show eth0 | grep -q "inet $ip"
}

@test "a server that has lost its notes grants the same address again" {
	ours_only
	on_bridge
	server --dhcp-option-force=option:T1,3
	keeper
	must ADD bridge i1 c1 "$(bridged)"
	local c n result=$output
	gone "$SERVER"
	rm "$T/served"
	n=$(logged DHCPACK)
	server --dhcp-option-force=option:T1,3
	wait_for 120 more DHCPACK "$((n + 1))"
	inside c1 ip link show up | grep -q eth0
	c=$(output=$result prev "$(bridged)")
	must CHECK bridge i1 c1 "$c"
}

@test "another server may take the lease over: rebinding" {
	ours_only
	on_bridge
	server --dhcp-option-force=option:T1,3 --dhcp-option-force=option:T2,5
	keeper
	must ADD bridge i1 c1 "$(bridged)"
	local n ip
	ip=$(get .ips[0].address)
	gone "$SERVER"
	n=$(logged DHCPACK)
	inside srv ip addr add 10.7.0.2/24 dev eth0
	inside srv ip addr del 10.7.0.1/24 dev eth0
	inside srv ip addr replace 10.7.0.2/24 dev eth0
	server --dhcp-option-force=option:T1,3 --dhcp-option-force=option:T2,5 --dhcp-authoritative
	wait_for 120 more DHCPACK "$((n + 1))"
	inside c1 ip addr show up | grep -q "inet $ip"
	n=$(logged DHCPRELEASE)
	must DEL bridge i1 c1 "$(bridged)"
	wait_for 60 more DHCPRELEASE "$n"
}

# dnsmasq grants no lease shorter than two minutes: the time is shortened where the daemon keeps it.
@test "a lease that expires takes the link down" {
	ours_only
	on_bridge
	server
	keeper
	must ADD bridge i1 c1 "$(bridged)"
	local result=$output
	gone "$SERVER" KILL
	gone "$DAEMON"
	# shellcheck disable=SC2016
	in_world sh -c 'now=$(cut -d. -f1 /proc/uptime)000 && jq -c --argjson t "$now" ".t1=\$t|.t2=\$t+500|.expire=\$t+2000" "$0" >"$0.new" &&
		mv "$0.new" "$0"' /run/cni/dhcp/n/i1@eth0
	keeper
	link_is_down() { ! inside c1 ip link show up | grep -q eth0; }
	wait_for 120 link_is_down
	call CHECK bridge i1 c1 "$(output=$result prev "$(bridged)")"
	refused 999 'has expired'
	must DEL bridge i1 c1 "$(bridged)"
	[ "$(recorded)" = 0 ]
}

@test "a server that has another address only: the link gets it, and its routes" {
	ours_only
	on_bridge
	server "${LATE[@]}"
	keeper
	must ADD bridge i1 c1 "$(bridged)"
	local ip
	ip=$(get .ips[0].address)
	gone "$SERVER" KILL
	gone "$DAEMON"
	rm "$T/served"
	inside srv ip addr flush dev eth0
	inside srv ip addr add 10.8.0.1/24 dev eth0
	SERVED=10.8.0.10,10.8.0.99,2m server --dhcp-authoritative "${LATE[@]}"
	keeper
	other() { inside c1 ip -br addr show eth0 up | grep -q ' 10\.8\.0\.[0-9]*/24'; }
	wait_for 120 other
	! inside c1 ip -br addr show eth0 | grep -q "$ip"
	[ "$(inside c1 ip route | grep -c default)" = 1 ]
	inside c1 ip route | grep -q '^default via 10\.8\.0\.1 '
	wait_for 60 pings c1 10.8.0.1
	# the daemon knows the new one: it is what is released
	must DEL bridge i1 c1 "$(bridged)"
	wait_for 60 grep -q 'DHCPRELEASE.*10\.8\.0\.' "$T/server.log"
}

@test "a renewal with other routes changes them" {
	ours_only
	on_bridge
	server "${LATE[@]}" --dhcp-option=option:classless-static-route,172.20.0.0/14,10.7.0.1,0.0.0.0/0,10.7.0.1
	keeper
	must ADD bridge i1 c1 "$(bridged)"
	inside c1 ip route | grep -q '^172.20.0.0/14 via 10.7.0.1'
	inside c1 ip route add 198.51.100.0/24 via 10.7.0.1
	local ip
	ip=$(get .ips[0].address)
	gone "$SERVER"
	gone "$DAEMON"
	server "${LATE[@]}" --dhcp-option=option:classless-static-route,172.24.0.0/14,10.7.0.1,0.0.0.0/0,10.7.0.3
	keeper
	other() { inside c1 ip route | grep -q '^172.24.0.0/14 via 10.7.0.1'; }
	wait_for 120 other
	! inside c1 ip route | grep -q '^172.20.0.0/14'
	[ "$(inside c1 ip route | sed -n 's/^default via \([^ ]*\).*/\1/p')" = 10.7.0.3 ]
	# somebody else's stays
	inside c1 ip route | grep -q '^198.51.100.0/24'
	inside c1 ip -br addr show eth0 | grep -q "$ip"
}

@test "no server: an error within the time, and nothing is left" {
	ours_only
	on_bridge
	keeper -timeout 1s
	call ADD bridge i1 c1 "$(bridged)"
	refused 999 'no DHCP server granted an address in 1 s'
	nothing_left_here
	must DEL bridge i1 c1 "$(bridged)"
}

@test "a runtime that gives up is not waited for" {
	ours_only
	on_bridge
	keeper -timeout 1h
	printf %s "$(bridged)" >"$T/conf"
	in_world env CNI_COMMAND=ADD CNI_CONTAINERID=i1 CNI_NETNS=/run/netns/c1 CNI_IFNAME=eth0 CNI_PATH="$CNI_PLUGINS" \
		timeout -s KILL 1 "$CNI_PLUGINS/bridge" <"$T/conf" || :
	in_world ip netns exec c1 ip link del eth0
	server
	must ADD bridge i1 c1 "$(bridged)"
}

@test "many containers at once" {
	on_bridge
	server
	keeper
	local i pids=()
	printf %s "$(bridged)" >"$T/conf"
	for i in 0 1 2 3 4 5 6 7; do
		pod "m$i"
		in_world env CNI_COMMAND=ADD CNI_CONTAINERID="m$i" CNI_NETNS="/run/netns/m$i" CNI_IFNAME=eth0 \
			CNI_PATH="$CNI_PLUGINS" "$CNI_PLUGINS/bridge" <"$T/conf" >"$T/r$i" 3>&- 4>&- &
		pids+=($!)
	done
	for i in "${pids[@]}"; do
		wait "$i"
	done
	[ "$(jq -r .ips[0].address "$T"/r? | sort -u | wc -l)" = 8 ]
}

@test "a second ADD is refused and changes nothing" {
	ours_only
	on_bridge
	server
	keeper
	must ADD bridge i1 c1 "$(bridged)"
	call ADD dhcp i1 c1 "$(bridged)"
	refused 999 'has a lease already'
	[ "$(recorded)" = 1 ]
}

@test "GC drops what is not valid, and nothing when nobody says what is" {
	ours_only
	on_bridge
	server
	keeper
	local c
	V=1.1.0
	c=$(bridged)
	must ADD bridge i1 c1 "$c"
	must ADD bridge i2 c2 "$c"
	must GC dhcp '' '' "$c"
	[ "$(recorded)" = 2 ]
	must GC dhcp '' '' "$(with "$c" '."cni.dev/valid-attachments"=[{"containerID":"i1","ifname":"eth0"}]')"
	[ "$(in_world ls /run/cni/dhcp/n)" = i1@eth0 ]
	wait_for 60 more DHCPRELEASE 0
	must CHECK dhcp i1 c1 "$c"
	call CHECK dhcp i2 c2 "$c"
	refused 999 'no lease is known for container i2'
}

@test "CHECK sees another link" {
	ours_only
	on_bridge
	server
	keeper
	must ADD bridge i1 c1 "$(bridged)"
	call CHECK dhcp i1 c2 "$(bridged)"
	refused 999 'not the link that the lease is for'
	inside c1 ip link del eth0
	call CHECK dhcp i1 c1 "$(bridged)"
	refused 999 'not the link that the lease is for'
}

@test "provide and request: what the server hears" {
	ours_only
	on_bridge
	server
	keeper
	local m='"provide":[{"option":"host-name","value":"web"},{"option":"60","value":"gantry"},{"option":"user-class","fromArg":"KIND"}]'
	ARGS='IgnoreUnknown=1;KIND=blue' must ADD bridge i1 c1 "$(bridged "\"ipam\":{\"type\":\"dhcp\",$m,\"request\":[{\"option\":\"42\"}]}")"
	grep -q ' web ' "$T/served"
	grep -q 'vendor class: gantry' "$T/server.log"
	grep -q 'user class: \(blue\|lue\)' "$T/server.log"
	grep -q 'requested options:.*42:ntp-server' "$T/server.log"
	must ADD bridge i2 c2 "$(bridged '"ipam":{"type":"dhcp","request":[{"skipDefault":true,"option":"subnet-mask"}]}')"
	[ "$(get .ips[0].gateway)" = null ]
	[ "$(get '.routes|length')" = 0 ]
}

@test "wrong keys are refused with their place" {
	ours_only
	local row
	keeper
	while read -r row; do
		call ADD dhcp i1 c1 "$(conf n dhcp "\"ipam\":{\"type\":\"dhcp\",${row%%|*}}")"
		refused 7 "${row#*|}"
	done <<-'EOT'
		"provide":[{"option":"nonsense","value":"x"}]|ipam.provide\[0\]: option: "nonsense" is not a number
		"provide":[{"option":"256","value":"x"}]|ipam.provide\[0\]: option: "256" is not a number
		"provide":[{"option":"54","value":"x"}]|option: 54 is one that the client itself sets
		"request":[{"option":"x"}]|ipam.request\[0\]: option
		"request":{}|ipam.request: expected array
		"suppress":["dns"]|ipam.suppress\[0\]: unknown value "dns"
		"priority":-1|ipam.priority
		"daemonSocketPath":"here"|ipam.daemonSocketPath: "here": must be an absolute path
	EOT
	call ADD dhcp i1 c1 "$(conf n dhcp "$L,\"runtimeConfig\":{\"ips\":[\"fd00::1/64\"]}")"
	refused 7 'dhcp gives IPv4 addresses only'
	call ADD dhcp i1 c1 "$(conf n dhcp "$L")"
	refused 999 'error looking up "eth0": no such link'
}
