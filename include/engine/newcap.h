/*
 * newcap.h - how many new triplets one identity may have stored (greylist.new_triplets).
 *
 * A flood of invented senders from one place must not fill the store.  Fixed memory: when more
 * identities are busy at once than there is room for, the least busy one is forgotten.
 */
#ifndef WEIR_NEWCAP_H
#define WEIR_NEWCAP_H

#include <stdbool.h>
#include <stdint.h>

#include "conf/conf.h"
#include "rules/key.h"

struct newcap;

struct newcap *newcap_new(void);
void newcap_free(struct newcap **newcap);

/* Whether one more may be stored for the identity. */
bool newcap_has_room(const struct newcap *newcap, const struct key *identity,
                     const struct conf_rate *rate, int64_t now_ms);

/* One was stored. */
void newcap_take(struct newcap *newcap, const struct key *identity,
                 const struct conf_rate *rate, int64_t now_ms);

#endif
