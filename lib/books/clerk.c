/* clerk.c - keeps a daemon's books: a thread beside the loop, with a ledger of its own. */
#include "books/clerk.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/stats.h"
#include "books/told.h"
#include "inbox.h"
#include "namesake.h"
#include "site.h"
#include "store/order_board.h"

#define PASS_MS     500
#define PATIENCE_MS 1000
#define REOPEN_MS   5000
#define TRIM_MS     10000 /* Redis drops only so many at once */
#define STOP_MS     5000
#define SAY_S       10
#define SAY_MORE_S  600  /* while there is trouble already */
#define LINES_DUE   4000 /* that are not left waiting for the next pass */
#define NAME_KEPT_S INT64_C(7200)
#define BEAT_KEPT_S INT64_C(86400)

struct clerk {
	const char *name;
	struct clerk_events events;
	void *arg;
	struct told told; /* the loop's */
	struct loop_post *post;
	pthread_t thread;

	pthread_mutex_t lock; /* of these */
	pthread_cond_t wake;
	bool stop;
	bool ended;
	int64_t stop_ms; /* when it was asked to stop */
	struct conf *conf;
	struct inbox inbox;
	struct orders *new_orders;
	bool names_lost;
	bool status_wanted;
	struct site *site;

	/* the thread's */
	struct ledger *ledger;
	struct orders *orders; /* as the loop knows them */
	bool started;
	int64_t next_open_ms;
	int64_t next_trim_ms;
	struct namesake namesake;
	struct err not_open; /* why there is no ledger */
	struct err trouble;  /* the first in this pass; empty: none */
	struct err said;     /* the one that the log tells of */
	int64_t said_ms;
};

/* ---- on the loop ---- */

static void
on_post(void *arg)
{
	struct clerk *clerk = arg;
	pthread_mutex_lock(&clerk->lock);
	struct orders *orders = clerk->new_orders;
	struct site *site = clerk->site;
	bool names_lost = clerk->names_lost;
	clerk->new_orders = NULL;
	clerk->site = NULL;
	clerk->names_lost = false;
	pthread_mutex_unlock(&clerk->lock);
	if (names_lost)
		told_forget(&clerk->told);
	if (orders)
		clerk->events.on_orders(clerk->arg, orders);
	if (site)
		clerk->events.on_status(clerk->arg, site);
}

void
clerk_configure(struct clerk *clerk, struct conf *conf)
{
	pthread_mutex_lock(&clerk->lock);
	conf_ref(conf);
	conf_unref(&clerk->conf);
	clerk->conf = conf;
	pthread_mutex_unlock(&clerk->lock);
}

void
clerk_decided(struct clerk *clerk, const struct decided *decided)
{
	char buf[DECIDED_LINE_MAX + 1];
	struct text line = TEXT(buf);
	if (clerk->conf->decisions.keep == 0)
		return;
	decided_print(decided, (enum decided_addresses)clerk->conf->decisions.addresses,
	              &line);
	pthread_mutex_lock(&clerk->lock);
	bool room = inbox_add_line(&clerk->inbox, text_slice(&line));
	if (clerk->inbox.n_lines == LINES_DUE)
		pthread_cond_signal(&clerk->wake);
	pthread_mutex_unlock(&clerk->lock);
	if (!room)
		stats_add(STAT_DECISIONS_LOST, 1);
}

void
clerk_name(struct clerk *clerk, const struct key *key, struct slice name)
{
	if (!told_lacks(&clerk->told, key, clock_mono_ms()))
		return;
	pthread_mutex_lock(&clerk->lock);
	bool room = inbox_add_name(&clerk->inbox, key, name);
	pthread_mutex_unlock(&clerk->lock);
	if (room)
		told_note(&clerk->told, key);
}

void
clerk_funnel(struct clerk *clerk, size_t n, const struct funnel_hour *hours)
{
	pthread_mutex_lock(&clerk->lock);
	for (size_t i = 0; i < n; i++)
		inbox_add_hour(&clerk->inbox, &hours[i]);
	pthread_mutex_unlock(&clerk->lock);
}

void
clerk_beat(struct clerk *clerk, char *json)
{
	pthread_mutex_lock(&clerk->lock);
	inbox_put_beat(&clerk->inbox, json);
	pthread_mutex_unlock(&clerk->lock);
}

