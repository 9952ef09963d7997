# Networks: default, none, host, named ones, and that nothing of them stays.

load ../lib/gantry

setup_file() {
	need veth nft
	suite_up
	write_recorder
}
teardown_file() { suite_down; }
setup() { test_up; }
teardown() { test_down; }

# A plugin that writes down how it was called, and answers as its configuration says ("behave").
write_recorder() {
	in_world sh -c 'cat >/opt/cni/bin/recorder; chmod 755 /opt/cni/bin/recorder' <<'PLUGIN'
#!/bin/sh
conf=$(cat)
field() { printf '%s' "$conf" | tr -d '\n' | sed -n "s/.*\"$1\": *\"\([^\"]*\)\".*/\1/p"; }
log=$(field log)
{
	echo "COMMAND $CNI_COMMAND"
	env | grep ^CNI_ | sort
	env | grep -v ^CNI_ | grep -vE '^(PATH|PWD|_|SHLVL|OLDPWD)=' | sed 's/^/OTHER /'
	printf 'STDIN %s\n' "$(printf '%s' "$conf" | tr -d '\n')"
	for fd in /proc/$$/fd/*; do
		echo "FD ${fd##*/} $(readlink "$fd")"
	done
	[ -z "$CNI_NETNS" ] || [ ! -e "$CNI_NETNS" ] || echo "NETNS net:[$(stat -L -c %i "$CNI_NETNS")]"
	echo END
} >>"$log"
result='{"cniVersion":"1.0.0","interfaces":[],"ips":[{"address":"10.1.2.3/24"}],"routes":[],"dns":{"nameservers":["192.0.2.53"],"search":["cni.example"],"options":["timeout:7"]}}'
case $CNI_COMMAND:$(field behave) in
VERSION:*) echo '{"cniVersion":"1.0.0","supportedVersions":["0.3.1","0.4.0","1.0.0","1.1.0"]}' ;;
ADD:fail) echo '{"cniVersion":"1.0.0","code":11,"msg":"no luck today","details":"none"}'; exit 1 ;;
ADD:garbage) echo 'this is not json' ;;
ADD:silent) ;;
ADD:crash) kill -SEGV $$ ;;
ADD:flood) yes '"x",' ;;
DEL:faildel) [ -e "$log.pass" ] || { echo '{"cniVersion":"1.0.0","code":12,"msg":"cannot let go"}'; exit 1; } ;;
DEL:*) ;;
*) echo "$result" ;;
esac
PLUGIN
}

# net FILE JSON: a network of the sandbox.
net() { printf '%s' "$2" >"$LOCAL/net.d/$1"; }

ipam() { printf '"ipam":{"type":"host-local","subnet":"%s"%s}' "$1" "${2:-}"; }

recorder() { # NAME BEHAVIOUR
	net "20-$1.conf" "{\"cniVersion\":\"1.0.0\",\"name\":\"$1\",\"type\":\"recorder\",\"log\":\"$T/$1.log\",\"behave\":\"$2\"}"
}

pod_ip() { gantry status "$1" | sed -n 's/^networks=.*ip4=\([0-9.]*\).*/\1/p'; }

from_host() { in_world "$PROBE" connect "$1" "$2" wait; }

veths() { in_world ip -o link show type veth | awk -F': ' '{print $2}' | sort; }

calls() { grep -c "^COMMAND $1\$" "$2" 2>/dev/null || :; }

# --- the three that need no configuration

@test "net: none is a namespace of its own with lo up" {
	run_probe -- ns , addrs
	assert_ok
	[ "$(value 'ns net')" != "$(in_world readlink /proc/self/ns/net)" ] || fail "the host's namespace"
	assert_equal "$(grep -c ^link= "$T/out")" 1
	assert_out link=lo 'addr lo=127.0.0.1 up'
}

@test "net: host is the host's" {
	g run --net=host "$PROBE_ID" -- ns , addrs
	assert_ok
	assert_equal "$(value 'ns net')" "$(in_world readlink /proc/self/ns/net)"
}

