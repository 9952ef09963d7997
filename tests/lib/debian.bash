# shellcheck shell=bash disable=SC2154
# The Debian root file system that tests/lib/debian.sh has made: $DEBIAN.

DEBIAN_MADE=${PROBE%/*}/debian
DEBIAN=${GANTRY_TEST_DEBIAN:-$DEBIAN_MADE/root}

have_debian() { [ -n "${GANTRY_TEST_DEBIAN:-}" ] || [ -e "$DEBIAN_MADE/done" ]; }

# need debian, with the reason why there is none.
need_debian() {
	have_debian && return
	case ,$GANTRY_TEST_REQUIRE, in
	*,debian,* | *,all,*) need debian ;;
	*) skip "no Debian root file system: $(cat "$DEBIAN_MADE/why" 2>/dev/null || echo 'make debian-root makes it')" ;;
	esac
}