void
clerk_ask_status(struct clerk *clerk)
{
	pthread_mutex_lock(&clerk->lock);
	clerk->status_wanted = true;
	pthread_cond_signal(&clerk->wake);
	pthread_mutex_unlock(&clerk->lock);
}

/* ---- on the thread ---- */

/* With the lock held.  The loop may be gone when the thread was asked to stop. */
static void
call_loop(struct clerk *clerk)
{
	if (!clerk->stop)
		loop_post(clerk->post);
}

/* Each thing is tried, whatever became of those before. */
static bool
is_done(struct clerk *clerk, bool done, const struct err *err)
{
	if (!done && clerk->trouble.text[0] == '\0')
		clerk->trouble = *err;
	return done;
}

/* Each trouble is said once, and its end; seldom when it comes and goes, or is another each time. */
static void
say_how_it_goes(struct clerk *clerk)
{
	if (strcmp(clerk->trouble.text, clerk->said.text) == 0)
		return;
	if (clerk->trouble.text[0] == '\0')
		log_info("the books are kept again");
	else if (log_ration(&clerk->said_ms,
	                    clerk->said.text[0] == '\0' ? SAY_S : SAY_MORE_S))
		log_warning("the books are not kept (mail is not touched by it): %s",
		            clerk->trouble.text);
	else
		return;
	clerk->said = clerk->trouble;
}

static bool
have_ledger(struct clerk *clerk, const struct conf *conf)
{
	int64_t now_ms = clock_mono_ms();
	if (!clerk->ledger && now_ms >= clerk->next_open_ms) {
		clerk->next_open_ms = now_ms + REOPEN_MS;
		clerk->ledger = ledger_open(conf, PATIENCE_MS, &clerk->not_open);
	}
	return is_done(clerk, clerk->ledger, &clerk->not_open);
}

/* Stopping must not take long, however much there is to write, and however slow the store is. */
static bool
has_to_end(struct clerk *clerk)
{
	pthread_mutex_lock(&clerk->lock);
	bool late = clerk->stop && clock_mono_ms() - clerk->stop_ms > PATIENCE_MS;
	pthread_mutex_unlock(&clerk->lock);
	return late;
}

/* The next lines that may be written at once; how many. */
static size_t
next_piece(struct slice *rest, struct slice *piece_out)
{
	size_t n = 0, end = 0;
	while (n < LEDGER_LINES_MAX && end < rest->n) {
		struct slice left = slice_from(*rest, end);
		size_t line = (size_t)slice_find(left, '\n') + 1;
		if (end + line > LEDGER_BYTES_MAX)
			break;
		end += line;
		n++;
	}
	*piece_out = slice_head(*rest, end);
	*rest = slice_from(*rest, end);
	return n;
}

static bool
write_decisions(struct clerk *clerk, const struct conf *conf, const struct inbox *inbox,
                struct err *err)
{
	struct slice rest = {.p = inbox->lines, .n = inbox->lines_n}, piece;
	size_t written = 0;
	bool good = true;
	while (good && rest.n > 0 && !has_to_end(clerk)) {
		size_t n = next_piece(&rest, &piece);
		good = ledger_add_decisions(clerk->ledger, n, piece, conf->decisions.keep,
		                            conf->decisions.lifetime_ms / 1000, err);
		written += good ? n : 0;
	}
	stats_add(STAT_DECISIONS_WRITTEN, written);
	stats_add(STAT_DECISIONS_LOST, inbox->n_lines - written);
	return good;
}

/* Decisions that are too old go also where no new ones come. */
static bool
trim_decisions(struct clerk *clerk, const struct conf *conf, struct err *err)
{
	if (clock_mono_ms() < clerk->next_trim_ms)
		return true;
	clerk->next_trim_ms = clock_mono_ms() + TRIM_MS;
	return ledger_add_decisions(clerk->ledger, 0, (struct slice){0},
	                            conf->decisions.keep,
	                            conf->decisions.lifetime_ms / 1000, err);
}