@test "net: host pods can listen for the host" {
	NET=host start_pod "$PROBE_ID" -- listen 18080 hello
	from_host 127.0.0.1 18080 >"$T/out"
	assert_out 'connect 127.0.0.1 18080=ok hello'
}

@test "net: default gives eth0, an address, a route, and is what there is without --net" {
	g run "$PROBE_ID" -- addrs , cat /proc/net/route
	assert_ok
	assert_out link=lo link=eth0
	assert_match '^addr eth0=172\.16\.28\.[0-9]+ up' '^eth0\s+00000000\s'
	g run --net "$PROBE_ID" -- addrs
	assert_ok
	assert_match '^addr eth0=172\.16\.28\.'
}

@test "net: host and pod reach each other, and apps by loopback" {
	NET=default start_pod "$PROBE_ID" --name=server -- listen 8080 hello --- \
		"$PROBE_ID" --name=client -- connect 127.0.0.1 8080 wait , pause
	local ip
	ip=$(pod_ip "$UUID")
	[ -n "$ip" ] || fail "no address in status: $(gantry status "$UUID")"
	from_host "$ip" 8080 >"$T/out"
	assert_out "connect $ip 8080=ok hello"
	wait_line "$DATA/pods/run/$UUID/logs/client.log" 'connect 127.0.0.1 8080=ok hello'
}

@test "net: pods reach each other" {
	NET=default start_pod "$PROBE_ID" -- listen 8080 hello
	local ip
	ip=$(pod_ip "$UUID")
	g run "$PROBE_ID" -- connect "$ip" 8080 wait
	assert_ok
	assert_out "connect $ip 8080=ok hello"
}

@test "net: masquerade: one rule for the network, whatever the number of pods; gone with the last" {
	leak_snapshot
	local i n=()
	for i in 1 2 3; do
		NET=default start_pod "$PROBE_ID" -- pause
		n+=("$(in_world nft list ruleset | grep -c masquerade)")
	done
	assert_equal "${n[*]}" "${n[0]} ${n[0]} ${n[0]}"
	[ "${n[0]}" -ge 1 ] || fail "no masquerade rule: $(in_world nft list ruleset)"
	g stop $(known_pods)
	assert_ok
	collect_all
	assert_no_leaks
}

@test "net: addresses are in list and status, also as JSON" {
	NET=default start_pod "$PROBE_ID" -- pause
	local ip
	ip=$(pod_ip "$UUID")
	g list --no-legend
	assert_match "default:ip4=$ip\s*$"
	g status "$UUID"
	assert_out "networks=default:ip4=$ip"
	g status --format=json "$UUID"
	assert_json ".networks[0] | .netName == \"default\" and .ifName == \"eth0\" and .ip == \"$ip\""
	g run --net=host --uuid-file-save="$T/uuid" "$PROBE_ID" -- id
	g status --format=json "$(cat "$T/uuid")"
	assert_json '(.networks // []) | length == 0'
}

@test "net: nothing is left after an ordinary end" {
	leak_snapshot
	g run "$PROBE_ID" -- exit 0
	assert_ok
	collect_all
	assert_no_leaks
}

@test "net: an address is given back when the pod ends, before any gc" {
	NET='default:IP=172.16.28.88' start_pod "$PROBE_ID" -- pause
	g stop "$UUID"
	assert_ok
	wait_state "$UUID" exited
	g run --net=default:IP=172.16.28.88 "$PROBE_ID" -- addrs
	assert_ok
	assert_out 'addr eth0=172.16.28.88 up'
}

# --- arguments

@test "net: IP= asks for an address" {
	g run --net=default:IP=172.16.28.77 "$PROBE_ID" -- addrs
	assert_ok
	assert_out 'addr eth0=172.16.28.77 up'
}

@test "net: an address that is taken or not of the network is refused" {
	NET='default:IP=172.16.28.77' start_pod "$PROBE_ID" -- pause
	g run --net=default:IP=172.16.28.77 "$PROBE_ID" -- id
	assert_refused 254 'failed to setup network' 'requested IP address "?172.16.28.77"? is not available'
	g run --net=default:IP=10.0.0.1 "$PROBE_ID" -- id
	assert_refused 254 '10.0.0.1'
}

