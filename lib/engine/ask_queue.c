/* ask_queue.c - questions of other threads, answered by the loop. */
#include "engine/ask_queue.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <utlist.h>

#include "base/clock.h"
#include "engine/decision.h"
#include "engine/parked.h"

#define GRACE_MS 100 /* the loop answers at the deadline; this is for its own delay */

/*
 * A question belongs to both sides until it is answered; who comes last frees it.  The loop's side
 * works on its own copies, so that a thread which gives up takes nothing away.
 */
struct question {
	struct ask_queue *ask_queue;
	struct delivery *delivery;
	struct query query;
	struct arena arena;
	struct decision decision; /* the loop's */

	pthread_mutex_t lock; /* of these; its own, so that nobody else is in the way */
	pthread_cond_t changed;
	struct verdict verdict;
	bool answered;
	bool given_up; /* the thread does not wait any more */
	bool closed;   /* there will be no answer */
	struct question *prev, *next;
};

/* What a delivery hears, its name, or its end. */
struct news {
	struct delivery *delivery;
	enum stage stage;
	char queue_id[QUEUE_ID_MAX + 1];
	bool ended;
	struct news *prev, *next;
};

struct ask_queue {
	struct engine *engine;
	struct loop_post *post;

	pthread_mutex_t lock; /* of these */
	struct question *asked;
	struct news *news;
	bool closed;
	int64_t limit_ms; /* of a question, by the settings in force */

	/* the loop's */
	struct question *under_way;
};

static void
free_question(struct question *question)
{
	arena_free(&question->arena);
	pthread_cond_destroy(&question->changed);
	pthread_mutex_destroy(&question->lock);
	free(question);
}

/* With the question locked: wakes the thread, or, when it has gone, frees the question for it. */
static void
release(struct question *question)
{
	bool given_up = question->given_up;
	pthread_cond_signal(&question->changed);
	pthread_mutex_unlock(&question->lock);
	if (given_up)
		free_question(question);
}

static void
on_verdict(void *arg, const struct verdict *verdict)
{
	struct question *question = arg;
	DL_DELETE(question->ask_queue->under_way, question);
	pthread_mutex_lock(&question->lock);
	question->verdict = *verdict;
	question->answered = true;
	release(question);
}

static void
start(struct ask_queue *ask_queue, struct question *question)
{
	DL_APPEND(ask_queue->under_way, question);
	decision_start(&question->decision, ask_queue->engine, &question->query,
	               question->delivery, ask_queue->engine->conf->milter.deadline_ms,
	               &question->arena, on_verdict, question);
}

/* Its thread has given up long ago, and now the delivery ends. */
static void
cancel_questions_of(struct ask_queue *ask_queue, const struct delivery *delivery)
{
	struct question *question, *next;
	DL_FOREACH_SAFE(ask_queue->under_way, question, next) {
		if (question->delivery != delivery)
			continue;
		DL_DELETE(ask_queue->under_way, question);
		decision_cancel(&question->decision);
		free_question(question);
	}
}

static void
take_news(struct ask_queue *ask_queue, struct news *news)
{
	if (news->ended) {
		cancel_questions_of(ask_queue, news->delivery);
		delivery_end(&news->delivery);
	} else {
		delivery_hear(news->delivery, news->stage);
		if (*news->queue_id)
			delivery_name(news->delivery, slice_of(news->queue_id));
	}
	free(news);
}

/* On the loop.  Questions first: what has ended had its questions before. */
static void
on_post(void *arg)
{
	struct ask_queue *ask_queue = arg;
	pthread_mutex_lock(&ask_queue->lock);
	struct question *asked = ask_queue->asked, *question, *next;
	struct news *news = ask_queue->news, *one, *next_one;
	ask_queue->asked = NULL;
	ask_queue->news = NULL;
	ask_queue->limit_ms = ask_queue->engine->conf->milter.deadline_ms;
	pthread_mutex_unlock(&ask_queue->lock);
	DL_FOREACH_SAFE(asked, question, next) {
		DL_DELETE(asked, question);
		start(ask_queue, question);
	}
	DL_FOREACH_SAFE(news, one, next_one)
		take_news(ask_queue, one);
}

struct ask_queue *
ask_queue_new(struct engine *engine)
{
	struct ask_queue *ask_queue = mem_new(struct ask_queue);
	ask_queue->engine = engine;
	ask_queue->limit_ms = engine->conf->milter.deadline_ms;
	ask_queue->post = post_new(engine->loop, on_post, ask_queue);
	pthread_mutex_init(&ask_queue->lock, NULL);
	return ask_queue;
}

