# The CNI plugins: each a program of its own on the frame in skel/, static because a start is most of its price.  host-local and static are also linked
# into the plugins that ask for addresses; they call them where they would otherwise execute those very files.
CNI := cni-plugins
CNI_CORE := $(addprefix $(CNI)/skel/,args.c attachments.c keys.c request.c result.c result_decode.c \
	result_encode.c skel.c version.c)
CNI_ENDPOINT := $(addprefix $(CNI)/skel/,chain.c endpoint.c endpoint_check.c ipam.c mac.c masq.c netns.c owned.c sysctl.c)
CNI_CHILD := $(CNI_ENDPOINT) $(CNI)/skel/child.c
CNI_HOST_LOCAL := $(addprefix $(CNI)/host-local/,conf.c host_local.c lease_index.c range.c store.c)
CNI_STATIC := $(CNI)/static/static_ipam.c
CNI_IPAM := $(CNI_HOST_LOCAL) $(CNI_STATIC) $(CNI)/skel/ipam_builtin.c

$(eval $(call plugin,libexec/gantry/cni/loopback,$(CNI_CORE) $(CNI)/skel/netns.c $(CNI)/loopback/main.c))
$(eval $(call plugin,libexec/gantry/cni/host-local,$(CNI_CORE) $(CNI_HOST_LOCAL) $(CNI)/host-local/main.c))
$(eval $(call plugin,libexec/gantry/cni/static,$(CNI_CORE) $(CNI_STATIC) $(CNI)/static/main.c))
$(eval $(call plugin,libexec/gantry/cni/ptp,$(CNI_CORE) $(CNI_ENDPOINT) $(CNI_IPAM) $(CNI)/ptp/main.c))
$(eval $(call plugin,libexec/gantry/cni/bridge,$(CNI_CORE) $(CNI_ENDPOINT) $(CNI_IPAM) \
	$(addprefix $(CNI)/bridge/,conf.c device.c main.c spoof.c vlan.c vlan_set.c)))
$(foreach p,macvlan ipvlan vlan dummy,$(eval $(call plugin,libexec/gantry/cni/$(p),$(CNI_CORE) $(CNI_CHILD) \
	$(CNI_IPAM) $(CNI)/$(p)/main.c)))
CNI_CHAINED := $(addprefix $(CNI)/skel/,chain.c owned.c sysctl.c)
$(eval $(call plugin,libexec/gantry/cni/portmap,$(CNI_CORE) $(CNI_CHAINED) $(addprefix $(CNI)/portmap/,condition.c condition_iptables.c \
	condition_nft.c condition_rule.c conf.c main.c rules.c)))
$(eval $(call plugin,libexec/gantry/cni/firewall,$(CNI_CORE) $(CNI_CHAINED) $(addprefix $(CNI)/firewall/,conf.c isolation.c \
	main.c rules.c)))
$(eval $(call plugin,libexec/gantry/cni/bandwidth,$(CNI_CORE) $(CNI_ENDPOINT) \
	$(addprefix $(CNI)/bandwidth/,conf.c main.c)))
$(eval $(call plugin,libexec/gantry/cni/tuning,$(CNI_CORE) $(addprefix $(CNI)/skel/,chain.c netns.c sysctl.c) \
	$(addprefix $(CNI)/tuning/,backup.c conf.c main.c)))
$(eval $(call plugin,libexec/gantry/cni/host-device,$(CNI_CORE) $(CNI_CHILD) $(CNI_IPAM) \
	$(addprefix $(CNI)/host-device/,device.c main.c)))
$(eval $(call plugin,libexec/gantry/cni/tap,$(CNI_CORE) $(CNI_CHILD) $(CNI_IPAM) $(CNI)/tap/main.c))
$(foreach p,sbr vrf,$(eval $(call plugin,libexec/gantry/cni/$(p),$(CNI_CORE) $(addprefix $(CNI)/skel/,chain.c netns.c) \
	$(CNI)/$(p)/main.c)))
CNI_DHCP := $(addprefix $(CNI)/dhcp/,call.c change.c conf.c daemon.c frame.c lease.c lease_file.c lease_message.c listen.c main.c \
	message.c place.c serve.c terms.c)
$(eval $(call plugin,libexec/gantry/cni/dhcp,$(CNI_CORE) $(CNI)/skel/netns.c $(CNI_DHCP)))
$(eval $(call plugin,libexec/gantry/cni/dnsname,$(CNI_CORE) $(CNI)/skel/chain.c $(addprefix $(CNI)/dnsname/,conf.c domains.c \
	group.c main.c names.c server.c)))
