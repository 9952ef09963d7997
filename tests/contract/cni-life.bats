#!/usr/bin/env bats
# The life of an attachment: CHECK that is true both ways, DEL in every state, GC, STATUS, many at once,
# killed half-way; and nothing left at the end.

load ../lib/cni

setup() { cni_up; }
teardown() { cni_down; }

# The newest version that the plugins under test speak.
if have_ours; then V=1.1.0; else V=1.0.0; fi
DUAL='"ranges":[[{"subnet":"10.7.0.0/24"}],[{"subnet":"fd07::/64"}]]'
bridge() { conf n bridge "\"bridge\":\"br0\",\"isDefaultGateway\":true,\"ipMasq\":true,$(ipam "$DUAL")"; }
ptp() { conf n ptp "\"ipMasq\":true,$(ipam "$DUAL,\"routes\":[{\"dst\":\"0.0.0.0/0\"},{\"dst\":\"::/0\"}]")"; }

# broken PATTERN COMMAND...: after the command CHECK fails with that message; $c, $plugin.
broken() {
	local pattern=$1
	shift
	"$@"
	call CHECK "$plugin" c1 p1 "$c"
	refused 999 "$pattern"
}

attached() { # PLUGIN: p1 has an attachment; $c is its configuration with prevResult
	plugin=$1
	pod p1
	c=$("$1")
	must ADD "$1" c1 p1 "$c"
	c=$(prev "$c")
	must CHECK "$1" c1 p1 "$c"
}

@test "CHECK sees a missing lease" {
	ours_only
	attached bridge
	broken 'not leased' in_world rm /run/leases/n/10.7.0.2
	broken 'failed to find address' in_world rm /run/leases/n/fd07::2
}

@test "CHECK sees a missing route, address, link; a link that is down; another MAC" {
	ours_only
	local address
	for plugin in bridge ptp; do
		attached $plugin
		address=$(jq -r '.prevResult.ips[1].address' <<<"$c")
		broken 'route to 0.0.0.0/0 is missing' inside p1 ip route del default
		inside p1 ip route add default via 10.7.0.1
		must CHECK $plugin c1 p1 "$c"
		broken 'route to ::/0 is missing' inside p1 ip -6 route del default
		inside p1 ip -6 route add default via fd07::1
		must CHECK $plugin c1 p1 "$c"
		broken 'MAC' inside p1 ip link set eth0 address 02:00:00:00:00:99
		inside p1 ip link set eth0 address "$(jq -r '.prevResult.interfaces[-1].mac' <<<"$c")"
		must CHECK $plugin c1 p1 "$c"
		broken "address $address is missing" inside p1 ip addr del "$address" dev eth0
		broken 'is down' inside p1 ip link set eth0 down
		broken 'does not exist' inside p1 ip link set eth0 name eth9
		inside p1 ip link del eth9
		must DEL $plugin c1 p1 "$c"
		in_world ip netns del p1
	done
}

@test "CHECK sees what is missing on the host" {
	ours_only
	attached bridge
	broken 'not a port of bridge' in_world ip link set "$(jq -r '.prevResult.interfaces[1].name' <<<"$c")" nomaster
	in_world ip link set "$(jq -r '.prevResult.interfaces[1].name' <<<"$c")" master br0
	must CHECK bridge c1 p1 "$c"
	broken 'gateway.s address' in_world ip addr del 10.7.0.1/24 dev br0
	in_world ip addr add 10.7.0.1/24 dev br0
	must CHECK bridge c1 p1 "$c"
	broken 'masquerading of 10.7.0.2/24 is missing' \
		in_world nft delete element inet gantry-masq-n from-10.7.0.0/24 '{ 10.7.0.2 }'
	broken 'masquerading of .* is missing' in_world nft flush ruleset
	broken 'is down' in_world ip link set br0 down
	broken 'does not exist' in_world ip link del br0
}

@test "CHECK sees a missing route on the host, and another namespace" {
	ours_only
	attached ptp
	pod p2
	call CHECK ptp c1 p2 "$c"
	refused 999 'sandbox .* does not match'
	# another path to the same namespace is the same namespace
	in_world ln -s p1 /run/netns/alias
	must CHECK ptp c1 alias "$c"
	broken 'no route to 10.7.0.2/32' in_world ip route del 10.7.0.2
	call CHECK ptp c1 p1 "$(ptp)"
	refused 7 'prevResult missing'
}

