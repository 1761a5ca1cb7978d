/* metrics.c - the figures of a daemon for Prometheus; those of the site are in metrics_site.c. */
#include "books/metrics.h"

#include "base/attr.h"
#include "base/stats.h"
#include "books/tally.h"
#include "conf/list.h"
#include "config.h"
#include "metrics_site.h"
#include "proc_self.h"
#include "promtext.h"
#include "store/store.h"

#define NAME_MAX_LEN 100

static void
print_counters(FILE *out)
{
	for (int i = 0; i < STAT_COUNT; i++) {
		char name[NAME_MAX_LEN];
		struct text text = TEXT(name);
		text_printf(&text, "weir_%s_total", stats_name((enum stat)i));
		promtext_family(out, name, "counter", stats_help((enum stat)i));
		promtext_sample(out, name, NULL, 0, (int64_t)stats_get((enum stat)i));
	}
}

static void
print_verdicts(FILE *out, const struct tally *tally)
{
	static const char name[] = "weir_verdicts_total";

	static const struct {
		enum verdict_action action;
		const char *word;
	} actions[] = {{VERDICT_ACCEPT, "accept"}, {VERDICT_DEFER, "defer"}};

	if (!tally)
		return;
	promtext_family(out, name, "counter", "recipients judged, by answer and cause");
	for (size_t i = 0; i < COUNT_OF(actions); i++)
		for (int why = 0; why < WHY_COUNT; why++) {
			const struct label labels[] = {
				{"action", slice_of(actions[i].word)},
				{"why", slice_of(why_word((enum why)why))}};
			promtext_sample(out, name, labels, COUNT_OF(labels),
			                (int64_t)tally_verdicts(tally, (enum why)why,
			                                        actions[i].action));
		}
}

static void
print_bucket(FILE *out, const char *name, int64_t bound, int64_t per_second,
             uint64_t count)
{
	fprintf(out, "%s_bucket{le=\"", name);
	promtext_number(out, bound, per_second);
	fprintf(out, "\"} %llu\n", (unsigned long long)count);
}

static void
print_histogram(FILE *out, enum histogram histogram)
{
	struct histogram_state state;
	int64_t per_second = histogram_per_second(histogram);
	uint64_t upto = 0;
	char name[NAME_MAX_LEN], sum_name[NAME_MAX_LEN];
	struct text text = TEXT(name), sum_text = TEXT(sum_name);
	text_printf(&text, "weir_%s_seconds", histogram_name(histogram));
	text_printf(&sum_text, "%s_sum", name);
	histogram_get(histogram, &state);
	promtext_family(out, name, "histogram", histogram_help(histogram));
	for (size_t i = 0; i < HISTOGRAM_BOUNDS; i++) {
		upto += state.counts[i];
		print_bucket(out, name, state.bounds[i], per_second, upto);
	}
	fprintf(out, "%s_bucket{le=\"+Inf\"} %llu\n", name,
	        (unsigned long long)state.count);
	promtext_decimal(out, sum_name, (int64_t)state.sum, per_second);
	fprintf(out, "%s_count %llu\n", name, (unsigned long long)state.count);
}

static void
print_gauge(FILE *out, const char *name, const char *help, int64_t value)
{
	promtext_family(out, name, "gauge", help);
	promtext_sample(out, name, NULL, 0, value);
}

static void
print_build(FILE *out, const struct self *self)
{
	static const char name[] = "weir_build_info";
	const struct label labels[] = {{"version", SLICE(PACKAGE_VERSION)},
	                               {"daemon", slice_of(self->daemon)},
	                               {"node", slice_of(self->conf->node)}};
	promtext_family(out, name, "gauge", "which daemon this is; always 1");
	promtext_sample(out, name, labels, COUNT_OF(labels), 1);
}

static void
print_lists(FILE *out, const struct conf *conf)
{
	static const char name[] = "weir_list_entries";

	const struct {
		const char *word;
		const struct list *list;
	} lists[] = {{"clients", conf->allowed_clients},
	             {"senders", conf->allowed_senders},
	             {"recipients", conf->allowed_recipients},
	             {"networks", conf->own_networks}};

	promtext_family(out, name, "gauge", "entries loaded from each list");
	for (size_t i = 0; i < COUNT_OF(lists); i++) {
		const struct label label = {"list", slice_of(lists[i].word)};
		promtext_sample(out, name, &label, 1, (int64_t)list_count(lists[i].list));
	}
}

static void
print_self(FILE *out, const struct self *self)
{
	print_build(out, self);
	print_gauge(out, "weir_start_time_seconds",
	            "when the daemon was started, in seconds since 1970",
	            self->started_s);
	print_gauge(out, "weir_store_up", "whether the store answers",
	            store_is_up(self->store));
	print_gauge(
		out, "weir_store_breaker_open",
		"whether this daemon does not ask the store because it did not answer",
		store_breaker_is_open(self->store));
	print_gauge(out, "weir_deliveries_under_way",
	            "deliveries under way at this daemon that limits apply to",
	            (int64_t)self->under_way);
	print_lists(out, self->conf);
}

/* By the names that they have everywhere. */
static void
print_process(FILE *out)
{
	struct proc_self self;
	if (!proc_self_read(&self))
		return;
	print_gauge(out, "process_start_time_seconds",
	            "when the process was started, in seconds since 1970", self.start_s);
	print_gauge(out, "process_resident_memory_bytes", "memory in use",
	            self.resident_bytes);
	print_gauge(out, "process_open_fds", "descriptors in use", self.open_fds);
	print_gauge(out, "process_max_fds", "most descriptors allowed", self.max_fds);
	promtext_family(out, "process_cpu_seconds_total", "counter",
	                "processor time used");
	promtext_decimal(out, "process_cpu_seconds_total", self.cpu_us, 1000000);
}

void
metrics_print(FILE *out, const struct self *self, const struct json_t *status)
{
	print_counters(out);
	print_verdicts(out, self->tally);
	for (int i = 0; i < HISTOGRAM_COUNT; i++)
		print_histogram(out, (enum histogram)i);
	print_self(out, self);
	print_process(out);
	metrics_print_site(out, status);
}
