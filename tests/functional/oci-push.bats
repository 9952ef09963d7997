# image push and image copy: into registries, and from any place to any other.

load ../lib/gantry
load ../lib/registry
load ../lib/layers

R=127.0.0.1:5000 # plain
B=127.0.0.1:5001 # basic
P=127.0.0.1:5010 # the proxy before R

setup_file() {
	need root registry htpasswd python openssl
	world_up
	htpasswd -Bbn user secret >"$BATS_FILE_TMPDIR/htpasswd"
	registry_up plain 5000
	registry_up basic 5001 "auth: {htpasswd: {realm: here, path: $BATS_FILE_TMPDIR/htpasswd}}"
	proxy_up "$R" "$P"
	image_layout "$BATS_FILE_TMPDIR/layout" "$PROBE"
	skopeo_push "oci:$LAYOUT:test" "$R/lib/app:1"
	make_index
}
teardown_file() {
	registry_down
	world_down
}
setup() {
	sandbox_up "$BATS_TEST_TMPDIR"
	INSECURE=image,http
	export HOME=$T/home
	mkdir -p "$HOME"
	unset REGISTRY_AUTH_FILE XDG_RUNTIME_DIR XDG_CONFIG_HOME DOCKER_CONFIG
	rules '[]'
}
teardown() { test_down; }

@test "oci-push: from the store" {
	g fetch "docker://$R/lib/app:1"
	assert_ok
	local id=$output
	g image push "$id" "docker://$R/pushed/app:2"
	assert_ok
	assert_out "${MANIFEST% *}"
	assert_err "copied ${LAYER:0:19} \\(${LAYER#* } bytes\\)"
	assert_equal "$(registry_digest "$R/pushed/app:2")" "${MANIFEST% *}"
	# what is there is not sent again
	rules '[]'
	g image push "$id" "docker://$P/pushed/app:3"
	assert_ok
	assert_err "already there: ${LAYER:0:19}"
	assert_equal "$(asked '(POST|PATCH) ')" 0
	assert_equal "$(asked 'PUT /v2/pushed/app/manifests/3 201')" 1
	g image push --quiet "$id" "docker://$R/pushed/app:4"
	assert_ok
	assert_equal "$stderr" ''
}

@test "oci-push: a pushed image is pulled and runs" {
	g image copy "oci:$LAYOUT:test" "docker://$R/pushed/run:1"
	assert_ok
	g run --net=none "docker://$R/pushed/run:1" -- exit 7
	assert_status 7
}

@test "oci-push: between repositories of one registry layers are mounted" {
	g image copy "docker://$P/lib/app:1" "docker://$P/mounted/app:1"
	assert_ok
	assert_equal "$(asked "POST /v2/mounted/app/blobs/uploads/\\?mount=${LAYER% *}&from=lib/app 201")" 1
	assert_equal "$(asked "PUT /v2/mounted/app/blobs/.*${LAYER% *}")" 0
	assert_equal "$(registry_digest "$R/mounted/app:1")" "${MANIFEST% *}"
}

@test "oci-push: from registry to registry, with credentials of the one" {
	g image copy "docker://$R/lib/app:1" "docker://$B/lib/app:1"
	assert_refused 254 "\"docker://$R/lib/app:1\" to \"docker://$B/lib/app:1\": .*registry $B: .*no credentials are configured for it$"
	mkdir -p "$HOME/.docker"
	echo "{\"auths\":{\"$B\":{\"auth\":\"$(printf user:secret | base64)\"}}}" >"$HOME/.docker/config.json"
	g image copy "docker://$R/lib/app:1" "docker://$B/lib/app:1"
	assert_ok
	assert_out "${MANIFEST% *}"
	g image copy "docker://$B/lib/app:1" "oci-archive:$T/app.tar:x"
	assert_ok
	assert_equal "$(skopeo inspect --format '{{.Digest}}' "oci-archive:$T/app.tar:x")" "${MANIFEST% *}"
}

