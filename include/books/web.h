/*
 * web.h - what the operator sees over HTTP: /metrics, /status.json, /healthz and the page.
 */
#ifndef WEIR_WEB_H
#define WEIR_WEB_H

#include "books/self.h"
#include "conf/conf.h"
#include "io/http.h"
#include "io/loop.h"

struct site_status;
struct web;

/* What it shows; both are called on the loop. */
struct web_source {
	struct self (*self)(void *arg);
	/* Asks for the status of the site, to be handed to web_tell(). */
	void (*ask_status)(void *arg);
};

/*
 * Listens at these endpoints, with the mode and group of the settings' http.  If it cannot listen at
 * one, it logs that and goes on: mail matters more.  NULL if there is none.  The source must live as
 * long.
 */
struct web *web_open(struct loop *loop, const struct conf *conf,
                     const struct conf_texts *endpoints, const struct web_source *source,
                     void *arg);

/* Hands over the state of the site (site_status.h), so that waiting answers go on.  Owns it; a NULL web is fine. */
void web_tell(struct web *web, struct site_status *site);

/* NULL is fine. */
void web_close(struct web **web);

/*
 * The page as the answer to a path (http_fn; `arg` does not matter).  Its style and its script carry
 * a nonce that is new in each answer, and the policy allows nothing but these two and status.json.
 * What it fills in is good until it is called again, from the same thread.
 */
void page_answer(void *arg, struct http_answer *answer_out);

#endif
