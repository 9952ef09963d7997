#!/bin/bash
# Runs one command in a throw-away virtual machine.  README.md says what the
# command finds there; kernel.sh makes the kernel ready, guest/ holds what runs
# inside.
set -euo pipefail

here=$(dirname "$(readlink -f "$0")")
init=plain
envs=() rw=() show=()
limit=900
mem=2048
run='' fs_pid='' vm_pid='' out_pid='' err_pid=''

usage() {
	cat <<-'END'
	usage: vm.sh [OPTION...] [--] COMMAND [ARG...]
	       vm.sh --setup

	  --init=plain|systemd  what process 1 of the guest is (plain: a small script)
	  --env NAME[=VALUE]    pass a variable; others are not passed
	  --rw DIR              let the guest write to the host's DIR
	  --ro DIR              show the host's DIR where the scratch disk would hide it
	                        (/tmp, /var/tmp, /var/lib/gantry)
	  --timeout S           stop the machine after S seconds (900)
	  --mem MIB             memory (2048)
	  --setup               install packages, fetch the kernel anew, and stop

	exit status: the command's; 124 the time ran out; 125 the machine failed
	END
}

die() {
	echo "vm.sh: $*" >&2
	exit 125
}

add_env() {
	local name=${1%%=*}

	[[ $name =~ ^[A-Za-z_][A-Za-z0-9_]*$ ]] || die "--env $1: not a variable"
	case $1 in
	*=*) envs+=("$1") ;;
	*) [ -z "${!name+set}" ] || envs+=("$name=${!name}") ;;
	esac
}

add_dir() {
	local dir

	[ -d "$2" ] || die "$2: not a directory"
	dir=$(readlink -e "$2")
	case $1 in
	--rw) rw+=("$dir") ;;
	--ro) show+=("$dir") ;;
	esac
}

is_number() {
	[[ $1 =~ ^[1-9][0-9]*$ ]] || die "$1: not a number"
}

take_option() {
	case $1 in
	--init) init=$2 ;;
	--env) add_env "$2" ;;
	--rw | --ro) add_dir "$1" "$2" ;;
	--timeout) is_number "$2"; limit=$2 ;;
	--mem) is_number "$2"; mem=$2 ;;
	*) usage >&2; die "unknown option $1" ;;
	esac
}

parse_args() {
	while [ $# -gt 0 ]; do
		case $1 in
		--help) usage; exit 0 ;;
		--setup) "$here/kernel.sh" --force; exit ;;
		--) shift; break ;;
		--*=*) take_option "${1%%=*}" "${1#*=}"; shift ;;
		--*)
			[ $# -gt 1 ] || die "$1: argument missing"
			take_option "$1" "$2"
			shift 2 ;;
		*) break ;;
		esac
	done
	case $init in
	plain) ;;
	systemd) [ -x /lib/systemd/systemd ] || die "no systemd on this host" ;;
	*) die "--init=$init: plain or systemd" ;;
	esac
	[ $# -gt 0 ] || { usage >&2; exit 125; }
	command=("$@")
}

# End what this script started, and nothing else.
# shellcheck disable=SC2317 # called by a trap
cleanup() {
	local p

	for p in $vm_pid $fs_pid $out_pid $err_pid; do
		kill "$p" 2>/dev/null || :
	done
	wait
	[ -z "$run" ] || rm -rf "$run"
}

