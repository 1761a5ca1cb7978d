/* leases.c - leases: who holds slots of limits, and slots taken away. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "audit.h"
#include "base/clock.h"
#include "base/mem.h"
#include "books/status.h"
#include "commands.h"
#include "limit_names.h"
#include "output.h"
#include "overriding.h"
#include "table.h"
#include "view.h"
#include "when.h"

struct row {
	struct key key;
	char *limit; /* "destination acme" */
	char holder[HOLDER_MAX + 1];
	int64_t left_ms;
};

struct rows {
	struct row *v;
	size_t n, room;
};

/* ---- reading ---- */

static void
on_lease(void *arg, const struct history_lease *lease)
{
	struct rows *rows = arg;
	if (rows->n == rows->room) {
		rows->room = rows->room ? 2 * rows->room : 64;
		rows->v = mem_grow(rows->v, rows->room * sizeof(struct row));
	}
	struct row *row = &rows->v[rows->n++];
	*row = (struct row){.key = lease->key, .left_ms = lease->left_ms};
	struct text holder = TEXT(row->holder);
	text_puts(&holder, lease->holder);
}

static int
compare_keys(const void *a, const void *b)
{
	const struct row *one = a, *other = b;
	return memcmp(&one->key, &other->key, sizeof(one->key));
}

/* Rows of one limit stand together, so that each name is asked for once. */
static bool
name_rows(const struct ctl *ctl, struct rows *rows, struct err *err)
{
	struct key_secret secret;
	char buf[HISTORY_NAME_MAX + 1];
	struct text name = TEXT(buf);
	int64_t now_s = clock_wall_s();
	if (rows->n == 0)
		return true;
	if (!history_secret(ctl->history, &secret, err))
		return false;
	qsort(rows->v, rows->n, sizeof(struct row), compare_keys);
	for (size_t i = 0; i < rows->n; i++) {
		struct row *row = &rows->v[i];
		if (i == 0 || compare_keys(row, row - 1) != 0) {
			name.n = 0;
			if (!limit_name(ctl->conf, ctl->history, &secret, &row->key,
			                now_s, &name, err))
				return false;
		}
		row->limit = mem_dup(text_slice(&name));
	}
	return true;
}

static int
compare(const void *a, const void *b)
{
	const struct row *one = a, *other = b;
	int override = strcmp(one->limit, other->limit);
	return override != 0 ? override : strcmp(one->holder, other->holder);
}

static int
read_rows(struct ctl *ctl, struct rows *rows)
{
	struct err err;
	int status;
	*rows = (struct rows){0};
	if (!history_of(ctl, &status))
		return status;
	if (!history_read_leases(ctl->history, on_lease, rows, &err) ||
	    !name_rows(ctl, rows, &err))
		return ctl_store_failed(&err);
	if (rows->n > 0)
		qsort(rows->v, rows->n, sizeof(struct row), compare);
	return EX_OK;
}

static void
free_rows(struct rows *rows)
{
	for (size_t i = 0; i < rows->n; i++)
		free(rows->v[i].limit);
	free(rows->v);
}

/* "m/mx1/192.0.2.1:2525" -> "milter", "mx1", "192.0.2.1:2525" */
static void
split_holder(const char *holder, struct slice *daemon, struct slice *node,
             struct slice *client)
{
	struct slice rest = slice_of(holder);
	ptrdiff_t first = slice_find(rest, '/'), last = slice_rfind(rest, '/');
	*daemon = holder[0] == 'm' ? SLICE("milter") : SLICE("policyd");
	*node = (struct slice){0};
	*client = slice_from(rest, (size_t)(last + 1));
	if (last > first)
		*node = slice_head(slice_from(rest, (size_t)(first + 1)),
		                   (size_t)(last - first - 1));
}

/* ---- what is wanted ---- */

/* "destination NAME" of the operand or option; empty for all. */
static int
read_wanted(struct ctl *ctl, const char *given, char *limit, size_t cap)
{
	struct override override = {.kind = OVERRIDE_LIMIT};
	struct text text = {.p = limit, .cap = cap};
	limit[0] = '\0';
	if (!given)
		return EX_OK;
	const struct conf *conf = ctl_conf(ctl, false);
	int status =
		conf ? overriding_destination(conf, given, &override) : ctl->conf_status;
	struct slice meant = {0};
	if (status == EX_OK)
		override_meant(&override, conf, &meant);
	text_puts(&text, "destination ");
	text_put(&text, meant);
	return status;
}

