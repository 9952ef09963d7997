# The metadata service: who is registered, what is told to whom, and what it survives.

load ../lib/gantry

setup_file() {
	suite_up
}
teardown_file() { suite_down; }
setup() {
	test_up
	SERVICE=
}
teardown() {
	service_down
	in_world rm -rf /run/gantry/metadata /run/gantry/metadata-svc.sock
	test_down
}

# service_up [ARG...]: a service in the world, ready.
service_up() {
	: >"$T/service.err"
	g_bg service metadata-service "$@"
	SERVICE=$BG
	wait_line "$T/service.err" 'listening on port'
}

service_down() {
	[ -n "$SERVICE" ] || return 0
	kill -TERM "$SERVICE" 2>/dev/null || :
	wait "$SERVICE" 2>/dev/null || :
	SERVICE=
}

# host_probe WORD...: the probe outside of any pod.
host_probe() { in_world env -u AC_METADATA_URL "$PROBE" "$@" >"$T/out" 2>"$T/err"; COMMAND_SHOWN=$(cat "$T/out" "$T/err"); }

have_socket_activate() { command -v systemd-socket-activate >/dev/null; }

escape() { printf %s "$1" | jq -sRr @uri; }

url_of() { # UUID: what the pod's app was told
	tr '\0' '\n' <"/proc/$(app_pid "$1" "${2:-app}")/environ" | sed -n 's/^AC_METADATA_URL=//p'
}

# pod_of NET: a detached pod that waits; $UUID and $MDS, its URL.
pod_of() {
	NET=$1 start_pod "$PROBE_ID" --name=app --annotation=example.com/of-pod=yes -- sleep 1000
	MDS=$(url_of "$UUID")
}

# --- the apps are told

@test "metadata: without a service there is no variable, and nothing is said" {
	g run --net=host "$PROBE_ID" -- env
	assert_ok
	refute_match '^(env )?AC_METADATA_URL='
	assert_equal "$stderr" ""
}

@test "metadata: what a pod is told of itself, with the right types" {
	service_up
	in_world test -S /run/gantry/metadata-svc.sock
	g run --net=host --uuid-file-save="$T/uuid" "$PROBE_ID" --name=app --annotation=example.com/a=b -- \
		http GET /pod/uuid , http GET /pod/annotations , http GET /pod/manifest , \
		http GET /apps/app/image/id , http GET /apps/app/image/manifest , http GET /apps/app/annotations
	assert_ok
	assert_out "body=$(cat "$T/uuid")" "body=$PROBE_ID" 'body=null' 'body=[{"name":"example.com/a","value":"b"}]'
	assert_match '^body=\{.*"acKind":"PodManifest"' '^body=\{.*"acKind":"ImageManifest".*"example.com/probe"'
	assert_equal "$(grep -c '^http=200$' "$T/out")" 6
	assert_equal "$(grep '^type=' "$T/out" | tr '\n' ' ')" "type=text/plain; charset=us-ascii type=application/json type=application/json type=text/plain; charset=us-ascii type=application/json type=application/json "
}

@test "metadata: a pod with the default network reaches it at its gateway" {
	need ns-flavor
	need veth nft
	service_up --listen-port=18200
	g run "$PROBE_ID" --name=app -- env , http GET /apps/app/image/id
	assert_ok
	assert_match 'AC_METADATA_URL=http://172\.16\.28\.1:18200/[0-9a-f]{32}$'
	assert_out http=200 "body=$PROBE_ID"
}

@test "metadata: a pod without a network has no variable" {
	need ns-flavor
	service_up
	run_probe -- env
	assert_ok
	refute_match 'AC_METADATA_URL='
	assert_equal "$stderr" ""
}

@test "metadata: an address that is not this host's is told to nobody" {
	need ns-flavor
	need bridge veth
	service_up
	printf '{"cniVersion":"1.0.0","name":"far","type":"bridge","bridge":"far0","ipam":{"type":"host-local","subnet":"10.77.0.0/24","gateway":"10.77.0.9"}}' \
		>"$LOCAL/net.d/10-far.conf"
	g run --net=far "$PROBE_ID" -- env
	assert_ok
	refute_match 'AC_METADATA_URL='
	assert_err "lead to no address of this host"
}

