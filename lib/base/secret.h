/*
 * What nobody shall find in memory afterwards: passwords, tokens, keys.
 */
#pragma once

struct cJSON;

/* Overwrite the string and free it; NULL is no secret. */
void secret_free(char *s);
/* Overwrite each string of a document and of what follows it; the caller frees the document. NULL: nothing. */
void secret_wipe_json(struct cJSON *j);
