# The programs of both flavours are in the *.mk files of this directory.
include $(sort $(filter-out stage1/module.mk,$(wildcard stage1/*.mk)))
