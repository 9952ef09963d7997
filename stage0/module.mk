# bin/gantry: static, of libgantry alone (make check-layers proves it).  Tests link the objects for glibc. The workers are in stage0/worker.mk.

-include stage0/worker.mk stage0/service.mk stage0/build.mk

STAGE0_SRC := $(sort stage0/main.c stage0/context.c stage0/commands.c $(wildcard stage0/cmd/*.c stage0/cli/*.c \
              stage0/config/*.c stage0/pod/*.c stage0/build/*.c stage0/kube/*.c) \
              $(addprefix stage0/service/,register.c client.c sockets.c) $(STAGE0_IMAGE_SRC))

$(eval $(call quick_program,bin/gantry,$(STAGE0_SRC)))
$(B)/musl/stage0/%.o: MUSL_OPT := -O2
OBJS += $(STAGE0_SRC:%.c=$(B)/obj/%.o)
