/*
 * Address management by another plugin, found through CNI_PATH and given the same environment and
 * standard input, as the specification's "plugin delegation" has it.
 *
 * Where CNI_PATH leads to the very file that belongs to a plugin linked into this program, that one
 * is called instead of executed: the same code on the same request, without the price of a process.
 */
#pragma once

#include "cni-plugins/skel/request.h"
#include "cni-plugins/skel/skel.h"

/*
 * `command` need not be the request's own (undoing an ADD is a DEL). ret: for CNI_ADD, else NULL.
 */
int ipam_call(const struct cni_request *rq, enum cni_command command, struct cni_result *ret,
	      struct err *e);
/*
 * For DEL: first `link_del`, then IPAM, since an address is free when nothing uses it any more.  With
 * the dhcp plugin the other way round: it tells the server so over that link.
 */
int ipam_del_with_link(const struct cni_request *rq,
		       int (*link_del)(const struct cni_request *rq, struct err *e), struct err *e);
/* The IPAM plugin would be called, not executed. */
bool ipam_is_builtin(const struct cni_request *rq);
/* ipam_builtin.c: what `builtin_ipam` of those plugins is; ended by NULL. */
extern const struct cni_plugin *const ipam_builtin[];
