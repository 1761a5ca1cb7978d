/*
 * list.c - matchers for clients and mail addresses.
 *
 * A lookup allocates nothing and looks at a bounded number of entries; a regular
 * expression that takes too long is given up and does not match.
 */
#include "conf/list.h"

#include <stdlib.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/hash.h"
#include "base/mem.h"
#include "conf/normal.h"
#include "listentry.h"

enum {
	/* What one search may cost; generous for names, about a millisecond at worst. */
	REGEX_STEPS = 100000,
	REGEX_DEPTH = 10000,
	REGEX_HEAP_KIB = 1024,
};

struct entry {
	UT_hash_handle hh;
	pcre2_code *code; /* of a regular expression */
	int64_t until_s;
	struct list_hit hit;
	char key[];
};

struct source {
	struct source *next;
	char *name;
};

/*
 * The keys of `texts` are lower-cased and tell the forms apart by themselves:
 * "example.com", ".example.com", "user@example.com", "user@".
 */
struct list {
	enum list_kind kind;
	struct entry *nets;
	struct entry *texts;
	struct entry *regexes;
	bool v4_bits[32 + 1]; /* prefix lengths that occur */
	bool v6_bits[128 + 1];
	struct source *sources;
	/* One for all lookups: they come from the one thread that runs the engine. */
	pcre2_match_data *match;
	pcre2_match_context *limits;
};

struct net_key {
	uint8_t family;
	uint8_t bits;
	uint8_t bytes[16];
};

/* What an entry carries besides its text. */
struct life {
	int64_t until_s;
	struct list_hit hit;
};

struct list *
list_new(enum list_kind kind)
{
	struct list *list = mem_new(struct list);
	list->kind = kind;
	list->match = pcre2_match_data_create(1, NULL);
	list->limits = pcre2_match_context_create(NULL);
	if (!list->match || !list->limits)
		abort(); /* out of memory, as in mem_alloc() */
	pcre2_set_match_limit(list->limits, REGEX_STEPS);
	pcre2_set_depth_limit(list->limits, REGEX_DEPTH);
	pcre2_set_heap_limit(list->limits, REGEX_HEAP_KIB);
	return list;
}

static void
free_table(struct entry **table)
{
	struct entry *entry, *next;
	HASH_ITER(hh, *table, entry, next) {
		HASH_DEL(*table, entry);
		pcre2_code_free(entry->code);
		free(entry);
	}
}

void
list_free(struct list **list)
{
	struct list *gone = *list;
	*list = NULL;
	if (!gone)
		return;
	free_table(&gone->nets);
	free_table(&gone->texts);
	free_table(&gone->regexes);
	while (gone->sources) {
		struct source *source = gone->sources;
		gone->sources = source->next;
		free(source->name);
		free(source);
	}
	pcre2_match_data_free(gone->match);
	pcre2_match_context_free(gone->limits);
	free(gone);
}

size_t
list_count(const struct list *list)
{
	return HASH_COUNT(list->nets) + HASH_COUNT(list->texts) +
	       HASH_COUNT(list->regexes);
}

/* The list's own copy of the name; entries of one file share it. */
static const char *
keep_source(struct list *list, const char *name)
{
	for (const struct source *source = list->sources; source; source = source->next)
		if (strcmp(source->name, name) == 0)
			return source->name;
	struct source *source = mem_new(struct source);
	source->name = mem_dup(slice_of(name));
	source->next = list->sources;
	list->sources = source;
	return source->name;
}

static bool
outlives(int64_t until_s, int64_t other_s)
{
	return other_s != 0 && (until_s == 0 || until_s > other_s);
}

/* The entry of that key, made if there is none; of two the longer-living one stays. */
static struct entry *
put(struct entry **table, const void *key, size_t n, const struct life *life)
{
	struct entry *entry;
	HASH_FIND(hh, *table, key, n, entry);
	if (entry && !outlives(life->until_s, entry->until_s))
		return entry;
	if (!entry) {
		entry = mem_alloc(sizeof(*entry) + n);
		memcpy(entry->key, key, n);
		HASH_ADD_KEYPTR(hh, *table, entry->key, n, entry);
	}
	entry->until_s = life->until_s;
	entry->hit = life->hit;
	return entry;
}