@test "DEL: repeated, without namespace, with a namespace that is gone" {
	for plugin in bridge ptp; do
		local how
		for how in p1 '' gone /proc/999999/ns/net; do
			ours_only
			pod p1
			must ADD $plugin c1 p1 "$($plugin)"
			case $how in
			p1) ;;
			*) in_world ip netns del p1 ;;
			esac
			must DEL $plugin c1 "$how" "$($plugin)"
			must DEL $plugin c1 "$how" "$($plugin)"
			[ "$how" != p1 ] || in_world ip netns del p1
			wait_for 60 nothing_left
		done
	done
}

@test "DEL of an ending namespace leaves the link to the kernel" {
	ours_only
	pod p1
	must ADD ptp c1 p1 "$(ptp)"
	ARGS='IgnoreUnknown=1;NetnsEnding=1' must DEL ptp c1 p1 "$(ptp)"
	[ "$(leases n)" = 0 ]
	[ -z "$(in_world nft list ruleset)" ]
	inside p1 ip link show eth0 >/dev/null
	in_world ip netns del p1
	wait_for 60 nothing_left
}

@test "DEL needs only what it needs of the configuration" {
	ours_only
	pod p1
	must ADD bridge c1 p1 "$(bridge)"
	must DEL bridge c1 p1 "$(with "$(bridge)" '.mtu = "x" | .bridge = "a/b" | .ipam.ranges = 1')"
	nothing_left
}

@test "a lease that meets the old route on the host takes its place" {
	ours_only
	local c
	c=$(conf n ptp "$(ipam '"subnet":"10.7.0.0/30"')")
	pod p1 p2
	must ADD ptp c1 p1 "$c"
	ARGS='NetnsEnding=1' must DEL ptp c1 p1 "$c"
	must ADD ptp c2 p2 "$c"
	[ "$(get '.ips[0].address')" = 10.7.0.2/30 ]
	in_world ping -q -n -c 1 -W 5 10.7.0.2
	in_world ip netns del p1
	wait_for 60 sh -c "[ \$(nsenter -t $WORLD -n ip -o link show type veth | wc -l) = 1 ]"
	in_world ping -q -n -c 1 -W 5 10.7.0.2
}

@test "a second ADD is refused and changes nothing" {
	for plugin in bridge ptp; do
		attached $plugin
		call ADD $plugin c1 p1 "$($plugin)"
		refused 999 'already exists|duplicate allocation'
		if have_ours; then
			must CHECK $plugin c1 p1 "$c"
			must DEL $plugin c1 p1 "$c"
			nothing_left
		else
			must DEL $plugin c1 p1 "$c"
		fi
		in_world ip netns del p1
	done
}

@test "a failed ADD leaves nothing" {
	ours_only
	local c
	pod p1
	# a route that cannot be made: everything before it is undone
	for plugin in bridge ptp; do
		c=$(with "$($plugin)" '.ipam.routes += [{"dst": "10.99.0.0/16", "gw": "172.31.0.1"}]')
		call ADD $plugin c1 p1 "$c"
		refused 999 'add route to 10.99.0.0/16 by 172.31.0.1: '
		nothing_left
		! inside p1 ip link show eth0 2>/dev/null
	done
	# a range that is used up
	c=$(with "$(bridge)" '.ipam.ranges = [[{"subnet": "fd08::/64"}], [{"subnet": "10.8.0.0/30"}]]')
	must ADD bridge c1 p1 "$c"
	pod p2
	call ADD bridge c2 p2 "$c"
	refused 999 'no IP addresses available in range set: 10.8.0.1-10.8.0.2'
	[ "$(leases n)" = 2 ]
	# no IPAM plugin
	call ADD bridge c2 p2 "$(with "$c" '.ipam.type = "nosuch"')"
	refused 999 'failed to find plugin "nosuch"'
	[ -z "$(inside p2 ip -o link show type veth)" ]
}

@test "STATUS says whether an ADD would find an address" {
	ours_only
	local c
	pod p1
	c=$(with "$(bridge)" '.ipam.ranges = [[{"subnet": "10.8.0.0/30"}]]')
	must STATUS bridge '' '' "$c"
	must ADD bridge c1 p1 "$c"
	for plugin in bridge host-local; do
		call STATUS $plugin '' '' "$c"
		refused 50 'no IP addresses available'
	done
	must DEL bridge c1 p1 "$c"
	must STATUS bridge '' '' "$c"
	in_world ip link add vx type veth peer name vy
	call STATUS bridge '' '' "$(with "$c" '.bridge = "vx"')"
	refused 50 'not a bridge'
	call STATUS bridge '' '' "$(with "$c" '.ipam.type = "nosuch"')"
	refused 999 'failed to find'
	call STATUS bridge '' '' "$(with "$c" '.mtu = "x"')"
	refused 7 'mtu'
}

