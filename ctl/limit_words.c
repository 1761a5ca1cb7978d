/* limit_words.c - the words of set-limit and unset-limit. */
#include "limit_words.h"

#include <string.h>
#include <sysexits.h>

#include "commands.h"

static const char *const bound_words[LIMIT_KINDS] = {"concurrency", "messages",
                                                     "recipients"};

/* At most one of the options that stand for a destination. */
static bool
read_option(const struct ctl *ctl, enum limit_scope *scope, const char **name)
{
	static const char *const options[SCOPES] = {NULL, "client", "sender", "user",
	                                            "mailbox"};
	size_t n = 0;
	for (int i = SCOPE_CLIENT; i < SCOPES; i++) {
		const char *value = ctl_option(ctl, options[i]);
		if (!value)
			continue;
		n++;
		*scope = (enum limit_scope)i;
		*name = value;
	}
	return n <= 1;
}

static bool
read_bound(const char *word, enum limit_kind *bound)
{
	for (int i = 0; i < LIMIT_KINDS; i++)
		if (strcmp(word, bound_words[i]) == 0) {
			*bound = (enum limit_kind)i;
			return true;
		}
	return false;
}

/* Rates may stand in several words: 600/1m burst 20, 9000/1d */
static struct slice
join(struct text *text, int argc, char **argv)
{
	for (int i = 0; i < argc; i++) {
		text_puts(text, i > 0 ? " " : "");
		text_puts(text, argv[i]);
	}
	return text_slice(text);
}

int
limit_words_read(const struct ctl *ctl, int argc, char **argv,
                 struct limit_words *words_out)
{
	enum limit_scope scope = SCOPE_DESTINATION;
	enum limit_kind bound = LIMIT_CONCURRENCY;
	int at = 1;
	*words_out = (struct limit_words){.any_bound = true};
	struct text text = TEXT(words_out->buf);
	bool one = read_option(ctl, &scope, &words_out->name);
	if (one && !words_out->name && at < argc)
		words_out->name = argv[at++];
	if (!one || !words_out->name) {
		ctl_fail(EX_USAGE,
		         "%s needs a destination, or one of --client, --sender, --user "
		         "and --mailbox",
		         argv[0]);
		return command_misused(argv[0]);
	}
	if (at < argc && read_bound(argv[at], &bound)) {
		words_out->any_bound = false;
		at++;
	}
	words_out->value = join(&text, argc - at, argv + at);
	words_out->override.kind = override_limit_kind(scope, bound);
	return EX_OK;
}
