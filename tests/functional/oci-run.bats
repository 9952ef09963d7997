# Pods of OCI images: what the configuration says of how they are run, and how they are pulled.

load ../lib/gantry
load ../lib/registry
load ../lib/layers
load ../lib/documents

MKOCI=$BATS_TEST_DIRNAME/../lib/mkoci.py
R=127.0.0.1:5000
P=127.0.0.1:5010

have_umoci() { command -v umoci >/dev/null; }

# layout REF: an image with a busybox; configuration and more layers on standard input.
layout() {
	{
		cat <<-EOF
			layer
			d . 0755 0 0 1000000000
			d bin 0755 0 0 1000000000
			f bin/busybox 0755 0 0 1000000000 @$(busybox_static)
			f bin/show 0755 0 0 1000000000 "#!/bin/sh\\nfor a; do echo \\"arg=\$a\\"; done\\n"
			f etc/passwd 0644 0 0 1000000000 "root:x:0:0::/root:/bin/sh\\nwww:x:33:34::/srv:/bin/sh\\n"
			f etc/group 0644 0 0 1000000000 "root:x:0:\\nwww:x:34:\\nmore:x:77:www,1000\\n"
			d srv 0755 0 0 1000000000
			d srv/data 0750 33 34 1000000000
			f srv/data/seed 0640 33 34 1000000000 seed
		EOF
		for a in sh cat ls stat id env pwd kill sleep true; do
			echo "s bin/$a busybox"
		done
		cat
	} | MKOCI_ARCH=$(oci_arch) "$MKOCI" "$BATS_FILE_TMPDIR/layout" "$1" >/dev/null
}

oci_arch() { uname -m | sed 's/x86_64/amd64/; s/aarch64/arm64/'; }
image() { echo "oci:$BATS_FILE_TMPDIR/layout:$1"; }
r() { g run --net=none "$@"; }

setup_file() {
	need root busybox python
	suite_up
	layout app <<-EOF
		config Entrypoint ["/bin/show","-x"]
		config Cmd ["one","t w o"]
		config Env ["B=2","A=a=b","B=3"]
		config WorkingDir "/srv/made/here"
		config Labels {"org.opencontainers.image.title":"T","Odd Name":"v"}
		config ExposedPorts {"80/tcp":{},"5000-5001/udp":{}}
		config StopSignal "SIGQUIT"
	EOF
	layout sh <<-EOF
		config Entrypoint ["/bin/sh","-c"]
		config Cmd ["id -u; id -g; id -G; pwd; env"]
		config Env ["B=2","A=a=b","B=3"]
		config WorkingDir "/srv/made/here"
		config Volumes {"/srv/data":{}}
	EOF
	layout cmd <<<'config Cmd ["/bin/show","only"]'
	layout systemd <<-EOF
		config Cmd ["/bin/sh","-c","test -e /sys/kernel && ! busybox grep -q ' /sys/fs/cgroup .*volume' /proc/mounts && echo own"]
		config Volumes {"/sys/fs/cgroup":{}}
	EOF
	layout proc <<<'config Volumes {"/proc":{}}'
	layout none <<<'config Env ["A=b"]'
	local user
	for user in www www:more 1000 33:5 1234:77 nobody; do
		layout "user-${user/:/-}" <<-EOF
			config User "$user"
			config Cmd ["/bin/sh","-c","id -u; id -g; id -G"]
		EOF
	done
	have_registry || return 0
	registry_up plain 5000
	proxy_up "$R" "$P"
	skopeo_push "$(image cmd)" "$R/lib/app:1"
}
teardown_file() {
	registry_down
	suite_down
}
setup() { test_up; }
teardown() { test_down; }

