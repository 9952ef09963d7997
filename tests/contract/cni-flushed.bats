#!/usr/bin/env bats
# Somebody flushed rules and left sets and elements (`nft flush table`): the next ADD notices and builds
# them again, for the containers that are there as well; where nothing is missing it builds nothing.

load ../lib/cni

setup() {
	ours_only
	cni_up
	in_world ip link set lo up
	pod c1 c2 c3
}
teardown() {
	[ -z "${HOLDER:-}" ] || kill "$HOLDER" || :
	cni_down
}

DUAL='"ranges":[[{"subnet":"10.7.0.0/24"}],[{"subnet":"fd07::/64"}]]'
bridge() { conf n bridge "\"bridge\":\"br0\",\"isDefaultGateway\":true,\"ipMasq\":true,\"macspoofchk\":true,$(ipam "$DUAL")"; }
# attach ID NETNS PORT: bridge and portmap; $PORTMAP, $BRIDGE are the configurations for CHECK
attach() {
	must ADD bridge "$1" "$2" "$(bridge)"
	BRIDGE=$(prev "$(bridge)")
	PORTMAP=$(prev "$(conf n portmap "${MORE:+$MORE,}\"runtimeConfig\":{\"portMappings\":[{\"hostPort\":$3,\"containerPort\":80,\"protocol\":\"tcp\"}]}")")
	must ADD portmap "$1" "$2" "$PORTMAP"
}

@test "flushed: an ADD after nft flush table puts the rules of all containers back" {
	outside
	attach i1 c1 8081
	local bridge=$BRIDGE portmap=$PORTMAP
	for table in inet\ gantry-portmap-n inet\ gantry-masq-n bridge\ gantry-spoof-n; do
		# shellcheck disable=SC2086
		in_world nft flush table $table
	done
	call CHECK bridge i1 c1 "$bridge"
	refused 999 'is missing'
	call CHECK portmap i1 c1 "$portmap"
	refused 999 'is missing'
	attach i2 c2 8082
	must CHECK bridge i1 c1 "$bridge"
	must CHECK portmap i1 c1 "$portmap"
	must CHECK bridge i2 c2 "$BRIDGE"
	must CHECK portmap i2 c2 "$PORTMAP"
	pings c1 192.0.2.2
	inside c1 timeout 120 nc -k -4 -n -l 80 >/dev/null </dev/null 3>&- 4>&- &
	HOLDER=$!
	wait_for 60 inside c1 sh -c "ss -Htln | grep -q ':80 '"
	inside out nc -n -z -w 30 192.0.2.1 8081
	in_world nc -n -z -w 30 127.0.0.1 8081
}

@test "flushed: each chain that leads to port mappings is missed" {
	attach i1 c1 8081
	local portmap=$PORTMAP chain
	must ADD bridge i2 c2 "$(bridge)"
	PORTMAP=$(prev "$(with "$portmap" '.runtimeConfig.portMappings[0].hostPort = 8082')")
	for chain in prerouting output hostports; do
		in_world nft flush chain inet gantry-portmap-n "$chain"
		must ADD portmap i2 c2 "$PORTMAP"
		must CHECK portmap i1 c1 "$portmap"
		must CHECK portmap i2 c2 "$PORTMAP"
		must DEL portmap i2 c2 "$PORTMAP"
	done
}

# Only building takes the lock for itself alone: it would wait for a reader who never goes.
@test "flushed: an ADD builds nothing where everything is there" {
	local more c
	for more in '"snat":true' '"snat":false' '"masqAll":true' '"conditionsV4":["-s","10.0.0.1,10.0.0.2"]'; do
		pod "d1" "d2"
		MORE=$more attach j1 d1 8081
		must ADD bridge j2 d2 "$(bridge)"
		c=$(prev "$(with "$PORTMAP" '.runtimeConfig.portMappings[0].hostPort = 8082')")
		(exec nsenter --target="$WORLD" --mount --net -- bash -c 'exec 5</run/gantry/portmap.lock 6</run/gantry/masq.lock \
			7</run/gantry/spoof.lock; flock -s 5; flock -s 6; flock -s 7; exec sleep 600') 3>&- 4>&- &
		HOLDER=$!
		wait_for 60 in_world sh -c '! flock -n -x /run/gantry/spoof.lock true'
		must ADD portmap j2 d2 "$c" &
		wait_for 60 in_world sh -c 'nft list ruleset | grep -q "tcp . 8082"'
		wait "$!"
		pod d3
		must ADD bridge j3 d3 "$(bridge)" &
		wait_for 60 in_world sh -c 'nft list ruleset | grep -q "j3 eth0"'
		wait "$!"
		kill "$HOLDER"
		wait "$HOLDER" || :
		HOLDER=
		for c in 1 2 3; do
			must DEL portmap "j$c" "d$c" "$PORTMAP"
			must DEL bridge "j$c" "d$c" "$(bridge)"
			in_world ip netns del "d$c"
		done
	done
}
