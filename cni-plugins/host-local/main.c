/*
 * host-local: gives out addresses of configured ranges, and keeps the leases in files of this
 * host.
 */
#include "cni-plugins/host-local/host_local.h"

int main(void)
{
	return cni_main(&host_local_plugin);
}
