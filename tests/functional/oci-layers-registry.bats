# Layers from a registry: what is moved, what is gone on with after a break, what a lying server gets.

load ../lib/gantry
load ../lib/layers
load ../lib/registry

R=127.0.0.1:5000
P=127.0.0.1:5010 # the proxy before R

setup_file() {
	need root registry python
	suite_up
	L=$BATS_FILE_TMPDIR
	registry_up plain 5000
	proxy_up "$R" "$P"
	head -c 400000 /dev/urandom >"$L/noise"
	"$MKTAR" dir:etc "from:etc/noise=$L/noise" | gzip >"$L/1.gz"
	"$MKTAR" file:two=2 | gzip >"$L/2.gz"
	"$MKTAR" file:three=3 >"$L/3"
	layout_make "$L/layout" both "$L/1.gz" "$L/2.gz"
	layout_make "$L/layout" more "$L/1.gz" "$L/2.gz" "$L/3"
	skopeo_push "oci:$L/layout:both" "$R/lib/app:both"
	skopeo_push "oci:$L/layout:more" "$R/lib/app:more"
}
teardown_file() {
	registry_down
	suite_down
}
setup() {
	test_up
	L=$BATS_FILE_TMPDIR
	INSECURE=image,http
	ONE=sha256:$(sha256sum "$L/1.gz" | cut -d' ' -f1)
	rules '[]'
}
teardown() { test_down; }

# Of the other layer there may be a beginning as well: how far it came nobody knows.
large_partials() { find "$DATA/cas/partial" -name blob -size +100k | wc -l; }

blobs_asked() { grep -c "GET /v2/lib/app/blobs/" "$PROXY_LOG" || :; }

@test "oci layers: of a second image only what is new is moved" {
	g fetch "docker://$P/lib/app:both"
	assert_ok
	assert_equal "$(blobs_asked)" 3 # two layers and the configuration
	assert_err "downloaded .*lib/app:both, layer sha256:[0-9a-f]{12} \(391 KiB\)"
	: >"$PROXY_LOG"
	g fetch "docker://$P/lib/app:more"
	assert_ok
	assert_equal "$(blobs_asked)" 2
	: >"$PROXY_LOG"
	# all is there
	g fetch "docker://$P/lib/app:both"
	assert_ok
	! grep "GET /v2/lib/app/blobs/$ONE" "$PROXY_LOG" || fail "it was fetched again"
}

@test "oci layers: a download that was given up is gone on with by the next fetch" {
	rules "[{\"path\":\"/blobs/$ONE\",\"cut\":150000,\"times\":1},{\"path\":\"/blobs/$ONE\",\"status\":404}]"
	g fetch "docker://$P/lib/app:both"
	assert_refused 254 "layer 1 of 2, $ONE: "
	assert_equal "$(large_partials)" 1
	# gc leaves it for a day
	g gc --grace-period=0s
	assert_ok
	assert_equal "$(large_partials)" 1
	rules '[]'
	g fetch "docker://$P/lib/app:both"
	assert_ok
	assert_err 'resuming .* are there'
	grep -qE "GET /v2/lib/app/blobs/$ONE .* bytes=1[0-9]{5}-" "$PROXY_LOG" || fail "$(cat "$PROXY_LOG")"
	assert_equal "$(ls -A "$DATA/cas/partial")" ''
	g image render --rootfs-only "$output" "$T/tree"
	cmp "$T/tree/etc/noise" "$L/noise"
}

@test "oci layers: a beginning that turns out bad is thrown away, and the whole is fetched" {
	head -c 150000 /dev/urandom >"$T/bad"
	rules "[{\"path\":\"/blobs/$ONE\",\"cut\":150000,\"times\":1},{\"path\":\"/blobs/$ONE\",\"status\":404}]"
	g fetch "docker://$P/lib/app:both"
	assert_refused 254 "layer 1 of 2, $ONE: "
	dd if="$T/bad" of="$(echo "$DATA"/cas/partial/*/blob)" bs=1000 seek=1 count=100 conv=notrunc 2>/dev/null
	rules '[]'
	g fetch "docker://$P/lib/app:both"
	assert_ok
	g image render --rootfs-only "$output" "$T/tree"
	cmp "$T/tree/etc/noise" "$L/noise"
}

@test "oci layers: other bytes than were asked for, too many, too few" {
	head -c "$(stat -c %s "$L/1.gz")" /dev/urandom >"$T/other"
	rules "[{\"path\":\"/blobs/$ONE\",\"status\":200,\"headers\":{},\"body_file\":\"$T/other\"}]"
	g fetch "docker://$P/lib/app:both"
	assert_refused 254 "layer 1 of 2, $ONE: (no tar archive|its digest is)"
	{ cat "$L/1.gz"; head -c 100000 /dev/zero; } >"$T/other"
	g fetch "docker://$P/lib/app:both"
	assert_refused 254 "layer 1 of 2, $ONE: "
	head -c 100000 "$L/1.gz" >"$T/other"
	g fetch "docker://$P/lib/app:both"
	assert_refused 254 "layer 1 of 2, $ONE: "
	# a good archive, but another
	layout_make "$T/l" other "$L/2.gz"
	cp "$L/2.gz" "$T/other"
	g fetch "docker://$P/lib/app:both"
	assert_refused 254 "layer 1 of 2, $ONE: "
	g gc --grace-period=0s
	assert_ok
	assert_equal "$(ls "$DATA/cas/blob" "$DATA/cas/image" | grep -cx "sha256-${ONE#*:}")" 0
	rules '[]'
	g fetch "docker://$P/lib/app:both"
	assert_ok
}

@test "oci layers: two fetches of one image move each byte once" {
	g_bg one fetch "docker://$P/lib/app:both"
	local first=$BG
	g_bg two fetch "docker://$P/lib/app:both"
	wait "$first"
	wait "$BG"
	assert_equal "$(grep -c "GET /v2/lib/app/blobs/$ONE" "$PROXY_LOG")" 1
	assert_equal "$(ls "$DATA/cas/blob" | wc -l)" 2
}
