/* record.c - a greylist record as one integer. */
#include "store/record.h"

#define COUNT_BITS 12
#define AT_BITS    34
#define STATE_BITS 3

static int64_t
clamp(int64_t value, int64_t max)
{
	return value < 0 ? 0 : value > max ? max : value;
}

static int64_t
low_bits(int bits)
{
	return (INT64_C(1) << bits) - 1;
}

int64_t
record_pack(const struct grey_record *rec)
{
	int64_t value = RECORD_VERSION;
	value = value << STATE_BITS | rec->state;
	value = value << AT_BITS | clamp(rec->at_s, low_bits(AT_BITS));
	value = value << COUNT_BITS | clamp(rec->count, low_bits(COUNT_BITS));
	return value;
}

bool
record_unpack(int64_t value, struct grey_record *rec_out)
{
	int64_t count = value & low_bits(COUNT_BITS);
	int64_t at_s = value >> COUNT_BITS & low_bits(AT_BITS);
	int64_t state = value >> (COUNT_BITS + AT_BITS) & low_bits(STATE_BITS);
	int64_t version = value >> (COUNT_BITS + AT_BITS + STATE_BITS);
	if (version != RECORD_VERSION || state < GREY_WAITING || state > GREY_IDENTITY)
		return false;
	*rec_out = (struct grey_record){.state = (enum grey_state)state,
	                                .at_s = at_s,
	                                .count = (unsigned)count};
	return true;
}
