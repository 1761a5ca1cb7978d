/* value.c - settings from text, and back: times, sizes, rates, words, replies. */
#include <stdlib.h>

#include "base/mem.h"
#include "conf/schema.h"

struct unit {
	const char *name;
	int64_t factor;
};

/* "3m" -> 3 * 60000: digits, then one of the units. */
static bool
parse_united(struct slice text, const struct unit *units, size_t n, int64_t *value_out)
{
	size_t digits = 0;
	while (digits < text.n && ascii_digit(text.p[digits]))
		digits++;
	uint64_t number;
	if (!slice_to_u64(slice_head(text, digits), INT64_MAX, &number))
		return false;
	struct slice suffix = slice_from(text, digits);
	for (size_t i = 0; i < n; i++) {
		if (slice_eq(suffix, slice_of(units[i].name))) {
			if ((int64_t)number > INT64_MAX / units[i].factor)
				return false;
			*value_out = (int64_t)number * units[i].factor;
			return true;
		}
	}
	return false;
}

bool
parse_time(struct slice text, int64_t *ms_out)
{
	static const struct unit units[] = {{"ms", 1},       {"s", 1000},
	                                    {"m", 60000},    {"h", 3600000},
	                                    {"d", 86400000}, {"w", 604800000}};
	return parse_united(text, units, COUNT_OF(units), ms_out);
}

bool
parse_size(struct slice text, int64_t *bytes_out)
{
	static const struct unit units[] = {{"", 1},
	                                    {"K", 1 << 10},
	                                    {"M", 1 << 20},
	                                    {"G", 1 << 30}};
	return parse_united(text, units, COUNT_OF(units), bytes_out);
}

/* ---- times and rates back to text ---- */

void
print_time(int64_t ms, struct text *out)
{
	static const struct {
		const char *name;
		int64_t ms;
	} units[] = {{"w", 604800000}, {"d", 86400000}, {"h", 3600000},
	             {"m", 60000},     {"s", 1000},     {"ms", 1}};

	size_t i = 0;
	while (i + 1 < COUNT_OF(units) && (ms % units[i].ms != 0 || ms == 0))
		i++;
	text_printf(out, "%lld%s", (long long)(ms / units[i].ms), units[i].name);
}

void
print_rate(const struct conf_rate *rate, struct text *out)
{
	text_printf(out, "%lld/", (long long)rate->count);
	print_time(rate->per_ms, out);
	if (rate->burst > 0)
		text_printf(out, " burst %lld", (long long)rate->burst);
}

void
print_rates(const struct conf_rates *rates, struct text *out)
{
	if (rates->n == 0)
		text_puts(out, "0");
	for (size_t i = 0; i < rates->n; i++) {
		text_puts(out, i > 0 ? ", " : "");
		print_rate(&rates->v[i], out);
	}
}

/* ---- rates: "20/1m, 500/1d", "600/1m burst 20" ---- */

#define COUNT_MAX INT64_C(1000000000)

/* Rates are counted in microseconds, in doubles where it is Redis: four weeks leave room enough. */
#define TIME_MAX_MS INT64_C(2419200000)
#define TIME_MAX    "4w"

#define RATE_WANTED                                                                  \
 "wants a number for a time, such as \"100/1m\", \"2000/1w\" or \"600/1m burst 20\"" \
 " (units s, m, h, d, w), or \"0\""

/* From 1 to COUNT_MAX. */
static bool
parse_count(struct slice text, int64_t *count_out, struct err *err)
{
	uint64_t count;
	if (!slice_to_u64(text, INT64_MAX, &count))
		return err_set(err, RATE_WANTED);
	if (count == 0 || count > COUNT_MAX)
		return err_set(err, "must have a number from 1 to %lld in a rate",
		               (long long)COUNT_MAX);
	*count_out = (int64_t)count;
	return true;
}

