#!/usr/bin/env bats
# dnsname behind bridge: containers find each other by name, by dnsmasq on the gateway's address.

load ../lib/cni

have_dnsmasq() { [ -x /usr/sbin/dnsmasq ]; }
have_nslookup() { busybox_static >/dev/null; }

setup() {
	cni_up
	need dnsmasq nslookup
	pod c1 c2
}
teardown() {
	in_world sh -c 'for f in /run/gantry-dnsname/*/pid; do [ ! -e "$f" ] || kill "$(cat "$f")"; done'
	cni_down
}

DIR=/run/gantry-dnsname/n
bridge() { conf n bridge "\"bridge\":\"br0\",\"isGateway\":true,$(ipam '"ranges":[[{"subnet":"10.7.0.0/24"}],[{"subnet":"fd00:7::/64"}]]')"; }
# attach ID NETNS NAMES [MEMBERS]
attach() {
	must ADD bridge "$1" "$2" "$(bridge)"
	DN=$(prev "$(conf n dnsname "\"runtimeConfig\":{\"aliases\":$3}${4:+,$4}")")
	must ADD dnsname "$1" "$2" "$DN"
}
server() { in_world cat "$DIR/pid"; }
runs() { [ -e "/proc/$1" ] && ! grep -q '^State:.Z' "/proc/$1/status"; }
# ask NETNS NAME: the addresses, sorted, on one line
ask() {
	inside "$1" "$(busybox_static)" nslookup "$2" 10.7.0.1 2>/dev/null |
		sed -n '/^Name:/,$s/^Address[ 0-9]*: *//p' | sort | tr '\n' ' '
}
answers() { [ "$(ask "$1" "$2")" = "$3" ]; }

@test "dnsname: names of both families, several of one container, one of several" {
	attach i1 c1 '["web","front"]'
	[ "$(get '.dns.nameservers | join(" ")')" = '10.7.0.1 fd00:7::1' ]
	attach i2 c2 '["db","front"]'
	wait_for 30 answers c1 db '10.7.0.3 fd00:7::3 '
	answers c2 web '10.7.0.2 fd00:7::2 '
	answers c2 front '10.7.0.2 10.7.0.3 fd00:7::2 fd00:7::3 '
	[ "$(in_world sh -c 'ls /run/gantry-dnsname')" = n ]
	# on the gateway's addresses, and nowhere else
	in_world ss -Hltun | awk '{print $5}' | grep ':53$' | sort -u >"$T/listens"
	[ "$(tr '\n' ' ' <"$T/listens")" = '10.7.0.1:53 [fd00:7::1]:53 ' ]
	! grep -q '^Uid:.0' "/proc/$(server)/status"
}

@test "dnsname: a domain" {
	attach i1 c1 '["web"]' '"domainName":"pods.example"'
	[ "$(get '.dns | [.domain, .search[0]] | join(" ")')" = 'pods.example pods.example' ]
	answers c1 web.pods.example '10.7.0.2 fd00:7::2 '
	answers c1 web '10.7.0.2 fd00:7::2 '
	answers c1 nobody.pods.example ''
}

@test "dnsname: names as podman gives them" {
	ARGS='IgnoreUnknown=1;K8S_POD_NAME=boss' attach i1 c1 '{"n":["web"],"other":["not-here"]}'
	answers c1 boss '10.7.0.2 fd00:7::2 '
	answers c1 web '10.7.0.2 fd00:7::2 '
	answers c1 not-here ''
}

@test "dnsname: names go with DEL, the server with the last one, also without a namespace" {
	attach i1 c1 '["web"]'
	attach i2 c2 '["db"]'
	local pid
	pid=$(server)
	must DEL dnsname i1 '' "$(conf n dnsname '"x":1')"
	wait_for 30 answers c2 web ''
	answers c2 db '10.7.0.3 fd00:7::3 '
	[ "$(server)" = "$pid" ]
	must DEL dnsname i2 c2 "$DN"
	! runs "$pid"
	in_world test ! -e /run/gantry-dnsname
	must DEL dnsname i2 c2 "$DN"
}

