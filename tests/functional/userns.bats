# --private-users: a pod with ids of its own. What is said of files holds both ways that a root can be made: over
# id-mapped layers, and as a copy with owners shifted.

load ../lib/gantry
load ../lib/userns

setup_file() { userns_up; }
teardown_file() { suite_down; }
setup() { userns_setup; }
teardown() { test_down; }

# --- processes

@test "userns: the ids of a pod are a range of the host's, and root in it is nobody special outside" {
	local w pid
	for w in $(ways); do
		way "$w"
		start_pod "$PROBE_ID" --name=root -- pause --- "$PROBE_ID" --name=bob --user=1234 --group=1234 -- pause
		SHIFT=$(shift_of "$UUID")
		for pid in $(app_pid "$UUID" root) $(app_pid "$UUID" bob) $(pod_pid "$UUID"); do
			assert_equal "$(xargs <"/proc/$pid/uid_map")" "0 $SHIFT 65536"
			assert_equal "$(xargs <"/proc/$pid/gid_map")" "0 $SHIFT 65536"
			assert_equal "$(readlink "/proc/$pid/ns/user")" "$(readlink "/proc/$(pod_pid "$UUID")/ns/user")"
		done
		[ "$(readlink "/proc/$pid/ns/user")" != "$(readlink /proc/self/ns/user)" ] || fail "the host's namespace"
		assert_equal "$(awk '/^[UG]id:/ {print $2, $3, $4, $5}' "/proc/$(app_pid "$UUID" root)/status" | xargs)" \
			"$(printf "$SHIFT %.0s" 1 2 3 4 5 6 7 8 | xargs)"
		assert_equal "$(awk '/^Uid:/ {print $2}' "/proc/$(app_pid "$UUID" bob)/status")" $((SHIFT + 1234))
		for pid in $(pod_procs "$UUID"); do
			[ "$(awk '/^Uid:/ {print $2}' "/proc/$pid/status")" -ge "$SHIFT" ] || fail "a process of the host's root: $(tr '\0' ' ' <"/proc/$pid/cmdline")"
		done
		g stop --force "$UUID"
		assert_ok
	done
}

@test "userns: inside all is as ever: ids, groups, capabilities, limits, streams, signals" {
	local w
	for w in $(ways); do
		way "$w"
		u "$PROBE_ID" --user=bob --group=bob --supplementary-gids=50,63 -- id , status CapEff CapBnd
		assert_ok
		assert_out uid=1234/1234/1234 gid=1234/1234/1234 'groups=50 63 1234' CapEff=0000000000000000 CapBnd=00000000a80425fb
		u "$PROBE_ID" -- id , status CapEff CapBnd , hostname , ps , out said , err complained , try chown setuid chroot
		assert_ok
		assert_out uid=0/0/0 gid=0/0/0 CapEff=00000000a80425fb CapBnd=00000000a80425fb said chown=ok setuid=ok chroot=ok "hostname=gantry-$UUID"
		assert_err '^complained$'
		u "$PROBE_ID" -- exit 7
		assert_status 7
		u "$PROBE_ID" -- die 11
		assert_status 139
	done
}

@test "userns: root of the pod is not root of the host" {
	local w
	INSECURE=image,seccomp,capabilities,paths
	mkdir -m 700 "$T/secret"
	echo secret >"$T/secret/file"
	echo public >"$T/public"
	chmod 644 "$T/public"
	for w in $(ways); do
		way "$w"
		u --volume="secret,kind=host,source=$T/secret" --volume="public,kind=host,source=$T/public" \
			--mount=volume=secret,target=/secret --mount=volume=public,target=/public "$PROBE_ID" -- \
			cat /secret/file , cat /public , write /public x , stat /public , device b 254 0 , device c 1 1 , \
			poke /proc/sys/kernel/core_pattern x , try settime swapon , \
			poke /proc/sys/vm/drop_caches 3 , escape
		assert_ok
		assert_out 'cat /secret/file=EACCES' public 'write /public=EACCES' 'poke /proc/sys/kernel/core_pattern=EACCES' \
			'poke /proc/sys/vm/drop_caches=EACCES' settime=EPERM swapon=EPERM
		assert_match '^stat /public=f 0644 65534:65534' '^device b 254:0=mknod EPERM$' '^device c 1:1=mknod EPERM$'
		refute_match outside
		assert_equal "$(cat "$T/public")" public
	done
}

@test "userns: PID 1 shows nothing to who may trace all that the pod has" {
	! grep -q __asan_init "$GANTRY" || skip 'programs with a sanitizer look at themselves'
	way copy
	APP_FLAGS=(--caps-retain=CAP_SYS_PTRACE,CAP_DAC_OVERRIDE,CAP_DAC_READ_SEARCH)
	sh_pod 'ls /proc/1/fd /proc/1/root/ 2>&1; cat /proc/1/environ 2>&1; ls /proc/self/fd'
	assert_ok
	assert_match "can't open '/proc/1/fd': Permission denied" '/proc/1/root/: Permission denied' \
		"can't open '/proc/1/environ': Permission denied" '^0$'
}

