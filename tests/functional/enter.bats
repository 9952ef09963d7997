# enter: a command in a running app, with what the app has and never more.

load ../lib/gantry

setup_file() { suite_up; }
teardown_file() { suite_down; }
setup() { test_up; }
teardown() { test_down; }

# What the app itself says, in the form of the probe; taken from /proc by its host PID.
app_status() { sed -n "s/^$1:\t//p" "/proc/$(app_pid "$UUID" probe)/status"; }

@test "enter: runs a command and passes its exit status" {
	start_pod "$PROBE_ID" -- pause
	g enter "$UUID" /probe out hello
	assert_ok
	assert_out hello
	g enter "$UUID" /probe exit 42
	assert_status 42
	g enter "$UUID" /probe die 9
	assert_status 137
}

@test "enter: standard streams are the caller's" {
	start_pod "$PROBE_ID" -- pause
	echo from outside >"$T/in"
	status=0
	gantry enter "$UUID" /probe stdin , err to stderr <"$T/in" >"$T/out" 2>"$T/err" || status=$?
	collect
	assert_ok
	assert_out 'from outside' stdin=13
	assert_err '^to stderr$'
}

@test "enter: the app is chosen by --app, which is needed for several" {
	need ns-flavor
	start_pod "$PROBE_ID" --name=one -- pause --- "$PROBE_ID" --name=two -- pause
	g enter "$UUID" /probe id
	assert_refused 254 one two
	g enter --app=two "$UUID" /probe env AC_APP_NAME
	assert_ok
	assert_out AC_APP_NAME=two
	g enter --app=three "$UUID" /probe id
	assert_refused 254 three
}

@test "enter: not into a pod that does not run" {
	g prepare "$PROBE_ID"
	local prepared=${lines[-1]}
	g enter "$prepared" /probe id
	assert_refused 254 "pod \"$prepared\" isn't currently running"
	g enter deadbeef /probe id
	assert_refused 254 'no matches found for'
}

@test "enter: without a command it assumes /bin/bash and says so" {
	start_pod "$PROBE_ID" -- pause
	g enter "$UUID"
	assert_refused 203 'no command specified, assuming' /bin/bash 'No such file or directory'
}

@test "enter: a command that is not there" {
	start_pod "$PROBE_ID" -- pause
	g enter "$UUID" /no/such/command
	assert_refused 203 /no/such/command 'No such file or directory'
}

@test "enter: a command without / is searched in the app's PATH" {
	start_pod "$PROBE_ID" -- pause
	g enter "$UUID" probe-in-path out found
	assert_ok
	assert_out found
}

@test "enter: all namespaces are the app's" {
	start_pod "$PROBE_ID" -- pause
	local pid ns
	pid=$(app_pid "$UUID" probe)
	g enter "$UUID" /probe ns
	assert_ok
	for ns in mnt pid net ipc uts user cgroup; do
		assert_out "ns $ns=$(readlink "/proc/$pid/ns/$ns")"
	done
}

@test "enter: capabilities, filter, groups and user are the app's" {
	need ns-flavor
	start_pod "$PROBE_ID" --caps-retain=CAP_CHOWN,CAP_KILL --supplementary-gids=77 -- pause
	g enter "$UUID" /probe status CapBnd CapEff CapPrm CapInh CapAmb Seccomp NoNewPrivs Uid Gid Groups
	assert_ok
	local key
	for key in CapBnd CapEff CapPrm CapInh CapAmb Seccomp NoNewPrivs; do
		assert_out "$key=$(app_status $key)"
	done
	assert_out Seccomp=2 CapBnd=0000000000000021
	assert_match '^Groups=.*\b77\b'
}

@test "enter: an app that is not root is entered as what it is" {
	start_pod "$PROBE_ID" --user=1234 --group=50 -- pause
	g enter "$UUID" /probe id , status CapEff
	assert_ok
	assert_out uid=1234/1234/1234 gid=50/50/50 CapEff=0000000000000000
}

@test "enter: the app's own seccomp set applies" {
	need ns-flavor
	start_pod "$PROBE_ID" --seccomp mode=remove,errno=EXDEV,mkdir,mkdirat -- pause
	g enter "$UUID" /probe try mkdir
	assert_ok
	assert_out mkdir=EXDEV
}

@test "enter: the default filter applies" {
	need ns-flavor
	start_pod "$PROBE_ID" -- pause
	g enter "$UUID" /probe try unshare-user keyctl mount setns
	assert_ok
	assert_out unshare-user=EPERM keyctl=EPERM mount=EPERM setns=EPERM
}

@test "enter: no-new-privileges applies" {
	need ns-flavor
	probe_image nnp ',"isolators":[{"name":"os/linux/no-new-privileges","value":true}]'
	start_pod "$ID" -- pause
	g enter "$UUID" /probe status NoNewPrivs
	assert_ok
	assert_out NoNewPrivs=1
}

