#!/bin/bash
# Prepares what every start of the machine shares, once, in the cache directory:
#
#   kernel.sh [--force]      prints the directory, filling it first where needed
#
# The directory holds vmlinuz (and vmlinux, see below), modules/VERSION and
# initrd.  The kernel is the one of this Debian release, unpacked from its
# package and never installed, so that the host's /boot and boot loader are left
# alone.  GANTRY_VM_CACHE names the place (~/.cache/gantry-vm), and
# GANTRY_VM_KERNEL the package that depends on the current kernel image.
set -euo pipefail

self=$(readlink -f "$0")
meta=${GANTRY_VM_KERNEL:-linux-image-cloud-amd64}
cache=${GANTRY_VM_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/gantry-vm}
# Needed before the root file system can be mounted; what they depend on follows.
boot_modules="virtio_pci virtio_blk virtiofs overlay ext4"

die() {
	echo "kernel.sh: $*" >&2
	exit 125
}

find_virtiofsd() {
	local f

	for f in /usr/libexec/virtiofsd /usr/lib/qemu/virtiofsd; do
		[ -x "$f" ] && return 0
	done
	return 1
}

apt_install() {
	[ "$(id -u)" = 0 ] || die "not root, and these packages are missing: $*"
	echo "kernel.sh: installing $*" >&2
	DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@" >&2 ||
		die "could not install $* (is apt-get update needed?)"
}

install_packages() {
	local want=()

	command -v qemu-system-x86_64 >/dev/null || want+=(qemu-system-x86)
	command -v modprobe >/dev/null || want+=(kmod)
	command -v mkfs.ext4 >/dev/null || want+=(e2fsprogs)
	command -v lz4 >/dev/null || want+=(lz4)
	command -v xz >/dev/null || want+=(xz-utils)
	# The guest starts with busybox alone: it must not need a library.
	ldd "$(command -v busybox || echo /)" >/dev/null 2>&1 && want+=(busybox-static)
	command -v busybox >/dev/null || want+=(busybox-static)
	# A package of its own since Debian 13, a part of qemu's before.
	if ! find_virtiofsd && apt-cache show virtiofsd >/dev/null 2>&1; then
		want+=(virtiofsd)
	fi
	[ ${#want[@]} = 0 ] || apt_install "${want[@]}"
	find_virtiofsd || apt_install qemu-system-common
}

# Unpack the image that the meta package depends on below $1.
unpack_kernel() {
	local image

	image=$(apt-cache depends "$meta" |
		sed -n 's/^ *Depends: \(linux-image-[0-9].*\)/\1/p' | head -n 1)
	[ -n "$image" ] || die "$meta names no kernel image (is apt-get update needed?)"
	echo "kernel.sh: fetching $image" >&2
	# The sandbox user of apt could not write into a directory of root's.
	(cd "$1" && apt-get -o APT::Sandbox::User=root download "$image" >&2) ||
		die "could not download $image"
	mkdir "$1/root"
	dpkg-deb -x "$1"/*.deb "$1/root"
	mv "$1"/root/boot/vmlinuz-* "$1/vmlinuz"
	if [ -d "$1/root/usr/lib/modules" ]; then
		mv "$1/root/usr/lib/modules" "$1/modules"
	else
		mv "$1/root/lib/modules" "$1/modules"
	fi
	rm -rf "$1/root" "$1"/*.deb
}

# The kernel proper out of vmlinuz.  It has an entry of its own for virtual
# machines (PVH, Documentation/virt in the kernel), and a guest that need not
# unpack it starts a second or two earlier when emulated.  Where the packing is
# another one, vmlinuz is started.
unpack_vmlinux() {
	local at

	at=$(LC_ALL=C grep -abom1 -P '\x02\x21\x4c\x18' "$1/vmlinuz" | head -n 1 | cut -d: -f1) || :
	[ -n "$at" ] || return 0
	# lz4 complains of what follows the kernel, having written it all.
	tail -c +$((at + 1)) "$1/vmlinuz" | lz4 -dcq >"$1/vmlinux" 2>/dev/null || :
	[ "$(head -c 4 "$1/vmlinux" | tail -c 3)" = ELF ] || rm -f "$1/vmlinux"
}

# modprobe wants a root with lib/modules, the cache keeps modules alone.
module_files() {
	local m root

	root=$(mktemp -d)
	mkdir "$root/lib"
	ln -s "$1/modules" "$root/lib/modules"
	depmod -b "$root" "$2"
	for m in $boot_modules; do
		modprobe -d "$root" -S "$2" --show-depends "$m"
	done | sed -n "s|^insmod $root/lib/\([^ ]*\).*|$1/\1|p" | awk '!seen[$0]++'
	rm -r "$root"
}

make_initrd() {
	local dir=$1 tree version f n=100

	version=$(basename "$dir"/modules/*)
	tree=$(mktemp -d "$dir/initrd.XXXXXX")
	mkdir -p "$tree"/{bin,modules,dev,proc,sys,host,all,disk,root}
	cp "$(command -v busybox)" "$tree/bin/busybox"
	module_files "$dir" "$version" >"$tree/list"
	while read -r f; do
		case $f in
		*.xz) xz -dc "$f" ;;
		*.zst) zstd -dcq "$f" ;;
		*) cat "$f" ;;
		esac >"$tree/modules/$n.ko"
		n=$((n + 1))
	done <"$tree/list"
	cat >"$tree/init" <<-'INIT'
	#!/bin/busybox sh
	# Gets at the host's files and goes on with the script of this run.
	set -e
	/bin/busybox --install -s /bin
	export PATH=/bin
	mount -t proc proc /proc
	mount -t sysfs sys /sys
	mount -t devtmpfs dev /dev
	for m in /modules/*.ko; do
		insmod "$m"
	done
	mount -t virtiofs host /host
	read -r cmdline </proc/cmdline
	run=${cmdline##*gantry_vm=}
	export run="/host${run%% *}"
	. "$run/guest/init"
	INIT
	chmod 755 "$tree/init"
	(cd "$tree" && find . | busybox cpio -o -H newc 2>/dev/null) >"$dir/initrd.new"
	rm -r "$tree"
	mv "$dir/initrd.new" "$dir/initrd"
}

main() {
	local dir tmp force=${1:-}

	install_packages
	mkdir -p "$cache"
	cache=$(readlink -f "$cache")
	dir=$cache/$meta
	# Two machines may be started at once in a new cache.
	exec 9>"$cache/lock"
	flock 9
	if [ -n "$force" ] || [ ! -d "$dir/modules" ]; then
		tmp=$(mktemp -d "$cache/new.XXXXXX")
		# shellcheck disable=SC2064
		trap "rm -rf '$tmp'" EXIT
		unpack_kernel "$tmp"
		unpack_vmlinux "$tmp"
		make_initrd "$tmp"
		rm -rf "$dir"
		mv "$tmp" "$dir"
	elif [ "$self" -nt "$dir/initrd" ]; then
		make_initrd "$dir"
	fi
	echo "$dir"
}

main "$@"
