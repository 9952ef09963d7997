# The flavour fly: another plan for the executor in run/, other answers to which processes are the pod's,
# and the default flavour's init, monitor and stage2, which are the same files.

FLY := libexec/gantry/stage1/fly
FLY_RUN := $(filter-out stage1/run/flavor.c,$(wildcard stage1/run/*.c)) $(wildcard stage1/net/*.c) \
           stage1/seccomp/cache.c stage1/seccomp/text.c

$(eval $(call program,$(FLY)/rootfs/run,$(FLY_RUN) stage1/fly/flavor.c \
	stage1/fly/plan.c stage1/fly/share.c,,-l:libcap.a))
$(eval $(call program,$(FLY)/rootfs/enter,$(addprefix stage1/entry/,enter.c process.c terminal.c) \
	stage1/run/fd_list.c stage1/run/programs.c stage1/fly/process.c))
$(eval $(call program,$(FLY)/rootfs/stop,$(addprefix stage1/entry/,stop.c process.c) stage1/fly/process.c))
$(eval $(call program,$(FLY)/rootfs/gc,stage1/entry/gc_main.c stage1/fly/gc.c))

FLY_SHARED := $(addprefix $(B)/$(FLY)/rootfs/,init monitor stage2)
all: $(B)/$(FLY)/manifest $(FLY_SHARED)
$(FLY_SHARED): $(B)/$(FLY)/rootfs/%: $(B)/libexec/gantry/stage1/ns/rootfs/%
	@mkdir -p $(@D)
	@ln -f $< $@
