# shellcheck shell=bash disable=SC2086 # a command is a list of words
# System calls (strace) and instructions (callgrind) of one app's run.
: "${W:?}" "${CGROUP:?}"

# count_calls NAME NAMESPACE|- COMMAND: all processes, the app's own few calls included.
count_calls() {
	local name=$1 enter=()
	[ "$2" = - ] || enter=(nsenter "--mount=$2")
	if ! timeout -k 5 60 "${enter[@]}" strace -f -c -q -o "$W/calls" $3 >/dev/null 2>"$W/error" </dev/null
	then
		missing "$name" "failed: $(tail -n 1 "$W/error")"
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

# count_instructions NAME COMMAND: one line per program that was executed on the way. The kernel's
# share is not in it, nor what a static program does after a clone that valgrind cannot follow.
count_instructions() {
	local name=$1 file program total=0 n
	rm -rf "$W/grind"
	mkdir "$W/grind"
	timeout -k 5 120 valgrind --tool=callgrind --trace-children=yes -q \
		--callgrind-out-file="$W/grind/%p" $2 >/dev/null 2>"$W/error" </dev/null ||
		missing "$name" "under valgrind: $(tail -n 1 "$W/error")"
	for file in "$W"/grind/*; do
		[ -s "$file" ] || continue
		program=$(sed -n 's/^cmd: *\([^ ]*\).*/\1/p' "$file" | head -n 1)
		n=$(awk '/^(summary|totals):/ { n = $2 } END { print n + 0 }' "$file")
		printf '  %-16s %12d instructions of %s\n' "$name" "$n" "${program##*/}"
		total=$((total + n))
	done
	printf '  %-16s %12d instructions in all\n' "$name" "$total"
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
		count_instructions gantry "$run"
	fi
}
