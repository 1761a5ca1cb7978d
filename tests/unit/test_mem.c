/* test_mem.c - the arena of a request, and copies. */
#include "base/mem.h"

#include <stdalign.h>
#include <stdlib.h>

#include "harness.h"

/* clang-format off */
static const size_t sizes[] = {
	0, 1, 7, 8, 15, 16, 17, 100, 1000, 4095, 4096, 4097, 5000, 0, 1, 70000, 3, 4096, 200,
};

/* clang-format on */

/* Takes pieces, fills each, and looks whether all still hold what was put in. */
static void
take_all(struct arena *arena)
{
	unsigned char *pieces[COUNT_OF(sizes)];
	for (size_t i = 0; i < COUNT_OF(sizes); i++) {
		pieces[i] = arena_take(arena, sizes[i]);
		ck_assert_ptr_nonnull(pieces[i]);
		ck_assert_msg((uintptr_t)pieces[i] % alignof(max_align_t) == 0,
		              "%zu bytes: not aligned", sizes[i]);
		memset(pieces[i], (int)i + 1, sizes[i]);
	}
	for (size_t i = 0; i < COUNT_OF(sizes); i++)
		for (size_t j = 0; j < sizes[i]; j++)
			ck_assert_msg(pieces[i][j] == i + 1, "piece %zu is overwritten",
			              i);
}

START_TEST(pieces_do_not_overlap)
{
	struct arena arena;
	arena_init(&arena);
	for (int i = 0; i < 3; i++) {
		take_all(&arena);
		arena_reset(&arena);
	}
	take_all(&arena);
	arena_free(&arena);
}

END_TEST

START_TEST(reset_gives_the_same_memory_again)
{
	struct arena arena;
	arena_init(&arena);
	arena_reset(&arena);
	char *first = arena_take(&arena, 100);
	arena_take(&arena, 10000);
	arena_reset(&arena);
	ck_assert_ptr_eq(arena_take(&arena, 100), first);
	arena_free(&arena);
	arena_free(&arena);
	ck_assert_ptr_nonnull(arena_take(&arena, 1));
	arena_free(&arena);
}

END_TEST

START_TEST(copies_end_with_nul)
{
	struct arena arena;
	arena_init(&arena);
	struct slice copy = arena_copy(&arena, SLICE("abc"));
	ck_slice_eq("copy", copy, "abc");
	ck_assert_str_eq(copy.p, "abc");
	copy = arena_copy(&arena, (struct slice){0});
	ck_assert_uint_eq(copy.n, 0);
	ck_assert_str_eq(copy.p, "");
	copy = arena_copy(&arena, SLICE("a\0b"));
	ck_assert(slice_eq(copy, SLICE("a\0b")));
	arena_free(&arena);
}

END_TEST

START_TEST(memory_is_zeroed)
{
	unsigned char *p = mem_alloc(1000);
	for (size_t i = 0; i < 1000; i++)
		ck_assert_uint_eq(p[i], 0);
	memset(p, 7, 1000);
	p = mem_grow(p, 2000);
	for (size_t i = 0; i < 1000; i++)
		ck_assert_uint_eq(p[i], 7);
	free(p);
	p = mem_alloc(0);
	ck_assert_ptr_nonnull(p);
	p = mem_grow(p, 0);
	ck_assert_ptr_nonnull(p);
	free(p);
}

END_TEST

START_TEST(texts_are_copied)
{
	char *copy = mem_dup(SLICE("abc"));
	ck_assert_str_eq(copy, "abc");
	free(copy);
	copy = mem_dup((struct slice){0});
	ck_assert_str_eq(copy, "");
	free(copy);
}

END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_test(tcase, pieces_do_not_overlap);
	tcase_add_test(tcase, reset_gives_the_same_memory_again);
	tcase_add_test(tcase, copies_end_with_nul);
	tcase_add_test(tcase, memory_is_zeroed);
	tcase_add_test(tcase, texts_are_copied);
}

int
main(void)
{
	return harness_run("mem", fill);
}
