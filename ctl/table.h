/* table.h - tables for people: columns as wide as what is in them. */
#ifndef WEIR_CTL_TABLE_H
#define WEIR_CTL_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"
#include "view.h"

struct table;

/*
 * A column's heading; one that begins with '=' never gives way, one with '>' does not either, and is
 * set to the right, as numbers are.
 */
struct table *table_new(const struct view *view, const char *const *headings,
                        size_t columns);
void table_free(struct table **table);

/* The next cell, row by row; from anywhere, it is escaped. */
void table_cell(struct table *table, struct slice raw);
void table_styled(struct table *table, struct slice raw, enum style style);
void table_int(struct table *table, int64_t number);

size_t table_rows(const struct table *table);

/*
 * With the headings.  Where the view has a width the widest of the columns that can give way, and
 * what does not fit then is cut.
 */
void table_print(const struct table *table);

#endif
