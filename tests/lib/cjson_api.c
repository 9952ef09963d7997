/* lib/static under names of its own, so that a program can have the library as well. */
#define cJSON_AddArrayToObject static_AddArrayToObject
#define cJSON_AddBoolToObject static_AddBoolToObject
#define cJSON_AddItemToArray static_AddItemToArray
#define cJSON_AddItemToObject static_AddItemToObject
#define cJSON_AddNumberToObject static_AddNumberToObject
#define cJSON_AddObjectToObject static_AddObjectToObject
#define cJSON_AddRawToObject static_AddRawToObject
#define cJSON_AddStringToObject static_AddStringToObject
#define cJSON_CreateArray static_CreateArray
#define cJSON_CreateObject static_CreateObject
#define cJSON_CreateString static_CreateString
#define cJSON_Delete static_Delete
#define cJSON_Duplicate static_Duplicate
#define cJSON_GetArraySize static_GetArraySize
#define cJSON_IsArray static_IsArray
#define cJSON_IsBool static_IsBool
#define cJSON_IsNull static_IsNull
#define cJSON_IsNumber static_IsNumber
#define cJSON_IsObject static_IsObject
#define cJSON_IsRaw static_IsRaw
#define cJSON_IsString static_IsString
#define cJSON_IsTrue static_IsTrue
#define cJSON_ParseWithLength static_ParseWithLength
#define cJSON_Print static_Print
#define cJSON_PrintUnformatted static_PrintUnformatted
#define cJSON_SetNumberHelper static_SetNumberHelper

#include "lib/static/cjson.c"
#include "lib/static/cjson_text.c"
#include "tests/lib/cjson_api.h"

const struct cjson_api cjson_static = CJSON_API;
