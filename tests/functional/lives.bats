# How apps live: stop signals, restart policies, apps that come first, healthchecks and probes.

load ../lib/gantry

setup_file() {
	need busybox
	suite_up
	local root=$BATS_FILE_TMPDIR/shell
	mkdir -p "$root"/{bin,etc,tmp,www}
	cp "$(busybox_static)" "$root/bin/busybox"
	local applet
	for applet in sh cat sleep test touch kill echo rm nc httpd wget true false mkdir; do
		ln -s busybox "$root/bin/$applet"
	done
	echo 'bob:x:1234:1234::/:/bin/sh' >"$root/etc/passwd"
	echo hello >"$root/www/index.html"
	chown -R 0:0 "$root"
	chmod 1777 "$root/tmp"
	make_aci "$BATS_FILE_TMPDIR/shell.aci" example.com/shell '{"exec":["/bin/sh"],"user":"0","group":"0"}' "$root"
	gantry fetch "$BATS_FILE_TMPDIR/shell.aci" >/dev/null
	SHELL_ID=sha512-$(image_key "$BATS_FILE_TMPDIR/shell.aci")
	export SHELL_ID
}
teardown_file() { suite_down; }
setup() { test_up; }
teardown() { test_down; }

iso() { printf '{"name":"gantry/%s","value":%s}' "$1" "$2"; }

# app NAME SCRIPT [ISOLATOR...]: one app of a pod manifest that runs the script.
app() {
	local isolators=("${@:3}") script
	script=$(words_json "$2")
	local IFS=,
	printf '{"name":"%s","image":{"id":"%s"},"app":{"exec":["/bin/sh","-c",%s],"user":"%s","group":"0",
		"environment":[{"name":"PATH","value":"/bin"}],"isolators":[%s]},
		"mounts":[{"volume":"share","path":"/share"}]}' "$1" "$SHELL_ID" "${script:1:-1}" "${USER_OF:-0}" "${isolators[*]}"
}

# pod APP...: a pod manifest in $T/pod.json; its apps share /share, which is $T/share here.
pod() {
	mkdir -p "$T/share"
	chmod 1777 "$T/share"
	local IFS=,
	printf '{"acVersion":"0.8.11","acKind":"PodManifest","apps":[%s],
		"volumes":[{"name":"share","kind":"host","source":"%s"}]}' "$*" "$T/share" >"$T/pod.json"
}

run_pod() {
	pod "$@"
	g run --net=none --pod-manifest="$T/pod.json"
}
detach_pod() {
	pod "$@"
	g run --detach --net=none --pod-manifest="$T/pod.json"
	assert_ok
	UUID=${lines[-1]}
}
state_of() { gantry status "$UUID" 2>/dev/null | sed -n "s/^app-$1=//p"; } # APP-KEY
has_state() { [ "$(state_of "$1")" = "$2" ]; }
at_least() { [ "$(state_of "$1")" -ge "$2" ]; }
has_lines() { [ "$(wc -l <"$1")" -ge "$2" ]; }

trap_script='trap "echo quit >>/share/log; exit 0" QUIT; trap "echo term >>/share/log; exit 0" TERM; echo up >>/share/log; while :; do sleep 0.1; done'

@test "lives: an app is asked to end by its own signal" {
	detach_pod "$(app a "$trap_script" "$(iso stop-signal '{"signal":"SIGQUIT"}')")"
	wait_for 60 has_lines "$T/share/log" 1
	g stop "$UUID"
	assert_ok
	wait_state "$UUID" exited
	assert_equal "$(tail -n 1 "$T/share/log")" quit
}

@test "lives: without one, by SIGTERM" {
	detach_pod "$(app a "$trap_script")"
	wait_for 60 has_lines "$T/share/log" 1
	g stop "$UUID"
	assert_ok
	assert_equal "$(tail -n 1 "$T/share/log")" term
}

@test "lives: stop is as patient as the pod" {
	pod "$(app a 'trap "until test -e /share/go; do sleep 0.05; done; exit 0" TERM; echo up >/share/log; while :; do sleep 0.05; done')"
	jq -c '.isolators = [{"name":"gantry/stop-timeout","value":{"timeout":"1h"}}]' "$T/pod.json" >"$T/patient.json"
	g run --detach --net=none --pod-manifest="$T/patient.json"
	assert_ok
	UUID=${lines[-1]}
	wait_for 60 has_lines "$T/share/log" 1
	local file=$DATA/pods/run/$UUID/stop-timeout
	assert_equal "$(cat "$file")" 3600000
	# by this it is not
	echo 0 >"$file"
	g stop "$UUID"
	assert_refused 254 'not yet dead'
	assert_equal "$(pod_state "$UUID")" running
	echo 3600000 >"$file"
	g_bg stop stop "$UUID"
	touch "$T/share/go"
	g_wait "$BG" stop
	assert_ok
	assert_equal "$(pod_state "$UUID")" exited
}

