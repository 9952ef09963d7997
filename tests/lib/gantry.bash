# What every functional test loads: `load ../lib/gantry`.  Reading order: world (the namespaces that a
# test file works in), sandbox (directories of one test), command (how gantry is called), assert, wait.
# Images and signatures are in aci.bash and sign.bash, the check for what is left over in leaks.bash.
# shellcheck shell=bash disable=SC2154,SC2034

bats_require_minimum_version 1.5.0

TOP=$(cd "${BASH_SOURCE[0]%/*}/../.." && pwd)
: "${GANTRY:=$TOP/build/bin/gantry}"
: "${PROBE:=$TOP/build/tests/probe}"
: "${HTTPD:=$TOP/build/tests/httpd}"
: "${MKTAR:=${PROBE%/*}/mktar}"
: "${PTY:=${PROBE%/*}/pty}"
: "${GANTRY_TEST_TIMEOUT:=120}" # of one command that hangs; no test expects to be near it
: "${GANTRY_TEST_REQUIRE:=}"
: "${GANTRY_FLAVOR:=ns}" # of stage1: ns or fly
export GANTRY PROBE HTTPD MKTAR PTY

# shellcheck source=tests/lib/aci.bash
. "$TOP/tests/lib/aci.bash"
# shellcheck source=tests/lib/sign.bash
. "$TOP/tests/lib/sign.bash"
# shellcheck source=tests/lib/leaks.bash
. "$TOP/tests/lib/leaks.bash"

# --- requirements -------------------------------------------------------------------------------

have_root() { [ "$(id -u)" = 0 ]; }
have_overlay() { grep -qw overlay /proc/filesystems && [ "$(stat -f -c %T "${BATS_RUN_TMPDIR:-/tmp}")" != overlayfs ]; }
have_cgroup2() { [ -f "$(cgroup2_top)/cgroup.procs" ]; }
have_memory() { controller_dir memory >/dev/null; }
have_cpu() { controller_dir cpu >/dev/null; }
have_pids() { controller_dir pids >/dev/null; }
have_gpg() { command -v gpg >/dev/null && command -v gpgconf >/dev/null; }
have_nft() { command -v nft >/dev/null && unshare -n nft list ruleset >/dev/null 2>&1; }
have_veth() { unshare -n ip link add probe0 type veth peer name probe1 2>/dev/null; }
have_bridge() { unshare -n ip link add probe0 type bridge 2>/dev/null; }
have_dummy() { unshare -n ip link add probe0 type dummy 2>/dev/null; }
have_cni() { [ -x /usr/lib/cni/host-local ] && [ -x /usr/lib/cni/bridge ]; }
have_resource() { capsh --has-p=cap_sys_resource 2>/dev/null; }
have_busybox() { busybox_static >/dev/null; }
have_xattr() { command -v setfattr >/dev/null && command -v setcap >/dev/null; }
have_python() { command -v python3 >/dev/null; }
have_openssl() { command -v openssl >/dev/null; }

# need FEATURE...: skip without it, but fail where GANTRY_TEST_REQUIRE (a comma list, or "all") says
# that it must be there: a run in which everything was skipped must not look green.  `ns-flavor` is no
# feature of the machine: such a test asks for what the flavour fly does not have.
need() {
	local feature
	for feature; do
		if [ "$feature" = ns-flavor ]; then
			[ "$GANTRY_FLAVOR" = ns ] || skip "stage1 $GANTRY_FLAVOR has nothing of this"
			continue
		fi
		"have_$feature" && continue
		case ,$GANTRY_TEST_REQUIRE, in
		*,"$feature",* | *,all,*)
			echo "$feature is required by GANTRY_TEST_REQUIRE and is not here"
			return 1 ;;
		esac
		skip "no $feature here"
	done
}

# bats 1.8, which is Debian's, knows skip in tests only: in setup_file it takes it for a failure.  There it is said here of
# all tests of the file; in_setup_file: what bats-exec-file knows of them.
in_setup_file() { [ -z "${BATS_TEST_NAME:-}" ] && [ -n "${tests_to_run[*]:-}" ]; }

