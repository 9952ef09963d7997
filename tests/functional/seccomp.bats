# Seccomp: the default filter, retain and remove sets, errno and wildcards, and who may switch it off.

load ../lib/gantry

setup_file() { suite_up; }
teardown_file() { suite_down; }
setup() { test_up; }
teardown() { test_down; }

@test "seccomp: the default filter is on, for root and for others" {
	run_probe -- status Seccomp
	assert_ok
	assert_out Seccomp=2
	run_probe --user=1234 --group=1234 -- status Seccomp
	assert_ok
	assert_out Seccomp=2
}

@test "seccomp: the default filter stops what a pod has no business with" {
	run_probe -- try unshare-user unshare-mnt clone-user setns mount umount pivot-root keyctl add-key bpf \
		perf userfaultfd kexec module swapon handle reboot settime fsopen mount-setattr
	assert_ok
	refute_match '=ok$'
	refute_match '=SIGSYS$'
	assert_out unshare-user=EPERM unshare-mnt=EPERM clone-user=EPERM setns=EPERM mount=EPERM umount=EPERM
	assert_out keyctl=EPERM add-key=EPERM bpf=EPERM kexec=EPERM module=EPERM
}

@test "seccomp: without the filter the same calls are stopped by less (the test above tests it)" {
	INSECURE=image,seccomp
	run_probe -- status Seccomp , try unshare-user keyctl
	assert_ok
	assert_out Seccomp=0
	refute_out unshare-user=EPERM
	refute_out keyctl=EPERM
}

@test "seccomp: all-run switches it off too" {
	INSECURE=image,all-run
	run_probe -- status Seccomp
	assert_ok
	assert_out Seccomp=0
}

@test "seccomp: unknown calls get ENOSYS, clone3 too, so that libraries fall back" {
	run_probe -- try unknown clone3
	assert_ok
	assert_out unknown=ENOSYS clone3=ENOSYS
}

@test "seccomp: ordinary calls pass" {
	run_probe -- try getpid mkdir chown setuid chroot mknod
	assert_ok
	assert_out getpid=ok mkdir=ok chown=ok setuid=ok chroot=ok mknod=ok
}

@test "seccomp: families of sockets that reach the host kernel are refused" {
	run_probe -- try vsock alg
	assert_ok
	refute_out vsock=ok
	refute_out alg=ok
}

@test "seccomp: typing into a terminal is refused" {
	run_probe -- try tiocsti
	assert_ok
	assert_out tiocsti=EPERM
}

@test "seccomp: personality knows only the usual ones" {
	run_probe -- try personality
	assert_ok
	assert_out personality=EPERM
}

@test "seccomp: remove set with an errno" {
	run_probe --seccomp mode=remove,errno=EXDEV,mkdir,mkdirat -- try mkdir getpid
	assert_ok
	assert_out mkdir=EXDEV getpid=ok
}

@test "seccomp: remove set without an errno means SIGSYS" {
	run_probe --seccomp mode=remove,mkdir,mkdirat -- try mkdir getpid
	assert_ok
	assert_out mkdir=SIGSYS getpid=ok
}

@test "seccomp: retain set allows only what it names" {
	run_probe --seccomp mode=retain,errno=EXDEV,@docker/default-whitelist -- try mkdir getpid
	assert_ok
	assert_out mkdir=ok getpid=ok
	probe_image retain ',"isolators":[{"name":"os/linux/seccomp-retain-set","value":{"errno":"EXDEV","set":["@rkt/default-whitelist"]}}]'
	g run --net=none "$ID" -- try mkdir keyctl
	assert_ok
	assert_out mkdir=ok keyctl=EXDEV
}

@test "seccomp: a narrow retain set still lets the app start" {
	local calls=execve,exit,exit_group,read,write,writev,open,openat,close,mmap,munmap,mprotect,brk
	calls+=,arch_prctl,set_tid_address,ioctl,fstat,rt_sigaction,rt_sigprocmask,getuid,fork,clone,wait4
	calls+=,getresuid,getresgid,getgroups,lseek,fcntl,readv,rt_sigreturn,gettid,tkill,set_robust_list
	run_probe --seccomp "mode=retain,errno=EXDEV,$calls" -- try mkdir , status Seccomp
	assert_ok
	assert_out mkdir=EXDEV Seccomp=2
}