static bool
is_of_limit(const struct row *row, const char *limit)
{
	return *limit == '\0' || slice_eq_nocase(slice_of(row->limit), slice_of(limit));
}

/* A whole holder, or the client and port that end it. */
static bool
is_of_holder(const struct row *row, const char *holder)
{
	struct slice daemon, node, client;
	split_holder(row->holder, &daemon, &node, &client);
	return strcmp(row->holder, holder) == 0 || slice_eq(client, slice_of(holder));
}

/* ---- list ---- */

static json_t *
row_json(const struct row *row)
{
	struct slice daemon, node, client;
	split_holder(row->holder, &daemon, &node, &client);
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:I}", "limit",
	                 status_text(slice_of(row->limit)), "holder",
	                 status_text(slice_of(row->holder)), "daemon",
	                 status_text(daemon), "node", status_text(node), "client",
	                 status_text(client), "left",
	                 (json_int_t)((row->left_ms + 999) / 1000));
}

static void
add_row(struct table *table, const struct row *row)
{
	struct slice daemon, node, client;
	char buf[64];
	struct text left = TEXT(buf);
	split_holder(row->holder, &daemon, &node, &client);
	text_printf(&left, "%llds", (long long)((row->left_ms + 999) / 1000));
	table_cell(table, slice_of(row->limit));
	table_cell(table, daemon);
	table_cell(table, node);
	table_cell(table, client);
	table_cell(table, text_slice(&left));
}

static void
print_rows(const struct ctl *ctl, const struct rows *rows, const char *limit)
{
	static const char *const headings[] = {"LIMIT", "DAEMON", "NODE", "CLIENT",
	                                       ">LEFT"};
	struct view view = view_of_stdout();
	struct table *table = table_new(&view, headings, COUNT_OF(headings));
	json_t *list = json_array();
	for (size_t i = 0; i < rows->n; i++) {
		if (!is_of_limit(&rows->v[i], limit))
			continue;
		add_row(table, &rows->v[i]);
		json_array_append_new(list, row_json(&rows->v[i]));
	}
	if (ctl->json)
		print_json(json_incref(list));
	else if (table_rows(table) > 0)
		table_print(table);
	else
		view_puts(&view, "no leases are in force\n");
	json_decref(list);
	table_free(&table);
}

/* EX_USAGE when there are options that it makes no use of. */
static int
refuse_unused(const struct ctl *ctl, const char *operand)
{
	static const char *const of_kill[] = {"yes", NULL};
	static const char *const of_list[] = {"destination", NULL};
	int status = ctl_refuse(ctl, of_kill, "leases list");
	return status == EX_OK && operand ? ctl_refuse(ctl, of_list, operand) : status;
}

static int
list_leases(struct ctl *ctl, const char *operand)
{
	char limit[OVERRIDE_NAME_MAX + 32];
	const char *destination = operand ? operand : ctl_option(ctl, "destination");
	struct rows rows;
	int status = refuse_unused(ctl, operand);
	if (status == EX_OK)
		status = read_wanted(ctl, destination, limit, sizeof(limit));
	if (status != EX_OK)
		return status;
	status = read_rows(ctl, &rows);
	if (status == EX_OK)
		print_rows(ctl, &rows, limit);
	free_rows(&rows);
	return status;
}

/* ---- kill ---- */

/* Only those that are wanted stay, each holder once. */
static void
keep_holders(struct rows *rows, const char *holder, const char *limit)
{
	size_t n = 0;
	for (size_t i = 0; i < rows->n; i++) {
		bool wanted = holder ? is_of_holder(&rows->v[i], holder)
		                     : is_of_limit(&rows->v[i], limit);
		for (size_t j = 0; wanted && j < n; j++)
			wanted = strcmp(rows->v[i].holder, rows->v[j].holder) != 0;
		if (wanted)
			rows->v[n++] = rows->v[i];
		else
			free(rows->v[i].limit);
	}
	rows->n = n;
}

