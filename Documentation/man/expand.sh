#!/bin/bash
# A man page's source on standard input, with the lines "@OPTIONS COMMAND@" and "@VERSION@" filled in.
#
#   expand.sh GANTRY VERSION
set -euo pipefail
while IFS= read -r line; do
	case $line in
	"@OPTIONS@") "$1" __doc ;;
	"@OPTIONS "*@)
		line=${line#@OPTIONS }
		read -ra words <<<"${line%@}"
		"$1" __doc "${words[@]}" ;;
	"@COMMANDS@") "$1" __doc commands ;;
	*) printf '%s\n' "${line//@VERSION@/$2}" ;;
	esac
done
