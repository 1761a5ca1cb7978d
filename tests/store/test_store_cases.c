/*
 * test_store_cases.c - what the rules of greylisting mean, step by step, on both stores.
 *
 * One table.  Each case begins with an empty store; what is wanted is written out, not computed.
 */
#include <stdio.h>

#include "both_stores.h"
#include "harness.h"
#include "store/record.h"

#define DAY   86400
#define LIFE  (35 * DAY)
#define PART  (LIFE / 32) /* use is written down once in each */
#define STEPS 9

static const struct grey_rules usual = {180, DAY, LIFE, 1};
static const struct grey_rules never = {180, DAY, LIFE, 0};
static const struct grey_rules two = {180, DAY, LIFE, 2};
static const struct grey_rules three = {180, DAY, LIFE, 3};
static const struct grey_rules thousand = {180, DAY, LIFE, 1000};
static const struct grey_rules most = {180, DAY, LIFE, GREY_COUNT_MAX};
static const struct grey_rules beyond = {180, DAY, LIFE, GREY_COUNT_MAX + 1};
static const struct grey_rules patient = {600, DAY, LIFE, 0};
static const struct grey_rules hasty = {60, DAY, LIFE, 0};
static const struct grey_rules narrow = {180, 3600, LIFE, 0};
static const struct grey_rules brief = {180, 3600, 7 * DAY, 1};
static const struct grey_rules forgetful = {180, 3600, 7 * DAY, 0};
static const struct grey_rules tight = {60, 61, 3600, 0};
static const struct grey_rules instant = {1, 60, 3600, 0};

struct step {
	int64_t at_s; /* since the case began */
	char identity;
	char triplet;
	const struct grey_rules *rules; /* NULL: the case is over */
	bool may_store;
	unsigned mark; /* as in grey_triplet_observe() */
	bool is_second;
	unsigned plant; /* write this count for the identity instead of asking */
	enum grey_answer want;
	int64_t wait_s, delayed_s;
};

