# Documentation/rkt-compatibility.md says what the program says.

load ../lib/gantry

setup_file() {
	need root
	world_up
}
teardown_file() { world_down; }
setup() {
	sandbox_up "$BATS_TEST_TMPDIR"
	INSECURE=
}

# rows: "COMMAND FLAG STATE" of every table with a flag; COMMAND may have a space, written as _
rows() {
	awk -F'|' '
		/^## Where/ { exit }
		/^\| *(Command|Flag|Question|---)/ { next }
		/^\|/ {
			n = split($0, c, / *\| */)
			if (c[2] ~ /^`--/) { cmd = "-"; flag = c[2]; state = c[3] }
			else if (n >= 6) { cmd = c[2]; flag = c[3]; state = c[4] }
			else next
			gsub(/`/, "", flag); gsub(/ /, "_", cmd)
			print cmd, (flag == "" ? "-" : flag), state
		}' "$TOP/Documentation/rkt-compatibility.md"
}

@test "compatibility: every flag that is listed is there, or refused as it says" {
	local cmd flag state words bad=
	while read -r cmd flag state; do
		read -r -a words <<<"${cmd//_/ }"
		[ "$cmd" != - ] || words=(run)
		case $state in
		refused)
			if [ "$flag" = - ]; then
				g "${words[0]}"
			else
				g run "$flag" x
			fi
			[ "$status" = 254 ] || bad+="$cmd $flag is not refused;"
			;;
		same | differs | ours)
			g help "${words[@]}"
			[ "$status" = 0 ] || bad+="no command $cmd;"
			if [ "$flag" != - ] && ! grep -qE -- "^ +(-., )?$flag([=[ ]|\$)" "$T/out"; then
				g "${words[@]}" "$flag=x"
				! grep -q 'unknown flag' "$T/err" || bad+="$cmd has no $flag;"
			fi
			;;
		*) bad+="$cmd $flag: state $state;" ;;
		esac
	done < <(rows)
	[ -z "$bad" ] || fail "$bad"
	[ "$(rows | wc -l)" -gt 90 ]
}

@test "compatibility: every flag of rkt's that the program has is listed" {
	local c flag
	for c in run prepare run-prepared list status stop rm gc cat-manifest enter export fetch trust config; do
		g __doc "$c"
		for flag in $(grep -oE -- '--[a-z0-9-]+\*' "$T/out" | tr -d '*'); do
			grep -q -- "\`$flag\`" "$TOP/Documentation/rkt-compatibility.md" || fail "$c $flag is not in the table"
		done
	done
}
