/* sessions.c - all sessions of the milter, and who may use the engine. */
#include "sessions.h"

#include <errno.h>
#include <time.h>
#include <utlist.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/stats.h"
#include "session.h"

/* For threads to come back from the ask_queue once it is closed; they do at once. */
#define QUIET_MS 2000

void
sessions_open(struct sessions *sessions, struct ask_queue *ask_queue,
              struct loop_post *drained)
{
	pthread_condattr_t monotonic;
	*sessions = (struct sessions){.ask_queue = ask_queue, .drained = drained};
	pthread_mutex_init(&sessions->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&sessions->quiet, &monotonic);
	pthread_condattr_destroy(&monotonic);
}

void
sessions_configure(struct sessions *sessions, const struct conf *conf)
{
	pthread_mutex_lock(&sessions->lock);
	sessions->max = (size_t)conf->milter.max_sessions;
	sessions->adds_header = conf->greylist.header;
	pthread_mutex_unlock(&sessions->lock);
}

bool
sessions_adds_header(struct sessions *sessions)
{
	pthread_mutex_lock(&sessions->lock);
	bool adds_header = sessions->adds_header;
	pthread_mutex_unlock(&sessions->lock);
	return adds_header;
}

bool
sessions_drain(struct sessions *sessions)
{
	pthread_mutex_lock(&sessions->lock);
	sessions->draining = true;
	bool any = sessions->under_way > 0;
	pthread_mutex_unlock(&sessions->lock);
	return any;
}

static void
wait_until_quiet_locked(struct sessions *sessions)
{
	struct timespec until;
	clock_mono_after(QUIET_MS, &until);
	while (sessions->busy > 0 &&
	       pthread_cond_timedwait(&sessions->quiet, &sessions->lock, &until) !=
	               ETIMEDOUT)
		;
}

void
sessions_close(struct sessions *sessions)
{
	struct session *session;
	pthread_mutex_lock(&sessions->lock);
	sessions->closed = true;
	pthread_mutex_unlock(&sessions->lock);
	ask_queue_close(sessions->ask_queue);
	pthread_mutex_lock(&sessions->lock);
	wait_until_quiet_locked(sessions);
	DL_FOREACH(sessions->all, session)
		if (!session->asking)
			delivery_part(&session->delivery);
	pthread_mutex_unlock(&sessions->lock);
}

static bool
add_locked(struct sessions *sessions, struct session *session, bool *complain_out)
{
	bool full = sessions->count >= sessions->max;
	*complain_out = full && log_ration(&sessions->last_full_ms, 60);
	if (full)
		stats_add(STAT_MILTER_REFUSED_SESSIONS, 1);
	if (full || sessions->draining || sessions->closed)
		return false;
	DL_APPEND(sessions->all, session);
	sessions->count++;
	return true;
}

bool
sessions_add(struct sessions *sessions, struct session *session)
{
	bool complain;
	pthread_mutex_lock(&sessions->lock);
	bool added = add_locked(sessions, session, &complain);
	pthread_mutex_unlock(&sessions->lock);
	if (complain)
		log_warning(
			"milter.max_sessions is reached: accepting a session without judging it");
	if (added)
		stats_add(STAT_MILTER_SESSIONS, 1);
	return added;
}

bool
sessions_remove(struct sessions *sessions, struct session *session)
{
	pthread_mutex_lock(&sessions->lock);
	bool stays = sessions->closed;
	if (!stays) {
		DL_DELETE(sessions->all, session);
		sessions->count--;
	}
	pthread_mutex_unlock(&sessions->lock);
	return !stays;
}

bool
session_enter(struct session *session, bool begins)
{
	struct sessions *sessions = session->sessions;
	pthread_mutex_lock(&sessions->lock);
	bool may = !sessions->closed &&
	           !(begins && sessions->draining && !session->under_way);
	if (may) {
		session->asking = true;
		sessions->busy++;
	}
	pthread_mutex_unlock(&sessions->lock);
	return may;
}

void
session_leave(struct session *session, bool under_way)
{
	struct sessions *sessions = session->sessions;
	pthread_mutex_lock(&sessions->lock);
	if (under_way != session->under_way)
		sessions->under_way += under_way ? 1 : (size_t)-1;
	session->under_way = under_way;
	session->asking = false;
	sessions->busy--;
	if (sessions->closed && sessions->busy == 0)
		pthread_cond_signal(&sessions->quiet);
	if (sessions->draining && !sessions->closed && sessions->under_way == 0)
		loop_post(sessions->drained);
	pthread_mutex_unlock(&sessions->lock);
}
