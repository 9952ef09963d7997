# fetch over TLS: whom a server may be.

load ../lib/gantry

setup_file() {
	need root openssl
	world_up
	fixtures_up
	T=$BATS_FILE_TMPDIR
	mkdir "$T/www"
	make_aci "$T/www/app.aci" example.com/app '{"exec":["/probe"],"user":"0","group":"0"}'
	# nobody has signed this certificate but its own key
	openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 \
		-keyout "$T/key.pem" -out "$T/cert.pem" 2>/dev/null
	(cd "$T/www" && exec nsenter --target="$WORLD" --net --wdns="$PWD" -- openssl s_server -quiet -accept 127.0.0.1:4433 \
		-key "$T/key.pem" -cert "$T/cert.pem" -WWW) </dev/null >"$T/server.log" 2>&1 3>&- 4>&- &
	export TLS_SERVER=$!
	wait_for 60 in_world bash -c ': </dev/tcp/127.0.0.1/4433'
}
teardown_file() {
	kill -KILL "$TLS_SERVER" 2>/dev/null || :
	world_down
}
setup() { sandbox_up "$BATS_TEST_TMPDIR"; }
teardown() { test_down; }

@test "fetch-tls: a certificate that nobody vouches for is refused" {
	INSECURE=image
	g fetch https://127.0.0.1:4433/app.aci
	assert_refused 254 '127.0.0.1:4433/app.aci' '[Cc]ertificate'
	assert_equal "$(gantry image list --no-legend)" ''
}

@test "fetch-tls: unless the operator says so" {
	INSECURE=image,tls
	g fetch https://127.0.0.1:4433/app.aci
	assert_ok
	assert_equal "$output" "sha512-$(image_key "$BATS_FILE_TMPDIR/www/app.aci" | cut -c1-32)"
}

@test "fetch-tls: permission for plain http is none for any certificate" {
	INSECURE=image,http
	g fetch https://127.0.0.1:4433/app.aci
	assert_refused 254 '[Cc]ertificate'
}
