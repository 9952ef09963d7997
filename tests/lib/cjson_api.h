/* cJSON twice: the library, and lib/static, whose functions have other names here. */
#pragma once

#include <stddef.h>

struct cJSON;

struct cjson_api {
	struct cJSON *(*parse)(const char *, size_t);
	char *(*print)(const struct cJSON *);
	char *(*print_pretty)(const struct cJSON *);
	void (*done)(struct cJSON *);
	struct cJSON *(*copy)(const struct cJSON *, int);
	int (*size)(const struct cJSON *);
	struct cJSON *(*object)(void);
	struct cJSON *(*array)(void);
	struct cJSON *(*string)(const char *);
	int (*to_array)(struct cJSON *, struct cJSON *);
	int (*to_object)(struct cJSON *, const char *, struct cJSON *);
	struct cJSON *(*add_bool)(struct cJSON *, const char *, int);
	struct cJSON *(*add_number)(struct cJSON *, const char *, double);
	struct cJSON *(*add_string)(struct cJSON *, const char *, const char *);
	struct cJSON *(*add_raw)(struct cJSON *, const char *, const char *);
	struct cJSON *(*add_object)(struct cJSON *, const char *);
	struct cJSON *(*add_array)(struct cJSON *, const char *);
	int (*is[8])(const struct cJSON *);
};

extern const struct cjson_api cjson_static;

/* For the file that has the functions in sight. */
#define CJSON_API                                                                                                    \
	{                                                                                                            \
		.parse = cJSON_ParseWithLength, .print = cJSON_PrintUnformatted, .print_pretty = cJSON_Print,         \
		.done = cJSON_Delete, .copy = cJSON_Duplicate, .size = cJSON_GetArraySize,                            \
		.object = cJSON_CreateObject, .array = cJSON_CreateArray, .string = cJSON_CreateString,               \
		.to_array = cJSON_AddItemToArray, .to_object = cJSON_AddItemToObject,                                 \
		.add_bool = cJSON_AddBoolToObject, .add_number = cJSON_AddNumberToObject,                             \
		.add_string = cJSON_AddStringToObject, .add_raw = cJSON_AddRawToObject,                               \
		.add_object = cJSON_AddObjectToObject, .add_array = cJSON_AddArrayToObject,                           \
		.is = {cJSON_IsTrue, cJSON_IsBool, cJSON_IsNull, cJSON_IsNumber, cJSON_IsString, cJSON_IsArray,       \
		       cJSON_IsObject, cJSON_IsRaw},                                                                  \
	}
