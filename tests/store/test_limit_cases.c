/*
 * test_limit_cases.c - what limits mean, step by step, on both stores.
 *
 * One table.  Each case begins with an empty store.  What is wanted is written out as text: of a
 * question see fixture_put_limits(); a renewal is "kept", "late", "lost" or "late lost"; a look
 * gives the number of leases.
 */
#include <stdio.h>
#include <stdlib.h>

#include "both_stores.h"
#include "harness.h"

#define T0         (FIXTURE_T0_S * 1000)
#define TTL_MS     60000 /* a milter's lease, and the longest one */
#define HOLD_MS    20000 /* policyd's */
#define STEPS_MAX  12
#define TEXT_MAX   100
#define EVER       INT64_C(9000000000000)
#define TIMES_MANY 20

enum step_kind {
	STEP_END,
	STEP_ASK,
	STEP_RENEW,
	STEP_BACK,
	STEP_RETURN,
	STEP_REFUSED,
	STEP_FORCE,
	STEP_ROWS
};

struct step {
	enum step_kind kind;
	int64_t at_ms; /* since the case began */
	const char *
		who; /* "mA": milter, session A; "pAx1": policyd, recipient x, message 1 */
	const char *uses; /* "Dl2": see fixture_uses() */
	const char *want;
};

/* clang-format off */
#define ASK(at, who, uses, want)   {STEP_ASK, at, who, uses, want}
#define RENEW(at, who, uses, want) {STEP_RENEW, at, who, uses, want}
#define BACK(at, who, uses)        {STEP_BACK, at, who, uses, ""}
#define RETURN(at, who, uses)      {STEP_RETURN, at, who, uses, ""}
#define REFUSED(at, who, uses)     {STEP_REFUSED, at, who, uses, ""}
#define FORCE(at, uses, want)      {STEP_FORCE, at, "mA", uses, want} /* leases in force */
#define ROWS(uses, want)           {STEP_ROWS, 0, "mA", uses, want}   /* dead ones, too */

