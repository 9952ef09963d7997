# shellcheck shell=bash disable=SC2086 # a command is a list of words
# The CNI plugins beside the reference ones of the same names, and beside themselves on a full host.
: "${W:?}" "${GANTRY:?}" "${TOOLS:?}"

CNI_REFERENCE=/usr/lib/cni
CNI_OURS=$(readlink -f "${GANTRY%/bin/gantry}/libexec/gantry/cni")
CNI_MANY=1000

# conf PLUGIN MEMBERS: "@" is the number of the set, which keeps the two apart.
conf() {
	printf '{"cniVersion":"1.0.0","name":"net@","type":"%s"%s}' "$1" "${2:+,$2}"
}

# leases NAME [ROUTE]: NAME keeps tables apart, whose residents are not deleted.
leases() {
	local routes=
	[ -z "${2:-}" ] || routes=",\"routes\":[{\"dst\":\"$2\"}]"
	printf '"ipam":{"type":"host-local","dataDir":"%s/leases/%s","ranges":[[{"subnet":"10.@.0.0/16"}]]%s}' \
		"$W" "$1" "$routes"
}

# mappings COUNT: as the runtime hands them over, ports from 2001 on.
mappings() {
	local n list=
	for ((n = 1; n <= $1; n++)); do
		list+="${list:+,}{\"hostPort\":$((2000 + n)),\"containerPort\":80,\"protocol\":\"tcp\"}"
	done
	printf '"capabilities":{"portMappings":true},"snat":true,"runtimeConfig":{"portMappings":[%s]}' "$list"
}

BRIDGE='"bridge":"cni@","isGateway":true,"hairpinMode":true'

# chain NAME RATIO UNTIMED CONFIGURATION...: a line of the plan.
chain() {
	(IFS=$'\t' && printf '%s\n' "$*" >>"$PLAN")
}

plugin_chains() {
	local bridge masqueraded rates='"ingressRate":8000000,"ingressBurst":800000'
	bridge=$(conf bridge "$BRIDGE,$(leases measured 0.0.0.0/0)")
	masqueraded=$(conf bridge "$BRIDGE,\"ipMasq\":true,$(leases measured 0.0.0.0/0)")
	chain loopback 0.25 0 "$(conf loopback)"
	chain host-local 0.25 0 "$(conf host-local "$(leases measured 0.0.0.0/0)")"
	chain static 0.25 0 "$(conf static '"ipam":{"type":"static","addresses":[{"address":"10.@.0.2/16"}]}')"
	chain bridge 0.25 0 "$bridge"
	chain 'bridge, ipMasq' 0.125 0 "$masqueraded"
	chain ptp 0.25 0 "$(conf ptp "$(leases measured 0.0.0.0/0)")"
	chain 'ptp, ipMasq' 0.125 0 "$(conf ptp "\"ipMasq\":true,$(leases measured 0.0.0.0/0)")"
	chain macvlan 0.25 0 "$(conf macvlan "\"master\":\"up@\",$(leases measured 0.0.0.0/0)")"
	chain 'portmap, 1 port' 0.125 1 "$bridge" "$(conf portmap "$(mappings 1)")"
	chain 'portmap, 10 ports' 0.125 1 "$bridge" "$(conf portmap "$(mappings 10)")"
	chain bandwidth 0.25 1 "$bridge" \
		"$(conf bandwidth "$rates,\"egressRate\":8000000,\"egressBurst\":800000")"
	chain firewall 0.25 1 "$bridge" "$(conf firewall)"
	chain tuning 0.25 1 "$bridge" "$(conf tuning '"sysctl":{"net.core.somaxconn":"500"}')"
	chain 'bridge+portmap+firewall' 0.125 0 "$masqueraded" "$(conf portmap "$(mappings 1)")" \
		"$(conf firewall)"
}

