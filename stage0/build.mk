# Making images: the worker that writes archives, and what signs them.

PACK_SRC := $(addprefix stage0/worker/,pack_main.c pack.c pack_file.c pack_patch.c pack_tar.c pack_out.c inflate.c \
              entry_policy.c tar.c tar_header.c tar_pax.c tar_sparse.c) stage0/store/id_shift.c

$(eval $(call program,libexec/gantry/pack,$(PACK_SRC) $(WORKER_SRC),libisal libcrypto liblzma libzstd libseccomp,-lbz2))

$(B)/obj/stage0/worker/sign_main.o: PKG_CFLAGS := $(shell $(PKG_CONFIG) --cflags gpgme)
$(eval $(call program,libexec/gantry/sign,stage0/worker/sign_main.c stage0/worker/worker_main.c,gpgme))
