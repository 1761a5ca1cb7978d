/* limit_names.h - whose the limit with a key is. */
#ifndef WEIR_CTL_LIMIT_NAMES_H
#define WEIR_CTL_LIMIT_NAMES_H

#include "conf.h"
#include "err.h"
#include "ledger.h"

struct limit_names;

/* Those of the settings, and those that the daemons have told; NULL with a text. */
struct limit_names *limit_names_read(const struct conf *conf, struct ledger *ledger,
                                     int64_t now_s, struct err *err_out);
void limit_names_free(struct limit_names **names);

/* "destination acme", "client 192.0.2.0/24"; the key itself when nobody told. */
const char *limit_names_find(struct limit_names *names, const struct key *key);

#endif
