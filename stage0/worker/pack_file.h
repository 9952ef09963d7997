/* One open file for the archive: its attributes, its holes, its data. Private to pack.c. */
#pragma once

#include <sys/stat.h>

#include "stage0/store/id_shift.h"
#include "stage0/worker/pack_tar.h"

/* entry->xattrs: those that an image may have, in the order of their names. */
int pack_file_xattrs(int fd, const struct id_shift *users, struct tar_entry *entry, struct err *e);
/* Header and data. A file with holes worth the trouble is written as sparse. */
int pack_file(struct tar_writer *w, int fd, const struct stat *st, struct tar_entry *entry,
	      struct err *e);
/* Free attributes and pieces; not the names, which were lent. */
void pack_file_done(struct tar_entry *entry);
