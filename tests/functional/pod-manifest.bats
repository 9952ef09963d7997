# Pod manifests: what runs, and that every violation is refused and named by its JSON path.

load ../lib/gantry

setup_file() { suite_up; }
teardown_file() { suite_down; }
setup() { test_up; }
teardown() { test_down; }

# whole APPS [MORE]: a manifest; MORE are further members with a leading comma.
whole() { printf '{"acVersion":"0.8.11","acKind":"PodManifest","apps":%s%s}' "$1" "${2:-}" >"$T/pod.json"; }

# app NAME APP [MORE]: one element of apps.
app() { printf '{"name":"%s","image":{"id":"%s"},"app":%s%s}' "$1" "$PROBE_ID" "$2" "${3:-}"; }

# exec WORD...: an app section for the probe.
exec_app() { printf '{"exec":%s,"user":"0","group":"0"%s}' "$(words_json /probe "$@")" "${MORE:-}"; }

pod() { g run --net=none --pod-manifest="$T/pod.json"; }

# bad PATTERN JSON: refused, and the message has the pattern.
bad() {
	printf '%s' "$2" >"$T/pod.json"
	pod
	[ "$status" = 254 ] && grep -qE -e "$1" "$T/err" || fail "for $2
expected 254 and on stderr: $1"
}

bad_apps() { bad "$1" "{\"acVersion\":\"0.8.11\",\"acKind\":\"PodManifest\",\"apps\":$2${3:-}}"; }
bad_app() { bad_apps "$1" "[$(app a "$2" "${3:-}")]" "${4:-}"; }
bad_isolator() { bad_app "$1" "{\"exec\":[\"/probe\"],\"user\":\"0\",\"group\":\"0\",\"isolators\":[$2]}"; }

OK='{"exec":["/probe"],"user":"0","group":"0"}'

@test "pod-manifest: a pod of two apps" {
	need ns-flavor
	whole "[$(app one "$(exec_app out 1)"),$(app two "$(exec_app out 2)")]"
	pod
	assert_ok
	assert_out 'one: 1' 'two: 2'
}

@test "pod-manifest: the image's app is used when there is none" {
	make_aci "$T/said.aci" example.com/said '{"exec":["/probe","out","from","image"],"user":"0","group":"0"}'
	local id
	gantry fetch "$T/said.aci" >/dev/null
	id=sha512-$(image_key "$T/said.aci")
	whole "[{\"name\":\"a\",\"image\":{\"id\":\"$id\"}}]"
	pod
	assert_ok
	assert_out 'from image'
}

@test "pod-manifest: everything at once" {
	need ns-flavor
	mkdir "$T/src"
	echo content >"$T/src/file"
	local section
	section=$(MORE=',"workingDirectory":"/srv","environment":[{"name":"X","value":"1"}],"supplementaryGIDs":[400],"mountPoints":[{"name":"data","path":"/data","readOnly":true}],"ports":[{"name":"web","protocol":"tcp","port":80}],"isolators":[{"name":"resource/memory","value":{"limit":"64M"}},{"name":"os/linux/capabilities-retain-set","value":{"set":["CAP_CHOWN"]}}],"userAnnotations":{"a":"b"},"userLabels":{"c":"d"}' \
		exec_app cwd , env X , cat /data/file , write /data/new x , id , status CapBnd)
	whole "[$(app a "$section" ',"readOnlyRootFS":true,"mounts":[{"volume":"vol","path":"/data"}],"annotations":[{"name":"note","value":"x"}]')]" \
		",\"volumes\":[{\"name\":\"vol\",\"kind\":\"host\",\"source\":\"$T/src\"}],\"annotations\":[{\"name\":\"pod\",\"value\":\"y\"}],\"userAnnotations\":{\"e\":\"f\"},\"userLabels\":{\"g\":\"h\"}"
	pod
	assert_ok
	assert_out cwd=/srv X=1 content 'write /data/new=EROFS' CapBnd=0000000000000001
	assert_match '^groups=.*400'
}

@test "pod-manifest: images must be in the store" {
	whole "[{\"name\":\"a\",\"image\":{\"id\":\"sha512-$(printf '0%.0s' {1..128})\"}}]"
	pod
	assert_refused 254 'sha512-0000'
}

@test "pod-manifest: an image by a short ID is refused: a manifest names one image" {
	bad_apps 'apps\[0\]\.image\.id' "[{\"name\":\"a\",\"image\":{\"id\":\"${PROBE_ID:0:19}\"}}]"
}

