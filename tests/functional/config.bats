# Configuration: which files are read, how they are merged, and what is wrong with one.

load ../lib/gantry

setup_file() {
	need root
	world_up
}
teardown_file() { world_down; }
setup() {
	sandbox_up "$BATS_TEST_TMPDIR"
	USERDIR=$T/user
	mkdir -p "$USERDIR"
}
teardown() { test_down; }

# put DIR/SUBDIR/FILE MEMBERS: a file of that kind, version v1; MEMBERS is JSON without the braces.
put() {
	local kind=$2
	mkdir -p "${1%/*}"
	printf '{"rktKind":"%s","rktVersion":"v1"%s}\n' "$kind" "${3:+,$3}" >"$1"
	chmod 600 "$1"
}
basic() { printf '"domains":["%s"],"type":"basic","credentials":{"user":"%s","password":"%s"}' "$1" "$2" "$3"; }

config() { g config --user-config="$USERDIR" --pretty-print=false "$@"; }
entry() { assert_json ".stage0 | any(. == ({rktVersion:\"v1\"} + $1))"; }

# --- printing ---

@test "config: nothing is configured" {
	config
	assert_ok
	assert_equal "$output" '{"stage0":[]}'
	rm -rf "$SYSTEM" "$LOCAL" "$USERDIR"
	config
	assert_equal "$output" '{"stage0":[]}'
	assert_equal "$stderr" ''
}

@test "config: indented unless --pretty-print=false" {
	put "$LOCAL/paths.d/p.json" paths '"data":"/srv/x"'
	g config
	assert_ok
	[ "${#lines[@]}" -gt 3 ] || fail "one line"
	assert_json '.stage0[0].data == "/srv/x"'
	g config --pretty-print=false
	assert_equal "${#lines[@]}" 1
	g config --pretty-print
	[ "${#lines[@]}" -gt 3 ] || fail "one line"
}

@test "config: options of a command may stand before it, as with rkt" {
	put "$LOCAL/paths.d/p.json" paths '"data":"/srv/x"'
	g --pretty-print=false --debug config
	assert_ok
	assert_equal "${#lines[@]}" 1
	g --no-legend=true image list
	assert_ok
	assert_equal "$output" ''
	g --pretty-print=false list
	assert_refused 254 'unknown flag: --pretty-print'
	g --pretty-print=false
	assert_refused 2 'missing command'
	g --no-such config
	assert_refused 254 'unknown flag: --no-such'
}

@test "config: takes no words" {
	g config auth
	assert_refused 254 'takes no argument: "auth"'
}

