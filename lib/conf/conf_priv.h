/* conf_priv.h - a snapshot while it is loaded; between the files of conf.c. */
#ifndef WEIR_CONF_PRIV_H
#define WEIR_CONF_PRIV_H

#include "conf/conf.h"
#include "conf/schema.h"

struct config_setting_t; /* of libconfig */
struct config_t;

/* Where a setting was set. */
struct place {
	const char *file; /* NULL: the default */
	unsigned line;    /* 0: an override */
};

struct loading {
	struct conf *conf;
	struct err *err;
	struct place *places; /* of each row of the schema */
	bool without_lists;   /* that are in files */
};

/* Sets the error to "file:line: name text"; false. */
bool conf_complain(struct loading *load, struct place place, const char *name,
                   const char *text);

/* The same of a name that is unknown; `near` is the known one that was perhaps meant, or NULL. */
bool conf_unknown(struct loading *load, struct place place, const char *name,
                  const char *near);

/* Where the file has it. */
struct place conf_place(const struct config_setting_t *node);

/*
 * Of a name that a file has twice, where the tree is what was read before it: sets the error to
 * "file:line: name is there twice, first in line N".  False when it cannot be found.
 */
bool conf_twice(struct config_t *tree, struct place second, struct err *err);

/* The value as text, in the form -o takes; false when its type does not fit. */
bool conf_value(struct config_setting_t *node, enum setting_type wanted, struct text *out)
	MUST_CHECK;

/* What is said then. */
const char *conf_wanted(enum setting_type type);

/* Adds the pools of greylist.pool_files, whose names are beside `conf_path` unless absolute. */
bool conf_load_pool_files(struct loading *load, const char *conf_path) MUST_CHECK;

/* Adds pools, a list of groups. */
bool conf_load_pools(struct loading *load, struct config_setting_t *node) MUST_CHECK;

/* limits.destinations, a list of groups. */
bool conf_load_destinations(struct loading *load, struct config_setting_t *node)
	MUST_CHECK;
void conf_free_groups(struct conf *conf);

/*
 * limits.users and its like: a list of groups with a name and members.  One without them is what
 * holds for all others, and is left to be loaded; NULL: there is none.
 */
bool conf_load_limit_groups(struct loading *load, struct config_setting_t *node,
                            const struct setting *row,
                            struct config_setting_t **default_out) MUST_CHECK;
void conf_free_limit_groups(struct conf_groups *groups);

/* Complains about "SETTING.MEMBER" of a group in a list. */
bool conf_complain_of_member(struct loading *load, struct config_setting_t *node,
                             const char *setting, const char *member, const char *why);

/* The row of such a member; NULL, and said so, when there is none. */
const struct setting *conf_member_row(struct loading *load, struct config_setting_t *node,
                                      const char *setting, const struct setting *rows,
                                      size_t n) MUST_CHECK;

/* Sets it in `base`. */
bool conf_set_member(struct loading *load, struct config_setting_t *node,
                     const char *setting, const struct setting *row, void *base)
	MUST_CHECK;

/*
 * Adds a member in lower case, which must live as long as the table, to that of the groups.
 * Returns the group that has it already, or NULL.
 */
const struct conf_group *group_add(struct conf_groups *groups, const char *member,
                                   size_t group) MUST_CHECK;

/* Frees groups->by_member. */
void group_table_free(struct conf_groups *groups);

/*
 * Adds a domain in lower case, which must live as long as the table, to conf->limits.by_domain.
 * Returns the destination that has it already, or NULL.
 */
const struct conf_destination *domain_table_add(
	struct conf *conf, const char *domain, const struct conf_destination *destination)
	MUST_CHECK;

/* Frees conf->limits.by_domain. */
void domain_table_free(struct conf *conf);

/* Whether it sets one of the three bounds. */
bool conf_limit_bounds(const struct conf_limit *limit);

/* Whether the bounds of a limit fit together: a message has one recipient at least. */
bool conf_limit_fits(const struct conf_limit *limit);

/* Checks what single settings cannot, reads the password, loads the lists. */
bool conf_check(struct loading *load);

#endif