@test "oci-run: ENTRYPOINT and CMD; words behind -- replace CMD; --exec replaces both" {
	r "$(image app)"
	assert_ok
	assert_equal "$output" $'arg=-x\narg=one\narg=t w o'
	r "$(image app)" -- mine
	assert_equal "$output" $'arg=-x\narg=mine'
	r "$(image app)" --exec=/bin/show -- mine
	assert_equal "$output" arg=mine
	r "$(image cmd)"
	assert_equal "$output" arg=only
	r "$(image cmd)" -- /bin/show other
	assert_equal "$output" arg=other
	r "$(image none)"
	assert_refused 254 'nothing to execute: the image names no program \(use --exec\)'
	r "$(image none)" -- /bin/show yes
	assert_equal "$output" arg=yes
}

@test "oci-run: environment in order, the last of one name; a working directory that is missing is made" {
	r "$(image sh)"
	assert_ok
	assert_out A=a=b B=3 /srv/made/here
	refute_out B=2
	assert_equal "$(grep -c '^B=' "$T/out")" 1
	r "$(image sh)" --environment=B=4 --working-dir=/srv -- 'pwd; env'
	assert_out B=4 /srv
}

@test "oci-run: the user's groups are those of the image's files, or the one that is given" {
	r "$(image user-www)"
	assert_equal "$output" $'33\n34\n34 77'
	r "$(image user-www-more)"
	assert_equal "$(head -n 2 <<<"$output")" $'33\n77'
	r "$(image user-1000)"
	assert_equal "$(head -n 2 <<<"$output")" $'1000\n0'
	r "$(image user-33-5)"
	assert_equal "$(head -n 2 <<<"$output")" $'33\n5'
	r "$(image user-1234-77)"
	assert_equal "$(head -n 2 <<<"$output")" $'1234\n77'
	r "$(image user-nobody)"
	assert_refused 254 nobody
	r "$(image user-www)" --user=0 --group=0
	assert_equal "$(head -n 2 <<<"$output")" $'0\n0'
}

# CVE-2022-36109: without the own group in the list, a program could get rid of it.
@test "oci-run: home and name are the user's, and his own group is among his groups" {
	local show='grep Groups /proc/self/status; echo $HOME $USER $LOGNAME'
	r "$(image user-www)" --exec=/bin/sh -- -c "${show/grep/busybox grep}"
	assert_ok
	assert_equal "$(tr '\t' ' ' <<<"$output")" $'Groups: 34 77 \n/srv www www'
	r "$(image user-1234-77)" --exec=/bin/sh -- -c "${show/grep/busybox grep}"
	assert_equal "$(tr '\t' ' ' <<<"$output")" $'Groups: 77 \n/'
	r "$(image user-www)" --environment=HOME=/mine --user=0 --exec=/bin/sh -- -c 'echo $HOME $USER'
	assert_equal "$output" '/mine root'
}

@test "oci-run: a volume begins with what the image has there, with owners and modes" {
	need overlay
	r "$(image sh)" -- 'stat -c "%n %a %u:%g" /srv/data /srv/data/seed; cat /srv/data/seed; echo; grep -c " /srv/data " /proc/mounts || busybox grep -c " /srv/data " /proc/mounts'
	assert_out '/srv/data 750 33:34' '/srv/data/seed 640 33:34' seed 1
	g image cat-manifest layout:sh
	assert_json '.app.mountPoints == [{"name":"volume-srv-data","path":"/srv/data"}]'
	mkdir "$T/mine"
	r --volume=volume-srv-data,kind=host,source="$T/mine" "$(image sh)" -- 'ls /srv/data; echo kept >/srv/data/file'
	assert_ok
	assert_equal "$output" ''
	assert_equal "$(cat "$T/mine/file")" kept
}

@test "oci-run: volumes where the pod mounts its own" {
	r "$(image systemd)"
	assert_ok
	assert_out own
	assert_err 'warning: image configuration: Volumes: "/sys/fs/cgroup" is left out: the pod has a /sys of its own'
	r "$(image proc)" --exec=/bin/true
	assert_refused 254 'image configuration: Volumes: "/proc": a volume cannot be mounted there'
}