/* "burst 20", or nothing. */
static bool
parse_burst(struct slice text, struct conf_rate *rate, struct err *err)
{
	struct slice word;
	rate->burst = 0;
	if (!slice_word(&text, &word))
		return true;
	if (!slice_eq(word, SLICE("burst")) || !slice_word(&text, &word) ||
	    slice_trim(text).n > 0)
		return err_set(err, RATE_WANTED);
	if (!parse_count(word, &rate->burst, err))
		return false;
	/* Events that came at once are paid for within the longest time, too. */
	int64_t most = TIME_MAX_MS * rate->count / rate->per_ms;
	if (rate->burst > most)
		return err_set(err,
		               "has a burst that takes too long to refill: at most %lld "
		               "(" TIME_MAX ")",
		               (long long)most);
	return true;
}

bool
parse_rate(struct slice text, struct conf_rate *rate_out, struct err *err_out)
{
	struct slice rest = slice_trim(text), number, time;
	*rate_out = (struct conf_rate){0};
	if (slice_eq(rest, SLICE("0")))
		return true;
	if (!slice_cut(&rest, '/', &number) || !slice_word(&rest, &time))
		return err_set(err_out, RATE_WANTED);
	if (!parse_count(slice_trim(number), &rate_out->count, err_out))
		return false;
	if (!parse_time(time, &rate_out->per_ms) || rate_out->per_ms == 0)
		return err_set(err_out, RATE_WANTED);
	if (rate_out->per_ms > TIME_MAX_MS)
		return err_set(err_out, "must be for a time of at most " TIME_MAX);
	return parse_burst(rest, rate_out, err_out);
}

static int64_t
burst_of(const struct conf_rate *rate)
{
	return rate->burst > 0 ? rate->burst : rate->count;
}

/* Whether whatever `narrow` lets through is within `wide`, too. */
static bool
never_refuses(const struct conf_rate *wide, const struct conf_rate *narrow)
{
	return burst_of(wide) >= burst_of(narrow) &&
	       wide->count * narrow->per_ms >= narrow->count * wide->per_ms;
}

static bool
refuse_pair(const struct conf_rate *wide, const struct conf_rate *narrow, struct err *err)
{
	char a[100], b[100];
	struct text of_wide = TEXT(a), of_narrow = TEXT(b);
	print_rate(wide, &of_wide);
	print_rate(narrow, &of_narrow);
	return err_set(
		err,
		"has \"%s\", which never refuses anything since \"%s\" is always stricter",
		a, b);
}

/* Adds it where it belongs: the longest time comes first. */
static bool
add_window(struct conf_rates *rates, const struct conf_rate *rate, struct err *err)
{
	size_t at = rates->n;
	for (size_t i = 0; i < rates->n; i++) {
		const struct conf_rate *other = &rates->v[i];
		if (never_refuses(rate, other))
			return refuse_pair(rate, other, err);
		if (never_refuses(other, rate))
			return refuse_pair(other, rate, err);
		if (rate->per_ms == other->per_ms)
			return err_set(err, "has two rates for the same time");
	}
	for (rates->n++; at > 0 && rates->v[at - 1].per_ms < rate->per_ms; at--)
		rates->v[at] = rates->v[at - 1];
	rates->v[at] = *rate;
	return true;
}

bool
parse_rates(struct slice text, struct conf_rates *rates_out, struct err *err_out)
{
	struct slice rest = text, one;
	*rates_out = (struct conf_rates){0};
	if (slice_eq(slice_trim(text), SLICE("0")))
		return true;
	while (slice_cut(&rest, ',', &one)) {
		struct conf_rate rate;
		if (!parse_rate(one, &rate, err_out))
			return false;
		if (rate.count == 0)
			return err_set(err_out,
			               "has \"0\" (no limit) beside other rates");
		if (rates_out->n == RATE_WINDOWS_MAX)
			return err_set(err_out, "has too many rates: at most %d",
			               RATE_WINDOWS_MAX);
		if (!add_window(rates_out, &rate, err_out))
			return false;
	}
	return rates_out->n > 0 || err_set(err_out, RATE_WANTED);
}