eval "bats_$(declare -f skip)"
skip() {
	local name text number=${BATS_FILE_FIRST_TEST_NUMBER_IN_SUITE:-0}
	in_setup_file || bats_skip "$@"
	teardown_file >/dev/null 2>&1 || :
	for name in "${tests_to_run[@]}"; do
		text=${name#test_} text=${text//_/ }
		printf -v text %b "${text//-/\\x}"
		[ -z "${extended_syntax:-}" ] || echo "begin $((number + 1)) $text"
		echo "ok $((++number)) $text # skip ${1:-}"
	done >&3
	trap - EXIT ERR DEBUG
	exit 0
}

# --- world: what stands for the host ------------------------------------------------------------

# A mount and a network namespace for a whole test file, so that no bridge, route, rule, lease or mount
# of a test touches the real host.  Inside, / is shared as under systemd (a mount that leaks from a pod
# would show), /run is fresh, lo is up.  One process holds both; it dies with bats.
world_up() {
	local start='
		mount -t tmpfs -o mode=755 run /run || exit 1
		mkdir -p /run/lock /run/netns
		# where plugins of any origin may keep their leases
		mount -t tmpfs -o mode=755 lib /var/lib || exit 1
		# plugins of a test go to /opt/cni/bin
		mount -t tmpfs -o mode=755 opt /opt || exit 1
		mkdir -p /opt/cni/bin
		mount --make-rshared / || exit 1
		ip link set lo up || exit 1
		echo ready >"$1"
		exec sleep infinity'
	rm -f "$BATS_FILE_TMPDIR/world"
	setpriv --pdeathsig KILL unshare --mount --net --propagation private \
		/bin/sh -c "$start" world "$BATS_FILE_TMPDIR/world" </dev/null >"$BATS_FILE_TMPDIR/world.log" 2>&1 3>&- &
	export WORLD=$!
	wait_for 60 test -s "$BATS_FILE_TMPDIR/world" || { cat "$BATS_FILE_TMPDIR/world.log"; return 1; }
}

world_down() {
	local pid
	for pid in ${HTTPD_PID:-} ${WORLD:-}; do
		kill -KILL "$pid" 2>/dev/null && wait "$pid" 2>/dev/null || :
	done
}

# httpd_up DIRECTORY STATE: a web server in the world; $URL leads to it, STATE/access.log tells of it.
httpd_up() {
	(exec setpriv --pdeathsig KILL nsenter --target="$WORLD" --mount --net -- \
		"$HTTPD" "$1" "$2/port" "$2/access.log") </dev/null >/dev/null 2>&1 3>&- 4>&- &
	export HTTPD_PID=$! URL
	wait_for 60 test -s "$2/port"
	URL=http://127.0.0.1:$(cat "$2/port")
}

in_world() { nsenter --target="$WORLD" --mount --net --wdns="$PWD" -- "$@"; }

# outside_up: another machine, 192.0.2.2, the network namespace `out`; the world is 192.0.2.1 to it.
outside_up() {
	in_world ip netns add out
	in_world ip link add up0 type veth peer name eth0 netns out
	in_world ip addr add 192.0.2.1/24 dev up0
	in_world ip link set up0 up
	in_world ip netns exec out ip addr add 192.0.2.2/24 dev eth0
	in_world ip netns exec out ip link set eth0 up
}

# --- sandbox: the directories of one test -------------------------------------------------------

# suite_up: setup_file of most files: a world, the shared images, and a store that has them already.
suite_up() {
	need root
	world_up
	fixtures_up
	sandbox_up "$BATS_FILE_TMPDIR"
	gantry fetch "$FIX/probe.aci" >/dev/null
	PROBE_ID=sha512-$(image_key "$FIX/probe.aci")
	export PROBE_ID FILE_DATA=$DATA
}

suite_down() { world_down; }

# sandbox_up DIR: an empty data directory and empty configuration directories.
sandbox_up() {
	T=$1
	DATA=$T/data LOCAL=$T/local SYSTEM=$T/system
	mkdir -p "$DATA" "$LOCAL/net.d" "$SYSTEM" "$T/tmp"
	FIX=$BATS_RUN_TMPDIR/gantry-fixtures
	INSECURE=image
	BG_PIDS=()
	: >"$T/uuids"
	: >"$T/out"
	: >"$T/err"
}

# test_up: setup of a test: a sandbox of its own; with a store of the file's images if there is one.
test_up() {
	sandbox_up "$BATS_TEST_TMPDIR"
	[ ! -d "${FILE_DATA:-}" ] || cp -a --reflink=auto "$FILE_DATA/." "$DATA"
}

# test_down: end what the test left running, so that one failure does not make the next; by force of our
# own where the gantry under test cannot.
test_down() {
	local pid pod left
	for pid in "${BG_PIDS[@]}"; do
		kill -KILL "$pid" 2>/dev/null || :
	done
	for pod in "$DATA"/pods/run/*; do
		[ ! -d "$pod" ] || gantry stop --force "${pod##*/}" >/dev/null 2>&1 || :
	done
	left=$(leaked_processes | cut -d' ' -f1)
	for pid in $left; do
		kill -KILL "$pid" 2>/dev/null || :
	done
	[ -z "$left" ] || wait_for 10 no_leaked_processes || :
	gantry gc --grace-period=0s --expire-prepared=0s >/dev/null 2>&1 || :
	return 0
}

