# Capabilities: the 14 by default, retain and remove by image and by flag, and nothing inheritable or
# ambient ever.

load ../lib/gantry

setup_file() { suite_up; }
teardown_file() { suite_down; }
setup() { test_up; }
teardown() { test_down; }

# Bits of capabilities(7) as /proc/PID/status prints them.
mask() {
	local name bits=0 i
	local all=(CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP
		LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER
		SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE
		SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP)
	for name; do
		for i in "${!all[@]}"; do
			[ "${all[i]}" != "$name" ] || bits=$((bits | 1 << i))
		done
	done
	printf '%016x' $bits
}

DEFAULT=(AUDIT_WRITE CHOWN DAC_OVERRIDE FSETID FOWNER KILL MKNOD NET_RAW NET_BIND_SERVICE SETUID
	SETGID SETPCAP SETFCAP SYS_CHROOT)

without() { # NAME...: the default set less these
	local name out=()
	for name in "${DEFAULT[@]}"; do
		case " $* " in *" $name "*) ;; *) out+=("$name") ;; esac
	done
	mask "${out[@]}"
}

see=(status CapBnd CapEff CapPrm CapInh CapAmb)

@test "caps: exactly the 14 of the specification by default" {
	local m
	m=$(mask "${DEFAULT[@]}")
	run_probe -- "${see[@]}"
	assert_ok
	assert_out "CapBnd=$m" "CapEff=$m" "CapPrm=$m"
	assert_out CapInh=0000000000000000 CapAmb=0000000000000000
}

@test "caps: a user that is not root has the bounding set and nothing effective" {
	run_probe --user=1234 --group=1234 -- "${see[@]}"
	assert_ok
	assert_out "CapBnd=$(mask "${DEFAULT[@]}")" CapEff=0000000000000000 CapPrm=0000000000000000
	assert_out CapInh=0000000000000000 CapAmb=0000000000000000
}

@test "caps: --caps-retain keeps only what it names" {
	run_probe --caps-retain=CAP_CHOWN,CAP_NET_BIND_SERVICE -- "${see[@]}"
	assert_ok
	assert_out "CapBnd=$(mask CHOWN NET_BIND_SERVICE)" "CapEff=$(mask CHOWN NET_BIND_SERVICE)"
}

@test "caps: --caps-retain may name more than the default set" {
	run_probe --caps-retain=CAP_SYS_PTRACE -- "${see[@]}"
	assert_ok
	assert_out "CapBnd=$(mask SYS_PTRACE)"
}

@test "caps: --caps-remove takes away from the default set" {
	run_probe --caps-remove=CAP_MKNOD,CAP_NET_RAW -- "${see[@]}" , try mknod raw
	assert_ok
	assert_out "CapBnd=$(without MKNOD NET_RAW)" mknod=EPERM raw=EPERM
}

@test "caps: retain and remove on one image are refused" {
	run_probe --caps-retain=CAP_CHOWN --caps-remove=CAP_KILL -- id
	assert_refused 254 'caps-(retain|remove)' 'caps-(remove|retain)|both|exclusive'
}

@test "caps: an unknown capability is refused by name" {
	run_probe --caps-retain=CAP_EVERYTHING -- id
	assert_refused 254 CAP_EVERYTHING
}

@test "caps: an image's retain set is applied, and a flag replaces it" {
	probe_image retain ',"isolators":[{"name":"os/linux/capabilities-retain-set","value":{"set":["CAP_KILL"]}}]'
	g run --net=none "$ID" -- "${see[@]}"
	assert_ok
	assert_out "CapBnd=$(mask KILL)"
	g run --net=none "$ID" --caps-retain=CAP_CHOWN -- "${see[@]}"
	assert_ok
	assert_out "CapBnd=$(mask CHOWN)"
}

@test "caps: an image's remove set is applied" {
	probe_image remove ',"isolators":[{"name":"os/linux/capabilities-remove-set","value":{"set":["CAP_SYS_CHROOT"]}}]'
	g run --net=none "$ID" -- "${see[@]}" , try chroot
	assert_ok
	assert_out "CapBnd=$(without SYS_CHROOT)" chroot=EPERM
}

@test "caps: several apps each have their own set" {
	g run --net=none "$PROBE_ID" --name=one --caps-retain=CAP_CHOWN -- "${see[@]}" --- \
		"$PROBE_ID" --name=two --caps-retain=CAP_KILL -- "${see[@]}"
	assert_ok
	assert_out "one: CapBnd=$(mask CHOWN)" "two: CapBnd=$(mask KILL)"
}

@test "caps: the set holds for a prepared pod too" {
	g prepare "$PROBE_ID" --caps-retain=CAP_CHOWN -- "${see[@]}"
	assert_ok
	g run-prepared --net=none "${lines[-1]}"
	assert_ok
	assert_out "CapBnd=$(mask CHOWN)"
}

@test "caps: --insecure-options=capabilities leaves what the caller has" {
	local own
	own=$(sed -n 's/^CapBnd:\t//p' /proc/self/status)
	INSECURE=image,capabilities
	run_probe -- "${see[@]}"
	assert_ok
	assert_out "CapBnd=$own"
}

@test "caps: a set-uid file cannot go beyond the bounding set" {
	cp -a "$FIX/root" "$T/root"
	chmod 4755 "$T/root/probe"
	probe_image setuid '' "$T/root"
	g run --net=none "$ID" --user=1234 --group=1234 --caps-retain=CAP_CHOWN -- id , "${see[@]}"
	assert_ok
	assert_out uid=1234/0/0 "CapEff=$(mask CHOWN)" "CapBnd=$(mask CHOWN)"
}
