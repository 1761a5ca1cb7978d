/* recorder.c - keeps a daemon's books: a thread beside the loop, with a history of its own. */
#include "books/recorder.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/stats.h"
#include "books/heartbeat.h"
#include "books/limit_names.h"
#include "inbox.h"
#include "site_status.h"
#include "store/override_store.h"

#define PASS_MS          500
#define PATIENCE_MS      1000
#define REOPEN_MS        5000
#define TRIM_MS          10000 /* Redis drops only so many at once */
#define STOP_MS          5000
#define SAY_S            10
#define SAY_MORE_S       600  /* while there is trouble already */
#define LINES_DUE        4000 /* that are not left waiting for the next pass */
#define NAME_KEPT_S      INT64_C(7200)
#define HEARTBEAT_KEPT_S INT64_C(86400)

struct recorder {
	const char *name;
	struct recorder_events events;
	void *arg;
	struct limit_names told; /* the loop's */
	struct loop_post *post;
	pthread_t thread;

	pthread_mutex_t lock; /* of these */
	pthread_cond_t wake;
	bool stop;
	bool ended;
	int64_t stop_ms; /* when it was asked to stop */
	struct conf *conf;
	struct inbox inbox;
	struct overrides *new_overrides;
	bool names_lost;
	bool status_wanted;
	struct site_status *site;

	/* the thread's */
	struct history *history;
	struct overrides *overrides; /* as the loop knows them */
	bool started;
	int64_t next_open_ms;
	int64_t next_trim_ms;
	struct namesake namesake;
	struct err not_open; /* why there is no history */
	struct err trouble;  /* the first in this pass; empty: none */
	struct err said;     /* the one that the log tells of */
	int64_t said_ms;
};

/* ---- on the loop ---- */

static void
on_post(void *arg)
{
	struct recorder *recorder = arg;
	pthread_mutex_lock(&recorder->lock);
	struct overrides *overrides = recorder->new_overrides;
	struct site_status *site = recorder->site;
	bool names_lost = recorder->names_lost;
	recorder->new_overrides = NULL;
	recorder->site = NULL;
	recorder->names_lost = false;
	pthread_mutex_unlock(&recorder->lock);
	if (names_lost)
		limit_names_forget(&recorder->told);
	if (overrides)
		recorder->events.on_overrides(recorder->arg, overrides);
	if (site)
		recorder->events.on_status(recorder->arg, site);
}

void
recorder_configure(struct recorder *recorder, struct conf *conf)
{
	pthread_mutex_lock(&recorder->lock);
	conf_ref(conf);
	conf_unref(&recorder->conf);
	recorder->conf = conf;
	pthread_mutex_unlock(&recorder->lock);
}

void
recorder_decision(struct recorder *recorder, const struct decision_line *decided)
{
	char buf[DECISION_LINE_MAX + 1];
	struct text line = TEXT(buf);
	if (recorder->conf->decisions.keep == 0)
		return;
	decision_line_print(
		decided,
		(enum decision_line_addresses)recorder->conf->decisions.addresses, &line);
	pthread_mutex_lock(&recorder->lock);
	bool room = inbox_add_line(&recorder->inbox, text_slice(&line));
	if (recorder->inbox.n_lines == LINES_DUE)
		pthread_cond_signal(&recorder->wake);
	pthread_mutex_unlock(&recorder->lock);
	if (!room)
		stats_add(STAT_DECISIONS_LOST, 1);
}

void
recorder_name(struct recorder *recorder, const struct key *key, struct slice name)
{
	if (!told_lacks(&recorder->told, key, clock_mono_ms()))
		return;
	pthread_mutex_lock(&recorder->lock);
	bool room = inbox_add_name(&recorder->inbox, key, name);
	pthread_mutex_unlock(&recorder->lock);
	if (room)
		limit_names_note(&recorder->told, key);
}

void
recorder_funnel(struct recorder *recorder, size_t n, const struct funnel_hour *hours)
{
	pthread_mutex_lock(&recorder->lock);
	for (size_t i = 0; i < n; i++)
		inbox_add_hour(&recorder->inbox, &hours[i]);
	pthread_mutex_unlock(&recorder->lock);
}

