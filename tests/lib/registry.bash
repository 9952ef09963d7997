# A registry in the world, what stands before it, and images in it.  Loaded by the files that need it.
# shellcheck shell=bash disable=SC2154,SC2034

: "${OCI_SOURCE:=${PROBE%/*}/oci-source}"

have_registry() { command -v docker-registry >/dev/null && command -v skopeo >/dev/null; }
have_htpasswd() { command -v htpasswd >/dev/null; }
have_python() { [ -x /usr/bin/python3 ]; }

# On the world's network, until bats ends: registry_bg LOG COMMAND...
registry_bg() {
	local log=$1
	shift
	(exec setpriv --pdeathsig KILL nsenter --target="$WORLD" --net -- "$@") \
		</dev/null >"$log" 2>&1 3>&- 4>&- &
	echo $! >>"$BATS_FILE_TMPDIR/registry-pids"
}

registry_down() {
	local pid
	[ -s "$BATS_FILE_TMPDIR/registry-pids" ] || return 0
	while read -r pid; do
		kill -KILL "$pid" 2>/dev/null && wait "$pid" 2>/dev/null || :
	done <"$BATS_FILE_TMPDIR/registry-pids"
}

# registry_up NAME PORT [YAML]: Debian's docker-registry on 127.0.0.1:PORT; more of its configuration, indented
# as members of the top, and of http where a line begins with "http:".
registry_up() {
	local dir=$BATS_FILE_TMPDIR/registry-$1
	mkdir -p "$dir/data"
	{
		printf 'version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\n'
		printf 'storage: {filesystem: {rootdirectory: %s}, delete: {enabled: true}}\n' "$dir/data"
		printf 'http:\n  addr: 127.0.0.1:%s\n%s\n' "$2" "${3:-}"
	} >"$dir/config.yml"
	registry_bg "$dir/log" docker-registry serve "$dir/config.yml"
	wait_for 60 in_world bash -c ": </dev/tcp/127.0.0.1/$2" || { cat "$dir/log"; return 1; }
}

# proxy_up UPSTREAM PLACE...: tests/lib/registry_proxy.py; its rules are $RULES, its log $PROXY_LOG.
proxy_up() {
	local dir=$BATS_FILE_TMPDIR/proxy
	mkdir -p "$dir"
	export RULES=$dir/rules PROXY_LOG=$dir/log
	echo '[]' >"$RULES"
	: >"$PROXY_LOG"
	registry_bg "$dir/out" /usr/bin/python3 "$TOP/tests/lib/registry_proxy.py" "$1" "$RULES" "$PROXY_LOG" "$dir/ready" "${@:2}"
	wait_for 60 test -s "$dir/ready" || { cat "$dir/out"; return 1; }
}

# rules JSON: by rename, so that the proxy never reads half of them; the log begins anew.
rules() {
	printf '%s' "$1" >"$RULES.new"
	mv "$RULES.new" "$RULES"
	: >"$PROXY_LOG"
}

# A layout with one image, "test", of one small layer: image_layout DIR [FILE...]; $MANIFEST, $CONFIG, $LAYER
# are {digest, size} of its parts.
image_layout() {
	/usr/bin/python3 - "$@" <<'PY'
import gzip, hashlib, io, json, os, sys, tarfile
top = sys.argv[1]
os.makedirs(top + "/blobs/sha256", exist_ok=True)
def put(data):
    h = hashlib.sha256(data).hexdigest()
    with open(f"{top}/blobs/sha256/{h}", "wb") as f:
        f.write(data)
    return {"digest": "sha256:" + h, "size": len(data)}
raw = io.BytesIO()
with tarfile.open(fileobj=raw, mode="w", format=tarfile.PAX_FORMAT) as t:
    names = sys.argv[2:]
    for d in ("etc",):
        i = tarfile.TarInfo(d); i.type = tarfile.DIRTYPE; i.mode = 0o755; t.addfile(i)
    for n in names:
        t.add(n, arcname=os.path.basename(n), filter=lambda i: (setattr(i, "uid", 0), setattr(i, "gid", 0), i)[-1])
    data = os.urandom(300000)
    i = tarfile.TarInfo("etc/random"); i.size = len(data); t.addfile(i, io.BytesIO(data))
raw = raw.getvalue()
layer = put(gzip.compress(raw, mtime=0))
diff = "sha256:" + hashlib.sha256(raw).hexdigest()
arch = {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine, os.uname().machine)
entry = ["/" + os.path.basename(names[0])] if names else ["/bin/sh"]
config = put(json.dumps({"architecture": arch, "os": "linux", "config": {"Entrypoint": entry},
                         "rootfs": {"type": "layers", "diff_ids": [diff]}}).encode())
manifest = put(json.dumps({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
    "config": {"mediaType": "application/vnd.oci.image.config.v1+json", **config},
    "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", **layer}]}).encode())
