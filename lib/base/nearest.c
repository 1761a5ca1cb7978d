/* nearest.c - the known name that is nearest to a wrong one, for hints. */
#include "base/nearest.h"

#define COMPARED_MAX 64

static bool
is_same(struct slice a, size_t i, struct slice b, size_t j)
{
	return ascii_lower(a.p[i]) == ascii_lower(b.p[j]);
}

static size_t
least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Levenshtein's distance, where two neighbours changed about count once: in three rows. */
static size_t
distance(struct slice a, struct slice b)
{
	size_t rows[3][COMPARED_MAX + 1] = {{0}};
	for (size_t j = 0; j <= b.n; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= a.n; i++) {
		size_t *row = rows[i % 3];
		const size_t *above = rows[(i + 2) % 3], *second = rows[(i + 1) % 3];
		row[0] = i;
		for (size_t j = 1; j <= b.n; j++) {
			row[j] = above[j - 1] + !is_same(a, i - 1, b, j - 1);
			row[j] = least(row[j], least(above[j], row[j - 1]) + 1);
			if (i > 1 && j > 1 && is_same(a, i - 1, b, j - 2) &&
			    is_same(a, i - 2, b, j - 1))
				row[j] = least(row[j], second[j - 2] + 1);
		}
	}
	return rows[a.n % 3][b.n];
}

void
nearest_start(struct nearest *nearest, struct slice wanted)
{
	*nearest = (struct nearest){.wanted = wanted, .best = 1 + wanted.n / 3};
}

void
nearest_offer(struct nearest *nearest, const char *name)
{
	struct slice known = slice_of(name);
	if (nearest->wanted.n > COMPARED_MAX || known.n > COMPARED_MAX)
		return;
	size_t d = distance(nearest->wanted, known);
	if (d >= nearest->best)
		return;
	nearest->best = d;
	nearest->name = name;
}
