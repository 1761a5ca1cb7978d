/*
 * messages.h - the messages that a policy service is asked about, each with its delivery.
 *
 * `instance`, together with the client's address and port, names a message.  Postfix may ask about
 * one over several connections; others open one for each request.  So messages are found by name,
 * and a connection only remembers which one it was asked about last.
 *
 * A message is over with its END-OF-MESSAGE; when the same client session or the same connection
 * asks about another; when the connection ends and no other request can come; when it has not been
 * heard of for policyd.hold and no connection is open that was asked about it last.
 */
#ifndef WEIR_MESSAGES_H
#define WEIR_MESSAGES_H

#include <stdbool.h>

#include "engine/delivery.h"
#include "engine/engine.h"
#include "rules/query.h"

struct messages;
struct message;

struct messages *messages_new(struct engine *engine);

/* On the loop.  What is under way goes on, for all that is known. */
void messages_free(struct messages **messages);

/*
 * A request has come over a connection: `*current`, the message that it was asked about last, or
 * NULL, becomes that of the request.  A request that names none is a message for itself.
 */
void messages_follow(struct messages *messages, struct message **current,
                     const struct query *query);

/*
 * Its delivery, for a decision that begins; the message stays until message_decided(), even when it
 * is over.
 */
struct delivery *message_decide(struct message *message);
void message_decided(struct message *message);

/* True once: the message's header has not been given yet. */
bool message_takes_header(struct message *message);

/*
 * The connection ends, without a decision under way; clears the pointer, NULL is fine.  `over`: a
 * message that is known by this connection cannot be asked about any more.
 */
void messages_leave(struct message **current, bool over);

/* Ends messages that were not heard of for too long.  To be called once a second. */
void messages_tick(struct messages *messages);

#endif
