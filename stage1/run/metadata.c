/*
 * AC_METADATA_URL: where the pod's apps reach the metadata service, for a pod that is registered.
 *
 * With the host's network that is the loopback address.  Else it is the first gateway, in the order
 * of the networks, that is an address of this host: the far end of the pod's own link (ptp, a
 * bridge that is a gateway).  A network whose gateway is another machine (macvlan) leads to no
 * address that is known to be ours, and a pod with only such networks gets no URL rather than one
 * that does not answer.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/str.h"
#include "contract/metadata.h"
#include "stage1/run/sandbox.h"

/* An address can be bound where it is one's own (ip(7)). */
static bool is_ours(const char *address)
{
	struct sockaddr_in in = {.sin_family = AF_INET};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
	bool v4 = inet_pton(AF_INET, address, &in.sin_addr) == 1;
	_cleanup_fd_ int fd = -EBADF;

	if (!v4 && inet_pton(AF_INET6, address, &in6.sin6_addr) != 1)
		return false;
	fd = socket(v4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	return fd >= 0 &&
	       bind(fd, v4 ? (const void *) &in : &in6, v4 ? sizeof in : sizeof in6) == 0;
}

int sandbox_metadata_url(struct sandbox *sb, char **ret, struct err *e)
{
	struct metadata_note note;
	int r = metadata_note_read(sb->pod, &note, e);

	*ret = NULL;
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	if (!sb->plan->private_net) {
		*ret = metadata_url(&note, "127.0.0.1");
		return 0;
	}
	for (char **g = sb->net_result.gateways; g && *g && !*ret; g++)
		if (is_ours(*g))
			*ret = metadata_url(&note, *g);
	if (!*ret)
		log_warning("the pod's networks lead to no address of this host: "
			    "no " METADATA_VARIABLE);
	return 0;
}