/* Asks on a terminal; elsewhere --yes must have been given. */
static int
confirm(const struct ctl *ctl, const struct rows *rows)
{
	char line[16] = "";
	if (ctl_option(ctl, "yes"))
		return EX_OK;
	if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
		return ctl_fail(EX_USAGE, "without a terminal, leases kill needs --yes");
	struct view view = view_of_stdout();
	view.to = stderr;
	for (size_t i = 0; i < rows->n; i++) {
		view_puts(&view, "  ");
		view_text(&view, rows->v[i].holder);
		view_puts(&view, "\n");
	}
	view_printf(&view, "Take all slots away from %zu deliver%s? [y/N] ", rows->n,
	            rows->n == 1 ? "y" : "ies");
	fflush(stderr);
	if (fgets(line, sizeof(line), stdin) && (line[0] == 'y' || line[0] == 'Y'))
		return EX_OK;
	return ctl_fail(CTL_NO, "nothing was changed");
}

static void
log_kill(const struct ctl *ctl, const char *holder, int64_t killed)
{
	struct log_record rec;
	audit_start(&rec, ctl, "leases-killed");
	log_slice(&rec, "holder", slice_of(holder));
	log_int(&rec, "leases", killed);
	audit_send(&rec);
}

static int
kill_holders(struct ctl *ctl, const struct rows *rows)
{
	int64_t sum = 0, killed;
	struct view view = view_of_stdout();
	json_t *holders = json_array();
	struct err err;
	int status = EX_OK;
	for (size_t i = 0; i < rows->n && status == EX_OK; i++) {
		struct slice holder = slice_of(rows->v[i].holder);
		if (!history_kill_leases(ctl->history, holder, &killed, &err)) {
			status = ctl_store_failed(&err);
			continue;
		}
		log_kill(ctl, rows->v[i].holder, killed);
		json_array_append_new(holders, status_text(holder));
		sum += killed;
	}
	size_t n = json_array_size(holders);
	if (ctl->json)
		print_json(json_pack("{s:I, s:O}", "killed", (json_int_t)sum, "holders",
		                     holders));
	else
		view_printf(
			&view,
			"%lld lease%s of %zu holder%s %s gone; a delivery that goes on "
			"takes its slot again\nwhen its lease is renewed\n",
			(long long)sum, sum == 1 ? "" : "s", n, n == 1 ? "" : "s",
			sum == 1 ? "is" : "are");
	json_decref(holders);
	return status;
}

/* Perhaps a destination was meant; what holds slots has a ':' in it. */
static int
fail_absent(const struct ctl *ctl, const char *holder)
{
	const struct conf_destination *meant =
		holder && !strchr(holder, ':')
			? overriding_configured(ctl->conf, slice_of(holder))
			: NULL;
	if (meant)
		return ctl_fail(CTL_NO,
		                "there is no such lease: did you mean --destination %s?",
		                meant->name);
	return ctl_fail(CTL_NO, "there is no such lease");
}

static int
kill_leases(struct ctl *ctl, const char *holder)
{
	char limit[OVERRIDE_NAME_MAX + 32];
	const char *destination = ctl_option(ctl, "destination");
	struct rows rows;
	if (!holder == !destination) {
		ctl_fail(EX_USAGE, "leases kill needs a holder or --destination");
		return command_misused("leases");
	}
	int status = read_wanted(ctl, destination, limit, sizeof(limit));
	if (status != EX_OK)
		return status;
	status = read_rows(ctl, &rows);
	if (status == EX_OK)
		keep_holders(&rows, holder, limit);
	if (status == EX_OK && rows.n == 0)
		status = fail_absent(ctl, holder);
	if (status == EX_OK)
		status = confirm(ctl, &rows);
	if (status == EX_OK)
		status = kill_holders(ctl, &rows);
	free_rows(&rows);
	return status;
}

int
command_leases(struct ctl *ctl, int argc, char **argv)
{
	const char *operand = argc > 2 ? argv[2] : NULL;
	if (strcmp(argv[1], "list") == 0)
		return list_leases(ctl, operand);
	if (strcmp(argv[1], "kill") == 0)
		return kill_leases(ctl, operand);
	ctl_fail(EX_USAGE, "leases: \"%.40s\" is neither list nor kill", argv[1]);
	return command_misused("leases");
}