static const struct test_case {
	const char *row;
	struct step steps[STEPS_MAX];
} cases[] = {
	{"up to the limit, not beyond", {
		ASK(0, "mA", "Dl2", "yes 1 held 1"),
		ASK(0, "mB", "Dl2", "yes 1 held 2"),
		ASK(0, "mC", "Dl2", "no 0 held 2"),
		FORCE(0, "Dl2", "2")}},
	{"who holds a slot is not refused when all are taken", {
		ASK(0, "mA", "Dl1", "yes 1 held 1"),
		ASK(1, "mA", "Dl1", "yes 1 held 1"),
		ROWS("Dl1", "1")}},
	{"asking again extends the lease", {
		ASK(0, "mA", "Dl1", "yes 1 held 1"),
		ASK(30000, "mA", "Dl1", "yes 1 held 1"),
		ASK(89999, "mB", "Dl1", "no 0 held 1"),
		ASK(90000, "mB", "Dl1", "yes 1 held 1")}},
	{"a slot given back is free", {
		ASK(0, "mA", "Dl1", "yes 1 held 1"),
		BACK(0, "mA", "Dl1"),
		ROWS("Dl1", "0"),
		ASK(0, "mB", "Dl1", "yes 1 held 1")}},
	{"what is not held can be given back", {
		ASK(0, "mA", "Dl1", "yes 1 held 1"),
		BACK(0, "mB", "Dl1"),
		BACK(0, "pA", "Dl1"),
		BACK(0, "mA", "Cl1"),
		ROWS("Dl1", "1"),
		BACK(0, "mA", "Dl1"),
		BACK(0, "mA", "Dl1"),
		ROWS("Dl1", "0")}},
	{"a lease is gone at its last millisecond", {
		ASK(0, "mA", "Dl1", "yes 1 held 1"),
		ASK(59999, "mB", "Dl1", "no 0 held 1"),
		FORCE(59999, "Dl1", "1"),
		FORCE(60000, "Dl1", "0"),
		ASK(60000, "mB", "Dl1", "yes 1 held 1")}},
	{"policyd's as well", {
		ASK(0, "pA", "Dl1", "yes 1 held 1"),
		ASK(19999, "mB", "Dl1", "no 0 held 1"),
		ASK(20000, "mB", "Dl1", "yes 1 held 1")}},
	{"who has run out asks like any other", {
		ASK(0, "mA", "Dl1", "yes 1 held 1"),
		ASK(60000, "mB", "Dl1", "yes 1 held 1"),
		ASK(60000, "mA", "Dl1", "no 0 held 1")}},
	{"the dead are dropped when a slot is taken", {
		ASK(0, "mA", "Dl3", "yes 1 held 1"),
		ASK(0, "mB", "Dl3", "yes 1 held 2"),
		ASK(60000, "mC", "Dl3", "yes 1 held 1"),
		ROWS("Dl3", "1")}},
	{"the dead do not count below the limit", {
		ASK(0, "pA", "Dl3", "yes 1 held 1"),
		ASK(0, "mB", "Dl3", "yes 1 held 2"),
		ASK(20000, "mB", "Dl3", "yes 1 held 1")}},
	{"a lease of the longest time counts", {
		ASK(0, "mA", "Dl1", "yes 1 held 1"),
		ASK(0, "mB", "Dl1", "no 0 held 1")}},
	{"the clock was set back: a lease that ends too late is dropped", {
		ASK(0, "mA", "Dl1", "yes 1 held 1"),
		FORCE(-1, "Dl1", "0"),
		ASK(-1, "mB", "Dl1", "yes 1 held 1"),
		ROWS("Dl1", "1")}},
	{"the clock was set back: its holder goes on", {
		ASK(0, "mA", "Dl1", "yes 1 held 1"),
		ASK(-3600000, "mA", "Dl1", "yes 1 held 1"),
		ASK(-3600000, "mB", "Dl1", "no 0 held 1"),
		ROWS("Dl1", "1")}},
	{"limits of other kinds have other slots", {
		ASK(0, "mA", "Dl1", "yes 1 held 1"),
		ASK(0, "mB", "Cl1", "yes 1 held 1"),
		ASK(0, "mC", "Sl1", "yes 1 held 1"),
		ASK(0, "mD", "Ul1", "yes 1 held 1")}},

	{"the milter takes over what policyd has", {
		ASK(0, "pA", "Dl1", "yes 1 held 1"),
		ASK(1, "mA", "Dl1", "yes 1 held 1"),
		ROWS("Dl1", "1"),
		BACK(2, "pA", "Dl1"),
		FORCE(20001, "Dl1", "1"),
		BACK(3, "mA", "Dl1"),
		ROWS("Dl1", "0")}},
	{"policyd leaves alone what the milter has", {
		ASK(0, "mA", "Dl1", "yes 1 held 1"),
		ASK(50000, "pA", "Dl1", "yes 1 held 1"),
		ROWS("Dl1", "1"),
		BACK(50000, "pA", "Dl1"),
		ASK(59999, "mB", "Dl1", "no 0 held 1"),
		ASK(60000, "mB", "Dl1", "yes 1 held 1")}},
	{"policyd takes anew when the milter's lease has run out", {
		ASK(0, "mA", "Dl1", "yes 1 held 1"),
		ASK(60000, "pA", "Dl1", "yes 1 held 1"),
		ASK(60001, "mB", "Dl1", "no 0 held 1"),
		ASK(60002, "mA", "Dl1", "yes 1 held 1"),
		ROWS("Dl1", "1")}},
	{"the milter takes over with others around", {
		ASK(0, "pA", "Dl2", "yes 1 held 1"),
		ASK(0, "pB", "Dl2", "yes 1 held 2"),
		ASK(0, "mA", "Dl2", "yes 1 held 2"),
		ASK(0, "mC", "Dl2", "no 0 held 2"),
		ROWS("Dl2", "2")}},
	{"another session's names are its own", {
		ASK(0, "pA", "Dl1", "yes 1 held 1"),
		ASK(0, "mB", "Dl1", "no 0 held 1"),
		ASK(0, "pB", "Dl1", "no 0 held 1"),
		FORCE(0, "Dl1", "1")}},

	{"all or none: a slot behind a rate", {
		ASK(0, "mA", "Dl1", "yes 1 held 1"),
		ASK(0, "pBx1", "Cm2/100 Dl1", "no 1 held 1"),
		ASK(0, "pBx2", "Cm2/100", "yes 1"),
		ASK(0, "pBx3", "Cm2/100", "yes 1"),
		ASK(0, "pBx4", "Cm2/100", "no 0 wait 50000")}},
	{"all or none: a slot before a rate", {
		ASK(0, "mA", "Dl1", "yes 1 held 1"),
		ASK(0, "pBx1", "Dl1 Cm2/100", "no 0 held 1"),
		ASK(0, "pBx2", "Cm2/100", "yes 1"),
		ASK(0, "pBx3", "Cm2/100", "yes 1"),
		ASK(0, "pBx4", "Cm2/100", "no 0 wait 50000")}},
	{"all or none: a rate that is over", {
		ASK(0, "pAx1", "Cm1/100", "yes 1"),
		ASK(0, "pBx1", "Dl1 Cm1/100", "no 1 wait 100000 held 1"),
		ROWS("Dl1", "0"),
		ASK(0, "pBx2", "Cm1/100 Dl1", "no 0 wait 100000"),
		ROWS("Dl1", "0")}},
	{"all or none: the last of many", {
		ASK(0, "mA", "Ul1", "yes 1 held 1"),
		ASK(0, "mB", "Dl1 Cl1 Cm1/9 Cr1/9 Sl1 Ul1", "no 5 held 1"),
		ROWS("Dl1", "0"),
		ROWS("Cl1", "0"),
		ROWS("Sl1", "0"),
		ASK(0, "mB", "Dl1 Cl1 Cm1/9 Cr1/9 Sl1", "yes 1f held 1")}},
	{"all of the twelve", {
		ASK(0, "mAx", "Dl9 Dm9/9 Dr9/9 Cl9 Cm9/9 Cr9/9 Sl9 Sm9/9 Sr9/9 Ul9 Um9/9 Ur9/9",
			"yes fff held 1"),
		ASK(0, "mBx", "Dl9 Dm9/9 Dr9/9 Cl9 Cm9/9 Cr9/9 Sl9 Sm9/9 Sr9/9 Ul9 Um9/9 Ur1/9",
			"no b wait 1000 held 2")}},
	{"nothing is asked for", {
		ASK(0, "mA", "", "yes 0")}},

	{"a rate's burst, then its pace", {
		ASK(0, "pAx1", "Cm2/10", "yes 1"),
		ASK(0, "pBx1", "Cm2/10", "yes 1"),
		ASK(0, "pCx1", "Cm2/10", "no 0 wait 5000"),
		ASK(1500, "pCx1", "Cm2/10", "no 0 wait 3500"),
		ASK(4999, "pCx1", "Cm2/10", "no 0 wait 1"),
		ASK(5000, "pCx1", "Cm2/10", "yes 1"),
		ASK(5000, "pDx1", "Cm2/10", "no 0 wait 5000"),
		ASK(10000, "pDx1", "Cm2/10", "yes 1")}},
	{"rest is not saved up", {
		ASK(0, "pAx1", "Cm2/10", "yes 1"),
		ASK(3600000, "pBx1", "Cm2/10", "yes 1"),
		ASK(3600000, "pCx1", "Cm2/10", "yes 1"),
		ASK(3600000, "pDx1", "Cm2/10", "no 0 wait 5000")}},
	{"messages and recipients are counted apart", {
		ASK(0, "pAx1", "Cm1/10 Cr2/10", "yes 3"),
		ASK(0, "pBx1", "Cr2/10", "yes 1"),
		ASK(0, "pCx1", "Cr2/10", "no 0 wait 5000"),
		ASK(0, "pDx1", "Cm1/10", "no 0 wait 10000"),
		ASK(0, "pEx1", "Sm1/10", "yes 1")}},
	{"a refused question takes no token", {
		ASK(0, "pAx1", "Cm1/10 Cr1/10", "yes 3"),
		ASK(5000, "pBx1", "Cm1/10 Cr1/10", "no 0 wait 5000"),
		ASK(10000, "pBx1", "Cm1/10 Cr1/10", "yes 3")}},
	{"a wait is rounded up", {
		ASK(0, "pAx1", "Cm7/1", "yes 1"),
		ASK(0, "pBx1", "Cm7/1", "yes 1"),
		ASK(0, "pCx1", "Cm1/1", "no 0 wait 286")}},

	{"policyd, then the milter: one token", {
		ASK(0, "pAx1", "Cm2/100", "yes 1"),
		ASK(0, "mAx0", "Cm2/100", "yes 1"),
		ASK(0, "pBx1", "Cm2/100", "yes 1"),
		ASK(0, "pCx1", "Cm2/100", "no 0 wait 50000")}},
	{"policyd takes the last one, the milter has it", {
		ASK(0, "pAx1", "Dl1 Cr1/100", "yes 3 held 1"),
		ASK(0, "mAx0", "Dl1 Cr1/100", "yes 3 held 1"),
		ASK(0, "mAx0", "Dl1 Cr1/100", "no 1 wait 100000 held 1")}},
	{"the milter alone", {
		ASK(0, "mAx0", "Cm2/100", "yes 1"),
		ASK(0, "mAx0", "Cm2/100", "yes 1"),
		ASK(0, "mAx0", "Cm2/100", "no 0 wait 50000")}},
	{"policyd twice about the same message: one token", {
		ASK(0, "pAx1", "Cm2/100", "yes 1"),
		ASK(0, "pAx1", "Cm2/100", "yes 0"),
		ASK(0, "pAx1", "Cm2/100", "yes 0"),
		ASK(0, "pBx1", "Cm2/100", "yes 1"),
		ASK(0, "pCx1", "Cm2/100", "no 0 wait 50000")}},
	{"policyd twice: its slot is told each time", {
		ASK(0, "pAx1", "Dl1 Cm2/100", "yes 3 held 1"),
		ASK(0, "pAx1", "Dl1 Cm2/100", "yes 1 held 1")}},
	{"another message: another token", {
		ASK(0, "pAx1", "Cm2/100", "yes 1"),
		ASK(0, "pAx2", "Cm2/100", "yes 1"),
		ASK(0, "pAx3", "Cm2/100", "no 0 wait 50000")}},
	{"another recipient: another token", {
		ASK(0, "pAx1", "Cr2/100", "yes 1"),
		ASK(0, "pAy1", "Cr2/100", "yes 1"),
		ASK(0, "pAz1", "Cr2/100", "no 0 wait 50000"),
		ASK(0, "mAx0", "Cr2/100", "yes 1"),
		ASK(0, "mAy0", "Cr2/100", "yes 1"),
		ASK(0, "mAz0", "Cr2/100", "no 0 wait 50000")}},
	{"the milter uses the note up", {
		ASK(0, "pAx1", "Cm2/100", "yes 1"),
		ASK(0, "mAx0", "Cm2/100", "yes 1"),
		ASK(0, "mAx0", "Cm2/100", "yes 1"),
		ASK(0, "pBx1", "Cm2/100", "no 0 wait 50000")}},
	{"a note in its last millisecond", {
		ASK(0, "pAx1", "Cm2/100", "yes 1"),
		ASK(19999, "mAx0", "Cm2/100", "yes 1"),
		ASK(19999, "pBx1", "Cm2/100", "yes 1"),
		ASK(19999, "pCx1", "Cm2/100", "no 0 wait 30001")}},
	{"a note behind it", {
		ASK(0, "pAx1", "Cm2/100", "yes 1"),
		ASK(20000, "mAx0", "Cm2/100", "yes 1"),
		ASK(20000, "pBx1", "Cm2/100", "no 0 wait 30000")}},
	{"policyd's second question makes the note last longer", {
		ASK(0, "pAx1", "Cm2/100", "yes 1"),
		ASK(15000, "pAx1", "Cm2/100", "yes 0"),
		ASK(34999, "mAx0", "Cm2/100", "yes 1"),
		ASK(34999, "pBx1", "Cm2/100", "yes 1"),
		ASK(34999, "pCx1", "Cm2/100", "no 0 wait 15001")}},
	{"a note speaks only of what policyd took", {
		ASK(0, "pAx1", "Cm2/100", "yes 1"),
		ASK(0, "mAx0", "Dm1/100 Cm2/100", "yes 3"),
		ASK(0, "mBx0", "Dm1/100", "no 0 wait 100000"),
		ASK(0, "pCx1", "Cm2/100", "yes 1"),
		ASK(0, "pDx1", "Cm2/100", "no 0 wait 50000")}},
	{"policyd's second question adds to the note", {
		ASK(0, "pAx1", "Cm2/100", "yes 1"),
		ASK(0, "pAx1", "Cm2/100 Cr2/100", "yes 2"),
		ASK(0, "mAx0", "Cm2/100 Cr2/100", "yes 3"),
		ASK(0, "pBx1", "Cm2/100 Cr2/100", "yes 3"),
		ASK(0, "pCx1", "Cm2/100", "no 0 wait 50000"),
		ASK(0, "pDx1", "Cr2/100", "no 0 wait 50000")}},
	{"without what it speaks of already", {
		ASK(0, "pAx1", "Cm2/100 Cr2/100", "yes 3"),
		ASK(0, "pAx1", "Cr2/100", "yes 0"),
		ASK(0, "mAx0", "Cm2/100 Cr2/100", "yes 3"),
		ASK(0, "pBx1", "Cm2/100 Cr2/100", "yes 3"),
		ASK(0, "pCx1", "Cm2/100", "no 0 wait 50000")}},
	{"another message's note stands for that message only", {
		ASK(0, "pAx1", "Cm2/100", "yes 1"),
		ASK(0, "pAx2", "Cr2/100", "yes 1"),
		ASK(0, "mAx0", "Cm2/100 Cr2/100", "yes 3"),
		ASK(0, "pBx1", "Cr2/100", "yes 1"),
		ASK(0, "pCx1", "Cm2/100", "no 0 wait 50000")}},
	{"slots alone leave no note", {
		ASK(0, "pAx1", "Dl1", "yes 1 held 1"),
		ASK(0, "mAx0", "Cm1/100", "yes 1"),
		ASK(0, "pBx1", "Cm1/100", "no 0 wait 100000")}},
	{"a refused question leaves no note", {
		ASK(0, "pBx1", "Cm1/100", "yes 1"),
		ASK(0, "pAx1", "Cm1/100", "no 0 wait 100000"),
		ASK(0, "mAx0", "Cm1/100", "no 0 wait 100000")}},

	{"refused at the milter: policyd's slot and tokens come back", {
		ASK(0, "mB", "Sl1", "yes 1 held 1"),
		ASK(0, "pAx1", "Dl1 Cm1/100 Cr1/100", "yes 7 held 1"),
		ASK(0, "mAx0", "Dl1 Cm1/100 Cr1/100 Sl1", "no 3 held 1"),
		ROWS("Dl1", "0"),
		ASK(0, "pCx1", "Dl1 Cm1/100 Cr1/100", "yes 7 held 1")}},
	{"refused at the milter: the note is gone, too", {
		ASK(0, "mB", "Sl1", "yes 1 held 1"),
		ASK(0, "pAx1", "Cm1/100", "yes 1"),
		ASK(0, "mAx0", "Cm1/100 Sl1", "no 1 held 1"),
		ASK(0, "pCx1", "Cm1/100", "yes 1"),
		ASK(0, "mAx0", "Cm1/100", "no 0 wait 100000")}},
	{"refused at the milter without a note: no token comes back", {
		ASK(0, "mB", "Sl1", "yes 1 held 1"),
		ASK(0, "pDx1", "Cm1/100", "yes 1"),
		ASK(0, "mAx0", "Sl1 Cm1/100", "no 0 held 1"),
		ASK(0, "pCx1", "Cm1/100", "no 0 wait 100000")}},
	{"refused at the milter: what policyd did not take does not come back", {
		ASK(0, "pBx1", "Dm1/100", "yes 1"),
		ASK(0, "pAx1", "Cm1/100", "yes 1"),
		ASK(0, "mAx0", "Cm1/100 Dm1/100", "no 1 wait 100000"),
		ASK(0, "pCx1", "Dm1/100", "no 0 wait 100000"),
		ASK(0, "pDx1", "Cm1/100", "yes 1")}},
	{"refused at the milter: what it holds itself stays", {
		ASK(0, "mB", "Sl1", "yes 1 held 1"),
		ASK(0, "mA", "Dl1", "yes 1 held 1"),
		ASK(0, "mAx0", "Dl1 Sl1", "no 1 held 1"),
		FORCE(0, "Dl1", "1")}},
	{"refused at policyd: what it has stays", {
		ASK(0, "mB", "Sl1", "yes 1 held 1"),
		ASK(0, "pAx1", "Dl1 Cm1/100", "yes 3 held 1"),
		ASK(0, "pAx1", "Dl1 Cm1/100 Sl1", "no 2 held 1"),
		FORCE(0, "Dl1", "1"),
		ASK(0, "mAx0", "Dl1 Cm1/100", "yes 3 held 1")}},

	{"refused by the MTA: policyd's slot and tokens come back", {
		ASK(0, "pAx1", "Dl1 Cm1/100 Cr1/100", "yes 7 held 1"),
		REFUSED(0, "mAx0", "Dl1 Cm1/100 Cr1/100"),
		ROWS("Dl1", "0"),
		ASK(0, "pBx1", "Dl1 Cm1/100 Cr1/100", "yes 7 held 1"),
		REFUSED(0, "mAx0", "Dl1 Cm1/100 Cr1/100"),
		ASK(0, "pCx1", "Cm1/100", "no 0 wait 100000")}},
	{"refused by the MTA: what the milter holds stays", {
		ASK(0, "mA", "Dl1", "yes 1 held 1"),
		REFUSED(0, "mA", "Dl1"),
		FORCE(0, "Dl1", "1")}},
	{"refused by the MTA: what nobody took does not come back", {
		ASK(0, "pBx1", "Cm1/100", "yes 1"),
		REFUSED(0, "mAx0", "Cm1/100"),
		ASK(0, "pCx1", "Cm1/100", "no 0 wait 100000")}},
	{"refused by the MTA: nor what an observed rate had no room for", {
		ASK(0, "pBx1", "Cm1/100", "yes 1"),
		ASK(0, "pAx1", "Cm1/100? Cr1/100", "yes 2 would 0"),
		REFUSED(0, "mAx0", "Cm1/100? Cr1/100"),
		ASK(0, "pCx1", "Cm1/100", "no 0 wait 100000"),
		ASK(0, "pDx1", "Cr1/100", "yes 1")}},
	{"refused by the MTA after the note ran out", {
		ASK(0, "pAx1", "Cm1/100", "yes 1"),
		REFUSED(20000, "mAx0", "Cm1/100"),
		ASK(20000, "pCx1", "Cm1/100", "no 0 wait 80000")}},

	{"tokens are given back", {
		ASK(0, "pAx1", "Cm2/100", "yes 1"),
		ASK(0, "pBx1", "Cm2/100", "yes 1"),
		BACK(0, "pAx1", "Cm2/100"),
		ASK(0, "pCx1", "Cm2/100", "yes 1"),
		ASK(0, "pDx1", "Cm2/100", "no 0 wait 50000")}},
	{"more given back than taken is no more than the burst", {
		BACK(0, "pAx1", "Cm2/100"),
		ASK(0, "pAx1", "Cm2/100", "yes 1"),
		BACK(0, "pAx1", "Cm2/100"),
		BACK(0, "pAx1", "Cm2/100"),
		BACK(0, "pAx1", "Cm2/100"),
		ASK(0, "pBx1", "Cm2/100", "yes 1"),
		ASK(0, "pCx1", "Cm2/100", "yes 1"),
		ASK(0, "pDx1", "Cm2/100", "no 0 wait 50000")}},
	{"slot and token together", {
		ASK(0, "pAx1", "Dl1 Cm1/100", "yes 3 held 1"),
		BACK(0, "pAx1", "Dl1 Cm1/100"),
		ASK(0, "pBx1", "Dl1 Cm1/100", "yes 3 held 1")}},
	{"a token given back takes its note along", {
		ASK(0, "pAx1", "Cm2/100", "yes 1"),
		BACK(0, "pAx1", "Cm2/100"),
		ASK(0, "mAx0", "Cm2/100", "yes 1"),
		ASK(0, "pBx1", "Cm2/100", "yes 1"),
		ASK(0, "pCx1", "Cm2/100", "no 0 wait 50000")}},
	{"given up: the note returns what policyd took", {
		ASK(0, "pAx1", "Cm1/100 Dr2/100", "yes 3"),
		RETURN(1, "pAx1", "Cm1/100 Dr2/100"),
		ASK(1, "pBx1", "Cm1/100 Dr2/100", "yes 3"),
		ASK(1, "pCx1", "Dr2/100", "yes 1"),
		ASK(1, "pDx1", "Dr2/100", "no 0 wait 50000")}},
	{"given up: nothing is returned twice", {
		ASK(0, "pAx1", "Cm2/100", "yes 1"),
		ASK(0, "pBx1", "Cm2/100", "yes 1"),
		RETURN(0, "pAx1", "Cm2/100"),
		RETURN(0, "pAx1", "Cm2/100"),
		ASK(0, "pCx1", "Cm2/100", "yes 1"),
		ASK(0, "pDx1", "Cm2/100", "no 0 wait 50000")}},
	{"given up: what the milter has taken over is the milter's", {
		ASK(0, "pAx1", "Cm1/100", "yes 1"),
		ASK(0, "mAx0", "Cm1/100", "yes 1"),
		RETURN(0, "pAx1", "Cm1/100"),
		ASK(0, "pBx1", "Cm1/100", "no 0 wait 100000"),
		BACK(0, "mAx0", "Cm1/100"),
		ASK(0, "pBx1", "Cm1/100", "yes 1")}},
	{"given up: what was given back for a refused recipient is not returned", {
		ASK(0, "pAx1", "Cm2/100", "yes 1"),
		ASK(0, "pBx1", "Cm2/100", "yes 1"),
		REFUSED(0, "mAx0", "Cm2/100"),
		RETURN(0, "pAx1", "Cm2/100"),
		ASK(0, "pCx1", "Cm2/100", "yes 1"),
		ASK(0, "pDx1", "Cm2/100", "no 0 wait 50000")}},
	{"given up: the next message's note stays", {
		ASK(0, "pAx1", "Cm2/100", "yes 1"),
		ASK(0, "pAx2", "Cm2/100", "yes 1"),
		RETURN(0, "pAx1", "Cm2/100"),
		ASK(0, "mAx0", "Cm2/100", "yes 1"),
		ASK(0, "pBx1", "Cm2/100", "no 0 wait 50000")}},
	{"given up: what was refused is not returned", {
		ASK(0, "pBx1", "Cm1/100", "yes 1"),
		ASK(0, "pAx1", "Cm1/100", "no 0 wait 100000"),
		RETURN(0, "pAx1", "Cm1/100"),
		ASK(0, "pCx1", "Cm1/100", "no 0 wait 100000")}},
	{"given up behind the rate's time, it gives nobody more", {
		ASK(0, "pAx1", "Cm2/1", "yes 1"),
		RETURN(10000, "pAx1", "Cm2/1"),
		ASK(10000, "pBx1", "Cm2/1", "yes 1"),
		ASK(10000, "pCx1", "Cm2/1", "yes 1"),
		ASK(10000, "pDx1", "Cm2/1", "no 0 wait 500")}},
	{"a token of another time is given back to nobody", {
		ASK(0, "pAx1", "Cm1/100", "yes 1"),
		BACK(-200000, "pAx1", "Cm1/100"),
		ASK(-200000, "pBx1", "Cm1/100", "yes 1"),
		ASK(-200000, "pCx1", "Cm1/100", "no 0 wait 100000")}},
	{"what came back is not there after the clock was set back", {
		ASK(0, "pAx1", "Cm1/100", "yes 1"),
		BACK(50000, "pAx1", "Cm1/100"),
		ASK(-90000, "pBx1", "Cm1/100", "yes 1")}},

	{"a renewal extends the lease", {
		ASK(0, "mA", "Dl1", "yes 1 held 1"),
		RENEW(30000, "mA", "Dl1", "kept"),
		ASK(89999, "mB", "Dl1", "no 0 held 1"),
		ASK(90000, "mB", "Dl1", "yes 1 held 1")}},
	{"in the last millisecond", {
		ASK(0, "mA", "Dl1", "yes 1 held 1"),
		RENEW(59999, "mA", "Dl1", "kept"),
		FORCE(60000, "Dl1", "1")}},
	{"when it has run out, it is taken again", {
		ASK(0, "mA", "Dl1", "yes 1 held 1"),
		RENEW(60000, "mA", "Dl1", "late"),
		FORCE(60000, "Dl1", "1"),
		ROWS("Dl1", "1")}},
	{"unless there is no room", {
		ASK(0, "mA", "Dl1", "yes 1 held 1"),
		ASK(60000, "mB", "Dl1", "yes 1 held 1"),
		RENEW(60000, "mA", "Dl1", "lost"),
		FORCE(60000, "Dl1", "1"),
		BACK(60000, "mB", "Dl1"),
		RENEW(60000, "mA", "Dl1", "late")}},
	{"each of several for itself", {
		ASK(0, "mA", "Dl1 Cl1 Sl1", "yes 7 held 1"),
		RENEW(30000, "mA", "Cl1", "kept"),
		ASK(60000, "mB", "Dl1", "yes 1 held 1"),
		RENEW(60000, "mA", "Dl1 Cl1 Sl1", "late lost"),
		FORCE(60000, "Dl1", "1"),
		FORCE(60000, "Cl1", "1"),
		FORCE(60000, "Sl1", "1")}},
	{"a renewal replaces policyd's name", {
		ASK(0, "pA", "Dl1", "yes 1 held 1"),
		RENEW(10, "mA", "Dl1", "kept"),
		ROWS("Dl1", "1"),
		BACK(10, "pA", "Dl1"),
		FORCE(20001, "Dl1", "1")}},
	{"a renewal does not mind a lowered limit", {
		ASK(0, "mA", "Dl2", "yes 1 held 1"),
		ASK(0, "mB", "Dl2", "yes 1 held 2"),
		RENEW(1, "mA", "Dl1", "kept"),
		RENEW(1, "mB", "Dl1", "kept"),
		FORCE(1, "Dl1", "2"),
		RENEW(60001, "mA", "Dl1", "late"),
		RENEW(60001, "mB", "Dl1", "lost")}},
	{"a renewal after the clock was set back", {
		ASK(0, "mA", "Dl1", "yes 1 held 1"),
		RENEW(-3600000, "mA", "Dl1", "late"),
		ASK(-3600000, "mB", "Dl1", "no 0 held 1"),
		ROWS("Dl1", "1")}},
	{"a renewal does not wake the dead", {
		ASK(0, "mA", "Dl3", "yes 1 held 1"),
		ASK(30000, "mB", "Dl3", "yes 1 held 2"),
		RENEW(60000, "mB", "Dl3", "kept"),
		FORCE(60000, "Dl3", "1"),
		RENEW(90000, "mA", "Dl3", "late"),
		FORCE(90000, "Dl3", "2"),
		RENEW(180000, "mA", "Dl3", "late"),
		ROWS("Dl3", "1")}},

	{"a burst below the count", {
		ASK(0, "pAx1", "Cm10/100b2", "yes 1"),
		ASK(0, "pBx1", "Cm10/100b2", "yes 1"),
		ASK(0, "pCx1", "Cm10/100b2", "no 0 wait 10000"),
		ASK(9999, "pCx1", "Cm10/100b2", "no 0 wait 1"),
		ASK(10000, "pCx1", "Cm10/100b2", "yes 1"),
		ASK(10000, "pDx1", "Cm10/100b2", "no 0 wait 10000"),
		BACK(10000, "pCx1", "Cm10/100b2"),
		ASK(10000, "pDx1", "Cm10/100b2", "yes 1")}},
	{"a burst above the count", {
		ASK(0, "pAx1", "Cm1/100b2", "yes 1"),
		ASK(0, "pBx1", "Cm1/100b2", "yes 1"),
		ASK(0, "pCx1", "Cm1/100b2", "no 0 wait 100000")}},
	{"four weeks", {
		ASK(0, "pAx1", "Um1/2419200", "yes 1"),
		ASK(1, "pBx1", "Um1/2419200", "no 0 wait 2419199999")}},
	{"windows: the one that is over refuses", {
		ASK(0, "pAx1", "Um3/1000 Um2/60#1", "yes 3"),
		ASK(0, "pBx1", "Um3/1000 Um2/60#1", "yes 3"),
		ASK(0, "pCx1", "Um3/1000 Um2/60#1", "no 1 wait 30000"),
		ASK(60000, "pCx1", "Um3/1000 Um2/60#1", "yes 3"),
		ASK(120000, "pDx1", "Um3/1000 Um2/60#1", "no 0 wait 213334")}},
	{"windows: what one refuses takes nothing of the others", {
		ASK(0, "pAx1", "Um2/1000 Um1/60#1", "yes 3"),
		ASK(0, "pBx1", "Um2/1000 Um1/60#1", "no 1 wait 60000"),
		ASK(0, "pBx1", "Um2/1000 Um1/60#1", "no 1 wait 60000"),
		ASK(60000, "pBx1", "Um2/1000 Um1/60#1", "yes 3")}},
	{"windows: each is noted for itself", {
		ASK(0, "pAx1", "Um9/1000 Um2/60#1 Um1/10#3 Sr5/70#2", "yes f"),
		ASK(1, "mAx", "Um9/1000 Um2/60#1 Um1/10#3 Sr5/70#2", "yes f"),
		ASK(1, "mBx", "Um9/1000 Um1/10#3", "no 1 wait 9999"),
		ASK(2, "mBx", "Um9/1000 Um2/60#1", "yes 3"),
		ASK(3, "mCx", "Um9/1000 Um2/60#1", "no 1 wait 29997")}},
	{"windows: what policyd took is given back when the MTA refuses", {
		ASK(0, "pAx1", "Um1/1000 Um1/60#3", "yes 3"),
		REFUSED(1, "mAx", "Um1/1000 Um1/60#3"),
		ASK(2, "pBx1", "Um1/1000 Um1/60#3", "yes 3")}},

	{"observed: slots never refuse", {
		ASK(0, "mA", "Dl1?", "yes 1 held 1"),
		ASK(0, "mB", "Dl1?", "yes 0 would 0 held 1"),
		ROWS("Dl1", "1"),
		ASK(0, "mA", "Dl1?", "yes 1 held 1"),
		BACK(0, "mA", "Dl1?"),
		ASK(0, "mB", "Dl1?", "yes 1 held 1")}},
	{"observed: rates never refuse", {
		ASK(0, "pAx1", "Cm1/100?", "yes 1"),
		ASK(0, "pBx1", "Cm1/100?", "yes 0 would 0"),
		ASK(99999, "pCx1", "Cm1/100?", "yes 0 would 0"),
		ASK(100000, "pDx1", "Cm1/100?", "yes 1")}},
	{"observed: the first one is named", {
		ASK(0, "mA", "Dl1 Cl1", "yes 3 held 1"),
		ASK(0, "mB", "Sl1 Dl1? Cl1?", "yes 1 would 1 held 1"),
		ASK(0, "mC", "Cl1? Dl1?", "yes 0 would 0 held 1")}},
	{"observed: the one that refuses is named", {
		ASK(0, "mA", "Dl1 Cl1", "yes 3 held 1"),
		ASK(0, "mB", "Dl1? Cl1", "no 1 held 1"),
		ASK(0, "mB", "Cl1 Dl1?", "no 0 held 1")}},
	{"observed: what has room is taken", {
		ASK(0, "mA", "Dl1", "yes 1 held 1"),
		ASK(0, "mB", "Dl1? Cl2 Cm1/100", "yes 6 would 0 held 1"),
		FORCE(0, "Cl2", "1"),
		ASK(0, "mC", "Cl2 Cm1/100?", "yes 1 would 1 held 2")}},
	{"observed: no wait for another's rate", {
		ASK(0, "pAx1", "Cm1/100 Dl1", "yes 3 held 1"),
		ASK(0, "pBx1", "Cm1/100? Dl1", "no 1 held 1"),
		ASK(0, "pBx2", "Cm1/100? Cl1", "yes 2 would 0 held 1")}},

	{"a limit is lowered", {
		ASK(0, "mA", "Dl3", "yes 1 held 1"),
		ASK(0, "mB", "Dl3", "yes 1 held 2"),
		ASK(0, "mC", "Dl3", "yes 1 held 3"),
		ASK(0, "mD", "Dl2", "no 0 held 3"),
		ASK(0, "mA", "Dl2", "yes 1 held 3"),
		BACK(0, "mA", "Dl2"),
		ASK(0, "mD", "Dl2", "no 0 held 2"),
		BACK(0, "mB", "Dl2"),
		ASK(0, "mD", "Dl2", "yes 1 held 2")}},
	{"a limit is raised", {
		ASK(0, "mA", "Dl1", "yes 1 held 1"),
		ASK(0, "mB", "Dl1", "no 0 held 1"),
		ASK(0, "mB", "Dl2", "yes 1 held 2")}},
	{"a rate is lowered", {
		ASK(0, "pAx1", "Cm4/100", "yes 1"),
		ASK(0, "pBx1", "Cm4/100", "yes 1"),
		ASK(0, "pCx1", "Cm4/100", "yes 1"),
		ASK(0, "pDx1", "Cm4/100", "yes 1"),
		ASK(0, "pEx1", "Cm2/100", "no 0 wait 50000"),
		ASK(50000, "pEx1", "Cm2/100", "yes 1")}},
	{"a rate is raised", {
		ASK(0, "pAx1", "Cm2/100", "yes 1"),
		ASK(0, "pBx1", "Cm2/100", "yes 1"),
		ASK(0, "pCx1", "Cm4/100", "no 0 wait 25000"),
		ASK(0, "pCx1", "Cm200/100", "no 0 wait 500"),
		ASK(0, "pCx1", "Cm400/100", "no 0 wait 250"),
		ASK(0, "pCx1", "Cm10/10", "yes 1"),
		ASK(0, "pDx1", "Cm10/10", "yes 1")}},
	{"what a slower rate left counts as far as its burst goes", {
		ASK(0, "pAx1", "Cm2/100", "yes 1"),
		ASK(0, "pBx1", "Cm2/100", "yes 1"),
		ASK(0, "pCx1", "Cm1/50", "no 0 wait 100000"),
		ASK(0, "pCx1", "Cm1/49", "yes 1")}},
	{"the clock was set back: a rate is full for a while at most", {
		ASK(0, "pAx1", "Cm2/10", "yes 1"),
		ASK(0, "pBx1", "Cm2/10", "yes 1"),
		ASK(-5000, "pCx1", "Cm2/10", "no 0 wait 10000"),
		ASK(-5001, "pCx1", "Cm2/10", "yes 1"),
		ASK(-5001, "pDx1", "Cm2/10", "yes 1"),
		ASK(-5001, "pEx1", "Cm2/10", "no 0 wait 5000")}},
	{"a rate of many a second", {
		ASK(0, "pAx1", "Cm100000/1", "yes 1"),
		ASK(0, "pBx1", "Cm1000000/1", "yes 1")}},
};

