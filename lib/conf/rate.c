/* rate.c - rates from text and back: "20/1m, 500/1d", "600/1m burst 20". */
#include "conf/schema.h"

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
		return err_set(err, "must count from 1 to %lld in a rate",
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
	return err_set(err, "has \"%s\", which never refuses anything beside \"%s\"", a,
	               b);
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
