/* transfer.c - the lines of an export. */
#include "transfer.h"

#include <inttypes.h>
#include <jansson.h>

#include "conf/schema.h"
#include "store/record.h"

static const char *const state_words[] = {
	[GREY_WAITING] = "waiting",
	[GREY_PASSED] = "passed",
	[GREY_IDENTITY] = "identity",
};

/* ---- printing: what needs no escaping is printed as it is, for there are millions of it ---- */

void
transfer_print_header(const struct key_secret *secret, int64_t now_s, FILE *to)
{
	char hex[KEY_SECRET_TEXT_LEN + 1];
	key_secret_print(secret, hex);
	fprintf(to,
	        "{\"weir\":\"export\",\"version\":%d,\"secret\":\"%s\",\"at\":%" PRId64
	        "}\n",
	        TRANSFER_VERSION, hex, now_s);
}

bool
transfer_print_row(const struct history_row *row, FILE *to)
{
	char key[KEY_TEXT_LEN + 1];
	struct grey_record record;
	if (!record_unpack(row->packed, &record))
		return false;
	key_print(&row->key, key);
	fprintf(to,
	        "{\"kind\":\"%s\",\"key\":\"%s\",\"state\":\"%s\",\"at\":%" PRId64
	        ",\"count\":%u}\n",
	        row->kind == RECORD_IDENTITY ? "identity" : "triplet", key,
	        state_words[record.state], record.at_s, grey_passes(&record));
	return true;
}

void
transfer_print_override(const struct override *override, FILE *to)
{
	json_t *json =
		json_pack("{s:s, s:s, s:s, s:I, s:I, s:s, s:I, s:b}", "kind", "override",
	                  "override", override_kind_word(override->kind), "name",
	                  override->name, "until", (json_int_t) override->until_s, "made",
	                  (json_int_t) override->made_s, "by", override->by, "limit",
	                  (json_int_t) override->limit, "no_limits",
	                  (int) override->no_limits);
	if (override_sets_rates(override->kind)) {
		char buf[RATES_TEXT_MAX];
		struct text rates = TEXT(buf);
		print_rates(&override->rates, &rates);
		json_object_set_new(json, "rates", json_string(buf));
	}
	if (json && json_dumpf(json, to, JSON_COMPACT | JSON_ENSURE_ASCII) == 0)
		putc('\n', to);
	json_decref(json);
}

void
transfer_print_end(int64_t rows, FILE *to)
{
	fprintf(to, "{\"kind\":\"end\",\"rows\":%" PRId64 "}\n", rows);
}

/* ---- parsing ---- */

static json_t *
load_object(struct slice line, struct err *err_out)
{
	json_t *json = json_loadb(line.p, line.n, JSON_REJECT_DUPLICATES, NULL);
	if (!json) {
		err_set(err_out, "not JSON");
	} else if (!json_is_object(json)) {
		err_set(err_out, "not a JSON object");
		json_decref(json);
		json = NULL;
	}
	return json;
}

/* Empty when there is no text of that name. */
static struct slice
text_of(const json_t *json, const char *name)
{
	const json_t *value = json_object_get(json, name);
	return (struct slice){.p = json_string_value(value),
	                      .n = json_string_length(value)};
}

static bool
number_of(const json_t *json, const char *name, int64_t max, int64_t *value_out)
{
	const json_t *value = json_object_get(json, name);
	*value_out = json_integer_value(value);
	return json_is_integer(value) && *value_out >= 0 && *value_out <= max;
}

bool
transfer_parse_header(struct slice line, struct key_secret *secret_out,
                      struct err *err_out)
{
	int64_t version;
	json_t *json = load_object(line, err_out);
	if (!json)
		return false;
	bool ok = true;
	if (!slice_eq(text_of(json, "weir"), SLICE("export")))
		ok = err_set(err_out, "not an export of weir");
	else if (!number_of(json, "version", INT64_MAX, &version))
		ok = err_set(err_out, "an export without a version");
	else if (version != TRANSFER_VERSION)
		ok = err_set(err_out,
		             "an export of version %" PRId64
		             ", and this is weirctl for %d",
		             version, TRANSFER_VERSION);
	else if (!key_secret_parse(text_of(json, "secret"), secret_out))
		ok = err_set(err_out, "an export without the site's secret");
	json_decref(json);
	return ok;
}

