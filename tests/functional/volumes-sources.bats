# What a volume is made of: files, directories, devices, sockets; missing things, links, procfs; and how
# far read-only reaches.

load ../lib/gantry

setup_file() { suite_up; }
teardown_file() { suite_down; }
setup() {
	test_up
	mkdir -p "$T/src/sub/deep"
	echo from-host >"$T/src/file"
}
teardown() {
	in_world umount -R "$T/src/sub" 2>/dev/null || :
	test_down
}

v() { g run --net=none "$@"; }
host() { echo "--volume=vol,kind=host,source=${1:-$T/src}${2:-}"; }
at() { echo "--mount=volume=vol,target=$1"; }

@test "volumes-sources: what is missing: an error, and nothing is made" {
	local path
	for path in "$T/nothing" "$T/nothing/below" "$T/src/file/below"; do
		v "$(host "$path")" "$(at /data)" "$PROBE_ID" -- id
		assert_refused 254 "Failed to stat $path"
	done
	[ ! -e "$T/nothing" ] || fail "made"
	# found before anything is made of the pod, and nothing of it runs
	refute_match 'uid='
}

@test "volumes-sources: one that no app mounts need not be there" {
	v "$(host "$T/nothing")" "$PROBE_ID" -- out fine
	assert_ok
	assert_out fine
}

@test "volumes-sources: a link is followed when root made it, and by nobody else's" {
	ln -s src "$T/link"
	v "$(host "$T/link")" "$(at /data)" "$PROBE_ID" -- cat /data/file
	assert_ok
	assert_out from-host
	v "$(host "$T/link/sub")" "$(at /data)" "$PROBE_ID" -- ls /data
	assert_ok
	chown -h 1234 "$T/link"
	v "$(host "$T/link")" "$(at /data)" "$PROBE_ID" -- id
	assert_refused 254 "$T/link leads over a symbolic link that root does not own"
	v "$(host "$T/link/sub")" "$(at /data)" "$PROBE_ID" -- id
	assert_refused 254 "$T/link/sub leads over a symbolic link that root does not own"
}

@test "volumes-sources: nothing of procfs" {
	local path
	for path in /proc /proc/sys /proc/version /proc/1/root /proc/self/cwd; do
		v "$(host "$path")" "$(at /data)" "$PROBE_ID" -- id
		assert_refused 254 "$path is in procfs, of which nothing can be given to a pod|Failed to stat"
	done
	ln -s /proc/1/root "$T/link"
	v "$(host "$T/link")" "$(at /data)" "$PROBE_ID" -- id
	assert_refused 254 'vol'
	[ "$status" = 254 ] || fail "a way into the host's root"
}

@test "volumes-sources: a socket works, and a fifo" {
	(cd "$T/src" && exec nc -lU socket) </dev/null >/dev/null 2>&1 3>&- 4>&- &
	BG_PIDS+=($!)
	mkfifo "$T/src/fifo"
	wait_for 60 test -S "$T/src/socket"
	v "$(host "$T/src/socket")" "$(at /run/the.sock)" "$PROBE_ID" -- stat /run/the.sock
	assert_ok
	assert_match '^stat /run/the.sock=s'
	v "$(host "$T/src/fifo")" "$(at /run/fifo)" "$PROBE_ID" -- stat /run/fifo
	assert_ok
	assert_match '^stat /run/fifo=p'
}

@test "volumes-sources: a device is a device; in a directory it is none" {
	need ns-flavor
	v "$(host /dev/null)" "$(at /dev/other)" "$PROBE_ID" -- poke /dev/other x , stat /dev/other
	assert_ok
	assert_out 'poke /dev/other=ok'
	mknod "$T/src/null" c 1 3 || skip "no device can be made here"
	v "$(host)" "$(at /data)" "$PROBE_ID" -- poke /data/null x
	assert_ok
	assert_out 'poke /data/null=EACCES'
}

@test "volumes-sources: recursive, not, and read-only all the way down" {
	need ns-flavor
	in_world mount -t tmpfs sub "$T/src/sub"
	in_world sh -c 'echo mounted >"$1/here"; mkdir "$1/deep"' sh "$T/src/sub"
	in_world mount -t tmpfs deep "$T/src/sub/deep"
	v "$(host)" "$(at /data)" "$PROBE_ID" -- cat /data/sub/here , write /data/sub/deep/x x
	assert_ok
	assert_match mounted
	assert_out 'write /data/sub/deep/x=ok'
	v "$(host "$T/src" ,recursive=true,readOnly=true)" "$(at /data)" "$PROBE_ID" -- \
		write /data/x x , write /data/sub/x x , write /data/sub/deep/y x
	assert_ok
	assert_out 'write /data/x=EROFS' 'write /data/sub/x=EROFS' 'write /data/sub/deep/y=EROFS'
	v "$(host "$T/src" ,recursive=false)" "$(at /data)" "$PROBE_ID" -- cat /data/sub/here , ls /data/sub
	assert_ok
	assert_out 'cat /data/sub/here=ENOENT'
	v "$(host "$T/src" ,recursive=false,readOnly=true)" "$(at /data)" "$PROBE_ID" -- write /data/x x
	assert_ok
	assert_out 'write /data/x=EROFS'
	# and the host's own mounts are as writable as before
	in_world sh -c 'echo x >"$1/still"' sh "$T/src/sub/deep"
}

@test "volumes-sources: one read-only and one not, of the same directory, in one pod" {
	need ns-flavor
	v "$(host "$T/src" ,readOnly=true)" --volume=rw,kind=host,source="$T/src" \
		"$PROBE_ID" --name=reader --mount=volume=vol,target=/data -- await /data/new , write /data/x x --- \
		"$PROBE_ID" --name=writer --mount=volume=rw,target=/data -- write /data/new x
	assert_ok
	assert_out 'reader: write /data/x=EROFS' 'writer: write /data/new=ok'
}

@test "volumes-sources: a directory that is exchanged for a link in the middle is not followed" {
	# the source is opened once, and what was opened is mounted
	local i
	mkdir "$T/secret" "$T/good"
	echo secret >"$T/secret/file"
	echo good >"$T/good/file"
	cp -a "$T/good" "$T/flip"
	ln -s "$T/secret" "$T/evil"
	chown -h 1234 "$T/evil"
	(while :; do
		mv -T "$T/flip" "$T/aside" && mv -T "$T/evil" "$T/flip"
		mv -T "$T/flip" "$T/evil" && mv -T "$T/aside" "$T/flip"
	done) </dev/null >/dev/null 2>&1 3>&- 4>&- &
	local pid=$!
	BG_PIDS+=($pid)
	for i in 1 2 3 4 5 6 7 8; do
		v "$(host "$T/flip")" "$(at /data)" "$PROBE_ID" -- cat /data/file
		! grep -q secret "$T/out" || fail "followed"
	done
	kill "$pid"
}
