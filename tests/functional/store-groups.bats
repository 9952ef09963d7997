# Directory modes, and what members of the group may do without being root.

load ../lib/gantry

GID_OF_GROUP=4711

setup_file() {
	suite_up
	# bats' own directories let nobody but root through; in the world /var/lib is empty
	in_world sh -c 'mkdir -m 755 /var/lib/images && cp "$1" /var/lib/images/probe.aci && chmod 644 /var/lib/images/*' sh "$FIX/probe.aci"
	grep -vE '^(gantry|rkt):' /etc/group >"$BATS_FILE_TMPDIR/group.none" || :
	cp "$BATS_FILE_TMPDIR/group.none" "$BATS_FILE_TMPDIR/group"
	printf 'gantryx:x:1:\ngantry:x:%s:\nrkt:x:%s:\n' $GID_OF_GROUP $((GID_OF_GROUP + 1)) >>"$BATS_FILE_TMPDIR/group"
}
teardown_file() { keys_down; suite_down; }
setup() {
	need root
	sandbox_up "$BATS_TEST_TMPDIR"
	DATA=/var/lib/data/$BATS_TEST_NUMBER
	in_world mkdir -p -m 755 /var/lib/data
	in_world mount --bind "$BATS_FILE_TMPDIR/group" /etc/group
}
teardown() {
	test_down
	in_world umount /etc/group
}

# as_user GROUP ARG...: gantry as somebody who is not root; GROUP is one of his groups.
as_user() {
	local group=$1
	shift
	status=0
	in_world setpriv --reuid 4242 --regid 4242 --groups "$group" -- timeout 60 "$GANTRY" --dir="$DATA" \
		${INSECURE:+--insecure-options=$INSECURE} --local-config=/nonexistent "$@" >"$T/out" 2>"$T/err" </dev/null 3>&- 4>&- || status=$?
	collect
}
member() { as_user $GID_OF_GROUP "$@"; }
stranger() { as_user 4243 "$@"; }
modes() { in_world sh -c 'cd "$1" && shift && stat -c "%a %g %n" "$@"' sh "$DATA" "$@"; }

@test "groups: modes of the data directory" {
	g fetch "$FIX/probe.aci"
	assert_ok
	exited_pod
	assert_equal "$(modes . cas cas/image cas/tmp cas/remote cas/partial locks pods pods/run)" "2750 4711 .
2770 4711 cas
2770 4711 cas/image
2770 4711 cas/tmp
2770 4711 cas/remote
2770 4711 cas/partial
2770 4711 locks
2750 4711 pods
2750 4711 pods/run"
	assert_equal "$(modes cas/tree)" '2700 4711 cas/tree'
	assert_equal "$(modes "cas/image/$PROBE_ID")" "2770 4711 cas/image/$PROBE_ID"
	assert_equal "$(modes "pods/run/$UUID")" "750 4711 pods/run/$UUID"
	# nothing of it reaches the tree, nor the app
	assert_equal "$(modes "cas/tree/$PROBE_ID/rootfs")" "755 0 cas/tree/$PROBE_ID/rootfs"
	assert_equal "$(in_world find "$DATA/cas/tree/$PROBE_ID/rootfs" -gid 4711)" ''
	assert_equal "$(in_world find "$DATA/pods/run/$UUID" -mindepth 1 -gid 4711 ! -name manifest)" ''
}

@test "groups: without the group all is root's alone" {
	in_world umount /etc/group
	in_world mount --bind "$BATS_FILE_TMPDIR/group.none" /etc/group
	g fetch "$FIX/probe.aci"
	assert_ok
	exited_pod
	assert_equal "$(modes cas cas/tree locks pods | cut -d' ' -f1,2 | sort -u)" '700 0'
	stranger image list
	assert_refused 254 'Permission denied'
	stranger list
	assert_refused 254 'Permission denied'
}

@test "groups: called as rkt it is rkt's" {
	ln -s "$GANTRY" "$T/rkt"
	in_world "$T/rkt" --dir="$DATA" --insecure-options=image fetch /var/lib/images/probe.aci >/dev/null
	assert_equal "$(modes . cas | cut -d' ' -f1,2)" '2750 4712
2770 4712'
}

@test "groups: a member lists images and pods, and sees their status" {
	g fetch "$FIX/probe.aci"
	exited_pod 3
	member image list --no-legend
	assert_ok
	assert_match '^sha512-.*example.com/probe:1.0.0'
	member image cat-manifest example.com/probe
	assert_ok
	member list --no-legend
	assert_ok
	assert_match "^${UUID:0:8}.*example.com/probe.*exited"
	member status "$UUID"
	assert_ok
	assert_out state=exited app-app=3
	member cat-manifest "$UUID"
	assert_ok
	member run example.com/probe
	assert_refused 254 'unprivileged user'
	member rm "$UUID"
	assert_refused 254 'unprivileged user'
}

