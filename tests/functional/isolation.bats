# The seven points of "What holds by construction" (Documentation/architecture.md), each with tests that
# would fail without it.

load ../lib/gantry

setup_file() { suite_up; }
teardown_file() { suite_down; }
setup() { test_up; }
teardown() { test_down; }

host_mounts() { awk '{print $3, $5, $6}' "/proc/$WORLD/mountinfo" | LC_ALL=C sort; }
# no_new_mounts BEFORE: what goes meanwhile is others' (a mount ends with the directory that it is on)
no_new_mounts() {
	local new
	new=$(LC_ALL=C comm -13 <(echo "$1") <(host_mounts))
	[ -z "$new" ] || fail "mounted on the host: $new"
}

# --- 1. nothing to leak

@test "isolation 1: a running pod has no mount in the host's namespace" {
	local before
	mkdir "$T/src"
	before=$(host_mounts)
	start_pod --volume=a,kind=host,source="$T/src" --volume=b,kind=empty \
		--mount=volume=a,target=/a --mount=volume=b,target=/b "$PROBE_ID" -- mount / /a /b , pause
	wait_line "$DATA/pods/run/$UUID/logs/probe.log" '^mount /b='
	! grep -q '=none' "$DATA/pods/run/$UUID/logs/probe.log" || fail "the pod lacks a mount"
	no_new_mounts "$before"
}

@test "isolation 1: a pod with a network has no namespace bound in the host" {
	need veth nft
	local before
	before=$(host_mounts)
	NET=default start_pod "$PROBE_ID" -- pause
	no_new_mounts "$before"
	assert_equal "$(find "/proc/$WORLD/root/run/netns" -mindepth 1)" ''
}

@test "isolation 1: when all is killed at once, mounts and links are gone without gc" {
	need veth nft
	local before
	before=$(host_mounts)
	leak_snapshot
	NET=default start_pod "$PROBE_ID" -- pause
	kill -KILL "$(monitor_of "$UUID")" $(pod_procs "$UUID")
	wait_for 60 links_as_before || fail "links: $(in_world ip -o link)"
	no_new_mounts "$before"
	procs_end "$UUID"
	collect_all
	assert_no_leaks
}

links_as_before() {
	[ "$(in_world ip -o link show | awk -F': ' '{print $2}' | sort)" = \
		"$(sed -n '/^== links/,/^== routes/p' "$T/leak-before" | grep -v ^==)" ]
}

@test "isolation 1: cgroups are on record before they are made" {
	start_pod "$PROBE_ID" -- pause
	local dir
	for dir in $(pod_cgroups "$UUID"); do
		grep -qxF "$dir" "$DATA/pods/run/$UUID/cgroup" || fail "$dir is not in the pod's record"
		find "$dir" -mindepth 1 -type d | while read -r sub; do
			grep -qxF "$sub" "$DATA/pods/run/$UUID/cgroup" || fail "$sub is not on record"
		done
	done
}

@test "isolation 1: taking back twice is harmless" {
	need veth nft
	leak_snapshot
	NET=default start_pod "$PROBE_ID" -- pause
	kill -KILL "$(monitor_of "$UUID")"
	wait_state "$UUID" exited
	cp -a "$DATA/pods/run/$UUID" "$T/copy"
	collect_all
	# the same pod again, as after a gc that was killed before it could remove the directory
	mkdir -p "$DATA/pods/exited-garbage"
	cp -a "$T/copy" "$DATA/pods/exited-garbage/$UUID"
	collect_all
	assert_no_leaks
}

# --- 2. state is the directory name and a lock

@test "isolation 2: a killed pod is exited the moment it is dead" {
	start_pod "$PROBE_ID" -- pause
	[ -d "$DATA/pods/run/$UUID" ] || fail "not in run/"
	! flock -n "$DATA/pods/run/$UUID" true || fail "nobody holds the lock of a running pod"
	kill -KILL "$(monitor_of "$UUID")"
	wait_for 60 flock -n "$DATA/pods/run/$UUID" true || fail "lock is still held"
	assert_equal "$(pod_state "$UUID")" exited
}

