/* The static IPAM plugin, linked into the plugins that ask for addresses. */
#pragma once

#include "cni-plugins/skel/skel.h"

extern const struct cni_plugin static_plugin;
