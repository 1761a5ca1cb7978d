/* ledger.c - the store as it is read and changed beside the mail: bounds, and which store it is. */
#include "store/ledger_backend.h"

#include <stdlib.h>

#include "base/mem.h"
#include "rules/orders.h"
#include "store/record.h"

/* A key outlives its record a little, as those do that the daemons write. */
#define KEPT_MORE_S 60

struct ledger *
ledger_open(const struct conf *conf, int64_t patience_ms, struct err *err_out)
{
	return backend_ledger_ops(conf)->open(conf, patience_ms, err_out);
}

void
ledger_close(struct ledger **ledger_at)
{
	struct ledger *ledger = *ledger_at;
	*ledger_at = NULL;
	if (!ledger)
		return;
	free(ledger->board);
	orders_unref(&ledger->orders);
	ledger->ops->close(ledger);
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
ledger_add_decisions(struct ledger *ledger, size_t n, struct slice lines, int64_t keep,
                     int64_t lifetime_s, struct err *err_out)
{
	if (n > LEDGER_LINES_MAX || lines.n > LEDGER_BYTES_MAX)
		return err_set(err_out,
		               "too many decisions at once: %zu lines, %zu bytes", n,
		               lines.n);
	if (n > 0 ? lines.n == 0 || lines.p[lines.n - 1] != '\n' ||
	                    count_lines(lines) != n
	          : lines.n > 0)
		return err_set(err_out, "decisions that are not %zu whole lines", n);
	return ledger->ops->add_decisions(ledger, n, lines, keep < 0 ? 0 : keep,
	                                  lifetime_s < 1 ? 1 : lifetime_s, err_out);
}

bool
ledger_read_decisions(struct ledger *ledger, ledger_lines_fn *fn, void *arg,
                      struct err *err_out)
{
	return ledger->ops->read_decisions(ledger, fn, arg, err_out);
}

/* ---- boards */

static bool
is_name(struct slice name, struct err *err)
{
	if (name.n > 0 && name.n <= LEDGER_NAME_MAX)
		return true;
	return err_set(err, "a name of %zu bytes (1 to %d are allowed)", name.n,
	               LEDGER_NAME_MAX);
}

bool
ledger_put(struct ledger *ledger, enum ledger_board board, struct slice name,
           struct slice text, int64_t until_s, struct err *err_out)
{
	if (!is_name(name, err_out))
		return false;
	if (text.n > LEDGER_TEXT_MAX)
		return err_set(err_out, "a text of %zu bytes (at most %d are allowed)",
		               text.n, LEDGER_TEXT_MAX);
	return ledger->ops->put(ledger, board, name, text, until_s < 0 ? 0 : until_s,
	                        err_out);
}

bool
ledger_put_names(struct ledger *ledger, size_t n, const struct ledger_name *names,
                 int64_t until_s, struct err *err_out)
{
	for (size_t i = 0; i < n; i++)
		if (!is_name(slice_of(names[i].text), err_out))
			return false;
	return n == 0 || ledger->ops->put_names(ledger, n, names, until_s, err_out);
}

bool
ledger_get_name(struct ledger *ledger, const struct key *key, int64_t now_s,
                struct text *name_out, struct err *err_out)
{
	return ledger->ops->get_name(ledger, key, now_s, name_out, err_out);
}

bool
ledger_drop(struct ledger *ledger, enum ledger_board board, struct slice name,
            bool *found_out, struct err *err_out)
{
	*found_out = false;
	return is_name(name, err_out) &&
	       ledger->ops->drop(ledger, board, name, found_out, err_out);
}

bool
ledger_read(struct ledger *ledger, enum ledger_board board, int64_t now_s,
            ledger_text_fn *fn, void *arg, struct err *err_out)
{
	return ledger->ops->read(ledger, board, now_s, fn, arg, err_out);
}

/* ---- the funnel */

int64_t
ledger_oldest_hour(size_t n, const struct funnel_hour *hours, int64_t kept_hours)
{
	int64_t newest = hours[0].hour;
	for (size_t i = 1; i < n; i++)
		newest = hours[i].hour > newest ? hours[i].hour : newest;
	return newest - kept_hours - LEDGER_LINGER_S / 3600;
}

bool
ledger_add_funnel(struct ledger *ledger, size_t n, const struct funnel_hour *hours,
                  int64_t kept_hours, struct err *err_out)
{
	return n == 0 || ledger->ops->add_funnel(ledger, n, hours, kept_hours, err_out);
}

static bool
is_count(int64_t value)
{
	return value >= 0 && value <= LEDGER_COUNT_MAX;
}

void
ledger_hand_hour(ledger_funnel_fn *fn, void *arg, const struct funnel_hour *hour)
{
	if (is_count(hour->fresh) && is_count(hour->back))
		fn(arg, hour);
}

bool
ledger_read_funnel(struct ledger *ledger, ledger_funnel_fn *fn, void *arg,
                   struct err *err_out)
{
	return ledger->ops->read_funnel(ledger, fn, arg, err_out);
}

/* ---- records */

bool
ledger_is_record(enum ledger_record kind, int64_t packed)
{
	struct grey_record rec;
	return record_unpack(packed, &rec) &&
	       (rec.state == GREY_IDENTITY) == (kind == RECORD_IDENTITY);
}

bool
ledger_secret(struct ledger *ledger, struct key_secret *secret_out, struct err *err_out)
{
	return ledger->ops->secret(ledger, secret_out, err_out);
}

bool
ledger_set_secret(struct ledger *ledger, const struct key_secret *secret,
                  struct err *err_out)
{
	return ledger->ops->set_secret(ledger, secret, err_out);
}

bool
ledger_get_record(struct ledger *ledger, enum ledger_record kind, const struct key *key,
                  int64_t *packed_out, struct err *err_out)
{
	*packed_out = 0;
	return ledger->ops->get_record(ledger, kind, key, packed_out, err_out);
}

bool
ledger_get_records(struct ledger *ledger, size_t n, struct ledger_row *rows,
                   struct err *err_out)
{
	return ledger->ops->get_records(ledger, n, rows, err_out);
}

/* How long the row stays from now on; 0: it has run out. */
static int64_t
kept_for(const struct ledger_row *row, const struct grey_rules *rules, int64_t now_s)
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
ledger_put_records(struct ledger *ledger, size_t n, const struct ledger_row *rows,
                   const struct grey_rules *rules, int64_t now_s, struct err *err_out)
{
	if (n == 0)
		return true;
	for (size_t i = 0; i < n; i++)
		if (!ledger_is_record(rows[i].kind, rows[i].packed))
			return err_set(err_out, "%lld is no record of %s",
			               (long long)rows[i].packed,
			               rows[i].kind == RECORD_IDENTITY ? "an identity"
			                                               : "a triplet");
	int64_t *kept_s = mem_alloc(n * sizeof(*kept_s));
	for (size_t i = 0; i < n; i++)
		kept_s[i] = kept_for(&rows[i], rules, now_s);
	bool done = ledger->ops->put_records(ledger, n, rows, kept_s, err_out);
	free(kept_s);
	return done;
}

bool
ledger_drop_record(struct ledger *ledger, enum ledger_record kind, const struct key *key,
                   bool *found_out, struct err *err_out)
{
	*found_out = false;
	return ledger->ops->drop_record(ledger, kind, key, found_out, err_out);
}

bool
ledger_scan(struct ledger *ledger, ledger_row_fn *fn, void *arg, struct err *err_out)
{
	return ledger->ops->scan(ledger, fn, arg, err_out);
}

bool
ledger_estimate(struct ledger *ledger, int64_t *rows_out, struct err *err_out)
{
	*rows_out = 0;
	return ledger->ops->estimate(ledger, rows_out, err_out);
}

/* ---- leases and rates */

void
ledger_hand_lease(ledger_lease_fn *fn, void *arg, const struct key *key,
                  struct slice holder, int64_t left_ms)
{
	struct ledger_lease lease = {.key = *key, .left_ms = left_ms};
	struct text name = TEXT(lease.holder);
	text_put(&name, holder);
	if (!name.cut && left_ms > 0 && left_ms <= LEASE_MAX_MS)
		fn(arg, &lease);
}

bool
ledger_read_leases(struct ledger *ledger, ledger_lease_fn *fn, void *arg,
                   struct err *err_out)
{
	return ledger->ops->read_leases(ledger, fn, arg, err_out);
}

bool
ledger_kill_leases(struct ledger *ledger, struct slice holder, int64_t *killed_out,
                   struct err *err_out)
{
	*killed_out = 0;
	if (holder.n == 0 || holder.n > HOLDER_MAX)
		return true;
	return ledger->ops->kill_leases(ledger, holder, killed_out, err_out);
}

bool
ledger_get_rate(struct ledger *ledger, const struct key *key, int64_t *tat_us_out,
                struct err *err_out)
{
	*tat_us_out = 0;
	return ledger->ops->get_rate(ledger, key, tat_us_out, err_out);
}
