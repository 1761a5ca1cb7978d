/*
 * page.h - the status page: one file of HTML, made of lib/books/page.html by the build.
 */
#ifndef WEIR_PAGE_H
#define WEIR_PAGE_H

#include "io/http.h"

/*
 * The page as the answer to a path (http_fn; `arg` does not matter).  Its style and its script carry
 * a nonce that is new in each answer, and the policy allows nothing but these two and status.json.
 * What it fills in is good until it is called again, from the same thread.
 */
void page_answer(void *arg, struct http_answer *answer_out);

#endif