@test "lives: apps of init run before the others, one after the other" {
	run_pod "$(app main 'echo main >>/share/log')" \
		"$(app one 'sleep 0.3; echo one >>/share/log' "$(iso init-app true)")" \
		"$(app two 'echo two >>/share/log' "$(iso init-app true)")"
	assert_ok
	assert_equal "$(tr '\n' ' ' <"$T/share/log")" "one two main "
}

@test "lives: when an app of init fails, the others never start" {
	run_pod "$(app main 'echo main >>/share/log')" "$(app one 'exit 7' "$(iso init-app true)")"
	assert_status 7
	[ ! -e "$T/share/log" ] || fail "main ran"
}

@test "lives: an app of init that fails is tried again where the policy says so" {
	run_pod "$(app main 'echo main >>/share/log')" \
		"$(app one 'echo one >>/share/log; test -e /share/again || { touch /share/again; exit 3; }' \
			"$(iso init-app true)" "$(iso restart '{"policy":"always"}')")"
	assert_ok
	assert_equal "$(tr '\n' ' ' <"$T/share/log")" "one one main "
}

@test "lives: an app that may stay down does not end the pod" {
	run_pod "$(app a 'exit 5' "$(iso restart '{"policy":"never"}')")" \
		"$(app b 'sleep 0.5; echo b >>/share/log' "$(iso restart '{"policy":"never"}')")"
	assert_status 5
	assert_equal "$(cat "$T/share/log")" b
}

@test "lives: on failure an app is started again, with what it wrote, until it succeeds" {
	run_pod "$(app a 'echo run >>/share/log; n=$(cat /tmp/n 2>/dev/null); n=${n}x; echo $n >/tmp/n; test $n = xxx' \
		"$(iso restart '{"policy":"on-failure"}')")"
	assert_ok
	assert_equal "$(wc -l <"$T/share/log")" 3
}

@test "lives: always: also after success; the pod can be stopped while it waits" {
	detach_pod "$(app a 'echo run >>/share/log' "$(iso restart '{"policy":"always"}')")"
	wait_for 60 has_lines "$T/share/log" 4
	wait_for 60 at_least a-restarts 3
	g stop "$UUID"
	assert_ok
	assert_equal "$(pod_state "$UUID")" exited
	g status "$UUID"
	assert_match '^app-a=0$'
}

@test "lives: one that is stopped while the handler after it runs has an exit status" {
	pod "$(app a 'sleep 0.1' "$(iso restart '{"policy":"always"}')")"
	jq -c '.apps[0].app.eventHandlers = [{"name":"post-stop","exec":["/bin/sh","-c","echo run >>/share/handler; sleep 3"]}]' \
		"$T/pod.json" >"$T/with.json"
	g run --detach --net=none --pod-manifest="$T/with.json"
	assert_ok
	UUID=${lines[-1]}
	wait_for 60 has_lines "$T/share/handler" 1
	g stop "$UUID"
	assert_ok
	g status "$UUID"
	assert_match '^app-a=0$'
}

@test "lives: a program that does not exist is not tried again" {
	pod "$(app a true "$(iso restart '{"policy":"always"}')")"
	jq -c '.apps[0].app.exec = ["/none"]' "$T/pod.json" >"$T/none.json"
	mv "$T/none.json" "$T/pod.json"
	g run --net=none --pod-manifest="$T/pod.json"
	assert_refused 203 '/none'
}

@test "lives: an app that is started again has its user, limits and streams" {
	USER_OF=bob
	pod "$(app a 'echo $(cat /proc/self/status | while read -r k v w x; do case $k in Uid:|CapEff:|Seccomp:) echo $k$v;; esac; done); test -e /share/again || { touch /share/again; exit 1; }' \
		"$(iso restart '{"policy":"on-failure"}')")"
	g run --net=none --pod-manifest="$T/pod.json"
	assert_ok
	assert_equal "$(sort -u "$T/out" | wc -l)" 1
	assert_equal "$(wc -l <"$T/out")" 2
	assert_match 'Uid:1234' 'CapEff:0000000000000000' 'Seccomp:2'
}

health() { iso healthcheck "{\"exec\":[\"/bin/test\",\"-e\",\"/share/$1\"],\"interval\":\"50ms\",\"timeout\":\"20s\",\"retries\":2$2}"; }

@test "lives: a healthcheck tells, both ways, and ends nothing" {
	detach_pod "$(app a 'sleep 1000' "$(health well)")"
	wait_for 60 has_state a-health unhealthy
	touch "$T/share/well"
	wait_for 60 has_state a-health healthy
	rm "$T/share/well"
	wait_for 60 has_state a-health unhealthy
	assert_equal "$(pod_state "$UUID")" running
	g status --format=json "$UUID"
	assert_json '.apps[0].health == "unhealthy" and .apps[0].restarts == 0'
}

@test "lives: while an app starts, its failures do not count" {
	detach_pod "$(app a 'sleep 1000' "$(health well ',"startPeriod":"1h"')")"
	wait_for 60 has_state a-health starting
	touch "$T/share/well"
	wait_for 60 has_state a-health healthy
}

