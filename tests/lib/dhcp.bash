# dnsmasq as the server of a network of the test's own, the namespace `srv` (10.7.0.1) at the other end of the
# host's link up0, and the daemon of the plugin dhcp; beside cni.bash.
# shellcheck shell=bash disable=SC2015,SC2016,SC2034,SC2054,SC2154

have_dnsmasq() { command -v dnsmasq >/dev/null; }
have_macvlan() { unshare -n sh -c 'ip link add p0 type veth peer name p1 && ip link add link p0 name x type macvlan mode bridge' 2>/dev/null; }

dhcp_up() {
	need dnsmasq
	cni_up
	PIDS=()
	pod c1 c2 srv
	in_world ip link add up0 type veth peer name eth0 netns srv
	in_world ip link set up0 up
	inside srv ip addr add 10.7.0.1/24 dev eth0
	inside srv ip link set eth0 up
	in_world mkdir -p /run/cni
}

dhcp_down() {
	local pid
	for pid in "${PIDS[@]}"; do
		kill -KILL "$pid" 2>/dev/null && wait "$pid" 2>/dev/null || :
	done
	cni_down
}

# background LOG COMMAND...: in the world; its id in $!
background() {
	local log=$1
	shift
	(exec setpriv --pdeathsig KILL nsenter --target="$WORLD" --mount --net -- "$@") \
		</dev/null >>"$log" 2>&1 3>&- 4>&- &
	PIDS+=($!)
}

# server [OPTION...]: leases in $T/served.  dnsmasq takes no T1 below 3 s.
server() {
	background "$T/server.log" ip netns exec srv dnsmasq --no-daemon --conf-file=/dev/null --user=root --port=0 \
		--interface=eth0 --bind-interfaces --no-ping --log-dhcp --dhcp-range="${SERVED:-10.7.0.10,10.7.0.99,2m}" \
		--dhcp-option=option:dns-server,10.7.0.1 --domain=example.org --dhcp-leasefile="$T/served" "$@"
	SERVER=$!
	wait_for 60 grep -q 'IP range' "$T/server.log"
}

# keeper [OPTION...]: the daemon.
keeper() {
	background "$T/daemon.log" "$CNI_PLUGINS/dhcp" daemon "$@"
	DAEMON=$!
	wait_for 60 answers
}

# The daemon is there: a file alone may be a dead one's.
answers() { in_world sh -c 'ss -Hxl src "$0" | grep -q .' "${SOCKET:-/run/cni/dhcp.sock}"; }

gone() { # PID
	kill "-${2:-TERM}" "$1"
	wait "$1" || :
}

on_bridge() {
	in_world ip link add br0 type bridge
	in_world ip link set up0 master br0
	in_world ip link set br0 up
}

L='"ipam":{"type":"dhcp"}'
bridged() { conf n bridge "\"bridge\":\"br0\",${1:-$L}"; }
recorded() { in_world find /run/cni/dhcp -name '*@*' 2>/dev/null | wc -l; }
# The server says what it does before it writes it down.
none_served() { [ ! -s "$T/served" ]; }
logged() { grep -c "$1" "$T/server.log" || :; }
more() { [ "$(logged "$1")" -gt "$2" ]; } # PATTERN COUNT

nothing_left_here() {
	in_world ip -o link show type veth | awk -F': ' '$2 !~ /^up0@/' | grep . && fail 'a link is left'
	[ "$(recorded)" = 0 ]
}

# Options of the server, T1 far away: what is asked is not asked because of the time.
LATE=(--dhcp-option-force=option:T1,110 --dhcp-option-force=option:T2,115)
