#!/usr/bin/env bats
# dhcp: the daemon: its life, its socket, what it keeps of leases.
# CNI_PLUGINS=/usr/lib/cni asks the reference plugins what both promise.

# shellcheck disable=SC2015,SC2016,SC2034
load ../lib/cni
load ../lib/dhcp

setup() { dhcp_up; }
teardown() { dhcp_down; }

@test "after many calls the daemon holds nothing more" {
	ours_only
	on_bridge
	server
	keeper
	local c i before
	c=$(bridged)
	fds() { in_world sh -c 'ls /proc/$0/fd | wc -l' "$DAEMON"; }
	# a caller has his answer before the daemon closes his connection
	no_more_fds() { [ "$(fds)" -le "$before" ]; }
	must ADD bridge i1 c1 "$c"
	must DEL bridge i1 c1 "$c"
	before=$(fds)
	for i in 1 2 3 4 5 6; do
		must ADD bridge i1 c1 "$c"
		must CHECK dhcp i1 c1 "$c"
		call ADD dhcp "x$i" c2 "$c"
		must DEL bridge i1 c1 "$c"
	done
	wait_for 60 no_more_fds
}

@test "a restarted daemon goes on with the leases, and drops those of containers that are gone" {
	ours_only
	on_bridge
	server --dhcp-option-force=option:T1,3
	keeper
	must ADD bridge i1 c1 "$(bridged)"
	local n one=$output
	must ADD bridge i2 c2 "$(bridged)"
	gone "$DAEMON"
	in_world test ! -e /run/cni/dhcp.sock
	[ "$(recorded)" = 2 ]
	in_world ip netns del c2
	keeper
	[ "$(recorded)" = 1 ]
	must CHECK bridge i1 c1 "$(output=$one prev "$(bridged)")"
	n=$(logged DHCPACK)
	wait_for 120 more DHCPACK "$n"
	must DEL bridge i1 c1 "$(bridged)"
	wait_for 60 more DHCPRELEASE 0
}

@test "a restarted daemon asks for the address it had, and discovers nothing anew" {
	ours_only
	on_bridge
	server "${LATE[@]}"
	keeper
	must ADD bridge i1 c1 "$(bridged)"
	local one=$output ip n discovers
	ip=$(get .ips[0].address)
	gone "$DAEMON" KILL
	n=$(logged DHCPACK) discovers=$(logged DHCPDISCOVER)
	keeper
	wait_for 60 more DHCPACK "$n"
	[ "$(logged DHCPDISCOVER)" = "$discovers" ]
	grep 'DHCPREQUEST' "$T/server.log" | tail -n 1 | grep -q "${ip%/*}"
	must CHECK bridge i1 c1 "$(output=$one prev "$(bridged)")"
	must DEL bridge i1 c1 "$(bridged)"
	wait_for 60 more DHCPRELEASE 0
}

@test "a restarted daemon keeps a lease whose server is silent, until its time" {
	ours_only
	on_bridge
	server "${LATE[@]}"
	keeper
	must ADD bridge i1 c1 "$(bridged)"
	local one=$output ip n
	ip=$(get .ips[0].address)
	gone "$SERVER" KILL
	gone "$DAEMON"
	keeper
	must CHECK bridge i1 c1 "$(output=$one prev "$(bridged)")"
	inside c1 ip -br addr show eth0 up | grep -q "$ip"
	n=$(logged DHCPACK)
	server "${LATE[@]}"
	gone "$DAEMON"
	keeper
	wait_for 60 more DHCPACK "$n"
	inside c1 ip -br addr show eth0 up | grep -q "$ip"
}

@test "the daemon lets go of a container that is gone" {
	ours_only
	on_bridge
	server --dhcp-option-force=option:T1,3
	keeper
	must ADD bridge i1 c1 "$(bridged)"
	in_world ip netns del c1
	none() { [ "$(recorded)" = 0 ]; }
	wait_for 120 none
	wait_for 60 more DHCPRELEASE 0
	must DEL bridge i1 '' "$(bridged)"
}

@test "killed at any moment: what was granted is kept, what failed can be deleted" {
	ours_only
	on_bridge
	server
	local i c add
	c=$(bridged)
	printf %s "$c" >"$T/conf"
	for i in 0 0.002 0.005 0.01 0.015 0.02 0.05 0.1; do
		keeper
		rm -f "$T/killed"
		(in_world env CNI_COMMAND=ADD CNI_CONTAINERID=k CNI_NETNS=/run/netns/c1 CNI_IFNAME=eth0 \
			CNI_PATH="$CNI_PLUGINS" "$CNI_PLUGINS/bridge" <"$T/conf" >"$T/killed") 3>&- 4>&- &
		add=$!
		sleep "$i"
		gone "$DAEMON" KILL
		if wait "$add"; then
			[ "$(recorded)" = 1 ]
			keeper
			must CHECK bridge k c1 "$(output=$(cat "$T/killed") prev "$c")"
			must DEL bridge k c1 "$c"
		else
			jq -e .code "$T/killed" >/dev/null
			call DEL bridge k c1 "$c"
			[ "$status" = 0 ] || [ "$(recorded)" = 1 ]
			keeper
			must DEL bridge k c1 "$c"
		fi
		nothing_left_here
		gone "$DAEMON"
	done
}

