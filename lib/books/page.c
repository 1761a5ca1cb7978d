/* page.c - the status page, with a nonce for its style and its script. */
#include "books/page.h"

#include <sys/random.h>

#include "page_html.h"

#define NONCE_BYTES 16
#define PLACES_MAX  4 /* where the page wants the nonce */

static const struct slice placeholder = SLICE_INIT("__NONCE__");

static bool
make_nonce(char out[2 * NONCE_BYTES + 1])
{
	unsigned char bytes[NONCE_BYTES];
	struct text text = {.p = out, .cap = 2 * NONCE_BYTES + 1};
	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		return false;
	for (size_t i = 0; i < sizeof(bytes); i++)
		text_printf(&text, "%02x", bytes[i]);
	return true;
}

static void
print_page(const char *nonce, struct text *out)
{
	struct slice rest = {.p = (const char *)page_html, .n = sizeof(page_html) - 1};
	const char *place;
	while (rest.n > 0 &&
	       (place = memmem(rest.p, rest.n, placeholder.p, placeholder.n))) {
		size_t before = (size_t)(place - rest.p);
		text_put(out, slice_head(rest, before));
		text_puts(out, nonce);
		rest = slice_from(rest, before + placeholder.n);
	}
	text_put(out, rest);
}

static void
print_policy(const char *nonce, struct text *out)
{
	text_printf(out,
	            "default-src 'none'; script-src 'nonce-%s'; style-src 'nonce-%s'; "
	            "connect-src 'self'; img-src 'none'; base-uri 'none'; "
	            "form-action 'none'; frame-ancestors 'none'",
	            nonce, nonce);
}

void
page_answer(void *arg, struct http_answer *answer_out)
{
	static char html[sizeof(page_html) + PLACES_MAX * 2 * NONCE_BYTES];
	static char policy[512];
	char nonce[2 * NONCE_BYTES + 1];
	struct text page = TEXT(html), rules = TEXT(policy);
	(void)arg;
	if (!make_nonce(nonce)) {
		answer_out->status = 503;
		answer_out->body = SLICE("There are no random numbers.\n");
		return;
	}
	print_page(nonce, &page);
	print_policy(nonce, &rules);
	answer_out->type = "text/html; charset=utf-8";
	answer_out->policy = policy;
	answer_out->body = text_slice(&page);
}