void
ask_queue_close(struct ask_queue *ask_queue)
{
	struct question *question, *next;
	on_post(ask_queue);
	pthread_mutex_lock(&ask_queue->lock);
	ask_queue->closed = true;
	pthread_mutex_unlock(&ask_queue->lock);
	on_post(ask_queue); /* what came between */
	DL_FOREACH_SAFE(ask_queue->under_way, question, next) {
		DL_DELETE(ask_queue->under_way, question);
		decision_cancel(&question->decision);
		pthread_mutex_lock(&question->lock);
		question->closed = true;
		release(question);
	}
	post_free(&ask_queue->post);
}

static void
copy_query(const struct query *from, struct arena *arena, struct query *to)
{
	struct slice *slices[] = {
		&to->client_address,
		&to->client_port,
		&to->server_port,
		&to->client_name,
		&to->sender,
		&to->recipient,
		&to->nexthop,
		&to->instance,
		&to->queue_id,
		&to->sasl_username,
		&to->ccert_fingerprint,
		&to->ccert_pubkey_fingerprint,
		&to->test_time,
	};
	*to = *from;
	for (size_t i = 0; i < COUNT_OF(slices); i++)
		if (slices[i]->n > 0)
			*slices[i] = arena_copy(arena, *slices[i]);
}

static struct question *
make_question(struct ask_queue *ask_queue, struct delivery *delivery,
              const struct query *query)
{
	struct question *question = mem_new(struct question);
	pthread_condattr_t attr;
	question->ask_queue = ask_queue;
	question->delivery = delivery;
	arena_init(&question->arena);
	copy_query(query, &question->arena, &question->query);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&question->changed, &attr);
	pthread_condattr_destroy(&attr);
	pthread_mutex_init(&question->lock, NULL);
	return question;
}

/* Waits for the loop to let go of the question; false when it still has it. */
static bool
await(struct question *question, int64_t limit_ms)
{
	struct timespec until;
	clock_mono_after(limit_ms, &until);
	pthread_mutex_lock(&question->lock);
	while (!question->answered && !question->closed)
		if (pthread_cond_timedwait(&question->changed, &question->lock, &until) !=
		    0)
			break;
	bool released = question->answered || question->closed;
	question->given_up = !released;
	pthread_mutex_unlock(&question->lock);
	return released;
}

/* Hands the question to the loop; false when that is closed. */
static bool
hand_over(struct ask_queue *ask_queue, struct question *question, int64_t *limit_ms_out)
{
	pthread_mutex_lock(&ask_queue->lock);
	bool open = !ask_queue->closed;
	*limit_ms_out = ask_queue->limit_ms + GRACE_MS;
	if (open) {
		DL_APPEND(ask_queue->asked, question);
		loop_post(ask_queue->post);
	}
	pthread_mutex_unlock(&ask_queue->lock);
	return open;
}

bool
ask_queue_ask(struct ask_queue *ask_queue, struct delivery *delivery,
              const struct query *query, struct arena *arena, struct verdict *verdict_out)
{
	struct question *question = make_question(ask_queue, delivery, query);
	int64_t limit_ms;
	if (hand_over(ask_queue, question, &limit_ms) && !await(question, limit_ms))
		return false; /* the loop frees it */
	bool answered = question->answered;
	if (answered) {
		*verdict_out = question->verdict;
		verdict_out->reply = arena_copy(arena, question->verdict.reply);
		verdict_out->header = arena_copy(arena, question->verdict.header);
	}
	free_question(question);
	return answered;
}

static void
tell(struct ask_queue *ask_queue, const struct news *what)
{
	struct news *news = mem_new(struct news);
	*news = *what;
	pthread_mutex_lock(&ask_queue->lock);
	bool open = !ask_queue->closed;
	if (open) {
		DL_APPEND(ask_queue->news, news);
		loop_post(ask_queue->post);
	}
	pthread_mutex_unlock(&ask_queue->lock);
	if (!open)
		free(news);
}

void
ask_queue_hear(struct ask_queue *ask_queue, struct delivery *delivery, enum stage stage,
               struct slice queue_id)
{
	struct news news = {.delivery = delivery, .stage = stage};
	struct text text = TEXT(news.queue_id);
	text_put(&text, queue_id);
	tell(ask_queue, &news);
}

void
ask_queue_end(struct ask_queue *ask_queue, struct delivery **delivery)
{
	/* The engine has ended and freed every delivery it knew when the ask_queue is closed. */
	if (*delivery)
		tell(ask_queue, &(struct news){.delivery = *delivery, .ended = true});
	*delivery = NULL;
}
