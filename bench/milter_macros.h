/* The macros that go before a command, as Postfix sends them. */
#ifndef BENCH_MILTER_MACROS_H
#define BENCH_MILTER_MACROS_H

#include "milter_guest.h"
#include "milter_wire.h"

#include <stdbool.h>

enum { MACRO_STAGES = 7, MACRO_LIST_SIZE = 256 };

/* What the milter wants instead of the usual; a list that is empty was asked for so. */
struct macro_lists {
	bool chosen[MACRO_STAGES];
	char names[MACRO_STAGES][MACRO_LIST_SIZE];
};

/* Takes the lists at the end of the answer to the negotiation; false if they are broken. */
bool macro_lists_take(struct macro_lists *lists, struct wire_frame *rest);

/* Stage is one of SMFIM_*.  Macros without a value are left out, as is a frame without
 * macros. */
void macros_put(struct wire_out *out, const struct macro_lists *lists, int stage,
                char command, const struct guest *guest);

#endif
