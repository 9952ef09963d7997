# The isolator resource/network-bandwidth: what the kernel was told, and what is measured.

load ../lib/gantry

have_ifb() { unshare -n ip link add x type ifb 2>/dev/null; }

setup_file() {
	need veth ifb
	suite_up
}
teardown_file() { suite_down; }
setup() { test_up; }
teardown() { test_down; }

bw() { printf '"isolators":[{"name":"resource/network-bandwidth","value":{"default":true,"limit":"%s"}}]' "$1"; }

# app NAME MORE: one of the manifest's apps
app() {
	printf '{"name":"%s","image":{"id":"%s"},"app":{"exec":["/probe","pause"],"user":"0","group":"0"%s}}' \
		"$1" "$PROBE_ID" "${2:+,$2}"
}
# pod APPS MORE
pod() { printf '{"acVersion":"0.8.11","acKind":"PodManifest","apps":[%s]%s}' "$1" "${2:+,$2}" >"$T/pod.json"; }

start() {
	g run --detach "$@" --pod-manifest="$T/pod.json"
	assert_ok
	UUID=${lines[-1]}
	NS=/proc/$(pod_pid "$UUID")/ns/net
	IP=$(gantry status "$UUID" | sed -n 's/^networks=.*ip4=\([0-9.]*\).*/\1/p')
}
in_pod() { in_world nsenter --net="$NS" -- "$@"; }
ifbs() { in_world ip -o link show type ifb | wc -l; }

# seconds of 3 MB from one side to the other, in thousandths; $1 where it listens, $2 who sends, $3 address
listens() { "$1" ss -Htln | grep -q ':9000 '; }
transfer() {
	local from
	"$1" timeout 120 nc -n -l -p 9000 </dev/null >"$T/got" 3>&- &
	wait_for 60 listens "$1"
	from=$(date +%s%N)
	head -c 3000000 /dev/zero | "$2" nc -n -N -w 120 "$3" 9000
	wait $!
	assert_equal "$(stat -c %s "$T/got")" 3000000
	TOOK=$((($(date +%s%N) - from) / 1000000))
}

@test "bandwidth: an app's limit is its pod's, both ways, and never lo's" {
	pod "$(app probe "$(bw 1M)")"
	leak_snapshot
	start --net=default
	# 1 MB a second, a tenth of it at once
	in_world tc qdisc show >"$T/tc"
	assert_equal "$(grep -c 'tbf .*rate 8Mbit burst 100000b' "$T/tc")" 2
	assert_equal "$(ifbs)" 1
	in_pod tc qdisc show dev lo | grep -q tbf && fail "lo is limited"
	transfer in_pod in_world "$IP"
	[ "$TOOK" -ge 2000 ] || fail "received in $TOOK ms"
	transfer in_world in_pod 172.16.28.1
	[ "$TOOK" -ge 2000 ] || fail "sent in $TOOK ms"
	g stop "$UUID"
	wait_state "$UUID" exited
	collect_all
	assert_equal "$(ifbs)" 0
	assert_no_leaks
}

@test "bandwidth: the pod's bounds its app's, on each of its networks" {
	cat >"$LOCAL/net.d/10-own.conflist" <<'END'
{"cniVersion":"1.0.0","name":"own","plugins":[
 {"type":"ptp","ipam":{"type":"host-local","dataDir":"/run/gantry/networks","subnet":"10.44.0.0/24"}},
 {"type":"bandwidth","ingressRate":800000,"ingressBurst":800000,"egressRate":800000000,"egressBurst":800000000}]}
END
	pod "$(app probe "$(bw 4M)")" "$(bw 2M)"
	g run --dry-run --net=own,default --pod-manifest="$T/pod.json"
	assert_ok
	assert_match 'bandwidth: at most 2000000 bytes a second on each network, each way' 'eth0: own \(ptp\+bandwidth,' \
		'eth1: default \(ptp\+([a-z]+\+)?bandwidth, built in\)'
	start --net=own,default
	in_world tc qdisc show >"$T/tc"
	assert_equal "$(grep -c 'tbf .*rate 800Kbit' "$T/tc")" 1
	assert_equal "$(grep -c 'tbf .*rate 16Mbit burst 200000b' "$T/tc")" 3
	g stop "$UUID"
	assert_ok
	wait_state "$UUID" exited
	collect_all
}

@test "bandwidth: of several apps only the pod can be limited" {
	pod "$(app a "$(bw 4M)"),$(app b)"
	g run --pod-manifest="$T/pod.json"
	assert_refused 254 'app a: isolator resource/network-bandwidth: the apps of a pod share its network'
	pod "$(app a),$(app b)" "$(bw 2M)"
	start --net=default
	assert_equal "$(in_world tc qdisc show | grep -c 'tbf .*rate 16Mbit')" 2
	g stop "$UUID"
	assert_ok
	wait_state "$UUID" exited
	collect_all
}
