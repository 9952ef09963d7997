# Registries: the distribution protocol, and what a server may do wrong.

load ../lib/gantry
load ../lib/registry
load ../lib/registries

setup_file() { registries_up; }
teardown_file() { registries_down; }
setup() { registries_test_up; }
teardown() { registries_test_down; }

# --- reading ------------------------------------------------------------------------------------

@test "oci-registry: a manifest by tag and by digest, documents and blobs" {
	WAIVED=http
	oci manifest "docker://$R/lib/app:1"
	assert_ok
	assert_digest "${MANIFEST% *}"
	assert_err "^digest=${MANIFEST% *} type=application/vnd.oci.image.manifest.v1\+json"
	oci manifest "docker://$R/lib/app@${MANIFEST% *}"
	assert_ok
	assert_digest "${MANIFEST% *}"
	oci document "docker://$R/lib/app:1" $CONFIG
	assert_ok
	assert_digest "${CONFIG% *}"
	oci blob "docker://$R/lib/app:1" $LAYER
	assert_ok
	assert_digest "${LAYER% *}"
}

@test "oci-registry: a blob from the middle" {
	WAIVED=http
	oci blob "docker://$R/lib/app:1" $LAYER 100000
	assert_ok
	assert_err "^offset=100000 length=${LAYER#* }"
	cmp "$T/out" <(tail -c +100001 "$LAYOUT/blobs/sha256/$(cut -d: -f2 <<<"${LAYER% *}")")
}

@test "oci-registry: what is not there" {
	WAIVED=http
	oci manifest "docker://$R/lib/app:2"
	assert_refused 254 "^-2: registry $R: manifest_unknown: manifest unknown \(HTTP status code 404\)$"
	oci manifest "docker://$R/lib/none:1"
	assert_refused 254 "^-2: registry $R: .*404"
	oci blob "docker://$R/lib/app:1" "${MANIFEST% *}0" 5
	assert_refused 254 "^-[0-9]+: registry $R: "
	oci manifest docker://127.0.0.1:9/lib/app:1
	assert_refused 254 '^-111: registry 127.0.0.1:9: .*connect'
}

@test "oci-registry: referrers, by the API and by the tag" {
	WAIVED=http
	oci referrers "docker://$R/lib/app:1" "${MANIFEST% *}"
	assert_ok
	assert_json '.manifests == []'
	rules "[{\"path\":\"/referrers/\",\"status\":200,\"headers\":{\"Content-Type\":\"application/vnd.oci.image.index.v1+json\"},
		\"body\":\"{\\\"schemaVersion\\\":2,\\\"manifests\\\":[],\\\"x\\\":1}\"}]"
	oci referrers "docker://$P/lib/app:1" "${MANIFEST% *}"
	assert_ok
	assert_json '.x == 1'
	rules "[{\"path\":\"/manifests/sha256-${MANIFEST:7:64}\$\",\"status\":200,\"body\":\"{\\\"schemaVersion\\\":2,\\\"manifests\\\":[],\\\"x\\\":2}\"}]"
	oci referrers "docker://$P/lib/app:1" "${MANIFEST% *}"
	assert_ok
	assert_json '.x == 2'
	assert_equal "$(asked '/referrers/.* 404 ')" 1
}

# page N NEXT: one of one entry, and the link to the next one
page() {
	printf '{"path":"/referrers/[^?]*%s","status":200,"headers":{"Content-Type":"application/vnd.oci.image.index.v1+json"%s},"body":"{\\"schemaVersion\\":2,\\"manifests\\":[{\\"mediaType\\":\\"application/vnd.oci.image.manifest.v1+json\\",\\"size\\":%d,\\"digest\\":\\"%s\\"}]}"}' \
		"$1" "${3:+,\"Link\":\"<$3>; rel=\\\"next\\\"\"}" "$2" "${MANIFEST% *}"
}

