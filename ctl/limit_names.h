/* limit_names.h - whose the limit with a key is. */
#ifndef WEIR_CTL_LIMIT_NAMES_H
#define WEIR_CTL_LIMIT_NAMES_H

#include "base/err.h"
#include "conf/conf.h"
#include "store/history.h"

/*
 * Appends "destination acme", "client 192.0.2.0/24": as the settings say, or as the daemons have
 * told; the key itself when nobody knows.  False with a text when the store fails.
 */
bool limit_name(const struct conf *conf, struct history *history,
                const struct key_secret *secret, const struct key *key, int64_t now_s,
                struct text *name_out, struct err *err_out);

#endif
