#include "stage1/net/bandwidth.h"

#include <string.h>

#include "base/mem.h"

/*
 * What may pass at once: a tenth of a second's worth, and never less than one packet of the largest
 * size that a sender makes.  Much more would let short transfers pass without any limit.
 */
#define BURST_PART 10
#define BURST_MIN 65536
/* The plugins count bits: rates below 2^52, bursts below 2^32 bytes. */
#define RATE_MAX ((INT64_C(1) << 49) - 1)
#define BURST_MAX ((INT64_C(1) << 32) - 2)

static const struct direction {
	const char *rate, *burst;
} directions[] = {{"ingressRate", "ingressBurst"}, {"egressRate", "egressBurst"}};

static int64_t burst_of(int64_t bytes)
{
	int64_t burst = bytes / BURST_PART;

	return burst < BURST_MIN ? BURST_MIN : burst > BURST_MAX ? BURST_MAX : burst;
}

static void put(cJSON *o, const struct direction *d, int64_t bytes)
{
	cJSON_DeleteItemFromObjectCaseSensitive(o, d->rate);
	cJSON_DeleteItemFromObjectCaseSensitive(o, d->burst);
	json_add_int(o, d->rate, bytes * 8);
	json_add_int(o, d->burst, burst_of(bytes) * 8);
}

static double own_rate(const cJSON *plugin, const struct direction *d)
{
	const cJSON *rate = json_get(plugin, d->rate);

	return cJSON_IsNumber(rate) ? rate->valuedouble : 0;
}

static bool has_rates(const cJSON *plugin)
{
	return own_rate(plugin, &directions[0]) > 0 || own_rate(plugin, &directions[1]) > 0;
}

static void lower_rates(cJSON *plugin, int64_t bytes)
{
	for (size_t i = 0; i < ELEMENTSOF(directions); i++) {
		double own = own_rate(plugin, &directions[i]);

		if (own <= 0 || own > (double) bytes * 8)
			put(plugin, &directions[i], bytes);
	}
}

static bool takes_bandwidth(const cJSON *plugin)
{
	return cJSON_IsTrue(json_get(json_get(plugin, "capabilities"), "bandwidth"));
}

static void append_plugin(cJSON *list)
{
	cJSON *plugin = cJSON_CreateObject();

	cJSON_AddStringToObject(plugin, "type", "bandwidth");
	cJSON_AddBoolToObject(cJSON_AddObjectToObject(plugin, "capabilities"), "bandwidth", true);
	cJSON_AddItemToArray(json_get(list, "plugins"), plugin);
}

void net_bandwidth_add(cJSON *list, int64_t bytes, cJSON **caps)
{
	bool taken = false;
	cJSON *limits;

	if (bytes > RATE_MAX)
		bytes = RATE_MAX;
	for (cJSON *p = json_get(list, "plugins")->child; p; p = p->next) {
		taken |= has_rates(p) || takes_bandwidth(p);
		if (has_rates(p))
			lower_rates(p, bytes);
	}
	if (!taken)
		append_plugin(list);
	if (!*caps)
		*caps = cJSON_CreateObject();
	limits = cJSON_AddObjectToObject(*caps, "bandwidth");
	for (size_t i = 0; i < ELEMENTSOF(directions); i++)
		put(limits, &directions[i], bytes);
}
