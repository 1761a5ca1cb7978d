/* test_page.c - the status page as it is answered: whole, with a nonce of its own, and its policy. */
#include "books/web.h"

#include <stdio.h>
#include <stdlib.h>

#include "harness.h"

static struct http_answer
ask(void)
{
	struct http_answer answer = {.status = 200};
	page_answer(NULL, &answer);
	ck_assert_int_eq(answer.status, 200);
	ck_assert_str_eq(answer.type, "text/html; charset=utf-8");
	return answer;
}

static int
times(struct slice body, const char *text)
{
	int n = 0;
	const char *at = body.p, *end = body.p + body.n;
	while ((at = memmem(at, (size_t)(end - at), text, strlen(text)))) {
		at += strlen(text);
		n++;
	}
	return n;
}

START_TEST(the_page_is_whole)
{
	struct http_answer answer = ask();
	ck_assert(slice_starts_nocase(answer.body, SLICE("<!DOCTYPE html>")));
	ck_assert(slice_ends_nocase(answer.body, SLICE("</html>\n")));
	ck_assert_int_eq(times(answer.body, "__NONCE__"), 0);
	ck_assert_ptr_null(memchr(answer.body.p, '\0', answer.body.n));
}

END_TEST

START_TEST(only_what_carries_the_nonce_may_run)
{
	struct http_answer answer = ask();
	char nonce[33], want[64];
	ck_assert_int_eq(sscanf(answer.policy,
	                        "default-src 'none'; script-src 'nonce-%32[0-9a-f]';",
	                        nonce),
	                 1);
	ck_assert_uint_eq(strlen(nonce), 32);
	snprintf(want, sizeof(want), "style-src 'nonce-%s'", nonce);
	ck_assert_ptr_nonnull(strstr(answer.policy, want));
	ck_assert_ptr_nonnull(strstr(answer.policy, "frame-ancestors 'none'"));
	snprintf(want, sizeof(want), "<script nonce=\"%s\">", nonce);
	ck_assert_int_eq(times(answer.body, want), 1);
	ck_assert_int_eq(times(answer.body, "<script"), 1);
	snprintf(want, sizeof(want), "<style nonce=\"%s\">", nonce);
	ck_assert_int_eq(times(answer.body, want), 1);
	ck_assert_int_eq(times(answer.body, "<style"), 1);
	ck_assert_int_eq(times(answer.body, nonce), 2);
}

END_TEST

START_TEST(no_nonce_comes_twice)
{
	char first[512];
	snprintf(first, sizeof(first), "%s", ask().policy);
	ck_assert_str_ne(ask().policy, first);
}

END_TEST

START_TEST(nothing_is_fetched_from_elsewhere)
{
	static const char *const unwanted[] = {"https://",
	                                       " src=",
	                                       "@import",
	                                       "url(",
	                                       "innerHTML",
	                                       "outerHTML",
	                                       "insertAdjacentHTML",
	                                       "document.write",
	                                       "eval(",
	                                       "style=",
	                                       "onclick="};
	struct http_answer answer = ask();
	for (size_t i = 0; i < COUNT_OF(unwanted); i++)
		ck_assert_msg(times(answer.body, unwanted[i]) == 0, "%s", unwanted[i]);
	/* the one address is the name of a namespace */
	ck_assert_int_eq(times(answer.body, "http://"), 1);
	ck_assert_int_eq(times(answer.body, "http://www.w3.org/2000/svg"), 1);
}

END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_test(tcase, the_page_is_whole);
	tcase_add_test(tcase, only_what_carries_the_nonce_may_run);
	tcase_add_test(tcase, no_nonce_comes_twice);
	tcase_add_test(tcase, nothing_is_fetched_from_elsewhere);
}

int
main(void)
{
	return harness_run("page", fill);
}
