# shellcheck shell=bash disable=SC2086 # a command is a list of words
# What is looked at often: lists of many pods. Half of them prepared, half exited.
: "${W:?}" "${GANTRY:?}"

LIST_PODS=1000
L="$GANTRY --dir=$W/list"

# One pod of each kind is made, and copied with what its files link to: each copy is as good as it.
list_make() {
	local phase one uuid n
	mkdir "$W/list"
	$L --insecure-options=image fetch "$W/small.aci" >/dev/null 2>"$W/error" </dev/null &&
		$L prepare bench.example/small >/dev/null 2>"$W/error" </dev/null &&
		$L run --net=none bench.example/small >/dev/null 2>"$W/error" </dev/null || return 1
	for phase in prepared run; do
		one=$(ls -d "$W/list/pods/$phase"/*)
		for ((n = 1; n < LIST_PODS / 2; n++)); do
			read -r uuid </proc/sys/kernel/random/uuid
			cp -a "$one" "${one%/*}/$uuid"
		done
	done
}

bench_list() {
	title "list of $LIST_PODS pods (target: 10 ms of CPU)"
	if [ -n "$GANTRY_WHY" ] || ! list_make; then
		missing gantry "${GANTRY_WHY:-no pods: $(reason)}"
		return
	fi
	row 'list' 1 1 - - "$L list"
	row 'list --full' 1 1 - - "$L list --full"
	row 'list --format=json' 1 1 - - "$L list --format=json"
	row 'list --format=json-pretty' 1 1 - - "$L list --format=json-pretty"
	measure
	rm -rf "$W/list"
}
