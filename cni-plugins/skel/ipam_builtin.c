/* The IPAM plugins that are linked into the plugins which ask for addresses. */
#include "cni-plugins/host-local/host_local.h"
#include "cni-plugins/skel/ipam.h"
#include "cni-plugins/static/static_ipam.h"

const struct cni_plugin *const ipam_builtin[] = {&host_local_plugin, &static_plugin, NULL};
