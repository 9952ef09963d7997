/*
 * --dns*, --hosts-entry: the files that stage0 writes into the pod's etc/, and the mode that tells
 * stage1 where resolv.conf and hosts come from.
 */
#pragma once

#include "base/err.h"
#include "contract/id_map.h"

struct run_request;

int dns_check(const struct run_request *req, struct err *e);
#define DNS_MODE_DEFAULT "resolv=default,hosts=default"
/* "resolv=...,hosts=...", owned by the caller. */
char *dns_mode(const struct run_request *req);
/* program: who says so in the first line; users: whose root the files belong to. */
int dns_write(const struct run_request *req, const char *program, const char *hostname, int pod_dir,
	      const struct id_map *users, struct err *e);
