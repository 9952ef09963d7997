# The kernel files of an app, /proc, /sys and /dev: what is there, what is masked, and that an image has
# no say in it.
load ../lib/gantry

setup_file() { suite_up; }
teardown_file() { suite_down; }
setup() { test_up; }
teardown() { test_down; }

@test "kernel-files: /proc is the pod's own, with the usual safe options" {
	need ns-flavor
	run_probe -- mount /proc , ps
	assert_ok
	assert_match '^mount /proc=proc [^ ]*nosuid' '^mount /proc=proc [^ ]*nodev' '^mount /proc=proc [^ ]*noexec'
	assert_match '^process 1=' '^processes=2$'
}

@test "kernel-files: apps of one pod see each other, and nothing of the host" {
	need ns-flavor
	g run --net=none "$PROBE_ID" --name=one -- await /dev/shm/two , ps , write /dev/shm/done x --- \
		"$PROBE_ID" --name=two -- write /dev/shm/two x , await /dev/shm/done
	assert_ok
	assert_out 'one: processes=3'
	refute_match '(bats|bash|nsenter|monitor)'
}

@test "kernel-files: what would hurt the host is read-only" {
	need ns-flavor
	run_probe -- poke /proc/sysrq-trigger h , poke /proc/sys/kernel/hostname x , poke /proc/sys/kernel/core_pattern x \
		, poke /proc/sys/vm/panic_on_oom 0 , poke /proc/irq/default_smp_affinity 1 , write /proc/bus/x y \
		, poke /sys/kernel/mm/transparent_hugepage/enabled never , mkdir /sys/fs/cgroup/x , write /sys/x y
	assert_ok
	refute_match '=ok$'
	assert_match '^poke /proc/sysrq-trigger=(EROFS|ENOENT)$'
	assert_out 'poke /proc/sys/kernel/core_pattern=EROFS'
}

@test "kernel-files: what would tell too much is masked" {
	need ns-flavor
	local p
	run_probe -- cat /proc/kcore /proc/keys /proc/timer_list /proc/sched_debug /proc/kallsyms /proc/config.gz \
		/proc/latency_stats /proc/kmsg , ls /proc/acpi /proc/scsi /sys/firmware /sys/hypervisor /sys/power /sys/module \
		/sys/devices/virtual/powercap
	assert_ok
	refute_match '^entry '
	# nothing was printed but refusals
	for p in "${lines[@]}"; do
		[[ $p =~ ^(cat|ls)\ .*=E[A-Z]+$ ]] || fail "content: $p"
	done
}

@test "kernel-files: what is masked has the mode of systemd's inaccessible nodes, as with rkt" {
	need ns-flavor
	run_probe -- stat /sys/firmware /proc/interrupts /dev/pts/ptmx , poke /proc/interrupts x , mkdir /sys/firmware/x
	assert_ok
	assert_match '^stat /sys/firmware=d 0000 0:0' '^stat /proc/interrupts=(f|-) 0000 0:0' '^stat /dev/pts/ptmx=c 0666 0:0'
	assert_out 'poke /proc/interrupts=EROFS' 'mkdir /sys/firmware/x=EROFS'
}

@test "kernel-files: /sys is read-only, and masks cannot be written around" {
	need ns-flavor
	run_probe -- mount /sys , try umount mount remount-sys
	assert_ok
	assert_match '^mount /sys=[a-z0-9]+ ro,'
	assert_out umount=EPERM mount=EPERM remount-sys=EPERM
}

@test "kernel-files: --insecure-options=paths opens them (the tests above test it)" {
	INSECURE=image,paths
	run_probe -- mount /proc/sysrq-trigger , ls /sys/module
	assert_ok
	assert_out 'mount /proc/sysrq-trigger=none'
	assert_match '^entry /sys/module/'
}

@test "kernel-files: /dev has the usual nodes and nothing else" {
	need ns-flavor
	run_probe -- stat /dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty , ls /dev , mount /dev
	assert_ok
	assert_match '^stat /dev/null=c 0666 0:0 dev 1:3' '^stat /dev/zero=c 0666 0:0 dev 1:5' \
		'^stat /dev/full=c 0666 0:0 dev 1:7' '^stat /dev/random=c 0666 0:0 dev 1:8' \
		'^stat /dev/urandom=c 0666 0:0 dev 1:9' '^stat /dev/tty=c 0666 [0-9]+:[0-9]+ dev 5:0' '^mount /dev=tmpfs '
	assert_out 'entry /dev/pts' 'entry /dev/ptmx' 'entry /dev/shm'
	refute_match '^entry /dev/(mem|kmem|sd|vd|loop|kvm|fuse|kmsg|mapper|disk|console0)'
}

@test "kernel-files: null, zero and full behave" {
	run_probe -- poke /dev/null x , poke /dev/full x , poke /dev/zero x
	assert_ok
	assert_out 'poke /dev/null=ok' 'poke /dev/full=ENOSPC' 'poke /dev/zero=ok'
}