@test "isolation 2: the lock is held by monitor and init only, never by the app" {
	start_pod "$PROBE_ID" -- pause
	local pid inode
	inode=$(stat -c %i "$DATA/pods/run/$UUID")
	for pid in $(app_pids "$UUID" probe); do
		! ls -l "/proc/$pid/fd" | grep -qF "$UUID" || fail "the app has the pod's directory open"
	done
	assert_equal "$(holders "$inode")" "$(printf '%s\n' "$(monitor_of "$UUID")" "$(pod_pid "$UUID")" | sort)"
}
# holders INODE: who has it open with a lock on it
holders() { grep -ls "^lock:.*FLOCK.*:$1 " /proc/[0-9]*/fdinfo/* | cut -d/ -f3 | sort -u; }

@test "isolation 2: a copy of the data directory, as after a reboot, has exited pods with their past" {
	start_pod "$PROBE_ID" --name=app -- pause
	cp -a "$DATA" "$T/rebooted"
	DATA=$T/rebooted
	g status "$UUID"
	assert_ok
	assert_out state=exited
	g list --no-legend
	assert_ok
	assert_match "^${UUID:0:8}.*\sexited\s"
	DATA=$T/data
}

@test "isolation 2: who else holds the lock makes a pod running: there is no other record" {
	g run --net=none --uuid-file-save="$T/uuid" "$PROBE_ID" -- exit 0
	UUID=$(cat "$T/uuid")
	assert_equal "$(pod_state "$UUID")" exited
	hold_lock "$DATA/pods/run/$UUID"
	wait_for 60 state_is "$UUID" running || fail "state: $(pod_state "$UUID")"
	g rm "$UUID"
	assert_refused 254 "$UUID" running
}

# --- 3. half an image does not exist

@test "isolation 3: an image whose tree is damaged or missing does not run" {
	chmod -R u+w "$DATA/cas/tree"
	rm -rf "$DATA/cas/tree/$PROBE_ID"
	run_probe -- out ran
	# rendered anew from the blob, or refused: never half
	[ "$status" = 0 ] || assert_refused 254 "${PROBE_ID:0:19}"
}

@test "isolation 3: a temporary directory of a dead fetch is no image, and gc takes it" {
	mkdir -p "$DATA/cas/tmp/left/rootfs"
	: >"$DATA/cas/tmp/left/rootfs/file"
	g image list --no-legend
	assert_ok
	assert_equal "${#lines[@]}" 1
	collect_all
	[ ! -e "$DATA/cas/tmp/left" ] || fail "is still there"
}

@test "isolation 3: a temporary directory that somebody holds is left alone" {
	mkdir -p "$DATA/cas/tmp/busy"
	hold_lock "$DATA/cas/tmp/busy"
	collect_all
	[ -e "$DATA/cas/tmp/busy" ] || fail "was taken"
}

# --- 4. paths of images and pods are resolved below a descriptor

trap_state() { find "$T/trap" -printf '%p %m %U %s %T@ %C@\n'; }

@test "isolation 4: no link of an image makes gantry touch the host" {
	local before
	mkdir "$T/trap"
	echo precious >"$T/trap/file"
	cp -a "$FIX/root" "$T/root"
	rm -rf "$T/root/etc" "$T/root/tmp"
	ln -s "$T/trap" "$T/root/etc"
	ln -s "../../../../../../../..$T/trap" "$T/root/tmp"
	ln -s /proc/self/root "$T/root/selfroot"
	ln -s /proc/1/root "$T/root/oneroot"
	before=$(trap_state)
	probe_image trap '' "$T/root"
	g run --net=none --hostname=x --dns=192.0.2.1 --volume=v,kind=empty --mount=volume=v,target=/tmp/new/vol \
		--mount=volume=v,target=/selfroot/a --mount=volume=v,target=/oneroot/b "$ID" -- id
	assert_equal "$(trap_state)" "$before"
	g run --net=none "$ID" --user=/etc/file --group=0 -- id
	refute_match "^uid=$(stat -c %u "$T/trap/file")/.*" || :
	assert_equal "$(trap_state)" "$before"
}

@test "isolation 4: an app cannot climb out of its root" {
	run_probe -- escape , stat /probe , ls /proc/1/root , readlink /proc/1/cwd
	assert_ok
	assert_out escape-chroot=own-root
	refute_match '^entry /proc/1/root/(boot|home|lost\+found|usr)'
}

@test "isolation 4: the app's root is all that its mount namespace has" {
	run_probe -- mount
	assert_ok
	# no mount point outside: every path is below /, and none is the host's root file system
	refute_match "^mount [^=]*$BATS_RUN_TMPDIR"
	refute_match '^mount [^=]*/(cas|pods)/'
}

