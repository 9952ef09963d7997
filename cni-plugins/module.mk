# The CNI plugins: each a program of its own on the frame in skel/.  host-local is also linked into the
# plugins that ask for addresses; they call it where they would otherwise execute that very file.
CNI := cni-plugins
CNI_CORE := $(addprefix $(CNI)/skel/,args.c attachments.c request.c result.c result_decode.c \
	result_encode.c skel.c version.c)
CNI_ENDPOINT := $(addprefix $(CNI)/skel/,endpoint.c endpoint_check.c ipam.c masq.c netns.c sysctl.c)
CNI_HOST_LOCAL := $(addprefix $(CNI)/host-local/,conf.c host_local.c lease_index.c range.c store.c)

$(eval $(call program,libexec/gantry/cni/loopback,$(CNI_CORE) $(CNI)/skel/netns.c $(CNI)/loopback/main.c,libmnl))
$(eval $(call program,libexec/gantry/cni/host-local,$(CNI_CORE) $(CNI_HOST_LOCAL) $(CNI)/host-local/main.c,libmnl))
$(eval $(call program,libexec/gantry/cni/ptp,$(CNI_CORE) $(CNI_ENDPOINT) $(CNI_HOST_LOCAL) $(CNI)/ptp/main.c,libmnl))
$(eval $(call program,libexec/gantry/cni/bridge,$(CNI_CORE) $(CNI_ENDPOINT) $(CNI_HOST_LOCAL) \
	$(addprefix $(CNI)/bridge/,conf.c device.c main.c),libmnl))
