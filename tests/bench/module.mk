# Benchmarks: `make bench` builds the instruments and runs all of it, `make bench BENCH="one pod"` a part,
# `make bench-counts` counts calls and instructions, `make bench-deps` installs the peers. Not part of check.

BENCH_BIN  := $(addprefix $(B)/bench/,floor filter interleave pass corpus plugins)
BENCH_CC    = $(CC) -std=gnu17 -D_GNU_SOURCE -O2 $(WARN)
BENCH_DEPS := crun runc bubblewrap systemd-container podman conmon containernetworking-plugins iptables \
              golang-github-containers-common gcc libc6-dev libseccomp-dev libisal-dev libzstd-dev libssl-dev \
              umoci skopeo docker-registry zstd \
              busybox-static gnupg iproute2 util-linux strace valgrind
BENCH      ?=

.PHONY: bench bench-counts bench-deps
bench: all $(BENCH_BIN)
	B=$(B) tests/bench/run.sh $(BENCH)

bench-counts: all $(BENCH_BIN)
	B=$(B) tests/bench/run.sh counts

bench-deps:
	apt-get install -y --no-install-recommends $(BENCH_DEPS)

# The floor is static, as what it is compared with: a dynamic start would be part of every figure.
$(B)/bench/floor: $(addprefix tests/bench/,floor.c floor_cgroup.c floor_net.c floor_root.c) tests/bench/floor.h
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(BENCH_CC) -static -o $@ $(filter %.c,$^)

$(B)/bench/pass: $(addprefix tests/bench/,pass.c pass_tar.c) tests/bench/pass.h
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(BENCH_CC) -o $@ $(filter %.c,$^) -lisal -lzstd -lcrypto -lpthread

$(B)/bench/filter: tests/bench/filter.c
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(BENCH_CC) -o $@ $< -lseccomp

$(B)/bench/plugins: $(addprefix tests/bench/,plugins.c plugins_floor.c) tests/bench/plugins_floor.h
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(BENCH_CC) -o $@ $(filter %.c,$^)

$(addprefix $(B)/bench/,interleave corpus): $(B)/bench/%: tests/bench/%.c
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(BENCH_CC) -o $@ $<
