#!/bin/bash
# `make demo`: the real thing without any outside service.  Makes a signing key, builds and signs two
# images from files of Debian packages, refuses what is not signed, runs a pod of both on the default
# network, shows what the kernel says of it, and takes everything back.
#
# It works in a network and mount namespace of its own, which stand for the host, so that no bridge,
# route, rule or lease of the machine is touched; DEMO_ON_HOST=1 runs it on the machine itself.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."
B=$(readlink -e "${B:-build}")

[ "$(id -u)" = 0 ] || { echo "demo: must be root (sudo make demo)" >&2; exit 1; }
if [ -z "${DEMO_ON_HOST:-}" ] && [ -z "${DEMO_INSIDE:-}" ]; then
	DEMO_INSIDE=1 B=$B exec unshare --net --mount --propagation private "$0"
fi
if [ -n "${DEMO_INSIDE:-}" ]; then
	mount -t tmpfs -o mode=755 run /run
	mount -t tmpfs -o mode=755 lib /var/lib
	ip link set lo up
fi

W=$(mktemp -d /tmp/gantry-demo.XXXXXX)
export GNUPGHOME=$W/gnupg
pod='' uuid=''
finish() {
	local status=$?
	[ -z "$pod" ] || gantry stop --force "$pod" >/dev/null 2>&1 || true
	gantry gc --grace-period=0s >/dev/null 2>&1 || true
	gpgconf --kill all >/dev/null 2>&1 || true
	rm -rf "$W"
	[ $status = 0 ] || echo "demo: failed" >&2
}
trap finish EXIT

bold='' plain=''
[ ! -t 1 ] || bold=$'\e[1m' plain=$'\e[0m'
step() { printf '\n%s== %s%s\n' "$bold" "$*" "$plain"; }
show() { printf '   $ %s\n' "$*"; "$@" 2>&1 | sed 's/^/   /'; return "${PIPESTATUS[0]}"; }
gantry() { "$B/bin/gantry" --dir="$W/data" --local-config="$W/etc" --system-config="$W/usr" "$@"; }
refused() { # TEXT COMMAND...: it must end with 254 and say so
	local text=$1 out status=0
	shift
	printf '   $ %s\n' "$*"
	out=$("$@" 2>&1) || status=$?
	printf '   %s\n   (exit status %d)\n' "$out" "$status"
	[ $status = 254 ] || { echo "   expected 254" >&2; return 1; }
	case $out in *"$text"*) ;; *) echo "   expected: $text" >&2; return 1 ;; esac
}

# What a host has that a pod could leave behind.
inventory() {
	{
		echo "mounts:"; cut -d' ' -f5 /proc/self/mountinfo | sort
		echo "network namespaces:"; ls /run/netns 2>/dev/null || true
		echo "links:"; ip -o link | cut -d: -f2 | sort
		echo "routes:"; ip route
		echo "rules:"; nft list ruleset 2>/dev/null | grep -v '^$' || true
		echo "leases:"; find /run/gantry /var/lib/cni -type f \
			! -name lock ! -name '*.lock' ! -name 'last_reserved_ip.*' 2>/dev/null || true
		# Other pods of this machine are none of our business.
		echo "cgroups:"; find /sys/fs/cgroup -path "*/gantry/${uuid:-none}*" -type d 2>/dev/null || true
	} >"$1"
}

wait_until() { # COMMAND...: as long as it needs, but not for ever
	local i
	for ((i = 0; i < 200; i++)); do
		"$@" >/dev/null 2>&1 && return 0
		sleep 0.05
	done
	return 1
}

# --- images ---------------------------------------------------------------------------------------

busybox=$(command -v busybox)
manifest() { # NAME EXEC-JSON
	cat <<-JSON
	{"acKind":"ImageManifest","acVersion":"0.8.11","name":"$1",
	 "labels":[{"name":"version","value":"1.0"},{"name":"os","value":"linux"},{"name":"arch","value":"$arch"}],
	 "app":{"exec":$2,"user":"0","group":"0"}}
	JSON
}
image() { # FILE NAME EXEC-JSON APPLET...
	local file=$1 name=$2 exec=$3 dir=$W/build/${1%.aci} a
	shift 3
	mkdir -p "$dir/rootfs/bin" "$dir/rootfs/etc" "$dir/rootfs/srv"
	cp "$busybox" "$dir/rootfs/bin/busybox"
	for a in sh sleep cat "$@"; do ln -s busybox "$dir/rootfs/bin/$a"; done
	cp /etc/debian_version "$dir/rootfs/etc/"
	printf 'root:x:0:0:root:/:/bin/sh\nwww:x:1000:1000:www:/srv:/bin/sh\n' >"$dir/rootfs/etc/passwd"
	printf 'root:x:0:\nwww:x:1000:\n' >"$dir/rootfs/etc/group"
	echo "hello from the server of the pod" >"$dir/rootfs/srv/index.html"
	manifest "$name" "$exec" >"$dir/manifest"
	tar -C "$dir" --owner=0 --group=0 --numeric-owner -czf "$W/$file" manifest rootfs
}
sign() { gpg --batch --yes --quiet --local-user "$1" --armor --detach-sign --output "$2.asc" "$2"; }
key() { gpg --batch --quiet --passphrase '' --quick-generate-key "$1" rsa2048 sign 1d 2>/dev/null; }

case $(uname -m) in x86_64) arch=amd64 ;; aarch64) arch=aarch64 ;; *) arch=$(uname -m) ;; esac
client='["/bin/sh","-c","until wget -q -O - http://127.0.0.1:8080/; do sleep 0.1; done; exec sleep 1000"]'

