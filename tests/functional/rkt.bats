# Called as rkt, by a link: rkt's directories, host names and forms of messages.

load ../lib/gantry

setup_file() { suite_up; }
teardown_file() { suite_down; }
setup() {
	test_up
	RKT=$T/bin/rkt
	mkdir -p "$T/bin"
	ln -s "$GANTRY" "$RKT"
}
teardown() { test_down; }

# as_rkt ARG...: the link, without a word about directories: they are those of the test's world.
as_rkt() {
	status=0
	in_world timeout -k 5 "$GANTRY_TEST_TIMEOUT" "$RKT" "$@" >"$T/out" 2>"$T/err" </dev/null 3>&- 4>&- || status=$?
	collect
}

# a world's /etc is the host's: cover what a host may have of rkt's configuration
own_rkt() {
	as_rkt --dir="$DATA" --local-config="$LOCAL" --system-config="$SYSTEM" --insecure-options=image "$@"
}

@test "rkt: the data directory is /var/lib/rkt" {
	as_rkt --insecure-options=image fetch "$FIX/probe.aci"
	assert_ok
	in_world test -d /var/lib/rkt/cas/image
	in_world test ! -e /var/lib/gantry
	as_rkt image list --no-legend
	assert_ok
	assert_match 'probe'
	as_rkt help run
	assert_match '/var/lib/rkt' '/etc/rkt' 'rkt run'
	in_world rm -rf /var/lib/rkt
}

@test "rkt: a pod is called rkt-UUID" {
	own_rkt run --net=none --uuid-file-save="$T/uuid" "$PROBE_ID" -- hostname , cat /etc/hosts
	assert_ok
	assert_out "hostname=rkt-$(cat "$T/uuid")"
	own_rkt run --net=none --hosts-entry=192.0.2.1=friend --uuid-file-save="$T/uuid" "$PROBE_ID" -- cat /etc/hosts
	assert_ok
	assert_match '^192.0.2.1 friend$' "^127.0.0.1 rkt-$(cat "$T/uuid")\$"
	own_rkt run --net=none --uuid-file-save="$T/uuid" "$PROBE_ID" -- cat /etc/hosts
	assert_out "127.0.0.1 localhost localhost.domain localhost4 localhost4.localdomain4 rkt-$(cat "$T/uuid")"
}

@test "rkt: messages begin with the command" {
	own_rkt rm 00000000
	assert_refused 254 '^rm: no matches found for "00000000"'
	own_rkt frobnicate
	assert_refused 254 '^rkt: unknown command "frobnicate"'
	own_rkt
	assert_refused 2 'missing command'
}

@test "rkt: what its stage1 says begins with stage1" {
	own_rkt run --net=notavalidnetwork "$PROBE_ID" -- exit 0
	assert_refused 254 '^stage1: failed to setup network'
	own_rkt run --net=none --volume=v,kind=host,source=/this/is/not "$PROBE_ID" --mount=volume=v,target=x -- exit 0
	assert_refused 254 '^stage1: .*Failed to stat /this/is/not: No such file or directory$'
	GANTRY_LOG_NAME=other own_rkt rm 00000000
	assert_refused 254 '^rm: no matches'
}

@test "rkt: what --debug tells, and the count of removed images" {
	own_rkt prepare --debug "$FIX/probe.aci"
	assert_ok
	assert_err 'image: using image from file '
	assert_err 'Writing pod manifest$'
	own_rkt image rm "$PROBE_ID"
	assert_ok
	assert_err 'rm: 1 image\(s\) successfully removed$'
}

@test "rkt: a URL that was typed with http:// needs no word for it" {
	mkdir -p "$T/www"
	cp "$FIX/probe.aci" "$T/www/"
	httpd_up "$T/www" "$T"
	own_rkt fetch "$URL/probe.aci"
	assert_ok
	g fetch "$URL/probe.aci"
	assert_refused 254 'insecure-options=http'
	kill "$HTTPD_PID"
}

@test "rkt: version has rkt's five lines" {
	own_rkt version
	assert_ok
	assert_match '^rkt Version: 1\.30\.0' '^appc Version: 0\.8\.11$' '^Go Version: ' '^Go OS/Arch: linux/' '^Features: -TPM'
	assert_equal "${#lines[@]}" 5
}
