/*
 * Private to stage0/config: from a directory to decoded documents.
 */
#pragma once

#include "base/json.h"
#include "base/str.h"
#include "stage0/config/config.h"

#define CONFIG_FILE_MAX (1u << 20) /* bytes */
#define CONFIG_FILES_MAX 1000	   /* in one directory */

/* What may lie in one subdirectory. */
struct config_subdir {
	const char *name;	  /* "auth.d" */
	const char *const *kinds; /* ended by NULL */
	bool secret;		  /* credentials: say so when everybody can read them */
};

#define CONFIG_DIRS 3
/* The directories by rank, the last one wins; NULL where there is none. */
void config_dirs(const struct gantry *g, const char *dirs[CONFIG_DIRS]);

/* One document, with its kind, which is one of the subdirectory's. */
typedef int (*config_take)(const cJSON *doc, const char *kind, void *arg, struct err *e);
/*
 * Hand over each *.json directly in dir/sub, by name. A directory that is not there has none.
 * `warn`: complain about secrets that are none.
 */
int config_read_dir(const char *dir, const struct config_subdir *sub, bool warn, config_take take,
		    void *arg, struct err *e);

/* Rows of the header, which every kind's table begins with. */
#define CONFIG_HEADER_FIELDS                                                                       \
	{.key = "rktKind", .type = JSON_F_IGNORE}, {.key = "rktVersion", .type = JSON_F_IGNORE}

/* For json_field.check: a word that must be there. */
const char *config_check_word(const char *s);
