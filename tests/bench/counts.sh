# shellcheck shell=bash disable=SC2086 # a command is a list of words
# System calls (strace) and instructions in user space (callgrind) of one app's run.
: "${W:?}" "${CGROUP:?}"

# count_calls NAME NAMESPACE|- COMMAND: all processes, the app's own few calls included.
count_calls() {
	local name=$1 enter=()
	[ "$2" = - ] || enter=(nsenter "--mount=$2")
	if ! timeout -k 5 60 "${enter[@]}" strace -f -c -q -o "$W/calls" $3 >/dev/null 2>"$W/error" </dev/null
	then
		missing "$name" "failed: $(reason)"
		return
	fi
	awk -v name="$name" '
		$1 ~ /^[0-9.]+$/ && $NF != "total" && NF >= 5 { calls[$NF] = $4; sum += $4 }
		END {
			printf "  %-16s %6d calls: ", name, sum
			for (i = 0; i < 9; i++) {
				best = ""
				for (c in calls)
					if (best == "" || calls[c] > calls[best])
						best = c
				if (best == "")
					break
				printf "%s%s %d", i ? ", " : "", best, calls[best]
				delete calls[best]
			}
			print ""
		}' "$W/calls"
}

# grind NAME yes|no COMMAND: run it under callgrind; prints the instructions of each dump it left.
# callgrind loses what a process did before an exec, so it is told to dump when one is near.
grind() {
	local file program
	rm -rf "$W/grind"
	mkdir "$W/grind"
	timeout -k 5 120 valgrind -q --tool=callgrind --vgdb=no "--trace-children=$2" \
		--dump-before=execve --dump-before=execveat --dump-before=fexecve \
		--callgrind-out-file="$W/grind/%p" $3 >/dev/null 2>"$W/error" </dev/null
	[ -n "$(ls "$W/grind")" ] || missing "$1" "under valgrind: $(reason)"
	for file in "$W"/grind/*; do
		[ -s "$file" ] || continue
		program=$(awk '$1 == "cmd:" { print $2; exit }' "$file")
		awk -v name="$1" -v program="${program##*/}" '/^(summary|totals):/ { n = $2 }
			END { printf "  %-16s %12d instructions of %s\n", name, n, program }' "$file"
	done
}

bench_counts() {
	local run="$G run --net=none $IMAGE_ID --exec=/bin/true"
	title 'system calls of one app without network, all processes'
	if have strace; then
		count_calls floor - "$FLOOR one -- /bin/true"
		if [ -n "$GANTRY_WHY" ]; then
			missing gantry "$GANTRY_WHY"
		else
			count_calls gantry - "$run"
		fi
		have crun && count_calls crun "$CRUN_NS" "$CRUN run --bundle $W/oci/crun/one count"
		have runc && count_calls runc - "$RUNC run --bundle $W/oci/runc/one count"
		have bwrap && count_calls bwrap - "$BWRAP /bin/true"
	else
		missing strace 'not installed (make bench-deps)'
	fi
	title 'instructions in user space of one app without network'
	if ! have valgrind; then
		missing valgrind 'not installed (make bench-deps)'
	elif [ -n "$GANTRY_WHY" ]; then
		missing gantry "$GANTRY_WHY"
	else
		# gantry becomes run by exec, and run becomes monitor: the dumps of the first are
		# overwritten by the second where both are followed.
		grind gantry no "$run"
		grind 'gantry, on' yes "$run"
		echo '  what comes after a clone that valgrind cannot follow is not counted'
	fi
	have bwrap && grind bwrap no "$BWRAP /bin/true"
}