@test "pod-manifest: the ids that fetch prints, also the half ones of rkt" {
	local id
	for id in "${PROBE_ID:0:39}" "${PROBE_ID:0:71}" "${PROBE_ID:0:134}"; do
		whole "[$(PROBE_ID=$id app a "$(exec_app out yes)")]"
		pod
		assert_ok
		assert_out yes
	done
	g prepare --pod-manifest="$T/pod.json"
	assert_ok
	g cat-manifest "${lines[-1]}"
	assert_json ".apps[0].image.id == \"$PROBE_ID\""
	whole "[$(PROBE_ID=sha512-00000000000000000000000000000000 app a "$(exec_app out no)")]"
	pod
	assert_refused 254 'no image IDs found for "sha512-00000000000000000000000000000000"'
	whole "[$(PROBE_ID=${PROBE_ID:0:38} app a "$(exec_app out no)")]"
	pod
	assert_refused 254 'apps\[0\].image.id: .*128 lower-case hex digits'
}

@test "pod-manifest: flags that conflict with it" {
	whole "[$(app a "$(exec_app id)")]"
	local flag
	for flag in --volume=x,kind=empty --mount=volume=x,target=/x --pull-policy=never \
		--pull-policy=update --inherit-env --set-env=A=1 --set-env-file=/dev/null; do
		g run --net=none --pod-manifest="$T/pod.json" $flag
		assert_refused 254 'conflicting flags set with --pod-manifest \(see --help\)'
		g prepare --pod-manifest="$T/pod.json" $flag
		assert_refused 254 'conflicting flags set with --pod-manifest \(see --help\)'
	done
	g run --net=none --pod-manifest="$T/pod.json" "$PROBE_ID"
	assert_refused 254 'conflicting flags set with --pod-manifest \(see --help\)'
}

@test "pod-manifest: a mount point that no volume fills gets an empty one, with a warning" {
	need ns-flavor
	whole "[$(app a "$(MORE=',"mountPoints":[{"name":"data","path":"/data"}]' exec_app mount /data , write /data/x x)")]"
	pod
	assert_ok
	refute_out 'mount /data=none'
	assert_out 'write /data/x=ok'
	assert_err '"data"'
}

@test "pod-manifest: prepare takes it too" {
	whole "[$(app a "$(exec_app out hello)")]"
	g prepare --quiet --pod-manifest="$T/pod.json"
	assert_ok
	g run-prepared --net=none "$output"
	assert_ok
	assert_out hello
}

@test "pod-manifest: no app at all" {
	whole '[]'
	pod
	assert_refused 254 'pod must contain at least one application'
}

@test "pod-manifest: not there, not a file, too large" {
	g run --net=none --pod-manifest="$T/nothing"
	assert_refused 254 "$T/nothing" 'No such file'
	g run --net=none --pod-manifest="$T"
	assert_refused 254 "$T"
	whole "[$(app a "$OK")]" ",\"annotations\":[{\"name\":\"x\",\"value\":\"$(head -c 1100000 /dev/zero | tr '\0' a)\"}]"
	pod
	assert_refused 254 'pod.json'
}

@test "pod-manifest: text that is not strict JSON" {
	bad 'line 1' ''
	bad 'line 1' '{'
	bad 'line 1' "{\"acVersion\":\"0.8.11\",\"acKind\":\"PodManifest\",\"apps\":[$(app a "$OK")]} trailing"
	bad 'acKind' "{\"acKind\":\"PodManifest\",\"acKind\":\"PodManifest\",\"acVersion\":\"0.8.11\",\"apps\":[$(app a "$OK")]}"
	bad 'line 1' "{\"acVersion\":\"0.8.11\",\"acKind\":\"PodManifest\",\"apps\":[$(app a "$OK")],}"
	bad 'line 1|UTF-8' $'{"acVersion":"0.8.11","acKind":"PodManifest","apps":[\xff]}'
	bad 'line 1|NUL|u0000' "{\"acVersion\":\"0.8.11\",\"acKind\":\"PodManifest\",\"apps\":[$(app 'a\u0000b' "$OK")]}"
	bad 'line 1|depth|deep' "$(printf '[%.0s' {1..200})"
	bad 'expected object' '[]'
}

