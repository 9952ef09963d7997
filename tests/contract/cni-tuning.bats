#!/usr/bin/env bats
# tuning behind ptp.  CNI_PLUGINS=/usr/lib/cni asks the reference plugins.

load ../lib/cni

setup() {
	cni_up
	pod c1
	must ADD ptp i1 c1 "$(conf n ptp "$(ipam '"ranges":[[{"subnet":"10.7.0.0/24"}]]')")"
	RESULT=$output
}
teardown() { cni_down; }

# tune MEMBERS: the configuration, with ptp's result
tune() { output=$RESULT prev "$(conf n tuning "\"dataDir\":\"/run/tuning\",$1")"; }
value() { inside c1 cat "/proc/sys/net/$1"; }

@test "tuning: sysctls in the container, with its interface's name, not on the host" {
	local before
	before=$(in_world cat /proc/sys/net/ipv4/conf/all/arp_filter)
	must ADD tuning i1 c1 "$(tune '"sysctl":{"net.ipv4.conf.all.arp_filter":"1","net/ipv4/conf/IFNAME/arp_ignore":"2"}')"
	[ "$(value ipv4/conf/all/arp_filter)" = 1 ]
	[ "$(value ipv4/conf/eth0/arp_ignore)" = 2 ]
	[ "$(in_world cat /proc/sys/net/ipv4/conf/all/arp_filter)" = "$before" ]
	[ "$(get .interfaces[1].name)" = eth0 ]
}

@test "tuning: attributes of the interface, put back by DEL" {
	local c mac
	mac=$(inside c1 cat /sys/class/net/eth0/address 2>/dev/null || inside c1 ip -br link show eth0 | awk '{print $3}')
	c=$(tune '"mac":"02:00:00:00:00:09","mtu":1400,"promisc":true,"allmulti":true')
	must ADD tuning i1 c1 "$c"
	[ "$(get '.interfaces[]|select(.name=="eth0").mac')" = 02:00:00:00:00:09 ]
	inside c1 ip link show eth0 | grep -q 'ALLMULTI.*PROMISC\|PROMISC.*ALLMULTI'
	inside c1 ip link show eth0 | grep -q 'mtu 1400'
	inside c1 ip link show eth0 | grep -q 02:00:00:00:00:09
	in_world test -f /run/tuning/i1_eth0.json
	must DEL tuning i1 c1 "$c"
	inside c1 ip link show eth0 | grep -q 'mtu 1500'
	inside c1 ip link show eth0 | grep -q "$mac"
	! inside c1 ip link show eth0 | grep -q PROMISC
	in_world test ! -e /run/tuning/i1_eth0.json
	must DEL tuning i1 c1 "$c"
	must DEL tuning i1 '' "$c"
}

@test "tuning: txQLen; args.cni goes last" {
	ours_only
	must ADD tuning i1 c1 "$(tune '"txQLen":77,"mtu":1400,"args":{"cni":{"mtu":1300,"mac":"02:00:00:00:00:0a"}},"runtimeConfig":{"mac":"02:00:00:00:00:0b"}')"
	inside c1 ip link show eth0 | grep -q 'qlen 77'
	inside c1 ip link show eth0 | grep -q 'mtu 1300'
	inside c1 ip link show eth0 | grep -q 02:00:00:00:00:0a
}

@test "tuning: only parameters below net, none twice" {
	call ADD tuning i1 c1 "$(tune '"sysctl":{"kernel.hostname":"x"}')"
	[ "$status" = 1 ]
	call ADD tuning i1 c1 "$(tune '"sysctl":{"net/../kernel/hostname":"x"}')"
	[ "$status" = 1 ]
	call ADD tuning i1 c1 "$(tune '"sysctl":{"net.nothing.here":"x"}')"
	[ "$status" = 1 ]
	ours_only
	call ADD tuning i1 c1 "$(tune '"sysctl":{"kernel.hostname":"x"}')"
	refused 7 'sysctl "kernel.hostname": is not below net'
	call ADD tuning i1 c1 "$(tune '"sysctl":{"net.ipv4.ip_forward":"1","net/ipv4/ip_forward":"0"}')"
	refused 7 'is there twice'
	[ "$(in_world uname -n)" != x ]
}

