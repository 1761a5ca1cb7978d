/*
 * ask.h - what is asked of the store for one recipient, and what it answers.
 * Plain data, copied by value.
 */
#ifndef WEIR_ASK_H
#define WEIR_ASK_H

#include <stdbool.h>
#include <stdint.h>

#include "grey.h"
#include "key.h"

/* The greylist gate: is the identity allowed, else may the triplet pass? */
struct ask {
	struct key identity;
	struct key triplet;
	struct grey_rules rules;
	bool may_store; /* a new triplet may be kept */
	int64_t now_s;  /* 0: the store's own clock; else the test clock */
};

enum store_status {
	STORE_OK,
	STORE_TIMEOUT,    /* no answer within the deadline */
	STORE_DOWN,       /* not connected, or the breaker is open */
	STORE_OVERLOADED, /* more under way than the store is given */
	STORE_FULL,       /* disk, quota or memory is used up */
	STORE_BAD_RECORD, /* what is stored there cannot be read; other questions are fine */
	STORE_FAILED,     /* any other refusal */
	STORE_STATUSES
};

struct answer {
	enum store_status status;
	struct grey_result grey; /* when status is STORE_OK */
};

#endif
