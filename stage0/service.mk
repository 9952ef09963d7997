# The metadata service; gantry itself has only what registers pods (module.mk).

METADATA_SRC := $(addprefix stage0/service/,metadata_main.c server.c answer.c route.c form.c sign.c registry.c \
                  registry_file.c) $(addprefix stage0/worker/,jail.c jail_root.c jail_landlock.c jail_seccomp.c)

$(eval $(call program,libexec/gantry/metadata,$(METADATA_SRC),libmicrohttpd libcrypto libseccomp))