@test "oci-run: the configuration as an appc manifest" {
	g fetch "$(image app)"
	g image cat-manifest layout:app
	assert_json '.name == "layout"'
	assert_json '.labels | map({(.name): .value}) | add | .os == "linux" and .version == "app"'
	assert_json '.app.exec == ["/bin/show","-x","one","t w o"] and .app.user == "0" and .app.group == "0"'
	assert_json '.app.workingDirectory == "/srv/made/here"'
	assert_json '.app.environment == [{"name":"B","value":"3"},{"name":"A","value":"a=b"}]'
	assert_json '.app.ports | map([.name, .protocol, .port, .count]) == [["80-tcp","tcp",80,null],["5000-5001-udp","udp",5000,2]]'
	assert_json '.app.isolators == [{"name":"gantry/stop-signal","value":{"signal":"SIGQUIT"}},{"name":"gantry/login-groups","value":true}]'
	assert_json '.app.userLabels == {"org.opencontainers.image.title":"T","Odd Name":"v"}'
	assert_json '.annotations | map({(.name): .value}) | add |
		."appc.io/docker/entrypoint" == "[\"/bin/show\",\"-x\"]" and ."appc.io/docker/cmd" == "[\"one\",\"t w o\"]" and
		."appc.io/docker/repository" == "layout" and ."org.opencontainers.image.title" == "T" and
		(has("Odd Name") | not)'
}

@test "oci-run: one pod of an ACI and an OCI image; the same store, one list" {
	r "$PROBE_ID" --name=one -- env ONE --- "$(image cmd)" --name=two
	assert_ok
	assert_match '^two: arg=only$' '^one: '
	g image list --fields=name --no-legend
	assert_out example.com/probe:1.0.0 layout:cmd
}

@test "oci-run: a pod manifest names an image by reference; the pod's copy has the id" {
	local id
	id=$(gantry fetch --full "$(image cmd)")
	cat >"$T/pod.json" <<-EOF
		{"acKind":"PodManifest","acVersion":"0.8.11","apps":[{"name":"x","image":{"name":"$(image cmd)"}}]}
	EOF
	g run --net=none --uuid-file-save="$T/uuid" --pod-manifest="$T/pod.json"
	assert_ok
	assert_equal "$output" arg=only
	g cat-manifest "$(cat "$T/uuid")"
	assert_json ".apps[0].image == {\"name\":\"layout\",\"id\":\"$id\"}"
	sed -i "s/\"}}\]/\",\"id\":\"${id:0:30}\"}}]/" "$T/pod.json"
	g run --net=none --pod-manifest="$T/pod.json"
	assert_ok
	sed -i "s/\"id\":\"[^\"]*/\"id\":\"sha512-0123/" "$T/pod.json"
	g run --net=none --pod-manifest="$T/pod.json"
	assert_refused 254 "image \"oci:[^\"]*:cmd\" is $id, and not \"sha512-0123\""
	sed -i 's/:cmd"/:absent"/' "$T/pod.json"
	g run --net=none --pod-manifest="$T/pod.json"
	assert_refused 254 'there is no image named "absent" in it'
	sed -i 's,"oci:[^"]*","docker://A",' "$T/pod.json"
	g run --net=none --pod-manifest="$T/pod.json"
	assert_refused 254 'invalid image string "docker://A": a repository is written in lower case'
}

@test "oci-run: images by umoci" {
	need umoci
	umoci init --layout "$T/u"
	umoci new --image "$T/u:x"
	umoci unpack --image "$T/u:x" "$T/b" >/dev/null 2>&1
	mkdir -p "$T/b/rootfs/bin"
	cp "$(busybox_static)" "$T/b/rootfs/bin/busybox"
	umoci repack --image "$T/u:x" "$T/b" >/dev/null
	umoci config --image "$T/u:x" --config.cmd /bin/busybox --config.cmd echo --config.cmd hello --architecture "$(oci_arch)"
	r "oci:$T/u:x"
	assert_ok
	assert_equal "$output" hello
}

