# --private-users: networks, enter, export, and what such a pod leaves.

load ../lib/gantry
load ../lib/userns

setup_file() { userns_up; }
teardown_file() { suite_down; }
setup() { userns_setup; }
teardown() { test_down; }

# --- networks

@test "userns: the default network: addresses, ping, connections both ways, ports of the pod's own" {
	need veth nft
	local w ip
	for w in $(ways); do
		way "$w"
		NET=default start_pod "$PROBE_ID" --name=server -- listen 80 hello --- "$PROBE_ID" --name=client -- connect 127.0.0.1 80 wait , pause
		ip=$(gantry status "$UUID" | sed -n 's/^networks=.*ip4=\([0-9.]*\).*/\1/p')
		in_world "$PROBE" connect "$ip" 80 wait >"$T/out"
		assert_out "connect $ip 80=ok hello"
		wait_line "$DATA/pods/run/$UUID/logs/client.log" 'connect 127.0.0.1 80=ok hello'
		NET=default u "$SHELL_ID" --exec=/bin/sh -- -c "ping -c 1 -W 60 $ip >/dev/null && echo answered; /probe connect $ip 80 wait"
		assert_ok
		assert_out answered "connect $ip 80=ok hello"
		g stop --force "$UUID" >/dev/null 2>&1 || :
		g rm $(known_pods) >/dev/null 2>&1 || :
	done
}

@test "userns: the network of the host, which the pod cannot change" {
	way "$(ways | head -n 1)"
	NET=host u "$PROBE_ID" --caps-retain=CAP_NET_ADMIN,CAP_NET_RAW -- ns , try raw , mount /sys
	assert_ok
	assert_out "ns net=$(in_world readlink /proc/self/ns/net)" raw=EPERM
	assert_match '^mount /sys=sysfs '
}

# --- commands

@test "userns: enter is in the same namespace, with what the app has" {
	local w
	for w in $(ways); do
		way "$w"
		start_pod "$PROBE_ID" --name=app --user=bob --group=bob -- pause
		g enter --app=app "$UUID" /probe id , ns , cat /proc/self/uid_map , status CapBnd , write /tmp/x x
		assert_ok
		assert_out uid=1234/1234/1234 "ns user=$(readlink "/proc/$(app_pid "$UUID" app)/ns/user")" CapBnd=00000000a80425fb 'write /tmp/x=ok'
		assert_match "^ +0 +$(shift_of "$UUID") +65536\$"
		g enter --app=app --user=0 --group=0 "$UUID" /probe id , write /root-file x , kill 1 9
		assert_ok
		assert_out uid=0/0/0 'write /root-file=ok'
		g enter --app=app "$UUID" /probe exit 42
		assert_status 42
		g stop --force "$UUID"
	done
}

@test "userns: export gives the image that a pod of the host's ids gives, and it runs" {
	need xattr
	local w
	mkdir "$T/root"
	cp -a "$BATS_FILE_TMPDIR/shell/." "$T/root"
	cp "$PROBE" "$T/root/capable"
	setcap cap_net_raw+ep "$T/root/capable"
	! have_acl || setfacl -m u:1234:r "$T/root/etc/group" || :
	TAR_FLAGS='--format=pax --xattrs --xattrs-include=*' make_aci "$T/rich.aci" example.com/rich '{"exec":["/bin/sh"],"user":"0","group":"0","environment":[{"name":"PATH","value":"/bin"}]}' "$T/root"
	local change='echo x >/new; chown 1234:50 /new; mkdir /d; chown 65535:65535 /d; busybox ln /new /d/hard; busybox ln -s x /d/soft
		rm /srv/data/from-image; chmod 4711 /new; busybox touch -h -d 2001-01-01 /new /d/soft /d /srv/data /'
	listing() { # FILE: names, kinds, owners, modes, attributes
		gzip -dc "$1" | tar --xattrs --xattrs-include='*' --acls --numeric-owner -tvvf - | awk '{$4 = $5 = ""; print}' | grep -v ' manifest$'
	}
	g run --net=none --no-overlay --uuid-file-save="$T/uuid" "$T/rich.aci" --exec=/bin/sh -- -c "$change"
	assert_ok
	g export "$(cat "$T/uuid")" "$T/plain.aci"
	assert_ok
	listing "$T/plain.aci" >"$T/plain"
	for w in $(ways); do
		way "$w"
		u "$T/rich.aci" --exec=/bin/sh -- -c "$change"
		assert_ok
		g export "$UUID" "$T/$w.aci"
		assert_ok
		listing "$T/$w.aci" >"$T/listed"
		diff "$T/plain" "$T/listed" || fail "$w: another image"
		mkdir "$T/x-$w"
		gzip -dc "$T/$w.aci" | tar --xattrs --xattrs-include='*' --numeric-owner -xpf - -C "$T/x-$w"
		assert_equal "$(getcap -n "$T/x-$w/rootfs/capable" | sed 's/.* //')" cap_net_raw=ep
		assert_equal "$(stat -c %u:%g:%a "$T/x-$w/rootfs/new")" 1234:50:4711
		! have_acl || assert_equal "$(getfacl -cn "$T/x-$w/rootfs/etc/group" 2>/dev/null | grep -c '^user:1234:r--')" 1
		u "$T/$w.aci" --exec=/bin/sh -- -c 'stat -c "%n %u:%g" /new /d; cat /new'
		assert_ok
		assert_out '/new 1234:50' '/d 65535:65535' x
	done
}

