# What stage0 executes to start a pod: plans, starts, and becomes the monitor.

RUN_SRC := $(wildcard stage1/run/*.c) $(wildcard stage1/net/*.c) stage1/seccomp/cache.c stage1/seccomp/text.c

$(eval $(call quick_program,libexec/gantry/stage1/ns/rootfs/run,$(RUN_SRC)))