@test "metadata: annotations of an image and a pod are one list, in which the pod's win" {
	service_up
	IMAGE_EXTRA=',"annotations":[{"name":"example.com/both","value":"image"},{"name":"example.com/image","value":"i"}]' \
		probe_image noted ''
	g run --net=host "$ID" --name=noted --annotation=example.com/both=pod -- http GET /apps/noted/annotations
	assert_ok
	assert_out 'body=[{"name":"example.com/both","value":"pod"},{"name":"example.com/image","value":"i"}]'
}

@test "metadata: each app of a pod is known, others are not" {
	need ns-flavor
	service_up
	g run --net=host "$PROBE_ID" --name=one -- http GET /apps/two/image/id --- \
		"$PROBE_ID" --name=two -- http GET /apps/three/image/id
	assert_ok
	assert_match 'one.*http=200' 'two.*http=404'
}

# --- registration

@test "metadata: --mds-register fails without a service, and for a pod without a network" {
	g run --mds-register --net=host "$PROBE_ID" -- true
	assert_refused 254 'register with the metadata service: connect to /run/gantry/metadata-svc.sock: No such file'
	g run --mds-register --net=none "$PROBE_ID" -- true
	assert_refused 254 '--mds-register: a pod with --net=none cannot reach the metadata service'
	service_up
	g run --mds-register --net=host "$PROBE_ID" -- http GET /pod/uuid
	assert_ok
	assert_out http=200
}

@test "metadata: a stale socket and one that hangs do not keep a pod from starting" {
	in_world mkdir -p /run/gantry
	in_world sh -c 'nc -lU /run/gantry/metadata-svc.sock >/dev/null </dev/zero & echo $! >"$1"' sh "$T/nc" 3>&- 4>&-
	wait_for 60 in_world test -S /run/gantry/metadata-svc.sock
	kill -STOP "$(cat "$T/nc")"
	g run --net=host "$PROBE_ID" -- env
	kill -KILL "$(cat "$T/nc")"
	wait_for 60 nobody_listens
	assert_ok
	refute_match 'AC_METADATA_URL='
	assert_err 'not registered with the metadata service'
	# now nobody listens
	g run --net=host "$PROBE_ID" -- env
	assert_ok
	assert_equal "$stderr" ""
}

nobody_listens() { in_world sh -c '! ss -Hxl src /run/gantry/metadata-svc.sock | grep -q .'; }

