# Fetching by name: pull policies, what is printed, signatures, several at a time.

load ../lib/gantry
load ../lib/hosts

APP='{"exec":["/probe"],"user":"0","group":"0"}'

setup_file() {
	need root openssl gpg
	world_up
	fixtures_up
	keys_up
	hosts_up one.test
	host_up one.test both
	W=$HOSTS/one.test/www
	for name in app other third; do
		make_aci "$W/$name.aci" "one.test/$name" "$APP"
		sign "$W/$name.aci" good
	done
	host_page one.test '' "$(tag one.test 'https://one.test/{name}.{ext}')"
	mkdir "$W/one.test"
	cp "$W"/*.aci "$W"/*.asc "$W/one.test"
	mkdir "$W/mutable"
}
teardown_file() {
	keys_down
	hosts_down
	world_down
}
setup() {
	sandbox_up "$BATS_TEST_TMPDIR"
	W=$HOSTS/one.test/www
	host_forget one.test
}
teardown() { test_down; }

key() { image_key "$W/$1.aci"; }
short() { echo "sha512-$(key "$1" | cut -c1-32)"; }
asked() { host_asked one.test | grep -cE -e "$1" || :; }
assert_nothing_left() {
	assert_equal "$(ls "$DATA/cas/tmp")" ''
	assert_equal "$(world_processes)" ''
}

# --- what is printed

@test "fetch-names: one short id for each image, in the order of the words" {
	g fetch one.test/other one.test/app one.test/third
	assert_ok
	assert_equal "$output" "$(short other)
$(short app)
$(short third)"
}

@test "fetch-names: --full, before or behind the images" {
	g fetch --full one.test/app
	assert_ok
	assert_equal "$output" "sha512-$(key app)"
	g fetch one.test/other --full
	assert_ok
	assert_equal "$output" "sha512-$(key other)"
}

@test "fetch-names: image fetch is the same" {
	g image fetch one.test/app --full
	assert_ok
	assert_equal "$output" "sha512-$(key app)"
}

@test "fetch-names: words that are none" {
	g fetch one.test/app -- argument
	assert_refused 254 'argument'
	g fetch
	assert_refused 254 'at least one image'
	g fetch one.test/app:1:2
	assert_refused 254 'invalid image string'
	g fetch One.test/app
	assert_refused 254 'invalid image string'
	g fetch one.test/app,os
	assert_refused 254 'invalid image string'
	assert_equal "$(host_asked one.test)" ''
}

# --- pull policies

@test "fetch-names: fetch asks again by default, and gets no bytes twice" {
	g fetch one.test/app
	assert_ok
	g fetch one.test/app
	assert_ok
	assert_equal "$output" "$(short app)"
	assert_equal "$(asked '^/\?ac-discovery')" 2
	assert_equal "$(awk '$2 == "/one.test/app.aci" {print $3}' "$HOSTS/one.test/access.log")" $'200\n304'
}

@test "fetch-names: new asks nobody when the store has it" {
	g fetch --pull-policy=new one.test/app
	assert_ok
	host_forget one.test
	g fetch --pull-policy=new one.test/app:1.0.0
	assert_ok
	assert_equal "$output" "$(short app)"
	g --debug fetch --pull-policy=new one.test/app
	assert_ok
	assert_err 'image: using image from local store for image name one.test/app'
	assert_equal "$(host_asked one.test)" ''
	g fetch --pull-policy=new one.test/app:2.0.0
	assert_refused 254 'version'
}

@test "fetch-names: never asks nobody at all" {
	local option
	for option in --pull-policy=never --store-only; do
		g fetch $option one.test/app
		assert_refused 254 'unable to fetch image from image name "one.test/app"'
	done
	g run --net=none --store-only one.test/app -- out ran
	assert_refused 254 'unable to fetch image from image name "one.test/app"'
	assert_equal "$(host_asked one.test)" ''
	g fetch one.test/app
	assert_ok
	host_forget one.test
	g fetch --store-only one.test/app
	assert_ok
	assert_equal "$output" "$(short app)"
	assert_equal "$(host_asked one.test)" ''
}

@test "fetch-names: run and prepare take what is there, and fetch what is not" {
	g run --net=none one.test/app -- out ran
	assert_ok
	assert_out ran
	host_forget one.test
	g run --net=none one.test/app -- out again
	assert_ok
	assert_out again
	g prepare --quiet one.test/app
	assert_ok
	assert_equal "$(host_asked one.test)" ''
	g run --net=none --no-store one.test/app -- out update
	assert_ok
	assert_equal "$(asked '^/\?ac-discovery')" 1
	g prepare --quiet --pull-policy=update one.test/app
	assert_ok
	assert_equal "$(asked '^/\?ac-discovery')" 2
}

@test "fetch-names: update brings the newer image" {
	host_page one.test mutable/app "$(tag one.test/mutable 'https://one.test/mutable/app.{ext}')"
	make_aci "$W/mutable/app.aci" one.test/mutable/app "$APP"
	g fetch one.test/mutable/app
	assert_ok
	assert_equal "$output" "$(short mutable/app)"
	make_aci "$W/mutable/app.aci" one.test/mutable/app '{"exec":["/probe","newer"],"user":"0","group":"0"}'
	touch -d '+1 hour' "$W/mutable/app.aci"
	g fetch --pull-policy=new one.test/mutable/app
	assert_ok
	[ "$output" != "$(short mutable/app)" ] || fail "new asked"
	g fetch one.test/mutable/app
	assert_ok
	assert_equal "$output" "$(short mutable/app)"
}

@test "fetch-names: flags that exclude each other" {
	g fetch --store-only --no-store one.test/app
	assert_refused 254 'both --store-only and --no-store'
	g fetch --pull-policy=new --store-only one.test/app
	assert_refused 254 'pull-policy'
	g fetch --pull-policy=sometimes one.test/app
	assert_refused 254 'sometimes'
	g run --store-only --no-store one.test/app
	assert_refused 254 'both --store-only and --no-store'
}

@test "fetch-names: this machine's image goes before another's" {
	local own foreign='[{"name":"os","value":"linux"},{"name":"arch","value":"ppc64"}]'
	make_aci "$T/own.aci" one.test/many "$APP"
	own=sha512-$(image_key "$T/own.aci" | cut -c1-32)
	make_aci "$T/foreign.aci" one.test/many "$APP" '' "$foreign"
	gantry fetch "$T/own.aci" >/dev/null
	gantry fetch "$T/foreign.aci" >/dev/null
	g fetch --pull-policy=never one.test/many
	assert_ok
	assert_equal "$output" "$own"
	g fetch --pull-policy=never one.test/many,arch=ppc64
	assert_ok
	assert_equal "$output" "sha512-$(image_key "$T/foreign.aci" | cut -c1-32)"
	g image rm "$own"
	g fetch --pull-policy=never one.test/many
	assert_refused 254 'unable to fetch image'
	make_aci "$T/any.aci" one.test/many "$APP" '' '[]'
	gantry fetch "$T/any.aci" >/dev/null
	g fetch --pull-policy=never one.test/many
	assert_ok
	assert_equal "$output" "sha512-$(image_key "$T/any.aci" | cut -c1-32)"
}

# --- signatures

@test "fetch-names: the signature is where the template says" {
	INSECURE=
	g fetch one.test/app
	assert_refused 254 'openpgp: signature made by unknown entity'
	install_key good one.test
	g fetch one.test/app
	assert_ok
	[ "$(asked '^/one.test/app.aci.asc')" -ge 1 ] || fail "$(host_asked one.test)"
	rm "$W/one.test/other.aci.asc"
	g fetch one.test/other
	assert_refused 254 'error downloading the signature file' 'other.aci.asc'
	cp "$W/other.aci.asc" "$W/one.test/other.aci.asc"
	g fetch one.test/other
	assert_ok
}

@test "fetch-names: --signature is for the image before it" {
	INSECURE=
	install_key good one.test
	g fetch --signature="$W/app.aci.asc" one.test/app
	assert_refused 254 'signature must follow an image'
	g fetch one.test/app --signature="$W/app.aci.asc" --signature="$W/app.aci.asc"
	assert_refused 254 'twice'
	g fetch one.test/app --signature="$W/other.aci.asc"
	assert_refused 254 'signature'
	g fetch one.test/other one.test/app --signature="$W/app.aci.asc"
	assert_ok
	assert_equal "$(asked 'app.aci.asc')" 0
}

@test "fetch-names: what was fetched without a check is fetched again with one" {
	g fetch one.test/app
	assert_ok
	INSECURE=
	g fetch one.test/app
	assert_refused 254 'unknown entity'
	install_key good one.test
	g fetch one.test/app
	assert_ok
}

# --- several at a time

@test "fetch-names: an image that stands there twice is fetched once" {
	g fetch one.test/app one.test/other one.test/app
	assert_ok
	assert_equal "$output" "$(short app)
$(short other)
$(short app)"
	assert_equal "$(asked '^/one.test/app.aci$')" 1
}

@test "fetch-names: the first error ends the others, which leave nothing" {
	# one that would wait for ever is under way when the other fails
	g fetch "https://one.test/stall/app.aci" https://one.test/status/404/x.aci
	assert_refused 254 'image "https://one.test/status/404/x.aci"' 404
	assert_equal "$output" ''
	assert_equal "$(grep -c 'gantry: fetch: image ' "$T/err")" 1
	assert_equal "$(gantry image list --no-legend)" ''
	assert_nothing_left
}

@test "fetch-names: three are under way at a time" {
	local i
	set --
	for i in 1 2 3 4 5 6; do
		cp "$W/app.aci" "$W/stalled$i.aci"
		set -- "$@" "https://one.test/stall/stalled$i.aci"
	done
	g_bg many fetch "$@"
	three() { [ "$(asked '^/stall/')" -ge 3 ]; }
	wait_for 60 three
	sleep 1
	assert_equal "$(asked '^/stall/')" 3
	kill -TERM "$BG"
	g_wait "$BG" many
	[ "$status" != 0 ] || fail "not ended"
	wait_for 60 no_leaked_processes
	assert_equal "$(gantry image list --no-legend)" ''
}

@test "fetch-names: gantry is killed while several are under way" {
	g_bg two fetch https://one.test/stall/app.aci https://one.test/stall/other.aci
	two() { [ "$(asked '^/stall/')" -ge 2 ]; }
	wait_for 60 two
	kill -KILL "$BG"
	g_wait "$BG" two
	wait_for 60 no_leaked_processes
	g image gc
	assert_ok
	assert_nothing_left
	g fetch one.test/app one.test/other
	assert_ok
}

@test "fetch-names: files, names, URLs and ids of one command" {
	gantry fetch one.test/third >/dev/null
	g fetch "sha512-$(key third)" one.test/app https://one.test/other.aci "$FIX/probe.aci"
	assert_ok
	assert_equal "$output" "$(short third)
$(short app)
$(short other)
sha512-$(image_key "$FIX/probe.aci" | cut -c1-32)"
}

@test "fetch-names: run and prepare with several that are not there" {
	g run --net=none one.test/app -- out one --- one.test/other -- out two
	assert_ok
	assert_match 'one$' 'two$'
	g prepare --quiet one.test/app one.test/third
	assert_ok
	assert_equal "$(gantry image list --no-legend | wc -l)" 3
	g run --net=none one.test/app one.test/gone
	assert_refused 254 'one.test/gone'
	assert_nothing_left
}