@test "oci-registry: referrers page by page, of the type that is asked for" {
	WAIVED=http
	local d=${MANIFEST% *} path
	path=/v2/lib/app/referrers/$d
	rules "[$(page '\\?last=2$' 3),$(page '\\?last=1$' 2 "http://$P$path?last=2"),$(page '' 1 "$path?last=1")]"
	oci referrers "docker://$P/lib/app:1" "$d" application/vnd.x+json
	assert_ok
	assert_json '[.manifests[].size] == [1,2,3]'
	assert_equal "$(asked "GET $path\?artifactType=application%2Fvnd.x%2Bjson 200")" 1
	assert_equal "$(asked '/referrers/')" 3
	# a page that is on another host
	rules "[$(page '' 1 "http://$P2$path?last=1")]"
	oci referrers "docker://$P/lib/app:1" "$d"
	assert_refused 254 "registry $P: it has the next page of referrers elsewhere, \"http://$P2$path\?last=1\""
	assert_equal "$(asked '/referrers/')" 1
	# pages without end
	rules "[$(page '' 1 "$path?last=1")]"
	oci referrers "docker://$P/lib/app:1" "$d"
	assert_refused 254 "registry $P: more than 32 pages of referrers"
	assert_equal "$(asked '/referrers/')" 32
	# one that is gone is an error, not the end
	rules "[{\"path\":\"last=1\",\"status\":404},$(page '' 1 "$path?last=1")]"
	oci referrers "docker://$P/lib/app:1" "$d"
	assert_refused 254 "page 2 of referrers: registry $P: .*404"
	assert_equal "$(asked '/manifests/')" 0
	# and so is one that is no index
	rules "[{\"path\":\"last=1\",\"status\":200,\"body\":\"{}\"},$(page '' 1 "$path?last=1")]"
	oci referrers "docker://$P/lib/app:1" "$d"
	assert_refused 254 "registry $P: referrers: "
}

@test "oci-registry: plain http is for those who allow it" {
	oci manifest "docker://$R/lib/app:1"
	assert_refused 254 "^-71: registry $R: no TLS there \(for plain http see --insecure-options=http\)"
	WAIVED=tls
	oci manifest "docker://$R/lib/app:1"
	assert_refused 254 'no TLS there'
	config registries.d r <<<"{\"rktKind\":\"registries\",\"rktVersion\":\"v1\",\"registry\":\"$R\",\"insecure\":true}"
	WAIVED=
	oci manifest "docker://$R/lib/app:1"
	assert_ok
}

# --- TLS ----------------------------------------------------------------------------------------

@test "oci-registry: a certificate that nobody vouches for" {
	oci manifest "docker://$PT/lib/app:1"
	assert_refused 254 "^-5: registry $PT: .*[Cc]ertificate"
	WAIVED=http
	oci manifest "docker://$PT/lib/app:1"
	assert_refused 254 "[Cc]ertificate"
	WAIVED=tls
	oci manifest "docker://$PT/lib/app:1"
	assert_ok
}

@test "oci-registry: authorities in certs.d of docker, of containers, and of the configuration" {
	trust_ca "$PT" docker
	oci manifest "docker://$PT/lib/app:1"
	assert_ok
	in_world rm -r /etc/docker/certs.d
	oci manifest "docker://$PT/lib/app:1"
	assert_refused 254 '[Cc]ertificate'
	trust_ca "$PT" containers
	oci manifest "docker://$PT/lib/app:1"
	assert_ok
	in_world rm -r /etc/containers/certs.d
	config registries.d r <<<"{\"rktKind\":\"registries\",\"rktVersion\":\"v1\",\"registry\":\"$PT\",\"ca\":\"$TLS/ca.crt\"}"
	oci manifest "docker://$PT/lib/app:1"
	assert_ok
	config registries.d r <<<"{\"rktKind\":\"registries\",\"rktVersion\":\"v1\",\"registry\":\"$PT\",\"ca\":\"$TLS/none.crt\"}"
	oci manifest "docker://$PT/lib/app:1"
	assert_refused 254 "registry $PT: .*none.crt.*No such file"
	in_world sh -c "mkdir -p /etc/docker/certs.d/$PT && echo nonsense >/etc/docker/certs.d/$PT/x.crt"
	oci manifest "docker://$PT/lib/app:1"
	assert_refused 254 "certificates in /etc/docker/certs.d/$PT: x.crt: it is no PEM file"
}

