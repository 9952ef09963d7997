# What stage0 executes to start a pod: plans, starts, and becomes the monitor.

RUN_SRC := $(wildcard stage1/run/*.c) $(wildcard stage1/net/*.c) stage1/seccomp/cache.c stage1/seccomp/text.c

# libcap as an archive: of a whole library to load and bind, two tables of names are used.
$(eval $(call program,libexec/gantry/stage1/ns/rootfs/run,$(RUN_SRC),,-l:libcap.a))
