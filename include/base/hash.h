/* hash.h - uthash's tables, set up once: out of memory ends the program. */
#ifndef WEIR_HASH_H
#define WEIR_HASH_H

#include "base/mem.h"

#define uthash_malloc(size) mem_alloc(size)
/* Not the default: clang finds the fall-through of its switch unannotated. */
#define HASH_FUNCTION(key, n, hash_out) HASH_SAX(key, n, hash_out)
#include <uthash.h>

#endif