@test "pod-manifest: violations of the top level" {
	bad 'acKind' "{\"acVersion\":\"0.8.11\",\"apps\":[$(app a "$OK")]}"
	bad 'acKind' "{\"acVersion\":\"0.8.11\",\"acKind\":\"ImageManifest\",\"apps\":[$(app a "$OK")]}"
	bad 'acVersion' "{\"acKind\":\"PodManifest\",\"apps\":[$(app a "$OK")]}"
	bad 'acVersion' "{\"acVersion\":\"eight\",\"acKind\":\"PodManifest\",\"apps\":[$(app a "$OK")]}"
	bad 'ackind|ACKind' "{\"acVersion\":\"0.8.11\",\"ACKind\":\"PodManifest\",\"apps\":[$(app a "$OK")]}"
	bad 'surprise' "{\"acVersion\":\"0.8.11\",\"acKind\":\"PodManifest\",\"surprise\":1,\"apps\":[$(app a "$OK")]}"
	bad 'apps: expected array' '{"acVersion":"0.8.11","acKind":"PodManifest","apps":{}}'
	bad_app 'volumes\[0\]\.kind' "$OK" '' ',"volumes":[{"name":"v","kind":"tmp"}]'
	bad_app 'volumes\[0\]\.name' "$OK" '' ',"volumes":[{"name":"V","kind":"empty"}]'
	bad_app 'volumes\[0\].*source' "$OK" '' ',"volumes":[{"name":"v","kind":"host"}]'
	bad_app 'volumes\[0\]\.source' "$OK" '' ',"volumes":[{"name":"v","kind":"host","source":"relative"}]'
	bad_app 'volumes\[1\]\.name' "$OK" '' ',"volumes":[{"name":"v","kind":"empty"},{"name":"v","kind":"empty"}]'
	bad_app 'volumes\[0\]\.mode' "$OK" '' ',"volumes":[{"name":"v","kind":"empty","mode":"0999"}]'
	bad_app 'volumes\[0\]\.uid' "$OK" '' ',"volumes":[{"name":"v","kind":"empty","uid":"0"}]'
	bad_app 'annotations\[0\]\.name' "$OK" '' ',"annotations":[{"name":"UPPER","value":"x"}]'
	bad_app 'annotations\[1\]' "$OK" '' ',"annotations":[{"name":"x","value":"x"},{"name":"x","value":"y"}]'
	bad_app 'ports\[0\]\.hostPort' "$OK" '' ',"ports":[{"name":"p","hostPort":70000}]'
	bad_app 'isolators\[0\]' "$OK" '' ',"isolators":[{"name":"os/linux/no-new-privileges","value":true}]'
	bad_app 'userLabels' "$OK" '' ',"userLabels":{"a":1}'
}

@test "pod-manifest: violations of an app's entry" {
	bad_apps 'apps\[0\]\.name' "[$(app Upper "$OK")]"
	bad_apps 'apps\[0\]\.name' "[$(app a- "$OK")]"
	bad_apps 'apps\[0\]\.name' "[$(app '../x' "$OK")]"
	bad_apps 'apps\[1\]\.name' "[$(app a "$OK"),$(app a "$OK")]"
	bad_apps 'apps\[0\]\.image' '[{"name":"a"}]'
	bad_apps 'apps\[0\]\.image\.id' '[{"name":"a","image":{"id":"md5-123"}}]'
	bad_apps 'apps\[0\]\.image\.id' '[{"name":"a","image":{}}]'
	bad_app 'apps\[0\]\.mounts\[0\]\.path' "$OK" ',"mounts":[{"volume":"v","path":"relative"}]' ',"volumes":[{"name":"v","kind":"empty"}]'
	bad_app 'apps\[0\]\.mounts\[0\]' "$OK" ',"mounts":[{"path":"/x"}]'
	bad_app 'apps\[0\]\.mounts\[0\]|dangling' "$OK" ',"mounts":[{"volume":"nothere","path":"/x"}]'
	bad_app 'apps\[0\]\.readOnlyRootFS: expected true or false' "$OK" ',"readOnlyRootFS":"yes"'
	bad_app 'apps\[0\]\.colour' "$OK" ',"colour":"red"'
}

