/* conf_priv.h - a snapshot while it is loaded; between the files of conf.c. */
#ifndef WEIR_CONF_PRIV_H
#define WEIR_CONF_PRIV_H

#include "conf.h"

/* Where a setting was set. */
struct place {
	const char *file; /* NULL: the default */
	unsigned line;    /* 0: an override */
};

struct loading {
	struct conf *conf;
	struct err *err;
	struct place *places; /* of each row of the schema */
};

/* Sets the error to "file:line: name text"; false. */
bool conf_complain(struct loading *load, struct place place, const char *name,
                   const char *text);

/* Letters, digits, '-', '.' and '_' only, at least one. */
bool conf_is_word(const char *text);

/* Checks what single settings cannot, reads the password, loads the lists. */
bool conf_check(struct loading *load);

#endif
