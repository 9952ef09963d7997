# gantry: see README.md.  `make` builds, `sudo make demo`, `sudo make check`, `make install`.
# One non-recursive Makefile; every directory with programs brings a module.mk.
# Variants: make B=build-asan SAN=address,undefined

MAKEFLAGS += --no-builtin-rules --no-print-directory
.SUFFIXES:
.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all clean deps demo check install dist

VERSION   := $(shell cat lib/contract/VERSION)
PREFIX    ?= /usr/local
BINDIR    ?= $(PREFIX)/bin
LIBEXECDIR ?= $(PREFIX)/libexec/gantry
SHAREDIR  ?= $(PREFIX)/share
MANDIR    ?= $(SHAREDIR)/man
B         ?= build
SAN       ?=
V         ?= 0
Q         := $(if $(filter 1,$(V)),,@)
say        = $(if $(filter 1,$(V)),@:,@printf '  %-5s %s\n' $(1) $(2))

CC        := gcc
MUSL_CC   := musl-gcc
PKG_CONFIG := pkg-config
OPT       ?= -O2 -g
WARN      := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2 -Wundef \
             -Wimplicit-fallthrough -Wno-format-nonliteral $(if $(SAN),,$(if $(CI),-Werror))
HARDEN    := -fstack-protector-strong -fstack-clash-protection -fcf-protection
FORTIFY   := $(if $(SAN),,-D_FORTIFY_SOURCE=3)
SANFLAGS  := $(if $(SAN),-fsanitize=$(SAN) -fno-omit-frame-pointer -fno-sanitize-recover=undefined)
CPPFLAGS  := -D_GNU_SOURCE -DGANTRY_VERSION='"$(VERSION)"' -I. -Ilib -include lib/base/banned.h
CFLAGS    := -std=gnu17 $(OPT) $(WARN)
GLIBC     := $(HARDEN) $(FORTIFY) -fPIE $(SANFLAGS)
GLIBC_LD  := -pie -Wl,-z,relro,-z,now -Wl,--as-needed $(SANFLAGS)

all:

# --- objects: two worlds -------------------------------------------------------------------------
# $(B)/obj: glibc.  $(B)/musl: what runs inside pods, static and small.  musl-gcc does not look at the
# kernel's headers, so a directory of links leads it there.  Sanitizers and valgrind do not work with
# static programs: a SAN build makes the same sources with glibc.

MUSL_INC  := $(B)/musl-include
MUSL_ARCH := $(shell $(CC) -print-multiarch)
$(MUSL_INC)/.done: Makefile
	@mkdir -p $(MUSL_INC)
	@ln -sfn /usr/include/linux $(MUSL_INC)/linux
	@ln -sfn /usr/include/asm-generic $(MUSL_INC)/asm-generic
	@ln -sfn /usr/include/$(MUSL_ARCH)/asm $(MUSL_INC)/asm
	@ln -sfn $(shell $(PKG_CONFIG) --variable=includedir libcjson)/cjson $(MUSL_INC)/cjson
	@touch $@

$(B)/obj/%.o: %.c
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(PKG_CFLAGS) $(CFLAGS) $(GLIBC) -MMD -MP -c -o $@ $<

$(B)/musl/%.o: %.c | $(MUSL_INC)/.done
	$(call say,MUSL,$<)
	@mkdir -p $(@D)
	$(Q)$(if $(SAN),$(CC) $(GLIBC),$(MUSL_CC) -isystem $(MUSL_INC) -fstack-protector-strong -ffunction-sections) \
		$(CPPFLAGS) $(CFLAGS) -Os -MMD -MP -c -o $@ $<

# What pkg-config says, asked once for each set of modules: $(call pkg_cflags,MODULES)
space := $(subst ,, )
pkg_key = PKG_CFLAGS_$(subst $(space),_,$(strip $(1)))
pkg_cflags = $(if $(filter undefined,$(origin $(pkg_key))),$(eval $(pkg_key) := $(shell $(PKG_CONFIG) --cflags $(1))))$($(pkg_key))