@test "tuning: the list of what is allowed" {
	ours_only
	in_world mount -t tmpfs etc-cni /mnt
	in_world sh -c 'mkdir -p /mnt/tuning /etc/cni 2>/dev/null; mount --bind /mnt /etc/cni'
	in_world sh -c 'echo "^net\.ipv4\.conf\..*\.arp_filter$" >/etc/cni/tuning/allowlist.conf'
	must ADD tuning i1 c1 "$(tune '"sysctl":{"net.ipv4.conf.all.arp_filter":"1"}')"
	call ADD tuning i1 c1 "$(tune '"sysctl":{"net.ipv4.ip_forward":"1"}')"
	refused 7 'sysctl "net.ipv4.ip_forward": is not allowed'
}

@test "tuning: CHECK is true both ways, the interface's name included" {
	ours_only
	local c
	c=$(tune '"sysctl":{"net.ipv4.conf.IFNAME.arp_filter":"1"},"mtu":1400,"promisc":true')
	must ADD tuning i1 c1 "$c"
	must CHECK tuning i1 c1 "$c"
	inside c1 sh -c 'echo 0 >/proc/sys/net/ipv4/conf/eth0/arp_filter'
	call CHECK tuning i1 c1 "$c"
	refused 999 'sysctl "net.ipv4.conf.IFNAME.arp_filter" is "0", not "1"'
	ARGS='Repair=1' must CHECK tuning i1 c1 "$c"
	inside c1 ip link set eth0 mtu 1000
	call CHECK tuning i1 c1 "$c"
	refused 999 'mtu is not as configured'
	inside c1 ip link set eth0 mtu 1400 promisc off
	call CHECK tuning i1 c1 "$c"
	refused 999 'promisc is not as configured'
}

backups() { in_world sh -c 'cd /run/tuning && ls' | paste -sd ' '; }

@test "tuning: GC drops the backups of attachments that are gone, of this network only" {
	ours_only
	local gc
	must ADD tuning i1 c1 "$(tune '"mtu":1400')"
	must ADD tuning i_2 c1 "$(tune '"mtu":1300')"
	IF=lo must ADD tuning i1 c1 "$(tune '"mtu":9000')"
	must ADD tuning other c1 "$(with "$(tune '"mtu":1200')" '.name = "m"')"
	in_world sh -c 'echo "{\"mtu\":1500}" >/run/tuning/reference_eth0.json; echo "{" >/run/tuning/half_eth0.json'
	gc=$(V=1.1.0 conf n tuning '"dataDir":"/run/tuning"')
	# nobody says what is valid: everything may be
	V=1.1.0 must GC tuning '' '' "$gc"
	[ "$(backups)" = 'half_eth0.json i1_eth0.json i1_lo.json i_2_eth0.json other_eth0.json reference_eth0.json' ]
	must GC tuning '' '' "$(with "$gc" '."cni.dev/valid-attachments" = [{"containerID":"i1","ifname":"eth0"}]')"
	[ "$(backups)" = 'half_eth0.json i1_eth0.json other_eth0.json reference_eth0.json' ]
	must GC tuning '' '' "$(with "$gc" '."cni.dev/valid-attachments" = []')"
	[ "$(backups)" = 'half_eth0.json other_eth0.json reference_eth0.json' ]
	in_world rm -r /run/tuning
	must GC tuning '' '' "$(with "$gc" '."cni.dev/valid-attachments" = []')"
}

@test "tuning: DEL takes its backup away in every case" {
	ours_only
	local c
	c=$(tune '"mtu":1400')
	# the interface cannot be made what the backup says
	must ADD tuning i1 c1 "$c"
	in_world sh -c 'echo "{\"mtu\":1}" >/run/tuning/i1_eth0.json'
	call DEL tuning i1 c1 "$c"
	[ "$status" = 1 ]
	[ -z "$(backups)" ]
	must DEL tuning i1 c1 "$c"
	# half of a file
	in_world sh -c 'echo "{\"mtu" >/run/tuning/i1_eth0.json'
	must DEL tuning i1 c1 "$c"
	[ -z "$(backups)" ]
	# no interface, no namespace, no CNI_NETNS
	must ADD tuning i1 c1 "$c"
	inside c1 ip link del eth0
	must DEL tuning i1 c1 "$c"
	[ -z "$(backups)" ]
	in_world sh -c 'echo "{\"mtu\":1500}" >/run/tuning/i1_eth0.json; echo "{\"mtu\":1500}" >/run/tuning/i2_eth0.json'
	must DEL tuning i1 gone "$c"
	must DEL tuning i2 '' "$c"
	[ -z "$(backups)" ]
}
