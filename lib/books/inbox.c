/* inbox.c - what the loop leaves for the recorder. */
#include "inbox.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

bool
inbox_add_line(struct inbox *inbox, struct slice line)
{
	if (inbox->n_lines >= INBOX_LINES)
		return false;
	if (inbox->lines_cap - inbox->lines_n < line.n) {
		inbox->lines_cap = 2 * inbox->lines_cap + 16384;
		inbox->lines = mem_grow(inbox->lines, inbox->lines_cap);
	}
	memcpy(inbox->lines + inbox->lines_n, line.p, line.n);
	inbox->lines_n += line.n;
	inbox->n_lines++;
	return true;
}

bool
inbox_add_name(struct inbox *inbox, const struct key *key, struct slice name)
{
	if (inbox->n_names >= INBOX_NAMES)
		return false;
	inbox->names[inbox->n_names++] =
		(struct history_name){.key = *key, .text = mem_dup(name)};
	return true;
}

void
inbox_add_hour(struct inbox *inbox, const struct funnel_hour *hour)
{
	for (size_t i = 0; i < inbox->n_hours; i++)
		if (inbox->hours[i].hour == hour->hour) {
			inbox->hours[i].fresh += hour->fresh;
			inbox->hours[i].back += hour->back;
			return;
		}
	if (inbox->n_hours < TALLY_HOURS_MAX)
		inbox->hours[inbox->n_hours++] = *hour;
}

void
inbox_put_heartbeat(struct inbox *inbox, char *json)
{
	free(inbox->heartbeat);
	inbox->heartbeat = json;
}

void
inbox_free(struct inbox *inbox)
{
	for (size_t i = 0; i < inbox->n_names; i++)
		free(inbox->names[i].text);
	free(inbox->lines);
	free(inbox->heartbeat);
}
