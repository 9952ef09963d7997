#!/bin/sh
# tree_list DIRECTORY: a line for each name below it with all that can be told of it: type, mode, owner, times,
# size and blocks of holes, link, device, content, attributes, and which names are one file.
cd "$1" || exit 1
find . -mindepth "${2:-0}" \( -type d -printf '%y %m %U:%G %T@ - - %p\n' \) -o \
	\( -type l -printf '%y %m %U:%G %T@ %s %l %p\n' \) -o \
	\( -type f -printf '%y %m %U:%G %T@ %s - %p\n' \) -o \
	\( -printf '%y %m %U:%G %T@ - - %p\n' \) | LC_ALL=C sort -k7
find . -type c -exec stat -c 'dev %t:%T %n' {} + -o -type b -exec stat -c 'dev %t:%T %n' {} + | LC_ALL=C sort
find . -type f -exec sha256sum {} + | LC_ALL=C sort -k2
find . ! -type d -links +1 -printf '%i %p\n' | LC_ALL=C sort -k2 | awk '{ if (!($1 in n)) n[$1] = $2; print "link", n[$1], $2 }'
find . -print0 | LC_ALL=C sort -z | xargs -0 -r getfattr -h -d -m - -e hex -- 2>/dev/null
