# Registries: names, passwords and tokens, and to whom they go.

load ../lib/gantry
load ../lib/registry
load ../lib/registries

setup_file() { registries_up; }
teardown_file() { registries_down; }
setup() { registries_test_up; }
teardown() { registries_test_down; }

# --- basic --------------------------------------------------------------------------------------

@test "oci-registry-auth: a name and a password" {
	trust_ca "$B" docker
	oci manifest "docker://$B/lib/app:1"
	assert_refused 254 "^-13: registry $B: unauthorized: authentication required \(HTTP status code 401\); no credentials are configured for it$"
	config auth.d a <<<"{\"rktKind\":\"dockerAuth\",\"rktVersion\":\"v1\",\"registries\":[\"$B\"],\"credentials\":{\"user\":\"user\",\"password\":\"wrong\"}}"
	oci manifest "docker://$B/lib/app:1"
	assert_refused 254 "^-13: registry $B: unauthorized.*; it does not take the credentials of auth.d$"
	[[ $stderr != *wrong* ]] || fail "a secret"
	config auth.d a <<<"{\"rktKind\":\"dockerAuth\",\"rktVersion\":\"v1\",\"registries\":[\"$B\"],\"credentials\":{\"user\":\"user\",\"password\":\"secret\"}}"
	oci blob "docker://$B/lib/app:1" $LAYER
	assert_ok
	assert_digest "${LAYER% *}"
}

@test "oci-registry-auth: the files of docker and podman" {
	local good bad file
	good=$(base64_of user:secret)
	bad=$(base64_of user:wrong)
	trust_ca "$B" docker
	for file in "$HOME/.docker/config.json" "$HOME/.config/containers/auth.json"; do
		auth_file "$file" <<<"{\"auths\":{\"https://$B/v1/\":{\"auth\":\"$good\"}}}"
		oci manifest "docker://$B/lib/app:1"
		assert_ok
		rm "$file"
	done
	auth_file "$T/auth.json" <<<"{\"auths\":{\"$B\":{\"auth\":\"$good\"}}}"
	REGISTRY_AUTH_FILE=$T/auth.json oci manifest "docker://$B/lib/app:1"
	assert_ok
	auth_file "$T/run/containers/auth.json" <<<"{\"auths\":{\"$B\":{\"auth\":\"$good\"}}}"
	XDG_RUNTIME_DIR=$T/run oci manifest "docker://$B/lib/app:1"
	assert_ok
	auth_file "$T/docker/config.json" <<<"{\"auths\":{\"$B\":{\"username\":\"user\",\"password\":\"secret\"}}}"
	DOCKER_CONFIG=$T/docker oci manifest "docker://$B/lib/app:1"
	assert_ok
	# the longest that fits
	auth_file "$T/auth.json" <<<"{\"auths\":{\"$B\":{\"auth\":\"$bad\"},\"$B/lib/ap\":{\"auth\":\"$bad\"},\"$B/lib\":{\"auth\":\"$good\"}}}"
	REGISTRY_AUTH_FILE=$T/auth.json oci manifest "docker://$B/lib/app:1"
	assert_ok
	REGISTRY_AUTH_FILE=$T/auth.json oci manifest "docker://$B/other/app:1"
	assert_refused 254 "it does not take the credentials of $T/auth.json$"
}

@test "oci-registry-auth: files of credentials that are wrong" {
	local row
	trust_ca "$B" docker
	while read -r row; do
		auth_file "$HOME/.docker/config.json" <<<"${row%% :: *}"
		oci manifest "docker://$B/lib/app:1"
		assert_refused 254 "registry $B: credentials $HOME/.docker/config.json: ${row##* :: }"
	done <<-END
		{"auths":{"$B":{"auth":"***"}}} :: auths\[.*\]: auth: it is no base64
		{"auths":{"$B":{"auth":"$(base64_of nothing)"}}} :: auths\[.*\]: auth: expected USER:PASSWORD
		{"auths":{"$B":{"auth":"$(printf 'u:p\nX: y' | base64 -w0)"}}} :: auths\[.*\]: auth: control character
		{"auths":[]} :: auths, credHelpers: expected object
		{"credsStore":"../evil"} :: credsStore: "../evil": the name of a helper must begin
		{"credHelpers":{"$B":"a/b"}} :: credHelpers: "a/b": the name of a helper may have
		{"auths":{"$B":{}},"auths":{}} :: duplicate member "auths"
		nonsense :: JSON: line 1
	END
}

