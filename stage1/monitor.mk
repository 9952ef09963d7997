# What gantry turns into while a pod runs: static, without JSON.

$(eval $(call static_program,libexec/gantry/stage1/ns/rootfs/monitor,$(wildcard stage1/monitor/*.c)))