@test "dnsname: GC takes the names of nobody, and the server when none is left" {
	attach i1 c1 '["web"]'
	attach i2 c2 '["db"]'
	local pid
	pid=$(server)
	must GC dnsname '' '' "$(V=1.1.0 conf n dnsname '"cni.dev/valid-attachments":[{"containerID":"i2","ifname":"eth0"}]')"
	in_world grep -q db "$DIR/hosts"
	! in_world grep -q web "$DIR/hosts"
	must GC dnsname '' '' "$(V=1.1.0 conf n dnsname '"cni.dev/valid-attachments":[]')"
	! runs "$pid"
	in_world test ! -e /run/gantry-dnsname
}

@test "dnsname: a server that died comes back with the next ADD, and by repair" {
	attach i1 c1 '["web"]'
	kill -KILL "$(server)"
	wait_for 30 answers c1 web ''
	attach i2 c2 '["db"]'
	answers c1 web '10.7.0.2 fd00:7::2 '
	must CHECK dnsname i2 c2 "$DN"
	kill -KILL "$(server)"
	wait_for 30 answers c1 web ''
	call CHECK dnsname i2 c2 "$DN"
	refused 999 'dnsmasq does not run'
	ARGS='Repair=1' must CHECK dnsname i2 c2 "$DN"
	answers c1 db '10.7.0.3 fd00:7::3 '
	in_world sh -c "echo >$DIR/hosts"
	call CHECK dnsname i2 c2 "$DN"
	refused 999 'the names of this container are not in'
}

@test "dnsname: the pid file proves nothing about a process" {
	attach i1 c1 '["web"]'
	kill -KILL "$(server)"
	sleep 600 3>&- &
	local pid=$!
	in_world sh -c "echo $pid >$DIR/pid"
	attach i2 c2 '["db"]'
	runs "$pid"
	answers c1 db '10.7.0.3 fd00:7::3 '
	must DEL dnsname i1 c1 "$DN"
	must DEL dnsname i2 c2 "$DN"
	runs "$pid"
	kill "$pid"
}

@test "dnsname: refusals leave nothing" {
	local base
	must ADD bridge i1 c1 "$(bridge)"
	base=$(prev "$(conf n dnsname '"x":1')")
	call ADD dnsname i1 c1 "$(jq -c 'del(.prevResult.ips[].gateway)' <<<"$base")"
	refused 7 'no gateway'
	call ADD dnsname i1 c1 "$(with "$base" '.runtimeConfig.aliases=["a\nb"]')"
	refused 7 'aliases: .*no host name'
	call ADD dnsname i1 c1 "$(with "$base" '.runtimeConfig.aliases="a"')"
	refused 7 'runtimeConfig.aliases: expected array'
	call ADD dnsname i1 c1 "$(with "$base" 'del(.prevResult)')"
	refused 7 'prevResult'
	call ADD dnsname i1 c1 "$(with "$base" '.domainName="a b"')"
	refused 7 'domainName'
	# an address that is not the host's
	call ADD dnsname i1 c1 "$(with "$base" '.prevResult.ips=[{"address":"10.7.0.2/24","gateway":"10.99.0.1"}]')"
	refused 999 'start dnsmasq: .*10.99.0.1'
	in_world test ! -e /run/gantry-dnsname
}

@test "dnsname: without dnsmasq STATUS and ADD say so" {
	must STATUS dnsname '' '' "$(V=1.1.0 conf n dnsname '"x":1')"
	must ADD bridge i1 c1 "$(bridge)"
	DN=$(prev "$(conf n dnsname '"x":1')")
	in_world mount --bind /dev/null /usr/sbin/dnsmasq
	call STATUS dnsname '' '' "$(V=1.1.0 conf n dnsname '"x":1')"
	refused 50 'dnsmasq is not installed'
	call ADD dnsname i1 c1 "$DN"
	refused 50 'dnsmasq is not installed'
	in_world umount /usr/sbin/dnsmasq
}

