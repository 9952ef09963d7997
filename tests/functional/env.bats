# Variables of apps: where they come from, which wins, and what is no variable.

load ../lib/gantry

setup_file() {
	suite_up
	make_aci "$BATS_FILE_TMPDIR/env.aci" example.com/env '{"exec":["/probe","env","A","B","C","D","E"],"user":"0","group":"0","environment":[{"name":"A","value":"image"},{"name":"B","value":"image"},{"name":"C","value":"image"},{"name":"D","value":"image"}]}'
	gantry fetch "$BATS_FILE_TMPDIR/env.aci" >/dev/null
	ENV_ID=sha512-$(image_key "$BATS_FILE_TMPDIR/env.aci")
	export ENV_ID
}
teardown_file() { suite_down; }
setup() { test_up; }
teardown() { test_down; }

n() { g run --net=none "$@"; }

@test "env: from low to high: caller, image, file, flag for all, flag for one" {
	export A=caller B=caller C=caller D=caller E=caller
	n "$ENV_ID"
	assert_out A=image B=image C=image D=image 'E is unset'
	n --inherit-env "$ENV_ID"
	assert_out A=image B=image C=image D=image E=caller
	printf 'B=file\nC=file\nD=file\n' >"$T/env"
	n --inherit-env --set-env-file="$T/env" --set-env=C=all --set-env=D=all "$ENV_ID" --environment=D=one
	assert_ok
	assert_out A=image B=file C=all D=one E=caller
	# the order on the command line changes nothing
	n --set-env=D=all "$ENV_ID" --environment=D=one --set-env=C=all --set-env-file="$T/env"
	assert_ok
	assert_out B=file C=all D=one
}

@test "env: prepare decides, not run-prepared" {
	export E=at-prepare
	g prepare --quiet --inherit-env --set-env=A=all "$ENV_ID" --environment=B=one
	UUID=$output
	E=at-run
	g run-prepared --net=none "$UUID"
	assert_ok
	assert_out A=all B=one C=image E=at-prepare
	g run-prepared --set-env=A=1 "$UUID"
	assert_refused 254 'unknown flag: --set-env'
}

@test "env: --set-env is for all apps, --environment for the one" {
	need ns-flavor
	n --set-env=A=all "$ENV_ID" --name=one --environment=B=mine --- "$ENV_ID" --name=two
	assert_ok
	assert_out 'one: A=all' 'two: A=all' 'one: B=mine' 'two: B=image'
}

@test "env: values are taken as they are" {
	n --set-env='A=with = sign' --set-env=B= --set-env='C=$HOME "x"' "$ENV_ID" --environment="D=two
lines"
	assert_ok
	assert_out 'A=with = sign' 'B=' 'C=$HOME "x"'
}

@test "env: a file skips empty lines and remarks, and needs no line feed at its end" {
	printf '# remark\n; another\n\nA=1\nB=#2\nC=;3\nD=4' >"$T/env"
	n --set-env-file="$T/env" "$ENV_ID"
	assert_ok
	assert_out A=1 'B=#2' 'C=;3' D=4
	# a pipe does as well
	status=0
	gantry run --net=none --set-env-file=/dev/stdin "$ENV_ID" <<<'A=piped' >"$T/out" 2>"$T/err" || status=$?
	collect
	assert_ok
	assert_out A=piped
}

@test "env: several files are one: a name twice is an error" {
	echo A=1 >"$T/one"
	echo B=2 >"$T/two"
	n --set-env-file="$T/one" --set-env-file="$T/two" "$ENV_ID"
	assert_ok
	assert_out A=1 B=2
	echo A=2 >>"$T/two"
	n --set-env-file="$T/one" --set-env-file="$T/two" "$ENV_ID"
	assert_refused 254 "$T/two" 'line 2' '"A" is there twice'
}

@test "env: what is refused, by name" {
	n --set-env=A "$ENV_ID"
	assert_refused 254 '--set-env: "A": expected NAME=VALUE'
	n --set-env==x "$ENV_ID"
	assert_refused 254 '--set-env'
	n --set-env=A=1 --set-env=A=1 "$ENV_ID"
	assert_refused 254 '--set-env: environment variable "A" is there twice'
	n "$ENV_ID" --environment=A=1 --environment=A=2
	assert_refused 254 '--environment: environment variable "A" is there twice'
	n "$ENV_ID" --environment=A
	assert_refused 254 '--environment: "A": expected NAME=VALUE'
	n --environment=A=1 "$ENV_ID"
	assert_refused 254 '--environment must follow an image'
	echo 'no sign' >"$T/env"
	n --set-env-file="$T/env" "$ENV_ID"
	assert_refused 254 "$T/env" 'line 1' '"no sign": expected NAME=VALUE'
	n --set-env-file="$T/missing" "$ENV_ID"
	assert_refused 254 --set-env-file "$T/missing" 'No such file'
	printf 'A=1\0B=2\n' >"$T/env"
	n --set-env-file="$T/env" "$ENV_ID"
	assert_refused 254 'NUL'
	[ -z "$(ls "$DATA/pods/prepare" "$DATA/pods/run" 2>/dev/null)" ] || ! find "$DATA/pods" -mindepth 2 -maxdepth 2 -type d | grep . || fail "a pod was made"
}

@test "env: enter sees the same" {
	start_pod "$PROBE_ID" --name=app --environment=X=1 -- pause
	TERM=dumb g enter "$UUID" /probe env X AC_APP_NAME
	assert_ok
	assert_out X=1 AC_APP_NAME=app
}