/* clang-format on */

static struct ask
ask_of(enum ask_kind kind, int64_t at_ms, const char *who, const char *uses)
{
	struct ask ask = {.kind = kind};
	struct limits_ask *limits = &ask.limits;
	bool milter = who[0] == 'm';
	snprintf(limits->holder, sizeof(limits->holder), "%c/mx1/%c", who[0], who[1]);
	snprintf(limits->other, sizeof(limits->other), "%c/mx1/%c", milter ? 'p' : 'm',
	         who[1]);
	limits->takes_over = milter;
	limits->ttl_ms = milter ? TTL_MS : HOLD_MS;
	limits->ttl_max_ms = TTL_MS;
	limits->now_ms = T0 + at_ms;
	if (who[2]) {
		limits->note = fixture_key('n', (unsigned)who[1] << 8 | (unsigned)who[2]);
		limits->message = who[3] ? (uint64_t)(who[3] - '0') : 0;
	}
	fixture_uses(uses, limits);
	return ask;
}

static void
print_renewal(const struct limits_result *result, struct text *out)
{
	text_puts(out, result->late ? "late" : "");
	text_puts(out, result->late && result->lost ? " " : "");
	text_puts(out, result->lost ? "lost" : "");
	text_puts(out, !result->late && !result->lost ? "kept" : "");
}