@test "groups: a member sees a running pod" {
	g fetch "$FIX/probe.aci"
	start_pod "$PROBE_ID" -- pause
	member list --no-legend
	assert_ok
	assert_match "^${UUID:0:8}.*running"
	member status "$UUID"
	assert_ok
	assert_out state=running
	g stop --force "$UUID"
	assert_ok
}

@test "groups: a member fetches and removes, and root runs what he fetched" {
	g image list
	g fetch "$FIX/probe.aci"
	g image rm example.com/probe
	assert_ok
	member fetch /var/lib/images/probe.aci
	assert_ok
	assert_match '^sha512-'
	member image list --no-legend
	assert_match 'example.com/probe'
	member fetch /var/lib/images/probe.aci
	assert_ok
	assert_equal "$(in_world ls "$DATA/cas/tree" "$DATA/cas/tmp" | grep -v ':$' | xargs)" ''
	g run --net=none example.com/probe -- out hello
	assert_ok
	assert_out hello
	member image export example.com/probe /dev/null --overwrite
	assert_ok
	member image rm example.com/probe
	assert_ok
	assert_match 'successfully removed'
	member image list --no-legend
	assert_equal "$output" ''
	# trees are root's: gc takes it
	g gc --grace-period=0s
	g gc --grace-period=0s
	assert_equal "$(in_world ls "$DATA/cas/tree")" ''
}

@test "groups: a member fetches from a server, with the signature checked" {
	g image list
	keys_up
	mkdir -p "$BATS_FILE_TMPDIR/www"
	cp "$FIX/probe.aci" "$BATS_FILE_TMPDIR/www/probe.aci"
	sign "$BATS_FILE_TMPDIR/www/probe.aci" good
	httpd_up "$BATS_FILE_TMPDIR/www" "$BATS_FILE_TMPDIR"
	in_world mkdir -p -m 755 /var/lib/conf/trustedkeys/prefix.d/example.com
	in_world install -m 644 "$KEYS/good.asc" "/var/lib/conf/trustedkeys/prefix.d/example.com/$(cat "$KEYS/good.fpr")"
	g fetch "$FIX/probe.aci"
	g image rm example.com/probe
	INSECURE=http
	member --local-config=/var/lib/conf fetch "$URL/probe.aci"
	assert_ok
	assert_match '^sha512-'
	member --local-config=/var/lib/conf image verify --signature example.com/probe
	assert_refused 254 'Permission denied'
	g --local-config=/var/lib/conf image verify --signature example.com/probe
	assert_ok
	assert_match "verified signature.*$(cat "$KEYS/good.fpr")"
}

@test "groups: a member cannot reach the trees" {
	g fetch "$FIX/probe.aci"
	local verb
	for verb in extract render; do
		member image $verb example.com/probe /var/lib/images/out
		assert_refused 254 'Permission denied|unprivileged'
	done
	member image verify example.com/probe
	assert_refused 254 'Permission denied|unprivileged'
	member image gc
	assert_refused 254 'Permission denied|unprivileged'
	in_world setpriv --reuid 4242 --regid 4242 --groups $GID_OF_GROUP -- ls "$DATA/cas/tree" 2>"$T/err" && fail "reached"
	grep -q 'Permission denied' "$T/err"
}

@test "groups: a stranger sees nothing" {
	g fetch "$FIX/probe.aci"
	exited_pod
	local words
	for words in 'image list' list 'image cat-manifest example.com/probe' 'image rm example.com/probe' \
		'fetch /var/lib/images/probe.aci' "status $UUID"; do
		stranger $words
		assert_refused 254 'Permission denied'
	done
}

@test "groups: what was taken away of the layout is made again as it was" {
	g fetch "$FIX/probe.aci"
	local dir
	for dir in cas/tmp cas/remote cas/partial locks; do
		in_world rm -r "$DATA/$dir"
		g fetch "$FIX/probe.aci"
		assert_ok
		g image gc
		assert_ok
		g run --net=none example.com/probe -- out x
		assert_ok
	done
	assert_equal "$(modes cas/tmp locks | cut -d' ' -f1,2 | sort -u)" '2770 4711'
}

@test "groups: somebody's own store needs no group" {
	in_world install -d -o 4242 -g 4242 /var/lib/own
	DATA=/var/lib/own/data
	stranger fetch /var/lib/images/probe.aci
	assert_ok
	stranger image list --no-legend
	assert_match 'example.com/probe'
	stranger image export example.com/probe /var/lib/own/out.aci
	assert_ok
	in_world cmp /var/lib/own/out.aci /var/lib/images/probe.aci
	stranger image rm example.com/probe
	assert_ok
}
