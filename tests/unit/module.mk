# Unit tests: tests/unit/test_NAME.c, one program each, cmocka.  What a test needs beyond libgantry
# stands here: unit_NAME_src (more sources), unit_NAME_pkg (pkg-config modules), unit_NAME_libs (libraries that
# pkg-config does not know).
-include $(wildcard tests/unit/*.mk.in)

UNIT_TESTS := $(patsubst tests/unit/test_%.c,%,$(wildcard tests/unit/test_*.c))

define unit_test
OBJS += $(B)/obj/tests/unit/test_$(1).o $(unit_$(1)_src:%.c=$(B)/obj/%.o)
$(if $(unit_$(1)_pkg),$(unit_$(1)_src:%.c=$(B)/obj/%.o) $(B)/obj/tests/unit/test_$(1).o: PKG_CFLAGS := $$(call pkg_cflags,$(unit_$(1)_pkg)))
$(B)/tests/unit/$(1): $(B)/obj/tests/unit/test_$(1).o $(unit_$(1)_src:%.c=$(B)/obj/%.o) $(B)/libgantry.a
	$$(call say,LD,$$@)
	@mkdir -p $$(@D)
	$(Q)$(CC) $(CFLAGS) $(GLIBC_LD) $(unit_$(1)_ld) -o $$@ $$(filter %.o,$$^) $(B)/libgantry.a \
		$(if $(unit_$(1)_pkg),$$(shell $(PKG_CONFIG) --libs $(unit_$(1)_pkg))) $(unit_$(1)_libs) -lcjson -lcmocka
endef
$(foreach t,$(UNIT_TESTS),$(eval $(call unit_test,$(t))))

.PHONY: unit-tests
unit-tests: $(UNIT_TESTS:%=$(B)/tests/unit/%)