@test "pod-manifest: violations of an app section" {
	bad_app 'apps\[0\]\.app\.user' '{"exec":["/probe"],"group":"0"}'
	bad_app 'apps\[0\]\.app\.group' '{"exec":["/probe"],"user":"0"}'
	bad_app 'apps\[0\]\.app\.user' '{"exec":["/probe"],"user":0,"group":"0"}'
	bad_app 'apps\[0\]\.app\.exec: expected array' '{"exec":"/probe","user":"0","group":"0"}'
	bad_app 'apps\[0\]\.app\.exec\[1\]: expected string' '{"exec":["/probe",1],"user":"0","group":"0"}'
	bad_app 'apps\[0\]\.app\.workingDirectory' '{"exec":["/probe"],"user":"0","group":"0","workingDirectory":"x"}'
	bad_app 'apps\[0\]\.app\.supplementaryGIDs\[0\]' '{"exec":["/probe"],"user":"0","group":"0","supplementaryGIDs":[-1]}'
	bad_app 'apps\[0\]\.app\.supplementaryGIDs\[0\]' '{"exec":["/probe"],"user":"0","group":"0","supplementaryGIDs":[1.5]}'
	bad_app 'apps\[0\]\.app\.environment\[0\]\.name' '{"exec":["/probe"],"user":"0","group":"0","environment":[{"name":"A=B","value":"x"}]}'
	bad_app 'apps\[0\]\.app\.environment\[1\]' '{"exec":["/probe"],"user":"0","group":"0","environment":[{"name":"A","value":"x"},{"name":"A","value":"y"}]}'
	bad_app 'apps\[0\]\.app\.eventHandlers\[0\]\.name' '{"exec":["/probe"],"user":"0","group":"0","eventHandlers":[{"name":"mid-way","exec":["/probe"]}]}'
	bad_app 'apps\[0\]\.app\.eventHandlers\[1\]' '{"exec":["/probe"],"user":"0","group":"0","eventHandlers":[{"name":"pre-start","exec":["/probe"]},{"name":"pre-start","exec":["/probe"]}]}'
	bad_app 'apps\[0\]\.app\.mountPoints\[0\]\.path' '{"exec":["/probe"],"user":"0","group":"0","mountPoints":[{"name":"d","path":"x"}]}'
	bad_app 'apps\[0\]\.app\.ports\[0\]\.port' '{"exec":["/probe"],"user":"0","group":"0","ports":[{"name":"d","protocol":"tcp","port":0}]}'
	bad_app 'apps\[0\]\.app\.ports\[0\]' '{"exec":["/probe"],"user":"0","group":"0","ports":[{"name":"d","protocol":"tcp","port":65535,"count":2}]}'
	bad_app 'apps\[0\]\.app\.colour' '{"exec":["/probe"],"user":"0","group":"0","colour":"red"}'
}

@test "pod-manifest: violations of isolators" {
	need ns-flavor
	bad_isolator 'apps\[0\]\.app\.isolators\[0\].*os/linux/levitate' '{"name":"os/linux/levitate","value":true}'
	bad_isolator 'apps\[0\]\.app\.isolators\[0\]' '{"name":"resource/memory"}'
	bad_isolator 'apps\[0\]\.app\.isolators\[0\]\.value' '{"name":"resource/memory","value":"64M"}'
	bad_isolator 'apps\[0\]\.app\.isolators\[0\]\.value\.limit' '{"name":"resource/memory","value":{"limit":"lots"}}'
	bad_isolator 'apps\[0\]\.app\.isolators\[0\]\.value\.limit' '{"name":"resource/memory","value":{"limit":"-5M"}}'
	bad_isolator 'apps\[0\]\.app\.isolators\[1\]' '{"name":"resource/memory","value":{"limit":"64M"}},{"name":"resource/memory","value":{"limit":"65M"}}'
	bad_isolator 'apps\[0\]\.app\.isolators\[0\]\.value\.set' '{"name":"os/linux/capabilities-retain-set","value":{"set":[]}}'
	bad_isolator 'app a: isolator os/linux/capabilities-retain-set: .*CAP_FLY' '{"name":"os/linux/capabilities-retain-set","value":{"set":["CAP_FLY"]}}'
	bad_isolator 'apps\[0\]\.app\.isolators\[1\]' '{"name":"os/linux/capabilities-retain-set","value":{"set":["CAP_KILL"]}},{"name":"os/linux/capabilities-remove-set","value":{"set":["CAP_KILL"]}}'
	bad_isolator 'apps\[0\]\.app\.isolators\[0\]\.value' '{"name":"os/linux/no-new-privileges","value":"true"}'
	bad_isolator 'apps\[0\]\.app\.isolators\[0\]\.value' '{"name":"os/linux/cpu-shares","value":1}'
	bad_isolator 'apps\[0\]\.app\.isolators\[0\]\.value' '{"name":"os/linux/oom-score-adj","value":2000}'
	bad_isolator 'apps\[0\]\.app\.isolators\[0\]\.value\.limit' '{"name":"gantry/pids","value":{"limit":"0"}}'
	bad_isolator 'app a: .*EWHAT' '{"name":"os/linux/seccomp-remove-set","value":{"set":["mkdir"],"errno":"EWHAT"}}'
	bad_isolator 'apps\[0\]\.app\.isolators\[1\]' '{"name":"os/linux/seccomp-remove-set","value":{"set":["mkdir"]}},{"name":"os/linux/seccomp-retain-set","value":{"set":["mkdir"]}}'
	bad_isolator 'apps\[0\]\.app\.isolators\[0\]\.value\.' '{"name":"resource/memory","value":{"limit":"64M","colour":"red"}}'
}