inventory "$W/before"

step "A signing key, and two images from files of Debian packages (busybox-static, base-files)"
mkdir -m 700 "$GNUPGHOME"
key "Demo <demo@example.org>"
key "Stranger <stranger@example.org>"
image server.aci example.org/demo/server '["/bin/httpd","-f","-p","8080","-h","/srv"]' httpd
image client.aci example.org/demo/client "$client" wget
sign demo@example.org "$W/server.aci"
sign demo@example.org "$W/client.aci"
gpg --batch --armor --export demo@example.org >"$W/demo.pub"
(cd "$W" && ls -l server.aci client.aci server.aci.asc client.aci.asc) | sed 's/^/   /'

step "Nobody is trusted yet"
refused "signature made by unknown entity" gantry fetch "$W/server.aci"

step "Trust the key for the names below example.org/demo"
show gantry trust --prefix=example.org/demo --skip-fingerprint-review "$W/demo.pub"

step "An image without a signature, and one signed by a stranger, are refused"
cp "$W/server.aci" "$W/unsigned.aci"
refused "error opening signature file" gantry fetch "$W/unsigned.aci"
cp "$W/server.aci" "$W/stranger.aci"
sign stranger@example.org "$W/stranger.aci"
refused "signature made by unknown entity" gantry fetch "$W/stranger.aci"

step "The signed ones are verified, unpacked and kept"
show gantry fetch "$W/server.aci"
show gantry fetch "$W/client.aci"
server_id=$(gantry fetch --full "$W/server.aci")
client_id=$(gantry fetch --full "$W/client.aci")
show gantry image list

# --- the pod ---------------------------------------------------------------------------------------

cat >"$W/pod.json" <<JSON
{"acKind":"PodManifest","acVersion":"0.8.11","apps":[
 {"name":"server","image":{"id":"$server_id","name":"example.org/demo/server"},"readOnlyRootFS":true,
  "app":{"exec":["/bin/httpd","-f","-p","8080","-h","/srv"],"user":"www","group":"www","workingDirectory":"/srv",
   "isolators":[
    {"name":"resource/memory","value":{"limit":"32Mi"}},
    {"name":"resource/cpu","value":{"limit":"250m"}},
    {"name":"gantry/pids","value":{"limit":"16"}},
    {"name":"os/linux/no-new-privileges","value":true},
    {"name":"os/linux/capabilities-retain-set","value":{"set":["CAP_NET_BIND_SERVICE"]}}]}},
 {"name":"client","image":{"id":"$client_id","name":"example.org/demo/client"},
  "app":{"exec":$client,"user":"0","group":"0",
   "isolators":[
    {"name":"resource/memory","value":{"limit":"16Mi"}},
    {"name":"resource/cpu","value":{"limit":"500m"}},
    {"name":"gantry/pids","value":{"limit":"8"}},
    {"name":"os/linux/capabilities-remove-set","value":{"set":["CAP_NET_RAW","CAP_MKNOD","CAP_SYS_CHROOT"]}},
    {"name":"os/linux/seccomp-remove-set","value":{"set":["@docker/default-blacklist"],"errno":"EPERM"}}]}}]}
JSON

step "A pod of both from a pod manifest, on the default network"
start=$(date +%s%N)
pod=$(gantry run --detach --pod-manifest="$W/pod.json")
uuid=$pod
printf '   $ gantry run --detach --pod-manifest=pod.json\n   %s\n   (ready after %d ms)\n' "$pod" $((($(date +%s%N) - start) / 1000000))
show gantry list
show gantry status "$pod"

step "The client talks to the server over the pod's loopback"
log=$W/data/pods/run/$pod/logs/client.log
wait_until grep -q "hello from the server" "$log"
sed 's/^/   client: /' "$log" | grep -v refused

step "The host talks to the server at the pod's address"
ip=$(gantry status "$pod" | sed -n 's/^networks=default:ip4=//p')
show busybox wget -q -O - "http://$ip:8080/"

step "What the kernel says of the apps"
facts() { # APP
	local app=$1 pid file dir
	printf '   %s%s%s\n' "$bold" "$app" "$plain"
	for dir in /sys/fs/cgroup /sys/fs/cgroup/{memory,cpu,pids}; do
		for file in memory.limit_in_bytes memory.max cpu.cfs_quota_us cpu.cfs_period_us cpu.max pids.max; do
			file=$dir/gantry/$pod/$app/$file
			[ -r "$file" ] && printf '     %-24s %s\n' "${file##*/}" "$(cat "$file")"
		done
	done
	pid=$(cat "$W/data/pods/run/$pod/started/$app")
	grep -E '^(Uid|CapBnd|CapEff|NoNewPrivs|Seccomp):' "/proc/$pid/status" | sed 's/^/     /'
}
facts server
facts client

step "A command inside an app has what the app has, and nothing more"
show gantry enter --app=server "$pod" /bin/busybox grep -E '^(Uid|CapBnd|CapEff|NoNewPrivs|Seccomp):' /proc/self/status

# --- the end ----------------------------------------------------------------------------------------

step "Stop it, and take everything back"
show gantry stop "$pod"
show gantry status "$pod"
show gantry rm "$pod"
pod=
show gantry list

step "Nothing is left"
inventory "$W/after"
# A network namespace ends a moment after its last process.
same() { inventory "$W/after" && cmp -s "$W/before" "$W/after"; }
wait_until same ||
	{ diff "$W/before" "$W/after"; exit 1; }
echo "   no mount, namespace, link, route, rule, lease or cgroup: the host is as it was before"
