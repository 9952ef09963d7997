#include "cni-plugins/static/static_ipam.h"

int main(void)
{
	return cni_main(&static_plugin);
}