@test "net: words of --net that make no sense" {
	g run --net=none --net=none "$PROBE_ID" -- id
	assert_refused 254 'none'
	g run --net=default,default "$PROBE_ID" -- id
	assert_refused 254 'default'
	g run --net=host:IP=1.2.3.4 "$PROBE_ID" -- id
	assert_refused 254 'host'
	g run --net=all:IP=1.2.3.4 "$PROBE_ID" -- id
	assert_refused 254 'all'
	g run --net=,default "$PROBE_ID" -- id
	assert_refused 254 'net'
	g run --net=nowhere "$PROBE_ID" -- id
	assert_refused 254 'nowhere'
	g run --net=../../etc "$PROBE_ID" -- id
	assert_refused 254 '\.\./\.\./etc'
}

@test "net: an unknown network leaves nothing" {
	leak_snapshot
	g run --net=default --net=nowhere "$PROBE_ID" -- id
	assert_refused 254 'failed to setup network|networks? not found' 'nowhere'
	collect_all
	assert_no_leaks
}

# --- configured networks

@test "net: a bridge by .conf" {
	need bridge
	leak_snapshot
	net 10-br.conf "{\"cniVersion\":\"1.0.0\",\"name\":\"br\",\"type\":\"bridge\",\"bridge\":\"gtest0\",\"isGateway\":true,\"ipMasq\":true,$(ipam 10.88.1.0/24 ',"routes":[{"dst":"0.0.0.0/0"}]')}"
	NET=br start_pod "$PROBE_ID" -- listen 8080 one
	local a=$UUID ip
	ip=$(pod_ip "$a")
	[[ $ip == 10.88.1.* ]] || fail "address: $ip"
	from_host "$ip" 8080 >"$T/out"
	assert_out "connect $ip 8080=ok one"
	# two pods on one bridge reach each other
	g run --net=br "$PROBE_ID" -- connect "$ip" 8080 wait , addrs
	assert_ok
	assert_out "connect $ip 8080=ok one"
	g stop "$a"
	collect_all
	# the bridge itself belongs to the network, not to a pod
	in_world ip link del gtest0 2>/dev/null || :
	assert_no_leaks
}

@test "net: a chain by .conflist" {
	leak_snapshot
	net 10-chain.conflist "{\"cniVersion\":\"1.0.0\",\"name\":\"chain\",\"plugins\":[{\"type\":\"ptp\",$(ipam 10.88.2.0/24)},{\"type\":\"recorder\",\"log\":\"$T/chain.log\",\"behave\":\"ok\"}]}"
	g run --net=chain "$PROBE_ID" -- addrs
	assert_ok
	assert_match '^addr eth0=10\.88\.2\.'
	assert_equal "$(calls ADD "$T/chain.log")" 1
	grep -q '^STDIN.*"prevResult"' "$T/chain.log" || fail "no prevResult: $(cat "$T/chain.log")"
	collect_all
	assert_equal "$(calls DEL "$T/chain.log")" 1
	assert_no_leaks
}

@test "net: several networks are eth0, eth1 in the order of their files" {
	leak_snapshot
	net 20-second.conf "{\"cniVersion\":\"1.0.0\",\"name\":\"second\",\"type\":\"ptp\",$(ipam 10.88.4.0/24)}"
	net 10-first.conf "{\"cniVersion\":\"1.0.0\",\"name\":\"first\",\"type\":\"ptp\",$(ipam 10.88.3.0/24)}"
	g run --net=second --net=first "$PROBE_ID" -- addrs
	assert_ok
	assert_match '^addr eth0=10\.88\.3\.' '^addr eth1=10\.88\.4\.'
	g run --net=all "$PROBE_ID" -- addrs
	assert_ok
	assert_match '=10\.88\.3\.' '=10\.88\.4\.'
	collect_all
	assert_no_leaks
}