/* Asks, or looks, and says what came out. */
static void
do_step(struct store_fixture *fixture, const struct step *step, struct text *out)
{
	static const enum ask_kind kinds[] = {
		[STEP_ASK] = ASK_LIMITS,     [STEP_RENEW] = ASK_RENEW,
		[STEP_BACK] = ASK_GIVE_BACK, [STEP_REFUSED] = ASK_REFUSED,
		[STEP_RETURN] = ASK_RETURN,  [STEP_FORCE] = ASK_LIMITS,
		[STEP_ROWS] = ASK_LIMITS,
	};
	struct ask ask = ask_of(kinds[step->kind], step->at_ms, step->who, step->uses);
	if (step->kind == STEP_FORCE || step->kind == STEP_ROWS) {
		bool all = step->kind == STEP_ROWS;
		int64_t from_ms = all ? 0 : ask.limits.now_ms;
		int64_t to_ms = all ? EVER : ask.limits.now_ms + TTL_MS;
		text_int(out, place_leases(&fixture->place, &ask.limits.uses[0].key,
		                           from_ms, to_ms));
		return;
	}
	struct answer got = ask_and_wait(fixture, &ask);
	if (got.status != STORE_OK)
		text_printf(out, "store %s", store_status_word(got.status));
	else if (step->kind == STEP_ASK)
		fixture_put_limits(&got.limits, out);
	else if (step->kind == STEP_RENEW)
		print_renewal(&got.limits, out);
}