@test "lives: a check has the app's place: user, root, capabilities, filter" {
	USER_OF=bob detach_pod "$(USER_OF=bob app a 'sleep 1000' "$(iso healthcheck \
		'{"exec":["/bin/sh","-c","cat /proc/self/status /etc/passwd >/share/check.new; busybox mv /share/check.new /share/check"],"interval":"50ms"}')")"
	wait_for 60 test -s "$T/share/check"
	grep -q '^Uid:	1234' "$T/share/check" || fail "not the app's user"
	grep -q '^CapEff:	0000000000000000' "$T/share/check" || fail "capabilities"
	grep -q '^Seccomp:	2' "$T/share/check" || fail "no filter"
	grep -q '^bob:' "$T/share/check" || fail "not the app's root"
}

@test "lives: a check that does not end in time has failed, and is gone" {
	detach_pod "$(app a 'sleep 1000' "$(iso healthcheck \
		'{"exec":["/bin/sh","-c","echo $$ >>/share/pids; exec sleep 777"],"interval":"50ms","timeout":"100ms","retries":1}')")"
	wait_for 60 has_state a-health unhealthy
	g stop "$UUID"
	assert_ok
	[ -z "$(pod_procs "$UUID")" ] || fail "processes are left"
}

# anonymous PID: its own memory in KiB, by a walk of its pages: the counter beside it may be late (proc(5)).
anonymous() {
	awk '/^Anonymous:/ { print $2; n = 1 } END { exit !n }' "/proc/$1/smaps_rollup" 2>/dev/null ||
		awk '/^RssAnon:/ { print $2 }' "/proc/$1/status"
}

@test "lives: what is started again and again costs init no memory" {
	local pid before
	! readelf -l "${GANTRY%/*}/../libexec/gantry/stage1/ns/rootfs/init" | grep -q INTERP ||
		skip "a sanitizer keeps what was freed"
	detach_pod "$(app a 'sleep 1000' "$(iso healthcheck '{"exec":["/bin/sh","-c","echo >>/share/checks"],"interval":"1ms"}')")"
	pid=$(gantry status "$UUID" | sed -n 's/^pid=//p')
	wait_for 60 has_lines "$T/share/checks" 50
	before=$(anonymous "$pid")
	wait_for 600 has_lines "$T/share/checks" 500
	[ "$(anonymous "$pid")" -le $((before + 12)) ] || fail "init grows"
}

probe() { iso probe "{\"type\":\"$1\",$2,\"period\":\"50ms\",\"timeout\":\"20s\"}"; }

@test "lives: an app that is not alive is started again" {
	detach_pod "$(app a 'echo run >>/share/log; touch /tmp/alive; sleep 0.3; rm /tmp/alive; sleep 1000' \
		"$(iso restart '{"policy":"always"}')" "$(probe liveness '"exec":["/bin/test","-e","/tmp/alive"]')")"
	wait_for 60 has_lines "$T/share/log" 3
	wait_for 60 at_least a-restarts 2
}

@test "lives: readiness is told by a connection, and by HTTP" {
	detach_pod "$(app a 'until test -e /share/go; do sleep 0.05; done; httpd -f -p 80 -h /www' \
		"$(probe readiness '"httpGet":{"port":80,"path":"/index.html"}')")" \
		"$(app b 'sleep 1000' "$(probe readiness '"tcpSocket":{"port":80}')")" \
		"$(app c 'sleep 1000' "$(probe readiness '"httpGet":{"port":80,"path":"/none"}')")"
	has_state a-ready false || fail "ready too early"
	has_state b-ready false || fail "ready too early"
	touch "$T/share/go"
	wait_for 60 has_state a-ready true
	wait_for 60 has_state b-ready true
	has_state c-ready false || fail "404 is not good"
}

@test "lives: other probes wait for the startup probe" {
	detach_pod "$(app a 'sleep 1000' "$(probe startup '"exec":["/bin/test","-e","/share/up"],"failureThreshold":1000000')" \
		"$(probe liveness '"exec":["/bin/sh","-c","echo asked >>/share/asked"]')")"
	sleep 0.5
	[ ! -e "$T/share/asked" ] || fail "liveness was asked before"
	touch "$T/share/up"
	wait_for 60 test -s "$T/share/asked"
	wait_for 60 has_state a-ready true
}

@test "lives: what cannot be is refused" {
	run_pod "$(app a true "$(iso restart '{"policy":"often"}')")"
	assert_refused 254 'often'
	run_pod "$(app a true "$(iso stop-signal '{"signal":"SIGNO"}')")"
	assert_refused 254 'SIGNO'
	local nine=()
	for _ in 1 2 3 4 5 6 7 8 9; do nine+=("$(probe readiness '"tcpSocket":{"port":1}')"); done
	run_pod "$(app a true "${nine[@]}")"
	assert_refused 254 'more than 8 checks'
}
