/* site.c - the site's status, made beside the loop and handed over to it. */
#include "site.h"

#include <jansson.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "books/json_ascii.h"
#include "books/status.h"

struct site *
site_build(const struct conf *conf, struct ledger *ledger, const struct err *not_open)
{
	struct site *site = mem_new(struct site);
	site->made_ms = clock_mono_ms();
	site->status = status_build(conf, ledger, not_open, clock_wall_s());
	site->text = json_ascii(site->status, JSON_COMPACT);
	/* Only the text shows them, and to free so many values takes its time. */
	json_object_del(site->status, "recent");
	return site;
}

void
site_free(struct site **site_at)
{
	struct site *site = *site_at;
	*site_at = NULL;
	if (!site)
		return;
	json_decref(site->status);
	free(site->text);
	free(site);
}
