# --private-users: which ids of the host a pod gets, that it keeps them, and who cannot have any.

load ../lib/gantry

FIRST=524288 LAST=1878982656 # 0x80000, 0x6fff0000

setup_file() {
	need ns-flavor
	suite_up
}
teardown_file() { suite_down; }
setup() {
	need ns-flavor
	test_up
}
teardown() {
	local file
	for file in /etc/subuid /etc/subgid /etc/passwd /proc/sys/user/max_user_namespaces; do
		while in_world mountpoint -q $file; do in_world umount $file || break; done
	done
	test_down
}

# made WORD...: a prepared pod; its number is in $UUID, its first id in $SHIFT.
made() {
	g prepare --private-users "$@" "$PROBE_ID" -- id
	assert_ok
	UUID=${lines[-1]}
	SHIFT=$(shift_of "$UUID")
}
ids_file() { cat "$DATA"/pods/*/"$1"/private-users-prepared; }
shift_of() { ids_file "$1" | cut -d: -f1; }

# reserved FILE LINE...: a file of the host, in the world.
reserved() {
	local file=$1
	shift
	printf '%s\n' "$@" >"$T/${file##*/}"
	in_world sh -c "[ -e $file ] || : >$file"
	in_world mount --bind "$T/${file##*/}" "$file"
}

# all_but FIRST COUNT: the lines of subuid(5) for all ids of containers but these.
all_but() { printf 'x:%s:%s\n' $FIRST $(($1 - FIRST)) $(($1 + $2)) $((LAST + 65536 - $1 - $2)); }

@test "userns: a prepared pod has ids, as rkt writes them down; without the option it has none" {
	made
	assert_equal "$(ids_file "$UUID")" "$SHIFT:65536"
	[ $((SHIFT % 65536)) = 0 ] && [ "$SHIFT" -ge $FIRST ] && [ "$SHIFT" -le $LAST ] || fail "not a range for containers: $SHIFT"
	assert_equal "$(stat -c %u:%g:%a "$DATA"/pods/prepared/*/private-users-prepared)" 0:0:644
	g prepare "$PROBE_ID"
	assert_ok
	[ ! -e "$DATA/pods/prepared/${lines[-1]}/private-users-prepared" ] || fail "ids for who did not ask"
	g prepare --private-users=false "$PROBE_ID"
	assert_ok
	[ ! -e "$DATA/pods/prepared/${lines[-1]}/private-users-prepared" ] || fail "ids for who did not want any"
}

@test "userns: what the host's administrator has set aside is not taken" {
	reserved /etc/subuid "$(all_but $((FIRST + 3 * 65536)) 65536)"
	made
	assert_equal "$SHIFT" $((FIRST + 3 * 65536))
	# a pod that is only prepared has its ids, too
	g prepare --private-users "$PROBE_ID"
	assert_refused 254 '--private-users: no 65536 ids in a row are free'
	g rm "$UUID"
	assert_ok
	made
	assert_equal "$SHIFT" $((FIRST + 3 * 65536))
}

@test "userns: one id of a range is enough that nobody gets it" {
	local range=$((FIRST + 9 * 65536))
	reserved /etc/subgid "$(all_but $((range - 65536)) $((2 * 65536)))"
	reserved /etc/passwd root:x:0:0::/:/bin/sh "far:x:$((range - 1)):0::/:/bin/sh"
	made
	assert_equal "$SHIFT" $range
	g prepare --private-users "$PROBE_ID"
	assert_refused 254 'no 65536 ids in a row are free'
}

@test "userns: pods that are made at the same time have different ids" {
	local i pids=() range=$((FIRST + 65536)) seen
	reserved /etc/subuid "$(all_but $range $((4 * 65536)))"
	for i in 1 2 3 4 5; do
		g_bg "p$i" prepare --private-users "$PROBE_ID"
		pids+=($BG)
	done
	seen=0
	for i in 1 2 3 4 5; do
		g_wait "${pids[i - 1]}" "p$i"
		[ "$status" = 0 ] && seen=$((seen + 1)) || assert_refused 254 'no 65536 ids in a row are free'
	done
	assert_equal $seen 4
	assert_equal "$(cat "$DATA"/pods/prepared/*/private-users-prepared | sort | uniq | wc -l)" 4
}

@test "userns: an exited pod keeps its ids until gc takes it" {
	reserved /etc/subuid "$(all_but $FIRST 65536)"
	g run --net=none --private-users --uuid-file-save="$T/uuid" "$PROBE_ID" -- cat /proc/self/uid_map
	assert_ok
	assert_match "^ +0 +$FIRST +65536\$"
	g run --net=none --private-users "$PROBE_ID" -- id
	assert_refused 254 'no 65536 ids in a row are free'
	refute_match uid=
	collect_all
	g run --net=none --private-users "$PROBE_ID" -- cat /proc/self/uid_map
	assert_ok
	assert_match "^ +0 +$FIRST +65536\$"
}

