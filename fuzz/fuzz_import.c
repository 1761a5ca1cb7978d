/*
 * fuzz_import.c - any bytes as what another greylister has kept, or as an export of weir.
 *
 * The first byte says which: 'p' rows of postgrey-dump, 'm' a dump of milter-greylist, 'w' an export.
 * Nothing is written.  What must hold: all that a row has lies within it, keys and sizes are bounded,
 * every row is counted once, and an export that was read is printed as it was read.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "export_reader.h"
#include "foreign.h"
#include "infile.h"
#include "milter_greylist_row.h"
#include "postgrey_row.h"
#include "rules/plan.h"
#include "store/record.h"

enum { NOW = 1800000000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct take {
	const struct conf *conf;
	struct intake *intake;
	struct foreign *foreign;
	int64_t rows;
};

static void
must(bool holds)
{
	if (!holds)
		abort();
}

static void
is_within(struct slice part, struct slice whole)
{
	must(part.n == 0 || (part.p >= whole.p && part.p + part.n <= whole.p + whole.n));
}

static void
is_known(const struct addr *client, unsigned bits)
{
	must(client->family == ADDR_V4 || client->family == ADDR_V6);
	must(bits <= addr_max_bits(client->family));
}

static void
add(struct take *take, const struct addr *client, unsigned bits, struct slice sender,
    struct slice recipient, struct grey_record record)
{
	foreign_triplet(take->foreign, client,
	                bits > 0 ? bits : addr_max_bits(client->family), sender,
	                recipient, record);
	take->rows++;
}

/* "VALUE KEY" */
static void
postgrey_line(struct take *take, struct slice line)
{
	struct slice key = line, value;
	struct postgrey_triplet triplet;
	struct addr client;
	unsigned bits;
	int64_t first_s = 0, last_s = NOW - 60;
	bool timed = slice_cut(&key, ' ', &value) &&
	             postgrey_parse_value(value, &first_s, &last_s);
	must(first_s >= 0 && first_s <= RECORD_AT_MAX && last_s <= RECORD_AT_MAX);
	if (postgrey_parse_triplet(key, &triplet)) {
		is_known(&triplet.client, triplet.bits);
		is_within(triplet.sender, key);
		is_within(triplet.recipient, key);
		must(triplet.recipient.n > 0 && !postgrey_is_hashed(key));
		add(take, &triplet.client, triplet.bits, triplet.sender,
		    triplet.recipient,
		    (struct grey_record){.state = timed ? GREY_PASSED : GREY_WAITING,
		                         .at_s = last_s});
	}
	if (postgrey_parse_client(key, &client, &bits)) {
		is_known(&client, bits);
		foreign_client(take->foreign, &client,
		               bits > 0 ? bits : addr_max_bits(client.family), first_s,
		               last_s);
		take->rows++;
	}
}

static void
milter_greylist_line(struct take *take, struct slice line)
{
	struct dump_row row;
	enum dump_line kind = dump_parse(line, &row);
	if (kind != DUMP_GREYLISTED && kind != DUMP_WHITELISTED && kind != DUMP_TARPIT)
		return;
	is_known(&row.client, 0);
	is_within(row.sender, line);
	is_within(row.recipient, line);
	must(row.sender.n > 0 && row.recipient.n > 0);
	must(row.at_s >= 0 && row.at_s <= RECORD_AT_MAX);
	add(take, &row.client, 0, row.sender, row.recipient,
	    (struct grey_record){.state = kind == DUMP_WHITELISTED ? GREY_PASSED
	                                                           : GREY_WAITING,
	                         .at_s = row.at_s});
}

static void
take_lines(struct take *take, struct slice rest,
           void (*line_fn)(struct take *take, struct slice line))
{
	struct err err;
	struct slice line;
	FILE *nowhere = fopen("/dev/null", "w");
	while (slice_cut(&rest, '\n', &line))
		if (line.n < INFILE_LINE_MAX)
			line_fn(take, line);
	must(foreign_print_clients(take->foreign, nowhere) <= take->rows);
	must(foreign_take(take->foreign, &err));
	must(intake_rows(take->intake) == take->rows);
	fclose(nowhere);
}

static void
try_foreign(struct slice rest, void (*line_fn)(struct take *take, struct slice line))
{
	static struct conf *conf;
	struct err err;
	struct key_secret secret = {{0}};
	if (!conf)
		conf = conf_load(NULL, NULL, &err);
	struct take take = {.conf = conf, .intake = mem_new(struct intake)};
	take.intake->rules = plan_rules(conf);
	take.intake->now_s = NOW;
	take.intake->only_look = true;
	take.foreign = foreign_new(conf, &secret, take.intake);
	take_lines(&take, rest, line_fn);
	foreign_free(&take.foreign);
	free(take.intake);
}

/* What was read is printed, and read again. */
static void
prints_as_read(const struct transfer_line *read)
{
	char buf[TRANSFER_LINE_MAX] = "";
	struct transfer_line again;
	struct history_row row = read->row;
	struct err err;
	FILE *to = fmemopen(buf, sizeof(buf), "w");
	row.packed = read->kind == TRANSFER_RECORD ? record_pack(&read->record) : 0;
	if (read->kind == TRANSFER_RECORD)
		must(transfer_print_row(&row, to));
	else if (read->kind == TRANSFER_OVERRIDE)
		transfer_print_override(&read->override, to);
	fclose(to);
	struct slice line = slice_trim(slice_of(buf));
	if (line.n == 0)
		return;
	must(transfer_parse(line, &again, &err) && again.kind == read->kind);
	if (read->kind == TRANSFER_RECORD)
		must(memcmp(&again.row.key, &read->row.key, sizeof(again.row.key)) == 0 &&
		     record_pack(&again.record) == row.packed);
	else
		must(strcmp(again.override.name, read->override.name) == 0 &&
		     again.override.until_s == read->override.until_s);
}

static void
try_export(struct slice all)
{
	struct export_reader reader;
	struct transfer_line line;
	struct err err = {0};
	enum export_read read = EXPORT_LINE;
	FILE *file = all.n > 0 ? fmemopen((void *)(uintptr_t)all.p, all.n, "r") : NULL;
	if (!file)
		return;
	bool open = export_reader_open(&reader, file, "input", &err);
	while (open && (read = export_reader_next(&reader, &line, &err)) == EXPORT_LINE)
		prints_as_read(&line);
	must((open && read == EXPORT_DONE) || err.text[0] != '\0');
	must(reader.rows <= reader.line);
	fclose(file);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice all = {.p = (const char *)data, .n = size};
	if (size == 0)
		return 0;
	switch (all.p[0]) {
	case 'p': try_foreign(slice_from(all, 1), postgrey_line); break;
	case 'm': try_foreign(slice_from(all, 1), milter_greylist_line); break;
	case 'w': try_export(slice_from(all, 1)); break;
	default: break;
	}
	return 0;
}