@test "net: a local network named default takes the place of the built-in one" {
	net 10-default.conf "{\"cniVersion\":\"1.0.0\",\"name\":\"default\",\"type\":\"ptp\",$(ipam 10.88.5.0/24)}"
	g run "$PROBE_ID" -- addrs
	assert_ok
	assert_match '^addr eth0=10\.88\.5\.'
}

@test "net: older versions of the specification" {
	local v
	for v in 0.3.1 0.4.0 1.0.0 1.1.0; do
		net 10-old.conf "{\"cniVersion\":\"$v\",\"name\":\"old\",\"type\":\"ptp\",$(ipam 10.88.6.0/24)}"
		g run --net=old "$PROBE_ID" -- addrs
		assert_ok
		assert_match '^addr eth0=10\.88\.6\.'
	done
}

@test "net: IPv6 beside IPv4" {
	net 10-dual.conf '{"cniVersion":"1.0.0","name":"dual","type":"ptp","ipam":{"type":"host-local","ranges":[[{"subnet":"10.88.7.0/24"}],[{"subnet":"2001:db8:88::/64"}]]}}'
	g run --net=dual "$PROBE_ID" -- addrs
	assert_ok
	assert_match '^addr eth0=10\.88\.7\.' '^addr eth0=2001:db8:88::'
}

@test "net: broken configurations are named" {
	net 10-broken.conf '{"name":"broken",'
	g run --net=broken "$PROBE_ID" -- id
	assert_refused 254 '10-broken.conf|broken'
	net 10-broken.conf '{"cniVersion":"1.0.0","name":"broken","name":"other","type":"ptp"}'
	g run --net=broken "$PROBE_ID" -- id
	assert_refused 254 '10-broken.conf|broken'
	net 10-broken.conf '{"cniVersion":"1.0.0","name":"broken","type":"no-such-plugin"}'
	g run --net=broken "$PROBE_ID" -- id
	assert_refused 254 broken no-such-plugin
	net 10-broken.conf '{"cniVersion":"9.9.9","name":"broken","type":"ptp"}'
	g run --net=broken "$PROBE_ID" -- id
	assert_refused 254 broken '9\.9\.9'
}

@test "net: neither a plugin's type nor a network's name is a path" {
	printf '#!/bin/sh\n: >"%s"\n' "$T/ran" >"$T/evil"
	chmod 755 "$T/evil"
	net 10-x.conf "{\"cniVersion\":\"1.0.0\",\"name\":\"x\",\"type\":\"../../..$T/evil\"}"
	g run --net=x "$PROBE_ID" -- id
	assert_refused 254 'type|evil'
	net 10-x.conf "{\"cniVersion\":\"1.0.0\",\"name\":\"../../..$T/made\",\"type\":\"ptp\",$(ipam 10.88.8.0/24)}"
	g run "--net=../../..$T/made" "$PROBE_ID" -- id
	assert_refused 254 'made'
	[ ! -e "$T/ran" ] && [ ! -e "$T/made" ] || fail "a path was used"
}

@test "net: a broken file is named whatever was asked for: it could hold the name" {
	net 99-bad.conf '{"name":'
	g run "$PROBE_ID" -- out started
	assert_refused 254 '99-bad.conf'
	g run --net=none "$PROBE_ID" -- out fine
	assert_ok
	assert_out fine
	g run --net=host "$PROBE_ID" -- out fine
	assert_ok
}

# --- the contract with plugins