@test "metadata: the token is on no command line, and in a file for root only" {
	service_up
	pod_of host
	token=${MDS##*/}
	[[ $token =~ ^[0-9a-f]{32}$ ]] || fail "token: $token"
	# from a file: grep's own command line is one, too
	printf '%s\n' mds-token "$token" >"$T/secret"
	! cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\0' ' ' | grep -qf "$T/secret" || fail "on a command line"
	assert_equal "$(stat -c '%a %u' "$DATA/pods/run/$UUID/mds-registered")" '600 0'
	assert_equal "$(cat "$DATA/pods/run/$UUID/mds-registered")" "$token 18112"
	gantry stop --force "$UUID"
}

@test "metadata: gc takes a pod off, and what it left" {
	service_up
	g run --net=host --uuid-file-save="$T/uuid" "$PROBE_ID" --name=app -- env
	assert_ok
	MDS=$(sed -n 's/.*AC_METADATA_URL=//p' "$T/out")
	host_probe http GET "$MDS/acMetadata/v1/pod/uuid"
	assert_out http=200
	in_world test -e "/run/gantry/metadata/$(cat "$T/uuid")"
	gantry rm "$(cat "$T/uuid")" >/dev/null
	host_probe http GET "$MDS/acMetadata/v1/pod/uuid"
	assert_out http=401
	assert_equal "$(in_world ls /run/gantry/metadata)" hmac-key
}

@test "metadata: only root registers" {
	service_up
	in_world chmod 755 /run/gantry
	in_world chmod 666 /run/gantry/metadata-svc.sock
	run in_world setpriv --reuid=1234 --clear-groups sh -c \
		'printf "DELETE /pods/00000000-0000-4000-8000-000000000000 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" |
		 nc -U -N -w 60 /run/gantry/metadata-svc.sock'
	[[ $output == *" 403 "* ]] || fail "$output"
}

@test "metadata: what a registration may not hold" {
	service_up
	ask() { # METHOD PATH BODY
		printf '%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s' "$1" "$2" "${#3}" "$3" |
			in_world nc -U -N -w 60 /run/gantry/metadata-svc.sock | head -n 1 | cut -d' ' -f2
	}
	local uuid=11111111-1111-4111-8111-111111111111 token=0123456789abcdef0123456789abcdef
	local pod
	pod=$(printf '{"acVersion":"0.8.11","acKind":"PodManifest","apps":[{"name":"app","image":{"id":"%s"}}]}' "$PROBE_ID")
	assert_equal "$(ask PUT "/pods/$uuid?token=$token" "$pod")" 200
	assert_equal "$(ask PUT "/pods/$uuid?token=short" "$pod")" 400
	assert_equal "$(ask PUT "/pods/$uuid?token=${token^^}" "$pod")" 400
	assert_equal "$(ask PUT "/pods/$uuid" "$pod")" 400
	assert_equal "$(ask PUT "/pods/$uuid?token=$token" '{"acKind":')" 400
	assert_equal "$(ask PUT "/pods/$uuid/none" '{}')" 404
	assert_equal "$(ask PUT "/pods/22222222-2222-4222-8222-222222222222/app" '{}')" 404
	assert_equal "$(ask PUT "/pods/../../etc?token=$token" "$pod")" 404
	assert_equal "$(ask PUT "/pods/$uuid/..%2f..%2fx" '{}')" 404
	assert_equal "$(ask POST "/pods/$uuid" "$pod")" 405
	assert_equal "$(ask DELETE "/pods/22222222-2222-4222-8222-222222222222" '')" 404
	assert_equal "$(ask DELETE "/pods/$uuid" '')" 200
	assert_equal "$(ask DELETE "/pods/$uuid" '')" 404
}

# --- signatures

@test "metadata: one pod signs, another one verifies, forged ones are refused" {
	service_up
	g run --net=host --uuid-file-save="$T/uuid" "$PROBE_ID" -- http POST /pod/hmac/sign 'content=hello+w%C3%B6rld'
	assert_ok
	assert_out http=200 'type=text/plain; charset=us-ascii'
	signature=$(value body) uuid=$(cat "$T/uuid")
	[[ $signature =~ ^[A-Za-z0-9+/]{86}==$ ]] || fail "signature: $signature"
	form="content=hello%20w%c3%b6rld&uuid=$uuid&signature=$(escape "$signature")"
	other=${uuid/${uuid:0:1}/$([ "${uuid:0:1}" = 0 ] && echo 1 || echo 0)}
	flipped=$(tr 'A-Za-z' 'B-ZAb-za' <<<"$signature")
	g run --net=host "$PROBE_ID" -- http POST /pod/hmac/verify "$form" , \
		http POST /pod/hmac/verify "${form/hello/hallo}" , \
		http POST /pod/hmac/verify "${form/$uuid/$other}" , \
		http POST /pod/hmac/verify "${form%&*}&signature=$(escape "$flipped")" , \
		http POST /pod/hmac/verify "${form%&*}&signature=" , \
		http POST /pod/hmac/verify "${form%&*}" , \
		http POST /pod/hmac/verify "content=a&uuid=x&signature=y" , \
		http GET /pod/hmac/sign , http POST /pod/uuid x=y , http POST /pod/hmac/sign '{}' application/json , \
		http POST /pod/hmac/sign x=y
	assert_ok
	assert_equal "$(grep ^http= "$T/out" | tr '\n' ' ')" \
		"http=200 http=403 http=403 http=403 http=403 http=400 http=400 http=405 http=405 http=415 http=400 "
}

# --- strangers

@test "metadata: a wrong token is 401 wherever it points, a right one 404 where nothing is" {
	service_up
	pod_of host
	local base=${MDS%/*} wrong=${MDS##*/}
	wrong=$(tr '0-9a-f' '1-9a-f0' <<<"$wrong")
	host_probe http GET "$base/$wrong/acMetadata/v1/pod/uuid" , http GET "$base/$wrong/nothing" , http GET "$base/" , \
		http GET "$base/short/acMetadata/v1/pod/uuid" , http GET "$MDS" , http GET "$MDS/acMetadata/v1/" , \
		http GET "$MDS/acMetadata/v1/apps/nope/image/id" , http GET "$MDS/acMetadata/v1/apps/APP/image/id" , \
		http GET "$MDS/acMetadata/v1/pod/uuid/" , http DELETE "$MDS/acMetadata/v1/pod/uuid" , \
		http PUT "$base/pods/$UUID?token=${MDS##*/}" x=y , http GET "$MDS/acMetadata/v1/pod/uuid"
	assert_equal "$(grep ^http= "$T/out" | tr '\n' ' ')" \
		"http=401 http=401 http=401 http=401 http=404 http=404 http=404 http=404 http=404 http=405 http=401 http=200 "
	gantry stop --force "$UUID"
}

@test "metadata: what is too large, malformed, slow or too much does not keep others waiting" {
	service_up
	pod_of host
	local port=${MDS%/*} i
	port=${port##*:}
	ask() { in_world timeout 100 nc -N -w 60 127.0.0.1 "$port" | head -n 1 | cut -d' ' -f2; }
	big() { head -c "$1" /dev/zero | tr '\0' a; }
	# a form beyond the limit, a request line beyond the limit, and no HTTP at all
	assert_equal "$({ printf 'POST %s/acMetadata/v1/pod/hmac/sign HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 1200008\r\n\r\ncontent=' "/${MDS##*/}"; big 1200000; } | ask)" 413
	# who knows no token is not listened to; what has no body may not have one
	assert_equal "$({ printf 'POST /%032d/acMetadata/v1/pod/hmac/sign HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n' 0; } | ask)" 401
	assert_equal "$({ printf 'GET %s/acMetadata/v1/pod/uuid HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc' "/${MDS##*/}"; } | ask)" 413
	[[ $({ printf 'GET /'; big 20000; printf ' HTTP/1.1\r\nHost: x\r\n\r\n'; } | ask) =~ ^(414|431)?$ ]] || fail "a long line"
	[[ $(printf '\0\1\2\377 nonsense\r\n\r\n' | ask) =~ ^(400)?$ ]] || fail "nonsense"
	# a thousand connections that say nothing: some are held, the others wait; another address is served
	in_world ip addr add 10.99.0.1/32 dev lo
	in_world setpriv --pdeathsig KILL bash -c '
		ulimit -n 4096
		for i in $(seq 1000); do exec {fd}<>/dev/tcp/127.0.0.1/'"$port"' || break; printf "GET /" >&$fd; done 2>/dev/null
		echo held >"$1"; sleep 1000' hold "$T/held" </dev/null >/dev/null 2>&1 3>&- 4>&- &
	BG_PIDS+=($!)
	wait_for 60 test -s "$T/held"
	host_probe http GET "http://10.99.0.1:$port/${MDS##*/}/acMetadata/v1/pod/uuid"
	assert_out http=200
	[ "$(ls /proc/"$SERVICE"/fd | wc -l)" -lt 600 ] || fail "too many descriptors"
	in_world ip addr del 10.99.0.1/32 dev lo
	gantry stop --force "$UUID"
}

# --- its own life

@test "metadata: a restart keeps pods, apps and key; pods that went meanwhile are dropped" {
	service_up
	g run --net=host --uuid-file-save="$T/uuid" "$PROBE_ID" --name=app -- env , http POST /pod/hmac/sign content=x
	assert_ok
	first=$(cat "$T/uuid") signature=$(value body)
	pod_of host
	kill -KILL "$SERVICE"
	wait "$SERVICE" 2>/dev/null || :
	SERVICE=
	gantry rm "$first" >/dev/null
	service_up
	assert_equal "$(in_world ls /run/gantry/metadata | sort | tr '\n' ' ')" "$UUID $UUID.app hmac-key "
	host_probe http GET "$MDS/acMetadata/v1/apps/app/image/id" , http GET "$MDS/acMetadata/v1/apps/app/annotations" , \
		http POST "$MDS/acMetadata/v1/pod/hmac/verify" "content=x&uuid=$first&signature=$(escape "$signature")"
	assert_equal "$(grep ^http= "$T/out" | tr '\n' ' ')" "http=200 http=200 http=200 "
	assert_out "body=$PROBE_ID" 'body=[{"name":"example.com/of-pod","value":"yes"}]'
	gantry stop --force "$UUID"
}

@test "metadata: damaged state is forgotten by name, and the rest stays" {
	service_up
	pod_of host
	service_down
	in_world sh -c 'echo rubbish >/run/gantry/metadata/33333333-3333-4333-8333-333333333333'
	service_up
	grep -q 'forgotten: 33333333' "$T/service.err" || fail "$(cat "$T/service.err")"
	host_probe http GET "$MDS/acMetadata/v1/pod/uuid"
	assert_out http=200
	gantry stop --force "$UUID"
}

@test "metadata: it serves without privileges, without a root and without a network of its own" {
	service_up
	assert_equal "$(sed -n 's/^Uid:\t\([0-9]*\).*/\1/p' /proc/"$SERVICE"/status)" 1900000004
	assert_equal "$(sed -n 's/^CapPrm:\t//p;s/^CapBnd:\t//p' /proc/"$SERVICE"/status | sort -u)" 0000000000000000
	assert_equal "$(sed -n 's/^NoNewPrivs:\t//p' /proc/"$SERVICE"/status)" 1
	assert_equal "$(sed -n 's/^Seccomp:\t//p' /proc/"$SERVICE"/status)" 2
	assert_equal "$(ls /proc/"$SERVICE"/root/)" hmac-key
	[ "$(readlink /proc/"$SERVICE"/ns/net)" != "$(in_world readlink /proc/self/ns/net)" ] || fail "the host's network"
	assert_equal "$(in_world stat -c '%a %a' /run/gantry/metadata-svc.sock /run/gantry/metadata | tr '\n' ' ')" '600 600 700 700 '
}

@test "metadata: one service at a time; SIGTERM ends it well" {
	service_up
	g metadata-service
	assert_refused 254 'another metadata service is running'
	kill -TERM "$SERVICE"
	wait "$SERVICE" || fail "ended with $?"
	SERVICE=
	g metadata-service --listen-port=0
	assert_refused 254 'not a port'
	(exec nsenter --target="$WORLD" --mount --net -- nc -lk 18301) </dev/null >/dev/null 2>&1 3>&- 4>&- &
	BG_PIDS+=($!)
	wait_for 60 in_world nc -z 127.0.0.1 18301
	g metadata-service --listen-port=18301
	assert_refused 254 'listen on port 18301: Address already in use'
	g metadata-service word
	assert_refused 254 'unexpected argument "word"'
}

@test "metadata: sockets that systemd made are used" {
	in_world mkdir -p /run/gantry
	need socket_activate
	(exec nsenter --target="$WORLD" --mount --net -- systemd-socket-activate -l /run/gantry/other.sock -l 18300 \
		"$GANTRY" metadata-service) </dev/null >"$T/service.out" 2>"$T/service.err" 3>&- 4>&- &
	SERVICE=$!
	BG_PIDS+=("$SERVICE")
	wait_for 60 in_world sh -c 'ss -Htln | grep -q ":18300 "'
	host_probe http GET "http://127.0.0.1:18300/x"
	assert_out http=401
}

@test "metadata: called as rkt, the socket is where rkt has it" {
	ln -s "$(readlink -f "$GANTRY")" "$T/tmp/rkt"
	GANTRY=$T/tmp/rkt g_bg service metadata-service
	SERVICE=$BG
	wait_line "$T/service.err" 'listening on port'
	in_world test -S /run/rkt/metadata-svc.sock
	GANTRY=$T/tmp/rkt g run --mds-register --net=host "$PROBE_ID" -- http GET /pod/uuid
	assert_ok
	assert_out http=200
	in_world rm -rf /run/rkt
}
