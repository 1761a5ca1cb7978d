/* history.c - the store as it is read and changed beside the mail: bounds, and which store it is. */
#include "store/history_backend.h"

#include <stdlib.h>

#include "base/mem.h"
#include "rules/overrides.h"
#include "store/record.h"

/* A key outlives its record a little, as those do that the daemons write. */
#define KEPT_MORE_S 60

struct history *
history_open(const struct conf *conf, int64_t patience_ms, struct err *err_out)
{
	return backend_history_ops(conf)->open(conf, patience_ms, err_out);
}

void
history_close(struct history **history_at)
{
	struct history *history = *history_at;
	*history_at = NULL;
	if (!history)
		return;
	free(history->registry);
	overrides_unref(&history->overrides);
	history->ops->close(history);
}

/* ---- decisions */

static size_t
count_lines(struct slice lines)
{
	size_t n = 0;
	struct slice line;
	while (slice_cut(&lines, '\n', &line))
		n++;
	return n - 1; /* behind the last '\n' an empty rest is cut */
}

bool
history_add_decisions(struct history *history, size_t n, struct slice lines, int64_t keep,
                      int64_t lifetime_s, struct err *err_out)
{
	if (n > HISTORY_LINES_MAX || lines.n > HISTORY_BYTES_MAX)
		return err_set(err_out,
		               "too many decisions at once: %zu lines, %zu bytes", n,
		               lines.n);
	if (n > 0 ? lines.n == 0 || lines.p[lines.n - 1] != '\n' ||
	                    count_lines(lines) != n
	          : lines.n > 0)
		return err_set(err_out, "decisions that are not %zu whole lines", n);
	return history->ops->add_decisions(history, n, lines, keep < 0 ? 0 : keep,
	                                   lifetime_s < 1 ? 1 : lifetime_s, err_out);
}

bool
history_read_decisions(struct history *history, history_lines_fn *fn, void *arg,
                       struct err *err_out)
{
	return history->ops->read_decisions(history, fn, arg, err_out);
}

/* ---- registries */

static bool
is_name(struct slice name, struct err *err)
{
	if (name.n > 0 && name.n <= HISTORY_NAME_MAX)
		return true;
	return err_set(err, "a name of %zu bytes (1 to %d are allowed)", name.n,
	               HISTORY_NAME_MAX);
}

bool
history_put(struct history *history, enum history_registry registry, struct slice name,
            struct slice text, int64_t until_s, struct err *err_out)
{
	if (!is_name(name, err_out))
		return false;
	if (text.n > HISTORY_TEXT_MAX)
		return err_set(err_out, "a text of %zu bytes (at most %d are allowed)",
		               text.n, HISTORY_TEXT_MAX);
	return history->ops->put(history, registry, name, text, until_s < 0 ? 0 : until_s,
	                         err_out);
}

bool
history_put_names(struct history *history, size_t n, const struct history_name *names,
                  int64_t until_s, struct err *err_out)
{
	for (size_t i = 0; i < n; i++)
		if (!is_name(slice_of(names[i].text), err_out))
			return false;
	return n == 0 || history->ops->put_names(history, n, names, until_s, err_out);
}

bool
history_get_name(struct history *history, const struct key *key, int64_t now_s,
                 struct text *name_out, struct err *err_out)
{
	return history->ops->get_name(history, key, now_s, name_out, err_out);
}

bool
history_drop(struct history *history, enum history_registry registry, struct slice name,
             bool *found_out, struct err *err_out)
{
	*found_out = false;
	return is_name(name, err_out) &&
	       history->ops->drop(history, registry, name, found_out, err_out);
}

bool
history_read(struct history *history, enum history_registry registry, int64_t now_s,
             history_text_fn *fn, void *arg, struct err *err_out)
{
	return history->ops->read(history, registry, now_s, fn, arg, err_out);
}

/* ---- the funnel */

bool
history_add_funnel(struct history *history, size_t n, const struct funnel_hour *hours,
                   int64_t kept_hours, struct err *err_out)
{
	return n == 0 || history->ops->add_funnel(history, n, hours, kept_hours, err_out);
}

