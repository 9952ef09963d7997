# Images for the tests: small ACIs from tar and printf, and those that every file shares.
# shellcheck shell=bash disable=SC2154

image_arch() {
	case $(uname -m) in
	x86_64) echo amd64 ;;
	aarch64) echo aarch64 ;;
	ppc64le) echo ppc64le ;;
	*) echo unsupported ;;
	esac
}

busybox_static() {
	local path
	for path in /bin/busybox /usr/bin/busybox; do
		[ ! -x "$path" ] || ! "$path" true || { echo "$path"; return 0; }
	done
	return 1
}

# fixtures_up: once per run of bats, however many files run at a time.
fixtures_up() {
	FIX=$BATS_RUN_TMPDIR/gantry-fixtures
	export FIX
	mkdir -p "$FIX"
	(
		flock 9
		[ ! -e "$FIX/done" ] || exit 0
		set -e
		probe_root "$FIX/root"
		make_aci "$FIX/probe.aci" example.com/probe '{"exec":["/probe"],"user":"0","group":"0"}' "$FIX/root"
		: >"$FIX/done"
	) 9>"$FIX/lock"
}

# probe_root DIR: the root file system of the probe image: three users, some groups, and little else.
probe_root() {
	mkdir -p "$1"/{bin,etc,tmp,home/bob,srv/data,usr/bin}
	chmod 1777 "$1/tmp"
	cp "$PROBE" "$1/probe"
	chmod 755 "$1/probe"
	ln -s /probe "$1/bin/probe-link"
	ln "$1/probe" "$1/usr/bin/probe-in-path"
	printf '%s\n' 'root:x:0:0:root:/root:/bin/sh' 'bob:x:1234:1234::/home/bob:/bin/sh' \
		'4242:x:77:78:a name of digits:/:/bin/sh' >"$1/etc/passwd"
	printf '%s\n' 'root:x:0:' 'bob:x:1234:' 'staff:x:50:bob' 'audio:x:63:bob' '4243:x:79:' >"$1/etc/group"
	echo image >"$1/srv/data/from-image"
	chown -R 0:0 "$1"
	chown 1234:1234 "$1/home/bob"
}

# image_manifest NAME APP [LABELS]: APP is the JSON of the app section, or empty for none; LABELS
# replaces the usual ones (version 1.0.0, linux, this machine).
image_manifest() {
	local labels=${3:-} app=''
	[ -n "$labels" ] || labels="[{\"name\":\"version\",\"value\":\"1.0.0\"},{\"name\":\"os\",\"value\":\"linux\"},{\"name\":\"arch\",\"value\":\"$(image_arch)\"}]"
	[ -z "$2" ] || app=",\"app\":$2"
	printf '{"acKind":"ImageManifest","acVersion":"0.8.11","name":"%s","labels":%s%s%s}\n' \
		"$1" "$labels" "$app" "${IMAGE_EXTRA:-}"
}

# pack_aci OUT MANIFEST-FILE ROOTFS-DIR: the archive itself; COMPRESS is a filter (gzip, xz, ...).
pack_aci() {
	local stage
	stage=$(mktemp -d "${BATS_FILE_TMPDIR:-/tmp}/aci.XXXXXX")
	cp "$2" "$stage/manifest"
	chmod 644 "$stage/manifest"
	tar --numeric-owner --mtime=@1000000000 --sort=name ${TAR_FLAGS:---format=ustar} \
		--transform="s,^${3##*/}\\(/\\|\$\\),rootfs\\1,S" -cf "$stage/aci.tar" \
		-C "$stage" manifest -C "${3%/*}" "${3##*/}"
	if [ -n "${COMPRESS:-}" ]; then
		$COMPRESS <"$stage/aci.tar" >"$1"
	else
		cp "$stage/aci.tar" "$1"
	fi
	rm -rf "$stage"
}

# make_aci OUT NAME APP [ROOTFS [LABELS]]
make_aci() {
	local manifest root=${4:-$FIX/root}
	manifest=$(mktemp "${BATS_FILE_TMPDIR:-/tmp}/manifest.XXXXXX")
	image_manifest "$2" "$3" "${5:-}" >"$manifest"
	pack_aci "$1" "$manifest" "$root"
	rm -f "$manifest"
}

# probe_image NAME APP-EXTRA [ROOTFS]: make an image whose app is /probe with more fields (JSON, with a
# leading comma), fetch it, and put its ID into $ID.
probe_image() {
	make_aci "$T/$1.aci" "example.com/$1" "{\"exec\":[\"/probe\"],\"user\":\"0\",\"group\":\"0\"$2}" "${3:-$FIX/root}"
	gantry fetch "$T/$1.aci" >/dev/null
	ID=sha512-$(image_key "$T/$1.aci")
}

# words_json WORD...: a JSON array of strings (no characters that need escapes but these two).
words_json() {
	local word out=''
	for word; do
		word=${word//\\/\\\\}
		out+="${out:+,}\"${word//\"/\\\"}\""
	done
	printf '[%s]' "$out"
}

# image_key FILE: the store's key of an archive: sha512 of the tar inside.
image_key() {
	case $(head -c 6 "$1" | od -An -tx1 | tr -d ' \n') in
	1f8b*) gzip -dc "$1" ;;
	425a68*) bzip2 -dc "$1" ;;
	fd377a585a00) xz -dc "$1" ;;
	28b52ffd*) zstd -dcq "$1" ;;
	*) cat "$1" ;;
	esac | sha512sum | cut -d' ' -f1
}
