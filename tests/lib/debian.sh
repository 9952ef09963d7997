#!/bin/bash
# Makes a root file system of Debian with servers in it: `make debian-root`, which is a part of `make check`.
#
#   debian.sh DIRECTORY     DIRECTORY/root is it once there is DIRECTORY/done; DIRECTORY/why: what was missing
#
# Whatever this machine's apt is configured to use is where the packages come from, and apt checks their signatures:
# no mirror is named here.  apt resolves and downloads for a machine on which nothing is installed, and debootstrap
# installs from that, as from a mirror in a directory.
#
# The exit status is always 0: a machine without root, debootstrap or a network runs the other tests.
set -u -o pipefail
PACKAGES=(nginx-light redis-server postgresql)

[ $# = 1 ] || { echo "usage: debian.sh DIRECTORY" >&2; exit 2; }
mkdir -p "$1" || exit 0
DIR=$(readlink -f "$1")
SUITE=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
ARCH=$(dpkg --print-architecture 2>/dev/null)
LOG=$DIR/log
MIRROR=$DIR/mirror
STATE=$DIR/state

give_up() {
	echo "$*" >"$DIR/why"
	echo "no Debian root file system for the tests: $* (see $LOG)" >&2
	exit 0
}

# A status file of its own: nothing is installed, so that all that a package needs is downloaded.
apt_get() {
	apt-get -o Dir::State::Status="$STATE/status" -o Dir::State::Extended_States="$STATE/extended" \
		-o Dir::Cache::Archives="$MIRROR/pool" -o APT::Sandbox::User=root -o APT::Install-Recommends=false \
		-o Acquire::Retries=1 -o Acquire::http::Timeout=30 "$@"
}

# What debootstrap installs before the packages that it was asked for.
required() {
	apt-cache dumpavail | awk '/^Package: /{name = $2} /^Priority: required$/{print name}' | sort -u
	echo apt
	[ "$SUITE" != bookworm ] || echo usr-is-merged
}

download() {
	local names
	names=$(required) || return 1
	# shellcheck disable=SC2086 # a list of names
	apt_get install -y --download-only $names "${PACKAGES[@]}"
}

# The directory as a mirror: the records that apt has of what it downloaded, under the names that they have here.
index() {
	local deb fields dists=$MIRROR/dists/$SUITE file
	mkdir -p "$dists/main/binary-$ARCH"
	for deb in "$MIRROR"/pool/*.deb; do
		dpkg-deb --field "$deb" || return 1
		fields=$(stat -c '%s' "$deb") || return 1
		printf 'Filename: pool/%s\nSize: %s\nMD5sum: %s\nSHA256: %s\n' "${deb##*/}" "$fields" \
			"$(md5sum <"$deb" | cut -d' ' -f1)" "$(sha256sum <"$deb" | cut -d' ' -f1)"
		echo
	done >"$dists/main/binary-$ARCH/Packages"
	file=main/binary-$ARCH/Packages
	printf '%s\n' "Suite: $SUITE" "Codename: $SUITE" "Components: main" "Architectures: $ARCH" SHA256: \
		" $(sha256sum <"$dists/$file" | cut -d' ' -f1) $(stat -c %s "$dists/$file") $file" >"$dists/Release"
}

main() {
	local include
	exec 9>"$DIR/lock" && flock 9
	[ ! -e "$DIR/done" ] || return 0
	[ "$(id -u)" = 0 ] || give_up "it takes root"
	command -v debootstrap >/dev/null || give_up "no debootstrap here"
	[ -n "$ARCH" ] && [ -n "$SUITE" ] || give_up "this is no Debian"
	echo "making a Debian root file system for the tests (once)"
	rm -rf --one-file-system "$DIR/root" "$MIRROR" "$STATE"
	mkdir -p "$MIRROR/pool/partial" "$STATE"
	: >"$STATE/status"
	: >"$STATE/extended"
	download >"$LOG" 2>&1 || { apt-get -q update && download; } >>"$LOG" 2>&1 || give_up "apt cannot download the packages"
	index >>"$LOG" 2>&1 || give_up "the packages have no index"
	include=$(IFS=,; echo "${PACKAGES[*]}")
	# A mount namespace of its own: what debootstrap mounts goes with it.
	unshare --mount --propagation private debootstrap --variant=minbase --no-check-gpg --include="$include" --arch="$ARCH" \
		"$SUITE" "$DIR/root" "file://$MIRROR" /usr/share/debootstrap/scripts/"$SUITE" >>"$LOG" 2>&1 ||
		give_up "debootstrap: $(tail -n 1 "$LOG")"
	rm -rf "$MIRROR" "$DIR/why" "$STATE" "$DIR"/root/var/cache/apt/archives/*.deb
	: >"$DIR/done"
}

main