static bool
parse_record(const json_t *json, enum history_record kind, struct transfer_line *line)
{
	int64_t count;
	struct slice state = text_of(json, "state");
	enum grey_state found = GREY_ABSENT;
	for (size_t i = GREY_WAITING; i < COUNT_OF(state_words); i++)
		if (slice_eq(state, slice_of(state_words[i])))
			found = (enum grey_state)i;
	line->row.kind = kind;
	if (found == GREY_ABSENT ||
	    (found == GREY_IDENTITY) != (kind == RECORD_IDENTITY) ||
	    !key_parse(text_of(json, "key"), &line->row.key) ||
	    !number_of(json, "at", RECORD_AT_MAX, &line->record.at_s) ||
	    !number_of(json, "count", GREY_COUNT_MAX, &count))
		return false;
	line->record.state = found;
	line->record.count = (unsigned)count;
	return true;
}

static bool
parse_override(const json_t *json, const char *name, struct override *override)
{
	struct err why;
	int64_t limit;
	struct slice kind = text_of(json, name);
	struct text by = TEXT(override->by);
	for (override->kind = 0; override->kind < OVERRIDE_KINDS; override->kind++)
		if (slice_eq(kind, slice_of(override_kind_word(override->kind))))
			break;
	if (override->kind == OVERRIDE_KINDS ||
	    !override_set_name(override, text_of(json, "name"), &why) ||
	    !number_of(json, "until", RECORD_AT_MAX, &override->until_s) ||
	    !number_of(json, "made", RECORD_AT_MAX, &override->made_s) ||
	    !number_of(json, "limit", CONCURRENCY_MAX, &limit) ||
	    (override_sets_rates(override->kind) &&
	     !override_set_limit(override, text_of(json, "rates"), &why)))
		return false;
	text_put(&by, text_of(json, "by"));
	override->limit = limit;
	override->no_limits = json_is_true(json_object_get(json, "no_limits"));
	return !by.cut;
}

static enum transfer_kind
parse_kind(const json_t *json, struct transfer_line *line)
{
	struct slice kind = text_of(json, "kind");
	if (slice_eq(kind, SLICE("triplet")))
		return parse_record(json, RECORD_TRIPLET, line) ? TRANSFER_RECORD
		                                                : TRANSFER_MALFORMED;
	if (slice_eq(kind, SLICE("identity")))
		return parse_record(json, RECORD_IDENTITY, line) ? TRANSFER_RECORD
		                                                 : TRANSFER_MALFORMED;
	if (slice_eq(kind, SLICE("override")))
		return parse_override(json, "override", &line->override)
		               ? TRANSFER_OVERRIDE
		               : TRANSFER_MALFORMED;
	if (slice_eq(kind, SLICE("order"))) /* their name in exports before 0.1 */
		return parse_override(json, "order", &line->override)
		               ? TRANSFER_OVERRIDE
		               : TRANSFER_MALFORMED;
	if (slice_eq(kind, SLICE("end")))
		return number_of(json, "rows", INT64_MAX, &line->rows)
		               ? TRANSFER_END
		               : TRANSFER_MALFORMED;
	return kind.n > 0 ? TRANSFER_UNKNOWN : TRANSFER_MALFORMED;
}

bool
transfer_parse(struct slice line, struct transfer_line *line_out, struct err *err_out)
{
	json_t *json = load_object(line, err_out);
	if (!json)
		return false;
	*line_out = (struct transfer_line){0};
	line_out->kind = parse_kind(json, line_out);
	json_decref(json);
	return true;
}
