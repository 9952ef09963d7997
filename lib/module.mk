# libgantry.a: for the programs of the host side.  libgantry-min.a: the part without JSON and libraries,
# for the static programs inside pods.  libgantry-static.a: for the static programs of the host side.

LIB_SYS_MIN := $(notdir $(wildcard lib/sys/cgroup_kill.c lib/sys/mountapi.c lib/sys/proc_stat.c))

LIB_MIN := $(addprefix lib/base/,err.c fd.c file.c lock.c log.c mem.c parse.c path.c proc.c record.c \
             remove_tree.c str.c) lib/spec/check_words.c \
             $(wildcard lib/contract/*.c) $(addprefix lib/sys/,$(LIB_SYS_MIN))
LIB_SRC := $(wildcard lib/base/*.c lib/spec/*.c lib/contract/*.c lib/sys/*.c)

LIB_STATIC := $(wildcard lib/base/*.c lib/static/*.c lib/sys/*.c)

OBJS += $(LIB_SRC:%.c=$(B)/obj/%.o) $(sort $(LIB_MIN:%.c=$(B)/musl/%.o) $(LIB_STATIC:%.c=$(B)/musl/%.o))

$(B)/libgantry.a: $(LIB_SRC:%.c=$(B)/obj/%.o)
	$(call say,AR,$@)
	$(Q)rm -f $@ && ar rcs $@ $^

$(B)/libgantry-min.a: $(LIB_MIN:%.c=$(B)/musl/%.o)
	$(call say,AR,$@)
	$(Q)rm -f $@ && ar rcs $@ $^

$(B)/libgantry-static.a: $(LIB_STATIC:%.c=$(B)/musl/%.o)
	$(call say,AR,$@)
	$(Q)rm -f $@ && ar rcs $@ $^

all: $(B)/libgantry.a $(B)/libgantry-min.a $(B)/libgantry-static.a
