# bin/gantry: libc and cJSON only (make check-layers proves it). The workers are in stage0/worker.mk.

-include stage0/worker.mk stage0/service.mk stage0/build.mk

STAGE0_SRC := $(sort stage0/main.c stage0/context.c stage0/commands.c $(wildcard stage0/cmd/*.c stage0/cli/*.c \
              stage0/config/*.c stage0/pod/*.c stage0/build/*.c stage0/kube/*.c) \
              $(addprefix stage0/service/,register.c client.c sockets.c) $(STAGE0_IMAGE_SRC))

$(eval $(call program,bin/gantry,$(STAGE0_SRC)))
