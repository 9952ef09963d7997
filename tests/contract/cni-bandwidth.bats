#!/usr/bin/env bats
# bandwidth behind ptp.  CNI_PLUGINS=/usr/lib/cni asks the reference plugins.

load ../lib/cni

have_ifb() { unshare -n ip link add x type ifb 2>/dev/null; }

setup() {
	cni_up
	need ifb
	pod c1 c2
}
teardown() { cni_down; }

ptp() { conf n ptp "$(ipam '"ranges":[[{"subnet":"10.7.0.0/24"}]]')"; }
# attach ID NETNS MEMBERS
attach() {
	must ADD ptp "$1" "$2" "$(ptp)"
	BW=$(prev "$(conf n bandwidth "$3")")
	must ADD bandwidth "$1" "$2" "$BW"
}
BOTH='"ingressRate":8000000,"ingressBurst":800000,"egressRate":4000000,"egressBurst":400000'
host_end() { in_world ip -o link show type veth | awk -F'[ @:]+' '$2 != "up0" {print $2; exit}'; }
ifb() { in_world ip -o link show type ifb | awk -F'[ @:]+' '{print $2}'; }

@test "bandwidth: token buckets in both directions, the ifb in the result" {
	attach i1 c1 "$BOTH"
	in_world tc qdisc show dev "$(host_end)" | grep -q 'tbf .*rate 8Mbit burst 100000b lat'
	[ -n "$(ifb)" ]
	in_world tc qdisc show dev "$(ifb)" | grep -q 'tbf .*rate 4Mbit burst 50000b lat'
	in_world tc filter show dev "$(host_end)" ingress | grep -q "Redirect to device $(ifb)"
	[ "$(get '.interfaces[-1].name')" = "$(ifb)" ]
	pings c1 10.7.0.1
}

@test "bandwidth: what is measured is what was asked for" {
	attach i1 c1 '"ingressRate":8000000,"ingressBurst":160000,"egressRate":8000000,"egressBurst":160000'
	# 3 MB at 1 MB/s take about three seconds; only the lower bound is asked, a busy machine is slower
	local from to
	inside c1 timeout 60 nc -n -l -p 9000 </dev/null >"$T/got" 3>&- &
	wait_for 30 inside c1 sh -c "ss -Htln | grep -q ':9000 '"
	from=$(date +%s%N)
	head -c 3000000 /dev/zero | in_world nc -n -N -w 60 10.7.0.2 9000
	wait $!
	to=$(date +%s%N)
	[ "$(stat -c %s "$T/got")" = 3000000 ]
	[ $(((to - from) / 1000000)) -ge 2000 ]
	in_world timeout 60 nc -n -l -p 9000 </dev/null >"$T/got" 3>&- &
	wait_for 30 in_world sh -c "ss -Htln | grep -q ':9000 '"
	from=$(date +%s%N)
	head -c 3000000 /dev/zero | inside c1 nc -n -N -w 60 10.7.0.1 9000
	wait $!
	to=$(date +%s%N)
	[ "$(stat -c %s "$T/got")" = 3000000 ]
	[ $(((to - from) / 1000000)) -ge 2000 ]
}

@test "bandwidth: the runtime's words, one direction, none" {
	attach i1 c1 '"runtimeConfig":{"bandwidth":{"ingressRate":8000000,"ingressBurst":800000}}'
	in_world tc qdisc show dev "$(host_end)" | grep -q 'tbf .*rate 8Mbit'
	[ -z "$(ifb)" ]
	attach i2 c2 '"capabilities":{"bandwidth":true}'
	[ "$(in_world tc qdisc show | grep -c tbf)" = 1 ]
}

@test "bandwidth: DEL takes the ifb, again, without namespace" {
	attach i1 c1 "$BOTH"
	must DEL bandwidth i1 '' "$(conf n bandwidth "$BOTH")"
	[ -z "$(ifb)" ]
	must DEL bandwidth i1 c1 "$BW"
}

@test "bandwidth: CHECK is true both ways, and puts back what is gone when asked" {
	ours_only
	local end c
	attach i1 c1 "$BOTH"
	c=$(jq -c --argjson r "$output" '.prevResult=$r' <<<"$BW")
	must CHECK bandwidth i1 c1 "$c"
	end=$(host_end)
	in_world tc qdisc del dev "$end" root
	call CHECK bandwidth i1 c1 "$c"
	refused 999 "link $end has no limit"
	in_world tc qdisc add dev "$end" root tbf rate 1mbit burst 10k latency 25ms
	call CHECK bandwidth i1 c1 "$c"
	refused 999 "link $end has another limit"
	ARGS='Repair=1' must CHECK bandwidth i1 c1 "$c"
	in_world tc qdisc del dev "$end" ingress
	call CHECK bandwidth i1 c1 "$c"
	refused 999 'is not redirected'
	in_world ip link del "$(ifb)"
	call CHECK bandwidth i1 c1 "$c"
	refused 999 'is missing'
	ARGS='Repair=1' must CHECK bandwidth i1 c1 "$c"
	must CHECK bandwidth i1 c1 "$c"
}

@test "bandwidth: GC removes the ifb of what is not valid" {
	ours_only
	attach i1 c1 "$BOTH"
	attach i2 c2 "$BOTH"
	V=1.1.0 must GC bandwidth '' '' "$(V=1.1.0 conf n bandwidth '"cni.dev/valid-attachments":[{"containerID":"i2","ifname":"eth0"}]')"
	[ "$(ifb | wc -l)" = 1 ]
	must DEL bandwidth i2 c2 "$BW"
	[ -z "$(ifb)" ]
}

@test "bandwidth: rate and burst belong together" {
	must ADD ptp i1 c1 "$(ptp)"
	local result=$output
	call ADD bandwidth i1 c1 "$(prev "$(conf n bandwidth '"ingressRate":1000')")"
	[ "$status" = 1 ] && [[ "$output" == *'if rate is set, burst must also be set'* ]]
	output=$result
	call ADD bandwidth i1 c1 "$(prev "$(conf n bandwidth '"egressBurst":1000')")"
	[ "$status" = 1 ] && [[ "$output" == *'if burst is set, rate must also be set'* ]]
	output=$result
	call ADD bandwidth i1 c1 "$(prev "$(conf n bandwidth '"egressRate":1000,"egressBurst":99999999999')")"
	[ "$status" = 1 ] && [[ "$output" == *'burst cannot be more than 4GB'* ]]
	call ADD bandwidth i1 c1 "$(conf n bandwidth "$BOTH")"
	[ "$status" = 1 ]
	[ -z "$(ifb)" ]
}
