#include "cni-plugins/host-device/device.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "cni-plugins/skel/code.h"

void host_device_conf_done(struct host_device_conf *c)
{
	free(c->device);
	free(c->hwaddr);
	free(c->kernel_path);
	free(c->pci);
	*c = (struct host_device_conf) {0};
}

static const char *check_mac(const char *text)
{
	unsigned char mac[LINK_MAC_LEN];

	return !*text || link_mac_parse(text, mac) == 0 ? NULL : "not a MAC address";
}

/* Only the kernel's own tree of devices, and no way out of it. */
static const char *check_kernel_path(const char *path)
{
	_cleanup_free_ char *clean = NULL;

	if (!*path)
		return NULL;
	clean = *path == '/' ? path_clean(path) : NULL;
	return clean && path_is_below(clean, "/sys/devices") ? NULL
							     : "not a path below /sys/devices";
}

static const char *check_bus_id(const char *id)
{
	return !*id || path_is_name(id) ? NULL : "not the name of a device";
}

static bool given(const char *s)
{
	return s && *s;
}

int host_device_conf_decode(const struct cni_request *rq, struct host_device_conf *ret,
			    struct err *e)
{
	static const struct json_field fields[] = {
		{CNI_FIELD(struct host_device_conf, "device", STRING, device)},
		{CNI_FIELD(struct host_device_conf, "hwaddr", STRING, hwaddr), .check = check_mac},
		{CNI_FIELD(struct host_device_conf, "kernelpath", STRING, kernel_path),
		 .check = check_kernel_path},
		{CNI_FIELD(struct host_device_conf, "pciBusID", STRING, pci),
		 .check = check_bus_id},
	};
	const char *id = json_get_str(json_get(rq->conf, "runtimeConfig"), "deviceID");
	int r = cni_request_decode(rq, fields, ELEMENTSOF(fields), ret, e);

	if (r < 0)
		return r;
	if (given(id)) {
		if (check_bus_id(id))
			return err_set(e, CNI_CODE(CNI_BAD_CONFIG), "runtimeConfig.deviceID: %s: %s",
				       q(id), check_bus_id(id));
		free(ret->pci);
		ret->pci = xstrdup(id);
	}
	if (!given(ret->device) && !given(ret->hwaddr) && !given(ret->kernel_path) &&
	    !given(ret->pci))
		return err_set(e, CNI_CODE(CNI_BAD_CONFIG),
			       "specify either \"device\", \"hwaddr\", \"kernelpath\" or "
			       "\"pciBusID\"");
	return 0;
}

/* Where sysfs has the device: on the PCI bus, or, for parts of a card, on the auxiliary one. */
static char *bus_dir(const char *id)
{
	char *pci = path_join("/sys/bus/pci/devices", id);

	if (access(pci, F_OK) == 0)
		return pci;
	free(pci);
	return path_join("/sys/bus/auxiliary/devices", id);
}

bool host_device_is_dpdk(const struct host_device_conf *c)
{
	static const char *const drivers[] = {"vfio-pci", "uio_pci_generic", "igb_uio"};
	_cleanup_free_ char *dir = given(c->pci) ? bus_dir(c->pci) : NULL;
	_cleanup_free_ char *driver = dir ? path_join(dir, "driver") : NULL;
	char target[PATH_MAX];
	ssize_t n = driver ? readlink(driver, target, sizeof target - 1) : -1;

	if (n <= 0)
		return false;
	target[n] = '\0';
	for (size_t i = 0; i < ELEMENTSOF(drivers); i++)
		if (!strcmp(path_last(target), drivers[i]))
			return true;
	return false;
}

/* The one link of a device's directory. */
static int find_in_sysfs(struct nl *host, const char *dir, struct link *ret, struct err *e)
{
	_cleanup_free_ char *net = path_join(dir, "net"), *name = NULL;
	DIR *d = opendir(net);
	int n = 0;

	if (!d)
		return err_sys(e, "open %s", net);
	for (const struct dirent *x = readdir(d); x; x = readdir(d)) {
		if (x->d_name[0] == '.')
			continue;
		n++;
		free(name);
		name = xstrdup(x->d_name);
	}
	(void) closedir(d);
	if (n != 1)
		return err_set(e, CNI_CODE(CNI_OTHER), "%s has %d network devices, not one", net, n);
	return link_get(host, name, ret, e);
}

static int find_by_mac(struct nl *host, const char *text, struct link *ret, struct err *e)
{
	_cleanup_free_ struct link *links = NULL;
	unsigned char mac[LINK_MAC_LEN];
	size_t n;
	int r = link_list(host, NULL, 0, &links, &n, e);

	(void) link_mac_parse(text, mac);
	for (size_t i = 0; r >= 0 && i < n; i++)
		if (links[i].has_mac && !memcmp(links[i].mac, mac, sizeof mac)) {
			*ret = links[i];
			return 0;
		}
	return r < 0 ? r : err_set(e, ENODEV, "no link has the address %s", q(text));
}

int host_device_find(struct nl *host, const struct host_device_conf *c, struct link *ret,
		     struct err *e)
{
	_cleanup_free_ char *dir = NULL;
	int r;

	if (given(c->pci))
		r = find_in_sysfs(host, dir = bus_dir(c->pci), ret, e);
	else if (given(c->device))
		r = link_get(host, c->device, ret, e);
	else if (given(c->hwaddr))
		r = find_by_mac(host, c->hwaddr, ret, e);
	else
		r = find_in_sysfs(host, c->kernel_path, ret, e);
	return r < 0 ? err_ctx(e, r, "failed to find host device") : 0;
}