/* Without '@' it is a local part. */
static void
put_mail(struct text *out, struct slice address)
{
	ptrdiff_t at = slice_rfind(address, '@');
	text_put_local(out, slice_head(address, at < 0 ? address.n : (size_t)at));
	if (at < 0)
		return;
	text_putc(out, '@');
	text_put_domain(out, slice_from(address, (size_t)at + 1));
}

/* "*.example.com", as certificates have it, is ".example.com". */
static struct slice
without_star(struct slice name)
{
	return slice_eq(slice_head(name, 2), SLICE("*.")) ? slice_from(name, 1) : name;
}

void
list_put_normal(struct text *out, enum list_kind kind, struct slice entry)
{
	if (entry.n > 0 && entry.p[0] == '/')
		text_put(out, entry); /* \S is not \s */
	else if (kind == LIST_MAIL && slice_find(entry, '@') >= 0)
		put_mail(out, entry);
	else
		text_put_domain(out, without_star(entry));
}

static struct net_key
net_key(const struct addr *addr, unsigned bits)
{
	struct net_key key = {.family = (uint8_t)addr->family, .bits = (uint8_t)bits};
	memcpy(key.bytes, addr->bytes, sizeof(key.bytes));
	return key;
}

static void
add_net(struct list *list, const struct cidr *net, const struct life *life)
{
	struct net_key key = net_key(&net->addr, net->bits);
	put(&list->nets, &key, sizeof(key), life);
	bool *seen = net->addr.family == ADDR_V4 ? list->v4_bits : list->v6_bits;
	seen[net->bits] = true;
}

static bool
add_regex(struct list *list, struct slice pattern, const struct life *life,
          struct err *err_out)
{
	int why;
	size_t offset;
	pcre2_code *code = pcre2_compile((PCRE2_SPTR)pattern.p, pattern.n, PCRE2_CASELESS,
	                                 &why, &offset, NULL);
	if (!code) {
		char message[160];
		char buf[256];
		struct text text = TEXT(buf);
		pcre2_get_error_message(why, (PCRE2_UCHAR *)message, sizeof(message));
		text_printf(&text, "does not compile: %s at offset %zu", message, offset);
		return listentry_refuse(pattern, buf, err_out);
	}
	struct entry *entry = put(&list->regexes, pattern.p, pattern.n, life);
	if (entry->code) {
		pcre2_code_free(code);
		return true;
	}
	/* Where the system forbids generated code this fails, and the interpreter serves. */
	pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);
	entry->code = code;
	return true;
}

bool
list_add(struct list *list, struct slice entry, int64_t until_s, const char *source,
         unsigned line, struct err *err_out)
{
	struct listentry parsed;
	char buf[LIST_ENTRY_MAX + 1];
	struct text normal = TEXT(buf);
	list_put_normal(&normal, list->kind, entry);
	if (!listentry_parse(list->kind, normal.cut ? entry : text_slice(&normal),
	                     &parsed, err_out))
		return false;
	struct life life = {.until_s = until_s};
	life.hit = (struct list_hit){.source = keep_source(list, source), .line = line};
	if (parsed.form == LISTENTRY_REGEX)
		return add_regex(list, parsed.text, &life, err_out);
	if (parsed.form == LISTENTRY_NET)
		add_net(list, &parsed.net, &life);
	else
		put(&list->texts, parsed.text.p, parsed.text.n, &life);
	return true;
}

static bool
is_alive(const struct entry *entry, int64_t now_s)
{
	return entry->until_s == 0 || now_s < entry->until_s;
}

static const struct entry *
find(const struct entry *table, const void *key, size_t n, int64_t now_s)
{
	const struct entry *entry;
	HASH_FIND(hh, table, key, n, entry);
	return entry && is_alive(entry, now_s) ? entry : NULL;
}

/* The entry of the longest prefix, of at most `most` bits. */
static const struct entry *
find_net(const struct list *list, const struct addr *addr, unsigned most, int64_t now_s)
{
	if (!list->nets || addr->family == ADDR_NONE)
		return NULL;
	const bool *seen = addr->family == ADDR_V4 ? list->v4_bits : list->v6_bits;
	for (int bits = (int)most; bits >= 0; bits--) {
		if (!seen[bits])
			continue;
		struct addr net = addr_mask(addr, (unsigned)bits);
		struct net_key key = net_key(&net, (unsigned)bits);
		const struct entry *hit = find(list->nets, &key, sizeof(key), now_s);
		if (hit)
			return hit;
	}
	return NULL;
}