# --- 5. an isolator that was asked for is applied, or the app does not start

@test "isolation 5: unknown isolators and flags do not pass" {
	make_aci "$T/odd.aci" example.com/odd '{"exec":["/probe"],"user":"0","group":"0","isolators":[{"name":"os/linux/shields-up","value":true}]}'
	g run --net=none "$T/odd.aci" -- out started
	assert_refused 254 shields-up
	refute_match started
}

@test "isolation 5: what is known but not built is refused" {
	local iso
	for iso in '{"name":"os/linux/apparmor-profile","value":{"profile":"not-loaded-anywhere"}}' \
		'{"name":"os/linux/selinux-context","value":{"user":"u","role":"r","type":"t","level":"s0"}}'; do
		make_aci "$T/iso.aci" example.com/iso "{\"exec\":[\"/probe\"],\"user\":\"0\",\"group\":\"0\",\"isolators\":[$iso]}"
		g run --net=none "$T/iso.aci" -- out started
		assert_refused 254 "$(grep -oE '(apparmor-profile|selinux-context)' <<<"$iso")"
		refute_match started
	done
}

@test "isolation 5: a record that stage2 does not fully understand is refused" {
	start_pod "$PROBE_ID" -- pause
	local record=$DATA/pods/run/$UUID/appsinfo/probe/record
	[ -s "$record" ] || fail "no record"
	printf 'shields-up=1\0' >>"$record"
	g enter "$UUID" /probe out entered
	assert_refused 254 shields-up
	refute_match entered
}

# --- 6. nothing of the host reaches an app by accident

@test "isolation 6: no descriptor of the caller" {
	status=0
	gantry run --net=none "$PROBE_ID" -- fds 7</etc/passwd 8</ 9>"$T/nine" >"$T/out" 2>"$T/err" </dev/null || status=$?
	collect
	assert_ok
	assert_equal "$(grep -c '^fd=' "$T/out")" 3
	assert_match '^fd=0 /dev/null$'
	refute_match "$T"
}

@test "isolation 6: descriptors, links and memory of PID 1 are closed to apps" {
	run_probe -- readlink /proc/1/fd/3 /proc/1/exe /proc/1/root /proc/1/cwd , open r /proc/1/mem /proc/1/environ \
		, open rw /proc/1/exe , try ptrace-init , kill 1 9 , kill 1 15 , out alive
	assert_ok
	assert_out 'readlink /proc/1/fd/3=EACCES' alive
	refute_match '^open .*=ok$'
	refute_out ptrace-init=ok
	assert_match '^readlink /proc/1/exe=EACCES$'
}

@test "isolation 6: an app cannot stop the pod by signalling PID 1" {
	g run --net=none "$PROBE_ID" --name=bad -- kill 1 15 , kill 1 2 , kill 1 1 , write /dev/shm/done x --- \
		"$PROBE_ID" --name=good -- await /dev/shm/done , sleep 1 , exit 7
	assert_status 7
}

