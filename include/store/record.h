/*
 * record.h - how a greylist record is stored: one integer below 2^53, the same in both
 * stores (Redis' scripts compute in doubles).
 *
 *   bits 49..52 version   46..48 state   12..45 at_s   0..11 count, or the mark
 *
 * A change of layout is a new version; an unknown version is refused, never guessed at.
 */
#ifndef WEIR_RECORD_H
#define WEIR_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "rules/grey.h"

#define RECORD_VERSION 1

/* The last second that a record can hold. */
#define RECORD_AT_MAX ((INT64_C(1) << 34) - 1)

int64_t record_pack(const struct grey_record *rec);

/* False when the value is of an unknown version or state. */
bool record_unpack(int64_t value, struct grey_record *rec_out) MUST_CHECK;

#endif
