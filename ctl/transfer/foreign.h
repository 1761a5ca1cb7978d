/*
 * foreign.h - records of another greylister, turned into weir's.
 *
 * They know a client by its address only, so its identity is the pool or network of that address.
 * What several of their rows stand for here is gathered in memory first, then given to the intake.
 */
#ifndef WEIR_CTL_FOREIGN_H
#define WEIR_CTL_FOREIGN_H

#include <stdint.h>
#include <stdio.h>

#include "base/addr.h"
#include "conf/conf.h"
#include "intake.h"

struct foreign;

/* The secret and all else must live as long. */
struct foreign *foreign_new(const struct conf *conf, const struct key_secret *secret,
                            struct intake *intake);
void foreign_free(struct foreign **foreign);

/* `bits` of the client's address are known; the addresses as they came, in <> and quoted or not. */
void foreign_triplet(struct foreign *foreign, const struct addr *client, unsigned bits,
                     struct slice sender, struct slice recipient,
                     struct grey_record record);

/* A client that has had `count` triplets pass. */
void foreign_client(struct foreign *foreign, const struct addr *client, unsigned bits,
                    int64_t count, int64_t last_s);

/* Gives all that was gathered to the intake.  False when the store fails. */
bool foreign_take(struct foreign *foreign, struct err *err_out) MUST_CHECK;

/*
 * The networks of clients that have passed or are allowed as a whole, as a file for lists.clients,
 * each until it would be forgotten; how many.
 */
int64_t foreign_print_clients(struct foreign *foreign, FILE *to);

#endif