@test "userns: export refuses a file that somebody outside gave an owner" {
	way copy
	u "$PROBE_ID" -- write /new x
	chown 0 "$(layer_of "$UUID" probe)/new"
	g export "$UUID" "$T/out.aci"
	assert_refused 254 'rootfs/new": belongs to 0:[0-9]+, which are not both the pod.s'
	[ ! -e "$T/out.aci" ] || fail "half an image"
}

@test "userns: gc and rm leave nothing" {
	local w
	leak_snapshot
	for w in $(ways); do
		way "$w"
		start_pod --volume=v,kind=empty --mount=volume=v,target=/v "$PROBE_ID" -- write /v/x x , write /new x , pause
		g stop "$UUID"
		assert_ok
		g rm "$UUID"
		assert_ok
		u "$LAYERS" -- 'echo x >/x'
		assert_ok
		g prepare "${RUN_FLAGS[@]}" "$PROBE_ID"
		assert_ok
	done
	collect_all
	assert_no_leaks
}

@test "userns: a pod that is killed leaves nothing, whoever is killed" {
	need veth nft
	local w who
	leak_snapshot
	for w in $(ways); do
		way "$w"
		for who in monitor init; do
			NET=default start_pod "$PROBE_ID" -- orphans 2 stay , pause
			if [ $who = monitor ]; then
				kill -KILL "$(monitor_of "$UUID")"
			else
				kill -KILL "$(pod_pid "$UUID")"
			fi
			wait_state "$UUID" exited
		done
	done
	collect_all
	assert_no_leaks
}

@test "userns: a start that is killed at any moment leaves nothing" {
	local i
	leak_snapshot
	for i in 0 1 2 3 5 8 13 21; do
		way "$( ((i % 2)) && echo copy || ways | head -n 1)"
		g_bg "k$i" run --net=none "${RUN_FLAGS[@]}" "$PROBE_ID" -- pause
		sleep "0.0$((10 + i))"
		kill -KILL "$BG" 2>/dev/null || :
		g_wait "$BG" "k$i"
	done
	wait_for 60 no_leaked_processes || fail "$(leaked_processes)"
	collect_all
	assert_no_leaks
}

@test "userns: several apps, limits of control groups, health of what runs" {
	need memory pids
	way "$(ways | head -n 1)"
	u "$PROBE_ID" --name=a --pids=20 -- forks 100 --- "$PROBE_ID" --name=b -- cat /proc/self/uid_map
	assert_ok
	assert_match 'forks=1?[0-9] ' "0 +$SHIFT +65536"
	u "$PROBE_ID" --memory=32Mi -- eat 200
	assert_status 137
}

@test "userns: the plan tells the ids" {
	way "$(ways | head -n 1)"
	g run --dry-run --net=none "${RUN_FLAGS[@]}" "$PROBE_ID" -- id
	assert_ok
	assert_match 'namespaces of its own: .*users' 'user ids 0 to 65535: [0-9]+ and up of the host'
	refute_match uid=
}
