/* cure.c - the text of a cure: words for the shell, and the way to a file. */
#include "cure.h"

#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { GROUPS_MAX = 256, WORD_MAX = 4096 };

static bool
is_plain(struct slice word)
{
	for (size_t i = 0; i < word.n; i++)
		if (!ascii_alpha(word.p[i]) && !ascii_digit(word.p[i]) &&
		    !memchr("%+,-./:=@_", word.p[i], 11))
			return false;
	return word.n > 0;
}

void
cure_quote(struct slice word, struct text *out)
{
	if (is_plain(word)) {
		text_put(out, word);
		return;
	}
	text_putc(out, '\'');
	for (size_t i = 0; i < word.n; i++)
		if (word.p[i] == '\'')
			text_puts(out, "'\\''");
		else
			text_putc(out, word.p[i]);
	text_putc(out, '\'');
}

const char *
cure_quoted(struct findings *findings, const char *word)
{
	char buf[WORD_MAX];
	struct text text = TEXT(buf);
	cure_quote(slice_of(word), &text);
	return arena_copy(&findings->arena, text_slice(&text)).p;
}

/* ---- the way to a file ---- */

struct person {
	uid_t uid;
	gid_t groups[GROUPS_MAX];
	int n;
};

static bool
find_person(const char *user, struct person *person_out)
{
	const struct passwd *entry = *user ? getpwnam(user) : NULL;
	if (!entry || entry->pw_uid == 0)
		return false;
	person_out->uid = entry->pw_uid;
	person_out->n = GROUPS_MAX;
	if (getgrouplist(user, entry->pw_gid, person_out->groups, &person_out->n) < 0)
		person_out->n = 0;
	return true;
}

static bool
may_pass(const struct person *person, const struct stat *st)
{
	if (st->st_uid == person->uid)
		return st->st_mode & S_IXUSR;
	for (int i = 0; i < person->n; i++)
		if (person->groups[i] == st->st_gid)
			return st->st_mode & S_IXGRP;
	return st->st_mode & S_IXOTH;
}

void
cure_open_way(const char *user, const char *path, struct text *out)
{
	struct person person;
	char *real = realpath(path, NULL);
	char *way = mem_dup(slice_of(real ? real : path));
	bool any = false;
	struct stat st;
	if (!find_person(user, &person))
		*way = '\0';
	for (char *slash = *way ? strchr(way + 1, '/') : NULL; slash;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (stat(way, &st) == 0 && S_ISDIR(st.st_mode) &&
		    !may_pass(&person, &st)) {
			text_puts(out, any ? " " : "chmod a+x ");
			cure_quote(slice_of(way), out);
			any = true;
		}
		*slash = '/';
	}
	text_puts(out, any ? "\n" : "");
	free(way);
	free(real);
}

void
cure_set(struct findings *findings, const struct text *text)
{
	struct slice lines = text_slice(text);
	if (text->cut)
		lines = SLICE(
			"Change it as the manual shows: it is too long to print here");
	while (lines.n > 0 && lines.p[lines.n - 1] == '\n')
		lines.n--;
	finding_mend(findings, "%.*s", (int)lines.n, lines.p);
}