@test "userns: run-prepared and restart use the ids of the pod" {
	made
	local uuid=$UUID shift=$SHIFT
	g run-prepared --net=none "$uuid"
	assert_ok
	assert_equal "$(shift_of "$uuid")" "$shift"
	made --no-overlay
	g run-prepared --net=none "$UUID"
	assert_ok
	g restart --net=none "$UUID"
	assert_ok
	assert_equal "$(shift_of "$UUID")" "$SHIFT"
	[ "$SHIFT" != "$shift" ] || fail "two pods have the same ids"
}

@test "userns: a file that does not tell its ids is no pod without them" {
	made
	: >"$DATA/pods/prepared/$UUID/private-users-prepared"
	g run-prepared --net=none "$UUID"
	assert_refused 254 'private-users-prepared: "" is no SHIFT:COUNT of ids'
	[ -d "$DATA/pods/prepared/$UUID" ] || fail "it was started"
	echo 0:65536 >"$DATA/pods/prepared/$UUID/private-users-prepared"
	g run-prepared --net=none "$UUID"
	assert_refused 254 'private-users-prepared: "0:65536" is no SHIFT:COUNT of ids'
}

@test "userns: a host without user namespaces" {
	made
	reserved /proc/sys/user/max_user_namespaces 0
	g run --net=none --private-users "$PROBE_ID" -- id
	assert_refused 254 '--private-users: user namespaces are switched off here \(user.max_user_namespaces is 0\)'
	refute_match uid=
	g prepare --private-users "$PROBE_ID"
	assert_refused 254 'user.max_user_namespaces is 0'
	g run-prepared --net=none "$UUID"
	assert_refused 254 'user.max_user_namespaces is 0'
	[ -d "$DATA/pods/prepared/$UUID" ] || fail "it was started"
	g run --net=none "$PROBE_ID" -- id
	assert_ok
}

@test "userns: a copy with an owner that a pod does not have is refused by path" {
	cp -a "$FIX/root" "$T/root"
	chown 65536:0 "$T/root/srv/data/from-image"
	probe_image far '' "$T/root"
	g prepare --private-users --no-overlay "$ID"
	assert_refused 254 '/srv/data/from-image belongs to 65536:0, and a pod with ids of its own has 65536 of them'
	g prepare --no-overlay "$ID"
	assert_ok
	have_overlay || return 0
	g run --net=none --private-users "$ID" -- stat /srv/data/from-image
	assert_ok
	assert_match '^stat /srv/data/from-image=f 0644 65534:0 '
}

@test "userns: a file system that cannot be mounted id-mapped, and a copy that does without" {
	need overlay
	in_world mount -t ramfs images "$DATA"
	in_world cp -a "$FILE_DATA/." "$DATA"
	g run --net=none --private-users "$PROBE_ID" -- id
	assert_refused 254 'the file system of .* takes no ID-mapped mounts.*; --no-overlay does without'
	refute_match uid=
	g run --net=none --private-users --no-overlay "$PROBE_ID" -- id
	assert_ok
	assert_out uid=0/0/0
	collect_all
	in_world umount "$DATA"
}

@test "userns: Pods of Kubernetes: hostUsers" {
	pod() { printf 'apiVersion: v1\nkind: Pod\nmetadata: {name: %s}\nspec:\n  restartPolicy: Never\n%s\n  containers:\n  - {name: main, image: %s, command: [/probe, cat, /proc/self/uid_map]}\n' \
		"$1" "$2" "$PROBE_ID" >"$T/pod.yaml"; }
	pod one '  hostUsers: false'
	g run --net=none --uuid-file-save="$T/uuid" --pod-manifest="$T/pod.yaml"
	assert_ok
	assert_match "^ +0 +$(shift_of "$(cat "$T/uuid")") +65536\$"
	pod two '  hostUsers: true'
	g run --net=none --pod-manifest="$T/pod.yaml"
	assert_ok
	assert_match '^ +0 +0 +4294967295$'
	# the option of the command line counts as well
	pod three ''
	g run --net=none --private-users --uuid-file-save="$T/uuid" --pod-manifest="$T/pod.yaml"
	assert_ok
	assert_match "^ +0 +$(shift_of "$(cat "$T/uuid")") +65536\$"
	pod four $'  hostUsers: false\n  hostNetwork: true'
	g run --pod-manifest="$T/pod.yaml"
	assert_refused 254 'spec: hostNetwork: a pod with hostUsers false has a network of its own'
	pod five '  hostUsers: 1'
	g run --pod-manifest="$T/pod.yaml"
	assert_refused 254 'hostUsers'
}

@test "userns: pod manifests of appc take the option, too" {
	g prepare "$PROBE_ID" -- cat /proc/self/uid_map
	gantry cat-manifest "${lines[-1]}" >"$T/pod.json"
	g run --net=none --private-users --uuid-file-save="$T/uuid" --pod-manifest="$T/pod.json"
	assert_ok
	assert_match "^ +0 +$(shift_of "$(cat "$T/uuid")") +65536\$"
}