@test "GC removes what is not valid, and nothing when nobody says what is" {
	ours_only
	local c
	for plugin in bridge ptp; do
		c=$($plugin)
		pod p1 p2 p3
		must ADD $plugin c1 p1 "$c"
		must ADD $plugin c2 p2 "$c"
		must ADD $plugin c3 p3 "$(with "$c" '.name = "other" | .ipam.ranges = [[{"subnet": "10.7.1.0/24"}]] |
			.isDefaultGateway = false')"
		must GC $plugin '' '' "$c"
		[ "$(leases n)" = 4 ]
		must GC $plugin '' '' "$(with "$c" '."cni.dev/valid-attachments" = [{"containerID":"c2","ifname":"eth0"}]')"
		[ "$(leases n)" = 2 ]
		[ "$(in_world nft list ruleset | grep -c 'c2 eth0')" = 2 ]
		! in_world nft list ruleset | grep -q 'c1 eth0'
		! inside p1 ip link show eth0 2>/dev/null
		inside p2 ip link show eth0 >/dev/null
		# another network's are not ours to judge
		[ "$(leases other)" = 1 ]
		inside p3 ip link show eth0 >/dev/null
		must GC $plugin '' '' "$(with "$c" '."cni.dev/valid-attachments" = []')"
		[ "$(leases n)" = 0 ]
		! in_world nft list table inet gantry-masq-n 2>/dev/null
		must DEL $plugin c3 p3 "$(with "$c" '.name = "other"')"
		nothing_left
		for p in p1 p2 p3; do in_world ip netns del $p; done
	done
}

@test "32 ADDs at once, then 32 DELs" {
	local c i pids
	for plugin in bridge ptp; do
		c=$($plugin)
		for i in $(seq 32); do pod "p$i"; done
		pids=
		for i in $(seq 32); do
			(T=$T/$i && mkdir "$T" && must ADD $plugin "c$i" "p$i" "$c" && echo "$output" >"$T/result") 3>&- &
			pids+=" $!"
		done
		for i in $pids; do wait "$i"; done
		[ "$(jq -r '.ips[].address' "$T"/*/result | sort -u | wc -l)" = 64 ]
		for i in $(seq 2 32); do inside "p$i" ping -q -n -c 1 -W 10 10.7.0.1 >/dev/null; done
		have_ours || break
		pids=
		for i in $(seq 32); do
			(T=$T/$i && must DEL $plugin "c$i" "p$i" "$c") 3>&- &
			pids+=" $!"
		done
		for i in $pids; do wait "$i"; done
		nothing_left
		for i in $(seq 32); do in_world ip netns del "p$i"; done
		rm -rf "${T:?}"/*
	done
}

@test "killed at any moment: DEL leaves nothing" {
	ours_only
	local c delay killed=0
	for plugin in bridge ptp; do
		c=$($plugin)
		# after each system call of the first milliseconds
		for delay in 2 6 10 13 16 19 22 25 28 31 35 40 50 70; do
			pod p1
			printf '%s' "$c" >"$T/conf"
			in_world env CNI_COMMAND=ADD CNI_CONTAINERID=c1 CNI_NETNS=/run/netns/p1 CNI_IFNAME=eth0 \
				CNI_PATH="$CNI_PLUGINS" timeout -s KILL "0.00$(printf %02d $delay)" \
				"$CNI_PLUGINS/$plugin" <"$T/conf" >/dev/null 2>&1 || killed=$((killed + 1))
			must DEL $plugin c1 p1 "$c"
			nothing_left
			must ADD $plugin c1 p1 "$c"
			must DEL $plugin c1 p1 "$c"
			in_world ip netns del p1
		done
	done
	echo "killed $killed"
	[ $killed -gt 0 ] # how many is a matter of the machine
}

@test "leases of another boot are dropped, those of this one are kept" {
	ours_only
	local c
	pod p1 p2 p3
	c=$(conf n ptp "$(ipam '"subnet":"10.7.0.0/30"')")
	must ADD ptp c1 p1 "$c"
	call ADD ptp c2 p2 "$c"
	refused 999 'no IP addresses'
	# as a reboot leaves it: the files, older than the boot, and another boot's id
	in_world touch -d '2001-01-01' /run/leases/n/10.7.0.2
	call ADD ptp c2 p2 "$c"
	refused 999 'no IP addresses'
	in_world sh -c 'printf 00000000-0000-0000-0000-000000000000 | dd of=/run/leases/n/lock conv=notrunc 2>/dev/null'
	must ADD ptp c2 p2 "$c"
}
