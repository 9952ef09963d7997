#!/bin/bash
# The layer rule: who may include whom, and what may be linked into what.
#
#   tests/layers.sh BUILD-DIR
set -u
cd "$(dirname "$(readlink -f "$0")")/.." || exit 1
build=$1
bad=0
say() { echo "$*"; bad=1; }

# DIRECTORY ALLOWED-PREFIX...: quoted includes outside the allowed ones.
includes() {
	local dir=$1 allowed
	shift
	allowed=$(printf '|%s' "$@")
	grep -rnE '^#include "' --include='*.[ch]' "$dir" | grep -vE "#include \"(${allowed#|})" |
		while read -r line; do echo "$line"; done
}

check() {
	local out
	out=$(includes "$@")
	[ -z "$out" ] || say "$1 includes what it must not:
$out"
}

check lib/base base/
check lib/spec base/ spec/
check lib/contract base/ spec/ contract/
check lib/sys base/ sys/
check lib/static base/
check stage0 base/ spec/ contract/ sys/ stage0/
check stage1 base/ spec/ contract/ sys/ stage1/
check stage2 base/ contract/ sys/ stage2/
check cni-plugins base/ sys/ cni-plugins/

# Only one place parses JSON.
out=$(grep -rnE 'cJSON_Parse' --include='*.c' lib stage0 stage1 stage2 cni-plugins | grep -vE '^lib/(base/json|static/)')
[ -z "$out" ] || say "JSON is parsed outside lib/base/json.c:
$out"

# gantry and stage1/run start fast: no heavy library.
for program in bin/gantry libexec/gantry/stage1/{ns,fly}/rootfs/run; do
	out=$(ldd "$build/$program" | grep -E 'libcurl|libgpgme|libarchive|libcrypto|libseccomp|libnl|libxml2|libmicrohttpd')
	[ -z "$out" ] || say "$program is linked with $out"
done

# What runs inside a pod depends on nothing, nor do the plugins (a sanitizer build is another matter).
for file in "$build"/libexec/gantry/{stage1/ns/rootfs/{init,monitor,stage2},cni/*}; do
	if nm -D "$file" 2>/dev/null | grep -q __asan_init; then continue; fi
	ldd "$file" 2>&1 | grep -qE 'not a dynamic executable|statically linked' || say "$file is not static"
done
exit $bad