json.dump({"schemaVersion": 2, "manifests": [{"mediaType": "application/vnd.oci.image.manifest.v1+json", **manifest,
    "annotations": {"org.opencontainers.image.ref.name": "test"}}]}, open(top + "/index.json", "w"))
json.dump({"imageLayoutVersion": "1.0.0"}, open(top + "/oci-layout", "w"))
with open(top + "/parts", "w") as f:
    for n, p in (("MANIFEST", manifest), ("CONFIG", config), ("LAYER", layer)):
        f.write(f"export {n}='{p['digest']} {p['size']}'\n")
PY
	# shellcheck disable=SC1091
	. "$1/parts"
	export LAYOUT=$1
}

# An index of the image for this machine and of one for another, in $LAYOUT and in the registry $R, "both": $BOTH and $OTHER.
make_index() {
	/usr/bin/python3 - "$LAYOUT" <<-'PY'
		import hashlib, json, os, sys
		top = sys.argv[1]
		def put(data):
		    h = hashlib.sha256(data).hexdigest()
		    open(f"{top}/blobs/sha256/{h}", "wb").write(data)
		    return {"digest": "sha256:" + h, "size": len(data)}
		x = json.load(open(top + "/index.json"))
		one = x["manifests"][0]
		m = json.load(open(f"{top}/blobs/sha256/{one['digest'][7:]}"))
		c = json.load(open(f"{top}/blobs/sha256/{m['config']['digest'][7:]}"))
		here = c["architecture"]
		c["architecture"] = "s390x"
		m["config"].update(put(json.dumps(c).encode()))
		other = put(json.dumps(m).encode())
		t = "application/vnd.oci.image.manifest.v1+json"
		both = put(json.dumps({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [
		    {"mediaType": t, **other, "platform": {"os": "linux", "architecture": "s390x"}},
		    {"mediaType": t, "digest": one["digest"], "size": one["size"], "platform": {"os": "linux", "architecture": here}}]}).encode())
		x["manifests"].append({"mediaType": "application/vnd.oci.image.index.v1+json", **both,
		                       "annotations": {"org.opencontainers.image.ref.name": "both"}})
		json.dump(x, open(top + "/index.json", "w"))
		open(top + "/parts", "a").write(f"export BOTH={both['digest']} OTHER={other['digest']}\n")
	PY
	# shellcheck disable=SC1091
	. "$LAYOUT/parts"
	skopeo_push "oci:$LAYOUT:both" "$R/lib/both:1" --all
}

# Copy an image with skopeo, in the world: skopeo_push SOURCE REFERENCE.
skopeo_push() { in_world skopeo --insecure-policy copy --dest-tls-verify=false "${@:3}" "$1" "docker://$2" >/dev/null; }

# oci WORD...: tests/lib/oci_source.c in the world; the outcome as `g` leaves it.  $WAIVED: words of -i.
oci() {
	local flags=() word
	for word in ${WAIVED:-}; do flags+=(-i "$word"); done
	status=0
	in_world env LIBEXEC="${GANTRY%/*}/../libexec/gantry" LOCAL="$LOCAL" timeout -k 5 "$GANTRY_TEST_TIMEOUT" \
		"$OCI_SOURCE" "${flags[@]}" "$@" >"$T/out" 2>"$T/err" </dev/null 3>&- 4>&- || status=$?
	output=$(tr -d '\0' <"$T/out" | head -c 4096)
	stderr=$(tr -d '\0' <"$T/err")
	COMMAND_SHOWN="status $status
--- stdout
$output
--- stderr
$stderr"
}

# assert_digest DIGEST: of what came on standard output.
assert_digest() { assert_equal "sha256:$(sha256sum <"$T/out" | cut -d' ' -f1)" "$1"; }

# asked REGEX: how many lines of the proxy's log match.
asked() { grep -cE -e "$1" "$PROXY_LOG" || :; }

# The digest that a registry has for a reference, by skopeo.
registry_digest() { in_world skopeo inspect --tls-verify=false --format '{{.Digest}}' "docker://$1"; }
