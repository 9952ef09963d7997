#!/usr/bin/env bats
# What vm.sh promises, each in a machine of its own.  Needs root; see README.md.

bats_require_minimum_version 1.5.0

setup() {
	vm=$BATS_TEST_DIRNAME/vm.sh
	cd "$BATS_TEST_DIRNAME"
}

@test "cgroup v2 and nothing else, with all its controllers" {
	run "$vm" -- sh -c '
		cat /sys/fs/cgroup/cgroup.controllers
		grep cgroup /proc/mounts | cut -d" " -f 2,3
		cat /proc/self/cgroup
		mkdir /sys/fs/cgroup/t
		echo "+cpu +memory +pids +io +cpuset" >/sys/fs/cgroup/cgroup.subtree_control
		ls /sys/fs/cgroup/t'
	[ "$status" -eq 0 ]
	for c in cpuset cpu io memory pids; do
		[[ " ${lines[0]} " == *" $c "* ]]
	done
	[ "${lines[1]}" = "/sys/fs/cgroup cgroup2" ]
	[ "${lines[2]}" = "0::/" ]
	[[ $output == *memory.max* && $output == *cgroup.kill* && $output == *cpu.pressure* ]]
}

@test "an overlay has its upper directory on the scratch disk" {
	run "$vm" -- sh -ec '
		for d in /tmp /var/tmp /var/lib/gantry; do
			cd $d
			mkdir l u w m
			echo lower >l/f
			mount -t overlay -o lowerdir=l,upperdir=u,workdir=w o m
			echo upper >>m/f
			cat u/f
			stat -f -c %T .
			setfattr -n trusted.t -v 1 u/f 2>/dev/null || :
			cd /
			umount $d/m
		done'
	[ "$status" -eq 0 ]
	[ "${lines[0]} ${lines[1]} ${lines[2]}" = "lower upper ext2/ext3" ]
	[ ${#lines[@]} -eq 9 ]
}

@test "bridges, veths, macvlans, taps and masquerading, and no network but lo" {
	run "$vm" -- bash -euc '
		ls /sys/class/net
		ip netns add a
		ip link add br0 type bridge
		ip link add v0 type veth peer name v1 netns a
		ip link set v0 master br0 up
		ip addr add 10.9.9.1/24 dev br0
		ip link set br0 up
		ip -n a addr add 10.9.9.2/24 dev v1
		ip -n a link set v1 up
		ip link add mv0 link br0 type macvlan mode bridge
		ip link add d0 type dummy
		ip link add iv0 link d0 type ipvlan mode l2
		ip tuntap add tap0 mode tap
		nft add table ip t
		nft add chain ip t post "{ type nat hook postrouting priority 100; }"
		nft add rule ip t post ip saddr 10.9.9.0/24 counter masquerade
		nft add chain ip t pre "{ type nat hook prerouting priority -100; }"
		nft add rule ip t pre tcp dport 8080 dnat to 10.9.9.2:80
		nft list ruleset
		timeout 20 ip netns exec a bash -c "exec 3<>/dev/udp/10.9.9.1/9; echo x >&3"
		ip neigh show 10.9.9.2 dev br0'
	echo "$output"
	[ "$status" -eq 0 ]
	[ "${lines[0]}" = lo ]
	[ "${lines[1]}" != eth0 ]
	[[ $output == *"masquerade"*"dnat to 10.9.9.2:80"* ]]
	[[ $output == *"10.9.9.2 lladdr"* ]]
}

@test "the status, both streams, arguments, variables and the directory arrive" {
	run --separate-stderr -13 "$vm" --env A='x  y$z' --env=B -- \
		bash -c 'pwd; echo "$A|$1|${B-unset}"; echo err >&2; echo more >/dev/stderr; exit 13' sh "a 'b"
	[ "$output" = "$BATS_TEST_DIRNAME"$'\n'"x  y\$z|a 'b|unset" ]
	[ "$stderr" = $'err\nmore' ]
}

@test "two streams that are one file keep their order" {
	run "$vm" -- bash -c 'for i in 1 2 3; do echo o$i; echo e$i >&2; done'
	[ "$output" = $'o1\ne1\no2\ne2\no3\ne3' ]
}

@test "much output arrives whole, to a slow reader too" {
	sum=$("$vm" -- bash -c 'seq 300000' | { sleep 3; md5sum; })
	[ "$sum" = "$(seq 300000 | md5sum)" ]
}

@test "what is left running does not keep the machine" {
	run "$vm" --timeout 120 -- bash -c 'sleep 100000 & (trap "" TERM; sleep 99999) & echo done'
	[ "$status" -eq 0 ]
	[ "$output" = "done" ]
}

@test "a command killed by a signal gives 128 and its number" {
	run "$vm" -- bash -c 'kill -KILL $$'
	[ "$status" -eq 137 ]
}

@test "time out: 124, and what was written before is shown" {
	run "$vm" --timeout 20 -- bash -c 'echo before; sleep 100000'
	[ "$status" -eq 124 ]
	[[ $output == before* ]]
	[[ $output == *"stopped after 20 s"* ]]
}

@test "a guest that dies: 125, and the console's end is shown" {
	run "$vm" -- bash -c 'echo 10 >/proc/sys/kernel/printk; echo c >/proc/sysrq-trigger'
	[ "$status" -eq 125 ]
	[[ $output == *"Kernel panic"* ]]
	[[ $output == *"without a status"* ]]
}

@test "a machine killed from outside: 125, nothing stays behind" {
	"$vm" -- sleep 100000 3>&- &
	pid=$!
	qemu=
	for _ in {1..600}; do
		# vm.sh's child is timeout, whose child is qemu.
		for t in $(cat "/proc/$pid/task/$pid/children"); do
			for q in $(cat "/proc/$t/task/$t/children"); do
				[[ $(cat "/proc/$q/comm") != qemu-system* ]] || qemu=$q
			done
		done
		[ -z "$qemu" ] || break
		sleep 0.1
	done
	run=$(tr '\0' '\n' <"/proc/$qemu/cmdline" | sed -n 's/^gantry_vm=\([^ ]*\).*/\1/p')
	[ -d "$run" ]
	kill -KILL "$qemu"
	status=0
	wait "$pid" || status=$?
	[ "$status" -eq 125 ]
	[ ! -e "$run" ]
}

@test "the host's files are seen, and only --rw is written to" {
	dir=$(mktemp -d)
	ro=$(mktemp -d)
	echo see >"$ro/f"
	run "$vm" --rw "$dir" --ro "$ro" -- bash -c "
		echo new >'$dir/f'
		cat '$ro/f'
		echo lost >'$ro/f' && echo lost >/etc/gantry-vm-lost && echo lost >'$BATS_TEST_DIRNAME/lost'
		mkdir -p /tmp/h && mount -t virtiofs host /tmp/h && mount -o remount,rw /tmp/h
		echo bad >/tmp/h/etc/gantry-vm-lost || echo refused"
	echo "$output"
	[ "$status" -eq 0 ]
	[ "${lines[0]}" = see ]
	[ "${lines[-1]}" = refused ]
	[ "$(cat "$dir/f")" = new ]
	[ "$(cat "$ro/f")" = see ]
	[ ! -e /etc/gantry-vm-lost ]
	[ ! -e "$BATS_TEST_DIRNAME/lost" ]
	rm -r "$dir" "$ro"
}

@test "two machines at once, from a read-only tree" {
	dir=$(mktemp -d)
	cp -r "$BATS_TEST_DIRNAME/../.." "$dir/tree" 2>/dev/null || :
	out=$(unshare -m bash -euc '
		mount --bind "$0/tree" "$0/tree"
		mount -o remount,bind,ro "$0/tree"
		cd "$0/tree/tests/vm"
		! touch x 2>/dev/null
		./vm.sh -- bash -c "sleep 3; test -x vm.sh && echo one; exit 3" & a=$!
		./vm.sh -- bash -c "sleep 3; test -x vm.sh && echo two; exit 4" & b=$!
		wait $a || echo $?
		wait $b || echo $?' "$dir")
	rm -rf "$dir"
	[ "$(sort <<<"$out" | paste -sd' ')" = "3 4 one two" ]
}

@test "systemd as process 1, with machined and scopes" {
	run "$vm" --init=systemd -- bash -c '
		cat /proc/1/comm
		systemctl is-system-running
		systemd-run --scope -q -p Delegate=yes cat /proc/self/cgroup
		grep cgroup /proc/mounts | cut -d" " -f 3
		exit 6'
	echo "$output"
	[ "$status" -eq 6 ]
	[ "${lines[0]}" = systemd ]
	[[ $output == *"0::/system.slice/run-"*.scope* ]]
	[ "${lines[-1]}" = cgroup2 ]
}