@test "userns: a pod sees no other pod's files, and not its own directory" {
	way "$(ways | head -n 1)"
	start_pod "$PROBE_ID" --name=a -- write /mine x , pause
	local first=$UUID pid shift
	shift=$(shift_of "$first")
	wait_for 60 test -e "$(layer_of "$first" a)/mine"
	chmod 600 "$(layer_of "$first" a)/mine"
	u --volume="other,kind=host,source=$(layer_of "$first" a)" --mount=volume=other,target=/other "$PROBE_ID" -- cat /other/mine , write /other/new x
	assert_ok
	assert_out 'cat /other/mine=EACCES' 'write /other/new=EACCES'
	[ "$(shift_of "$UUID")" != "$shift" ] || fail "two pods have the same ids"
}

@test "userns: a set-uid file gives root of the pod" {
	local w
	cp -a "$FIX/root" "$T/root"
	cp "$PROBE" "$T/root/suid"
	chown 0:0 "$T/root/suid"
	chmod 4755 "$T/root/suid"
	probe_image setuid '' "$T/root"
	for w in $(ways); do
		way "$w"
		u "$ID" --exec=/suid --user=1234 --group=1234 -- id , write /etc/passwd x , status CapEff
		assert_ok
		assert_out uid=1234/0/0 'write /etc/passwd=ok' CapEff=00000000a80425fb
		assert_equal "$(stat -c %u "$(layer_of "$UUID" setuid)/etc/passwd")" "$(on_disk 0)"
	done
}

@test "userns: capabilities of files count, for the pod alone" {
	need xattr
	local w
	cp -a "$FIX/root" "$T/root"
	cp "$PROBE" "$T/root/capable"
	setcap cap_net_raw,cap_chown+ep "$T/root/capable"
	TAR_FLAGS='--format=pax --xattrs --xattrs-include=*' probe_image capable '' "$T/root"
	for w in $(ways); do
		way "$w"
		u "$ID" --exec=/capable --user=1234 --group=1234 -- id , status CapEff , try chown
		assert_ok
		assert_out uid=1234/1234/1234 CapEff=0000000000002001 chown=ok
		# the copy's file has none for anybody of the host
		[ "$w" = overlay ] || getcap -n "$(layer_of "$UUID" capable)/capable" | grep -qF "[rootid=$SHIFT]" ||
			fail "$(getcap -n "$(layer_of "$UUID" capable)/capable")"
	done
}

@test "userns: access lists name who they named in the image" {
	need xattr acl
	local w
	cp -a "$FIX/root" "$T/root"
	echo for bob and staff >"$T/root/listed"
	chmod 600 "$T/root/listed"
	setfacl -m u:1234:r,g:50:r "$T/root/listed" || skip 'no access lists here'
	mkdir "$T/root/inherits"
	setfacl -d -m u:1234:rwx "$T/root/inherits"
	TAR_FLAGS='--format=pax --xattrs --xattrs-include=*' probe_image listed '' "$T/root"
	for w in $(ways); do
		way "$w"
		u "$ID" --user=1234 --group=1234 -- cat /listed
		assert_out 'for bob and staff'
		u "$ID" --user=7 --group=7 --supplementary-gids=50 -- cat /listed
		assert_out 'for bob and staff'
		u "$ID" --user=50 --group=7 -- cat /listed
		assert_out 'cat /listed=EACCES'
		u "$ID" -- write /inherits/new x
		getfacl -n "$(layer_of "$UUID" listed)/inherits/new" 2>/dev/null | grep -q "^user:$(on_disk 1234):" ||
			fail "$(getfacl -n "$(layer_of "$UUID" listed)/inherits/new")"
	done
}

# --- files

@test "userns: owners inside and on the disk, and the store stays as it is" {
	local w state
	gantry fetch "$SHELL_ID" >/dev/null 2>&1 || :
	state=$(tree_state)
	for w in $(ways); do
		way "$w"
		sh_pod 'echo x >/root-file; echo x >/bob-file; chown 1234:50 /bob-file; mkdir /dir; chown 65535:65534 /dir
			stat -c "%n %u:%g" /root-file /bob-file /dir /home/bob /etc/passwd /; rm /etc/group; chmod 700 /srv/data; touch /home/bob/x'
		assert_ok
		assert_out '/root-file 0:0' '/bob-file 1234:50' '/dir 65535:65534' '/home/bob 1234:1234' '/etc/passwd 0:0' '/ 0:0'
		local dir
		dir=$(layer_of "$UUID" shell)
		assert_equal "$(stat -c %u:%g "$dir/root-file" "$dir/bob-file" "$dir/dir" "$dir/home/bob" | xargs)" \
			"$(on_disk 0):$(on_disk 0) $(on_disk 1234):$(on_disk 50) $(on_disk 65535):$(on_disk 65534) $(on_disk 1234):$(on_disk 1234)"
		sh_pod 'chown 65536 /etc/passwd'
		[ "$status" != 0 ] || fail "an id that the pod does not have"
		assert_equal "$(tree_state)" "$state"
	done
}

