/*
 * redis_link.h - one connection to Redis, kept up by itself.
 *
 * Commands go out in order and are answered in order.  The link resolves, connects,
 * authenticates and greets.  A connection that was good and that the server has ended is
 * made anew at once; after a failure it tries again after 50 ms, growing to 1 s, with jitter.  What the server sends is bounded and never trusted: a
 * surplus, huge or malformed reply ends the connection, not the program.
 */
#ifndef WEIR_REDIS_LINK_H
#define WEIR_REDIS_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"
#include "conf/conf.h"
#include "io/loop.h"

struct redis_link;

enum redis_kind {
	REDIS_LOST,
	REDIS_NIL,
	REDIS_INTEGER,
	REDIS_TEXT,
	REDIS_STATUS,
	REDIS_ERROR,
	REDIS_OTHER
};

struct redis_reply {
	enum redis_kind kind; /* REDIS_LOST: the connection ended before the reply */
	int64_t integer;
	struct slice text; /* TEXT and ERROR; valid during the callback */
};

typedef void redis_fn(void *arg, const struct redis_reply *reply);

/*
 * `on_ready` is called when the connection is usable, once for each; `on_lost` when it, or the
 * attempt to make it, has ended, before every command under way is told REDIS_LOST.
 */
struct redis_link *link_new(struct loop *loop, const struct conf *conf, loop_fn *on_ready,
                            loop_fn *on_lost, void *arg);
void link_free(struct redis_link **link);

/* Appends a command; it is sent with link_flush().  False when there is no connection. */
bool link_send(struct redis_link *link, size_t n, const struct slice *words, redis_fn *fn,
               void *arg);
void link_flush(struct redis_link *link);

/*
 * Outside of the loop, when nothing more is to be sent: waits until every command has its reply,
 * at most so long.  A server forgets what it has not read when the connection ends.
 */
void link_settle(struct redis_link *link, int64_t limit_ms);

/* Ends the connection, says why in the log, and connects anew after the pause. */
void link_drop(struct redis_link *link, const char *why);

/* Whether a connection is being made that nothing speaks against: at the start, and at once. */
bool link_is_coming(const struct redis_link *link);

/*
 * The server greeted well.  When a connection that was good has lasted, the next pause is
 * short again and the next loss is logged again; one that keeps breaking is not.
 */
void link_is_good(struct redis_link *link);

/* The connection is dropped when its oldest command has waited so long. */
void link_set_patience(struct redis_link *link, int64_t ms);

#endif
