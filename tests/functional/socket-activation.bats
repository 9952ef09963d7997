# Sockets of the service manager: an app whose port is socketActivated gets them (sd_listen_fds(3)).

load ../lib/gantry

: "${ACTIVATE:=${PROBE%/*}/activate}"

setup_file() { suite_up; }
teardown_file() { suite_down; }
setup() { test_up; }
teardown() { test_down; }

# port NAME NUMBER [MORE]: a member of "ports" that is socketActivated
port() { printf '{"name":"%s","protocol":"%s","port":%s,"socketActivated":true}' "$1" "${3:-tcp}" "$2"; }

# activated NAME ACTIVATE-WORD... -- RUN-WORD...: gantry run under the service manager, in the background
activated() {
	local name=$1 manager=() flags words
	shift
	while [ "$1" != -- ]; do
		manager+=("$1")
		shift
	done
	shift
	global_flags
	with_flavor run "$@"
	(exec nsenter --target="$WORLD" --mount --net -- "$ACTIVATE" "${manager[@]}" -- \
		"$GANTRY" "${flags[@]}" "${words[@]}") </dev/null >"$T/$name.out" 2>"$T/$name.err" 3>&- 4>&- &
	BG=$!
	BG_PIDS+=("$BG")
}

call() { in_world nc -w 20 "$@" </dev/null; }

@test "socket-activation: the app answers on the host's socket, whatever its network" {
	probe_image web ",\"ports\":[$(port web 8080)]"
	local net
	for net in none default host; do
		activated web -t 8080 -- --inherit-env --net=$net "$ID" -- accept hello-$net
		local pid=$BG
		wait_line "$T/web.out" '^socket '
		assert_equal "$(call 127.0.0.1 8080)" hello-$net
		g_wait "$pid" web
		assert_ok
		assert_out sockets=1 names=web 'socket 3=tcp 8080'
	done
}

@test "socket-activation: --port names another port of the host" {
	probe_image web ",\"ports\":[$(port web 80)]"
	activated web -t 8081 -- --port=web:8081 "$ID" -- accept mapped
	local pid=$BG
	wait_line "$T/web.out" '^socket '
	assert_equal "$(call 127.0.0.1 8081)" mapped
	g_wait "$pid" web
	assert_ok
	assert_out 'socket 3=tcp 8081'
}

@test "socket-activation: several sockets, in the order of the image's ports" {
	probe_image many ",\"ports\":[$(port one 8001),$(port two 8002 udp),{\"name\":\"plain\",\"protocol\":\"tcp\",\"port\":8003},$(port three 8004)]"
	activated many -t 8004 -u 8002 -t 8001 -- --net=none "$ID" -- accept
	g_wait "$BG" many
	assert_ok
	assert_out sockets=3 names=one:two:three 'socket 3=tcp 8001' 'socket 4=udp 8002' 'socket 5=tcp 8004'
}

@test "socket-activation: each app gets those on its ports" {
	need ns-flavor
	probe_image one ",\"ports\":[$(port web 8001)]"
	local one=$ID
	probe_image two ",\"ports\":[$(port web 8002)]"
	activated both -t 8002 -t 8001 -- --net=none "$one" --name=one -- accept --- "$ID" --name=two -- accept
	g_wait "$BG" both
	assert_ok
	assert_out 'one: socket 3=tcp 8001' 'two: socket 3=tcp 8002'
	refute_match 'one: .*8002' 'two: .*8001' 'sockets=2'
}

@test "socket-activation: a socket that no app wants is closed, and said" {
	activated web -t 8080 -x "$T/unix" -- --net=none "$PROBE_ID" -- accept , fds
	g_wait "$BG" web
	assert_ok
	assert_out sockets=0
	refute_match 'socket:'
	assert_err 'no app has a socketActivated port tcp 8080'
	assert_err 'socket 1 has no port'
}

@test "socket-activation: nobody but the app holds the socket" {
	probe_image web ",\"ports\":[$(port web 8080)]"
	activated web -t 8080 -- --net=none "$ID" -- accept , out ready , pause
	wait_line "$T/web.out" '^ready$'
	note_pods
	UUID=$(known_pods)
	local inode pid
	inode=$(readlink "/proc/$(cat "$DATA/pods/run/$UUID/started/web")/fd/3")
	[[ $inode == socket:* ]] || fail "the app has no socket: $inode"
	for pid in $(pod_pid "$UUID") $(monitor_of "$UUID"); do
		! find "/proc/$pid/fd" -lname "$inode" | grep -q . || fail "process $pid holds it: $(cat "/proc/$pid/comm")"
	done
	g stop "$UUID"
	assert_ok
}

@test "socket-activation: what enters gets no socket and no variables" {
	probe_image web ",\"ports\":[$(port web 8080)]"
	activated web -t 8080 -- --net=none "$ID" -- accept , out ready , pause
	wait_line "$T/web.out" '^ready$'
	note_pods
	UUID=$(known_pods)
	g enter "$UUID" /probe accept , env LISTEN_FDS , fds
	assert_ok
	assert_out sockets=0
	refute_match 'socket:' 'LISTEN_FDS=[0-9]'
	g stop "$UUID"
	assert_ok
}

@test "socket-activation: detached" {
	probe_image web ",\"ports\":[$(port web 8080)]"
	activated web -t 8080 -- --detach --net=none "$ID" -- accept hello , pause
	local pid=$BG
	g_wait "$pid" web
	assert_ok
	UUID=${lines[-1]}
	# the manager and its socket are gone, the app's is the same one
	assert_equal "$(call 127.0.0.1 8080)" hello
	g stop "$UUID"
	assert_ok
}

@test "socket-activation: without a service manager the socket is made in the pod" {
	make_aci "$T/bob.aci" example.com/bob "{\"exec\":[\"/probe\"],\"user\":\"bob\",\"group\":\"bob\",\"ports\":[$(port web 80)]}"
	g fetch "$T/bob.aci"
	assert_ok
	start_pod "sha512-$(image_key "$T/bob.aci")" --name=web -- accept local , pause
	wait_line "$DATA/pods/run/$UUID/logs/web.log" '^socket 3=tcp 80$'
	g enter "$UUID" /probe connect 127.0.0.1 80
	assert_ok
	assert_match local
	g stop "$UUID"
	assert_ok
}

@test "socket-activation: sockets for another process are left alone" {
	probe_image web ",\"ports\":[$(port web 8080)]"
	export LISTEN_FDS=1 LISTEN_PID=1
	g run --net=none "$ID" -- accept , env LISTEN_PID
	assert_ok
	assert_out sockets=1
	unset LISTEN_FDS LISTEN_PID
	export LISTEN_FDS=many
	LISTEN_PID=$$ g run --net=none "$ID" -- accept
	assert_ok
}