void
recorder_heartbeat(struct recorder *recorder, char *json)
{
	pthread_mutex_lock(&recorder->lock);
	inbox_put_heartbeat(&recorder->inbox, json);
	pthread_mutex_unlock(&recorder->lock);
}

void
recorder_ask_status(struct recorder *recorder)
{
	pthread_mutex_lock(&recorder->lock);
	recorder->status_wanted = true;
	pthread_cond_signal(&recorder->wake);
	pthread_mutex_unlock(&recorder->lock);
}

/* ---- on the thread ---- */

/* With the lock held.  The loop may be gone when the thread was asked to stop. */
static void
call_loop(struct recorder *recorder)
{
	if (!recorder->stop)
		loop_post(recorder->post);
}

/* Each thing is tried, whatever became of those before. */
static bool
is_done(struct recorder *recorder, bool done, const struct err *err)
{
	if (!done && recorder->trouble.text[0] == '\0')
		recorder->trouble = *err;
	return done;
}

/* Each trouble is said once, and its end; seldom when it comes and goes, or is another each time. */
static void
say_how_it_goes(struct recorder *recorder)
{
	if (strcmp(recorder->trouble.text, recorder->said.text) == 0)
		return;
	if (recorder->trouble.text[0] == '\0')
		log_info("recording decisions again");
	else if (log_ration(&recorder->said_ms,
	                    recorder->said.text[0] == '\0' ? SAY_S : SAY_MORE_S))
		log_warning("cannot record decisions (mail is not affected): %s",
		            recorder->trouble.text);
	else
		return;
	recorder->said = recorder->trouble;
}

static bool
have_history(struct recorder *recorder, const struct conf *conf)
{
	int64_t now_ms = clock_mono_ms();
	if (!recorder->history && now_ms >= recorder->next_open_ms) {
		recorder->next_open_ms = now_ms + REOPEN_MS;
		recorder->history = history_open(conf, PATIENCE_MS, &recorder->not_open);
	}
	return is_done(recorder, recorder->history, &recorder->not_open);
}

/* Stopping must not take long, however much there is to write, and however slow the store is. */
static bool
has_to_end(struct recorder *recorder)
{
	pthread_mutex_lock(&recorder->lock);
	bool late = recorder->stop && clock_mono_ms() - recorder->stop_ms > PATIENCE_MS;
	pthread_mutex_unlock(&recorder->lock);
	return late;
}

/* The next lines that may be written at once; how many. */
static size_t
next_piece(struct slice *rest, struct slice *piece_out)
{
	size_t n = 0, end = 0;
	while (n < HISTORY_LINES_MAX && end < rest->n) {
		struct slice left = slice_from(*rest, end);
		size_t line = (size_t)slice_find(left, '\n') + 1;
		if (end + line > HISTORY_BYTES_MAX)
			break;
		end += line;
		n++;
	}
	*piece_out = slice_head(*rest, end);
	*rest = slice_from(*rest, end);
	return n;
}

static bool
write_decisions(struct recorder *recorder, const struct conf *conf,
                const struct inbox *inbox, struct err *err)
{
	struct slice rest = {.p = inbox->lines, .n = inbox->lines_n}, piece;
	size_t written = 0;
	bool good = true;
	while (good && rest.n > 0 && !has_to_end(recorder)) {
		size_t n = next_piece(&rest, &piece);
		good = history_add_decisions(recorder->history, n, piece,
		                             conf->decisions.keep,
		                             conf->decisions.lifetime_ms / 1000, err);
		written += good ? n : 0;
	}
	stats_add(STAT_DECISIONS_WRITTEN, written);
	stats_add(STAT_DECISIONS_LOST, inbox->n_lines - written);
	return good;
}

/* Decisions that are too old go also where no new ones come. */
static bool
trim_decisions(struct recorder *recorder, const struct conf *conf, struct err *err)
{
	if (clock_mono_ms() < recorder->next_trim_ms)
		return true;
	recorder->next_trim_ms = clock_mono_ms() + TRIM_MS;
	return history_add_decisions(recorder->history, 0, (struct slice){0},
	                             conf->decisions.keep,
	                             conf->decisions.lifetime_ms / 1000, err);
}

static bool
write_names(struct recorder *recorder, const struct inbox *inbox, struct err *err)
{
	return history_put_names(recorder->history, inbox->n_names, inbox->names,
	                         clock_wall_s() + NAME_KEPT_S, err);
}

