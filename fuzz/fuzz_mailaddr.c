/*
 * fuzz_mailaddr.c - any bytes as an envelope address.
 *
 * What must hold: bounded, no capital letters left, case of the input does not matter.
 */
#include <stdint.h>
#include <stdlib.h>

#include "mailaddr.h"

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

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena;
	arena_init(&arena);
	struct slice address = {.p = (const char *)data, .n = size};
	struct slice sender = mailaddr_fold_sender(address, &arena);
	struct slice recipient = mailaddr_fold_recipient(address, &arena);
	check(sender);
	check(recipient);

	struct text lower = {.p = arena_take(&arena, size + 1), .cap = size + 1};
	text_put_lower(&lower, address);
	if (!slice_eq(mailaddr_fold_sender(text_slice(&lower), &arena), sender) ||
	    !slice_eq(mailaddr_fold_recipient(text_slice(&lower), &arena), recipient))
		abort();
	arena_free(&arena);
	return 0;
}
