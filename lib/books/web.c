/* web.c - what the operator sees over HTTP. */
#include "books/web.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "books/metrics.h"
#include "io/http.h"
#include "page_html.h"
#include "site_status.h"
#include "store/store.h"

#define FRESH_MS 1000  /* a status is good for so long */
#define STALE_MS 10000 /* one that is older is not shown, even when there is no other */

#define NONCE_BYTES 16
#define PLACES_MAX  4 /* where the page wants the nonce */

struct web {
	const struct web_source *source;
	void *arg;
	struct http *http;
	struct site_status *site; /* as it was told last; NULL: not yet */
	char *metrics;            /* as they were given last */
};

/* ---- the page, with a nonce for its style and its script ---- */

static const struct slice placeholder = SLICE_INIT("__NONCE__");

static bool
make_nonce(char out[2 * NONCE_BYTES + 1])
{
	unsigned char bytes[NONCE_BYTES];
	struct text text = {.p = out, .cap = 2 * NONCE_BYTES + 1};
	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		return false;
	for (size_t i = 0; i < sizeof(bytes); i++)
		text_printf(&text, "%02x", bytes[i]);
	return true;
}

static void
print_page(const char *nonce, struct text *out)
{
	struct slice rest = {.p = (const char *)page_html, .n = sizeof(page_html) - 1};
	const char *place;
	while (rest.n > 0 &&
	       (place = memmem(rest.p, rest.n, placeholder.p, placeholder.n))) {
		size_t before = (size_t)(place - rest.p);
		text_put(out, slice_head(rest, before));
		text_puts(out, nonce);
		rest = slice_from(rest, before + placeholder.n);
	}
	text_put(out, rest);
}

static void
print_policy(const char *nonce, struct text *out)
{
	text_printf(out,
	            "default-src 'none'; script-src 'nonce-%s'; style-src 'nonce-%s'; "
	            "connect-src 'self'; img-src 'none'; base-uri 'none'; "
	            "form-action 'none'; frame-ancestors 'none'",
	            nonce, nonce);
}

void
page_answer(void *arg, struct http_answer *answer_out)
{
	static char html[sizeof(page_html) + PLACES_MAX * 2 * NONCE_BYTES];
	static char policy[512];
	char nonce[2 * NONCE_BYTES + 1];
	struct text page = TEXT(html), rules = TEXT(policy);
	(void)arg;
	if (!make_nonce(nonce)) {
		answer_out->status = 503;
		answer_out->body = SLICE("There are no random numbers.\n");
		return;
	}
	print_page(nonce, &page);
	print_policy(nonce, &rules);
	answer_out->type = "text/html; charset=utf-8";
	answer_out->policy = policy;
	answer_out->body = text_slice(&page);
}

/* ---- what is told of the site ---- */

static bool
is_younger(const struct web *web, int64_t ms)
{
	return web->site && clock_mono_ms() - web->site->made_ms < ms;
}

/* Mostly nobody looks: so the status is made when it is asked for, which takes some milliseconds. */
static bool
waits_for_status(struct web *web, struct http_answer *answer)
{
	answer->waits = answer->may_wait && !is_younger(web, FRESH_MS);
	if (answer->waits)
		web->source->ask_status(web->arg);
	return answer->waits;
}

static void
on_metrics(void *arg, struct http_answer *answer)
{
	struct web *web = arg;
	char *text = NULL;
	size_t n;
	if (waits_for_status(web, answer))
		return;
	struct self self = web->source->self(web->arg);
	FILE *out = open_memstream(&text, &n);
	if (!out)
		log_fatal("out of memory (metrics)");
	metrics_print(out, &self, is_younger(web, STALE_MS) ? web->site->status : NULL);
	fclose(out);
	free(web->metrics);
	web->metrics = text;
	answer->body = slice_of(text);
	answer->type = "text/plain; version=0.0.4; charset=utf-8";
}

static void
on_status(void *arg, struct http_answer *answer)
{
	struct web *web = arg;
	if (waits_for_status(web, answer))
		return;
	answer->type = "application/json";
	if (is_younger(web, STALE_MS)) {
		answer->body = slice_of(web->site->text);
		return;
	}
	answer->status = 503;
	answer->body = web->site ? SLICE("{\"error\": \"stale\"}")
	                         : SLICE("{\"error\": \"not known yet\"}");
}

static void
on_health(void *arg, struct http_answer *answer)
{
	struct web *web = arg;
	answer->type = "text/plain; charset=utf-8";
	answer->body = SLICE("ok\n");
	if (store_is_up(web->source->self(web->arg).store))
		return;
	answer->status = 503;
	answer->body =
		SLICE("the store does not answer: weir applies store.on_failure\n");
}

static const struct http_path paths[] = {
	{"/", page_answer},
	{"/status.json", on_status},
	{"/metrics", on_metrics},
	{"/healthz", on_health},
};

static bool
listen_at(struct web *web, const struct conf *conf, const char *endpoint)
{
	struct socket_rights rights = {.mode = (unsigned)conf->http.socket_mode,
	                               .group = conf->http.socket_group};
	struct err err;
	if (http_listen(web->http, endpoint, &rights, &err))
		return true;
	log_error("no status page at this address: %s", err.text);
	return false;
}

struct web *
web_open(struct loop *loop, const struct conf *conf, const struct conf_texts *endpoints,
         const struct web_source *source, void *arg)
{
	struct web *web = mem_new(struct web);
	bool any = false;
	web->source = source;
	web->arg = arg;
	web->http = http_open(loop, paths, COUNT_OF(paths), web);
	for (size_t i = 0; i < endpoints->n; i++)
		any |= listen_at(web, conf, endpoints->v[i]);
	if (!any) {
		web_close(&web);
		return NULL;
	}
	char buf[1024];
	struct text names = TEXT(buf);
	http_names(web->http, &names);
	log_info("status page at %s", buf);
	return web;
}

void
web_tell(struct web *web, struct site_status *site)
{
	if (!web) {
		site_status_free(&site);
		return;
	}
	site_status_free(&web->site);
	web->site = site;
	http_go_on(web->http);
}

void
web_close(struct web **web_at)
{
	struct web *web = *web_at;
	*web_at = NULL;
	if (!web)
		return;
	http_close(&web->http);
	site_status_free(&web->site);
	free(web->metrics);
	free(web);
}
