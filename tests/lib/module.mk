# Programs of the functional tests.  probe runs inside pods, so it is static whatever SAN says; block is,
# so that it needs no call that it blocks; httpd, mktar and pty are plain programs of the host side.  None of
# them links with the project's own library.

PROBE_SRC := $(addprefix tests/lib/,probe.c probe_see.c probe_try.c probe_load.c probe_net.c probe_http.c \
             probe_service.c)

.PHONY: test-programs
test-programs: $(addprefix $(B)/tests/,probe block httpd mktar front pty activate)

$(B)/tests/probe: $(PROBE_SRC) tests/lib/probe.h
	$(call say,MUSL,$@)
	@mkdir -p $(@D)
	$(Q)$(MUSL_CC) -static -s -std=gnu17 -Os $(WARN) -o $@ $(PROBE_SRC)

$(B)/tests/block: tests/lib/block.c
	$(call say,MUSL,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -static -std=gnu17 -O1 $(WARN) -o $@ $<

$(B)/tests/httpd $(B)/tests/mktar $(B)/tests/pty $(B)/tests/activate: $(B)/tests/%: tests/lib/%.c
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu17 -O1 $(WARN) -o $@ $<

$(B)/tests/front: tests/lib/front.c
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu17 -O1 $(WARN) -o $@ $< -lssl -lcrypto

# Plays stage1/run for the programs inside pods; it needs the library, as the next one does.
OBJS += $(B)/obj/tests/lib/pod_driver.o
test-programs: $(B)/tests/pod-driver
$(B)/tests/pod-driver: $(B)/obj/tests/lib/pod_driver.o $(B)/libgantry.a
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(GLIBC_LD) -o $@ $^ -lcjson

# Asks a registry for single things, by gantry's own client.
OBJS += $(B)/obj/tests/lib/oci_source.o
test-programs: $(B)/tests/oci-source
$(B)/tests/oci-source: $(B)/obj/tests/lib/oci_source.o $(patsubst %.c,$(B)/obj/%.o,$(filter-out stage0/main.c,$(STAGE0_SRC))) \
                       $(B)/libgantry.a
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(GLIBC_LD) -o $@ $^ -lcjson

# libcni as a program, of Debian's sources alone; where Go or they are missing, its tests are skipped.
GO_SRC := /usr/share/gocode
ifneq ($(and $(wildcard /usr/bin/go),$(wildcard $(GO_SRC)/src/github.com/containernetworking/cni/libcni)),)
test-programs: $(B)/tests/cnitool
endif
$(B)/tests/cnitool: tests/lib/cnitool.go
	$(call say,GO,$@)
	@mkdir -p $(@D) $(B)/go-cache
	$(Q)GO111MODULE=off GOFLAGS= GOPATH=$(GO_SRC) GOCACHE=$(abspath $(B)/go-cache) GOPROXY=off CGO_ENABLED=0 \
		go build -trimpath -o $@ $<
