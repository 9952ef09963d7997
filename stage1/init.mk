# PID 1 of a pod: static, without JSON.

$(eval $(call static_program,libexec/gantry/stage1/ns/rootfs/init,$(wildcard stage1/init/*.c)))
