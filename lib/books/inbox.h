/* inbox.h - what the loop leaves for the recorder, until it is taken: bounded, plain data. */
#ifndef WEIR_INBOX_H
#define WEIR_INBOX_H

#include <stdbool.h>
#include <stddef.h>

#include "base/slice.h"
#include "books/tally.h"
#include "rules/key.h"

#define INBOX_LINES 20000
#define INBOX_NAMES 256

/* All zero = empty. */
struct inbox {
	char *lines; /* decisions, each ended by '\n' */
	size_t lines_n, lines_cap, n_lines;
	struct history_name names[INBOX_NAMES]; /* whose the limits are */
	size_t n_names;
	struct funnel_hour hours[TALLY_HOURS_MAX];
	size_t n_hours;
	char *heartbeat; /* JSON; the newest */
};

/* False: there are too many already. */
bool inbox_add_line(struct inbox *inbox, struct slice line);
bool inbox_add_name(struct inbox *inbox, const struct key *key, struct slice name);

/* Adds to what there is of that hour; what is too much is lost. */
void inbox_add_hour(struct inbox *inbox, const struct funnel_hour *hour);

/* Takes the JSON over. */
void inbox_put_heartbeat(struct inbox *inbox, char *json);

void inbox_free(struct inbox *inbox);

#endif