# The files by which guest/init and guest/run know what to do.
write_guest() {
	local g=$run/guest tree e

	mkdir "$g" "$run/result" "$run/export"
	: >"$run/result/out"
	: >"$run/result/err"
	: >"$run/console"
	cp "$here"/guest/* "$g/"
	chmod 755 "$g/run"
	echo "$kernel/modules" >"$g/modules"
	tree=$(git -c safe.directory='*' rev-parse --show-toplevel 2>/dev/null) || tree=$PWD
	printf '%s\n' "$(readlink -e "$tree")" "$(readlink -e .)" "$(readlink -e "$here/../..")" \
		"${show[@]}" >"$g/show"
	: >"$g/rw"
	[ ${#rw[@]} = 0 ] || printf '%s\n' "${rw[@]}" >"$g/rw"
	[ ! /dev/stdout -ef /dev/stderr ] || : >"$g/merge"
	{
		printf 'cd %q || exit 125\n' "$(readlink -e .)"
		for e in "${envs[@]}"; do
			printf 'export %s=%q\n' "${e%%=*}" "${e#*=}"
		done
		printf 'exec'
		printf ' %q' "${command[@]}"
		echo
	} >"$g/command"
}

# The mounts that the guest shall see: those of disks, and where our own files are.
disk_mounts() {
	local d

	findmnt --real -rno TARGET
	for d in "$here" "$PWD" "$kernel" "$run" "${show[@]}" "${rw[@]}"; do
		findmnt -rno TARGET -T "$d"
	done
}

# The server of the host's files.  A mount namespace of its own makes everything
# read-only by construction, whatever the guest tries, but for --rw and the result.
start_files() {
	local server n=0

	for server in /usr/libexec/virtiofsd /usr/lib/qemu/virtiofsd; do
		[ ! -x $server ] || break
	done
	disk_mounts | sort -u | grep -vx / >"$run/mounts" || :
	# shellcheck disable=SC2016
	run=$run unshare -m --propagation private setpriv --pdeathsig KILL bash -euc '
		mount --bind / "$run/export"
		mount -o remount,bind,ro "$run/export"
		while read -r m; do
			printf -v m %b "$m"
			[ -d "$run/export$m" ] || continue
			mount --bind "$m" "$run/export$m"
			mount -o remount,bind,ro "$run/export$m"
		done <"$run/mounts"
		while read -r m; do
			mount --bind "$m" "$run/export$m"
		done < <(cat "$run/guest/rw"; echo "$run/result")
		exec "$0" --socket-path="$run/fs" \
			-o "source=$run/export,sandbox=chroot,cache=always,xattr"
	' "$server" >"$run/fs.log" 2>&1 &
	fs_pid=$!
	until [ -S "$run/fs" ]; do
		if ! kill -0 "$fs_pid" 2>/dev/null || [ $((n += 1)) -gt 1000 ]; then
			cat "$run/fs.log" >&2
			die "virtiofsd did not start"
		fi
		sleep 0.02
	done
}

# KVM only with the processor's help: inside some virtual machines there is a
# /dev/kvm without it, slower than emulation.
has_kvm() {
	[ -w /dev/kvm ] && grep -qwE 'vmx|svm' /proc/cpuinfo
}

start_machine() {
	local image=$kernel/vmlinux words accel

	[ -e "$image" ] || image=$kernel/vmlinuz
	words="gantry_vm=$run console=ttyS0 quiet loglevel=5 panic=-1"
	words+=" cgroup_no_v1=all net.ifnames=0 random.trust_cpu=on"
	[ "$init" = plain ] || words+=" systemd.unit=vm.target systemd.show_status=0"
	if has_kvm; then
		accel=(-accel kvm -cpu host)
	else
		# No five-level page tables to walk, no clock to measure on a busy
		# host, where emulation makes the result wrong.
		accel=(-accel "tcg,thread=multi" -cpu "max,la57=off")
		words+=" nokaslr no_timer_check notsc clocksource=hpet"
	fi
	setpriv --pdeathsig TERM timeout -k 5 "$limit" setpriv --pdeathsig KILL \
		qemu-system-x86_64 -nodefaults -no-user-config -no-reboot \
		-display none -nic none -machine q35,memory-backend=mem "${accel[@]}" \
		-smp 2 -m "$mem" -object "memory-backend-memfd,id=mem,size=${mem}M,share=on" \
		-kernel "$image" -initrd "$kernel/initrd" -append "$words" \
		-serial "file:$run/console" \
		-drive "if=none,id=disk,file=$run/disk,format=raw,cache=unsafe,discard=unmap" \
		-device virtio-blk-pci,drive=disk \
		-chardev "socket,id=fs,path=$run/fs" \
		-device vhost-user-fs-pci,chardev=fs,tag=host,queue-size=1024 \
		</dev/null >"$run/qemu.log" 2>&1 &
	vm_pid=$!
}

main() {
	local status=0

	parse_args "$@"
	[ "$(id -u)" = 0 ] || die "must be run by root, who may share / with the guest"
	kernel=$("$here/kernel.sh") || exit 125
	trap cleanup EXIT
	trap 'exit 129' HUP
	trap 'exit 130' INT
	trap 'exit 143' TERM
	# No blank in the name, it stands on the kernel's command line.
	run=$(TMPDIR='' mktemp -d -p /var/tmp gantry-vm.XXXXXX)
	write_guest
	truncate -s 8G "$run/disk"
	mkfs.ext4 -q -O verity -E lazy_itable_init=1,lazy_journal_init=1,nodiscard "$run/disk"
	start_files
	start_machine
	tail -q -n +1 -s 0.05 --pid="$vm_pid" -f "$run/result/out" &
	out_pid=$!
	tail -q -n +1 -s 0.05 --pid="$vm_pid" -f "$run/result/err" >&2 &
	err_pid=$!
	# Without the shell's own word on a qemu that was killed.
	wait "$vm_pid" 2>/dev/null || status=$?
	vm_pid=''
	wait "$out_pid" "$err_pid" || :
	if [ -s "$run/result/status" ]; then
		read -r status <"$run/result/status"
		exit "$status"
	fi
	# Long enough for a panic with its whole trace: the reason stands before it.
	tail -n 80 "$run/console" >&2
	if [ "$status" = 124 ]; then
		echo "vm.sh: stopped after $limit s" >&2
		exit 124
	fi
	cat "$run/qemu.log" >&2
	die "the machine stopped without a status"
}

main "$@"
