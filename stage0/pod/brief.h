/*
 * What lists show of a pod, in the file that its preparation writes first (POD_CREATED, whose mtime
 * is the time of creation): a list of many pods reads one small record for each, and no JSON.
 *
 * Everything else that is asked of a pod is answered by its manifest.
 */
#pragma once

#include "base/str.h"
#include "spec/pod_manifest.h"

struct pod_image;

/* images[i] belongs to m->apps[i]; name: of the pod, or NULL. */
void brief_encode(const char *name, const struct pod_manifest *m, const struct pod_image *images,
		  struct strbuf *sb);
/*
 * A manifest with what was written: names, image ids, names and versions of the images; with
 * `details`, which JSON shows, the mounts with their volumes (as app_volume) and the user's maps;
 * and the pod's name.  `data` is changed.  NULL: it is no such text (the file of an older pod is
 * empty).
 */
struct pod_manifest *brief_decode(char *data, size_t len, bool details, char **ret_name);