@test "seccomp: a filter that forbids write does not hide that the app died" {
	run_probe --seccomp mode=remove,write,writev -- out hello
	assert_status $((128 + 31))
	assert_equal "$output" ""
}

@test "seccomp: @appc.io/all in a retain set opts out" {
	run_probe --seccomp mode=retain,@appc.io/all -- status Seccomp , try keyctl
	assert_ok
	assert_out Seccomp=0
	refute_out keyctl=EPERM
}

@test "seccomp: @appc.io/empty in a remove set opts out of removals" {
	run_probe --seccomp mode=remove,@appc.io/empty -- try mkdir getpid
	assert_ok
	assert_out mkdir=ok getpid=ok
}

@test "seccomp: @rkt and @docker lists as a remove set" {
	run_probe --seccomp mode=remove,errno=EXDEV,@docker/default-blacklist -- try keyctl getpid mkdir
	assert_ok
	assert_out keyctl=EXDEV getpid=ok mkdir=ok
	run_probe --seccomp mode=remove,errno=EXDEV,@rkt/default-blacklist -- try keyctl getpid
	assert_ok
	assert_out keyctl=EXDEV getpid=ok
}

@test "seccomp: @systemd groups" {
	run_probe --seccomp mode=remove,errno=EXDEV,@systemd/mount -- try mount umount pivot-root getpid
	assert_ok
	assert_out mount=EXDEV umount=EXDEV pivot-root=EXDEV getpid=ok
}

@test "seccomp: a flag replaces the image's set" {
	probe_image seccomp ',"isolators":[{"name":"os/linux/seccomp-remove-set","value":{"errno":"EXDEV","set":["mkdir","mkdirat"]}}]'
	g run --net=none "$ID" -- try mkdir chown
	assert_ok
	assert_out mkdir=EXDEV chown=ok
	g run --net=none "$ID" --seccomp mode=remove,errno=ENOTTY,fchown -- try mkdir chown
	assert_ok
	assert_out mkdir=ok chown=ENOTTY
}

@test "seccomp: unknown mode, errno, wildcard and call are refused by name" {
	run_probe --seccomp mode=maybe,read -- id
	assert_refused 254 maybe
	run_probe --seccomp mode=remove,errno=EWHAT,mkdir -- id
	assert_refused 254 EWHAT
	run_probe --seccomp mode=remove,@nobody/list -- id
	assert_refused 254 '@nobody/list'
	run_probe --seccomp mode=remove,make_coffee -- id
	assert_refused 254 make_coffee
	run_probe --seccomp mode=remove,color=red,mkdir -- id
	assert_refused 254 color
}

@test "seccomp: both kinds in one image are refused" {
	make_aci "$T/both.aci" example.com/both '{"exec":["/probe"],"user":"0","group":"0","isolators":[{"name":"os/linux/seccomp-remove-set","value":{"set":["mkdir"]}},{"name":"os/linux/seccomp-retain-set","value":{"set":["mkdir"]}}]}'
	g fetch "$T/both.aci"
	assert_refused 254 seccomp
}

@test "seccomp: two apps with two filters" {
	g run --net=none "$PROBE_ID" --name=one --seccomp mode=remove,errno=EXDEV,mkdir,mkdirat -- try mkdir --- \
		"$PROBE_ID" --name=two --seccomp mode=remove,errno=ENOTTY,mkdir,mkdirat -- try mkdir
	assert_ok
	assert_out 'one: mkdir=EXDEV' 'two: mkdir=ENOTTY'
}

@test "seccomp: no-new-privileges is set when asked, and not by root's default" {
	run_probe -- status NoNewPrivs
	assert_ok
	assert_out NoNewPrivs=0
	probe_image nnp ',"isolators":[{"name":"os/linux/no-new-privileges","value":true}]'
	g run --net=none "$ID" -- status NoNewPrivs Seccomp
	assert_ok
	assert_out NoNewPrivs=1 Seccomp=2
}

@test "seccomp: no-new-privileges makes a set-uid file powerless" {
	cp -a "$FIX/root" "$T/root"
	chmod 4755 "$T/root/probe"
	probe_image nnp-setuid ',"isolators":[{"name":"os/linux/no-new-privileges","value":true}]' "$T/root"
	g run --net=none "$ID" --user=1234 --group=1234 -- id
	assert_ok
	assert_out uid=1234/1234/1234
}
