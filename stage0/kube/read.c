/*
 * The file of --pod-manifest: whose it is, and Kubernetes' with its ConfigMaps as one JSON array.
 */
#include <errno.h>
#include <string.h>

#include "base/fd.h"
#include "base/str.h"
#include "stage0/cli/input.h"
#include "stage0/context.h"
#include "stage0/kube/internal.h"
#include "stage0/worker/worker.h"

#define CONVERT_MS 60000

static bool is_json(const char *text)
{
	return text[strspn(text, " \t\r\n")] == '{';
}

/* YAML in a worker: the text is foreign. */
static int from_yaml(const struct gantry *g, const char *text, size_t len, char **ret, size_t *ret_len,
		     struct err *e)
{
	_cleanup_fd_ int in = fd_sealed("yaml", text, len, e);
	_cleanup_worker_ struct worker w = WORKER_INIT;
	_cleanup_record_ struct record rec = RECORD_INIT;
	_cleanup_free_ char *json = NULL;
	const struct fd_name names[] = {{"in", in}};
	const struct worker_text job = {
		.name = "yaml", .fds = names, .n = ELEMENTSOF(names), .out = "out", .limit = KUBE_DOCUMENTS_MAX};
	int r = in < 0 ? in : worker_start_text(g, &job, &w, &json, ret_len, e);

	if (r == 0)
		r = worker_finish(&w, CONVERT_MS, &rec, e);
	if (r == 0)
		*ret = take_ptr(json);
	return r;
}

/* The documents of one file, without the brackets around them. */
static int add_documents(const struct gantry *g, const char *path, const char *text, size_t len,
			 struct strbuf *documents, struct err *e)
{
	_cleanup_free_ char *json = NULL;
	size_t json_len = 0;
	int r = is_json(text) ? 0 : from_yaml(g, text, len, &json, &json_len, e);

	if (r < 0)
		return err_ctx(e, r, "%s", path);
	if (documents->len > 1)
		strbuf_addc(documents, ',');
	if (json && json_len > 2)
		strbuf_add(documents, json + 1, json_len - 2);
	else
		strbuf_add(documents, json ? "null" : text, json ? 4 : len);
	return 0;
}

/* gantry's and rkt's own have another member that says what they are. */
static bool is_appc(const char *text, size_t len)
{
	_cleanup_json_ cJSON *j = is_json(text) ? json_parse(text, len, JSON_MANIFEST_MAX, NULL) : NULL;

	/* Nothing at all is no Pod either, nor is a list. */
	if (strchr("[", text[strspn(text, " \t\r\n")]))
		return true;
	/* What is no JSON at all is told by the reader of pod manifests. */
	return is_json(text) && (!j || !json_get(j, "kind"));
}

static int add_maps(const struct gantry *g, char *const *paths, struct strbuf *documents, struct err *e)
{
	for (; paths && *paths; paths++) {
		_cleanup_free_ char *text = NULL;
		size_t len;
		int r = input_read(*paths, JSON_MANIFEST_MAX, &text, &len, e);

		if (r < 0)
			return err_ctx(e, r, "--configmap");
		r = add_documents(g, *paths, text, len, documents, e);
		if (r < 0)
			return r;
	}
	return 0;
}

int kube_expand(const struct gantry *g, struct pod_request *req, struct kube_run *run, bool *ret_is, struct err *e)
{
	_cleanup_strbuf_ struct strbuf documents = STRBUF_INIT;
	_cleanup_free_ char *path = NULL;
	int r;

	*ret_is = false;
	if (!req->pod_manifest)
		return req->configmaps ? err_set(e, EINVAL, "--configmap goes with --pod-manifest") : 0;
	r = input_read(req->pod_manifest, JSON_MANIFEST_MAX, &req->manifest_text, &req->manifest_len, e);
	if (r < 0)
		return err_ctx(e, r, "pod manifest");
	if (is_appc(req->manifest_text, req->manifest_len))
		return req->configmaps ? err_set(e, EINVAL, "--configmap goes with a Pod of Kubernetes") : 0;
	*ret_is = true;
	path = take_ptr(req->pod_manifest);
	strbuf_addc(&documents, '[');
	r = add_documents(g, path, req->manifest_text, req->manifest_len, &documents, e);
	if (r == 0)
		r = add_maps(g, req->configmaps, &documents, e);
	if (r < 0)
		return r;
	strbuf_addc(&documents, ']');
	r = kube_convert(documents.buf, documents.len, req, run, e);
	return r < 0 ? err_ctx(e, r, "%s", path) : 0;
}
