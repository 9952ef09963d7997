# fetch: redirects, proxies, retries and the way over TLS.

load ../lib/gantry

setup_file() {
	need root openssl
	world_up
	fixtures_up
	T=$BATS_FILE_TMPDIR
	mkdir "$T/www" "$T/tls"
	export WWW=$T/www
	make_aci "$WWW/app.aci" example.com/app '{"exec":["/probe"],"user":"0","group":"0"}'
	export APP_KEY
	APP_KEY=$(image_key "$WWW/app.aci")
	httpd_up "$WWW" "$T"
	# an authority, and a server that it vouches for: files are whole answers
	openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost \
		-addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout "$T/key.pem" -out "$T/cert.pem" 2>/dev/null
	response 302 "Location: $URL/app.aci" >"$T/tls/down.aci"
	response 302 "Location: https://127.0.0.1:4433/whole.aci" >"$T/tls/stay.aci"
	{
		printf 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n' "$(stat -c %s "$WWW/app.aci")"
		cat "$WWW/app.aci"
	} >"$T/tls/whole.aci"
	(cd "$T/tls" && exec setpriv --pdeathsig KILL nsenter --target="$WORLD" --net --wdns="$PWD" -- \
		openssl s_server -quiet -accept 127.0.0.1:4433 -key "$T/key.pem" -cert "$T/cert.pem" -HTTP) \
		</dev/null >"$T/server.log" 2>&1 3>&- 4>&- &
	export TLS_SERVER=$!
	wait_for 60 in_world bash -c ': </dev/tcp/127.0.0.1/4433'
}
teardown_file() {
	kill -KILL "$TLS_SERVER" 2>/dev/null || :
	world_down
}
setup() {
	sandbox_up "$BATS_TEST_TMPDIR"
	INSECURE=image,http
	LOG=$BATS_FILE_TMPDIR/access.log
	rm -f "$LOG".once.*
	: >"$LOG"
	export SSL_CERT_FILE=$BATS_FILE_TMPDIR/cert.pem
	unset SSL_CERT_DIR http_proxy https_proxy HTTP_PROXY HTTPS_PROXY all_proxy ALL_PROXY no_proxy NO_PROXY
}
teardown() { test_down; }

response() { printf 'HTTP/1.1 %s X\r\nConnection: close\r\nContent-Length: 0\r\n%s\r\n\r\n' "$1" "$2"; }
requests() { grep -cE -e "$1" "$LOG" || :; }
is_app() { assert_ok; assert_equal "$output" "sha512-${APP_KEY:0:32}"; }

# --- TLS

@test "fetch-redirect: SSL_CERT_FILE names the authorities" {
	INSECURE=image
	g fetch https://127.0.0.1:4433/whole.aci
	is_app
	unset SSL_CERT_FILE
	g fetch https://localhost:4433/whole.aci
	assert_refused 254 '[Cc]ertificate'
	export SSL_CERT_FILE=$T/no-such.pem
	g fetch https://localhost:4433/whole.aci
	assert_refused 254 'SSL_CERT_FILE' 'no-such.pem'
}

@test "fetch-redirect: SSL_CERT_DIR as well, wherever it is" {
	INSECURE=image
	unset SSL_CERT_FILE
	mkdir "$T/certs"
	chmod 755 "$T/certs"
	cp "$BATS_FILE_TMPDIR/cert.pem" "$T/certs/$(openssl x509 -noout -hash -in "$BATS_FILE_TMPDIR/cert.pem").0"
	export SSL_CERT_DIR=$T/certs
	g fetch https://127.0.0.1:4433/whole.aci
	is_app
}

@test "fetch-redirect: from https to https" {
	INSECURE=image
	g fetch https://127.0.0.1:4433/stay.aci
	is_app
}

@test "fetch-redirect: never from https to http" {
	INSECURE=image
	g fetch https://127.0.0.1:4433/down.aci
	assert_refused 254 'down.aci' 'redirect to http://127.0.0.1' '--insecure-options=http'
	assert_equal "$(requests .)" 0
	INSECURE=image,tls
	g fetch https://127.0.0.1:4433/down.aci
	assert_refused 254 'redirect to http://127.0.0.1'
	assert_equal "$(requests .)" 0
}

@test "fetch-redirect: unless http is allowed" {
	g fetch https://127.0.0.1:4433/down.aci
	is_app
}

@test "fetch-redirect: credentials do not follow from https to http" {
	mkdir -p "$LOCAL/auth.d"
	printf '{"rktKind":"auth","rktVersion":"v1","domains":["127.0.0.1:4433","%s"],"type":"basic","credentials":{"user":"a","password":"b"}}\n' \
		"${URL#http://}" >"$LOCAL/auth.d/a.json"
	g fetch https://127.0.0.1:4433/down.aci
	is_app
	assert_equal "$(grep -c 'auth=[^ ]' "$LOG")" 0
}