/* Looks for the name itself, then for ".rest" and "rest" behind each of its dots. */
static const struct entry *
find_domain(const struct list *list, struct slice name, int64_t now_s)
{
	if (name.n == 0 || name.n > LIST_NAME_MAX || name.p[0] == '.')
		return NULL;
	const struct entry *hit = find(list->texts, name.p, name.n, now_s);
	for (size_t i = 0; !hit && i < name.n; i++) {
		if (name.p[i] != '.')
			continue;
		hit = find(list->texts, name.p + i, name.n - i, now_s);
		if (!hit)
			hit = find(list->texts, name.p + i + 1, name.n - i - 1, now_s);
	}
	return hit;
}

/* Looks for "user@" and "user@domain", with the local part cut at each '+' in turn. */
static const struct entry *
find_user(const struct list *list, struct slice local, struct slice domain, int64_t now_s)
{
	char buf[LIST_MAIL_MAX + 2];
	for (struct slice user = local; user.n > 0;) {
		struct text key = TEXT(buf);
		text_put(&key, user);
		text_putc(&key, '@');
		const struct entry *hit = find(list->texts, key.p, key.n, now_s);
		text_put(&key, domain);
		if (!hit)
			hit = find(list->texts, key.p, key.n, now_s);
		if (hit)
			return hit;
		ptrdiff_t plus = slice_rfind(user, '+');
		user = slice_head(user, plus < 0 ? 0 : (size_t)plus);
	}
	return NULL;
}

static const struct entry *
find_regex(const struct list *list, struct slice subject, int64_t now_s)
{
	for (const struct entry *entry = list->regexes; entry; entry = entry->hh.next) {
		if (!is_alive(entry, now_s))
			continue;
		int rc = pcre2_match(entry->code, (PCRE2_SPTR)subject.p, subject.n, 0, 0,
		                     list->match, list->limits);
		if (rc >= 0) /* below are "no match" and the limits */
			return entry;
	}
	return NULL;
}

static bool
report(const struct entry *entry, struct list_hit *hit_out)
{
	if (entry && hit_out)
		*hit_out = entry->hit;
	return entry != NULL;
}

static bool
has_names(const struct list *list)
{
	return list->texts || list->regexes;
}

bool
list_has_client(const struct list *list, const struct addr *addr, struct slice name,
                int64_t now_s, struct list_hit *hit_out)
{
	const struct entry *hit =
		find_net(list, addr, addr_max_bits(addr->family), now_s);
	bool has_name = name.n > 0 && name.n <= LIST_NAME_MAX &&
	                !slice_eq_nocase(name, SLICE("unknown"));
	if (hit || !has_name || !has_names(list))
		return report(hit, hit_out);
	char buf[LIST_NAME_MAX + 1];
	struct text normal = TEXT(buf);
	list_put_normal(&normal, LIST_CLIENTS, name);
	hit = find_domain(list, text_slice(&normal), now_s);
	if (!hit)
		hit = find_regex(list, text_slice(&normal), now_s);
	return report(hit, hit_out);
}

bool
list_has_network(const struct list *list, const struct cidr *net, int64_t now_s)
{
	return find_net(list, &net->addr, net->bits, now_s) != NULL;
}

bool
list_has_mail(const struct list *list, struct slice address, int64_t now_s,
              struct list_hit *hit_out)
{
	char buf[LIST_MAIL_MAX + 1];
	struct text text = TEXT(buf);
	if (!has_names(list))
		return false;
	put_mail(&text, address);
	if (text.cut)
		return false;
	struct slice normal = text_slice(&text);
	ptrdiff_t at = slice_rfind(normal, '@');
	struct slice local = at < 0 ? normal : slice_head(normal, (size_t)at);
	struct slice domain = at < 0 ? SLICE("") : slice_from(normal, (size_t)at + 1);
	const struct entry *hit = find_user(list, local, domain, now_s);
	if (!hit)
		hit = find_domain(list, domain, now_s);
	if (!hit)
		hit = find_regex(list, normal, now_s);
	return report(hit, hit_out);
}
