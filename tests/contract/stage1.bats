#!/usr/bin/env bats
# What stage0 says to a stage1, as Documentation/stage1-interface.md promises it: a stub that runs nothing
# writes down what it is given.

load ../lib/gantry
load stub-stage1/stub

setup_file() { suite_up; }
teardown_file() { suite_down; }
setup() { stub_test_up; }
teardown() { stub_test_down; }

common="--local-config=*/local"
late_args() { echo "--data-dir=*/data" "--system-config=*/system"; }

@test "stage1: run is called in the pod directory, with the options before the UUID" {
	stub_run 7 --net=none
	assert_ok
	assert_out 'stub stage1: nothing is run'
	assert_argv run --net=none "$common" "--hostname=gantry-$(the_uuid)" \
		'--dns-conf-mode=resolv=default,hosts=default' $(late_args) --foreground "$(the_uuid)"
	assert_equal "$(stub_said run cwd)" "$(readlink -f "$DATA")/pods/run/$(the_uuid)"
	assert_equal "$(stub_said run pod | xargs)" 'appsinfo overlay-prepared pod pod-created stage1'
}

@test "stage1: called as rkt, the host name begins with rkt" {
	ln -s "$GANTRY" "$T/rkt"
	GANTRY=$T/rkt stub_run 6 --net=none
	assert_ok
	grep -qxF -e "--hostname=rkt-$(the_uuid)" "$STUB_OUT/run/argv"
}

@test "stage1: each flag of run and its word for stage1" {
	local row flags want
	while IFS='|' read -r flags want; do
		[ -n "$flags" ] || continue
		rm -rf "$DATA/pods"
		# shellcheck disable=SC2086
		stub_run 7 $flags
		[ "$status" = 0 ] || fail "$flags"
		for row in $want; do
			grep -qxF -e "$row" "$STUB_OUT/run/argv" || fail "$flags: no $row in $(stub_said run argv | xargs)"
		done
	done <<-'EOT'
		--net=host|--net=host
		--net=none|--net=none
		--net=one:IP=10.1.2.3;X=y,two|--net=one:IP=10.1.2.3;X=y --net=two
		--debug --net=none|--debug
		--hostname=box --net=none|--hostname=box
		--ipc=parent --net=none|--ipc=parent
		--ipc=private --net=none|--ipc=private
		--dns=host --net=none|--dns-conf-mode=resolv=host,hosts=default
		--dns=none --net=none|--dns-conf-mode=resolv=none,hosts=default
		--dns=192.0.2.1 --net=none|--dns-conf-mode=resolv=stage0,hosts=default
		--hosts-entry=host --net=none|--dns-conf-mode=resolv=default,hosts=host
		--hosts-entry=192.0.2.1=a --net=none|--dns-conf-mode=resolv=default,hosts=stage0
		--insecure-options=capabilities --net=none|--disable-capabilities-restriction
		--insecure-options=paths --net=none|--disable-paths
		--insecure-options=seccomp --net=none|--disable-seccomp
		--insecure-options=all-run --net=none|--disable-capabilities-restriction --disable-paths --disable-seccomp
		--dry-run --net=none|--dry-run
		--interactive --net=none|--interactive
	EOT
}

@test "stage1: the ids of a pod with users of its own, for every version" {
	local version
	for version in 1 6 7; do
		rm -rf "$DATA/pods"
		stub_run $version --private-users --net=none
		assert_ok
		grep -qxE -e '--private-users=[0-9]+:65536' "$STUB_OUT/run/argv" || fail "$(stub_said run argv)"
		grep -qxF -e "--private-users=$(cat "$DATA"/pods/*/*/private-users-prepared)" "$STUB_OUT/run/argv" || fail "other ids than the pod's"
		stub_run $version --net=none
		! grep -q private-users "$STUB_OUT/run/argv" || fail "nobody asked for it"
	done
}

@test "stage1: without --net there is no word for it, and that is the default network" {
	stub_run 7
	assert_ok
	! grep -q -e '--net' "$STUB_OUT/run/argv" || fail "$(stub_said run argv)"
}

