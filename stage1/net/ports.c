#include "stage1/net/ports.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"

/* As many mappings as all hosts' ports: what a manifest of 1 MiB could ask for beyond is no mapping. */
#define MAPPINGS_MAX 65535

static bool takes_mappings(const cJSON *plugin)
{
	return cJSON_IsTrue(json_get(json_get(plugin, "capabilities"), "portMappings"));
}

bool net_has_masquerade(const cJSON *list)
{
	for (const cJSON *p = json_get(list, "plugins")->child; p; p = p->next)
		if (cJSON_IsTrue(json_get(p, "ipMasq")))
			return true;
	return false;
}

static cJSON *mapping(const struct net_port *port, unsigned i)
{
	cJSON *m = cJSON_CreateObject();

	json_add_int(m, "hostPort", port->host_port + i);
	json_add_int(m, "containerPort", port->port + i);
	cJSON_AddStringToObject(m, "protocol", port->protocol);
	if (port->host_ip)
		cJSON_AddStringToObject(m, "hostIP", port->host_ip);
	return m;
}

static void append_portmap(cJSON *list)
{
	cJSON *plugin = cJSON_CreateObject();

	cJSON_AddStringToObject(plugin, "type", "portmap");
	cJSON_AddBoolToObject(cJSON_AddObjectToObject(plugin, "capabilities"), "portMappings", true);
	cJSON_AddItemToArray(json_get(list, "plugins"), plugin);
}

int net_ports_add(cJSON *list, const struct net_port *ports, size_t n, cJSON **caps, struct err *e)
{
	_cleanup_json_ cJSON *array = cJSON_CreateArray();
	bool taken = false;
	size_t total = 0;

	for (size_t i = 0; i < n; i++) {
		total += ports[i].count;
		if (total > MAPPINGS_MAX)
			return err_set(e, E2BIG, "more than %d ports to forward", MAPPINGS_MAX);
		for (unsigned k = 0; k < ports[i].count; k++)
			cJSON_AddItemToArray(array, mapping(&ports[i], k));
	}
	for (const cJSON *p = json_get(list, "plugins")->child; p; p = p->next)
		taken |= takes_mappings(p);
	if (!taken)
		append_portmap(list);
	if (!*caps)
		*caps = cJSON_CreateObject();
	cJSON_AddItemToObject(*caps, "portMappings", take_ptr(array));
	return 0;
}
