/* site_status.c - the site's status, made beside the loop and handed over to it. */
#include "site_status.h"

#include <jansson.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "books/json_ascii.h"
#include "books/status.h"

struct site_status *
site_status_build(const struct conf *conf, struct history *history,
                  const struct err *not_open)
{
	struct site_status *site = mem_new(struct site_status);
	site->made_ms = clock_mono_ms();
	site->status = status_build(conf, history, not_open, clock_wall_s());
	site->text = json_ascii(site->status, JSON_COMPACT);
	/* Only the text shows them, and to free so many values takes its time. */
	json_object_del(site->status, "recent");
	return site;
}

void
site_status_free(struct site_status **site_status_at)
{
	struct site_status *site = *site_status_at;
	*site_status_at = NULL;
	if (!site)
		return;
	json_decref(site->status);
	free(site->text);
	free(site);
}