@test "net: what a plugin is given" {
	recorder rec ok
	g run --uuid-file-save="$T/uuid" --net='rec:IP=10.1.2.3;COLOR=blue' "$PROBE_ID" -- ns
	assert_ok
	local ns
	ns=$(value 'ns net')
	COMMAND_SHOWN=$(cat "$T/rec.log")
	grep -qx "CNI_CONTAINERID=$(cat "$T/uuid")" "$T/rec.log" || fail "container ID"
	grep -qx 'CNI_IFNAME=eth0' "$T/rec.log" || fail "interface"
	grep -qE '^CNI_NETNS=/' "$T/rec.log" || fail "namespace"
	grep -qxF "NETNS $ns" "$T/rec.log" || fail "the namespace is not the app's"
	grep -qE '^CNI_ARGS=(.*;)?IP=10\.1\.2\.3(;|$)' "$T/rec.log" || fail "arguments"
	grep -qE '^CNI_ARGS=(.*;)?COLOR=blue(;|$)' "$T/rec.log" || fail "arguments"
	grep -qE '^CNI_PATH=.*/cni.*:/usr/lib/cni:/opt/cni/bin' "$T/rec.log" || fail "path"
	grep -qE '^STDIN .*"name": ?"rec"' "$T/rec.log" || fail "configuration"
	# a plugin holds neither the pod's lock nor anything else
	# pipes are its streams, the rest is the shell's own: no directory, no socket, no lock
	! grep -E '^FD ' "$T/rec.log" | grep -vE '^FD [0-9]+ (pipe:|/dev/null|/opt/cni/bin/recorder)' |
		grep -vF "$T/rec.log" || fail "descriptors"
}

@test "net: DNS of a plugin is written for the pod, unless --dns says other" {
	recorder rec ok
	g run --net=rec "$PROBE_ID" -- cat /etc/resolv.conf
	assert_ok
	assert_out 'nameserver 192.0.2.53' 'search cni.example' 'options timeout:7'
	g run --net=rec --dns=192.0.2.1 "$PROBE_ID" -- cat /etc/resolv.conf
	assert_ok
	assert_out 'nameserver 192.0.2.1'
	refute_out 'nameserver 192.0.2.53'
	g run --net=rec --dns=none "$PROBE_ID" -- stat /etc/resolv.conf
	assert_ok
	assert_out 'stat /etc/resolv.conf=ENOENT'
}

@test "net: each ADD has its DEL, with the same configuration and the result before it" {
	recorder rec ok
	g run --net=rec "$PROBE_ID" -- id
	assert_ok
	collect_all
	assert_equal "$(calls ADD "$T/rec.log")" 1
	assert_equal "$(calls DEL "$T/rec.log")" 1
	sed -n '/^COMMAND DEL/,/^END/p' "$T/rec.log" | grep -q '^STDIN.*prevResult' || fail "no prevResult at DEL"
}

@test "net: a plugin that fails: its words, DEL for what was added, and nothing left" {
	leak_snapshot
	veths >"$T/links"
	net 10-chain.conflist "{\"cniVersion\":\"1.0.0\",\"name\":\"chain\",\"plugins\":[{\"type\":\"ptp\",\"ipMasq\":true,$(ipam 10.88.9.0/24)},{\"type\":\"recorder\",\"log\":\"$T/chain.log\",\"behave\":\"fail\"}]}"
	g run --net=chain --uuid-file-save="$T/uuid" "$PROBE_ID" -- out started
	assert_refused 254 'failed to setup network' chain 'no luck today'
	refute_match started
	assert_equal "$(calls DEL "$T/chain.log")" 1
	# at once, not only by gc
	[ -z "$(comm -13 "$T/links" <(veths))" ] || fail "left: $(veths)"
	assert_equal "$(pod_state "$(cat "$T/uuid")")" exited
	collect_all
	assert_no_leaks
}

@test "net: the second of two networks fails: the first is taken back" {
	leak_snapshot
	net 10-first.conf "{\"cniVersion\":\"1.0.0\",\"name\":\"first\",\"type\":\"ptp\",$(ipam 10.88.10.0/24)}"
	recorder second fail
	g run --net=first --net=second "$PROBE_ID" -- id
	assert_refused 254 second 'no luck today'
	collect_all
	assert_no_leaks
}

@test "net: plugins that answer with garbage, nothing, a crash or a flood" {
	local how
	for how in garbage silent crash flood; do
		leak_snapshot
		recorder rec $how
		g run --net=rec "$PROBE_ID" -- id
		assert_refused 254 'failed to setup network.*rec'
		collect_all
		assert_no_leaks
	done
}