# --- command: calling gantry --------------------------------------------------------------------

# Remember every pod that was seen in the data directory: leaks are looked for by these numbers.
note_pods() {
	local pod
	for pod in "$DATA"/pods/*/*-*-*-*-*; do
		[ ! -d "$pod" ] || echo "${pod##*/}"
	done >>"$T/uuids"
}

global_flags() {
	flags=(--dir="$DATA" --local-config="$LOCAL" --system-config="$SYSTEM")
	[ -z "$INSECURE" ] || flags+=(--insecure-options="$INSECURE")
}

# with_flavor ARG...: the words of a command in $words, with the choice of stage1 where one is to be made.
with_flavor() {
	words=("$@")
	case $GANTRY_FLAVOR/$1 in
	ns/*) ;;
	*/run | */prepare) words=("$1" --stage1-name="gantry/stage1-$GANTRY_FLAVOR" "${@:2}") ;;
	esac
}

# gantry ARG...: in the world, on the sandbox.  Descriptors of bats are closed: a pod that stays must
# not keep bats waiting for the end of a pipe.
gantry() {
	local rc=0 flags words
	global_flags
	with_flavor "$@"
	in_world timeout -k 5 "$GANTRY_TEST_TIMEOUT" "$GANTRY" "${flags[@]}" "${words[@]}" 3>&- 4>&- || rc=$?
	note_pods
	return $rc
}

# g ARG...: gantry, with the outcome in $status, $output, $stderr and the array lines.  Streams go to
# files, not pipes, for the same reason.
g() {
	status=0
	gantry "$@" >"$T/out" 2>"$T/err" </dev/null || status=$?
	collect
}

collect() {
	output=$(tr -d '\0' <"$T/out")
	stderr=$(tr -d '\0' <"$T/err")
	lines=()
	[ -z "$output" ] || mapfile -t lines <<<"$output"
	COMMAND_SHOWN="status $status
--- stdout
$output
--- stderr
$stderr"
}

# g_pty STEP... -- ARG...: gantry on a terminal, whose user plays the steps (tests/lib/pty.c); everything
# that was printed is in $output, without the carriage returns of a terminal.
g_pty() {
	local flags steps=()
	while [ "$1" != -- ]; do
		steps+=("$1")
		shift
	done
	shift
	global_flags
	status=0
	in_world timeout -k 5 "$GANTRY_TEST_TIMEOUT" "$PTY" "${steps[@]}" -- "$GANTRY" "${flags[@]}" "$@" \
		</dev/null >"$T/raw" 2>"$T/err" 3>&- 4>&- || status=$?
	note_pods
	tr -d '\r' <"$T/raw" >"$T/out"
	collect
}

# g_bg NAME ARG...: gantry in the background; its PID is in $BG (the front that becomes the monitor),
# its streams in $T/NAME.out and $T/NAME.err.
g_bg() {
	local name=$1 flags words
	shift
	global_flags
	with_flavor "$@"
	(exec nsenter --target="$WORLD" --mount --net --wdns="$PWD" -- "$GANTRY" "${flags[@]}" "${words[@]}") \
		</dev/null >"$T/$name.out" 2>"$T/$name.err" 3>&- 4>&- &
	BG=$!
	BG_PIDS+=("$BG")
}

# g_wait PID NAME: the end of a background gantry, as g leaves it.
g_wait() {
	status=0
	wait "$1" || status=$?
	cp "$T/$2.out" "$T/out"
	cp "$T/$2.err" "$T/err"
	note_pods
	collect
}

# run_probe WORD...: run one probe pod without network, in the foreground; words before a lone -- are
# per-app flags, those after it the probe's.  RUN_FLAGS are flags of run itself.
run_probe() {
	g run --net=none "${RUN_FLAGS[@]}" "$PROBE_ID" "$@"
}

# start_pod NAME WORD...: the same detached; the pod's UUID is in $UUID.
start_pod() {
	g run --detach --net="${NET:-none}" "${RUN_FLAGS[@]}" "$@"
	assert_ok
	UUID=${lines[-1]}
	[[ $UUID =~ ^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$ ]] ||
		fail "not a UUID: $UUID"
}

# exited_pod [STATUS]: a pod whose one app, "app", ended with that status; its UUID is in $UUID and $T/uuid.
exited_pod() {
	g run --net=none --uuid-file-save="$T/uuid" "$PROBE_ID" --name=app -- exit "${1:-0}"
	assert_status "${1:-0}"
	UUID=$(cat "$T/uuid")
}