@test "oci-push: layouts and archives, both ways" {
	g image copy "docker://$R/lib/app:1" "oci:$T/new:name"
	assert_ok
	assert_equal "$(skopeo inspect --format '{{.Digest}}' "oci:$T/new:name")" "${MANIFEST% *}"
	g image copy "oci:$T/new:name" "oci-archive:$T/a.tar:name"
	assert_ok
	g image copy "oci-archive:$T/a.tar:name" "docker://$R/way/app:1"
	assert_ok
	assert_equal "$(registry_digest "$R/way/app:1")" "${MANIFEST% *}"
	# a second image of the same layers
	g image copy "docker://$R/way/app:1" "oci:$T/new:other"
	assert_ok
	assert_err "already there: ${LAYER:0:19}"
	assert_equal "$(jq '.manifests | length' "$T/new/index.json")" 2
	g image copy "docker://$R/lib/app:1" "oci-archive:$T/a.tar"
	assert_refused 254 'file exists \(try --overwrite\)'
	g image copy --overwrite "docker://$R/lib/app:1" "oci-archive:$T/a.tar"
	assert_ok
}

@test "oci-push: an index as a whole, or the image for this machine" {
	g image copy "docker://$R/lib/both:1" "docker://$R/one/app:1"
	assert_ok
	assert_out "${MANIFEST% *}"
	g image copy --all-platforms "docker://$R/lib/both:1" "docker://$R/all/app:1"
	assert_ok
	assert_out "$BOTH"
	assert_equal "$(in_world skopeo inspect --raw --tls-verify=false "docker://$R/all/app:1" | sha256sum | cut -d' ' -f1)" "${BOTH#*:}"
	in_world skopeo inspect --raw --tls-verify=false "docker://$R/all/app@$OTHER" | jq -e .config >/dev/null
	g image copy --all-platforms "docker://$R/lib/both:1" "oci:$T/all:x"
	assert_ok
	assert_equal "$(jq -r '.manifests[0].digest' "$T/all/index.json")" "$BOTH"
	[ -s "$T/all/blobs/sha256/${OTHER#*:}" ]
}

@test "oci-push: a layer that is not what it is called gets nowhere" {
	local path=blobs/sha256/$(cut -d: -f2 <<<"${LAYER% *}")
	cp -r "$LAYOUT" "$T/bad"
	printf x | dd of="$T/bad/$path" bs=1 seek=1000 conv=notrunc status=none
	g image copy "oci:$T/bad:test" "docker://$R/bad/app:1"
	assert_refused 254 "blob ${LAYER% *}: registry $R: digest_invalid: "
	g image copy "oci:$T/bad:test" "oci:$T/made:x"
	assert_refused 254 "blob ${LAYER% *}: its digest is sha256:"
	[ ! -e "$T/made" ]
	rules "[{\"path\":\"/blobs/${LAYER% *}\",\"status\":200,\"body\":\"x\"}]"
	g image copy "docker://$P/lib/app:1" "oci:$T/made:x"
	assert_refused 254 'it has 1 bytes, its descriptor says'
	rules "[{\"method\":\"GET\",\"path\":\"/blobs/${LAYER% *}\",\"cut\":1000,\"no_range\":true}]"
	g image copy "docker://$P/lib/app:1" "docker://$R/bad/cut:1"
	assert_refused 254 "blob ${LAYER% *}: "
}