@test "dnsname: many at once have one server, and all their names" {
	local i pid adds=()
	attach i0 c1 '["first"]'
	must DEL dnsname i0 c1 "$DN"
	for i in $(seq 12); do
		with "$DN" --arg n "name$i" '.runtimeConfig.aliases=[$n]' >"$T/conf$i"
		in_world env CNI_COMMAND=ADD CNI_CONTAINERID="m$i" CNI_NETNS=/run/netns/c1 CNI_IFNAME=eth0 CNI_ARGS= \
			CNI_PATH="$CNI_PLUGINS" sh -c 'exec "$0" <"$1"' "$CNI_PLUGINS/dnsname" "$T/conf$i" >"$T/out$i" 3>&- &
		adds+=($!)
	done
	wait "${adds[@]}"
	for i in $(seq 12); do
		grep -q 10.7.0.1 "$T/out$i" || { cat "$T/out$i"; return 1; }
		wait_for 30 answers c1 "name$i" '10.7.0.2 fd00:7::2 '
	done
	pid=$(server)
	for i in $(seq 12); do must DEL dnsname "m$i" '' "$DN"; done
	! runs "$pid"
	in_world test ! -e /run/gantry-dnsname
}

# in_group GROUP COMMAND...: in that group of every hierarchy
in_group() {
	local group=$1
	shift
	# shellcheck disable=SC2016
	in_world sh -c 'group=$1; shift
		for top in $(awk '\''$3 == "cgroup" || $3 == "cgroup2" {print $2}'\'' /proc/self/mounts | sort -u); do
			mkdir -p "$top/$group" && echo $$ >"$top/$group/cgroup.procs"
		done 2>/dev/null
		exec "$@"' sh "$group" "$@"
}

@test "dnsname: whoever ends the groups of the first container does not end the others' server" {
	local group=gantry-dnsname-test-$BASHPID pid top
	must ADD bridge i1 c1 "$(bridge)"
	DN=$(prev "$(conf n dnsname '"runtimeConfig":{"aliases":["web"]}')")
	printf '%s' "$DN" >"$T/conf"
	in_group "$group" env CNI_COMMAND=ADD CNI_CONTAINERID=i1 CNI_NETNS=/run/netns/c1 CNI_IFNAME=eth0 CNI_ARGS= \
		CNI_PATH="$CNI_PLUGINS" sh -c 'exec "$0" <"$1"' "$CNI_PLUGINS/dnsname" "$T/conf" >"$T/out"
	pid=$(server)
	attach i2 c2 '["db"]'
	[ "$(server)" = "$pid" ]
	[ -z "$(grep "$group" "/proc/$pid/cgroup")" ]
	grep -q 'gantry-dnsname$' "/proc/$pid/cgroup"
	# what ending a group comes to: all that is in it, in any hierarchy, is killed, and it goes
	for top in $(cgroup_tops); do
		[ -d "$top/$group" ] || continue
		while read -r p; do kill -KILL "$p"; done <"$top/$group/cgroup.procs"
		rmdir "$top/$group"
	done
	runs "$pid"
	must DEL dnsname i1 '' "$DN"
	wait_for 30 answers c1 web ''
	answers c1 db '10.7.0.3 fd00:7::3 '
	must DEL dnsname i2 c2 "$DN"
	! runs "$pid"
	# it is the whole machine's: servers of other tests may be in it
	wait_for 60 no_empty_group
}
no_empty_group() {
	local dir
	for dir in $(find /sys/fs/cgroup -maxdepth 2 -name gantry-dnsname); do
		[ -s "$dir/cgroup.procs" ] && [ -n "$(cat "$dir/cgroup.procs")" ] || return 1
	done
}