static bool
write_names(struct clerk *clerk, const struct inbox *inbox, struct err *err)
{
	return ledger_put_names(clerk->ledger, inbox->n_names, inbox->names,
	                        clock_wall_s() + NAME_KEPT_S, err);
}

/* They are told again when they are next in use. */
static void
lose_names(struct clerk *clerk, const struct inbox *inbox)
{
	if (inbox->n_names == 0)
		return;
	pthread_mutex_lock(&clerk->lock);
	clerk->names_lost = true;
	call_loop(clerk);
	pthread_mutex_unlock(&clerk->lock);
}

static bool
write_beat(struct clerk *clerk, const struct conf *conf, const char *json,
           struct err *err)
{
	char name[128];
	struct text text = TEXT(name);
	text_printf(&text, "%s/%s", clerk->name, conf->node);
	if (!json)
		return true;
	return namesake_look(&clerk->namesake, clerk->ledger, text_slice(&text), json,
	                     err) &&
	       ledger_put(clerk->ledger, BOARD_DAEMONS, text_slice(&text), slice_of(json),
	                  clock_wall_s() + BEAT_KEPT_S, err);
}

static bool
write_funnel(struct clerk *clerk, const struct conf *conf, const struct inbox *inbox,
             struct err *err)
{
	int64_t kept_hours = 24 + conf->greylist.retry_window_ms / 3600000;
	return inbox->n_hours == 0 || ledger_add_funnel(clerk->ledger, inbox->n_hours,
	                                                inbox->hours, kept_hours, err);
}

static void
hand_over_orders(struct clerk *clerk, struct orders *orders)
{
	if (orders_equal(orders, clerk->orders)) {
		orders_unref(&orders);
		return;
	}
	orders_unref(&clerk->orders);
	clerk->orders = orders_ref(orders);
	pthread_mutex_lock(&clerk->lock);
	orders_unref(&clerk->new_orders);
	clerk->new_orders = orders;
	call_loop(clerk);
	pthread_mutex_unlock(&clerk->lock);
}

static bool
read_orders(struct clerk *clerk, struct err *err)
{
	struct orders *orders = order_board_read(clerk->ledger, clock_wall_s(), err);
	if (orders)
		hand_over_orders(clerk, orders);
	return orders;
}

/* Who asks meanwhile is told the same. */
static void
build_status_when_asked(struct clerk *clerk, const struct conf *conf)
{
	pthread_mutex_lock(&clerk->lock);
	bool wanted = clerk->status_wanted;
	pthread_mutex_unlock(&clerk->lock);
	if (!wanted)
		return;
	struct site *site = site_build(conf, clerk->ledger, &clerk->not_open);
	pthread_mutex_lock(&clerk->lock);
	struct site *old = clerk->site;
	clerk->site = site;
	clerk->status_wanted = false;
	call_loop(clerk);
	pthread_mutex_unlock(&clerk->lock);
	site_free(&old);
}

/* Reads what the loop wants to know, and writes what it has left; false: the store is away. */
static bool
work_off(struct clerk *clerk, const struct conf *conf, const struct inbox *inbox)
{
	struct err err;
	if (!have_ledger(clerk, conf) ||
	    !is_done(clerk, read_orders(clerk, &err), &err)) {
		stats_add(STAT_DECISIONS_LOST, inbox->n_lines);
		lose_names(clerk, inbox);
		return false;
	}
	is_done(clerk, write_beat(clerk, conf, inbox->beat, &err), &err);
	is_done(clerk, write_decisions(clerk, conf, inbox, &err), &err);
	is_done(clerk, trim_decisions(clerk, conf, &err), &err);
	if (!is_done(clerk, write_names(clerk, inbox, &err), &err))
		lose_names(clerk, inbox);
	is_done(clerk, write_funnel(clerk, conf, inbox, &err), &err);
	return true;
}

static bool
keep_books(struct clerk *clerk, const struct conf *conf, const struct inbox *inbox)
{
	clerk->trouble.text[0] = '\0';
	bool good = work_off(clerk, conf, inbox);
	say_how_it_goes(clerk);
	return good;
}

