# image list: sizes, sorting, formats, short ids in all commands, many images.

load ../lib/gantry

setup_file() {
	suite_up
	T=$BATS_FILE_TMPDIR
	mkdir -p "$T/big/dir" "$T/middle" "$T/small"
	head -c 300000 /dev/urandom >"$T/big/dir/file"
	head -c 100000 /dev/urandom >"$T/middle/file"
	# in the order of the alphabet, of import and of size they differ
	make_aci "$T/b.aci" example.com/b '{"exec":["/probe"],"user":"0","group":"0"}' "$T/big"
	make_aci "$T/a.aci" example.com/a '{"exec":["/probe"],"user":"0","group":"0"}' "$T/small"
	make_aci "$T/c.aci" example.com/c '{"exec":["/probe"],"user":"0","group":"0"}' "$T/middle"
	gantry image rm example.com/probe >/dev/null
	for name in b c a; do
		gantry fetch "$T/$name.aci" >/dev/null
	done
}
teardown_file() { suite_down; }
setup() {
	test_up
	F=$BATS_FILE_TMPDIR
}
teardown() { test_down; }

names() { echo "$output" | sed 's,example.com/,,; s,:1.0.0,,' | xargs; }

@test "image list: the size is that of the archive and the tree" {
	local tar tree
	tar=$(stat -c %s "$F/b.aci")
	# the manifest is a file of its own as well
	tree=$((300000 + $(tar -xOf "$F/b.aci" manifest | wc -c)))
	g image list --full --no-legend --fields=name,size
	assert_ok
	assert_match "^example.com/b:1\.0\.0\s+$((tar + tree))$"
	g image list --format=json
	assert_json ".[] | select(.name == \"example.com/b:1.0.0\") | .size == $((tar + tree))"
	g image gc
	g image list --full --no-legend --fields=name,size
	assert_match "^example.com/b:1\.0\.0\s+$tar$"
	g image render example.com/b "$T/x"
	g image list --full --no-legend --fields=name,size
	assert_match "^example.com/b:1\.0\.0\s+$((tar + tree))$"
}

@test "image list: sorted by each key, both ways, and by several" {
	local row
	for row in 'name asc a b c' 'name desc c b a' 'importtime asc b c a' 'importtime desc a c b' 'size asc a c b' \
		'size desc b c a' 'lastused asc b c a' 'name,size asc a b c'; do
		set -- $row
		g image list --no-legend --fields=name --sort="$1" --order="$2"
		assert_ok
		assert_equal "$(names)" "${*:3}"
	done
	g image list --no-legend --fields=name
	assert_equal "$(names)" 'b c a'
	touch "$DATA/cas/image/sha512-$(image_key "$F/b.aci")/info"
	g image list --no-legend --fields=name --sort=lastused
	assert_equal "$(names)" 'c a b'
}

@test "image list: each field alone, in any order, none twice" {
	local field title
	while read -r field title; do
		g image list --fields="$field"
		assert_ok
		assert_equal "${lines[0]}" "$title"
		assert_equal "${#lines[@]}" 4
	done <<-END
		id ID
		name NAME
		size SIZE
		importtime IMPORT TIME
		lastused LAST USED
	END
	g image list --fields=size,id,name
	assert_equal "$(tr -s '\t' '|' <<<"${lines[0]}")" 'SIZE|ID|NAME'
	g image list --fields=id,id
	assert_refused 254 'twice'
	g image list --fields=
	assert_refused 254 'unknown field'
	g image list --sort=id
	assert_refused 254 'not by id'
	g image list --format=yaml
	assert_refused 254 'json or json-pretty'
	g image list word
	assert_refused 254 'unexpected argument'
}

