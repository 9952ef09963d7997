# shellcheck shell=bash disable=SC2154,SC2034
# Pods with users of their own: `load ../lib/userns`.  Both ways to make a root, and what ids are where.

MKOCI=$TOP/tests/lib/mkoci.py

have_acl() { command -v setfacl >/dev/null; }

# Everything that a tree is, with the owners as they are seen.
LIST='cd /; find . -xdev ! -path "./proc*" ! -path "./sys*" ! -path "./dev*" ! -path ./etc ! -path . ! -path ./tmp \
	! -path ./etc/hosts ! -path ./etc/hostname ! -path ./etc/mtab ! -path ./etc/resolv.conf | sort | while read -r f; do
		stat -c "%n %f %u:%g %t:%T" "$f"; [ -L "$f" ] || [ ! -f "$f" ] || busybox md5sum "$f"
	done; stat -c "%n %f %u:%g" / /etc'

# shell_root DIR: a busybox and what the probe image has.
shell_root() {
	local applet
	cp -a "$FIX/root" "$1"
	cp "$(busybox_static)" "$1/bin/busybox"
	for applet in sh cat ls find stat sort id mount touch rm mkdir chmod chown sleep echo ping test; do
		ln -s busybox "$1/bin/$applet"
	done
}

# userns_up: $SHELL_ID, and the images layers and seeded in $BATS_FILE_TMPDIR/layout.
userns_up() {
	need ns-flavor busybox python
	suite_up
	local a
	shell_root "$BATS_FILE_TMPDIR/shell"
	make_aci "$BATS_FILE_TMPDIR/shell.aci" example.com/shell '{"exec":["/bin/sh"],"user":"0","group":"0","environment":[{"name":"PATH","value":"/bin"}]}' \
		"$BATS_FILE_TMPDIR/shell"
	gantry fetch "$BATS_FILE_TMPDIR/shell.aci" >/dev/null
	SHELL_ID=sha512-$(image_key "$BATS_FILE_TMPDIR/shell.aci")
	export SHELL_ID
	{
		cat <<-EOF
			config Entrypoint ["/bin/sh","-c"]
			layer
			d . 0755 0 0 1000000000
			d bin 0755 0 0 1000000000
			f bin/busybox 0755 0 0 1000000000 @$(busybox_static)
		EOF
		for a in sh cat ls find stat sort id touch rm mkdir chmod chown sleep echo; do
			echo "s bin/$a busybox"
		done
		cat <<-EOF
			d etc 0751 3 4 1000000004
			f etc/motd 0640 5 6 1000000005 one
			f etc/gone 0644 0 0 1000000006 x
			h etc/hard etc/motd
			d opt 0775 7 8 1000000007
			f opt/a 0644 0 0 1000000008 a
			d var 0755 0 0 1000000011
			d var/lib 0750 11 12 1000000012
			d var/lib/x 1777 13 14 1000000013
			f var/lib/x/f 0644 65535 65534 1000000014 f
			d srv 0755 0 0 1000000014
			d srv/seeded 0750 33 34 1000000014
			f srv/seeded/seed 0640 33 34 1000000014 "seed\n"
			s absolute /etc/motd
			layer
			d . 0711 0 0 1000000001
			w etc/gone
			o opt
			f opt/new 0600 0 0 1000000020 new
			f var/lib/x/g 4755 15 16 1000000021 g
			layer
			f var/lib/x/h 0644 0 0 1000000030 h
			w var/lib/x/f
			d opt/sub 0711 2 3 1000000039
			f etc/motd 0600 20 21 1000000051 four
			f srv/seeded/more 0600 0 0 1000000052 "more\n"
		EOF
	} >"$BATS_FILE_TMPDIR/layers"
	"$MKOCI" "$BATS_FILE_TMPDIR/layout" layers <"$BATS_FILE_TMPDIR/layers" >/dev/null
	{ echo 'config Volumes {"/srv/seeded":{}}' && cat "$BATS_FILE_TMPDIR/layers"; } |
		"$MKOCI" "$BATS_FILE_TMPDIR/layout" seeded >/dev/null
}

userns_setup() {
	need ns-flavor
	test_up
	LAYERS=oci:$BATS_FILE_TMPDIR/layout:layers SEEDED=oci:$BATS_FILE_TMPDIR/layout:seeded
}

# ways: the ways to make a root that there are here; way WAY makes it the one of this test.
ways() { ! have_overlay || echo overlay; echo copy; }
way() {
	WAY=$1
	RUN_FLAGS=(--private-users)
	[ "$1" = overlay ] || RUN_FLAGS+=(--no-overlay)
}

# u WORD...: run a pod with ids of its own; $UUID, $SHIFT
u() {
	g run --net="${NET:-none}" "${RUN_FLAGS[@]}" --uuid-file-save="$T/uuid" "$@"
	UUID=$(cat "$T/uuid")
	SHIFT=$(shift_of "$UUID")
}
sh_pod() { u "$SHELL_ID" --exec=/bin/sh "${APP_FLAGS[@]}" -- -c "$1"; }
shift_of() { cut -d: -f1 "$DATA"/pods/*/"$1"/private-users-prepared; }

# layer_of UUID APP: the directory with what the app has written; on_disk ID: how an id of the pod is there.
layer_of() { [ "$WAY" = copy ] && echo "$DATA/pods/run/$1/appsinfo/$2/rootfs" || echo "$DATA/pods/run/$1/appsinfo/$2/upper"; }
on_disk() { [ "$WAY" = copy ] && echo $((SHIFT + $1)) || echo "$1"; }

tree_state() { find "$DATA/cas/tree" -printf '%p %s %m %U %G %T@\n' | sort | sha512sum; }
