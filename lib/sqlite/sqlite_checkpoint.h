/*
 * sqlite_checkpoint.h - moves the write-ahead log into the database beside the path.
 *
 * A thread with a connection of its own does the bulk, while the database thread goes on
 * answering; what was added meanwhile is little, and left to the database thread.
 */
#ifndef WEIR_SQLITE_CHECKPOINT_H
#define WEIR_SQLITE_CHECKPOINT_H

#include <stdbool.h>

struct checkpointer;

struct checkpointer *checkpointer_start(const char *db_path);

/* Ends the thread when it is done with what it does. */
void checkpointer_stop(struct checkpointer **checkpointer);

/* Asks for the bulk to be moved; nothing happens while that is under way. */
void checkpointer_ask(struct checkpointer *checkpointer);

/* Whether the bulk has been moved since this last said so. */
bool checkpointer_is_done(struct checkpointer *checkpointer);

#endif
