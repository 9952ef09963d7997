/*
 * Where a packed archive goes: hashed (its image id), compressed if it is wanted, and written.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "spec/image_id.h"

struct pack_out;

/* Load what hash and compressor need, before a jail closes the way to their files. */
int pack_out_init(struct err *e);
struct pack_out *pack_out_new(int fd, bool gzip);
void pack_out_free(struct pack_out *o);
/* A tar_sink. */
int pack_out_write(void *out, const void *data, size_t len, struct err *e);
/* All of it is written; the id is that of the uncompressed archive. */
int pack_out_finish(struct pack_out *o, char id[IMAGE_ID_LEN + 1], struct err *e);