@test "userns: several layers, whiteouts and opaque directories, both ways as without" {
	local w
	g run --net=none --no-overlay "$LAYERS" -- "$LIST"
	assert_ok
	cp "$T/out" "$T/plain"
	assert_out './var/lib/x/g 89ed 15:16 0:0' './opt/sub 41c9 2:3 0:0'
	refute_match 'etc/gone|opt/a |lib/x/f|[.]wh'
	for w in $(ways); do
		way "$w"
		u "$LAYERS" -- "$LIST"
		assert_ok
		diff "$T/plain" "$T/out" || fail "$w: another tree"
		u "$LAYERS" -- 'cat /opt/new /var/lib/x/g /etc/motd; rm -r /opt; mkdir /opt; ls -A /opt; echo new >/etc/gone; cat /etc/gone; chown 9:9 /var/lib/x; stat -c %u /var/lib/x'
		assert_ok
		assert_out newgfournew 9
	done
}

@test "userns: empty volumes belong to whom they should, with what the image has there" {
	local w
	for w in $(ways); do
		way "$w"
		u --volume=plain,kind=empty --volume=bobs,kind=empty,uid=1234,gid=50,mode=0770 \
			--mount=volume=plain,target=/plain --mount=volume=bobs,target=/bobs "$SHELL_ID" --exec=/bin/sh -- -c \
			'echo a >/plain/a && echo b >/bobs/b && stat -c "%n %a %u:%g" /plain /bobs /plain/a /bobs/b'
		assert_ok
		assert_out '/plain 755 0:0' '/bobs 770 1234:50' '/plain/a 644 0:0'
		assert_equal "$(stat -c %u:%g "$DATA/pods/run/$UUID/sharedVolumes/bobs")" "$((SHIFT + 1234)):$((SHIFT + 50))"
		u "$SEEDED" -- 'stat -c "%n %a %u:%g" /srv/seeded /srv/seeded/*; cat /srv/seeded/seed; echo more >>/srv/seeded/seed && chown 5:5 /srv/seeded/seed && rm -f /srv/seeded/more && ls /srv/seeded'
		assert_ok
		assert_out '/srv/seeded 750 33:34' '/srv/seeded/seed 640 33:34' '/srv/seeded/more 600 0:0' seed
		g restart --net=none "$UUID"
		assert_ok
		assert_out '/srv/seeded/seed 640 5:5' seed more
	done
}

@test "userns: a volume of the host is as it is there" {
	local w
	for w in $(ways); do
		way "$w"
		mkdir -m 755 "$T/src-$w"
		echo theirs >"$T/src-$w/theirs"
		g prepare "${RUN_FLAGS[@]}" --volume="vol,kind=host,source=$T/src-$w" --mount=volume=vol,target=/vol "$PROBE_ID" -- \
			stat /vol/theirs /vol/mine , write /vol/mine x , write /vol/theirs x , write /vol/new x
		assert_ok
		UUID=${lines[-1]}
		SHIFT=$(shift_of "$UUID")
		echo mine >"$T/src-$w/mine"
		chown "$((SHIFT + 5)):$SHIFT" "$T/src-$w/mine"
		g run-prepared --net=none "$UUID"
		assert_ok
		assert_match '^stat /vol/theirs=f 0644 65534:65534' '^stat /vol/mine=f 0644 5:0'
		assert_out 'write /vol/mine=ok' 'write /vol/theirs=EACCES' 'write /vol/new=EACCES'
		assert_equal "$(stat -c %u "$T/src-$w/theirs")" 0
	done
}

@test "userns: what the pod finds made for it: /dev, /proc, /sys, /etc, /dev/shm" {
	local w
	for w in $(ways); do
		way "$w"
		u --hosts-entry=10.0.0.9=box --dns=10.0.0.53 "$PROBE_ID" --user=bob --group=bob -- \
			write /dev/null x , write /dev/shm/x x , poke /dev/stdout said , poke /dev/stderr complained , mount /proc /sys /dev/pts /dev/shm , \
			cat /etc/hosts , cat /etc/resolv.conf , stat /etc/hosts /etc/resolv.conf / /dev/shm
		assert_ok
		assert_out 'write /dev/null=ok' 'write /dev/shm/x=ok' 'poke /dev/stderr=ok' '10.0.0.9 box' 'nameserver 10.0.0.53'
		assert_match 'poke /dev/stdout=ok$' '^mount /proc=proc ' '^mount /sys=sysfs ' '^mount /dev/pts=devpts ' '^mount /dev/shm=tmpfs ' \
			'^stat /etc/hosts=f 0644 0:0' '^stat /etc/resolv.conf=f 0644 0:0' '^stat /=d 0755 0:0' '^stat /dev/shm=d 1777 0:0'
	done
}

@test "userns: a terminal of its own, which the app can open again" {
	way "$(ways | head -n 1)"
	local user
	for user in 0 1234; do
		g_pty -- run --net=none --interactive "${RUN_FLAGS[@]}" "$SHELL_ID" --exec=/bin/sh --user=$user --group=0 -- -c \
			'test -t 0 && echo terminal; echo again >/dev/tty; stat -c "%u" $(busybox tty); id -u'
		assert_ok
		assert_out terminal again "$user"
	done
}
