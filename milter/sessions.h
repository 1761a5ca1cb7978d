/*
 * sessions.h - all SMTP sessions that MTAs told the milter of.
 *
 * libmilter's threads and the loop meet here, under one lock.  When the daemon ends, libmilter's
 * threads do not: whatever they still ask then is answered without touching the engine.
 */
#ifndef WEIR_SESSIONS_H
#define WEIR_SESSIONS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf/conf.h"
#include "engine/ask_queue.h"
#include "io/loop.h"

struct session;

struct sessions {
	pthread_mutex_t lock;
	pthread_cond_t quiet; /* nobody is with the engine any more */
	struct ask_queue *ask_queue;
	struct loop_post *drained; /* no delivery is under way any more */
	struct session *all;
	size_t count;
	size_t under_way; /* sessions with a delivery the MTA has accepted recipients for */
	size_t busy;      /* threads that are with the engine */
	bool draining;    /* no delivery begins any more */
	bool closed;      /* the engine is not there any more */
	int64_t last_full_ms;
	/* milter.max_sessions and greylist.header in force */
	size_t max;
	bool adds_header;
};

/* On the loop's thread, before the first session.  `drained` is posted while draining. */
void sessions_open(struct sessions *sessions, struct ask_queue *ask_queue,
                   struct loop_post *drained);

void sessions_configure(struct sessions *sessions, const struct conf *conf);

/* Deliveries under way may end, others do not begin; false when none is under way. */
bool sessions_drain(struct sessions *sessions);

/*
 * On the loop's thread, when it does not run any more: closes the ask_queue and gives back all that
 * sessions hold.  Sessions stay where they are, for threads that come late.
 */
void sessions_close(struct sessions *sessions);

/* What follows is for libmilter's threads. */

/* False when there are too many, or when the daemon is about to end: it is not judged then. */
bool sessions_add(struct sessions *sessions, struct session *session);

/* False when it must stay: sessions_close() may still be looking at it. */
bool sessions_remove(struct sessions *sessions, struct session *session);

/*
 * Between the two the thread may use the ask_queue and the session's delivery.  False when it may
 * not: the engine is gone, or a delivery would begin while the daemon is draining.
 */
bool session_enter(struct session *session, bool begins);
void session_leave(struct session *session, bool under_way);

bool sessions_adds_header(struct sessions *sessions);

#endif