@test "oci-registry-auth: credential helpers" {
	mkdir "$T/bin"
	cat >"$T/bin/docker-credential-test" <<-'END'
		#!/bin/sh
		echo "$@" >>"$HELPER_LOG"
		read -r server
		echo "$server" >>"$HELPER_LOG"
		case $server in
		127.0.0.1:5001) echo '{"ServerURL":"x","Username":"user","Secret":"secret"}' ;;
		127.0.0.1:5000) echo "credentials not found in native keychain"; exit 1 ;;
		*) echo "the keychain is locked"; echo secret-on-two-lines; exit 3 ;;
		esac
	END
	chmod 755 "$T/bin/docker-credential-test"
	export HELPER_LOG=$T/helper.log PATH=$T/bin:$PATH
	trust_ca "$B" docker
	auth_file "$HOME/.docker/config.json" <<<'{"credsStore":"test"}'
	oci manifest "docker://$B/lib/app:1"
	assert_ok
	assert_equal "$(tr '\n' ' ' <"$HELPER_LOG")" "get $B "
	auth_file "$HOME/.docker/config.json" <<<"{\"credHelpers\":{\"$B\":\"test\"}}"
	oci manifest "docker://$B/lib/app:1"
	assert_ok
	auth_file "$HOME/.docker/config.json" <<<'{"credsStore":"test"}'
	WAIVED=http
	oci manifest "docker://$R/lib/app:1"
	assert_ok
	oci manifest "docker://$P/lib/app:1"
	assert_refused 254 "registry $P: credential helper docker-credential-test: it exited with status 3: the keychain is locked$"
	auth_file "$HOME/.docker/config.json" <<<'{"credsStore":"none"}'
	oci manifest "docker://$P/lib/app:1"
	assert_refused 254 "registry $P: credential helper docker-credential-none: there is no such program in PATH"
	printf '#!/bin/sh\nyes\n' >"$T/bin/docker-credential-test"
	auth_file "$HOME/.docker/config.json" <<<'{"credsStore":"test"}'
	oci manifest "docker://$P/lib/app:1"
	assert_refused 254 'credential helper docker-credential-test: '
}

# --- tokens -------------------------------------------------------------------------------------

@test "oci-registry-auth: a token for everybody, used as long as it is good" {
	WAIVED=http
	rules "[$(bearer)]"
	oci referrers "docker://$P/lib/app:1" "${MANIFEST% *}"
	assert_ok
	assert_equal "$(asked '^5011 GET /token')" 1
	assert_equal "$(asked '^5010 .* Bearer=t')" 2
	grep -q '^5011 GET /token?service=test&scope=repository%3Alib%2Fapp%3Apull 200 - ' "$PROXY_LOG"
}

@test "oci-registry-auth: a token that ends in the middle is replaced" {
	WAIVED=http
	rules "[$(bearer ',"uses":1')]"
	oci referrers "docker://$P/lib/app:1" "${MANIFEST% *}"
	assert_ok
	assert_equal "$(asked '^5011 GET /token')" 2
}

