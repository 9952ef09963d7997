# A plain registry, one with TLS and passwords, and a proxy before the first under several names; beside
# registry.bash.  For the files that ask sources, by `oci`.
# shellcheck shell=bash disable=SC2034,SC2154

R=127.0.0.1:5000       # plain
B=127.0.0.1:5001       # TLS and basic
P=127.0.0.1:5010       # the proxy before R
P2=127.0.0.1:5011      # another host of it
PT=127.0.0.1:5012      # TLS
PT2=127.0.0.1:5014     # another one with TLS
PC=127.0.0.1:5013      # TLS that wants a client's certificate

make_certificates() {
	local d=$BATS_FILE_TMPDIR/tls
	mkdir -p "$d"
	openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=ca -keyout "$d/ca.key" -out "$d/ca.crt" 2>/dev/null
	for name in server client; do
		openssl req -newkey rsa:2048 -nodes -subj "/CN=$name" -keyout "$d/$name.key" -out "$d/$name.csr" 2>/dev/null
		openssl x509 -req -in "$d/$name.csr" -CA "$d/ca.crt" -CAkey "$d/ca.key" -CAcreateserial -days 2 \
			-extfile <(echo subjectAltName=IP:127.0.0.1) -out "$d/$name.crt" 2>/dev/null
	done
	export TLS=$d
}

registries_up() {
	need root registry htpasswd python openssl
	world_up
	in_world mount -t tmpfs tmpfs /etc/docker
	in_world mount -t tmpfs tmpfs /etc/containers
	make_certificates
	htpasswd -Bbn user secret >"$BATS_FILE_TMPDIR/htpasswd"
	registry_up plain 5000
	registry_up basic 5001 "  tls: {certificate: $TLS/server.crt, key: $TLS/server.key}
auth: {htpasswd: {realm: here, path: $BATS_FILE_TMPDIR/htpasswd}}"
	proxy_up "$R" "$P" "$P2" "$PT:$TLS/server.crt:$TLS/server.key" \
		"$PT2:$TLS/server.crt:$TLS/server.key" "$PC:$TLS/server.crt:$TLS/server.key:$TLS/ca.crt"
	image_layout "$BATS_FILE_TMPDIR/layout"
	skopeo_push "oci:$LAYOUT:test" "$R/lib/app:1"
	skopeo_push "oci:$LAYOUT:test" "$R/mirror/lib/app:1"
	skopeo_push "oci:$LAYOUT:test" "$B/lib/app:1" --dest-creds user:secret
}
registries_down() {
	registry_down
	world_down
}
registries_test_up() {
	sandbox_up "$BATS_TEST_TMPDIR"
	export HOME=$T/home
	mkdir -p "$HOME"
	unset REGISTRY_AUTH_FILE XDG_RUNTIME_DIR XDG_CONFIG_HOME DOCKER_CONFIG
	WAIVED=
	rules '[]'
}
registries_test_down() {
	in_world sh -c 'rm -rf /etc/docker/* /etc/containers/*'
	test_down
}

# A rule file or a configuration in a line.
config() { mkdir -p "$LOCAL/$1" && cat >"$LOCAL/$1/$2.json"; }
auth_file() { mkdir -p "${1%/*}" && cat >"$1"; }
base64_of() { printf %s "$1" | base64 -w0; }
trust_ca() { in_world sh -c "mkdir -p /etc/$2/certs.d/$1 && cp $TLS/ca.crt /etc/$2/certs.d/$1/"; }
# A rule of the proxy: tokens by its other name.
bearer() { echo "{\"port\":5010,\"bearer\":{\"realm\":\"http://$P2/token\"${1:-}}}"; }