@test "kernel-files: /dev/pts is the pod's own, ptmx opens, /dev/shm is for everybody" {
	need ns-flavor
	run_probe -- open rw /dev/ptmx , stat /dev/shm , mount /dev/pts /dev/shm
	assert_ok
	assert_out 'open rw /dev/ptmx=ok'
	assert_match '^stat /dev/shm=d 1777' '^mount /dev/pts=devpts ' '^mount /dev/shm=tmpfs [^ ]*nosuid'
	run_probe --user=1234 --group=1234 -- open rw /dev/ptmx /dev/null , write /dev/shm/x y
	assert_ok
	assert_out 'open rw /dev/ptmx=ok' 'open rw /dev/null=ok' 'write /dev/shm/x=ok'
}

@test "kernel-files: /dev/shm is shared by the apps of a pod and by no others" {
	need ns-flavor
	g run --net=none "$PROBE_ID" --name=one -- write /dev/shm/x hello --- \
		"$PROBE_ID" --name=two -- await /dev/shm/x , out saw it
	assert_ok
	assert_out 'two: saw it'
	run_probe -- stat /dev/shm/x
	assert_out 'stat /dev/shm/x=ENOENT'
	[ ! -e /dev/shm/x ] || fail "in the host's /dev/shm"
}

# --- an image that tries to have a say

odd() { # NAME: a root to spoil in $R
	cp -a "$FIX/root" "$T/$1"
	R=$T/$1
}

# refused by name, or the right thing is there nevertheless
refused_or_right() {
	if [ "$status" = 0 ]; then
		assert_match "$1"
	else
		assert_refused 254 "$2"
	fi
}

@test "kernel-files: /proc, /sys or /dev as a link in the image" {
	local d
	mkdir "$T/trap"
	for d in proc sys dev; do
		odd "link-$d"
		ln -s "$T/trap" "$R/$d"
		probe_image "link-$d" '' "$R"
		g run --net=none "$ID" -- mount /$d
		refused_or_right "^mount /$d=(proc|sysfs|tmpfs|devtmpfs) " "/$d"
		odd "inside-$d"
		ln -s tmp "$R/$d"
		probe_image "inside-$d" '' "$R"
		g run --net=none "$ID" -- mount /$d
		refused_or_right "^mount /$d=(proc|sysfs|tmpfs|devtmpfs) " "/$d"
	done
	assert_equal "$(ls -A "$T/trap")" ''
}

@test "kernel-files: /proc, /sys or /dev as a file in the image" {
	local d
	for d in proc sys dev; do
		odd "file-$d"
		: >"$R/$d"
		probe_image "file-$d" '' "$R"
		g run --net=none "$ID" -- mount /$d
		refused_or_right "^mount /$d=(proc|sysfs|tmpfs|devtmpfs) " "/$d"
	done
}

@test "kernel-files: content of the image below /dev is not what the app gets" {
	odd dev
	mkdir -p "$R/dev/shm"
	ln -s /proc/sysrq-trigger "$R/dev/null"
	ln -s "$T/trap" "$R/dev/pts"
	probe_image dev '' "$R"
	g run --net=none "$ID" -- stat /dev/null , readlink /dev/pts , poke /dev/null x
	assert_ok
	assert_match '^stat /dev/null=c 0666 0:0 dev 1:3'
	assert_out 'readlink /dev/pts=EINVAL' 'poke /dev/null=ok'
}

@test "kernel-files: files that gantry writes do not follow links of the image" {
	odd etc
	rm -rf "$R/etc"
	mkdir "$T/trap"
	echo precious >"$T/trap/hosts"
	ln -s "$T/trap" "$R/etc"
	probe_image etc '' "$R"
	g run --net=none --hostname=h --dns=192.0.2.1 --hosts-entry=192.0.2.2=x "$ID" -- id
	[ "$status" = 0 ] || assert_refused 254 /etc
	assert_equal "$(ls -A "$T/trap")" hosts
	assert_equal "$(cat "$T/trap/hosts")" precious
	odd etc2
	local f
	for f in resolv.conf hosts hostname mtab; do
		ln -s "$T/trap/hosts" "$R/etc/$f"
	done
	probe_image etc2 '' "$R"
	g run --net=none --hostname=h --dns=192.0.2.1 --hosts-entry=192.0.2.2=x "$ID" -- id
	[ "$status" = 0 ] || assert_refused 254 /etc
	assert_equal "$(ls -A "$T/trap")" hosts
	assert_equal "$(cat "$T/trap/hosts")" precious
}

@test "kernel-files: /etc/mtab is made where the image has /etc and none" {
	run_probe -- readlink /etc/mtab
	assert_ok
	assert_match '^readlink /etc/mtab=(\.\.)?/proc/self/mounts$'
}

@test "kernel-files: no cgroup hierarchy is writable, and the app's place in it is hidden" {
	need ns-flavor
	run_probe -- mount , cgroup
	assert_ok
	! grep -E '^mount /sys/fs/cgroup' "$T/out" | grep -vE '=(cgroup|cgroup2|tmpfs) ro,' || fail "a writable cgroup mount"
	refute_match "^[0-9]+:.*:/gantry/"
}
