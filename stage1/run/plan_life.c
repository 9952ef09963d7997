#include <errno.h>

#include "spec/check_decode.h"
#include "stage1/run/plan.h"

/* For init, when; for stage2, how: under the same number. */
static int add_check(const struct check *c, struct plan_app *pa, struct err *e)
{
	struct pod_record_app *life = &pa->life;
	struct app_check *how;

	if (life->n_checks == CHECKS_MAX)
		return err_set(e, E2BIG, "more than %d checks", CHECKS_MAX);
	life->checks = xgrow(life->checks, life->n_checks, sizeof *life->checks);
	life->checks[life->n_checks++] = (struct pod_record_check) {
		.purpose = c->purpose,
		.delay_ms = (unsigned) c->delay_ms,
		.grace_ms = (unsigned) c->grace_ms,
		.period_ms = (unsigned) c->period_ms,
		.timeout_ms = (unsigned) c->timeout_ms,
		.successes = (unsigned) c->successes,
		.failures = (unsigned) c->failures,
	};
	how = app_record_add_check(&pa->record, c->how, (unsigned) c->port,
				   c->how == CHECK_EXEC ? NULL : c->host ? c->host : "127.0.0.1", c->path);
	how->args = strv_copy(c->how == CHECK_EXEC ? c->exec : c->headers);
	return 0;
}

static int plan_check(const struct isolator *iso, struct plan_app *pa, struct err *e)
{
	_cleanup_check_ struct check c = {0};
	int r = iso->kind == ISO_PROBE ? probe_decode(iso->raw, JSON_TOP, &c, e)
				       : healthcheck_decode(iso->raw, JSON_TOP, &c, e);

	return r == 0 ? add_check(&c, pa, e) : r;
}

int plan_life(const struct isolator *iso, struct plan_app *pa, struct err *e)
{
	int r = 0;

	switch (iso->kind) {
	case ISO_STOP_SIGNAL:
		return stop_signal_decode(iso->raw, JSON_TOP, &pa->life.stop_signal, e);
	case ISO_RESTART:
		r = restart_decode(iso->raw, JSON_TOP, &pa->life.restart, e);
		pa->record.again = pa->life.restart > RESTART_NEVER;
		return r;
	case ISO_INIT_APP:
		pa->life.init = iso->flag;
		return 0;
	default:
		return plan_check(iso, pa, e);
	}
}
