# The compiler of system call filters; stage1/run links only the cache and the text.

SECCOMP_CACHE_SRC := stage1/seccomp/cache.c stage1/seccomp/text.c
SECCOMP_SRC := stage1/seccomp/main.c stage1/seccomp/filter.c stage1/seccomp/prefix.c stage1/seccomp/sets.c \
               stage1/seccomp/text.c

$(eval $(call program,libexec/gantry/stage1/ns/rootfs/seccomp,$(SECCOMP_SRC),libseccomp))
