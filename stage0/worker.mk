# The workers, and the part of gantry that starts them.  Each worker links what its own job needs, and
# nothing of that is linked into gantry.

STAGE0_IMAGE_SRC := $(wildcard $(addprefix stage0/,image/*.c store/*.c trust/*.c render/*.c discovery/*.c oci/*.c)) \
                    stage0/worker/worker.c

WORKER_SRC := $(addprefix stage0/worker/,worker_main.c jail.c jail_root.c jail_landlock.c jail_seccomp.c)
UNPACK_SRC := $(addprefix stage0/worker/,unpack_main.c unpack.c digest.c check.c arriving.c intake.c ring.c inflate.c untar.c untar_dir.c \
                entry_policy.c layer.c layer_dir.c layer_notes.c layer_policy.c layer_resolve.c tar_index.c tar.c tar_header.c \
                tar_pax.c tar_sparse.c)

$(eval $(call program,libexec/gantry/unpack,$(UNPACK_SRC) $(WORKER_SRC),libisal libcrypto liblzma libzstd libseccomp,-lbz2 -lpthread))

VERIFY_SRC := $(addprefix stage0/worker/,verify_main.c openpgp.c openpgp_loop.c)
$(B)/obj/stage0/worker/openpgp.o: PKG_CFLAGS := $(shell $(PKG_CONFIG) --cflags gpgme)
$(eval $(call program,libexec/gantry/verify,$(VERIFY_SRC) stage0/worker/arriving.c $(WORKER_SRC),gpgme libseccomp))

$(eval $(call program,libexec/gantry/sigstore,stage0/worker/sigstore_main.c $(WORKER_SRC),libcrypto libseccomp))

$(eval $(call program,libexec/gantry/yaml,stage0/worker/yaml_main.c stage0/worker/yaml.c $(WORKER_SRC),yaml-0.1 libseccomp))

FETCH_SRC := $(addprefix stage0/worker/,fetch.c fetch_request.c http.c http_transfer.c http_url.c http_header.c http_link.c)
$(eval $(call program,libexec/gantry/fetch,stage0/worker/fetch_main.c $(FETCH_SRC) $(WORKER_SRC),libcurl libseccomp))
$(eval $(call program,libexec/gantry/discover,stage0/worker/discover_main.c stage0/worker/metatags.c $(FETCH_SRC) \
               $(WORKER_SRC),libcurl libxml-2.0 libseccomp))