# hold_lock DIR: a process of the test holds the lock on it until the test ends.
hold_lock() {
	(
		exec 9<"$1" && flock 9 && exec sleep 1000
	) </dev/null >/dev/null 2>&1 3>&- 4>&- &
	BG_PIDS+=($!)
	wait_for 60 sh -c '! flock -n "$1" true' sh "$1"
}

pod_state() { gantry status "$1" 2>/dev/null | sed -n 's/^state=//p'; }
pod_pid() { gantry status "$1" 2>/dev/null | sed -n 's/^pid=//p'; }

# monitor_of UUID: the PID of the pod's monitor, the parent of its PID 1.
monitor_of() { ps -o ppid= -p "$(pod_pid "$1")" | tr -d ' '; }

# fly_procs UUID: the processes that have a root of the pod's as theirs, whose mounts carry its number.
fly_procs() {
	grep -lsE "^[0-9]+ [0-9]+ [^ ]+ ([^ ]*$1[^ ]* / |[^ ]+ / .* $1 )" /proc/[0-9]*/mountinfo | cut -d/ -f3
}

# pod_procs UUID: host PIDs of everything in the pod's cgroups; app_pid UUID APP: those of one app.
pod_procs() {
	local dir
	fly_procs "$1"
	for dir in $(pod_cgroups "$1"); do
		find "$dir" -name cgroup.procs -exec cat {} + 2>/dev/null
	done | sort -nu
}
app_pids() {
	local dir
	[ "$GANTRY_FLAVOR" = ns ] || fly_procs "$1"
	for dir in $(pod_cgroups "$1"); do
		cat "$dir/$2/cgroup.procs" 2>/dev/null
	done | sort -nu
}
app_pid() { app_pids "$@" | head -n 1; }

# procs_end UUID: nothing of the pod runs any more.  Who kills from outside waits for it: the lock is free
# before the last process is gone.
no_procs() { [ -z "$(pod_procs "$1")" ]; }
procs_end() { wait_for 60 no_procs "$1" || fail "processes left: $(pod_procs "$1")"; }

# --- assert -------------------------------------------------------------------------------------

fail() {
	echo "$*"
	echo "${COMMAND_SHOWN:-}"
	return 1
}

assert_ok() { [ "$status" = 0 ] || fail "expected success"; }

assert_status() { [ "$status" = "$1" ] || fail "expected status $1"; }

# assert_refused CODE REGEX...: exactly that status, and each pattern on standard error, which must be
# an explanation and not a crash.
assert_refused() {
	local code=$1 pattern
	shift
	[ "$status" = "$code" ] || fail "expected status $code"
	[[ ! $stderr =~ (Sanitizer|Assertion|dumped) ]] || fail "crashed"
	for pattern; do
		grep -qE -e "$pattern" <<<"$stderr" || fail "expected on stderr: $pattern"
	done
}

# assert_out LINE...: each is one whole line of standard output; assert_match REGEX...: each somewhere.
assert_out() {
	local line
	for line; do
		grep -qxF -e "$line" "$T/out" || fail "expected line: $line"
	done
}
refute_out() {
	local line
	for line; do
		! grep -qxF -e "$line" "$T/out" || fail "unexpected line: $line"
	done
}
assert_match() {
	local pattern
	for pattern; do
		grep -qE -e "$pattern" "$T/out" || fail "expected: $pattern"
	done
}
refute_match() {
	local pattern
	for pattern; do
		! grep -qE -e "$pattern" "$T/out" || fail "unexpected: $pattern"
	done
}
assert_err() { grep -qE -e "$1" "$T/err" || fail "expected on stderr: $1"; }

# assert_json FILTER: the filter of jq(1) yields true on standard output.
assert_json() { jq -e "$1" "$T/out" >/dev/null || fail "expected: jq $1"; }

assert_equal() { [ "$1" = "$2" ] || fail "expected: $2
got: $1"; }

# value KEY: what follows KEY= on standard output.
value() { sed -n "s|^$1=||p" "$T/out" | head -n 1; }

# --- wait ---------------------------------------------------------------------------------------

# wait_for SECONDS COMMAND...: until it succeeds; the bound is for what never comes, not a measure.
wait_for() {
	local end=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.05
	done
}

state_is() { [ "$(pod_state "$1")" = "$2" ]; }

wait_state() { wait_for 60 state_is "$1" "$2" || fail "pod $1 never was $2: $(pod_state "$1")"; }

# wait_line FILE REGEX: until a growing file has the line.
wait_line() { wait_for 60 grep -qE -e "$2" "$1" || fail "never in $1: $2
$(cat "$1")"; }
