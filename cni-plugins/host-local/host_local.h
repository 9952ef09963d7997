/* The commands of host-local: as a program of its own, and inside the plugins that link it. */
#pragma once

#include "cni-plugins/skel/skel.h"

extern const struct cni_plugin host_local_plugin;