@test "config: anybody may read what he can read" {
	put "$LOCAL/paths.d/p.json" paths '"data":"/srv/x"'
	chmod 644 "$LOCAL/paths.d/p.json"
	chmod 755 "$T" "$LOCAL" "$LOCAL/paths.d"
	local dir=$T
	while [ "$dir" != / ]; do
		[ "$(stat -c %a "$dir" | tail -c 2)" != 0 ] || skip "$dir is closed"
		dir=${dir%/*}
		dir=${dir:-/}
	done
	status=0
	in_world setpriv --reuid=65534 --regid=65534 --clear-groups "$GANTRY" --local-config="$LOCAL" \
		--system-config="$SYSTEM" config --pretty-print=false >"$T/out" 2>"$T/err" || status=$?
	collect
	assert_ok
	assert_json '.stage0[0].data == "/srv/x"'
}

@test "config: secrets are printed when they are asked for, and only then" {
	put "$LOCAL/auth.d/a.json" auth "$(basic a.example user pass-1)"
	put "$LOCAL/auth.d/b.json" auth '"domains":["b.example"],"type":"oauth","credentials":{"token":"token-2"}'
	put "$LOCAL/auth.d/c.json" auth '"domains":["c.example"],"type":"aws","credentials":{"accessKeyID":"AKID","secretAccessKey":"key-3"}'
	put "$LOCAL/auth.d/d.json" dockerAuth '"registries":["d.example"],"credentials":{"user":"du","password":"pass-4"}'
	config
	assert_ok
	for secret in pass-1 token-2 key-3 pass-4; do refute_match "$secret"; done
	entry '{rktKind:"auth",domains:["a.example"],type:"basic",credentials:{user:"user",password:"(hidden)"}}'
	entry '{rktKind:"auth",domains:["c.example"],type:"aws",credentials:{accessKeyID:"AKID",secretAccessKey:"(hidden)",awsRegion:"us-east-1"}}'
	g config --debug
	for secret in pass-1 token-2 key-3 pass-4; do
		! grep -q "$secret" "$T/out" "$T/err" || fail "$secret"
	done
	config --show-secrets
	entry '{rktKind:"auth",domains:["a.example"],type:"basic",credentials:{user:"user",password:"pass-1"}}'
	entry '{rktKind:"auth",domains:["b.example"],type:"oauth",credentials:{token:"token-2"}}'
	entry '{rktKind:"auth",domains:["c.example"],type:"aws",credentials:{accessKeyID:"AKID",secretAccessKey:"key-3",awsRegion:"us-east-1"}}'
	entry '{rktKind:"dockerAuth",registries:["d.example"],credentials:{user:"du",password:"pass-4"}}'
}

@test "config: no message shows a secret" {
	put "$LOCAL/auth.d/a.json" auth '"domains":["a.example"],"type":"basic","credentials":{"user":"u","password":"pa\nss"}'
	config
	assert_refused 254 'auth.d/a.json: credentials.password: control character'
	! grep -q 'pa' <<<"${stderr#*password:}" || fail "shown"
	put "$LOCAL/auth.d/a.json" auth '"domains":["a.example"],"type":"oauth","credentials":{"token":["pass"]}'
	config
	assert_refused 254 'auth.d/a.json: credentials.token: expected string'
}

@test "config: credentials that everybody can read" {
	put "$LOCAL/auth.d/a.json" auth "$(basic a.example user pass)"
	config
	assert_equal "$stderr" ''
	chmod 644 "$LOCAL/auth.d/a.json"
	config
	assert_ok
	assert_err "warning: everybody can read the credentials in $LOCAL/auth.d/a.json \(chmod o-r\)"
	chmod 700 "$LOCAL/auth.d"
	config
	assert_equal "$stderr" ''
}

# --- merging ---

@test "config: auth is merged by domain, later directories win" {
	put "$SYSTEM/auth.d/s.json" auth '"domains":["one.example","two.example","three.example:8443"],"type":"basic","credentials":{"user":"s","password":"s"}'
	put "$LOCAL/auth.d/l.json" auth "$(basic two.example l l)"
	put "$USERDIR/auth.d/u.json" auth '"domains":["One.Example"],"type":"oauth","credentials":{"token":"u"}'
	config --show-secrets
	assert_ok
	assert_json '.stage0 | length == 3'
	entry '{rktKind:"auth",domains:["one.example"],type:"oauth",credentials:{token:"u"}}'
	entry '{rktKind:"auth",domains:["two.example"],type:"basic",credentials:{user:"l",password:"l"}}'
	entry '{rktKind:"auth",domains:["three.example:8443"],type:"basic",credentials:{user:"s",password:"s"}}'
}

@test "config: dockerAuth is merged by registry" {
	put "$SYSTEM/auth.d/d.json" dockerAuth '"registries":["quay.io","gcr.io"],"credentials":{"user":"s","password":"s"}'
	put "$USERDIR/auth.d/d.json" dockerAuth '"registries":["gcr.io"],"credentials":{"user":"u","password":"u"}'
	config --show-secrets
	assert_json '.stage0 | length == 2'
	entry '{rktKind:"dockerAuth",registries:["quay.io"],credentials:{user:"s",password:"s"}}'
	entry '{rktKind:"dockerAuth",registries:["gcr.io"],credentials:{user:"u",password:"u"}}'
}

@test "config: paths and stage1 are merged field by field" {
	put "$SYSTEM/paths.d/p.json" paths '"data":"/s/data","stage1-images":"/s/images"'
	put "$USERDIR/paths.d/p.json" paths '"data":"/u/data"'
	put "$LOCAL/stage1.d/s.json" stage1 '"name":"example.com/s1","version":"1.2.3","location":"https://example.com/s1.aci"'
	put "$USERDIR/stage1.d/s.json" stage1 '"location":"/u/s1.aci"'
	config
	entry '{rktKind:"paths",data:"/u/data","stage1-images":"/s/images"}'
	entry '{rktKind:"stage1",name:"example.com/s1",version:"1.2.3",location:"/u/s1.aci"}'
}

@test "config: one directory may say a thing in several files, but only once" {
	put "$LOCAL/paths.d/a.json" paths '"data":"/l/data"'
	put "$LOCAL/paths.d/b.json" paths '"stage1-images":"/l/images"'
	config
	entry '{rktKind:"paths",data:"/l/data","stage1-images":"/l/images"}'
	put "$LOCAL/paths.d/c.json" paths '"data":"/l/data"'
	config
	assert_refused 254 "$LOCAL/paths.d/c.json: data: another file of this directory sets it too"
	rm "$LOCAL/paths.d/c.json"
	put "$LOCAL/auth.d/a.json" auth "$(basic a.example u p)"
	put "$LOCAL/auth.d/b.json" auth "$(basic A.example u p)"
	config
	assert_refused 254 "$LOCAL/auth.d/b.json: domains\[0\]: \"A.example\" has credentials in this directory already"
	rm "$LOCAL/auth.d/b.json"
	put "$LOCAL/auth.d/c.json" dockerAuth '"registries":["r.example","r.example"],"credentials":{"user":"u","password":"p"}'
	config
	assert_refused 254 'c.json: registries\[1\]: "r.example" has credentials in this directory already'
	rm "$LOCAL/auth.d/c.json"
	put "$LOCAL/stage1.d/a.json" stage1 '"location":"/a"'
	put "$LOCAL/stage1.d/b.json" stage1 '"name":"example.com/s1","version":"1"'
	config
	entry '{rktKind:"stage1",name:"example.com/s1",version:"1",location:"/a"}'
	put "$LOCAL/stage1.d/c.json" stage1 '"location":"/b"'
	config
	assert_refused 254 'stage1.d/c.json: location: another file of this directory sets it too'
}

@test "config: only *.json files directly in the directory" {
	put "$LOCAL/paths.d/a.json" paths '"data":"/l/data"'
	echo nonsense >"$LOCAL/paths.d/README"
	echo nonsense >"$LOCAL/paths.d/.hidden.json"
	echo nonsense >"$LOCAL/paths.d/old.json.bak"
	mkdir -p "$LOCAL/paths.d/sub"
	echo nonsense >"$LOCAL/paths.d/sub/x.json"
	mkdir -p "$LOCAL/other.d"
	echo nonsense >"$LOCAL/other.d/x.json"
	config
	assert_ok
	assert_equal "$stderr" ''
	assert_json '.stage0 | length == 1'
}

@test "config: links, directories and pipes are left out, and that is said" {
	echo nonsense >"$T/elsewhere"
	mkdir -p "$LOCAL/paths.d/dir.json"
	ln -s "$T/elsewhere" "$LOCAL/paths.d/link.json"
	mkfifo "$LOCAL/paths.d/pipe.json"
	config
	assert_ok
	for name in dir link pipe; do
		assert_err "warning: configuration $LOCAL/paths.d/$name.json is not a regular file: left out"
	done
}

# --- what is wrong with a file ---

@test "config: each broken file is named, with the place in it" {
	local sub text want
	while IFS='|' read -r sub text want; do
		[ -n "$sub" ] || continue
		rm -rf "$LOCAL"
		mkdir -p "$LOCAL/$sub"
		printf '%s' "$text" >"$LOCAL/$sub/x.json"
		chmod 600 "$LOCAL/$sub/x.json"
		g config
		assert_refused 254 "configuration $LOCAL/$sub/x.json: $want"
	done <<-'EOT'
		paths.d|{|JSON: line 1, column 2
		paths.d|[]|expected object
		paths.d|{}|rktKind: required member is missing
		paths.d|{"rktKind":"paths"}|rktVersion: required member is missing
		paths.d|{"rktKind":"","rktVersion":"v1"}|rktKind: "": must not be empty
		paths.d|{"rktKind":"auth","rktVersion":"v1"}|rktKind: "auth" is no kind of paths.d \(it has: paths\)
		auth.d|{"rktKind":"paths","rktVersion":"v1"}|rktKind: "paths" is no kind of auth.d \(it has: auth, dockerAuth\)
		paths.d|{"rktKind":"paths","rktVersion":"v2"}|rktVersion: "v2" of kind paths is not known, only "v1"
		paths.d|{"rktKind":"paths","rktVersion":"v1","datta":"/x"}|datta: unknown member
		paths.d|{"rktKind":"paths","rktVersion":"v1","data":"x"}|data: "x": not an absolute path
		paths.d|{"rktKind":"paths","rktVersion":"v1","data":7}|data: expected string
		paths.d|{"rktKind":"paths","rktVersion":"v1","data":"/a","data":"/b"}|.*duplicate member "data"
		stage1.d|{"rktKind":"stage1","rktVersion":"v1","name":"a/b"}|version: missing, and name is there: both or none
		stage1.d|{"rktKind":"stage1","rktVersion":"v1","version":"1"}|name: missing, and version is there: both or none
		stage1.d|{"rktKind":"stage1","rktVersion":"v1","location":"some/where.aci"}|location: .*default stage1 image location is either a relative path or a URL without scheme
		stage1.d|{"rktKind":"stage1","rktVersion":"v1","location":"ftp://h/x.aci"}|location: .*default stage1 image location URL has invalid scheme
		auth.d|{"rktKind":"auth","rktVersion":"v1"}|domains: required member is missing
		auth.d|{"rktKind":"auth","rktVersion":"v1","domains":[],"type":"basic","credentials":{}}|domains: must not be empty
		auth.d|{"rktKind":"auth","rktVersion":"v1","domains":["https://h/"],"type":"basic","credentials":{}}|domains\[0\]: "https://h/": expected HOST or HOST:PORT
		auth.d|{"rktKind":"auth","rktVersion":"v1","domains":["h"],"type":"digest","credentials":{}}|type: "digest": basic, oauth or aws
		auth.d|{"rktKind":"auth","rktVersion":"v1","domains":["h"],"type":"basic"}|credentials: required member is missing
		auth.d|{"rktKind":"auth","rktVersion":"v1","domains":["h"],"type":"basic","credentials":{"user":"u"}}|credentials.password: required member is missing
		auth.d|{"rktKind":"auth","rktVersion":"v1","domains":["h"],"type":"basic","credentials":{"user":"u","password":""}}|credentials.password: must not be empty
		auth.d|{"rktKind":"auth","rktVersion":"v1","domains":["h"],"type":"basic","credentials":{"user":"u:v","password":"p"}}|credentials.user: "u:v": a user name has no colon
		auth.d|{"rktKind":"auth","rktVersion":"v1","domains":["h"],"type":"basic","credentials":{"user":"u","password":"p","token":"t"}}|credentials.token: unknown member
		auth.d|{"rktKind":"auth","rktVersion":"v1","domains":["h"],"type":"oauth","credentials":{}}|credentials.token: required member is missing
		auth.d|{"rktKind":"auth","rktVersion":"v1","domains":["h"],"type":"aws","credentials":{"accessKeyID":"a"}}|credentials.secretAccessKey: required member is missing
		auth.d|{"rktKind":"dockerAuth","rktVersion":"v1","domains":["h"],"credentials":{"user":"u","password":"p"}}|domains: unknown member
		auth.d|{"rktKind":"dockerAuth","rktVersion":"v1","registries":[],"credentials":{"user":"u","password":"p"}}|registries: must not be empty
	EOT
}

@test "config: empty words of generated files are none" {
	put "$LOCAL/stage1.d/s.json" stage1 '"name":"","version":"","location":""'
	put "$LOCAL/paths.d/p.json" paths '"data":"","stage1-images":""'
	config
	assert_ok
	assert_equal "$output" '{"stage0":[]}'
}

@test "config: a file that is too large, a directory that is none" {
	mkdir -p "$LOCAL/paths.d"
	head -c 2000000 /dev/zero | tr '\0' ' ' >"$LOCAL/paths.d/big.json"
	config
	assert_refused 254 "$LOCAL/paths.d/big.json"
	rm -r "$LOCAL/paths.d"
	echo x >"$LOCAL/paths.d"
	config
	assert_refused 254 "configuration $LOCAL/paths.d: Not a directory"
}

# --- what it does ---

@test "config: paths.data is where pods and images are, and --dir wins" {
	put "$LOCAL/paths.d/p.json" paths "\"data\":\"$T/configured\""
	fixtures_up
	in_world "$GANTRY" --local-config="$LOCAL" --system-config="$SYSTEM" --insecure-options=image \
		fetch "$FIX/probe.aci" >/dev/null
	[ -d "$T/configured/cas/image" ] || fail "not there"
	[ ! -d "$DATA/cas" ] || fail "in the other one"
	g image list --no-legend
	assert_equal "$output" ''
	g fetch "$FIX/probe.aci"
	assert_ok
	[ -d "$DATA/cas/image" ] || fail "--dir did not win"
}

@test "config: a broken paths.d stops every command that would use it" {
	mkdir -p "$LOCAL/paths.d"
	echo '{}' >"$LOCAL/paths.d/x.json"
	status=0
	in_world "$GANTRY" --local-config="$LOCAL" --system-config="$SYSTEM" list >"$T/out" 2>"$T/err" || status=$?
	collect
	assert_refused 254 'paths.d/x.json: rktKind: required member is missing'
	g list
	assert_ok
}
