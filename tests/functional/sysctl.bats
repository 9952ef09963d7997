# The isolator os/unix/sysctl: settings of the pod's own namespaces, and of nothing else.

load ../lib/gantry

setup_file() { suite_up; }
teardown_file() { suite_down; }
setup() { test_up; }
teardown() { test_down; }

# s SETTINGS FLAG... -- WORD...: a pod with these settings
s() {
	local settings=$1 flags=() words
	shift
	while [ "$1" != -- ]; do
		flags+=("$1")
		shift
	done
	shift
	words=$(words_json "$@")
	printf '{"acVersion":"0.8.11","acKind":"PodManifest","apps":[{"name":"app","image":{"id":"%s"},
		"app":{"exec":["/probe",%s],"user":"0","group":"0"}}],"isolators":[{"name":"os/unix/sysctl","value":%s}]}' \
		"$PROBE_ID" "${words:1:-1}" "$settings" >"$T/pod.json"
	g run "${flags[@]}" --pod-manifest="$T/pod.json"
}

value_of() { cat "/proc/sys/$1"; }

@test "sysctl: network, shared memory, messages, semaphores and message queues of the pod" {
	local shmmax msgmnb sem
	shmmax=$(value_of kernel/shmmax) msgmnb=$(value_of kernel/msgmnb) sem=$(value_of kernel/sem)
	s '{"net.ipv4.ip_forward":"1","net.core.somaxconn":"77","kernel.shmmax":"123456","kernel.shm_rmid_forced":"1",
		"kernel.msgmnb":"4444","kernel.sem":"11 222 33 44","fs.mqueue.msg_max":"7"}' --net=none -- \
		cat /proc/sys/net/ipv4/ip_forward , cat /proc/sys/net/core/somaxconn , cat /proc/sys/kernel/shmmax , \
		cat /proc/sys/kernel/shm_rmid_forced , cat /proc/sys/kernel/msgmnb , cat /proc/sys/kernel/sem , \
		cat /proc/sys/fs/mqueue/msg_max
	assert_ok
	assert_equal "$(tr -s '\t ' ' ' <"$T/out" | tr '\n' ,)" '1,77,123456,1,4444,11 222 33 44,7,'
	# and the host's are as they were
	assert_equal "$(value_of kernel/shmmax)" "$shmmax"
	assert_equal "$(value_of kernel/msgmnb)" "$msgmnb"
	assert_equal "$(value_of kernel/sem)" "$sem"
}

@test "sysctl: of an interface that the network has made" {
	need veth
	s '{"net.ipv4.conf.eth0.rp_filter":"2","net.ipv4.conf.eth0.accept_redirects":"0"}' --net=default -- \
		cat /proc/sys/net/ipv4/conf/eth0/rp_filter /proc/sys/net/ipv4/conf/eth0/accept_redirects
	assert_ok
	assert_out 2 0
}

@test "sysctl: the app itself cannot change them" {
	s '{"net.ipv4.ip_forward":"1"}' --net=none -- poke /proc/sys/net/ipv4/ip_forward 0
	assert_ok
	assert_out 'poke /proc/sys/net/ipv4/ip_forward=EROFS'
}

@test "sysctl: what would be the host's refuses the pod, by name" {
	s '{"kernel.core_pattern":"|/tmp/x"}' --net=none -- id
	assert_refused 254 'isolator os/unix/sysctl: "kernel.core_pattern" is not a setting of a pod alone'
	s '{"net.ipv4.ip_forward":"1","vm.swappiness":"1"}' --net=none -- id
	assert_refused 254 '"vm.swappiness" is not a setting of a pod alone'
	s '{"net.ipv4.ip_forward":"1"}' --net=host -- id
	assert_refused 254 '"net.ipv4.ip_forward" would be the host.s, whose network the pod shares'
	s '{"kernel.shmmax":"1"}' --net=none --ipc=parent -- id
	assert_refused 254 '"kernel.shmmax" would be the host.s, whose IPC the pod shares'
}

@test "sysctl: no way out of /proc/sys, and one setting at a time" {
	s '{"net..ipv4":"1"}' --net=none -- id
	assert_refused 254 'not a sysctl'
	s '{"net/../../sysrq-trigger":"b"}' --net=none -- id
	assert_refused 254 'not a sysctl'
	s '{"net.ipv4.ip_forward":"1\nkernel.core_pattern = |/x"}' --net=none -- id
	assert_refused 254 'control characters'
}

@test "sysctl: one that the kernel does not have or does not take is an error that names it" {
	s '{"net.no.such.thing":"1"}' --net=none -- out ran
	assert_refused 254 'isolator os/unix/sysctl: set net.no.such.thing to "1": No such file or directory'
	s '{"net.ipv4.ip_forward":"many"}' --net=none -- out ran
	assert_refused 254 'isolator os/unix/sysctl: set net.ipv4.ip_forward to "many": Invalid argument'
	refute_out ran
}

@test "sysctl: it is of the pod, not of an app" {
	make_aci "$T/sysctl.aci" example.com/sysctl '{"exec":["/probe"],"user":"0","group":"0",
		"isolators":[{"name":"os/unix/sysctl","value":{"net.ipv4.ip_forward":"1"}}]}'
	g run --net=none "$T/sysctl.aci" -- id
	assert_refused 254 'only for the pod'
}