/* ---- settings ---- */

static void *
member(void *base, const struct setting *row)
{
	return (char *)base + row->offset;
}

static bool
set_number(const struct setting *row, void *base, int64_t value, struct err *err)
{
	if (value < row->min || value > row->max)
		return err_set(err, "is out of bounds");
	*(int64_t *)member(base, row) = value;
	return true;
}

static bool
set_int(const struct setting *row, void *base, struct slice value, struct err *err)
{
	uint64_t number;
	if (!slice_to_u64(value, INT64_MAX, &number))
		return err_set(err, "wants a whole number");
	if ((int64_t)number < row->min || (int64_t)number > row->max)
		return err_set(err, "must be from %lld to %lld", (long long)row->min,
		               (long long)row->max);
	return set_number(row, base, (int64_t)number, err);
}

static bool
set_octal(const struct setting *row, void *base, struct slice value, struct err *err)
{
	int64_t number = 0;
	for (size_t i = 0; i < value.n; i++) {
		if (value.p[i] < '0' || value.p[i] > '7' || number > row->max)
			return err_set(err, "wants an octal mode such as \"0660\"");
		number = number * 8 + (value.p[i] - '0');
	}
	if (value.n == 0)
		return err_set(err, "wants an octal mode such as \"0660\"");
	return set_number(row, base, number, err);
}

/* "must be from 1m to 30d" */
static bool
refuse_time(const struct setting *row, struct err *err)
{
	char buf[100];
	struct text text = TEXT(buf);
	print_time(row->min, &text);
	text_puts(&text, " to ");
	print_time(row->max, &text);
	return err_set(err, "must be from %s", buf);
}

static bool
set_time(const struct setting *row, void *base, struct slice value, struct err *err)
{
	int64_t ms;
	if (!parse_time(value, &ms))
		return err_set(
			err,
			"wants a time with its unit, such as \"90s\", \"3m\" or \"35d\"");
	if (ms < row->min || ms > row->max)
		return refuse_time(row, err);
	if (row->min >= 1000 && ms % 1000 != 0)
		return err_set(err, "must be whole seconds");
	return set_number(row, base, ms, err);
}

static bool
set_size(const struct setting *row, void *base, struct slice value, struct err *err)
{
	int64_t bytes;
	if (!parse_size(value, &bytes))
		return err_set(err, "wants a size such as \"512M\" or \"2G\"");
	if (bytes > row->max)
		return err_set(err, "must be at most %lldG", (long long)(row->max >> 30));
	return set_number(row, base, bytes, err);
}

static bool
set_enum(const struct setting *row, void *base, struct slice value, struct err *err)
{
	struct slice rest = slice_of(row->words), word;
	for (int i = 0; slice_cut(&rest, '|', &word); i++) {
		if (slice_eq(word, value)) {
			*(int *)member(base, row) = i;
			return true;
		}
	}
	return err_set(err, "must be one of %s", row->words);
}

static bool
set_bool(const struct setting *row, void *base, struct slice value, struct err *err)
{
	if (!slice_eq(value, SLICE("true")) && !slice_eq(value, SLICE("false")))
		return err_set(err, "must be true or false");
	*(bool *)member(base, row) = value.p[0] == 't';
	return true;
}

static bool
set_text(const struct setting *row, void *base, struct slice value, struct err *err)
{
	if (value.n > 1000)
		return err_set(err, "is too long");
	char **text = member(base, row);
	free(*text);
	*text = mem_dup(value);
	return true;
}

