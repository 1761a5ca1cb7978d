/* gate_greylist.c - may the triplet pass? */
#include "engine/gate.h"
#include "engine/newcap.h"

static void
on_answer(void *arg, const struct answer *answer)
{
	struct decision *decision = arg;
	if (answer->status != STORE_OK) {
		decision_fail(decision, answer->status);
		return;
	}
	if (answer->grey.answer == GREY_IS_NEW)
		newcap_take(decision->engine->newcap, &decision->ask.identity,
		            &decision->conf->greylist.new_triplets,
		            decision_clock_ms(decision));
	decision_judge(decision, &answer->grey);
}

/* Where both daemons only observe, the milter must not tell what policyd has told already. */
static void
mark_session(struct decision *decision)
{
	const struct key_secret *secret = store_secret(decision->engine->store);
	char holder[HOLDER_MAX + 1];
	if (decision->plan.greylist_mode != MODE_OBSERVE ||
	    !limits_print_holder('p', decision->conf->node, &decision->query, 0, holder))
		return;
	struct key key =
		key_note(secret, slice_of(holder), (struct slice){0}, (struct slice){0});
	decision->ask.mark = 1 + (key.bytes[0] << 8 | key.bytes[1]) % GREY_COUNT_MAX;
	decision->ask.is_second = decision->engine->kind == ENGINE_OF_MILTER;
}

void
greylist_ask(struct decision *decision)
{
	struct engine *engine = decision->engine;
	struct conf *conf = decision->conf;
	plan_ask(conf, &decision->plan, store_secret(engine->store), &decision->ask);
	decision->triplet = decision->ask.triplet;
	decision->keyed = true;
	decision->ask.now_s = engine->test_now_s;
	mark_session(decision);
	decision->ask.may_store = newcap_has_room(engine->newcap, &decision->ask.identity,
	                                          &conf->greylist.new_triplets,
	                                          decision_clock_ms(decision));
	decision_ask_store(decision, on_answer);
}
