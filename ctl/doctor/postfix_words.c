/* postfix_words.c - lists in Postfix' settings, and who is meant by an endpoint. */
#include <arpa/inet.h>
#include <stdlib.h>

#include "postfix.h"

static bool
separates(char c)
{
	return ascii_blank(c) || c == ',';
}

/* The length up to and with the brace that closes the first one; all when none does. */
static size_t
braced_length(struct slice s)
{
	int depth = 0;
	for (size_t i = 0; i < s.n; i++) {
		depth += (s.p[i] == '{') - (s.p[i] == '}');
		if (depth == 0)
			return i + 1;
	}
	return s.n;
}

bool
postfix_word(struct slice *rest, struct postfix_word *word_out)
{
	while (rest->n > 0 && separates(rest->p[0]))
		*rest = slice_from(*rest, 1);
	if (rest->n == 0)
		return false;
	size_t n = 0;
	word_out->braced = rest->p[0] == '{';
	if (word_out->braced)
		n = braced_length(*rest);
	while (n < rest->n && !separates(rest->p[n]))
		n++;
	word_out->text = slice_head(*rest, n);
	*rest = slice_from(*rest, n);
	if (word_out->braced) {
		struct slice inner = slice_from(word_out->text, 1);
		if (inner.n > 0 && inner.p[inner.n - 1] == '}')
			inner.n--;
		word_out->text = slice_trim(inner);
	}
	return true;
}

struct postfix_client
postfix_client(const struct postfix_word *word)
{
	struct postfix_client client = {.endpoint = word->text};
	struct postfix_word endpoint;
	if (!word->braced)
		return client;
	client.options = word->text;
	client.endpoint = SLICE("");
	if (postfix_word(&client.options, &endpoint))
		client.endpoint = endpoint.text;
	return client;
}

bool
postfix_client_option(const struct postfix_client *client, const char *name,
                      struct slice *value_out)
{
	struct slice rest = client->options;
	struct postfix_word word;
	while (postfix_word(&rest, &word)) {
		ptrdiff_t sign = slice_find(word.text, '=');
		if (sign < 0 || !slice_eq(slice_trim(slice_head(word.text, (size_t)sign)),
		                          slice_of(name)))
			continue;
		*value_out = slice_trim(slice_from(word.text, (size_t)sign + 1));
		return true;
	}
	return false;
}

int64_t
postfix_time_ms(struct slice text)
{
	static const struct {
		char letter;
		int64_t ms;
	} units[] = {{'s', 1000},
	             {'m', 60000},
	             {'h', 3600000},
	             {'d', 86400000},
	             {'w', 604800000}};

	int64_t unit_ms = 1000;
	uint64_t value;
	for (size_t i = 0; text.n > 0 && i < COUNT_OF(units); i++)
		if (ascii_lower(text.p[text.n - 1]) == units[i].letter) {
			unit_ms = units[i].ms;
			text.n--;
			break;
		}
	if (!slice_to_u64(text, 1000000000, &value))
		return -1;
	return (int64_t)value * unit_ms;
}

/* ---- endpoints ---- */

static bool
is_any(const char *host)
{
	return strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0 ||
	       strcmp(host, "*") == 0;
}

/* An address has several spellings. */
static bool
same_host(const char *a, const char *b)
{
	struct in6_addr one, other;
	if (inet_pton(AF_INET6, a, &one) == 1 && inet_pton(AF_INET6, b, &other) == 1)
		return memcmp(&one, &other, sizeof(one)) == 0;
	return slice_eq_nocase(slice_of(a), slice_of(b));
}

static bool
same_inet(struct slice endpoint, const struct endpoint *ours)
{
	struct endpoint theirs;
	if (!endpoint_parse(endpoint, &theirs) || theirs.is_unix ||
	    theirs.port != ours->port)
		return false;
	return is_any(ours->host) || same_host(theirs.host, ours->host) ||
	       (endpoint_is_local(&theirs) && endpoint_is_local(ours));
}

/* The same file, whatever links lead to it; or the same text, where there is none yet. */
static bool
same_path(const char *a, const char *b)
{
	char *real_a = realpath(a, NULL);
	char *real_b = realpath(b, NULL);
	bool same = strcmp(real_a ? real_a : a, real_b ? real_b : b) == 0;
	free(real_a);
	free(real_b);
	return same;
}

/* Relative paths start in the queue directory, and absolute ones in the chroot, which it is. */
static enum postfix_match
match_unix(const struct postfix *postfix, const struct postfix_service *service,
           struct slice path, const char *ours)
{
	char buf[1024], bare[512];
	struct text full = TEXT(buf), absolute = TEXT(bare);
	bool is_absolute = path.n > 0 && path.p[0] == '/';
	text_put(&absolute, path);
	if (!is_absolute || (service && service->chrooted)) {
		text_put(&full, postfix_value(postfix, NULL, "queue_directory"));
		if (!is_absolute)
			text_putc(&full, '/');
	}
	text_put(&full, path);
	if (same_path(buf, ours))
		return MATCH_OURS;
	return is_absolute && same_path(bare, ours) ? MATCH_HIDDEN : MATCH_NONE;
}

enum postfix_match
postfix_match(const struct postfix *postfix, const struct postfix_service *service,
              struct slice endpoint, const char *ours_text)
{
	struct endpoint ours;
	struct slice type = {0};
	struct slice rest = endpoint;
	if (!endpoint_parse(slice_of(ours_text), &ours) || !slice_cut(&rest, ':', &type))
		return MATCH_NONE;
	if (!ours.is_unix)
		return slice_eq(type, SLICE("inet")) && same_inet(endpoint, &ours)
		               ? MATCH_OURS
		               : MATCH_NONE;
	if (!slice_eq(type, SLICE("unix")) && !slice_eq(type, SLICE("local")))
		return MATCH_NONE;
	return match_unix(postfix, service, rest, ours.host);
}

void
postfix_print_ours(const struct postfix *postfix, const char *ours, struct text *out)
{
	struct endpoint endpoint;
	struct slice queue = postfix_value(postfix, NULL, "queue_directory");
	if (!endpoint_parse(slice_of(ours), &endpoint))
		return;
	struct slice path = slice_of(endpoint.host);
	bool below = endpoint.is_unix && queue.n > 0 && path.n > queue.n &&
	             slice_starts_nocase(path, queue) && path.p[queue.n] == '/';
	if (below) {
		text_puts(out, "unix:");
		text_put(out, slice_from(path, queue.n + 1));
	} else {
		endpoint_print(&endpoint, out);
	}
}