/* With the lock held.  The first time at once: orders hold from the start. */
static void
wait_for_work(struct clerk *clerk)
{
	struct timespec until;
	clock_mono_after(clerk->started ? PASS_MS : 0, &until);
	clerk->started = true;
	while (!clerk->stop && !clerk->status_wanted &&
	       clerk->inbox.n_lines < LINES_DUE &&
	       pthread_cond_timedwait(&clerk->wake, &clerk->lock, &until) == 0)
		;
}

/* Takes over what there is, when it is time; false: it is the last. */
static bool
take_inbox(struct clerk *clerk, struct inbox *inbox_out, struct conf **conf_out)
{
	pthread_mutex_lock(&clerk->lock);
	wait_for_work(clerk);
	*inbox_out = clerk->inbox;
	clerk->inbox = (struct inbox){0};
	*conf_out = conf_ref(clerk->conf);
	bool stop = clerk->stop;
	pthread_mutex_unlock(&clerk->lock);
	return !stop;
}

static void *
clerk_thread(void *arg)
{
	struct clerk *clerk = arg;
	bool good = true, go_on = true;
	while (go_on) {
		struct inbox inbox;
		struct conf *conf;
		go_on = take_inbox(clerk, &inbox, &conf);
		if (go_on || good) /* a store that hangs is not waited for at the end */
			good = keep_books(clerk, conf, &inbox);
		if (go_on)
			build_status_when_asked(clerk, conf);
		inbox_free(&inbox);
		conf_unref(&conf);
	}
	pthread_mutex_lock(&clerk->lock);
	clerk->ended = true;
	pthread_cond_signal(&clerk->wake);
	pthread_mutex_unlock(&clerk->lock);
	return NULL;
}

/* ---- its life ---- */

/*
 * A file is made, and synced, before the first mail comes: the disk that waits for it would hold up
 * the writers of weir.db, too.  Orders hold from the start, then.
 */
static void
open_before_mail(struct clerk *clerk)
{
	struct err err;
	if (clerk->conf->store.backend == BACKEND_EMBEDDED &&
	    have_ledger(clerk, clerk->conf))
		is_done(clerk, read_orders(clerk, &err), &err);
}

struct clerk *
clerk_start(struct loop *loop, const char *name, struct conf *conf,
            const struct clerk_events *events, void *arg)
{
	struct clerk *clerk = mem_new(struct clerk);
	pthread_condattr_t attr;
	clerk->name = name;
	clerk->events = *events;
	clerk->arg = arg;
	clerk->conf = conf_ref(conf);
	clerk->orders = orders_new();
	clerk->post = post_new(loop, on_post, clerk);
	pthread_mutex_init(&clerk->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&clerk->wake, &attr);
	pthread_condattr_destroy(&attr);
	open_before_mail(clerk);
	if (pthread_create(&clerk->thread, NULL, clerk_thread, clerk) != 0)
		log_fatal("cannot start the clerk's thread");
	return clerk;
}

/* False: it hangs in what knows no patience, such as the system's look-up of a name. */
static bool
end_thread(struct clerk *clerk)
{
	struct timespec until;
	clock_mono_after(STOP_MS, &until);
	pthread_mutex_lock(&clerk->lock);
	clerk->stop = true;
	clerk->stop_ms = clock_mono_ms();
	pthread_cond_signal(&clerk->wake);
	while (!clerk->ended &&
	       pthread_cond_timedwait(&clerk->wake, &clerk->lock, &until) == 0)
		;
	bool ended = clerk->ended;
	pthread_mutex_unlock(&clerk->lock);
	return ended;
}

void
clerk_stop(struct clerk **clerk_at)
{
	struct clerk *clerk = *clerk_at;
	*clerk_at = NULL;
	if (!clerk)
		return;
	bool ended = end_thread(clerk);
	post_free(&clerk->post);
	told_forget(&clerk->told);
	if (!ended) { /* it ends with the process, and what it uses stays until then */
		pthread_detach(clerk->thread);
		return;
	}
	pthread_join(clerk->thread, NULL);
	ledger_close(&clerk->ledger);
	conf_unref(&clerk->conf);
	orders_unref(&clerk->orders);
	orders_unref(&clerk->new_orders);
	site_free(&clerk->site);
	inbox_free(&clerk->inbox);
	pthread_cond_destroy(&clerk->wake);
	pthread_mutex_destroy(&clerk->lock);
	free(clerk);
}
