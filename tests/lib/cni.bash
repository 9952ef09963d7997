# Driving CNI plugins by hand, as a runtime does: `load ../lib/cni`.  The world (gantry.bash) is the host,
# network namespaces inside it are the containers.
# shellcheck shell=bash disable=SC2154,SC2034

# shellcheck source=tests/lib/gantry.bash
. "${BASH_SOURCE[0]%/*}/gantry.bash"

# The plugins under test; CNI_PLUGINS=/usr/lib/cni asks the reference plugins the same questions.
OURS=$(readlink -f "${GANTRY%/bin/gantry}/libexec/gantry/cni")
REFERENCE=/usr/lib/cni
: "${CNI_PLUGINS:=$OURS}"

have_ours() { [ "$CNI_PLUGINS" = "$OURS" ]; }
# Where gantry's plugins promise more than the reference ones keep.
ours_only() { have_ours || skip "not promised by the reference plugins"; }

cni_up() {
	need root veth bridge
	[ -x "$CNI_PLUGINS/bridge" ] || { echo "no plugins in $CNI_PLUGINS"; return 1; }
	T=$BATS_TEST_TMPDIR
	world_up
}

cni_down() { world_down; }

# call COMMAND PLUGIN ID NETNS CONFIGURATION: $status, $output (standard output), $stderr.
# IF, ARGS: CNI_IFNAME and CNI_ARGS.  NETNS is a name, a path, or empty.
call() {
	local netns=$4 i # bats' run writes to `i`
	case $netns in
	'' | /*) ;;
	*) netns=/run/netns/$netns ;;
	esac
	printf '%s' "$5" >"$T/conf"
	run --separate-stderr in_world env CNI_COMMAND="$1" CNI_CONTAINERID="$3" CNI_NETNS="$netns" \
		CNI_IFNAME="${IF:-eth0}" CNI_ARGS="${ARGS:-}" CNI_PATH="${CNI_DIRS:-$CNI_PLUGINS}" \
		sh -c 'exec "$0" <"$1"' "$CNI_PLUGINS/$2" "$T/conf"
}

# must COMMAND PLUGIN ID NETNS CONFIGURATION: call it, and it works.
must() {
	call "$@"
	[ "$status" = 0 ] || { echo "$1 $2 $3: $output $stderr"; return 1; }
}

# refused CODE PATTERN: the last call failed with that code and a message that matches.
refused() {
	[ "$status" = 1 ] || { echo "status $status: $output"; return 1; }
	[ "$(jq -r .code <<<"$output")" = "$1" ] || { echo "$output"; return 1; }
	jq -r .msg <<<"$output" | grep -qE "$2" || { echo "$output"; return 1; }
}

get() { jq -r "$1" <<<"$output"; } # from the last output

pod() { # NAME...: empty network namespaces
	local name
	for name; do
		in_world ip netns add "$name"
	done
}

inside() { # NAME COMMAND...
	local name=$1
	shift
	in_world ip netns exec "$name" "$@"
}

# conf NAME PLUGIN MEMBERS: a configuration with the version $V (1.0.0).
conf() { printf '{"cniVersion":"%s","name":"%s","type":"%s",%s}' "${V:-1.0.0}" "$1" "$2" "$3"; }

# ipam MEMBERS: host-local with the leases of this test.
ipam() { printf '"ipam":{"type":"host-local","dataDir":"/run/leases",%s}' "$1"; }

# with CONFIGURATION JQ-FILTER [ARGS...]: changed by a filter.
with() {
	local c=$1
	shift
	jq -c "$@" <<<"$c"
}

# prev CONFIGURATION: with the last output as prevResult.
prev() { jq -c --argjson r "$output" '.prevResult = $r' <<<"$1"; }

# What attachments leave on a host: links but bridges and lo, rules, leases, routes of single addresses.
leftovers() {
	in_world ip -o link show type veth | awk -F': ' '$2 !~ /^up0@/ {print "link " $2}'
	in_world nft list ruleset 2>/dev/null | sed 's/^/nft /'
	in_world find /run/leases -type f ! -name 'lock' ! -name 'last_reserved_ip*' 2>/dev/null
	in_world ip route | grep ' scope host' | sed 's/^/route /'
}

nothing_left() {
	local left
	left=$(leftovers)
	[ -z "$left" ] || { echo "left: $left"; return 1; }
}

leases() { in_world find "/run/leases/$1" -type f ! -name lock ! -name 'last_*' 2>/dev/null | wc -l; }

# outside: a namespace beyond the host, 192.0.2.2 and 2001:db8::2, that knows no route to any container.
outside() {
	pod out
	in_world ip link add up0 type veth peer name eth0 netns out
	in_world sh -c 'echo 0 >/proc/sys/net/ipv6/conf/up0/accept_dad'
	inside out sh -c 'echo 0 >/proc/sys/net/ipv6/conf/eth0/accept_dad'
	in_world ip addr add 192.0.2.1/24 dev up0
	in_world ip addr add 2001:db8::1/64 dev up0 nodad
	in_world ip link set up0 up
	inside out ip addr add 192.0.2.2/24 dev eth0
	inside out ip addr add 2001:db8::2/64 dev eth0 nodad
	inside out ip link set eth0 up
	wait_for 30 inside out ip -6 route get 2001:db8::1
}

pings() { inside "$1" ping -q -n -c 1 -W 15 "$2" >/dev/null; } # FROM ADDRESS
pings_not() { ! inside "$1" ping -q -n -c 1 -W 1 "$2" >/dev/null; }

# tcp FROM TO ADDRESS: a word over TCP; prints the address that the server saw.
tcp() {
	local log=$T/tcp.$BASHPID
	inside "$2" timeout 60 nc -n -v -l "$3" 8080 >"$log.out" 2>"$log" </dev/null 3>&- &
	wait_for 60 inside "$2" sh -c 'ss -Htln | grep -q :8080'
	echo word | inside "$1" nc -n -N -w 30 "$3" 8080
	wait $!
	grep -q '^word$' "$log.out" || { cat "$log"; return 1; }
	sed -n 's/^Connection received on \([^ ]*\) .*/\1/p' "$log"
}