@test "oci-registry-auth: credentials go to the token server, and not to where it is not needed" {
	WAIVED=http
	auth_file "$HOME/.docker/config.json" <<<"{\"auths\":{\"$P\":{\"auth\":\"$(base64_of user:secret)\"}}}"
	rules "[$(bearer),{\"token\":{\"users\":{\"user\":\"secret\"},\"field\":\"access_token\"}}]"
	oci manifest "docker://$P/lib/app:1"
	assert_ok
	grep -q "^5011 GET /token.* 200 Basic=$(base64_of user:secret) " "$PROXY_LOG"
	assert_equal "$(asked '^5010 .*Basic')" 0
	rules "[$(bearer),{\"token\":{\"users\":{\"user\":\"other\"}}}]"
	oci manifest "docker://$P/lib/app:1"
	assert_refused 254 "^-13: registry $P: token server $P2, with the credentials of $HOME/.docker/config.json: HTTP status code 401: incorrect username or password$"
	rules "[$(bearer),{\"token\":{\"users\":{}}}]"
	rm "$HOME/.docker/config.json"
	oci manifest "docker://$P/lib/app:1"
	assert_refused 254 "registry $P: token server $P2: HTTP status code 401: incorrect username or password$"
}

@test "oci-registry-auth: an identity token is changed into a token by POST" {
	WAIVED=http
	auth_file "$HOME/.docker/config.json" <<<"{\"auths\":{\"$P\":{\"auth\":\"\",\"identitytoken\":\"refresh-me\"}}}"
	rules "[$(bearer),{\"token\":{\"refresh\":{\"refresh-me\":\"user\"},\"field\":\"access_token\"}}]"
	oci manifest "docker://$P/lib/app:1"
	assert_ok
	grep -q '^5011 POST /token token .*form=client_id,grant_type,refresh_token,scope,service' "$PROXY_LOG"
	assert_equal "$(asked refresh-me)" 0
}

@test "oci-registry-auth: token servers that give no token" {
	local row
	WAIVED=http
	while read -r row; do
		rules "[$(bearer),{\"token\":${row%% :: *}}]"
		oci manifest "docker://$P/lib/app:1"
		assert_refused 254 "registry $P: token server $P2: ${row##* :: }"
	done <<-'END'
		{"body":"{}"} :: neither token nor access_token
		{"body":"[]"} :: expected object
		{"body":"nonsense"} :: JSON: line 1
		{"body":"{\"token\":\"a\\r\\nX: y\"}"} :: its token has characters that no token has
		{"status":503,"body":"not now"} :: HTTP status code 503: not now
		{"status":403,"body":"{\"errors\":[{\"code\":\"DENIED\",\"message\":\"go away\"}]}"} :: HTTP status code 403: denied: go away
	END
}

@test "oci-registry-auth: where a token server may be" {
	rules '[{"port":5012,"bearer":{"realm":"http://127.0.0.1:5011/token"}}]'
	WAIVED='tls http'
	oci manifest "docker://$PT/lib/app:1"
	assert_refused 254 "registry $PT: the token server \"http://$P2/token\" would be told secrets over plain http"
	assert_equal "$(asked /token)" 0
	rules "[{\"port\":5012,\"bearer\":{\"realm\":\"https://$PT/token\"}}]"
	oci manifest "docker://$PT/lib/app:1"
	assert_ok
	WAIVED=http
	for realm in file:///etc/shadow http://u:p@127.0.0.1/ http:///x '//x'; do
		rules "[{\"port\":5010,\"bearer\":{\"realm\":\"$realm\"}}]"
		oci manifest "docker://$P/lib/app:1"
		assert_refused 254 "registry $P: the token server \"$realm\""
	done
}

@test "oci-registry-auth: challenges that are none" {
	WAIVED=http
	for challenge in 'Bearer realm' 'Bearer service=x' 'Bearer realm=a,realm=b' 'Bearer realm=\"x' ',=,'; do
		rules "[{\"port\":5010,\"bearer\":{\"realm\":\"x\",\"challenge\":\"$challenge\"}}]"
		oci manifest "docker://$P/lib/app:1"
		assert_refused 254 "registry $P: a malformed WWW-Authenticate: \""
	done
	for challenge in Negotiate 'Digest realm=\"x\"' ''; do
		rules "[{\"port\":5010,\"bearer\":{\"realm\":\"x\",\"challenge\":\"$challenge\"}}]"
		oci manifest "docker://$P/lib/app:1"
		assert_refused 254 "registry $P: unauthorized: authentication required"
	done
}