@test "image list: formats" {
	g image list --format=json
	assert_ok
	assert_equal "${#lines[@]}" 1
	assert_json 'map(keys) | unique == [["id","import_time","last_used_time","name","size"]]'
	assert_json 'map(.name) == ["example.com/b:1.0.0","example.com/c:1.0.0","example.com/a:1.0.0"]'
	g image list --format=json-pretty --sort=name
	assert_ok
	[ "${#lines[@]}" -gt 10 ] || fail "not indented"
	assert_json 'map(.name) == ["example.com/a:1.0.0","example.com/b:1.0.0","example.com/c:1.0.0"]'
	rm -rf "$DATA"/cas/image/*
	g image list --format=json
	assert_ok
	assert_equal "$output" null
	g image list
	assert_equal "${#lines[@]}" 1
}

@test "image list: twelve digits, and two, name an image in every command" {
	local id len word
	id=sha512-$(image_key "$F/a.aci")
	# the shortest that no other begins with
	len=9
	while [ "$(cd "$DATA/cas/image" && ls -d "${id:0:len}"* | wc -l)" != 1 ]; do
		len=$((len + 1))
	done
	for word in "${id:0:19}" "${id:0:len}" "$id"; do
		g image export "$word" "$T/out.aci"
		assert_ok
		g image extract "$word" "$T/extracted"
		assert_ok
		g image render "$word" "$T/rendered"
		assert_ok
		g image cat-manifest "$word"
		assert_ok
		g image verify "$word"
		assert_ok
		g prepare --quiet "$word" --exec=/none
		assert_ok
		rm -rf "$T"/{out.aci,extracted,rendered}
	done
	g image rm "${id:0:19}"
	assert_ok
	assert_match "\"$id\""
	for word in sha512-1 sha512-; do
		for verb in 'cat-manifest' 'export' 'extract' 'render' 'verify'; do
			g image $verb "$word" $([[ $verb =~ ^(cat|ver) ]] || echo "$T/none")
			assert_refused 254 'image ID too short'
		done
		g prepare "$word"
		assert_refused 254 'image ID too short'
	done
	g image cat-manifest sha512-xyz
	assert_refused 254
	g image cat-manifest "${id:0:20}../../x"
	assert_refused 254
}

@test "image list: an ambiguous id is refused by every command" {
	local a=sha512-aa0 n verb
	for n in 0 1; do
		cp -a "$DATA/cas/image/sha512-$(image_key "$F/a.aci")" "$DATA/cas/image/$a$n$(printf '0%.0s' {1..124})"
		sed -i "s/sha512-[0-9a-f]*/$a$n$(printf '0%.0s' {1..124})/" "$DATA/cas/image/$a$n"*/info
	done
	for verb in cat-manifest export extract render verify; do
		g image $verb $a $([[ $verb =~ ^(cat|ver) ]] || echo "$T/none")
		assert_refused 254 'ambiguous image ID'
	done
	g image rm $a
	assert_err 'ambiguous image ID'
	g image cat-manifest "${a}1"
	assert_ok
}

@test "image list: cat-manifest with and without --pretty-print" {
	local how
	for how in '' --pretty-print --pretty-print=true; do
		g image cat-manifest $how example.com/a
		assert_ok
		assert_match $'^\t"acKind"'
	done
	g image cat-manifest --pretty-print=false example.com/a
	assert_ok
	assert_equal "${#lines[@]}" 1
	g image cat-manifest --pretty-print=perhaps example.com/a
	assert_refused 254 'neither true nor false'
}

@test "image list: a thousand images" {
	local info
	info=$(tr '\0' '\n' <"$DATA/cas/image/sha512-$(image_key "$F/a.aci")/info" | grep -v '^id=')
	for n in {1000..1999}; do
		id=sha512-$n$(printf '0%.0s' {1..124})
		mkdir "$DATA/cas/image/$id"
		printf '%s\nid=%s\n' "$info" "$id" | tr '\n' '\0' >"$DATA/cas/image/$id/info"
	done
	g image list --no-legend
	assert_ok
	assert_equal "${#lines[@]}" 1003
	g image list --format=json
	assert_json 'length == 1003'
	g image cat-manifest sha512-15
	assert_refused 254 'ambiguous'
	# one that is broken is named, and hinders nobody
	echo junk >"$DATA/cas/image/$id/info"
	g image list --no-legend
	assert_ok
	assert_equal "${#lines[@]}" 1002
	assert_err "$id"
	g image cat-manifest example.com/b:1.0.0
	assert_ok
	g image rm "$id"
	assert_ok
	g image list
	assert_equal "$stderr" ''
}
