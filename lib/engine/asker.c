/* asker.c - questions of other threads, answered by the loop. */
#include "asker.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <utlist.h>

#include "clock.h"
#include "decision.h"

#define GRACE_MS 100 /* the loop answers at the deadline; this is for its own delay */

/*
 * A question belongs to both sides until it is answered; who comes last frees it.  The loop's side
 * works on its own copies, so that a thread which gives up takes nothing away.
 */
struct question {
	struct asker *asker;
	struct delivery *delivery;
	struct query query;
	struct arena arena;
	struct decision decision; /* the loop's */
	struct verdict verdict;   /* under the lock, when answered */
	pthread_cond_t answered_cond;
	bool answered;
	bool given_up; /* the thread does not wait any more */
	struct question *prev, *next;
};

struct ended {
	struct delivery *delivery;
	struct ended *next;
};

struct asker {
	struct engine *engine;
	struct loop_post *post;

	pthread_mutex_t lock; /* of these and of each question's outcome */
	struct question *asked;
	struct ended *ended;
	bool closed;
	int64_t limit_ms; /* of a question, by the settings in force */

	/* the loop's */
	struct question *under_way;
};

static void
free_question(struct question *question)
{
	arena_free(&question->arena);
	pthread_cond_destroy(&question->answered_cond);
	free(question);
}

static void
on_verdict(void *arg, const struct verdict *verdict)
{
	struct question *question = arg;
	struct asker *asker = question->asker;
	DL_DELETE(asker->under_way, question);
	pthread_mutex_lock(&asker->lock);
	bool given_up = question->given_up;
	question->verdict = *verdict;
	question->answered = true;
	pthread_cond_signal(&question->answered_cond);
	pthread_mutex_unlock(&asker->lock);
	if (given_up)
		free_question(question);
}

static void
start(struct asker *asker, struct question *question)
{
	DL_APPEND(asker->under_way, question);
	decision_start(&question->decision, asker->engine, &question->query,
	               question->delivery, asker->engine->conf->milter.deadline_ms,
	               &question->arena, on_verdict, question);
}

/* Its thread has given up long ago, and now the delivery ends. */
static void
cancel_questions_of(struct asker *asker, const struct delivery *delivery)
{
	struct question *question, *next;
	DL_FOREACH_SAFE(asker->under_way, question, next)
	{
		if (question->delivery != delivery)
			continue;
		DL_DELETE(asker->under_way, question);
		decision_cancel(&question->decision);
		free_question(question);
	}
}

/* On the loop.  Questions first: what has ended had its questions before. */
static void
on_post(void *arg)
{
	struct asker *asker = arg;
	pthread_mutex_lock(&asker->lock);
	struct question *asked = asker->asked, *question, *next;
	struct ended *ended = asker->ended;
	asker->asked = NULL;
	asker->ended = NULL;
	asker->limit_ms = asker->engine->conf->milter.deadline_ms;
	pthread_mutex_unlock(&asker->lock);
	DL_FOREACH_SAFE(asked, question, next)
	{
		DL_DELETE(asked, question);
		start(asker, question);
	}
	while (ended) {
		struct ended *one = ended;
		ended = one->next;
		cancel_questions_of(asker, one->delivery);
		delivery_end(&one->delivery);
		free(one);
	}
}

struct asker *
asker_new(struct engine *engine)
{
	struct asker *asker = mem_new(struct asker);
	asker->engine = engine;
	asker->limit_ms = engine->conf->milter.deadline_ms;
	asker->post = post_new(engine->loop, on_post, asker);
	pthread_mutex_init(&asker->lock, NULL);
	return asker;
}

void
asker_close(struct asker *asker)
{
	struct question *question, *next;
	on_post(asker);
	pthread_mutex_lock(&asker->lock);
	asker->closed = true;
	pthread_mutex_unlock(&asker->lock);
	on_post(asker); /* what came between */
	DL_FOREACH_SAFE(asker->under_way, question, next)
	{
		DL_DELETE(asker->under_way, question);
		decision_cancel(&question->decision);
		pthread_mutex_lock(&asker->lock);
		bool given_up = question->given_up;
		question->given_up = true; /* and so the thread frees it */
		pthread_cond_signal(&question->answered_cond);
		pthread_mutex_unlock(&asker->lock);
		if (given_up)
			free_question(question);
	}
	post_free(&asker->post);
}

static void
copy_query(const struct query *from, struct arena *arena, struct query *to)
{
	struct slice *slices[] = {
		&to->client_address,    &to->client_port,
		&to->client_name,       &to->sender,
		&to->recipient,         &to->nexthop,
		&to->instance,          &to->sasl_username,
		&to->ccert_fingerprint, &to->ccert_pubkey_fingerprint,
		&to->test_time,
	};
	*to = *from;
	for (size_t i = 0; i < COUNT_OF(slices); i++)
		if (slices[i]->n > 0)
			*slices[i] = arena_copy(arena, *slices[i]);
}

static struct question *
make_question(struct asker *asker, struct delivery *delivery, const struct query *query)
{
	struct question *question = mem_new(struct question);
	pthread_condattr_t attr;
	question->asker = asker;
	question->delivery = delivery;
	arena_init(&question->arena);
	copy_query(query, &question->arena, &question->query);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&question->answered_cond, &attr);
	pthread_condattr_destroy(&attr);
	return question;
}

/* With the lock held.  False: closed, or no verdict in time. */
static bool
await(struct asker *asker, struct question *question, int64_t limit_ms)
{
	struct timespec until;
	clock_mono_after(limit_ms, &until);
	while (!question->answered && !question->given_up)
		if (pthread_cond_timedwait(&question->answered_cond, &asker->lock,
		                           &until) != 0)
			break;
	return question->answered;
}

bool
asker_ask(struct asker *asker, struct delivery *delivery, const struct query *query,
          struct arena *arena, struct verdict *verdict_out)
{
	struct question *question = make_question(asker, delivery, query);
	pthread_mutex_lock(&asker->lock);
	if (asker->closed) {
		pthread_mutex_unlock(&asker->lock);
		free_question(question);
		return false;
	}
	DL_APPEND(asker->asked, question);
	loop_post(asker->post);
	bool answered = await(asker, question, asker->limit_ms + GRACE_MS);
	bool is_mine = answered || question->given_up;
	question->given_up = true;
	pthread_mutex_unlock(&asker->lock);
	if (answered) {
		*verdict_out = question->verdict;
		verdict_out->reply = arena_copy(arena, question->verdict.reply);
		verdict_out->header = arena_copy(arena, question->verdict.header);
	}
	if (is_mine)
		free_question(question);
	return answered;
}

void
asker_end(struct asker *asker, struct delivery **delivery)
{
	struct ended *ended = mem_new(struct ended);
	ended->delivery = *delivery;
	*delivery = NULL;
	if (!ended->delivery) {
		free(ended);
		return;
	}
	pthread_mutex_lock(&asker->lock);
	bool closed = asker->closed;
	if (!closed) {
		LL_PREPEND(asker->ended, ended);
		loop_post(asker->post);
	}
	pthread_mutex_unlock(&asker->lock);
	if (closed)
		free(ended); /* the engine has ended and freed every delivery it knew */
}