bool
history_read_funnel(struct history *history, history_funnel_fn *fn, void *arg,
                    struct err *err_out)
{
	return history->ops->read_funnel(history, fn, arg, err_out);
}

/* ---- records */

bool
history_secret(struct history *history, struct key_secret *secret_out,
               struct err *err_out)
{
	return history->ops->secret(history, secret_out, err_out);
}

bool
history_set_secret(struct history *history, const struct key_secret *secret,
                   struct err *err_out)
{
	return history->ops->set_secret(history, secret, err_out);
}

bool
history_get_record(struct history *history, enum history_record kind,
                   const struct key *key, int64_t *packed_out, struct err *err_out)
{
	*packed_out = 0;
	return history->ops->get_record(history, kind, key, packed_out, err_out);
}

bool
history_get_records(struct history *history, size_t n, struct history_row *rows,
                    struct err *err_out)
{
	return history->ops->get_records(history, n, rows, err_out);
}

/* How long the row stays from now on; 0: it has run out. */
static int64_t
kept_for(const struct history_row *row, const struct grey_rules *rules, int64_t now_s)
{
	struct grey_record rec;
	if (!record_unpack(row->packed, &rec) || grey_is_expired(&rec, rules, now_s))
		return 0;
	int64_t whole_s =
		rec.state == GREY_WAITING ? rules->retry_window_s : rules->lifetime_s;
	int64_t age_s = now_s > rec.at_s ? now_s - rec.at_s : 0;
	return whole_s - age_s + KEPT_MORE_S;
}

bool
history_put_records(struct history *history, size_t n, const struct history_row *rows,
                    const struct grey_rules *rules, int64_t now_s, struct err *err_out)
{
	if (n == 0)
		return true;
	for (size_t i = 0; i < n; i++)
		if (!history_is_record(rows[i].kind, rows[i].packed))
			return err_set(err_out, "%lld is no record of %s",
			               (long long)rows[i].packed,
			               rows[i].kind == RECORD_IDENTITY ? "an identity"
			                                               : "a triplet");
	int64_t *kept_s = mem_alloc(n * sizeof(*kept_s));
	for (size_t i = 0; i < n; i++)
		kept_s[i] = kept_for(&rows[i], rules, now_s);
	bool done = history->ops->put_records(history, n, rows, kept_s, err_out);
	free(kept_s);
	return done;
}

bool
history_drop_record(struct history *history, enum history_record kind,
                    const struct key *key, bool *found_out, struct err *err_out)
{
	*found_out = false;
	return history->ops->drop_record(history, kind, key, found_out, err_out);
}

bool
history_scan(struct history *history, history_row_fn *fn, void *arg, struct err *err_out)
{
	return history->ops->scan(history, fn, arg, err_out);
}

bool
history_estimate(struct history *history, int64_t *rows_out, struct err *err_out)
{
	*rows_out = 0;
	return history->ops->estimate(history, rows_out, err_out);
}

/* ---- leases and rates */

bool
history_read_leases(struct history *history, history_lease_fn *fn, void *arg,
                    struct err *err_out)
{
	return history->ops->read_leases(history, fn, arg, err_out);
}

bool
history_kill_leases(struct history *history, struct slice holder, int64_t *killed_out,
                    struct err *err_out)
{
	*killed_out = 0;
	if (holder.n == 0 || holder.n > HOLDER_MAX)
		return true;
	return history->ops->kill_leases(history, holder, killed_out, err_out);
}

bool
history_get_rate(struct history *history, const struct key *key, int64_t *tat_us_out,
                 struct err *err_out)
{
	*tat_us_out = 0;
	return history->ops->get_rate(history, key, tat_us_out, err_out);
}

/* ---- what doctor asks of the store: what it tells of itself, and whether it works */

bool
history_facts(struct history *history, bool deep, history_fact_fn *fn, void *arg,
              struct err *err_out)
{
	return history->ops->facts(history, deep, fn, arg, err_out);
}

bool
history_try(struct history *history, struct err *err_out)
{
	return history->ops->try_it(history, err_out);
}
