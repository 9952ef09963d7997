/*
 * A growing list of named descriptors.
 */
#include "stage1/run/fd_list.h"

void fd_list_add(struct fd_list *l, int fd, const char *fmt, ...)
{
	va_list ap;

	if (fd < 0)
		return;
	l->v = xgrow(l->v, l->n, sizeof *l->v);
	va_start(ap, fmt);
	l->v[l->n++] = (struct fd_name) {xvasprintf(fmt, ap), fd};
	va_end(ap);
}

void fd_list_done(struct fd_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		free((char *) l->v[i].name);
	free(l->v);
	*l = (struct fd_list) {0};
}
