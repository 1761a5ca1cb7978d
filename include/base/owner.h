/* owner.h - whose a file is, and who may therefore not use it, in words. */
#ifndef WEIR_OWNER_H
#define WEIR_OWNER_H

#include "base/err.h"
#include "base/slice.h"

/* "belongs to root:weir, mode 0640"; false when there is no such file, or it cannot be seen. */
bool owner_print(const char *path, struct text *out);

/*
 * By errno, "cannot read /x/y as user a (it belongs to b:c, mode 0640): Permission denied", with
 * the directory that cannot be entered where that is to blame; always false.
 */
bool owner_refuses(const char *doing, const char *path, struct err *err_out);

#endif