static void
run_case(const struct test_case *c, int backend)
{
	struct store_place place = place_on(backend);
	struct store_fixture fixture;
	fixture_open(&fixture, &place, NULL);
	for (size_t i = 0; i < STEPS_MAX && c->steps[i].kind != STEP_END; i++) {
		const struct step *step = &c->steps[i];
		char buf[TEXT_MAX] = "";
		struct text got = TEXT(buf);
		do_step(&fixture, step, &got);
		ck_assert_msg(strcmp(buf, step->want) == 0,
		              "%s: step %zu (%s %s): got \"%s\", want \"%s\"", c->row,
		              i + 1, step->who, step->uses, buf, step->want);
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

/* ---- what no table tells; each on SQLite (0) and on Redis (1) ---- */

static void
wants(struct store_fixture *fixture, const char *what, int64_t at_ms, const char *who,
      const char *uses, const char *want)
{
	const struct step step = {STEP_ASK, at_ms, who, uses, want};
	char buf[TEXT_MAX] = "";
	struct text got = TEXT(buf);
	do_step(fixture, &step, &got);
	ck_assert_msg(strcmp(buf, want) == 0, "%s: got \"%s\", want \"%s\"", what, buf,
	              want);
}

static int64_t
rows(const struct store_place *place, const char *use)
{
	struct limit_use parsed = fixture_use(slice_of(use));
	return place_leases(place, &parsed.key, 0, EVER);
}

static void
open_fresh(struct store_fixture *fixture, int backend)
{
	struct store_place place = place_on(backend);
	fixture_open(fixture, &place, NULL);
}

/* Many of one turn share a transaction, or a pipeline: in their order. */
START_TEST(one_turn_keeps_the_order)
{
	static struct question questions[TIMES_MANY];
	struct store_fixture fixture;
	open_fresh(&fixture, _i);
	for (size_t i = 0; i < TIMES_MANY; i++) {
		const char who[] = {'m', (char)('a' + i), 'x', '0', '\0'};
		questions[i] = (struct question){
			.ask = ask_of(ASK_LIMITS, 0, who, "Dl7 Cm5/100?")};
	}
	ask_all(&fixture, questions, TIMES_MANY);
	for (size_t i = 0; i < TIMES_MANY; i++) {
		const struct limits_result *got = &questions[i].answer.limits;
		ck_assert_msg(questions[i].answer.status == STORE_OK &&
		                      got->granted == (i < 7) &&
		                      got->taken == (i < 5   ? 3U
		                                     : i < 7 ? 1U
		                                             : 0U),
		              "question %zu: granted %d, taken %llx", i, got->granted,
		              (unsigned long long)got->taken);
	}
	ck_assert_int_eq(rows(&fixture.place, "Dl7"), 7);
	fixture_close(&fixture);
}

END_TEST

/* now_ms 0: a lease holds by the store's clock, which the test can only outwait. */
START_TEST(the_stores_own_clock)
{
	struct store_fixture fixture;
	open_fresh(&fixture, _i);
	struct question first = {.ask = ask_of(ASK_LIMITS, -T0, "mA", "Dl1")};
	struct question other = {.ask = ask_of(ASK_LIMITS, -T0, "mB", "Dl1")};
	first.ask.limits.ttl_ms = 100;
	ask_all(&fixture, &first, 1);
	ck_assert(first.answer.limits.granted);
	do {
		ask_all(&fixture, &other, 1);
		ck_assert_int_eq(other.answer.status, STORE_OK);
	} while (!other.answer.limits.granted);
	int64_t took_ms = other.asked_ms + other.took_ms - first.asked_ms;
	ck_assert_msg(took_ms >= 99, "free after %lld ms", (long long)took_ms);
	fixture_close(&fixture);
}

END_TEST

/* Abandons the question before its answer; its tokens are back before the next one is asked. */
static void
ask_and_abandon(struct store_fixture *fixture, const char *who, const char *uses)
{
	struct question question = {.ask = ask_of(ASK_LIMITS, 0, who, uses)};
	fixture_run_ms(fixture, 0);
	ask_begin(fixture, &question);
	store_abandon(&question.job);
	fixture->unanswered--;
	wants(fixture, "asked after it", 0, "mZ", "Ul9", "yes 1 held 1");
	ck_assert_uint_eq(question.answers, 0);
}

/* A slot stays with the holder, who may have been granted it by another question since. */
START_TEST(an_abandoned_question_gives_its_tokens_back)
{
	struct store_fixture fixture;
	open_fresh(&fixture, _i);
	ask_and_abandon(&fixture, "pAx1", "Dl1 Cm1/100 Cr1/100");
	wants(&fixture, "its tokens are back", 0, "pBx1", "Cm1/100 Cr1/100", "yes 3");
	wants(&fixture, "its note is gone", 0, "mAx0", "Cm1/100", "no 0 wait 100000");
	wants(&fixture, "its slot is not", 0, "mB", "Dl1", "no 0 held 1");
	struct ask back = ask_of(ASK_GIVE_BACK, 0, "pA", "Dl1");
	store_tell(fixture.store, &back);
	wants(&fixture, "now it is", 0, "mB", "Dl1", "yes 1 held 1");
	fixture_close(&fixture);
}

END_TEST

START_TEST(an_abandoned_question_gives_back_only_what_it_took)
{
	struct store_fixture fixture;
	open_fresh(&fixture, _i);
	wants(&fixture, "a slot", 0, "mB", "Dl1", "yes 1 held 1");
	wants(&fixture, "a token", 0, "pBx1", "Cm1/100", "yes 1");
	ask_and_abandon(&fixture, "mA", "Dl1 Cr1/100"); /* refused */
	ask_and_abandon(&fixture, "pAx1", "Dl1? Cm1/100?");
	wants(&fixture, "the token stays", 0, "pCx1", "Cm1/100", "no 0 wait 100000");
	ck_assert_int_eq(rows(&fixture.place, "Dl1"), 1);
	fixture_close(&fixture);
}

END_TEST

/* What was granted while the store is closed is given back before its file is. */
START_TEST(an_abandoned_question_at_the_end)
{
	struct question question = {.ask = ask_of(ASK_LIMITS, 0, "pAx1", "Cm1/100")};
	struct store_fixture fixture;
	open_fresh(&fixture, BACKEND_EMBEDDED);
	struct store_place place = fixture.place;
	ask_begin(&fixture, &question);
	store_abandon(&question.job);
	fixture_close(&fixture);
	fixture_open(&fixture, &place, NULL);
	wants(&fixture, "the token is back", 0, "pBx1", "Cm1/100", "yes 1");
	fixture_close(&fixture);
}

END_TEST

START_TEST(a_start_forgets_its_earlier_life)
{
	static const char *const holders[] = {
		"m/mx1/192.0.2.1:1", "m/mx1/-:7", "m/mx10/a", "p/mx1/a", "m/mx",
		"M/mx1/a",           "m/mx1_/a"};
	struct store_fixture fixture;
	open_fresh(&fixture, _i);
	struct store_place place = fixture.place;
	fixture_close(&fixture);
	fixture_open_as(&fixture, &place, "m/mx1/", NULL); /* begins the term */
	wants(&fixture, "of another", 0, "mZ", "Ul9", "yes 1 held 1");
	fixture_close(&fixture);
	fixture_open(&fixture, &place, NULL);
	for (size_t i = 0; i < COUNT_OF(holders); i++) {
		struct ask ask = ask_of(ASK_LIMITS, 0, "mA", "Dl9 Cl9");
		snprintf(ask.limits.holder, sizeof(ask.limits.holder), "%s", holders[i]);
		snprintf(ask.limits.other, sizeof(ask.limits.other), "none");
		ck_assert(ask_and_wait(&fixture, &ask).limits.granted);
	}
	fixture_close(&fixture);
	ck_assert_int_eq(rows(&place, "Dl9"), 7);
	fixture_open(&fixture, &place, NULL);
	ck_assert_int_eq(rows(&place, "Dl9"), 7);
	fixture_close(&fixture);

	fixture_open_as(&fixture, &place, "m/mx1/", NULL);
	wants(&fixture, "the first question", 0, "mZ", "Dl9", "yes 1 held 6");
	ck_assert_int_eq(rows(&place, "Dl9"), 6);
	ck_assert_int_eq(rows(&place, "Cl9"), 5);
	fixture_close(&fixture);
}

END_TEST

/* Given back while the connection is away: done before the first question of the next one. */
START_TEST(given_back_while_redis_is_away)
{
	struct store_fixture fixture;
	open_fresh(&fixture, BACKEND_REDIS);
	wants(&fixture, "a slot", 0, "mA", "Dl1", "yes 1 held 1");
	redis_server_do(shared_redis(), "CLIENT KILL TYPE normal");
	struct ask back = ask_of(ASK_GIVE_BACK, 0, "mA", "Dl1");
	store_tell(fixture.store, &back); /* is lost with the connection */
	wants(&fixture, "the first question", 0, "mB", "Dl1", "yes 1 held 1");
	fixture_close(&fixture);
}

END_TEST

/* A start forgets before the first question, a lost connection does not. */
START_TEST(a_lost_connection_forgets_nothing)
{
	struct store_fixture fixture;
	struct store_place place = place_on(BACKEND_REDIS);
	fixture_open_as(&fixture, &place, "m/mx1/", NULL);
	wants(&fixture, "before", 0, "mA", "Dl9", "yes 1 held 1");
	redis_server_do(shared_redis(), "CLIENT KILL TYPE normal");
	wants(&fixture, "after", 0, "mB", "Dl9", "yes 1 held 2");
	fixture_close(&fixture);
}

END_TEST

/* ---- SQLite's file ---- */

START_TEST(a_database_from_before_there_were_limits)
{
	static const struct grey_rules rules = {180, 86400, 35 * 86400, 1};
	struct store_fixture fixture;
	open_fresh(&fixture, BACKEND_EMBEDDED);
	struct store_place place = fixture.place;
	struct ask ask = fixture_ask(1, 1, &rules, FIXTURE_T0_S);
	ask_wants(&fixture, "new", &ask, STORE_OK, GREY_IS_NEW);
	fixture_close(&fixture);
	place_sql(&place, "DROP TABLE note");
	place_sql(&place, "DROP TABLE rate");
	place_sql(&place, "DROP TABLE lease");
	place_sql(&place, "DELETE FROM meta WHERE name = 'boot'");

	fixture_open(&fixture, &place, NULL);
	ask_wants(&fixture, "what was there stays", &ask, STORE_OK, GREY_IS_EARLY);
	wants(&fixture, "limits", 0, "pAx1", "Dl1 Cm1/100", "yes 3 held 1");
	wants(&fixture, "limits", 0, "pBx1", "Cm1/100 Dl1", "no 0 wait 100000");
	wants(&fixture, "notes", 0, "mAx0", "Dl1 Cm1/100", "yes 3 held 1");
	fixture_close(&fixture);
}

END_TEST

START_TEST(leases_of_another_boot_are_void)
{
	static const char boots[] = "SELECT count(*) FROM meta WHERE name = 'boot' AND "
				    "length(value) = 36";
	struct store_fixture fixture;
	open_fresh(&fixture, BACKEND_EMBEDDED);
	struct store_place place = fixture.place;
	wants(&fixture, "a lease", 0, "mA", "Dl1", "yes 1 held 1");
	fixture_close(&fixture);
	fixture_open(&fixture, &place, NULL);
	ck_assert_int_eq(rows(&place, "Dl1"), 1);
	fixture_close(&fixture);
	ck_assert_int_eq(place_sql(&place, boots), 1);

	place_sql(&place, "UPDATE meta SET value = 'another' WHERE name = 'boot'");
	fixture_open(&fixture, &place, NULL);
	ck_assert_int_eq(rows(&place, "Dl1"), 0);
	ck_assert_int_eq(place_sql(&place, boots), 1);
	wants(&fixture, "free", 0, "mB", "Dl1", "yes 1 held 1");
	fixture_close(&fixture);
	fixture_open(&fixture, &place, NULL);
	ck_assert_int_eq(rows(&place, "Dl1"), 1);
	fixture_close(&fixture);
}

END_TEST

/* ---- what is in Redis ---- */

/* Commands with %s where the name of the key belongs. */
static void
redis_plant(const struct store_place *place, char kind, const struct key *key,
            const char *before, const char *behind)
{
	char buf[512];
	struct text text = TEXT(buf);
	text_puts(&text, before);
	if (key)
		place_key_name(place, kind, key, &text);
	else
		text_printf(&text, "%sleases", place->text);
	text_puts(&text, behind);
	redis_server_do(shared_redis(), buf);
}

/* clang-format off */
static const struct bad_row {
	const char *row;
	char kind; /* of the key; 0: the index */
	const char *before, *behind;
	enum store_status status;
	const char *want; /* when the status is STORE_OK */
} bad_rows[] = {
	{"leases are a text", 'l', "SET ", " 1", STORE_BAD_RECORD, ""},
	{"leases are a list", 'l', "RPUSH ", " 1", STORE_BAD_RECORD, ""},
	{"a rate is a list", 'r', "RPUSH ", " 1", STORE_BAD_RECORD, ""},
	{"a note is a set", 'n', "SADD ", " 1", STORE_BAD_RECORD, ""},
	{"the index is a text", 0, "SET ", " 1", STORE_BAD_RECORD, ""},
	{"a rate is a word", 'r', "SET ", " abc", STORE_OK, "yes 3 held 1"},
	{"a rate is no number", 'r', "SET ", " nan", STORE_OK, "yes 3 held 1"},
	{"a rate is endless", 'r', "SET ", " inf", STORE_OK, "yes 3 held 1"},
	{"a rate is negative", 'r', "SET ", " -1", STORE_OK, "yes 3 held 1"},
	{"a rate is huge", 'r', "SET ", " 99999999999999999999999999", STORE_OK, "yes 3 held 1"},
	{"a note is a word", 'n', "SET ", " abc", STORE_OK, "yes 3 held 1"},
	{"a lease ends never", 'l', "ZADD ", " +inf x", STORE_OK, "yes 3 held 1"},
	{"a lease has ended always", 'l', "ZADD ", " -inf x", STORE_OK, "yes 3 held 1"},
};

/* clang-format on */

static void
plant_bad_record(const struct store_place *place, const struct bad_row *r,
                 const struct limits_ask *ask)
{
	const struct key *key = r->kind == 'l'   ? &ask->uses[0].key
	                        : r->kind == 'r' ? &ask->uses[1].key
	                        : r->kind == 'n' ? &ask->note
	                                         : NULL;
	redis_plant(place, r->kind, key, r->before, r->behind);
}

/* It fails each time, and nothing of it is held. */
static void
stays_bad(struct store_fixture *fixture, const struct bad_row *r, const struct ask *ask)
{
	for (int i = 0; i < TIMES_MANY; i++)
		ck_assert_int_eq(ask_and_wait(fixture, ask).status, r->status);
	if (r->kind != 'l')
		ck_assert_msg(rows(&fixture->place, "Dl1") == 0, "%s: a lease stays",
		              r->row);
}

START_TEST(a_bad_record_fails_its_own_question)
{
	const struct bad_row *r = &bad_rows[_i];
	struct store_fixture fixture;
	open_fresh(&fixture, BACKEND_REDIS);
	struct ask ask = ask_of(ASK_LIMITS, 0, "pAx1", "Dl1 Cm1/100");
	plant_bad_record(&fixture.place, r, &ask.limits);
	struct question questions[] = {
		{.ask = ask},
		{.ask = ask_of(ASK_LIMITS, 0, "pBx1", "Cr1/100")},
	};
	ask_all(&fixture, questions, COUNT_OF(questions));
	const struct answer *got = &questions[0].answer;
	char buf[TEXT_MAX] = "";
	struct text text = TEXT(buf);
	if (got->status == STORE_OK)
		fixture_put_limits(&got->limits, &text);
	ck_assert_msg(got->status == r->status && strcmp(buf, r->want) == 0,
	              "%s: store %s, \"%s\"", r->row, store_status_word(got->status),
	              buf);
	ck_assert_msg(questions[1].answer.status == STORE_OK, "%s: the other: store %s",
	              r->row, store_status_word(questions[1].answer.status));
	if (r->status != STORE_OK)
		stays_bad(&fixture, r, &ask);
	ck_assert_msg(store_is_up(fixture.store), "%s: the store is down", r->row);
	fixture_close(&fixture);
}

END_TEST

/* Nothing stays for ever: neither leases nor their index, neither rates nor notes. */
START_TEST(every_key_expires)
{
	struct store_fixture fixture;
	open_fresh(&fixture, BACKEND_REDIS);
	wants(&fixture, "all kinds", 0, "pAx1", "Dl1 Cm1/100", "yes 3 held 1");
	redisContext *redis = redis_server_connect(shared_redis());
	redisReply *keys = redisCommand(redis, "KEYS %s*", fixture.place.text);
	ck_assert_uint_eq(keys->elements, 5);
	for (size_t i = 0; i < keys->elements; i++) {
		const char *name = keys->element[i]->str;
		redisReply *ttl = redisCommand(redis, "TTL %s", name);
		bool secret = strstr(name, ":secret") != NULL;
		ck_assert_msg(secret ? ttl->integer == -1
		                     : ttl->integer > 0 && ttl->integer <= 120,
		              "%s stays %lld s", name, ttl->integer);
		freeReplyObject(ttl);
	}
	freeReplyObject(keys);
	redisFree(redis);
	fixture_close(&fixture);
}

END_TEST

static void
fill(TCase *tcase)
{
	int stores = both_stores(tcase);
	tcase_add_loop_test(tcase, case_holds_on_sqlite, 0, COUNT_OF(cases));
	tcase_add_loop_test(tcase, one_turn_keeps_the_order, 0, stores);
	tcase_add_loop_test(tcase, the_stores_own_clock, 0, stores);
	tcase_add_loop_test(tcase, an_abandoned_question_gives_its_tokens_back, 0,
	                    stores);
	tcase_add_loop_test(tcase, an_abandoned_question_gives_back_only_what_it_took, 0,
	                    stores);
	tcase_add_test(tcase, an_abandoned_question_at_the_end);
	tcase_add_loop_test(tcase, a_start_forgets_its_earlier_life, 0, stores);
	tcase_add_test(tcase, a_database_from_before_there_were_limits);
	tcase_add_test(tcase, leases_of_another_boot_are_void);
	if (stores <= BACKEND_REDIS)
		return;
	tcase_add_loop_test(tcase, case_holds_on_redis, 0, COUNT_OF(cases));
	tcase_add_test(tcase, a_lost_connection_forgets_nothing);
	tcase_add_test(tcase, given_back_while_redis_is_away);
	tcase_add_loop_test(tcase, a_bad_record_fails_its_own_question, 0,
	                    COUNT_OF(bad_rows));
	tcase_add_test(tcase, every_key_expires);
}

int
main(void)
{
	return harness_run("limit cases", fill);
}