@test "enter: the command is in the app's cgroup, in every hierarchy" {
	start_pod "$PROBE_ID" -- pause
	g_bg entered enter "$UUID" /probe out ready , pause
	wait_line "$T/entered.out" '^ready$'
	local dir inside app
	app=$(app_pid "$UUID" probe)
	for dir in $(pod_cgroups "$UUID"); do
		inside=$(grep -c . "$dir/probe/cgroup.procs" || :)
		[ "$inside" -ge 2 ] || fail "$dir/probe has only: $(cat "$dir/probe/cgroup.procs")"
	done
	[ -n "$app" ] || fail "the app is in no cgroup"
}

@test "enter: the app's limits apply" {
	need ns-flavor
	need pids
	start_pod "$PROBE_ID" --pids=8 -- pause
	g enter "$UUID" /probe forks 50
	assert_ok
	assert_match '^forks=[0-9] EAGAIN$'
}

@test "enter: memory is counted with the app's" {
	need ns-flavor
	need memory
	start_pod "$PROBE_ID" --memory=24Mi -- pause
	g enter "$UUID" /probe eat 200
	[ "$status" != 0 ] || fail "was not limited"
	refute_match '^ate='
}

@test "enter: environment is the app's and the caller's TERM, nothing else" {
	export SECRET_OF_HOST=1 TERM=vt220
	start_pod "$PROBE_ID" --environment=COLOR=blue -- pause
	g enter "$UUID" /probe env
	assert_ok
	assert_out COLOR=blue AC_APP_NAME=probe TERM=vt220
	assert_out PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
	refute_match SECRET_OF_HOST
	refute_match '^(GANTRY|RKT|BATS)_'
}

@test "enter: no descriptor of the host reaches the command" {
	start_pod "$PROBE_ID" -- pause
	status=0
	gantry enter "$UUID" /probe fds 7</etc/passwd 8</ >"$T/out" 2>"$T/err" </dev/null || status=$?
	collect
	assert_ok
	refute_match '^fd=([3-9]|[1-9][0-9])'
}

@test "enter: root, masks and devices are the app's" {
	need ns-flavor
	start_pod "$PROBE_ID" --readonly-rootfs=true -- pause
	g enter "$UUID" /probe write /new x , poke /proc/sysrq-trigger x , poke /proc/sys/kernel/core_pattern x , cat /proc/kcore , out end
	assert_ok
	assert_out 'write /new=EROFS' 'poke /proc/sys/kernel/core_pattern=EROFS'
	refute_match 'sysrq-trigger=ok'
	# nothing came of kcore: its lines would stand before the last
	assert_equal "$(grep -cvE '^(write|poke|cat) .*=E[A-Z]+$' "$T/out")" 1
}

@test "enter: devices are denied as to the app" {
	need ns-flavor
	start_pod "$PROBE_ID" -- pause
	g enter "$UUID" /probe device c 1 1 , device b 7 0
	assert_ok
	assert_out 'device c 1:1=mknod EPERM' 'device b 7:0=mknod EPERM'
}

# Were it the caller's, TIOCSTI and the like would type into the caller's shell (CVE-2017-5226).
@test "enter: the command gets a terminal, and it is not the caller's" {
	need ns-flavor
	command -v script >/dev/null || skip "no script here"
	start_pod "$PROBE_ID" -- pause
	local flags pid app
	app=$(app_pid "$UUID" probe)
	global_flags
	(exec nsenter --target="$WORLD" --mount --net -- script -qefc \
		"$(printf '%q ' "$GANTRY" "${flags[@]}" enter "$UUID" /probe open rw /dev/tty , try tiocsti , out ready , pause)" \
		/dev/null) </dev/null >"$T/tty.out" 2>&1 3>&- 4>&- &
	BG_PIDS+=($!)
	wait_line "$T/tty.out" 'ready'
	tr -d '\r\0' <"$T/tty.out" >"$T/out"
	assert_match 'open rw /dev/tty=ok' 'tiocsti=EPERM'
	pid=$(app_pids "$UUID" probe | grep -vx "$app" | head -n 1)
	[ "$(stat -L -c %F "/proc/$pid/fd/1")" = 'character special file' ] || fail "no terminal: $(ls -l "/proc/$pid/fd")"
	# the caller's is what gantry itself has, the parent of what was entered
	[ "$(stat -L -c %d:%t:%T "/proc/$pid/fd/1")" != "$(stat -L -c %d:%t:%T "/proc/$(ps -o ppid= -p "$pid" | tr -d ' ')/fd/1")" ] ||
		fail "the caller's terminal"
}

@test "enter: what is entered ends with the pod" {
	start_pod "$PROBE_ID" -- pause
	g_bg entered enter "$UUID" /probe out ready , ignore 15 , pause
	local pid=$BG
	wait_line "$T/entered.out" '^ready$'
	g stop "$UUID"
	assert_ok
	wait_state "$UUID" exited
	g_wait "$pid" entered
	assert_status 137
	assert_equal "$(pod_procs "$UUID")" ''
}

@test "enter: an app's processes cannot see or trace what enters" {
	need ns-flavor
	# the entering process must never be dumpable while it holds anything of the host
	start_pod "$PROBE_ID" -- ps , pause
	g enter "$UUID" /probe ps
	assert_ok
	refute_match '(gantry|enter|nsenter)$'
}
