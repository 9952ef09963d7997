# stage2: becomes an app. Static, without JSON; starts once for every app.

$(eval $(call static_program,libexec/gantry/stage1/ns/rootfs/stage2,$(wildcard stage2/*.c)))