/* clang-format off */
#define TRY(at, identity, triplet, rules, want, wait, delayed) \
	{at, identity, triplet, &(rules), true, 0, false, 0, GREY_IS_##want, wait, delayed}
#define TRY_UNSTORED(at, identity, triplet, rules, want, wait, delayed) \
	{at, identity, triplet, &(rules), false, 0, false, 0, GREY_IS_##want, wait, delayed}
#define FIRST(at, identity, triplet, rules, mark, want, wait, delayed) \
	{at, identity, triplet, &(rules), true, mark, false, 0, GREY_IS_##want, wait, delayed}
#define SECOND(at, identity, triplet, rules, mark, want, wait, delayed) \
	{at, identity, triplet, &(rules), true, mark, true, 0, GREY_IS_##want, wait, delayed}
#define PLANT(at, identity, count) {at, identity, 0, &usual, true, 0, false, count, GREY_IS_NEW, 0, 0}

static const struct test_case {
	const char *row;
	struct step steps[STEPS];
} cases[] = {
	{"a first try waits", {
		TRY(0, 'A', 'a', usual, NEW, 180, 0)}},
	{"what the first has told, the second does not tell", {
		FIRST(0, 'A', 'a', usual, 4095, NEW, 180, 0),
		SECOND(0, 'A', 'a', usual, 4095, TOLD, 0, 0),
		SECOND(60, 'A', 'a', usual, 7, EARLY, 120, 0),
		FIRST(61, 'A', 'a', usual, 7, EARLY, 119, 0),
		SECOND(61, 'A', 'a', usual, 7, TOLD, 0, 0),
		SECOND(62, 'A', 'a', usual, 4095, EARLY, 118, 0),
		TRY(180, 'A', 'a', usual, PASSED_NOW, 0, 180)}},
	{"a mark does not outlive its record", {
		FIRST(0, 'A', 'a', usual, 7, NEW, 180, 0),
		FIRST(DAY, 'A', 'a', usual, 7, PASSED_NOW, 0, DAY),
		SECOND(DAY, 'A', 'b', usual, 7, CLIENT_ALLOWED, 0, 0)}},
	{"the second alone tells each try", {
		SECOND(0, 'A', 'a', never, 7, NEW, 180, 0),
		SECOND(1, 'A', 'a', never, 7, EARLY, 179, 0),
		SECOND(DAY + 1, 'A', 'a', never, 7, AGED, 180, 0),
		SECOND(DAY + 2, 'A', 'a', never, 7, EARLY, 179, 0)}},
	{"aged in the first's time", {
		FIRST(0, 'A', 'a', never, 7, NEW, 180, 0),
		FIRST(DAY + 1, 'A', 'a', never, 8, AGED, 180, 0),
		SECOND(DAY + 1, 'A', 'a', never, 8, TOLD, 0, 0)}},
	{"a retry one second early", {
		TRY(0, 'A', 'a', usual, NEW, 180, 0),
		TRY(179, 'A', 'a', usual, EARLY, 1, 0)}},
	{"a retry in the same second", {
		TRY(0, 'A', 'a', usual, NEW, 180, 0),
		TRY(0, 'A', 'a', usual, EARLY, 180, 0)}},
	{"a retry when the delay is over passes", {
		TRY(0, 'A', 'a', usual, NEW, 180, 0),
		TRY(180, 'A', 'a', usual, PASSED_NOW, 0, 180)}},
	{"early retries do not reset the clock", {
		TRY(0, 'A', 'a', usual, NEW, 180, 0),
		TRY(60, 'A', 'a', usual, EARLY, 120, 0),
		TRY(120, 'A', 'a', usual, EARLY, 60, 0),
		TRY(179, 'A', 'a', usual, EARLY, 1, 0),
		TRY(180, 'A', 'a', usual, PASSED_NOW, 0, 180)}},
	{"the last second of the retry window", {
		TRY(0, 'A', 'a', usual, NEW, 180, 0),
		TRY(DAY, 'A', 'a', usual, PASSED_NOW, 0, DAY)}},
	{"behind the retry window it is a first try again", {
		TRY(0, 'A', 'a', usual, NEW, 180, 0),
		TRY(DAY + 1, 'A', 'a', usual, AGED, 180, 0),
		TRY(DAY + 180, 'A', 'a', usual, EARLY, 1, 0),
		TRY(DAY + 181, 'A', 'a', usual, PASSED_NOW, 0, 180)}},
	{"a retry window that is hardly longer than the delay", {
		TRY(0, 'A', 'a', tight, NEW, 60, 0),
		TRY(62, 'A', 'a', tight, AGED, 60, 0),
		TRY(123, 'A', 'a', tight, PASSED_NOW, 0, 61)}},
	{"a delay of one second", {
		TRY(0, 'A', 'a', instant, NEW, 1, 0),
		TRY(1, 'A', 'a', instant, PASSED_NOW, 0, 1),
		TRY(1, 'A', 'a', instant, KNOWN, 0, 0)}},
	{"a passed triplet is known", {
		TRY(0, 'A', 'a', never, NEW, 180, 0),
		TRY(200, 'A', 'a', never, PASSED_NOW, 0, 200),
		TRY(200, 'A', 'a', never, KNOWN, 0, 0),
		TRY(5000, 'A', 'a', never, KNOWN, 0, 0)}},
	{"triplets do not share their clocks", {
		TRY(0, 'A', 'a', never, NEW, 180, 0),
		TRY(100, 'A', 'b', never, NEW, 180, 0),
		TRY(100, 'B', 'a', never, NEW, 180, 0),
		TRY(180, 'A', 'a', never, PASSED_NOW, 0, 180),
		TRY(180, 'A', 'b', never, EARLY, 100, 0),
		TRY(180, 'B', 'a', never, EARLY, 100, 0)}},

	{"one passed triplet allows the identity", {
		TRY(0, 'A', 'a', usual, NEW, 180, 0),
		TRY(180, 'A', 'a', usual, PASSED_NOW, 0, 180),
		TRY(180, 'A', 'a', usual, CLIENT_ALLOWED, 0, 0),
		TRY(181, 'A', 'b', usual, CLIENT_ALLOWED, 0, 0)}},
	{"but no other identity", {
		TRY(0, 'A', 'a', usual, NEW, 180, 0),
		TRY(180, 'A', 'a', usual, PASSED_NOW, 0, 180),
		TRY(181, 'B', 'a', usual, NEW, 180, 0)}},
	{"a waiting triplet of an allowed identity does not matter", {
		TRY(0, 'A', 'a', usual, NEW, 180, 0),
		TRY(170, 'A', 'b', usual, NEW, 180, 0),
		TRY(180, 'A', 'a', usual, PASSED_NOW, 0, 180),
		TRY(181, 'A', 'b', usual, CLIENT_ALLOWED, 0, 0)}},
	{"allow_client_after 0 allows no identity", {
		TRY(0, 'A', 'a', never, NEW, 180, 0),
		TRY(180, 'A', 'a', never, PASSED_NOW, 0, 180),
		TRY(181, 'A', 'b', never, NEW, 180, 0),
		TRY(361, 'A', 'b', never, PASSED_NOW, 0, 180),
		TRY(8000, 'A', 'c', never, NEW, 180, 0)}},
	{"and nothing is counted meanwhile", {
		TRY(0, 'A', 'a', never, NEW, 180, 0),
		TRY(180, 'A', 'a', never, PASSED_NOW, 0, 180),
		TRY(181, 'A', 'b', usual, NEW, 180, 0),
		TRY(182, 'A', 'a', usual, KNOWN, 0, 0)}},
	{"two passes an hour apart count", {
		TRY(0, 'A', 'a', two, NEW, 180, 0),
		TRY(180, 'A', 'a', two, PASSED_NOW, 0, 180),
		TRY(181, 'A', 'b', two, NEW, 180, 0),
		TRY(3780, 'A', 'b', two, PASSED_NOW, 0, 3599),
		TRY(3781, 'A', 'c', two, CLIENT_ALLOWED, 0, 0)}},
	{"two passes a second less than an hour apart do not", {
		TRY(0, 'A', 'a', two, NEW, 180, 0),
		TRY(180, 'A', 'a', two, PASSED_NOW, 0, 180),
		TRY(181, 'A', 'b', two, NEW, 180, 0),
		TRY(3779, 'A', 'b', two, PASSED_NOW, 0, 3598),
		TRY(3780, 'A', 'c', two, NEW, 180, 0)}},
	{"the hour goes by the pass counted last", {
		TRY(0, 'A', 'a', two, NEW, 180, 0),
		TRY(0, 'A', 'b', two, NEW, 180, 0),
		TRY(0, 'A', 'c', two, NEW, 180, 0),
		TRY(180, 'A', 'a', two, PASSED_NOW, 0, 180),
		TRY(2000, 'A', 'b', two, PASSED_NOW, 0, 2000),
		TRY(3780, 'A', 'c', two, PASSED_NOW, 0, 3780),
		TRY(3780, 'A', 'd', two, CLIENT_ALLOWED, 0, 0)}},
	{"use of a known triplet does not count", {
		TRY(0, 'A', 'a', two, NEW, 180, 0),
		TRY(180, 'A', 'a', two, PASSED_NOW, 0, 180),
		TRY(9000, 'A', 'a', two, KNOWN, 0, 0),
		TRY(9000 + PART, 'A', 'a', two, KNOWN, 0, 0),
		TRY(9000 + PART, 'A', 'b', two, NEW, 180, 0)}},
	{"three passes", {
		TRY(0, 'A', 'a', three, NEW, 180, 0),
		TRY(0, 'A', 'b', three, NEW, 180, 0),
		TRY(0, 'A', 'c', three, NEW, 180, 0),
		TRY(200, 'A', 'a', three, PASSED_NOW, 0, 200),
		TRY(4000, 'A', 'b', three, PASSED_NOW, 0, 4000),
		TRY(4001, 'A', 'd', three, NEW, 180, 0),
		TRY(8000, 'A', 'c', three, PASSED_NOW, 0, 8000),
		TRY(8001, 'A', 'e', three, CLIENT_ALLOWED, 0, 0)}},

	{"a triplet lives to the last second of its lifetime", {
		TRY(0, 'A', 'a', never, NEW, 180, 0),
		TRY(180, 'A', 'a', never, PASSED_NOW, 0, 180),
		TRY(180 + LIFE, 'A', 'a', never, KNOWN, 0, 0)}},
	{"and waits again after it", {
		TRY(0, 'A', 'a', never, NEW, 180, 0),
		TRY(180, 'A', 'a', never, PASSED_NOW, 0, 180),
		TRY(181 + LIFE, 'A', 'a', never, AGED, 180, 0),
		TRY(182 + LIFE, 'A', 'a', never, EARLY, 179, 0),
		TRY(361 + LIFE, 'A', 'a', never, PASSED_NOW, 0, 180)}},
	{"use in the first 32nd of the lifetime is not written down", {
		TRY(0, 'A', 'a', never, NEW, 180, 0),
		TRY(180, 'A', 'a', never, PASSED_NOW, 0, 180),
		TRY(180 + PART - 1, 'A', 'a', never, KNOWN, 0, 0),
		TRY(181 + LIFE, 'A', 'a', never, AGED, 180, 0)}},
	{"use behind it is", {
		TRY(0, 'A', 'a', never, NEW, 180, 0),
		TRY(180, 'A', 'a', never, PASSED_NOW, 0, 180),
		TRY(180 + PART, 'A', 'a', never, KNOWN, 0, 0),
		TRY(180 + PART + LIFE, 'A', 'a', never, KNOWN, 0, 0),
		TRY(180 + PART + 2 * LIFE, 'A', 'a', never, KNOWN, 0, 0)}},
	{"an identity lives to the last second of its lifetime", {
		TRY(0, 'A', 'a', usual, NEW, 180, 0),
		TRY(180, 'A', 'a', usual, PASSED_NOW, 0, 180),
		TRY(180 + LIFE, 'A', 'b', usual, CLIENT_ALLOWED, 0, 0)}},
	{"and is forgotten after it", {
		TRY(0, 'A', 'a', usual, NEW, 180, 0),
		TRY(180, 'A', 'a', usual, PASSED_NOW, 0, 180),
		TRY(181 + LIFE, 'A', 'b', usual, NEW, 180, 0),
		TRY(181 + LIFE, 'A', 'a', usual, AGED, 180, 0)}},
	{"use of an identity in the first 32nd is not written down", {
		TRY(0, 'A', 'a', usual, NEW, 180, 0),
		TRY(180, 'A', 'a', usual, PASSED_NOW, 0, 180),
		TRY(180 + PART - 1, 'A', 'b', usual, CLIENT_ALLOWED, 0, 0),
		TRY(181 + LIFE, 'A', 'b', usual, NEW, 180, 0)}},
	{"use of an identity behind it is", {
		TRY(0, 'A', 'a', usual, NEW, 180, 0),
		TRY(180, 'A', 'a', usual, PASSED_NOW, 0, 180),
		TRY(180 + PART, 'A', 'b', usual, CLIENT_ALLOWED, 0, 0),
		TRY(180 + PART + LIFE, 'A', 'b', usual, CLIENT_ALLOWED, 0, 0)}},
	{"a forgotten identity is counted from one", {
		TRY(0, 'A', 'a', two, NEW, 180, 0),
		TRY(180, 'A', 'a', two, PASSED_NOW, 0, 180),
		TRY(181 + LIFE, 'A', 'b', two, NEW, 180, 0),
		TRY(400 + LIFE, 'A', 'b', two, PASSED_NOW, 0, 219),
		TRY(401 + LIFE, 'A', 'c', two, NEW, 180, 0),
		TRY(4000 + LIFE, 'A', 'c', two, PASSED_NOW, 0, 3599),
		TRY(4001 + LIFE, 'A', 'd', two, CLIENT_ALLOWED, 0, 0)}},

	{"the clock is set back while a triplet waits", {
		TRY(0, 'A', 'a', usual, NEW, 180, 0),
		TRY(-100, 'A', 'a', usual, EARLY, 180, 0),
		TRY(79, 'A', 'a', usual, EARLY, 1, 0),
		TRY(80, 'A', 'a', usual, PASSED_NOW, 0, 180)}},
	{"the clock is set back by years", {
		TRY(0, 'A', 'a', usual, NEW, 180, 0),
		TRY(-1000000000, 'A', 'a', usual, EARLY, 180, 0),
		TRY(-999999820, 'A', 'a', usual, PASSED_NOW, 0, 180),
		TRY(-999999820, 'A', 'b', usual, CLIENT_ALLOWED, 0, 0)}},
	{"the clock is set back behind a pass: use is written down", {
		TRY(0, 'A', 'a', never, NEW, 180, 0),
		TRY(180, 'A', 'a', never, PASSED_NOW, 0, 180),
		TRY(80, 'A', 'a', never, KNOWN, 0, 0),
		TRY(81 + LIFE, 'A', 'a', never, AGED, 180, 0)}},
	{"the clock is set back behind an identity: use is written down", {
		TRY(0, 'A', 'a', usual, NEW, 180, 0),
		TRY(180, 'A', 'a', usual, PASSED_NOW, 0, 180),
		TRY(80, 'A', 'a', usual, CLIENT_ALLOWED, 0, 0),
		TRY(81 + LIFE, 'A', 'b', usual, NEW, 180, 0)}},
	{"a pass after the clock was set back counts", {
		TRY(0, 'A', 'a', two, NEW, 180, 0),
		TRY(180, 'A', 'a', two, PASSED_NOW, 0, 180),
		TRY(-5000, 'A', 'b', two, NEW, 180, 0),
		TRY(-4820, 'A', 'b', two, PASSED_NOW, 0, 180),
		TRY(-4819, 'A', 'c', two, CLIENT_ALLOWED, 0, 0)}},
	{"the year 2500", {
		TRY(12700000000, 'A', 'a', usual, NEW, 180, 0),
		TRY(12700000179, 'A', 'a', usual, EARLY, 1, 0),
		TRY(12700000180, 'A', 'a', usual, PASSED_NOW, 0, 180),
		TRY(12700000181, 'A', 'b', usual, CLIENT_ALLOWED, 0, 0)}},

	{"a new triplet that may not be stored", {
		TRY_UNSTORED(0, 'A', 'a', usual, NEW_UNSTORED, 180, 0),
		TRY_UNSTORED(180, 'A', 'a', usual, NEW_UNSTORED, 180, 0),
		TRY(400, 'A', 'a', usual, NEW, 180, 0)}},
	{"one that waits already goes on", {
		TRY(0, 'A', 'a', usual, NEW, 180, 0),
		TRY_UNSTORED(60, 'A', 'a', usual, EARLY, 120, 0),
		TRY_UNSTORED(180, 'A', 'a', usual, PASSED_NOW, 0, 180),
		TRY_UNSTORED(181, 'A', 'b', usual, CLIENT_ALLOWED, 0, 0)}},
	{"an aged one is stored already", {
		TRY(0, 'A', 'a', never, NEW, 180, 0),
		TRY_UNSTORED(DAY + 1, 'A', 'a', never, AGED, 180, 0),
		TRY_UNSTORED(DAY + 181, 'A', 'a', never, PASSED_NOW, 0, 180),
		TRY_UNSTORED(DAY + 182, 'A', 'a', never, KNOWN, 0, 0)}},

	{"a large count", {
		PLANT(0, 'A', 1000),
		TRY(1, 'A', 'a', thousand, CLIENT_ALLOWED, 0, 0)}},
	{"one less", {
		PLANT(0, 'A', 999),
		TRY(1, 'A', 'a', thousand, NEW, 180, 0),
		TRY(3599, 'A', 'a', thousand, PASSED_NOW, 0, 3598),
		TRY(3600, 'A', 'b', thousand, NEW, 180, 0),
		TRY(3780, 'A', 'b', thousand, PASSED_NOW, 0, 180),
		TRY(3781, 'A', 'c', thousand, CLIENT_ALLOWED, 0, 0)}},
	{"the largest count stays what it is", {
		PLANT(0, 'A', GREY_COUNT_MAX),
		TRY(4000, 'A', 'a', beyond, NEW, 180, 0),
		TRY(4180, 'A', 'a', beyond, PASSED_NOW, 0, 180),
		TRY(4181, 'A', 'b', beyond, NEW, 180, 0),
		TRY(4182, 'A', 'b', most, CLIENT_ALLOWED, 0, 0)}},
	{"the largest count is kept by use", {
		PLANT(0, 'A', GREY_COUNT_MAX),
		TRY(PART, 'A', 'a', most, CLIENT_ALLOWED, 0, 0),
		TRY(PART + LIFE, 'A', 'a', most, CLIENT_ALLOWED, 0, 0)}},

	{"the delay was made longer", {
		TRY(0, 'A', 'a', never, NEW, 180, 0),
		TRY(200, 'A', 'a', patient, EARLY, 400, 0),
		TRY(600, 'A', 'a', patient, PASSED_NOW, 0, 600)}},
	{"the delay was made shorter", {
		TRY(0, 'A', 'a', never, NEW, 180, 0),
		TRY(60, 'A', 'a', hasty, PASSED_NOW, 0, 60)}},
	{"the retry window was made shorter", {
		TRY(0, 'A', 'a', never, NEW, 180, 0),
		TRY(3601, 'A', 'a', narrow, AGED, 180, 0)}},
	{"the retry window was made longer", {
		TRY(0, 'A', 'a', narrow, NEW, 180, 0),
		TRY(3601, 'A', 'a', never, PASSED_NOW, 0, 3601)}},
	{"the lifetime was made shorter", {
		TRY(0, 'A', 'a', never, NEW, 180, 0),
		TRY(180, 'A', 'a', never, PASSED_NOW, 0, 180),
		TRY(181 + 7 * DAY, 'A', 'a', forgetful, AGED, 180, 0)}},
	{"the lifetime was made longer", {
		TRY(0, 'A', 'a', forgetful, NEW, 180, 0),
		TRY(180, 'A', 'a', forgetful, PASSED_NOW, 0, 180),
		TRY(181 + 7 * DAY, 'A', 'a', never, KNOWN, 0, 0)}},
	{"the lifetime of identities was made shorter", {
		TRY(0, 'A', 'a', usual, NEW, 180, 0),
		TRY(180, 'A', 'a', usual, PASSED_NOW, 0, 180),
		TRY(180 + 7 * DAY, 'A', 'b', brief, CLIENT_ALLOWED, 0, 0),
		TRY(181 + 14 * DAY, 'A', 'b', brief, NEW, 180, 0)}},
	{"more passes are asked for", {
		TRY(0, 'A', 'a', usual, NEW, 180, 0),
		TRY(180, 'A', 'a', usual, PASSED_NOW, 0, 180),
		TRY(181, 'A', 'b', usual, CLIENT_ALLOWED, 0, 0),
		TRY(182, 'A', 'b', two, NEW, 180, 0),
		TRY(182, 'A', 'a', two, KNOWN, 0, 0)}},
	{"fewer passes are asked for", {
		TRY(0, 'A', 'a', three, NEW, 180, 0),
		TRY(180, 'A', 'a', three, PASSED_NOW, 0, 180),
		TRY(181, 'A', 'b', three, NEW, 180, 0),
		TRY(182, 'A', 'b', usual, CLIENT_ALLOWED, 0, 0)}},
	{"identities are switched off and on again", {
		TRY(0, 'A', 'a', usual, NEW, 180, 0),
		TRY(180, 'A', 'a', usual, PASSED_NOW, 0, 180),
		TRY(181, 'A', 'a', never, KNOWN, 0, 0),
		TRY(182, 'A', 'b', never, NEW, 180, 0),
		TRY(183, 'A', 'c', usual, CLIENT_ALLOWED, 0, 0)}},
};

/* clang-format on */

/* Writes a count of passes for the identity, made at that time. */
static void
plant_count(const struct store_place *place, const struct step *step)
{
	struct grey_record rec = {.state = GREY_IDENTITY,
	                          .at_s = FIXTURE_T0_S + step->at_s,
	                          .count = step->plant};
	struct key key = fixture_key('i', (unsigned char)step->identity);
	place_plant(place, 'i', &key, record_pack(&rec));
}

static struct ask
ask_of(const struct step *step)
{
	unsigned identity = (unsigned char)step->identity;
	unsigned triplet = (unsigned char)step->triplet;
	return (struct ask){.identity = fixture_key('i', identity),
	                    .triplet = fixture_key('t', identity << 8 | triplet),
	                    .rules = *step->rules,
	                    .may_store = step->may_store,
	                    .mark = step->mark,
	                    .is_second = step->is_second,
	                    .now_s = FIXTURE_T0_S + step->at_s};
}

static void
run_case(const struct test_case *c, int backend)
{
	struct store_place place = place_on(backend);
	struct store_fixture fixture;
	fixture_open(&fixture, &place, NULL);
	for (size_t i = 0; i < STEPS && c->steps[i].rules; i++) {
		const struct step *step = &c->steps[i];
		if (step->plant) {
			plant_count(&place, step);
			continue;
		}
		struct ask ask = ask_of(step);
		struct answer got = ask_and_wait(&fixture, &ask);
		ck_assert_msg(got.status == STORE_OK, "%s: step %zu: store %s", c->row,
		              i + 1, store_status_word(got.status));
		ck_assert_msg(got.grey.answer == step->want &&
		                      got.grey.wait_s == step->wait_s &&
		                      got.grey.delayed_s == step->delayed_s,
		              "%s: step %zu: got answer %d, wait %lld, delayed %lld; "
		              "want %d, %lld, %lld",
		              c->row, i + 1, (int)got.grey.answer,
		              (long long)got.grey.wait_s, (long long)got.grey.delayed_s,
		              (int)step->want, (long long)step->wait_s,
		              (long long)step->delayed_s);
	}
	fixture_close(&fixture);
}

START_TEST(case_holds_on_sqlite)
{
	run_case(&cases[_i], BACKEND_EMBEDDED);
}

END_TEST

START_TEST(case_holds_on_redis)
{
	run_case(&cases[_i], BACKEND_REDIS);
}

END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_loop_test(tcase, case_holds_on_sqlite, 0, COUNT_OF(cases));
	if (both_stores(tcase) > BACKEND_REDIS)
		tcase_add_loop_test(tcase, case_holds_on_redis, 0, COUNT_OF(cases));
}

int
main(void)
{
	return harness_run("store cases", fill);
}
