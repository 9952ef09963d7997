# shellcheck shell=bash disable=SC2086 # a command is a list of words
# gantry itself: the image that it runs, its pod manifests, its commands.
: "${W:?}" "${GANTRY:?}"

G="$GANTRY --dir=$W/gantry"
GANTRY_WHY=	# why gantry has no rows; empty when it has
IMAGE_ID=

# image_manifest NAME DIRECTORY: the limits are those of the floor.
image_manifest() {
	cat >"$2/manifest" <<-END
	{"acKind":"ImageManifest","acVersion":"0.8.11","name":"$1",
	 "labels":[{"name":"os","value":"linux"},{"name":"arch","value":"amd64"},{"name":"version","value":"1.0.0"}],
	 "app":{"exec":["/bin/true"],"user":"0","group":"0","isolators":[
	  {"name":"resource/memory","value":{"request":"64Mi","limit":"64Mi"}},
	  {"name":"os/linux/cpu-shares","value":512},
	  {"name":"gantry/pids","value":{"limit":"64"}}]}}
	END
}

# pod_manifest FILE EXEC-WORDS-AS-JSON: two apps of the one image.
pod_manifest() {
	local app
	app="\"image\":{\"id\":\"$IMAGE_ID\"},\"app\":{\"exec\":[$2],\"user\":\"0\",\"group\":\"0\",\"isolators\":[
	 {\"name\":\"resource/memory\",\"value\":{\"request\":\"64Mi\",\"limit\":\"64Mi\"}},
	 {\"name\":\"os/linux/cpu-shares\",\"value\":512},
	 {\"name\":\"gantry/pids\",\"value\":{\"limit\":\"64\"}}]}"
	cat >"$1" <<-END
	{"acVersion":"0.8.11","acKind":"PodManifest","apps":[{"name":"one",$app},{"name":"two",$app}]}
	END
}

subject_make() {
	if [ ! -x "$GANTRY" ]; then
		GANTRY_WHY="not built ($GANTRY)"
	else
		mkdir -p "$W/aci" "$W/gantry"
		ln -s "$W/rootfs" "$W/aci/rootfs"
		image_manifest bench.example/small "$W/aci"
		tar -C "$W/aci" -h -cf "$W/small.aci" manifest rootfs
		IMAGE_ID=$($G --insecure-options=image fetch --full "$W/small.aci" 2>"$W/error" |
			tail -n 1)
		[ -n "$IMAGE_ID" ] || GANTRY_WHY="fetch failed: $(reason)"
	fi
	if [ -n "$GANTRY_WHY" ]; then
		missing gantry "$GANTRY_WHY"
		return
	fi
	pod_manifest "$W/pod-true.json" '"/bin/true"'
	pod_manifest "$W/pod-sleep.json" '"/bin/sleep","1000"'
}

# gantry_row ARG...: as row, when there is a gantry.
gantry_row() {
	if [ -n "$GANTRY_WHY" ]; then
		missing gantry "$GANTRY_WHY"
	else
		row gantry "$@"
	fi
}

# gantry_start VARIABLE ARG...: run detached; the pod's UUID goes to the variable.
gantry_start() {
	local -n started=$1
	shift
	[ -z "$GANTRY_WHY" ] || { missing gantry "$GANTRY_WHY"; return 1; }
	started=$(timeout -k 5 60 $G run --detach "$@" 2>"$W/error" </dev/null | tail -n 1)
	[ -n "$started" ] || { missing gantry "run --detach failed: $(reason)"; return 1; }
}

gantry_end() {
	timeout -k 5 60 $G stop "$1" >/dev/null 2>&1
	timeout -k 5 60 $G rm "$1" >/dev/null 2>&1
}

# Pods that ended are left for gc; the figures of many rounds must not depend on how many there are.
GANTRY_GC="$G gc --grace-period=0s"

subject_remove() {
	[ -n "$GANTRY_WHY" ] || $GANTRY_GC >/dev/null 2>&1
}