@test "isolation 6: no writable way to a program of the host" {
	cp -a "$FIX/root" "$T/root"
	ln -s /proc/self/exe "$T/root/self"
	probe_image self '' "$T/root"
	# an image whose command is /proc/self/exe would run stage2 again; what it then is must not be writable
	g run --net=none "$ID" --exec=/self
	[ "$status" != 0 ] || fail "ran as what?"
	g run --net=none "$ID" --exec=/probe -- open rw /proc/self/exe /proc/1/exe
	assert_ok
	assert_match '^open rw /proc/self/exe=E'
	refute_match '=ok$'
	local before
	before=$(find "${GANTRY%/bin/*}" -type f -path '*gantry*' -exec sha512sum {} + | sort | sha512sum)
	g run --net=none "$ID" --exec=/probe -- write /proc/1/exe x , poke /proc/1/exe x
	assert_ok
	refute_match '=ok$'
	assert_equal "$(find "${GANTRY%/bin/*}" -type f -path '*gantry*' -exec sha512sum {} + | sort | sha512sum)" "$before"
}

@test "isolation 6: no abstract socket of the host in a private network" {
	(exec nsenter --target="$WORLD" --mount --net -- perl -MSocket -e '
		socket(S, AF_UNIX, SOCK_STREAM, 0); bind(S, pack_sockaddr_un("\0gantry-test")) or die;
		listen(S, 5); open(F, ">", $ARGV[0]); close(F); sleep 1000' "$T/listening") 3>&- 4>&- &
	BG_PIDS+=($!)
	wait_for 60 test -e "$T/listening"
	run_probe -- abstract gantry-test
	assert_ok
	assert_out 'abstract gantry-test=ECONNREFUSED'
}

@test "isolation 6: namespaces are not the host's" {
	local ns
	run_probe -- ns
	assert_ok
	for ns in mnt pid net ipc uts cgroup; do
		[ "$(value "ns $ns")" != "$(readlink "/proc/$WORLD/ns/$ns")" ] || fail "$ns is the host's"
	done
}

@test "isolation 6: apps of a pod share pid, net, ipc and uts, and not mnt" {
	# Both alive while we look: the kernel gives the number of a namespace that is gone to the next one.
	start_pod "$PROBE_ID" --name=one -- pause --- "$PROBE_ID" --name=two -- pause
	local ns one two
	g enter --app=one "$UUID" /probe ns
	assert_ok
	one=$output
	g enter --app=two "$UUID" /probe ns
	assert_ok
	two=$output
	for ns in pid net ipc uts; do
		assert_equal "$(grep "^ns $ns=" <<<"$one")" "$(grep "^ns $ns=" <<<"$two")"
	done
	[ "$(grep '^ns mnt=' <<<"$one")" != "$(grep '^ns mnt=' <<<"$two")" ] || fail "one mount namespace"
}

@test "isolation 6: --ipc" {
	g run --net=none --ipc=parent "$PROBE_ID" -- ns
	assert_ok
	assert_equal "$(value 'ns ipc')" "$(readlink "/proc/$WORLD/ns/ipc")"
	g run --net=none --ipc=private "$PROBE_ID" -- ns
	[ "$(value 'ns ipc')" != "$(readlink "/proc/$WORLD/ns/ipc")" ] || fail "the host's"
	g run --net=none --ipc=sideways "$PROBE_ID" -- ns
	assert_refused 254 sideways
}

@test "isolation 6: an app has no terminal of the caller" {
	command -v script >/dev/null || skip "no script here"
	local flags
	global_flags
	in_world script -qec "$(printf '%q ' "$GANTRY" "${flags[@]}" run --net=none "$PROBE_ID" -- open rw /dev/tty , fds , try tiocsti)" \
		/dev/null >"$T/out" 2>"$T/err" </dev/null 3>&- 4>&-
	tr -d '\r' <"$T/out" >"$T/clean" && mv "$T/clean" "$T/out"
	collect
	refute_match '^open rw /dev/tty=ok'
	refute_match '^fd=[0-9]+ /dev/(pts|tty)'
}

# --- 7. enter gets what the app has (the details are in enter.bats)

@test "isolation 7: everything that is entered is confined as the app is" {
	start_pod "$PROBE_ID" --caps-remove=CAP_MKNOD --seccomp mode=remove,errno=EXDEV,mkdir,mkdirat \
		--user=1234 --group=50 -- pause
	local pid key dir
	pid=$(app_pid "$UUID" probe)
	g_bg in enter "$UUID" /probe status CapBnd CapEff CapPrm CapInh CapAmb Seccomp NoNewPrivs Uid Gid , out ready , pause
	wait_line "$T/in.out" '^ready$'
	cp "$T/in.out" "$T/out"
	for key in CapBnd CapEff CapPrm CapInh CapAmb Seccomp NoNewPrivs Uid Gid; do
		assert_out "$key=$(sed -n "s/^$key:\t//p" "/proc/$pid/status")"
	done
	for dir in $(pod_cgroups "$UUID"); do
		[ "$(wc -l <"$dir/probe/cgroup.procs")" -ge 2 ] || fail "not in $dir/probe"
	done
}
