# Fuzzers: tests/fuzz/fuzz_NAME.c defines LLVMFuzzerTestOneInput(); its seeds lie in tests/fuzz/corpus/NAME/.
# `make check-fuzz` replays the corpus with the ordinary compiler, `make fuzz FUZZ=NAME SECONDS=60` searches with
# clang's libFuzzer.  fuzz_NAME_src and fuzz_NAME_pkg as for unit tests,
# fuzz_NAME_libs: libraries that pkg-config does not know.
-include $(wildcard tests/fuzz/*.mk.in)

FUZZERS := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))

define fuzzer
OBJS += $(B)/obj/tests/fuzz/fuzz_$(1).o $(fuzz_$(1)_src:%.c=$(B)/obj/%.o)
$(if $(fuzz_$(1)_pkg),$(fuzz_$(1)_src:%.c=$(B)/obj/%.o) $(B)/obj/tests/fuzz/fuzz_$(1).o: PKG_CFLAGS := $$(call pkg_cflags,$(fuzz_$(1)_pkg)))
$(B)/tests/fuzz/$(1): $(B)/obj/tests/fuzz/fuzz_$(1).o $(B)/obj/tests/fuzz/replay.o $(fuzz_$(1)_src:%.c=$(B)/obj/%.o) $(B)/libgantry.a
	$$(call say,LD,$$@)
	@mkdir -p $$(@D)
	$(Q)$(CC) $(CFLAGS) $(GLIBC_LD) -o $$@ $$(filter %.o,$$^) $(B)/libgantry.a \
		$(if $(fuzz_$(1)_pkg),$$(shell $(PKG_CONFIG) --libs $(fuzz_$(1)_pkg))) $(fuzz_$(1)_libs) -lcjson
endef
$(foreach t,$(FUZZERS),$(eval $(call fuzzer,$(t))))
OBJS += $(B)/obj/tests/fuzz/replay.o

.PHONY: fuzzers fuzz
fuzzers: $(FUZZERS:%=$(B)/tests/fuzz/%)

SECONDS ?= 60
fuzz:
	@mkdir -p $(B)/fuzz-found/$(FUZZ)
	clang $(CPPFLAGS) $(shell $(PKG_CONFIG) --cflags libcjson $(fuzz_$(FUZZ)_pkg)) -std=gnu17 -g -O1 \
		-fsanitize=fuzzer,address,undefined -o $(B)/fuzz-$(FUZZ) tests/fuzz/fuzz_$(FUZZ).c $(fuzz_$(FUZZ)_src) \
		$(wildcard lib/base/*.c lib/spec/*.c lib/contract/*.c) $(if $(fuzz_$(FUZZ)_pkg),$(shell $(PKG_CONFIG) --libs $(fuzz_$(FUZZ)_pkg))) $(fuzz_$(FUZZ)_libs) -lcjson -lm
	$(B)/fuzz-$(FUZZ) -max_total_time=$(SECONDS) -rss_limit_mb=2048 $(B)/fuzz-found/$(FUZZ) tests/fuzz/corpus/$(FUZZ)