# --- what is remembered of a way with fewer checks

@test "fetch-redirect: what came without a check is asked for again with it" {
	g fetch "$URL/maxage/app.aci"
	is_app
	INSECURE=image
	g fetch "$URL/maxage/app.aci"
	assert_refused 254 'http is not allowed'
	g run --net=none "$URL/maxage/app.aci" -- out ran
	assert_refused 254 'http is not allowed'
}

# --- kinds

@test "fetch-redirect: relative ones, fragments, and other schemes" {
	g fetch "$URL/goto/%2fapp.aci"
	is_app
	g fetch "$URL/goto/%2fapp.aci%23/part.aci"
	is_app
	local to
	for to in ftp%3a%2f%2f127.0.0.1%2fx.aci file%3a%2f%2f%2fetc%2fpasswd.aci gopher%3a%2f%2f127.0.0.1%2fx.aci; do
		g fetch "$URL/goto/$to"
		assert_refused 254 'goto' 'scheme that is not allowed'
	done
	g fetch "$URL/goto/http%3a%2f%2f%5bx.aci"
	assert_refused 254 'goto' 'malformed URL in a redirect'
}

@test "fetch-redirect: a user in a redirect is nobody's" {
	g fetch "$URL/goto/http%3a%2f%2feve%3asecret%40${URL#http://}%2fapp.aci"
	is_app
	assert_equal "$(grep -c 'auth=[^ ]' "$LOG")" 0
}

# --- proxies

@test "fetch-redirect: http_proxy, in either case" {
	http_proxy=$URL g fetch http://images.invalid/app.aci
	is_app
	assert_equal "$(requests '^GET http://images.invalid/app.aci 200')" 1
	HTTP_PROXY=$URL g fetch --pull-policy=update http://images.invalid/redirect/2/app.aci
	is_app
	assert_equal "$(requests '^GET http://images.invalid/app.aci 200')" 2
	# a CGI's client could set this one
	REQUEST_METHOD=GET HTTP_PROXY=$URL g fetch http://images2.invalid/app.aci
	assert_refused 254 'images2.invalid'
}

@test "fetch-redirect: no_proxy" {
	http_proxy=http://127.0.0.1:1 no_proxy=127.0.0.1 g fetch "$URL/app.aci"
	is_app
	http_proxy=http://127.0.0.1:1 g fetch "$URL/other/app.aci"
	assert_refused 254 '127.0.0.1'
}

@test "fetch-redirect: a proxy that does not connect" {
	https_proxy=$URL g fetch https://images.invalid/app.aci
	assert_refused 254 '403' 'proxy'
	assert_equal "$(requests '^CONNECT images.invalid:443')" 1
	ALL_PROXY=$URL g fetch https://images.invalid/app.aci
	assert_refused 254 '403' 'proxy'
}

# --- other tries

@test "fetch-redirect: 503, and then it is there" {
	local code
	for code in 502 503 504; do
		: >"$LOG"
		g fetch "$URL/once/$code/app.aci"
		is_app
		assert_equal "$(requests .)" 2
		rm -rf "$DATA/cas"
	done
}

@test "fetch-redirect: 503 for ever" {
	g fetch "$URL/status/503/app.aci"
	assert_refused 254 'bad HTTP status code: 503'
	assert_equal "$(requests .)" 4
}

@test "fetch-redirect: what another try does not help is tried once" {
	local code
	for code in 400 401 403 404 410 418 500 501; do
		: >"$LOG"
		g fetch "$URL/status/$code/app.aci"
		assert_refused 254 "bad HTTP status code: $code"
		assert_equal "$(requests .)" 1
	done
}

@test "fetch-redirect: Retry-After: a short time is waited for, a long one is told" {
	g fetch "$URL/busy/503/1/app.aci"
	assert_refused 254 'bad HTTP status code: 503'
	assert_equal "$(requests .)" 4
	: >"$LOG"
	g fetch "$URL/busy/503/86400/app.aci"
	assert_refused 254 'bad HTTP status code: 503' 'come back in 86400 seconds'
	assert_equal "$(requests .)" 1
}

@test "fetch-redirect: a signature gets other tries too" {
	keys_up
	INSECURE=http
	install_key good example.com/app
	sign "$WWW/app.aci" good
	g fetch "$URL/once/503/app.aci"
	is_app
	assert_equal "$(requests .)" 4
	rm -f "$WWW/app.aci.asc"
	keys_down
}
