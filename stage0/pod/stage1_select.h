/*
 * Which stage1 a pod gets: by an option, by configuration, or the installed default.
 *
 * rkt's options and their order. An image goes through the pipeline of all images: fetched,
 * verified, unpacked into the store; nothing of it runs before its signature was checked. What is
 * installed with gantry needs no signature; it is what checks them.
 */
#pragma once

#include "base/opt.h"
#include "stage0/pod/stage1.h"

struct stage1_request {
	char *url, *path, *name, *hash, *from_dir; /* at most one */
};
void stage1_request_done(struct stage1_request *req);

/* Rows for a command's table whose target has a `struct stage1_request` as that member. */
#define STAGE1_OPTS(t, member)                                                                     \
	{.name = "stage1-url", .type = OPT_STRING, .offset = offsetof(t, member.url),              \
	 .arg = "URL", .help = "stage1: the image there (https, http, file)"},                     \
	{.name = "stage1-path", .type = OPT_STRING, .offset = offsetof(t, member.path),            \
	 .arg = "PATH", .help = "stage1: an image file, or an installed one's directory"},         \
	{.name = "stage1-name", .type = OPT_STRING, .offset = offsetof(t, member.name),            \
	 .arg = "NAME", .help = "stage1: an installed one, or an image by its name"},              \
	{.name = "stage1-hash", .type = OPT_STRING, .offset = offsetof(t, member.hash),            \
	 .arg = "ID", .help = "stage1: an image in the store"},                                    \
	{.name = "stage1-from-dir", .type = OPT_STRING, .offset = offsetof(t, member.from_dir),    \
	 .arg = "FILE", .help = "stage1: that file of the directory of stage1 images"}

/* What goes together, before anything is fetched or made. */
int stage1_request_check(const struct stage1_request *req, struct err *e);
/*
 * The choice. Of an image only its id is filled in (image_id, dir NULL), and stage1_from_store()
 * must follow under the prepare lock.
 */
int stage1_select(const struct gantry *g, const struct stage1_request *req, struct stage1 *ret,
		  struct err *e);