@test "oci-run: rm and gc take layers along that no other image and no pod has" {
	g prepare "$(image cmd)"
	assert_ok
	gantry fetch "$(image none)" >/dev/null
	local blobs
	blobs=$(find "$DATA/cas/blob" -mindepth 1 -maxdepth 1 | wc -l)
	g image rm layout:none
	assert_ok
	assert_equal "$(find "$DATA/cas/blob" -mindepth 1 -maxdepth 1 | wc -l)" "$blobs"
	g run-prepared --net=none "$output"
	g image rm layout:cmd
	assert_ok
	gantry gc --grace-period=0s --expire-prepared=0s >/dev/null
	gantry image gc --grace-period=0s >/dev/null
	assert_equal "$(find "$DATA/cas/blob" "$DATA/cas/tree" -mindepth 1 -maxdepth 1 ! -name 'sha512-*')" ''
}

@test "oci-run: verify hashes all of it, and mends trees" {
	local id tree blob
	id=$(gantry fetch --full "$(image cmd)")
	g image verify "$id"
	assert_ok
	assert_equal "$output" "successfully verified checksum for image: \"$id\""
	tree=$(echo "$DATA"/cas/tree/layer-*)
	echo more >>"$tree/rootfs/etc/group"
	g image verify "$id"
	assert_ok
	assert_err '/etc/group'
	assert_equal "$(cat "$tree/rootfs/etc/group")" $'root:x:0:\nwww:x:34:\nmore:x:77:www,1000'
	blob=$(echo "$DATA"/cas/blob/*/blob)
	cp "$blob" "$T/blob"
	printf x | dd of="$blob" bs=1 seek=600 conv=notrunc status=none
	g image verify "$id"
	assert_refused 254 'the layer in the store is damaged \(remove the image, and fetch it again\)|cannot be verified'
	cp "$T/blob" "$blob"
	sed -i 's/"layers"/"layerz"/' "$DATA/cas/image/$id/oci-manifest"
	g image verify "$id"
	assert_refused 254 'oci-manifest was changed'
}

# --- registries ----------------------------------------------------------------------------------

use_registry() {
	need registry
	export RULES=$BATS_FILE_TMPDIR/proxy/rules PROXY_LOG=$BATS_FILE_TMPDIR/proxy/log
	rules '[]'
	INSECURE=image,http
}

@test "oci-run: from a registry; the policies new, update and never" {
	use_registry
	r --pull-policy=never "docker://$P/lib/app:1"
	assert_refused 254 'unable to fetch image from "docker://[^"]*": it is not in the store'
	assert_equal "$(asked .)" 0
	r "docker://$P/lib/app:1"
	assert_ok
	assert_equal "$output" arg=only
	g image list --fields=name --no-legend
	assert_out 127.0.0.1-5010/lib/app:1
	rules '[]'
	r "docker://$P/lib/app:1"
	assert_ok
	assert_equal "$(asked .)" 0
	r --pull-policy=never "docker://$P/lib/app:1"
	assert_ok
	assert_equal "$(asked .)" 0
	# The tag is asked for, and nothing else.
	g fetch "docker://$P/lib/app:1"
	assert_ok
	assert_equal "$(asked .)" 1
	assert_equal "$(asked '/v2/lib/app/manifests/1')" 1
}

@test "oci-run: by digest nothing is asked when it is there; a tag that moved brings what is new" {
	use_registry
	local digest
	digest=$(in_world skopeo inspect --tls-verify=false --format '{{.Digest}}' "docker://$R/lib/app:1")
	g fetch "docker://$P/lib/app@$digest"
	assert_ok
	rules '[]'
	g fetch "docker://$P/lib/app:whatever@$digest"
	assert_ok
	g fetch "docker://$P/lib/app@$digest"
	assert_ok
	assert_equal "$(asked '/blobs/')" 0
	skopeo_push "$(image none)" "$R/lib/app:1"
	rules '[]'
	g fetch "docker://$P/lib/app:1"
	assert_ok
	# The layer is the same one: only the configuration is new.
	assert_equal "$(asked '/blobs/')" 1
	skopeo_push "$(image cmd)" "$R/lib/app:1"
}

@test "oci-run: of an index in a registry what is for this machine; again, the index alone is asked for" {
	use_registry
	local l=$T/index me
	cp -r "$BATS_FILE_TMPDIR/layout" "$l"
	me=$(jq -c '.manifests[] | select(.annotations."org.opencontainers.image.ref.name" == "cmd") | del(.annotations)' "$l/index.json")
	put "$l" "{\"schemaVersion\":2,\"mediaType\":\"$OCI.index.v1+json\",\"manifests\":[$(
		jq -c '.platform={"os":"linux","architecture":"s390x","variant":"x"}' <<<"$me"),$(
		jq -c --arg a "$(oci_arch)" '.platform={"os":"linux","architecture":$a}' <<<"$me")]}"
	index "$l" "$(described $OCI.index.v1+json ',"annotations":{"org.opencontainers.image.ref.name":"i"}')"
	skopeo_push "oci:$l:i" "$R/lib/index:1" --all
	r "docker://$P/lib/index:1"
	assert_ok
	assert_equal "$output" arg=only
	rules '[]'
	g fetch "docker://$P/lib/index:1"
	assert_ok
	assert_equal "$(asked .)" 1
}

@test "oci-run: an image is called as it was fetched last; a path takes no name of a registry away" {
	use_registry
	local names id
	skopeo_push "$(image cmd)" "$R/lib/names:1" --preserve-digests
	skopeo_push "$(image cmd)" "$R/lib/names:2" --preserve-digests
	id=$(gantry fetch --full "$(image cmd)")
	names() { gantry image list --fields=name --no-legend | grep -v '^example.com/probe'; }
	assert_equal "$(names)" layout:cmd
	gantry fetch "docker://$P/lib/names:1" >/dev/null
	assert_equal "$(names)" 127.0.0.1-5010/lib/names:1
	rules '[]'
	gantry fetch "docker://$P/lib/names:2" >/dev/null
	assert_equal "$(names)" 127.0.0.1-5010/lib/names:2
	assert_equal "$(asked .)" 1
	g image cat-manifest "$id"
	assert_json '.name == "127.0.0.1-5010/lib/names" and (.labels[] | select(.name == "version").value == "2")'
	g fetch --full "$(image cmd)"
	assert_equal "$output" "$id"
	assert_equal "$(names)" 127.0.0.1-5010/lib/names:2
	gantry fetch "docker://$P/lib/names@$(in_world skopeo inspect --tls-verify=false --format '{{.Digest}}' "docker://$R/lib/names:1")" >/dev/null
	assert_equal "$(names)" 127.0.0.1-5010/lib/names:2
	r "docker://$P/lib/names:1"
	assert_equal "$output" arg=only
	# by every reference that led to it
	g image verify "docker://$P/lib/names:1" "docker://$P/lib/names:2"
	assert_ok
	g image cat-manifest --raw "docker://$P/lib/names:1"
	assert_ok
	g image save "docker://$P/lib/names:1" "oci:$T/saved:x"
	assert_ok
	g image cat-manifest "docker://$P/lib/names:3"
	assert_refused 254 'no image "docker://.*names:3" in the store'
	g image verify "$id"
	assert_ok
}

@test "oci-run: two pulls at once are one download" {
	use_registry
	local one two
	g_bg one fetch "docker://$P/lib/app:1"
	one=$BG
	g_bg two fetch "docker://$P/lib/app:1"
	two=$BG
	g_wait "$one" one
	assert_ok
	g_wait "$two" two
	assert_ok
	g run --net=none "docker://$P/lib/app:1"
	assert_equal "$output" arg=only
	assert_equal "$(ls "$DATA/cas/tmp")" ''
}

@test "oci-run: the word of a registry finds the image in the store" {
	use_registry
	gantry fetch "docker://$P/lib/app:1" >/dev/null
	g image cat-manifest "docker://$P/lib/app:1"
	assert_json '.name == "127.0.0.1-5010/lib/app"'
	g image rm "docker://$P/lib/app"
	assert_err 'no image'
	g image rm "docker://$P/lib/app:1"
	assert_ok
	assert_match 'successfully removed'
}
