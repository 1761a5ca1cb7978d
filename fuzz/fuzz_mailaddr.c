/*
 * fuzz_mailaddr.c - any bytes as an envelope address.
 *
 * What must hold: bounded, no capital letters left, case of the input does not matter, and the normal
 * form of an address in its normal form is that, unless it was cut.
 */
#include <stdint.h>
#include <stdlib.h>

#include "rules/mailaddr.h"

enum { LONGEST = 512 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(struct slice folded)
{
	if (folded.n > LONGEST)
		abort();
	for (size_t i = 0; i < folded.n; i++)
		if (folded.p[i] != ascii_lower(folded.p[i]))
			abort();
}

static char origin[] = "mx.test", append[] = "";
static const struct conf_rewrite rewrite = {origin, append, true, true};

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena;
	arena_init(&arena);
	struct slice address = {.p = (const char *)data, .n = size};
	struct slice normal = mailaddr_normal(address, &rewrite, &arena);
	check(normal);
	check(mailaddr_mailbox(normal, &arena));
	check(mailaddr_fold_sender(normal, &arena));
	check(mailaddr_fold_recipient(normal, &arena));
	if (normal.n < LONGEST &&
	    !slice_eq(mailaddr_normal(normal, &rewrite, &arena), normal))
		abort();

	struct text lower = {.p = arena_take(&arena, size + 1), .cap = size + 1};
	text_put_lower(&lower, address);
	if (!slice_eq(mailaddr_normal(text_slice(&lower), &rewrite, &arena), normal))
		abort();
	arena_free(&arena);
	return 0;
}
