/* web.c - what the operator sees over HTTP. */
#include "web.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine.h"
#include "http.h"
#include "log.h"
#include "mem.h"
#include "metrics.h"
#include "page.h"

struct web {
	struct engine *engine;
	struct http *http;
	char *body; /* of the answer given last */
};

static void
keep_body(struct web *web, char *body, struct http_answer *answer)
{
	free(web->body);
	web->body = body;
	answer->body = slice_of(body);
}

static void
on_metrics(void *arg, struct http_answer *answer)
{
	struct web *web = arg;
	char *body = NULL;
	size_t n;
	FILE *out = open_memstream(&body, &n);
	if (!out)
		log_fatal("out of memory (metrics)");
	metrics_print(out, web->engine, web->engine->status);
	fclose(out);
	keep_body(web, body, answer);
	answer->type = "text/plain; version=0.0.4; charset=utf-8";
}

static void
on_status(void *arg, struct http_answer *answer)
{
	struct web *web = arg;
	answer->type = "application/json";
	if (web->engine->status) {
		keep_body(web, json_dumps(web->engine->status, JSON_COMPACT), answer);
		return;
	}
	answer->status = 503;
	answer->body = SLICE("{\"error\": \"not known yet\"}");
}

static void
on_health(void *arg, struct http_answer *answer)
{
	struct web *web = arg;
	answer->type = "text/plain; charset=utf-8";
	answer->body = SLICE("ok\n");
	if (store_is_up(web->engine->store))
		return;
	answer->status = 503;
	answer->body =
		SLICE("the store does not answer: mail goes on by the failure rule\n");
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
	log_error("no status page there: %s", err.text);
	return false;
}

struct web *
web_open(struct engine *engine)
{
	const struct conf *conf = engine->conf;
	const struct conf_texts *endpoints = engine->kind == ENGINE_OF_MILTER
	                                             ? &conf->http.milter_listen
	                                             : &conf->http.listen;
	struct web *web = mem_new(struct web);
	bool any = false;
	web->engine = engine;
	web->http = http_open(engine->loop, paths, COUNT_OF(paths), web);
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
web_close(struct web **web_at)
{
	struct web *web = *web_at;
	*web_at = NULL;
	if (!web)
		return;
	http_close(&web->http);
	free(web->body);
	free(web);
}