# $(call program,PATH below $(B),SOURCES,PKG-CONFIG MODULES,MORE LDLIBS): a glibc program with libgantry.
define program
all: $(B)/$(1)
OBJS += $(2:%.c=$(B)/obj/%.o)
$(if $(3),$(2:%.c=$(B)/obj/%.o): PKG_CFLAGS := $$(call pkg_cflags,$(3)))
$(B)/$(1): $(2:%.c=$(B)/obj/%.o) $(B)/libgantry.a
	$$(call say,LD,$$@)
	@mkdir -p $$(@D)
	$(Q)$(CC) $(CFLAGS) $(GLIBC_LD) -o $$@ $$(filter %.o,$$^) $(B)/libgantry.a \
		$(if $(3),$$(shell $(PKG_CONFIG) --libs $(3))) -lcjson $(4)
endef

# $(call static_program,PATH,SOURCES): a static musl program with libgantry-min.
define static_program
all: $(B)/$(1)
OBJS += $(2:%.c=$(B)/musl/%.o)
$(B)/$(1): $(2:%.c=$(B)/musl/%.o) $(B)/libgantry-min.a
	$$(call say,LD,$$@)
	@mkdir -p $$(@D)
	$(Q)$(if $(SAN),$(CC) $(GLIBC_LD),$(MUSL_CC) -static -Wl,--gc-sections -Wl,-z,relro,-z,now -s) \
		$(CFLAGS) -o $$@ $$^
endef