# Plugins whose link needs a driver that not every kernel has, and those that not every release of the
# reference has: has_driver KIND PLUGIN, has_plugin PLUGIN.
has_driver() {
	local more=
	case $1 in
	vlan) more='link up1 type vlan id 9' ;;
	ipvlan) more='link up1 type ipvlan' ;;
	vrf) more='type vrf table 9' ;;
	*) more="type $1" ;;
	esac
	if ip link add probe $more 2>/dev/null; then
		ip link del probe
		has_plugin "$2"
		return
	fi
	missing "$2" "this kernel makes no link of type $1"
	return 1
}
has_plugin() {
	[ -x "$CNI_REFERENCE/$1" ] && return
	missing "$1" "not among the reference plugins here"
	return 1
}

more_chains() {
	local address='"ipam":{"type":"static","addresses":[{"address":"10.@.0.2/16","gateway":"10.@.0.1"}]}' bridge
	bridge=$(conf bridge "$BRIDGE,$(leases measured 0.0.0.0/0)")
	chain host-device 0.25 0 "$(conf host-device "\"device\":\"dev@\",$address")"
	chain sbr 0.25 1 "$bridge" "$(conf sbr)"
	has_driver vlan vlan && chain vlan 0.25 0 "$(conf vlan "\"master\":\"up@\",\"vlanId\":7,$address")"
	has_driver ipvlan ipvlan && chain ipvlan 0.25 0 "$(conf ipvlan "\"master\":\"up@\",$address")"
	has_driver vrf vrf && chain vrf 0.25 1 "$bridge" "$(conf vrf '"vrfname":"blue"')"
	has_driver dummy dummy && chain dummy 0.25 0 "$(conf dummy "$address")"
	has_plugin tap && chain tap 0.25 0 "$(conf tap "$address")"
}

# ADD of each.  Of plugins that make links the growth is the kernel's, whose own price is shown, so those have no
# target; nor has DEL, which reads what there is to find its own.
full_chains() {
	local port
	port=$(mappings 1)
	chain 'the kernel: a route' - 0 "$(conf floor-route)"
	chain 'the kernel: a port' - 0 "$(conf floor-port)"
	chain host-local 1.2 0 "$(conf host-local "$(leases full-host-local)")"
	chain 'ptp, ipMasq' - 0 "$(conf ptp "\"ipMasq\":true,$(leases full-ptp)")"
	chain 'bridge, ipMasq' - 0 "$(conf bridge "$BRIDGE,\"ipMasq\":true,$(leases full-bridge)")"
	chain portmap 1.2 1 "$(conf host-local "$(leases full-portmap)")" "$(conf portmap "${port/2001/%}")"
	chain firewall 1.2 1 "$(conf host-local "$(leases full-firewall)")" "$(conf firewall)"
}

bench_plugins() {
	title 'CNI plugins, and the reference ones (targets: CPU and wall 1/4; with rules of NAT 1/8)'
	if [ ! -x "$CNI_OURS/bridge" ] || [ ! -x "$CNI_REFERENCE/bridge" ]; then
		missing plugins "none in $CNI_OURS or $CNI_REFERENCE"
		return
	fi
	local n
	for n in 1 2; do
		ip link add "up$n" type veth peer name "far$n"
		ip link set "up$n" up
		ip link add "dev$n" type veth peer name "end$n"
	done
	plugin_chains
	more_chains
	"$TOOLS/plugins" -n "$ROUNDS" -s "ours=$CNI_OURS" -s "reference=$CNI_REFERENCE" <"$PLAN"
	for n in 1 2; do
		ip link del "up$n"
		ip link del "dev$n"
	done
	rm -rf "$W/leases"
	title "the same plugins on an empty host and on one with $CNI_MANY attachments"
	full_chains
	"$TOOLS/plugins" -n "$ROUNDS" -N $CNI_MANY -s "empty=$CNI_OURS" -s "full=$CNI_OURS" <"$PLAN"
	rm -rf "$W/leases"
}