/* They are told again when they are next in use. */
static void
lose_names(struct recorder *recorder, const struct inbox *inbox)
{
	if (inbox->n_names == 0)
		return;
	pthread_mutex_lock(&recorder->lock);
	recorder->names_lost = true;
	call_loop(recorder);
	pthread_mutex_unlock(&recorder->lock);
}

static bool
write_heartbeat(struct recorder *recorder, const struct conf *conf, const char *json,
                struct err *err)
{
	char name[128];
	struct text text = TEXT(name);
	text_printf(&text, "%s/%s", recorder->name, conf->node);
	if (!json)
		return true;
	return namesake_look(&recorder->namesake, recorder->history, text_slice(&text),
	                     json, err) &&
	       history_put(recorder->history, REGISTRY_DAEMONS, text_slice(&text),
	                   slice_of(json), clock_wall_s() + HEARTBEAT_KEPT_S, err);
}

static bool
write_funnel(struct recorder *recorder, const struct conf *conf,
             const struct inbox *inbox, struct err *err)
{
	int64_t kept_hours = 24 + conf->greylist.retry_window_ms / 3600000;
	return inbox->n_hours == 0 ||
	       history_add_funnel(recorder->history, inbox->n_hours, inbox->hours,
	                          kept_hours, err);
}

static void
hand_over_overrides(struct recorder *recorder, struct overrides *overrides)
{
	if (overrides_equal(overrides, recorder->overrides)) {
		overrides_unref(&overrides);
		return;
	}
	overrides_unref(&recorder->overrides);
	recorder->overrides = overrides_ref(overrides);
	pthread_mutex_lock(&recorder->lock);
	overrides_unref(&recorder->new_overrides);
	recorder->new_overrides = overrides;
	call_loop(recorder);
	pthread_mutex_unlock(&recorder->lock);
}

static bool
read_overrides(struct recorder *recorder, struct err *err)
{
	struct overrides *overrides =
		override_store_read(recorder->history, clock_wall_s(), err);
	if (overrides)
		hand_over_overrides(recorder, overrides);
	return overrides;
}

/* Who asks meanwhile is told the same. */
static void
build_status_when_asked(struct recorder *recorder, const struct conf *conf)
{
	pthread_mutex_lock(&recorder->lock);
	bool wanted = recorder->status_wanted;
	pthread_mutex_unlock(&recorder->lock);
	if (!wanted)
		return;
	struct site_status *site =
		site_status_build(conf, recorder->history, &recorder->not_open);
	pthread_mutex_lock(&recorder->lock);
	struct site_status *old = recorder->site;
	recorder->site = site;
	recorder->status_wanted = false;
	call_loop(recorder);
	pthread_mutex_unlock(&recorder->lock);
	site_status_free(&old);
}

/* Reads what the loop wants to know, and writes what it has left; false: the store is away. */
static bool
work_off(struct recorder *recorder, const struct conf *conf, const struct inbox *inbox)
{
	struct err err;
	if (!have_history(recorder, conf) ||
	    !is_done(recorder, read_overrides(recorder, &err), &err)) {
		stats_add(STAT_DECISIONS_LOST, inbox->n_lines);
		lose_names(recorder, inbox);
		return false;
	}
	is_done(recorder, write_heartbeat(recorder, conf, inbox->heartbeat, &err), &err);
	is_done(recorder, write_decisions(recorder, conf, inbox, &err), &err);
	is_done(recorder, trim_decisions(recorder, conf, &err), &err);
	if (!is_done(recorder, write_names(recorder, inbox, &err), &err))
		lose_names(recorder, inbox);
	is_done(recorder, write_funnel(recorder, conf, inbox, &err), &err);
	return true;
}

static bool
keep_books(struct recorder *recorder, const struct conf *conf, const struct inbox *inbox)
{
	recorder->trouble.text[0] = '\0';
	bool good = work_off(recorder, conf, inbox);
	say_how_it_goes(recorder);
	return good;
}

