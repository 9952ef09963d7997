# The other entry points of the default stage1, and the manifest that names all of them.

ENTRY_DIR := libexec/gantry/stage1/ns/rootfs

$(eval $(call program,$(ENTRY_DIR)/enter,$(addprefix stage1/entry/,enter.c process.c group.c terminal.c) \
	stage1/run/fd_list.c stage1/run/programs.c))
$(eval $(call program,$(ENTRY_DIR)/stop,$(addprefix stage1/entry/,stop.c process.c group.c)))
$(eval $(call program,$(ENTRY_DIR)/gc,$(addprefix stage1/entry/,gc_main.c gc.c) $(wildcard stage1/net/*.c)))
$(eval $(call program,$(ENTRY_DIR)/net,stage1/entry/net.c $(wildcard stage1/net/*.c)))

all: $(B)/libexec/gantry/stage1/ns/manifest
$(B)/libexec/gantry/stage1/%/manifest: stage1/entry/manifest.in lib/contract/VERSION
	$(call say,GEN,$@)
	@mkdir -p $(@D)
	$(Q)sed 's/@VERSION@/$(VERSION)/; s/@FLAVOR@/$(notdir $(@D))/' $< >$@
