/*
 * fuzz_policy.c - any bytes on the policy port, in whatever pieces they come.
 *
 * The pieces' sizes come from the bytes themselves.  What must hold: however the bytes are cut,
 * the requests read are the same; all is bounded; nothing is said to be used that was not fed.
 */
#include <stdint.h>
#include <stdlib.h>

#include "policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool holds)
{
	if (!holds)
		abort();
}

/* Sizes from 1 to 16, or now and then 1024, that the data choose. */
static size_t
piece_of(struct slice all, size_t at)
{
	unsigned char c = (unsigned char)all.p[(at * 7 + 3) % all.n];
	return c == 0xff ? 1024 : 1 + (c & 15);
}

/* Feeds `rest` in pieces until the parser wants no more; how many bytes it took. */
static enum policy_state
feed_pieces(struct policy *policy, struct slice rest, size_t *used_out)
{
	enum policy_state state = POLICY_MORE;
	*used_out = 0;
	while (state == POLICY_MORE && *used_out < rest.n) {
		struct slice piece = slice_head(slice_from(rest, *used_out),
		                                piece_of(rest, *used_out));
		size_t used = SIZE_MAX;
		state = policy_feed(policy, piece, &used);
		must(used <= piece.n && (state != POLICY_MORE || used == piece.n));
		*used_out += used;
	}
	return state;
}

static void
same(struct slice a, struct slice b)
{
	must(slice_eq(a, b));
	must(a.n <= POLICY_LINE_MAX);
	must(slice_find(a, '\n') < 0 && slice_find(a, '\0') < 0);
}

static void
same_query(const struct query *a, const struct query *b)
{
	must(a->stage == b->stage);
	same(a->client_address, b->client_address);
	same(a->client_name, b->client_name);
	same(a->sender, b->sender);
	same(a->recipient, b->recipient);
	same(a->instance, b->instance);
	same(a->sasl_username, b->sasl_username);
	same(a->ccert_fingerprint, b->ccert_fingerprint);
	same(a->ccert_pubkey_fingerprint, b->ccert_pubkey_fingerprint);
	same(a->test_time, b->test_time);
}

/* One request both ways; false when the rest holds no further one. */
static bool
one_request(struct slice *rest, struct arena *arena)
{
	struct policy whole, cut;
	size_t used_whole, used_cut;
	policy_reset(&whole, arena);
	policy_reset(&cut, arena);
	enum policy_state state = policy_feed(&whole, *rest, &used_whole);
	must(feed_pieces(&cut, *rest, &used_cut) == state);
	must(used_whole <= rest->n);
	must((state == POLICY_BAD) == (whole.trouble != NULL));
	must(whole.attributes <= POLICY_ATTRIBUTES_MAX + 1);
	if (state != POLICY_DONE)
		return false;
	must(used_whole == used_cut && used_whole <= POLICY_REQUEST_MAX);
	same_query(&whole.query, &cut.query);
	*rest = slice_from(*rest, used_whole);
	return rest->n > 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice rest = {.p = (const char *)data, .n = size};
	struct arena arena;
	arena_init(&arena);
	if (size > 0)
		while (one_request(&rest, &arena))
			arena_reset(&arena);
	arena_free(&arena);
	return 0;
}