@test "oci-push: registries that refuse" {
	rules '[{"method":"POST","path":"/uploads/","status":403,"body":"{\"errors\":[{\"code\":\"DENIED\",\"message\":\"read only\"}]}"}]'
	g image copy "oci:$LAYOUT:test" "docker://$P/no/app:1"
	assert_refused 254 "registry $P: denied: read only \\(HTTP status code 403\\)"
	rules '[{"method":"POST","path":"/uploads/","status":202}]'
	g image copy "oci:$LAYOUT:test" "docker://$P/no/app:1"
	assert_refused 254 "registry $P: it does not say where to"
	rules '[{"method":"PUT","path":"/blobs/","status":413,"body":"too large"}]'
	g image copy "oci:$LAYOUT:test" "docker://$P/no/app:1"
	assert_refused 254 "registry $P: too large \\(HTTP status code 413\\)"
	rules '[{"method":"PUT","path":"/manifests/","status":400,"body":"{\"errors\":[{\"code\":\"MANIFEST_INVALID\",\"message\":\"no\"}]}"}]'
	g image copy "oci:$LAYOUT:test" "docker://$P/no/app:1"
	assert_refused 254 "manifest ${MANIFEST% *}: registry $P: manifest_invalid: no"
	rules "[{\"method\":\"PUT\",\"path\":\"/manifests/\",\"set_headers\":{\"Docker-Content-Digest\":\"sha256:$(printf '%064d' 0)\"}}]"
	g image copy "oci:$LAYOUT:test" "docker://$P/no/app:1"
	assert_refused 254 "registry $P: it stored sha256:0+ for it"
	# a place of another host gets no credentials
	mkdir -p "$HOME/.docker"
	echo "{\"auths\":{\"$P\":{\"auth\":\"$(printf user:secret | base64)\"}}}" >"$HOME/.docker/config.json"
	rules "[{\"bearer\":{\"realm\":\"http://$P/token\"}},{\"token\":{\"users\":{\"user\":\"secret\"}}},
		{\"method\":\"POST\",\"path\":\"/uploads/\",\"status\":202,\"headers\":{\"Location\":\"http://$R/v2/x/blobs/uploads/1\"}}]"
	g image copy "oci:$LAYOUT:test" "docker://$P/no/elsewhere:1"
	assert_refused 254 "registry $R: "
}

@test "oci-push: a registry that is busy for a moment" {
	rules '[{"method":"PUT","path":"/blobs/","status":503,"headers":{"Retry-After":"1"},"times":1}]'
	g image copy "oci:$LAYOUT:test" "docker://$P/busy/app:1"
	assert_ok
	assert_equal "$(registry_digest "$R/busy/app:1")" "${MANIFEST% *}"
}

@test "oci-push: in pieces where a whole is too much" {
	rules '[{"method":"P(UT|ATCH)","path":"/blobs/","max_body":1000000,"status":413,"body":"too large"}]'
	truncate -s 2500000 "$T/large"
	tar -C "$T" -cf "$T/large.tar" large
	layout_make "$T/large-layout" x "$T/large.tar"
	g image copy "oci:$T/large-layout:x" "docker://$P/pieces/app:1"
	assert_ok
	assert_equal "$(asked 'PATCH .* 202')" 3
	assert_equal "$(registry_digest "$R/pieces/app:1")" "$output"
	# from a pipe as well
	g image copy "docker://$P/pieces/app:1" "docker://$P/pieces/b:1"
	assert_ok
	g image copy "docker://$R/pieces/app:1" "docker://$P/others/b:1"
	assert_ok
	assert_equal "$(registry_digest "$R/others/b:1")" "$output"
}

@test "oci-push: words that are wrong" {
	g image push x
	assert_refused 254 'must provide an image and docker://HOST/NAME:TAG'
	g image copy "docker://$R/lib/app:1"
	assert_refused 254 'must provide where from and where to'
	g image push "docker://$R/lib/app:1" "oci:$T/x"
	assert_refused 254 "\"oci:$T/x\" is no registry \\(docker://HOST/NAME:TAG\\)"
	g image push sha512-0000 "docker://$R/x:1"
	assert_refused 254 'no image "sha512-0000" in the store'
	g image copy "docker://$R/lib/app:1" "docker-archive:$T/x.tar"
	assert_refused 254 'archives of this kind are read only'
	g image copy "docker://$R/lib/app:1" "docker://$R/x@${MANIFEST% *}"
	assert_refused 254 'an image cannot be given a digest'
	g image copy "docker://$R/lib/none:1" "oci:$T/x"
	assert_refused 254 "\"docker://$R/lib/none:1\" to \"oci:$T/x\": registry $R: .*404"
	[ ! -e "$T/x" ]
}

@test "oci-push: an ACI is none of these" {
	fixtures_up
	g fetch "$FIX/probe.aci"
	assert_ok
	g image push "$output" "docker://$R/x:1"
	assert_refused 254 "ACI"
}

@test "oci-push: the default registry" {
	mkdir -p "$LOCAL/registries.d"
	echo "{\"rktKind\":\"registries\",\"rktVersion\":\"v1\",\"registry\":\"$R\",\"default\":true}" >"$LOCAL/registries.d/r.json"
	g image copy docker://lib/app:1 docker://default/app:1
	assert_ok
	assert_equal "$(registry_digest "$R/default/app:1")" "${MANIFEST% *}"
	g fetch docker://default/app:1
	assert_ok
	g config
	assert_json ".stage0 | any(.rktKind == \"registries\" and .registry == \"$R\" and .default)"
}