# $(call plugin,PATH,SOURCES): the same with libgantry-static.a, at a random address.  musl-gcc knows shared libraries
# and programs at a fixed address only: what starts the program is named, from where it has the other such files.
MUSL_LIB = $(patsubst %/Scrt1.o,%,$(shell $(MUSL_CC) -\#\#\# -x c /dev/null 2>&1 | grep -o '[^ "]*/Scrt1.o'))
STATIC_PIE = -static -nostartfiles -Wl,-pie,--no-dynamic-linker,-z,text $(addprefix $(MUSL_LIB)/,rcrt1.o crti.o crtn.o)
define plugin
all: $(B)/$(1)
OBJS += $(2:%.c=$(B)/musl/%.o)
$(B)/$(1): $(2:%.c=$(B)/musl/%.o) $(B)/libgantry-static.a
	$$(call say,LD,$$@)
	@mkdir -p $$(@D)
	$(Q)$(if $(SAN),$(CC) $(GLIBC_LD),$(MUSL_CC) $$(STATIC_PIE) -Wl,--gc-sections -Wl,-z,relro,-z,now -s) \
		$(CFLAGS) -o $$@ $$^ -lm
endef

include lib/module.mk
include $(wildcard stage0/module.mk stage1/module.mk stage2/module.mk cni-plugins/module.mk)
include $(wildcard tests/module.mk tests/*/module.mk Documentation/module.mk)
-include $(OBJS:.o=.d)

# --- packages: what is missing of Debian's is installed, as root ------------------------------------
DEPS_BUILD := gcc libc6-dev make pkg-config musl-tools linux-libc-dev libcap-dev libseccomp-dev libcjson-dev \
              libisal-dev libzstd-dev liblzma-dev libbz2-dev libssl-dev libgpgme-dev libcurl4-openssl-dev libxml2-dev \
              libyaml-dev libmicrohttpd-dev scdoc
DEPS_RUN   := gpg gpgconf ca-certificates
DEPS_TEST  := libcmocka-dev bats busybox-static gnupg openssl iproute2 iputils-ping netcat-openbsd nftables procps \
              attr acl libcap2-bin tar cpio gzip xz-utils bzip2 zstd jq util-linux bsdutils binutils strace zsh \
              curl python3 apache2-utils iptables dnsmasq-base e2fsprogs debootstrap
# What gantry works with, or instead of: images of other tools, registries, plugins and who calls them.
DEPS_PEERS := containernetworking-plugins golang-go golang-github-appc-cni-dev containerd runc podman conmon crun \
              skopeo umoci buildah docker-registry
DEPS       := $(DEPS_BUILD) $(DEPS_RUN) $(DEPS_TEST) $(DEPS_PEERS)

deps:
	@missing=$$(for p in $(DEPS); do dpkg-query -W -f='$${db:Status-Status}' $$p 2>/dev/null | grep -qx installed || echo $$p; done); \
	[ -z "$$missing" ] && exit 0; \
	echo "installing:" $$missing; \
	export DEBIAN_FRONTEND=noninteractive; \
	apt-get install -y --no-install-recommends $$missing >/dev/null 2>&1 || \
	{ apt-get update -q && apt-get install -y -q --no-install-recommends $$missing; }

# --- the two commands, and the parts of the second ----------------------------------------------------
NPROC ?= $(shell nproc)
demo: DEPS := $(DEPS_BUILD) $(DEPS_RUN) $(DEPS_TEST)
demo: deps
	@$(MAKE) -j$(NPROC) all
	@B=$(B) tests/demo.sh

SUITES ?= layers headers unit fuzz contract functional fly crash
CHECKS := $(SUITES:%=check-%)
.PHONY: tests-built debian-root $(CHECKS)
tests-built: all unit-tests fuzzers test-programs

# Debian with servers in it, for the tests of images: made once, from where this machine's apt gets its packages.
debian-root:
	@tests/lib/debian.sh $(B)/tests/debian

check: deps
	@$(MAKE) -j$(NPROC) tests-built
	@$(if $(filter functional,$(SUITES)),$(MAKE) debian-root)
	@tests/run.sh $(B) $(SUITES)

$(CHECKS): check-%: tests-built
	@tests/run.sh $(B) $*

# The unit tests and a part of the functional ones under the sanitizers.
ASAN_B ?= build-asan
ASAN_FUNCTIONAL ?= tests/functional/run.bats tests/functional/exit.bats tests/functional/pod-manifest.bats \
                   $(addprefix tests/functional/,lifecycle.bats lives.bats kube.bats oci-run.bats oci-trust.bats)
.PHONY: check-asan
check-asan:
	@$(MAKE) -j$(NPROC) B=$(ASAN_B) SAN=address,undefined OPT="-O1 -g" tests-built
	@FUNCTIONAL="$(ASAN_FUNCTIONAL)" tests/run.sh $(ASAN_B) unit fuzz functional

# --- installing -----------------------------------------------------------------------------------
install: all
	@install -d $(DESTDIR)$(BINDIR)
	@install -m 755 $(B)/bin/gantry $(DESTDIR)$(BINDIR)/gantry
	@install -d $(DESTDIR)$(LIBEXECDIR)
	@# One archive: init and monitor are one file under two names, so that they share their pages.
	@tar -C $(B)/libexec/gantry --owner=0 --group=0 --mode=u=rwX,go=rX -cf - . | tar -C $(DESTDIR)$(LIBEXECDIR) -xf -
	@# See stage1/init.mk.
	@chmod go-r $(DESTDIR)$(LIBEXECDIR)/stage1/ns/rootfs/init
	@for page in $(B)/man/*; do [ -e "$$page" ] || continue; \
		install -D -m 644 "$$page" "$(DESTDIR)$(MANDIR)/man$${page##*.}/$${page##*/}"; done
	@install -d $(DESTDIR)$(SHAREDIR)/bash-completion/completions $(DESTDIR)$(SHAREDIR)/zsh/site-functions
	@$(B)/bin/gantry completion bash >$(DESTDIR)$(SHAREDIR)/bash-completion/completions/gantry
	@ln -sf gantry $(DESTDIR)$(SHAREDIR)/bash-completion/completions/rkt
	@$(B)/bin/gantry completion zsh >$(DESTDIR)$(SHAREDIR)/zsh/site-functions/_gantry

clean:
	rm -rf build build-*