/* RFC 5321 4.2 and RFC 3463: "4yz 4.y.z text", so that the mail is never bounced. */
static bool
is_deferral(struct slice reply)
{
	struct slice rest = reply, code, enhanced, part;
	uint64_t number;
	if (!slice_word(&rest, &code) || code.n != 3 ||
	    !slice_to_u64(code, 499, &number) || number < 400 || number == 421 ||
	    !slice_word(&rest, &enhanced))
		return false;
	for (int i = 0; i < 3; i++)
		if (!slice_cut(&enhanced, '.', &part) || part.n > 3 ||
		    !slice_to_u64(part, 999, &number) || (i == 0 && number != 4))
			return false;
	return !enhanced.p && slice_trim(rest).n > 0;
}

static bool
has_known_marks(struct slice reply)
{
	for (size_t i = 0; i < reply.n; i++)
		if (reply.p[i] == '%' && (++i == reply.n || !strchr("din%", reply.p[i])))
			return false;
	return true;
}

static bool
set_reply(const struct setting *row, void *base, struct slice value, struct err *err)
{
	if (value.n == 0 && !*row->text)
		return set_text(row, base, value, err);
	if (value.n > 400)
		return err_set(err, "is too long for an SMTP reply (400 characters)");
	for (size_t i = 0; i < value.n; i++)
		if (value.p[i] < ' ' || value.p[i] > '~')
			return err_set(err, "must be one line of printable ASCII");
	if (!is_deferral(value))
		return err_set(
			err, "wants a temporary failure such as \"451 4.7.1 some text\" "
			     "(not 421)");
	if (!has_known_marks(value))
		return err_set(err, "may only contain %%d, %%i, %%n and %%%%");
	return set_text(row, base, value, err);
}

static void
free_texts(struct conf_texts *texts)
{
	for (size_t i = 0; i < texts->n; i++)
		free(texts->v[i]);
	free(texts->v);
	*texts = (struct conf_texts){0};
}

static bool
set_texts(const struct setting *row, void *base, struct slice value)
{
	struct conf_texts *texts = member(base, row);
	free_texts(texts);
	struct slice rest = value, one;
	while (slice_cut(&rest, ',', &one)) {
		one = slice_trim(one);
		if (one.n == 0)
			continue;
		texts->v = mem_grow(texts->v, (texts->n + 1) * sizeof(*texts->v));
		texts->v[texts->n++] = mem_dup(one);
	}
	return true;
}

bool
schema_set(const struct setting *row, void *base, struct slice value, struct err *err)
{
	switch (row->type) {
	case SET_TEXT: return set_text(row, base, value, err);
	case SET_BOOL: return set_bool(row, base, value, err);
	case SET_INT: return set_int(row, base, value, err);
	case SET_OCTAL: return set_octal(row, base, value, err);
	case SET_TIME: return set_time(row, base, value, err);
	case SET_SIZE: return set_size(row, base, value, err);
	case SET_RATE: return parse_rate(value, member(base, row), err);
	case SET_RATES: return parse_rates(value, member(base, row), err);
	case SET_ENUM: return set_enum(row, base, value, err);
	case SET_REPLY: return set_reply(row, base, value, err);
	case SET_TEXTS: return set_texts(row, base, value);
	case SET_POOLS:
	case SET_DESTINATIONS:
	case SET_GROUPS:
		if (value.n == 0)
			return true;
		return err_set(err, "can only be given in the settings file");
	}
	return false;
}

void
schema_clear(const struct setting *row, void *base)
{
	char **text = member(base, row);
	switch (row->type) {
	case SET_TEXT:
	case SET_REPLY:
		free(*text);
		*text = NULL;
		break;
	case SET_TEXTS: free_texts(member(base, row)); break;
	case SET_BOOL:
	case SET_INT:
	case SET_OCTAL:
	case SET_TIME:
	case SET_SIZE:
	case SET_RATE:
	case SET_RATES:
	case SET_ENUM:
	case SET_POOLS:
	case SET_DESTINATIONS:
	case SET_GROUPS: break;
	}
}