@test "stage1: what stage0 writes for it: resolv.conf and hosts" {
	stub_run 7 --net=none --dns=192.0.2.7 --dns-search=example.com --hosts-entry=192.0.2.9=nine
	assert_ok
	grep -qx 'nameserver 192.0.2.7' "$DATA"/pods/run/*/etc/resolv.conf
	grep -qx 'search example.com' "$DATA"/pods/run/*/etc/resolv.conf
	grep -qE '^192\.0\.2\.9[[:space:]]+nine$' "$DATA"/pods/run/*/etc/hosts
}

@test "stage1: each interface version gets the words that it knows, and no complaint" {
	local v want
	for v in - 1 2 3 4 5 6 7; do
		rm -rf "$DATA/pods"
		stub_run "$v" --net=none
		assert_ok
		assert_equal "$stderr" ''
		want=(--net=none "$common")
		[[ $v == [-1] ]] || want+=("--hostname=gantry-*")
		[[ $v == [-123] ]] || want+=("--dns-conf-mode=resolv=default,hosts=default")
		[[ $v != 7 ]] || want+=("--data-dir=*" "--system-config=*" --foreground)
		assert_argv run "${want[@]}" "$(the_uuid)"
	done
}

@test "stage1: an interface version of the future is spoken to as to ours" {
	stub_run 9 --net=none
	assert_ok
	grep -qx -e --foreground "$STUB_OUT/run/argv"
}

@test "stage1: a harmless option that it does not know is left out and reported" {
	stub_run 1 --net=none --hostname=box
	assert_ok
	assert_err "warning: the pod's stage1 does not know, left out: --hostname=box"
	assert_argv run --net=none "$common" "$(the_uuid)"
}

@test "stage1: a security option that it does not know is refused, and nothing runs" {
	local version flags option since
	while read -r version flags option since; do
		[ -n "$version" ] || continue
		stub_run "$version" --net=none "$flags"
		assert_refused 254 "$option: this stage1 has interface version $version, the option came with $since"
		[ ! -e "$STUB_OUT/run" ] || fail "$flags: it was called"
		[ -z "$(ls "$DATA/pods/run")" ] || fail "$flags: the pod is in run"
	done <<-'EOT'
		2 --insecure-options=seccomp --disable-seccomp 3
		2 --insecure-options=paths --disable-paths 3
		1 --insecure-options=capabilities --disable-capabilities-restriction 3
		3 --dns=host --dns-conf-mode 4
		3 --hosts-entry=host --dns-conf-mode 4
		5 --ipc=parent --ipc 6
		6 --dry-run --dry-run 7
	EOT
}

@test "stage1: the pod's lock is held over the exec, and is told by number" {
	local v
	for v in 1 6 7; do
		rm -rf "$DATA/pods"
		stub_run "$v" --net=none
		assert_ok
		assert_equal "$(stub_said run lock | xargs)" 'held fd'
		local fd
		fd=$(sed -n 's/^RKT_LOCK_FD=//p' "$STUB_OUT/run/env")
		grep -qxF "GANTRY_LOCK_FD=$fd" "$STUB_OUT/run/env"
		grep -qxF "GANTRY_FDS=lock=$fd" "$STUB_OUT/run/env"
		# standard streams and the lock, and nothing that stage0 had open besides
		assert_equal "$(cut -d' ' -f1 "$STUB_OUT/run/fds" | sort -n | xargs)" "0 1 2 $fd"
	done
}

@test "stage1: detached, version 7 is given error and ready besides" {
	STUB_RUN=ready stub_start 7
	local fds
	fds=$(sed -n 's/^GANTRY_FDS=//p' "$STUB_OUT/run/env")
	[[ $fds =~ ^lock=[0-9]+,error=[0-9]+,ready=[0-9]+$ ]] || fail "$fds"
	assert_equal "$(cut -d' ' -f1 "$STUB_OUT/run/fds" | wc -l)" 6
	! grep -qx -e --foreground "$STUB_OUT/run/argv" || fail "--foreground"
	[ "$(grep -c '^[01] /dev/null$' "$STUB_OUT/run/fds")" = 2 ] || fail "$(stub_said run fds)"
	grep -q '^2 /memfd:messages' "$STUB_OUT/run/fds" || fail "$(stub_said run fds)"
}

@test "stage1: detached, what it says until the pod is ready is shown, and then it cannot fill the memory" {
	STUB_SAY='a warning' STUB_RUN=ready stub_start 7
	assert_equal "$stderr" 'a warning'
	assert_out "$UUID"
	local file
	file=/proc/$(cat "$POD/pid")/fd/2
	[ "$(stat -L -c %s "$file")" -le 65536 ] || fail "it grows"
	! head -c 100000 /dev/zero | tr '\0' x >>"$file" || fail "it can be filled"
	STUB_SAY='a reason' STUB_EXIT=3 stub_run 7 --detach --net=none
	assert_refused 254 '^a reason$' 'the pod ended before it was ready'
}

@test "stage1: detached, rkt's contract: the lock only, and ready is the pid file" {
	local v
	for v in 1 6; do
		STUB_RUN=pid stub_start "$v"
		assert_equal "$(cut -d' ' -f1 "$STUB_OUT/run/fds" | wc -l)" 4
		[ -s "$POD/pid" ] || fail "back before there was a pid"
		[ "$(grep -c ' /dev/null$' "$STUB_OUT/run/fds")" = 3 ] || fail "$(stub_said run fds)"
		g status "$UUID"
		assert_out state=running "pid=$(cat "$POD/pid")"
		stub_end "$POD"
		wait_state "$UUID" exited
	done
}

@test "stage1: detached, one that ends before there is a pod" {
	STUB_EXIT=7 stub_run 6 --detach --net=none
	assert_refused 254 'the pod ended before it was ready: its first process exited with status 7'
	STUB_EXIT=0 stub_run 6 --detach --net=none
	assert_refused 254 'the pod ended before it was ready: its first process exited with status 0'
	STUB_EXIT=3 stub_run 7 --detach --net=none
	assert_refused 254 'the pod ended before it was ready: its first process exited with status 3'
}

@test "stage1: its environment is the caller's, without what would be taken for stage0's words" {
	CNI_ARGS=x CNI_NETNS=/proc/1/ns/net GANTRY_LOG_FD=2 RKT_LOCK_FD=0 TERM=dumb MINE=1 stub_run 7 --net=none
	assert_ok
	grep -qx MINE=1 "$STUB_OUT/run/env"
	grep -qx TERM=dumb "$STUB_OUT/run/env"
	! grep -qE '^(CNI_|GANTRY_LOG_FD=|RKT_LOCK_FD=0$)' "$STUB_OUT/run/env" || fail "$(stub_said run env)"
}

@test "stage1: the exit status of run is gantry's" {
	local code
	for code in 0 1 42 254; do
		STUB_EXIT=$code stub_run 6 --net=none
		assert_status "$code"
	done
}

@test "stage1: a pod that a stub ran has ended like any other" {
	STUB_RUN=ready stub_start 7
	g status "$UUID"
	assert_out state=running
	g list --no-legend
	assert_match "^${UUID:0:8}.*running"
	STUB_EXIT=5
	export STUB_EXIT
	stub_end "$POD"
	wait_state "$UUID" exited
	g status "$UUID"
	assert_out state=exited exited=true app-probe=0
	STUB_EXIT=0
	g rm "$UUID"
	assert_ok
	[ ! -e "$POD" ] || fail "still there"
}

# --- enter ---

@test "stage1: enter is given the first process, the app and the command" {
	local v
	for v in 1 6 7; do
		if [ $v = 7 ]; then STUB_RUN=ready stub_start $v; else STUB_RUN=pid stub_start $v; fi
		STUB_EXIT=9 g enter "$UUID" /bin/sh -c 'a b' ''
		assert_status 9
		assert_argv enter "--pid=$(cat "$POD/pid")" --appname=probe -- /bin/sh -c 'a b' ''
		assert_equal "$(stub_said enter cwd)" "$(readlink -f "$POD")"
		# no descriptor of stage0's
		assert_equal "$(cut -d' ' -f1 "$STUB_OUT/enter/fds" | xargs)" '0 1 2'
	done
}

@test "stage1: enter --user is refused by a stage1 that cannot" {
	STUB_RUN=pid stub_start 6
	g enter --user=bob "$UUID" true
	assert_refused 254 '--user: this stage1 has interface version 6, the option came with 7'
	[ ! -e "$STUB_OUT/enter" ] || fail "it was called"
}

@test "stage1: of a ppid file the one child is the pod's first process" {
	STUB_RUN=ppid stub_start 6
	local child
	child=$(tr -d ' ' <"/proc/$(cat "$POD/ppid")/task/$(cat "$POD/ppid")/children")
	assert_equal "$(pod_pid "$UUID")" "$child"
	g enter "$UUID" true
	assert_ok
	assert_argv enter "--pid=$child" --appname=probe -- true
	stub_end "$POD"
	wait_state "$UUID" exited
}

@test "stage1: enter waits for a late pid file" {
	stub_dir "$STUB" 6
	STUB_RUN=late g_bg pod run --stage1-path="$STUB" --net=none --uuid-file-save="$T/uuid" "$PROBE_ID"
	wait_for 60 test -s "$T/uuid"
	UUID=$(cat "$T/uuid")
	POD=$DATA/pods/run/$UUID
	wait_for 60 test -s "$STUB_OUT/run/lock"
	g_bg enter enter "$UUID" true
	sleep 0.5
	[ ! -e "$STUB_OUT/enter" ] || fail "entered before there was a process"
	g status "$UUID"
	refute_match '^pid='
	: >"$POD/go"
	g_wait "$BG" enter
	assert_ok
	assert_argv enter "--pid=$(cat "$POD/pid")" --appname=probe -- true
}

@test "stage1: enter waits as well when the apps run and the pid file is away" {
	start_pod "$PROBE_ID" -- pause
	POD=$DATA/pods/run/$UUID
	mv "$POD/pid" "$POD/pid.backup"
	g_bg enter enter "$UUID" /probe out inside
	local pid=$BG
	sleep 0.5
	[ ! -s "$T/enter.out" ] || fail "entered"
	kill -0 "$pid" || fail "gave up: $(cat "$T/enter.err")"
	mv "$POD/pid.backup" "$POD/pid"
	g_wait "$pid" enter
	assert_ok
	assert_out inside
	g stop "$UUID"
	assert_ok
}

# watches PID: it has looked, and waits for what comes
watches() { find "/proc/$1/fd" -lname 'anon_inode:*inotify*' | grep -q .; }

@test "stage1: enter gives up when the pod ends before there was a process" {
	stub_dir "$STUB" 6
	STUB_RUN=late g_bg pod run --stage1-path="$STUB" --net=none --uuid-file-save="$T/uuid" "$PROBE_ID"
	local pod=$BG
	wait_for 60 test -s "$STUB_OUT/run/lock"
	UUID=$(cat "$T/uuid")
	g_bg enter enter "$UUID" true
	wait_for 60 watches "$BG" || fail "does not wait: $(cat "$T/enter.err")"
	kill -KILL "$pod"
	g_wait "$BG" enter
	assert_refused 254 'the pod ended before it was ready'
}

@test "stage1: status --wait-ready of rkt's contract waits for the process" {
	stub_dir "$STUB" 6
	STUB_RUN=late g_bg pod run --stage1-path="$STUB" --net=none --uuid-file-save="$T/uuid" "$PROBE_ID"
	wait_for 60 test -s "$STUB_OUT/run/lock"
	UUID=$(cat "$T/uuid")
	g status --wait-ready=200ms "$UUID"
	assert_refused 254 'timeout'
	: >"$DATA/pods/run/$UUID/go"
	g status --wait-ready "$UUID"
	assert_ok
	assert_out state=running
}

# --- stop, gc ---

@test "stage1: stop asks, --force is handed on, and a failure is one" {
	STUB_RUN=pid stub_start 6
	STUB_EXIT=1 g stop "$UUID"
	assert_refused 254 "error stopping pod \"$UUID\""
	assert_argv stop "$UUID"
	assert_equal "$(cut -d' ' -f1 "$STUB_OUT/stop/fds" | xargs)" '0 1 2'
	wait_state "$UUID" exited
	STUB_RUN=pid stub_start 6
	g stop --force --debug "$UUID"
	assert_ok
	assert_out "\"$UUID\""
	assert_argv stop --debug --force "$UUID"
	assert_equal "$(stub_said stop cwd)" "$(readlink -f "$POD")"
	wait_state "$UUID" exited
	rm -rf "$STUB_OUT/stop"
	g stop "$UUID"
	assert_ok
	[ ! -e "$STUB_OUT/stop" ] || fail "asked a pod that has ended"
}

@test "stage1: gc is asked for every pod that ran, with the lock, before the directory goes" {
	local v want
	for v in 1 4 5 7; do
		stub_run $v --net=none
		assert_ok
		UUID=$(the_uuid)
		g rm "$UUID"
		assert_ok
		want=()
		[ $v -lt 5 ] || want=("$common")
		assert_argv gc "${want[@]}" "$UUID"
		assert_equal "$(stub_said gc cwd)" "$(readlink -f "$DATA")/pods/exited-garbage/$UUID"
		grep -qx held "$STUB_OUT/gc/lock" || fail "nobody holds the lock"
		[ ! -e "$DATA/pods/exited-garbage/$UUID" ] || fail "still there"
	done
	stub_run 6 --net=none
	g gc --grace-period=0s
	assert_ok
	[ -e "$STUB_OUT/gc/argv" ] || fail "gc did not ask it"
}

@test "stage1: gc is not asked for a pod that never ran" {
	stub_dir "$STUB" 7
	g prepare --quiet --stage1-path="$STUB" "$PROBE_ID"
	assert_ok
	g rm "$output"
	assert_ok
	[ ! -e "$STUB_OUT/gc" ] || fail "asked"
}

@test "stage1: a gc that fails keeps the pod for the next one" {
	stub_run 6 --net=none
	UUID=$(the_uuid)
	STUB_EXIT=3 g rm "$UUID"
	assert_refused 254 'stage1 gc exited with status 3'
	[ -d "$DATA/pods/exited-garbage/$UUID" ] || fail "gone"
	g rm "$UUID"
	assert_ok
}

@test "stage1: entry points that it has not" {
	stub_dir "$STUB" 7 run
	STUB_RUN=ready g run --stage1-path="$STUB" --detach --net=none "$PROBE_ID"
	assert_ok
	UUID=$output
	g stop "$UUID"
	assert_refused 254 "gantry stop not implemented for pod's stage1"
	g enter "$UUID" true
	assert_refused 254 "gantry enter not implemented for pod's stage1"
	stub_end "$DATA/pods/run/$UUID"
	wait_state "$UUID" exited
	g rm "$UUID"
	assert_ok
}

# --- the life of a pod, and changes meanwhile ---
