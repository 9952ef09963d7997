# --port: read, checked, and carried in the manifest. What it does is in port-forward.bats.

load ../lib/gantry

setup_file() {
	suite_up
	make_aci "$BATS_FILE_TMPDIR/web.aci" example.com/web '{"exec":["/probe","id"],"user":"0","group":"0","ports":[{"name":"web","protocol":"tcp","port":80},{"name":"dns","protocol":"udp","port":53},{"name":"dns-tcp","protocol":"tcp","port":53}]}'
	gantry fetch "$BATS_FILE_TMPDIR/web.aci" >/dev/null
	WEB=sha512-$(image_key "$BATS_FILE_TMPDIR/web.aci")
	export WEB
}
teardown_file() { suite_down; }
setup() { test_up; }
teardown() { test_down; }

@test "ports: they reach the manifest, and the pod can be shown" {
	g prepare --quiet --port=web:8080 --port dns:192.0.2.1:5353 "$WEB" --port=dns-tcp:0.0.0.0:5354
	assert_ok
	UUID=$output
	g cat-manifest "$UUID"
	assert_ok
	assert_json '.ports == [{"name":"web","hostPort":8080},{"name":"dns","hostPort":5353,"hostIP":"192.0.2.1"},{"name":"dns-tcp","hostPort":5354,"hostIP":"0.0.0.0"}]'
	g status "$UUID"
	assert_ok
	assert_out state=prepared
}

@test "ports: not without a network of the pod's own" {
	local net
	for net in none host; do
		g run --net=$net --port=web:8080 "$WEB"
		assert_refused 254 "^gantry: run: --port does not work with --net=$net$"
	done
	[ -z "$(ls "$DATA/pods/prepare" 2>/dev/null)" ] || fail "a pod was made"
}

@test "ports: a name that no app has, or that several have" {
	g prepare --port=ftp:21 "$WEB"
	assert_refused 254 'port "ftp": no app has a port of that name'
	g prepare --port=web:80 "$WEB" --name=one -- x --- "$WEB" --name=two
	assert_refused 254 'port "web": more than one app has a port of that name'
	g prepare --port=web:80 "$PROBE_ID"
	assert_refused 254 'port "web": no app'
}

@test "ports: two that come from the same place" {
	g prepare --port=web:53 --port=dns-tcp:53 "$WEB"
	assert_refused 254 'port "dns-tcp": port "web" comes from the same tcp port 53 of the host'
	g prepare --port=web:192.0.2.1:53 --port=dns-tcp:0.0.0.0:53 "$WEB"
	assert_refused 254 'same tcp port 53'
	g prepare --port=web:192.0.2.1:53 --port=dns-tcp:192.0.2.1:53 "$WEB"
	assert_refused 254 'same tcp port 53'
	# other protocol, other address
	g prepare --quiet --port=dns:53 --port=dns-tcp:53 "$WEB"
	assert_ok
	g prepare --quiet --port=web:192.0.2.1:53 --port=dns-tcp:192.0.2.2:53 "$WEB"
	assert_ok
}

@test "ports: two ranges that overlap" {
	make_aci "$T/many.aci" example.com/many '{"exec":["/probe","id"],"user":"0","group":"0","ports":[{"name":"many","protocol":"tcp","port":7000,"count":10},{"name":"web","protocol":"tcp","port":80},{"name":"dns","protocol":"udp","port":53}]}'
	local many
	many=$(gantry fetch --insecure-options=image "$T/many.aci")
	g prepare --port=many:9000 --port=web:9009 "$many"
	assert_refused 254 'port "web": port "many" comes from the same tcp port 9009 of the host'
	g prepare --port=web:9003 --port=many:9000 "$many"
	assert_refused 254 'port "many": port "web" comes from the same tcp port 9003 of the host'
	g prepare --port=many:9000 --port=many:9005 "$many"
	assert_refused 254 'port "many": port "many" comes from the same tcp port 9005 of the host'
	g prepare --port=many:192.0.2.1:9000 --port=web:9009 "$many"
	assert_refused 254 'same tcp port 9009'
	# just beside, another protocol, another address
	g prepare --quiet --port=many:9000 --port=web:9010 --port=dns:9005 "$many"
	assert_ok
	g prepare --quiet --port=many:192.0.2.1:9000 --port=web:192.0.2.2:9009 "$many"
	assert_ok
}

@test "ports: what is no port" {
	local p
	for p in web web: :80 web:0 web:65536 web:-1 web:http web:1.2.3.4 web:300.1.1.1:80 web:1.2.3.4:80:90 Web:80 web:::1:80; do
		g prepare --port="$p" "$WEB"
		assert_refused 254 '--port ' "$p"
	done
}

@test "ports: those of a given manifest are checked the same way" {
	local app='{"exec":["/probe","id"],"user":"0","group":"0","ports":[{"name":"web","protocol":"tcp","port":80}]}'
	whole() {
		printf '{"acVersion":"0.8.11","acKind":"PodManifest","apps":[{"name":"a","image":{"id":"%s"},"app":%s}],"ports":%s}' \
			"$PROBE_ID" "$app" "$1" >"$T/pod.json"
	}
	whole '[{"name":"web","hostPort":8080}]'
	g prepare --quiet --pod-manifest="$T/pod.json"
	assert_ok
	whole '[{"name":"ftp","hostPort":21}]'
	g prepare --pod-manifest="$T/pod.json"
	assert_refused 254 "$T/pod.json" 'port "ftp": no app has a port of that name'
	# a podPort says itself where it leads
	whole '[{"name":"ftp","hostPort":21,"podPort":{"name":"ftp","protocol":"tcp","port":21}}]'
	g prepare --quiet --pod-manifest="$T/pod.json"
	assert_ok
	whole '[{"name":"web","hostPort":8080},{"name":"web","hostPort":8080}]'
	g prepare --pod-manifest="$T/pod.json"
	assert_refused 254 'port "web": port "web" comes from the same tcp port 8080'
	g prepare --pod-manifest="$T/pod.json" --port=web:80
	assert_refused 254 'conflicting flags set with --pod-manifest \(see --help\)'
}
