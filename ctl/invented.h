/* invented.h - a recipient's question made of options instead of told by an MTA. */
#ifndef WEIR_CTL_INVENTED_H
#define WEIR_CTL_INVENTED_H

#include "ctl.h"
#include "rules/query.h"

/*
 * From --client, --client-name, --sender, --recipient, --user, --nexthop and --stage, as far as the
 * command has them; client and recipient must be there when `whole`.  EX_OK, or EX_USAGE and said so.
 */
int invented_query(const struct ctl *ctl, bool whole, struct query *query_out);

#endif
