/*
 * web.h - what the operator sees over HTTP: /metrics, /status.json, /healthz and the page.
 */
#ifndef WEIR_WEB_H
#define WEIR_WEB_H

struct engine;
struct site;
struct web;

/*
 * Listens where http.listen (weir-policyd) or http.milter_listen (weir-milter) says.  What cannot
 * be listened at is said in the log: mail matters more.  NULL when there is nothing.
 */
struct web *web_open(struct engine *engine);

/* How the site is (site.h): what it was asked for goes on.  Owns it; a NULL web is fine. */
void web_tell(struct web *web, struct site *site);

/* NULL is fine. */
void web_close(struct web **web);

#endif
