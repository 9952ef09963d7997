#!/bin/bash
# Each header compiles alone.
set -u
cd "$(dirname "$(readlink -f "$0")")/.." || exit 1
bad=0
flags=$(pkg-config --cflags gpgme 2>/dev/null)
for h in $(git ls-files '*.h' 2>/dev/null || find lib stage0 stage1 stage2 cni-plugins -name '*.h'); do
	case $h in
	tests/* | lib/base/banned.h) continue ;;
	esac
	# shellcheck disable=SC2086
	gcc -std=gnu17 -D_GNU_SOURCE -Wall -I. -Ilib $flags -include lib/base/banned.h -fsyntax-only -x c "$h" 2>&1 |
		grep -v 'pragma once in main file' | grep -E 'error|warning: .*(implicit|declared inside)' && { echo "$h"; bad=1; }
done
exit $bad