@test "no daemon: ADD says so, STATUS is 50, DEL fails only when there is a lease" {
	ours_only
	on_bridge
	local c
	V=1.1.0
	c=$(bridged)
	call ADD bridge i1 c1 "$c"
	refused 999 'error dialing DHCP daemon: /run/cni/dhcp.sock'
	call STATUS bridge '' '' "$c"
	refused 50 'error dialing'
	must DEL bridge i1 c1 "$c"
	server
	keeper
	must STATUS bridge '' '' "$c"
	must ADD bridge i1 c1 "$c"
	gone "$DAEMON" KILL
	must DEL bridge i2 c1 "$c"
	call DEL bridge i1 c1 "$c"
	refused 999 'there is a lease to be released: error dialing'
	call GC bridge '' '' "$(with "$c" '."cni.dev/valid-attachments"=[]')"
	refused 999 'there is a lease to be released'
	must GC bridge '' '' "$(with "$c" '."cni.dev/valid-attachments"=[{"containerID":"i1","ifname":"eth0"}]')"
	keeper
	must DEL bridge i1 c1 "$c"
	nothing_left_here
}

@test "daemon: its options" {
	on_bridge
	server
	SOCKET=/run/other.sock
	keeper -pidfile "$T/pid" -socketpath /run/other.sock -broadcast=true --resendmax=5s
	[ "$(cat "$T/pid")" = "$DAEMON" ]
	must ADD bridge i1 c1 "$(bridged '"ipam":{"type":"dhcp","daemonSocketPath":"/run/other.sock"}')"
	ours_only
	in_world test -f /run/other/n/i1@eth0
	grep -q 'broadcast' "$T/server.log"
	[ "$(in_world stat -c %a /run/other.sock)" = 700 ]
	run in_world "$CNI_PLUGINS/dhcp" daemon -socketpath /run/other.sock
	[ "$status" = 1 ]
	[[ $output == *'another daemon serves /run/other.sock'* ]]
	run in_world "$CNI_PLUGINS/dhcp" daemon -nonsense
	[ "$status" = 1 ]
	[[ $output == *nonsense* ]]
	run in_world "$CNI_PLUGINS/dhcp" daemon -timeout 0s
	[ "$status" = 1 ]
	[[ $output == *'a time must be above zero'* ]]
}

@test "daemon: the host's paths under a prefix" {
	on_bridge
	server
	in_world mkdir -p /run/host/run
	in_world mount --rbind /run /run/host/run
	SOCKET=/run/host/run/cni/dhcp.sock
	keeper -hostprefix /run/host
	must ADD bridge i1 c1 "$(bridged)"
	must DEL bridge i1 c1 "$(bridged)"
}

@test "daemon: a socket that is handed over; only root may ask" {
	ours_only
	on_bridge
	server
	# shellcheck disable=SC2016
	background "$T/daemon.log" perl -MIO::Socket::UNIX -MPOSIX -e '
		BEGIN { $^F = 10 } # close-on-exec begins above
		my $s = IO::Socket::UNIX->new(Local => "/run/cni/dhcp.sock", Listen => 8) or die;
		chmod 0666, "/run/cni/dhcp.sock";
		POSIX::dup2(fileno($s), 3) if fileno($s) != 3;
		$ENV{LISTEN_FDS} = 1;
		$ENV{LISTEN_PID} = $$;
		exec @ARGV' "$CNI_PLUGINS/dhcp" daemon
	DAEMON=$!
	wait_for 60 in_world test -S /run/cni/dhcp.sock
	must ADD bridge i1 c1 "$(bridged)"
	printf %s "$(bridged)" >"$T/conf"
	in_world cp "$CNI_PLUGINS/dhcp" /opt/cni/bin
	run in_world setpriv --reuid 65534 --regid 65534 --clear-groups env CNI_COMMAND=CHECK CNI_CONTAINERID=i1 \
		CNI_NETNS=/run/netns/c1 CNI_IFNAME=eth0 CNI_PATH=/opt/cni/bin /opt/cni/bin/dhcp <"$T/conf"
	[ "$status" = 1 ]
	[[ $output == *'only root may ask the DHCP daemon'* ]]
	gone "$DAEMON"
	in_world test -S /run/cni/dhcp.sock
}
