# What the shells are told: the functions, and the proposals behind them.

load ../lib/gantry

setup_file() { suite_up; }
teardown_file() { suite_down; }
setup() { test_up; }
teardown() { test_down; }

have_zsh() { command -v zsh >/dev/null; }

# complete_line LINE: what bash would offer at the end of LINE, one to a line in $output
complete_line() {
	status=0
	in_world bash -c 'PATH=$2:$PATH
		source <(gantry completion bash)
		COMP_LINE=$1 COMP_POINT=${#1} COMP_TYPE=9
		_gantry
		printf "%s\n" "${COMPREPLY[@]}"' - "$1" "${GANTRY%/*}" >"$T/out" 2>"$T/err" </dev/null || status=$?
	collect
}

@test "completion: bash gets commands, families and options" {
	complete_line 'gantry ru'
	assert_equal "$output" $'run\nrun-prepared'
	complete_line 'gantry image cat'
	assert_equal "$output" cat-manifest
	complete_line 'gantry run --hostn'
	assert_equal "$output" --hostname=
	complete_line 'gantry run --no-such'
	assert_equal "$output" ''
	complete_line 'gantry --debug st'
	assert_equal "$output" $'status\nstop'
	complete_line 'gantry nonsense '
	assert_equal "$output" ''
}

@test "completion: bash gets pods and images of the data directory that the line names" {
	g prepare --quiet "$PROBE_ID"
	local uuid=$output
	complete_line "gantry --dir=$DATA status ${uuid:0:4}"
	assert_equal "$output" "$uuid"
	complete_line "gantry --dir $DATA status ${uuid:0:4}"
	assert_equal "$output" "$uuid"
	complete_line "gantry --dir=$DATA image rm sha512-"
	assert_equal "$output" "$PROBE_ID"
	complete_line "gantry --dir=$T/none status "
	assert_equal "$output" ''
}

@test "completion: bash gets files where a path is meant" {
	touch "$T/unit.uuid"
	complete_line "gantry stop --uuid-file=$T/uni"
	assert_equal "$output" "$T/unit.uuid"
	complete_line "gantry stop --uuid-file $T/uni"
	assert_equal "$output" "$T/unit.uuid"
	complete_line "gantry fetch $T/uni"
	assert_equal "$output" "$T/unit.uuid"
}

@test "completion: called as rkt it speaks of rkt" {
	mkdir -p "$T/bin"
	ln -s "$GANTRY" "$T/bin/rkt"
	in_world "$T/bin/rkt" completion bash >"$T/out"
	grep -q '^complete -F _gantry gantry rkt$' "$T/out"
	in_world "$T/bin/rkt" __complete ver >"$T/out"
	grep -q '^version' "$T/out"
}

@test "completion: zsh gets the same" {
	need zsh
	g completion zsh
	assert_ok
	cp "$T/out" "$T/_gantry"
	zsh -n "$T/_gantry"
	cat >"$T/try.zsh" <<'END'
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell "PS1='' RPS1='' TERM=dumb; path=($2 \$path)"
zpty -w shell "autoload -Uz compinit; compinit -u -D; source $1; echo rea''dy"
zpty -r -m shell line '*ready*'
zpty -w -n shell $'gantry image cat\t'
zpty -r -m shell line '*cat-manifest*'
zpty -w -n shell $' --pret\t'
zpty -r -m shell line '*--pretty-print*'
zpty -d shell
echo found
END
	timeout "$GANTRY_TEST_TIMEOUT" zsh -f "$T/try.zsh" "$T/_gantry" "${GANTRY%/*}" >"$T/zsh.out" 2>&1 </dev/null 3>&- || { cat "$T/zsh.out"; false; }
	grep -q found "$T/zsh.out"
}

@test "completion: an unknown shell is refused by name" {
	g completion fish
	assert_refused 254 'no completion for "fish"'
	g completion
	assert_refused 254 'one shell is needed'
}
