# init, PID 1 of a pod, and monitor, what gantry turns into on the host: static, without JSON, and one
# file under two names (stage1/init/main.h). They stay as long as the pod does, so their pages count: no
# tables for unwinding, and no page borders between the few segments.
#
# Nobody but the host's root may read it: so root of a pod's user namespace, whatever its capabilities, traces no
# process that runs it, nor sees its descriptors (ptrace(2), PTRACE_MODE_FSCREDS; would_dump() of the kernel).

comma   := ,
INIT    := libexec/gantry/stage1/ns/rootfs/init
MONITOR := libexec/gantry/stage1/ns/rootfs/monitor

INIT_CFLAGS := $(CFLAGS)
CFLAGS += $(if $(SAN),,-Wl$(comma)-z$(comma)noseparate-code)
$(eval $(call static_program,$(INIT),$(wildcard stage1/init/*.c stage1/monitor/*.c)))
CFLAGS := $(INIT_CFLAGS)

$(B)/musl/%.o: CFLAGS += $(if $(SAN),,-fno-asynchronous-unwind-tables -fdata-sections)
$(B)/musl/stage1/init/%.o: CPPFLAGS += $(if $(SAN),-DINIT_SHOWS_LIBRARIES)

all: $(B)/$(MONITOR)
$(B)/$(MONITOR): $(B)/$(INIT)
	$(if $(SAN),,@chmod go-r $<)
	@ln -f $< $@
