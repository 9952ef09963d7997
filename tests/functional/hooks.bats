# Event handlers: pre-start before the app, post-stop after it.

load ../lib/gantry

setup_file() { suite_up; }
teardown_file() { suite_down; }
setup() {
	test_up
	mkdir "$T/out.d"
}
teardown() { test_down; }

handlers() { # PRE POST: JSON arrays of commands, either may be empty
	local h=''
	[ -z "$1" ] || h+="{\"name\":\"pre-start\",\"exec\":$1}"
	[ -z "${2:-}" ] || h+="${h:+,}{\"name\":\"post-stop\",\"exec\":$2}"
	printf ',"eventHandlers":[%s]' "$h"
}

VOL() { echo "--volume=v,kind=host,source=$T/out.d"; }
ON=--mount=volume=v,target=/v

@test "hooks: pre-start runs to its end before the app" {
	probe_image hook "$(handlers "$(words_json /probe sleep 1 , write /v/pre ran)")"
	g run --net=none "$(VOL)" $ON "$ID" -- cat /v/pre
	assert_ok
	assert_match '^ran$'
}

@test "hooks: pre-start has the app's root, environment and namespaces" {
	probe_image hook "$(handlers "$(words_json /probe out in the hook , env AC_APP_NAME X , stat /home/bob)")"
	g run --net=none "$ID" --environment=X=1 -- out in the app
	assert_ok
	grep -qE '^AC_APP_NAME=hook$' "$T/out" "$T/err" || fail "no environment"
	grep -qE '^X=1$' "$T/out" "$T/err" || fail "no environment of the app"
	assert_out 'in the app'
}

@test "hooks: pre-start runs as root, the app as itself" {
	probe_image hook "$(handlers "$(words_json /probe id , write /v/by-root x)")"
	g run --net=none "$(VOL)" $ON "$ID" --user=1234 --group=1234 -- id
	assert_ok
	assert_out uid=0/0/0 uid=1234/1234/1234
	assert_equal "$(stat -c %u "$T/out.d/by-root")" 0
}

@test "hooks: pre-start is no way around the app's limits" {
	need ns-flavor
	probe_image hook "$(handlers "$(words_json /probe status CapBnd , device c 1 1 , poke /proc/sysrq-trigger x)")"
	g run --net=none "$ID" --caps-retain=CAP_CHOWN,CAP_MKNOD -- out app
	assert_ok
	refute_match '[= ]ok$'
	assert_match '^CapBnd=0000000008000001$'
}

@test "hooks: a pre-start that fails keeps the app from starting" {
	probe_image hook "$(handlers "$(words_json /probe exit 3)")"
	g run --net=none "$ID" -- out started
	[ "$status" != 0 ] || fail "expected failure"
	assert_err 'app hook: .*pre-start'
	refute_match started
}

@test "hooks: a pre-start that is not there is named" {
	probe_image hook "$(handlers '["/no/such/hook"]')"
	g run --net=none "$ID" -- out started
	assert_err 'app hook: .*pre-start'
	assert_err /no/such/hook
	[ "$status" = 254 ] || [ "$status" = 203 ] || fail "expected 254 or 203"
	refute_match started
}

@test "hooks: post-stop runs after the app, however it ended" {
	probe_image hook "$(handlers '' "$(words_json /probe stat /v/app-was-here , write /v/post ran)")"
	g run --net=none "$(VOL)" $ON "$ID" -- write /v/app-was-here x , exit 7
	assert_status 7
	assert_equal "$(cat "$T/out.d/post")" ran
	rm "$T/out.d/post"
	g run --net=none "$(VOL)" $ON "$ID" -- die 9
	assert_status 137
	assert_equal "$(cat "$T/out.d/post")" ran
}

@test "hooks: post-stop runs when the pod is stopped" {
	probe_image hook "$(handlers '' "$(words_json /probe write /v/post ran)")"
	start_pod "$(VOL)" $ON "$ID" -- pause
	g stop "$UUID"
	assert_ok
	wait_state "$UUID" exited
	assert_equal "$(cat "$T/out.d/post")" ran
}

@test "hooks: a failing post-stop does not change the pod's status" {
	probe_image hook "$(handlers '' "$(words_json /probe exit 9)")"
	g run --net=none "$ID" -- exit 0
	assert_ok
}

@test "hooks: all three in order" {
	probe_image hook "$(handlers "$(words_json /probe out 1 pre)" "$(words_json /probe out 3 post)")"
	g run --net=none "$ID" -- out 2 main
	assert_ok
	local seen
	seen=$(cat "$T/out" "$T/err" | grep -E '^[123] ' | xargs)
	assert_equal "$seen" '1 pre 2 main 3 post'
}