# town NAME NUMBER ID NETNS ALIAS [MEMBERS]: on a network of its own, with a domain
town() {
	must ADD bridge "$3" "$4" "$(conf "$1" bridge "\"bridge\":\"br$2\",\"isGateway\":true,$(ipam "\"subnet\":\"10.7.$2.0/24\"")")"
	DN=$(prev "$(conf "$1" dnsname "\"domainName\":\"$1.example\",\"runtimeConfig\":{\"aliases\":[\"$5\"]}${6:+,$6}")")
	must ADD dnsname "$3" "$4" "$DN"
}
# asked NETNS SERVER NAME
asked() {
	inside "$1" "$(busybox_static)" nslookup "$3" "$2" 2>/dev/null | sed -n '/^Name:/,$s/^Address[ 0-9]*: *//p' | tr '\n' ' '
}
answered() { [ "$(asked "$1" "$2" "$3")" = "$4" ]; }

@test "dnsname: multiDomain: servers of networks ask each other, as long as both are there and want it" {
	local multi='"multiDomain":true'
	pod c3 c4
	town north 1 i1 c1 web "$multi"
	local north=$DN
	town south 2 i2 c2 db "$multi"
	local south=$DN
	town west 3 i3 c3 gate
	wait_for 30 answered c1 10.7.1.1 db.south.example '10.7.2.2 '
	wait_for 30 answered c2 10.7.2.1 web.north.example '10.7.1.2 '
	answered c1 10.7.1.1 web '10.7.1.2 '
	# a name that is nobody's, and one of a network that does not take part
	answered c1 10.7.1.1 nobody.south.example ''
	answered c1 10.7.1.1 gate.west.example ''
	answered c3 10.7.3.1 web.north.example ''
	# short names stay those of the own network
	answered c1 10.7.1.1 db ''
	# a second container of a network, and a network that comes later
	town east 4 i4 c4 late "$multi"
	wait_for 30 answered c1 10.7.1.1 late.east.example '10.7.4.2 '
	local east=$DN
	must CHECK dnsname i4 c4 "$DN"
	# gone
	must DEL dnsname i2 c2 "$south"
	[ "$(in_world cat /run/gantry-dnsname/north/servers)" = 'server=/east.example/10.7.4.1' ]
	wait_for 30 answered c1 10.7.1.1 db.south.example ''
	must DEL dnsname i1 c1 "$north"
	must DEL dnsname i4 c4 "$east"
	[ "$(in_world ls /run/gantry-dnsname)" = west ]
	must DEL dnsname i3 '' "$(conf west dnsname '"x":1')"
	in_world test ! -e /run/gantry-dnsname
}

@test "dnsname: multiDomain of two networks with one domain: neither asks the other" {
	local multi='"domainName":"pods.example","multiDomain":true'
	must ADD bridge i1 c1 "$(bridge)"
	DN=$(prev "$(conf n dnsname "\"runtimeConfig\":{\"aliases\":[\"web\"]},$multi")")
	must ADD dnsname i1 c1 "$DN"
	must ADD bridge i2 c2 "$(conf m bridge "\"bridge\":\"br1\",\"isGateway\":true,$(ipam '"subnet":"10.8.0.0/24"')")"
	must ADD dnsname i2 c2 "$(prev "$(conf m dnsname "\"runtimeConfig\":{\"aliases\":[\"db\"]},${multi/pods/Pods}")")"
	[ -z "$(in_world cat /run/gantry-dnsname/n/servers /run/gantry-dnsname/m/servers)" ]
	answers c1 web.pods.example '10.7.0.2 fd00:7::2 '
	answers c1 nobody.pods.example ''
	call ADD dnsname i3 c2 "$(with "$DN" '.multiDomain="x"')"
	refused 7 'multiDomain: expected true or false'
	must DEL dnsname i1 c1 "$DN"
	must DEL dnsname i2 c2 "$(conf m dnsname '"x":1')"
	in_world test ! -e /run/gantry-dnsname
}
