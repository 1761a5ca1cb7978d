/*
 * sqlite_check.h - looks through a large database for damage, while it is in use.
 *
 * That takes some seconds for each million of records, and mail does not wait for it.  A damaged
 * page does no harm until then: SQLite checks what it reads of each page and refuses what makes no
 * sense, records carry their version, and a failure is answered by store.on_failure.
 */
#ifndef WEIR_SQLITE_CHECK_H
#define WEIR_SQLITE_CHECK_H

struct sqlite_check;

enum sqlite_checked { CHECK_RUNS, CHECK_GOOD, CHECK_DAMAGED };

/* On a thread and a connection of its own. */
struct sqlite_check *sqlite_check_start(const char *db_path);
enum sqlite_checked sqlite_check_result(struct sqlite_check *check);

/* Also before it is done. */
void sqlite_check_stop(struct sqlite_check **check);

#endif