@test "oci-registry: a client's certificate" {
	trust_ca "$PC" docker
	oci manifest "docker://$PC/lib/app:1"
	assert_refused 254 "registry $PC: "
	in_world sh -c "cp $TLS/client.crt /etc/docker/certs.d/$PC/me.cert; cp $TLS/client.key /etc/docker/certs.d/$PC/me.key"
	oci manifest "docker://$PC/lib/app:1"
	assert_ok
	in_world rm "/etc/docker/certs.d/$PC/me.key"
	oci manifest "docker://$PC/lib/app:1"
	assert_refused 254 "certificates in /etc/docker/certs.d/$PC: .*me.key.*No such file"
}

# --- redirects ----------------------------------------------------------------------------------

@test "oci-registry: a redirect to another host takes no credentials along" {
	WAIVED=http
	auth_file "$HOME/.docker/config.json" <<<"{\"auths\":{\"$P\":{\"auth\":\"$(base64_of user:secret)\"}}}"
	rules "[{\"port\":5010,\"bearer\":{\"realm\":\"http://127.0.0.1:5010/token\"}},{\"port\":5010,\"path\":\"/blobs/\",\"redirect\":\"http://$P2/\"},
		{\"token\":{\"users\":{\"user\":\"secret\"}}}]"
	oci blob "docker://$P/lib/app:1" $LAYER 1000
	assert_ok
	assert_err '^offset=1000 '
	grep -q '^5011 GET /v2/lib/app/blobs/.* 206 - bytes=1000-' "$PROXY_LOG"
	assert_equal "$(asked '^5011 .*(Bearer|Basic)')" 0
	assert_equal "$(asked '^5010 GET /v2/.*Bearer')" 1
}

@test "oci-registry: what the other host says is told of it" {
	WAIVED=http
	rules "[{\"port\":5010,\"path\":\"/blobs/\",\"redirect\":\"http://$P2/\"},{\"port\":5011,\"path\":\"/blobs/\",\"status\":403,\"body\":\"expired\"}]"
	oci blob "docker://$P/lib/app:1" $LAYER
	assert_refused 254 "^-[0-9]+: registry $P2: expired \(HTTP status code 403\)$"
	rules '[{"path":"/blobs/","redirect":"file:///etc/shadow"}]'
	oci blob "docker://$P/lib/app:1" $LAYER
	assert_refused 254 'a redirect to a scheme that is not allowed'
	rules '[{"path":"/blobs/","redirect":"/"}]'
	oci blob "docker://$P/lib/app:1" $LAYER
	assert_refused 254 'more than 10 redirects'
}

@test "oci-registry: no redirect from https to http unless http is allowed" {
	trust_ca "$PT" docker
	rules "[{\"port\":5012,\"path\":\"/blobs/\",\"redirect\":\"http://$P2/\"}]"
	oci blob "docker://$PT/lib/app:1" $LAYER
	assert_refused 254 'http is not allowed'
	rules "[{\"port\":5012,\"path\":\"/blobs/\",\"redirect\":\"https://$PT2/\"}]"
	oci blob "docker://$PT/lib/app:1" $LAYER
	assert_ok
	assert_digest "${LAYER% *}"
}

# --- faults -------------------------------------------------------------------------------------

@test "oci-registry: a connection that breaks is taken up where it broke" {
	WAIVED=http
	rules '[{"path":"/blobs/","cut":100000,"times":1}]'
	oci blob "docker://$P/lib/app:1" $LAYER
	assert_ok
	assert_digest "${LAYER% *}"
	grep -qE ' 206 - bytes=[1-9][0-9]*-' "$PROXY_LOG"
	# a server that knows no parts sends the whole again
	rules '[{"path":"/blobs/","cut":100000,"times":1},{"path":"/blobs/","no_range":true}]'
	oci blob "docker://$P/lib/app:1" $LAYER
	assert_ok
	assert_digest "${LAYER% *}"
	oci blob "docker://$P/lib/app:1" $LAYER 1000
	assert_ok
	assert_err '^offset=0 '
	# and one that breaks every time is given up
	rules '[{"path":"/blobs/","cut":1000,"no_range":true}]'
	oci blob "docker://$P/lib/app:1" $LAYER
	assert_refused 254 'transfer closed|bytes remaining'
}

@test "oci-registry: who is busy is asked again" {
	WAIVED=http
	for code in 429 500 502 503; do
		rules "[{\"path\":\"/manifests/\",\"status\":$code,\"headers\":{\"Retry-After\":\"1\"},\"times\":1}]"
		oci manifest "docker://$P/lib/app:1"
		assert_ok
		assert_equal "$(asked /manifests/)" 2
	done
}

@test "oci-registry: and no longer than that; what it says is shown" {
	WAIVED=http
	local body='{\"errors\":[{\"code\":\"TOOMANYREQUESTS\",\"message\":\"You have reached your pull rate limit.\"}]}'
	rules "[{\"path\":\"/manifests/\",\"status\":429,\"body\":\"$body\"}]"
	oci manifest "docker://$P/lib/app:1"
	assert_refused 254 "^-16: registry $P: toomanyrequests: You have reached your pull rate limit. \(HTTP status code 429\)$"
	assert_equal "$(asked /manifests/)" 4
	rules "[{\"path\":\"/manifests/\",\"status\":429,\"headers\":{\"Retry-After\":\"3600\"},\"body\":\"$body\"}]"
	oci manifest "docker://$P/lib/app:1"
	assert_refused 254 "toomanyrequests: You have reached .*; it asks to come back in 3600 seconds$"
	assert_equal "$(asked /manifests/)" 1
}

@test "oci-registry: errors are one harmless line" {
	WAIVED=http
	rules '[{"path":"/manifests/","status":400,"body":"{\"errors\":[{\"code\":\"A\\u001b[2J\",\"message\":\"b\\n\\tc\"},{\"message\":\"d\"}]}"}]'
	oci manifest "docker://$P/lib/app:1"
	assert_refused 254 "^-5: registry $P: a\\\\x1b\[2j: b c; d \(HTTP status code 400\)$"
	assert_equal "$(wc -l <"$T/err")" 1
	rules '[{"path":"/manifests/","status":400,"body":"<html>no</html>"}]'
	oci manifest "docker://$P/lib/app:1"
	assert_refused 254 "^-5: registry $P: HTTP status code 400$"
	rules '[{"path":"/manifests/","status":400,"body":"{\"errors\":[[[{"}]'
	oci manifest "docker://$P/lib/app:1"
	assert_refused 254 "^-5: registry $P: HTTP status code 400$"
}

@test "oci-registry: bytes that are not what they are called" {
	local zero=sha256:0000000000000000000000000000000000000000000000000000000000000000
	WAIVED=http
	rules '[{"path":"/manifests/","status":200,"body":"{}"}]'
	oci manifest "docker://$P/lib/app@${MANIFEST% *}"
	assert_refused 254 "^-74: registry $P: manifest: ${MANIFEST% *}: its digest is sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a, not ${MANIFEST% *}$"
	rules "[{\"path\":\"/manifests/\",\"set_headers\":{\"Docker-Content-Digest\":\"$zero\"}}]"
	oci manifest "docker://$P/lib/app:1"
	assert_refused 254 "^-74: registry $P: manifest: 1: its digest is ${MANIFEST% *}, not $zero$"
	rules '[{"path":"/manifests/","set_headers":{"Docker-Content-Digest":"nonsense"}}]'
	oci manifest "docker://$P/lib/app:1"
	assert_ok
	rules '[{"path":"/blobs/","status":200,"body":"x"}]'
	oci document "docker://$P/lib/app:1" $CONFIG
	assert_refused 254 "it has 1 bytes, its descriptor says ${CONFIG#* }$"
	printf '%*s' "${CONFIG#* }" x >"$T/same-size"
	rules "[{\"path\":\"/blobs/\",\"status\":200,\"body_file\":\"$T/same-size\"}]"
	oci document "docker://$P/lib/app:1" $CONFIG
	assert_refused 254 "${CONFIG% *}: its digest is sha256:.*, not ${CONFIG% *}$"
}

@test "oci-registry: documents that do not end" {
	WAIVED=http
	truncate -s 5M "$T/large"
	rules "[{\"path\":\"/manifests/\",\"status\":200,\"body_file\":\"$T/large\"}]"
	oci manifest "docker://$P/lib/app:1"
	assert_refused 254 "registry $P: .*larger than the limit of 4194304 bytes"
	oci blob "docker://$R/lib/app:1" "${LAYER% *}" 1000
	assert_refused 254 "registry $R: .*(1000 bytes|its descriptor says 1000)"
	oci document "docker://$R/lib/app:1" "${LAYER% *}" 5000000
	assert_refused 254 "${LAYER% *}: 5000000 bytes are too many for a document"
}

# --- pulling ------------------------------------------------------------------------------------

# An image of N layers in the registry; the digests of them are in $T/layers.
many_layers() {
	/usr/bin/python3 - "$T/many" "$1" >"$T/layers" <<-'PY'
		import gzip, hashlib, io, json, os, sys, tarfile
		top = sys.argv[1]
		os.makedirs(top + "/blobs/sha256")
		def put(data):
		    h = hashlib.sha256(data).hexdigest()
		    open(f"{top}/blobs/sha256/{h}", "wb").write(data)
		    return {"digest": "sha256:" + h, "size": len(data)}
		layers, diffs = [], []
		for n in range(int(sys.argv[2])):
		    raw = io.BytesIO()
		    with tarfile.open(fileobj=raw, mode="w") as t:
		        i = tarfile.TarInfo(f"f{n}"); data = os.urandom(5000); i.size = len(data); t.addfile(i, io.BytesIO(data))
		    layers.append({"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", **put(gzip.compress(raw.getvalue()))})
		    diffs.append("sha256:" + hashlib.sha256(raw.getvalue()).hexdigest())
		    print(layers[-1]["digest"])
		arch = {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine, os.uname().machine)
		c = put(json.dumps({"architecture": arch, "os": "linux", "rootfs": {"type": "layers", "diff_ids": diffs}}).encode())
		t = "application/vnd.oci.image.manifest.v1+json"
		m = put(json.dumps({"schemaVersion": 2, "mediaType": t, "layers": layers,
		                    "config": {"mediaType": "application/vnd.oci.image.config.v1+json", **c}}).encode())
		json.dump({"schemaVersion": 2, "manifests": [{"mediaType": t, **m}]}, open(top + "/index.json", "w"))
		json.dump({"imageLayoutVersion": "1.0.0"}, open(top + "/oci-layout", "w"))
	PY
	skopeo_push "oci:$T/many" "$R/lib/many:${T//[^0-9]/}"
	MANY=$P/lib/many:${T//[^0-9]/}
}

@test "oci-registry: a pull by a token, over few connections" {
	INSECURE=image,http
	many_layers 7
	rules "[$(bearer)]"
	g fetch "docker://$MANY"
	assert_ok
	assert_equal "$(asked '^5011 GET /token')" 1
	assert_equal "$(asked '^5010 GET .*/blobs/.* 200 Bearer')" 8
	g fetch --pull-policy=update "docker://$MANY"
	assert_ok
	assert_equal "$(asked '^5010 GET .*/blobs/.* 200 Bearer')" 8
}

@test "oci-registry: one layer that is not to be had ends the pull, and nothing stays" {
	INSECURE=image,http
	many_layers 5
	rules "[{\"path\":\"/blobs/$(sed -n 3p "$T/layers")\",\"status\":404}]"
	g fetch "docker://$MANY"
	assert_refused 254 "layer 3 of 5, $(sed -n 3p "$T/layers"): .*registry $P: HTTP status code 404"
	assert_equal "$(gantry image list --no-legend)" ''
	rules "[{\"path\":\"/blobs/$(sed -n 3p "$T/layers")\",\"status\":200,\"body\":\"x\"}]"
	g fetch "docker://$MANY"
	assert_refused 254 'it has 1 bytes, its descriptor says'
	rules '[]'
	g fetch "docker://$MANY"
	assert_ok
}

@test "oci-registry: manifests that gantry does not take" {
	local row
	INSECURE=image,http
	while read -r row; do
		rules "[{\"path\":\"/manifests/\",\"status\":200,\"headers\":{\"Content-Type\":\"${row%% :: *}\"},\"body\":$(cut -d'|' -f2 <<<"$row" | jq -Rs .)}]"
		g fetch "docker://$P/lib/app:1"
		assert_refused 254 "docker://$P/lib/app:1.*${row##*|}"
	done <<-'END'
		application/vnd.docker.distribution.manifest.v1+prettyjws :: |{"schemaVersion":1,"name":"x","fsLayers":[]}|schema 1
		application/vnd.oci.image.manifest.v1+json :: |{"schemaVersion":2,"manifests":[],"layers":[]}|.
		application/vnd.oci.image.index.v1+json :: |{"schemaVersion":2,"config":{},"layers":[]}|.
		text/html :: |<html></html>|.
	END
}

# --- which registry -----------------------------------------------------------------------------

@test "oci-registry: mirrors first, and the registry itself" {
	WAIVED=http
	config registries.d r <<<"{\"rktKind\":\"registries\",\"rktVersion\":\"v1\",\"registry\":\"$R\",\"mirrors\":[\"127.0.0.1:9\",\"$P/mirror\"]}"
	oci manifest "docker://$R/lib/app:1"
	assert_ok
	assert_equal "$(asked '^5010 GET /v2/mirror/lib/app/manifests/1 200')" 1
	rules '[{"path":"/manifests/","status":404}]'
	oci manifest "docker://$R/lib/app:1"
	assert_ok
	assert_digest "${MANIFEST% *}"
	# a mirror that lies is passed over
	rules '[{"path":"/manifests/","status":200,"body":"{}"}]'
	oci manifest "docker://$R/lib/app@${MANIFEST% *}"
	assert_ok
	assert_digest "${MANIFEST% *}"
}

@test "oci-registry: configurations that are wrong" {
	local row
	while read -r row; do
		config registries.d r <<<"{\"rktKind\":\"registries\",\"rktVersion\":\"v1\",${row%% :: *}}"
		oci manifest "docker://$R/lib/app:1"
		assert_refused 254 "configuration $LOCAL/registries.d/r.json: ${row##* :: }"
	done <<-'END'
		"mirrors":[] :: registry: 
		"registry":"https://x" :: registry: "https://x": expected HOST or HOST:PORT
		"registry":"x","mirrors":["x/../y"] :: mirrors\[0\]: "x/../y": the path of a mirror
		"registry":"x","mirrors":["http://x"] :: mirrors\[0\]: "http://x": the path of a mirror
		"registry":"x","ca":"x.crt" :: ca: "x.crt": expected an absolute path
		"registry":"x","insecrue":true :: insecrue
	END
}