/* With the lock held.  The first time at once: overrides hold from the start. */
static void
wait_for_work(struct recorder *recorder)
{
	struct timespec until;
	clock_mono_after(recorder->started ? PASS_MS : 0, &until);
	recorder->started = true;
	while (!recorder->stop && !recorder->status_wanted &&
	       recorder->inbox.n_lines < LINES_DUE &&
	       pthread_cond_timedwait(&recorder->wake, &recorder->lock, &until) == 0)
		;
}

/* Takes over what there is, when it is time; false: it is the last. */
static bool
take_inbox(struct recorder *recorder, struct inbox *inbox_out, struct conf **conf_out)
{
	pthread_mutex_lock(&recorder->lock);
	wait_for_work(recorder);
	*inbox_out = recorder->inbox;
	recorder->inbox = (struct inbox){0};
	*conf_out = conf_ref(recorder->conf);
	bool stop = recorder->stop;
	pthread_mutex_unlock(&recorder->lock);
	return !stop;
}

static void *
recorder_thread(void *arg)
{
	struct recorder *recorder = arg;
	bool good = true, go_on = true;
	while (go_on) {
		struct inbox inbox;
		struct conf *conf;
		go_on = take_inbox(recorder, &inbox, &conf);
		if (go_on || good) /* a store that hangs is not waited for at the end */
			good = keep_books(recorder, conf, &inbox);
		if (go_on)
			build_status_when_asked(recorder, conf);
		inbox_free(&inbox);
		conf_unref(&conf);
	}
	pthread_mutex_lock(&recorder->lock);
	recorder->ended = true;
	pthread_cond_signal(&recorder->wake);
	pthread_mutex_unlock(&recorder->lock);
	return NULL;
}

/* ---- its life ---- */

/*
 * A file is made, and synced, before the first mail comes: the disk that waits for it would hold up
 * the writers of weir.db, too.  Overrides hold from the start, then.
 */
static void
open_before_mail(struct recorder *recorder)
{
	struct err err;
	if (recorder->conf->store.backend == BACKEND_EMBEDDED &&
	    have_history(recorder, recorder->conf))
		is_done(recorder, read_overrides(recorder, &err), &err);
}

struct recorder *
recorder_start(struct loop *loop, const char *name, struct conf *conf,
               const struct recorder_events *events, void *arg)
{
	struct recorder *recorder = mem_new(struct recorder);
	pthread_condattr_t attr;
	recorder->name = name;
	recorder->events = *events;
	recorder->arg = arg;
	recorder->conf = conf_ref(conf);
	recorder->overrides = overrides_new();
	recorder->post = post_new(loop, on_post, recorder);
	pthread_mutex_init(&recorder->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&recorder->wake, &attr);
	pthread_condattr_destroy(&attr);
	open_before_mail(recorder);
	if (pthread_create(&recorder->thread, NULL, recorder_thread, recorder) != 0)
		log_fatal("cannot start the recorder's thread");
	return recorder;
}

/* False: it hangs in what knows no patience, such as the system's look-up of a name. */
static bool
end_thread(struct recorder *recorder)
{
	struct timespec until;
	clock_mono_after(STOP_MS, &until);
	pthread_mutex_lock(&recorder->lock);
	recorder->stop = true;
	recorder->stop_ms = clock_mono_ms();
	pthread_cond_signal(&recorder->wake);
	while (!recorder->ended &&
	       pthread_cond_timedwait(&recorder->wake, &recorder->lock, &until) == 0)
		;
	bool ended = recorder->ended;
	pthread_mutex_unlock(&recorder->lock);
	return ended;
}

void
recorder_stop(struct recorder **recorder_at)
{
	struct recorder *recorder = *recorder_at;
	*recorder_at = NULL;
	if (!recorder)
		return;
	bool ended = end_thread(recorder);
	post_free(&recorder->post);
	limit_names_forget(&recorder->told);
	if (!ended) { /* it ends with the process, and what it uses stays until then */
		pthread_detach(recorder->thread);
		return;
	}
	pthread_join(recorder->thread, NULL);
	history_close(&recorder->history);
	conf_unref(&recorder->conf);
	overrides_unref(&recorder->overrides);
	overrides_unref(&recorder->new_overrides);
	site_status_free(&recorder->site);
	inbox_free(&recorder->inbox);
	pthread_cond_destroy(&recorder->wake);
	pthread_mutex_destroy(&recorder->lock);
	free(recorder);
}