@test "net: a DEL that fails keeps the pod, is named, and is tried again" {
	recorder rec faildel
	g run --net=rec --uuid-file-save="$T/uuid" "$PROBE_ID" -- exit 0
	UUID=$(cat "$T/uuid")
	g gc --grace-period=0s
	assert_err recorder
	assert_err 'cannot let go'
	[ -d "$DATA/pods/exited-garbage/$UUID" ] || fail "the pod is not in exited-garbage"
	: >"$T/rec.log.pass"
	g gc --grace-period=0s
	assert_ok
	[ ! -d "$DATA/pods/exited-garbage/$UUID" ] || fail "the pod is still there"
}

@test "net: after the monitor's death a plugin that is not ours still has the namespace at its DEL" {
	recorder rec ok
	NET=rec start_pod "$PROBE_ID" -- pause
	kill -KILL "$(monitor_of "$UUID")"
	wait_state "$UUID" exited
	collect_all
	COMMAND_SHOWN=$(cat "$T/rec.log")
	assert_equal "$(calls DEL "$T/rec.log")" 1
	sed -n '/^COMMAND DEL/,/^END/p' "$T/rec.log" | grep -qE '^NETNS net:\[[0-9]+\]$' || fail "CNI_NETNS at DEL"
	assert_equal "$(grep -c '^NETNS' "$T/rec.log")" 2
	assert_equal "$(grep '^NETNS' "$T/rec.log" | sort -u | wc -l)" 1
	assert_equal "$(in_world ls /run/gantry/netns)" ''
}

@test "net: where the namespace is really gone DEL is still run, with an empty CNI_NETNS" {
	recorder rec ok
	NET=rec start_pod "$PROBE_ID" -- pause
	kill -KILL "$(monitor_of "$UUID")"
	wait_state "$UUID" exited
	# as a reboot does
	in_world sh -c 'umount /run/gantry/netns/* && rm -r /run/gantry/netns'
	collect_all
	COMMAND_SHOWN=$(cat "$T/rec.log")
	assert_equal "$(calls DEL "$T/rec.log")" 1
	sed -n '/^COMMAND DEL/,/^END/p' "$T/rec.log" | grep -qE '^CNI_NETNS=$' || fail "CNI_NETNS at DEL"
}

# --- with plugins of others

@test "net: Debian's plugins work under gantry" {
	need cni bridge
	leak_snapshot
	in_world sh -c 'for p in bridge ptp host-local; do cp /usr/lib/cni/$p /opt/cni/bin/debian-$p; done'
	net 10-deb.conf '{"cniVersion":"0.4.0","name":"deb","type":"debian-bridge","bridge":"gtest1","isGateway":true,"ipam":{"type":"debian-host-local","subnet":"10.88.20.0/24"}}'
	g run --net=deb "$PROBE_ID" -- addrs
	assert_ok
	assert_match '^addr eth0=10\.88\.20\.'
	net 11-debptp.conflist '{"cniVersion":"1.0.0","name":"debptp","plugins":[{"type":"debian-ptp","ipam":{"type":"debian-host-local","subnet":"10.88.21.0/24"}},{"type":"tuning","sysctl":{"net.ipv4.conf.eth0.arp_filter":"1"}}]}'
	g run --net=debptp "$PROBE_ID" -- addrs , cat /proc/sys/net/ipv4/conf/eth0/arp_filter
	assert_ok
	assert_match '^addr eth0=10\.88\.21\.' '^1$'
	collect_all
	in_world ip link del gtest1 2>/dev/null || :
	in_world sh -c 'rm -rf /var/lib/cni /run/cni'
	assert_no_leaks
}

@test "net: all, and one of them with arguments of its own" {
	echo '{"name":"two","type":"ptp","ipam":{"type":"host-local","subnet":"10.9.0.0/24"}}' >"$LOCAL/net.d/10-two.conf"
	g run --net=all,two:IP=10.9.0.7 --detach "$PROBE_ID" -- pause
	assert_ok
	g status "$output"
	assert_match '^networks=.*two:ip4=10\.9\.0\.7' '^networks=.*default:ip4=172\.16\.28\.'
	g run --net=all,host "$PROBE_ID" -- id
	assert_refused 254 '--net: host and none stand alone'
}
