/*
 * schema.h - the table of settings: one row each.
 *
 * The loader, -o, -t, the hints for unknown names and the lint of the manual all come
 * from it.  Adding a setting is adding a row (and its paragraph in weir.conf.5).
 */
#ifndef WEIR_SCHEMA_H
#define WEIR_SCHEMA_H

#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"
#include "conf/conf.h"

enum setting_type {
	SET_TEXT,         /* char * */
	SET_BOOL,         /* bool */
	SET_INT,          /* int64_t, min..max */
	SET_OCTAL,        /* int64_t, min..max, written in octal */
	SET_TIME,         /* int64_t milliseconds, "90s", "3m"; min..max */
	SET_SIZE,         /* int64_t bytes, "512M"; min..max */
	SET_RATE,         /* struct conf_rate, "100/1m", "100/1m burst 10" */
	SET_RATES,        /* struct conf_rates, "20/1m, 500/1d" */
	SET_ENUM,         /* int: position among `words` */
	SET_REPLY,        /* char *, "451 4.7.1 text"; empty where that is the default */
	SET_TEXTS,        /* struct conf_texts */
	SET_POOLS,        /* conf->greylist.pools: a list of groups */
	SET_DESTINATIONS, /* conf->limits.destinations: the same */
	SET_GROUPS,       /* struct conf_groups: the same */
};

/* What each is set in. */
#define OF_SET_TEXT   char *
#define OF_SET_BOOL   bool
#define OF_SET_INT    int64_t
#define OF_SET_OCTAL  int64_t
#define OF_SET_TIME   int64_t
#define OF_SET_SIZE   int64_t
#define OF_SET_RATE   struct conf_rate
#define OF_SET_RATES  struct conf_rates
#define OF_SET_ENUM   int
#define OF_SET_REPLY  char *
#define OF_SET_TEXTS  struct conf_texts
#define OF_SET_GROUPS struct conf_groups

/* Type and offset of a row; does not compile when the member of `of` is of another type. */
#define SETTING_AT(type, of, member) \
 type, offsetof(of, member) + _Generic(&((of *)0)->member, OF_##type * : 0)

/* Of limits.*.concurrency. */
#define CONCURRENCY_MAX 1000000

struct setting {
	const char *name;
	enum setting_type type;
	size_t offset; /* in struct conf, or what else is set */
	int64_t min;
	int64_t max;
	const char *text;  /* default, as -o would give it */
	const char *words; /* SET_ENUM: "on|observe|off" */
	bool at_start;     /* a reload does not change it */
};

extern const struct setting schema[];
extern const size_t schema_rows;

/* NULL when there is none of that name. */
const struct setting *schema_find(struct slice name);

/* The known name that is nearest to a wrong one, NULL when none is near. */
const char *schema_nearest(struct slice name);

/* The same in a table of its own, such as that of a group's members. */
const struct setting *setting_find(const struct setting *rows, size_t n,
                                   struct slice name);
const char *setting_nearest(const struct setting *rows, size_t n, struct slice name);

/*
 * Sets one setting from text in `base`, the struct conf or what else the row's offset is in.
 * False with a text about the value, without its name.  What was set before is freed.
 */
bool schema_set(const struct setting *row, void *base, struct slice value,
                struct err *err_out) MUST_CHECK;

/* Frees what the setting holds. */
void schema_clear(const struct setting *row, void *base);

/* The times, sizes and rates of the settings, for tests and tools.  False with a text. */
bool parse_time(struct slice text, int64_t *ms_out) MUST_CHECK;
bool parse_size(struct slice text, int64_t *bytes_out) MUST_CHECK;
bool parse_rate(struct slice text, struct conf_rate *rate_out, struct err *err_out)
	MUST_CHECK;
bool parse_rates(struct slice text, struct conf_rates *rates_out, struct err *err_out)
	MUST_CHECK;

/* "3m", "90s", "100ms": in the largest unit that holds it in whole numbers. */
void print_time(int64_t ms, struct text *out);

/* "500/1d", "600/1m burst 20" */
void print_rate(const struct conf_rate *rate, struct text *out);

#define RATES_TEXT_MAX 256

/* "500/1d, 20/1m"; "0" for none.  RATES_TEXT_MAX bytes are enough. */
void print_rates(const struct conf_rates *rates, struct text *out);

#endif
