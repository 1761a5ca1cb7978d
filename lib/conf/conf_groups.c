/* conf_groups.c - the settings that are lists of groups: pools and destinations. */
#include <libconfig.h>
#include <stdlib.h>

#include "base/addr.h"
#include "base/hostname.h"
#include "base/mem.h"
#include "conf/list.h"
#include "conf/normal.h"
#include "conf/schema.h"
#include "conf_priv.h"

/* Beside its name and clients only what says where they are from. */
static bool
is_pool(config_setting_t *node)
{
	if (!config_setting_is_group(node))
		return false;
	for (int i = 0; i < config_setting_length(node); i++) {
		config_setting_t *member = config_setting_get_elem(node, (unsigned)i);
		const char *name = config_setting_name(member);
		bool is_note = strcmp(name, "source") == 0 || strcmp(name, "date") == 0;
		if (strcmp(name, "name") != 0 && strcmp(name, "clients") != 0 &&
		    !(is_note && config_setting_get_string(member)))
			return false;
	}
	return true;
}

/* { name = "google"; clients = [ "google.com", ... ]; source = "..."; date = "2026-11-30"; } */
static bool
load_pool(struct loading *load, config_setting_t *node, struct conf_pool *pool)
{
	struct place place = conf_place(node);
	const char *name;
	config_setting_t *clients = config_setting_get_member(node, "clients");
	if (!is_pool(node) || !config_setting_lookup_string(node, "name", &name) ||
	    !clients ||
	    !(config_setting_is_array(clients) || config_setting_is_list(clients)))
		return conf_complain(load, place, "greylist.pools",
		                     "wants groups of a name and clients: "
		                     "{ name = \"x\"; clients = [ \"example.com\" ]; }");
	/* No dots: a pool must not be taken for the domain or network of that name. */
	if (!conf_is_word(name) || strchr(name, '.'))
		return conf_complain(load, place, "greylist.pools",
		                     "wants names of letters, digits, - and _");
	pool->name = mem_dup(slice_of(name));
	pool->clients = list_new(LIST_CLIENTS);
	for (int i = 0; i < config_setting_length(clients); i++) {
		const char *entry = config_setting_get_string_elem(clients, i);
		struct err why;
		if (!entry)
			return conf_complain(load, place, "greylist.pools",
			                     "wants strings as clients");
		if (!list_add(pool->clients, slice_of(entry), 0, "greylist.pools",
		              place.line, &why))
			return conf_complain(load, place, "greylist.pools", why.text);
	}
	return true;
}

static bool
want_list(struct loading *load, config_setting_t *node, const char *name)
{
	if (config_setting_is_list(node))
		return true;
	return conf_complain(load, conf_place(node), name,
	                     "must be a list of groups: ( { ... }, { ... } )");
}

bool
conf_load_pools(struct loading *load, config_setting_t *node)
{
	if (!want_list(load, node, "greylist.pools"))
		return false;
	size_t n = (size_t)config_setting_length(node);
	struct conf *conf = load->conf;
	size_t before = conf->greylist.n_pools;
	struct conf_pool *pools =
		mem_grow(conf->greylist.pools, (before + n) * sizeof(*pools));
	conf->greylist.pools = pools;
	for (size_t i = 0; i < n; i++) {
		pools[before + i] = (struct conf_pool){0};
		conf->greylist.n_pools = before + i + 1;
		if (!load_pool(load, config_setting_get_elem(node, (unsigned)i),
		               &pools[before + i]))
			return false;
	}
	return true;
}

#define DESTINATIONS "limits.destinations"
#define DESTINATION_WANTED       \
 "wants groups with a name and " \
 "domains: { name = \"x\"; domains = [ \"example.com\" ]; concurrency = 20; }"
#define DESTINATION_NAME_MAX 64

#define IN(type, member) SETTING_AT(type, struct conf_destination, member)

/* clang-format off */
static const struct setting members[] = {
	{"name", IN(SET_TEXT, name), 0, 0, "", NULL, false},
	{"domains", IN(SET_TEXTS, domains), 0, 0, "", NULL, false},
	{"concurrency", IN(SET_INT, limit.concurrency), 0, CONCURRENCY_MAX, "0", NULL, false},
	{"messages", IN(SET_RATES, limit.messages), 0, 0, "0", NULL, false},
	{"recipients", IN(SET_RATES, limit.recipients), 0, 0, "0", NULL, false},
	{"mode", IN(SET_ENUM, limit.mode), 0, 0, "on", "on|observe|off", false},
	{"reply", IN(SET_REPLY, limit.reply), 0, 0, "", NULL, false},
	{"greylist", IN(SET_ENUM, greylist), 0, 0, "on", "on|observe|off", false},
};

/* clang-format on */

/* Complains about "limits.destinations.MEMBER". */
static bool
complain_of_member(struct loading *load, config_setting_t *node, const char *member,
                   const char *why)
{
	return conf_complain_of_member(load, node, DESTINATIONS, member, why);
}

/* "[...]" around a name or an address, as MTAs write a host that is not to be looked up as MX. */
static bool
is_bracketed(struct slice host)
{
	struct addr addr;
	if (host.n < 2 || host.p[0] != '[' || host.p[host.n - 1] != ']')
		return false;
	struct slice inner = slice_head(slice_from(host, 1), host.n - 2);
	return addr_parse(inner, &addr) || hostname_is_valid(inner);
}

/* A domain, or a next hop: "[HOST]", either with ":PORT", "inet:HOST:PORT", "unix:PATH". */
static bool
is_host(struct slice text)
{
	bool is_inet = slice_starts_nocase(text, SLICE("inet:"));
	struct addr addr;
	uint64_t port;
	if (slice_starts_nocase(text, SLICE("unix:")))
		return text.n > 5;
	if (is_inet)
		text = slice_from(text, 5);
	ptrdiff_t colon = slice_rfind(text, ':');
	if (colon > 0 && slice_to_u64(slice_from(text, (size_t)colon + 1), 65535, &port))
		text = slice_head(text, (size_t)colon);
	return is_bracketed(text) || hostname_is_valid(text) ||
	       (is_inet && addr_parse(text, &addr));
}

static bool
is_domain(struct slice text)
{
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] <= ' ' || text.p[i] > '~')
			return false;
	if (text.n == 0 || text.n > HOSTNAME_MAX)
		return false;
	if (text.p[0] == '.')
		return hostname_is_valid(slice_from(text, 1));
	return slice_eq(text, SLICE("*")) || is_host(text);
}

/* Says `"DOMAIN" why`. */
static bool
refuse_domain(struct loading *load, config_setting_t *node, struct slice domain,
              const char *why)
{
	char buf[400];
	struct text text = TEXT(buf);
	text_putc(&text, '"');
	text_put_escaped(&text, slice_head(domain, 80));
	text_printf(&text, "\" %s", why);
	return complain_of_member(load, node, "domains", buf);
}

static bool
add_domain(struct loading *load, config_setting_t *node, struct conf_destination *to)
{
	const char *text = config_setting_get_string(node);
	if (!text)
		return complain_of_member(load, node, "domains",
		                          "wants strings: [ \"...\", \"...\" ]");
	char buf[HOSTNAME_MAX + 2];
	struct text normal = TEXT(buf);
	text_put_domain(&normal, slice_of(text));
	struct slice domain = text_slice(&normal);
	if (normal.cut || !is_domain(domain))
		return refuse_domain(load, node, slice_of(text),
		                     "is not a domain, \".domain\", \"*\" or the "
		                     "name of a next hop");
	struct conf_texts *domains = &to->domains;
	domains->v = mem_grow(domains->v, (domains->n + 1) * sizeof(*domains->v));
	domains->v[domains->n] = mem_dup(domain);
	const struct conf_destination *other =
		domain_table_add(load->conf, domains->v[domains->n++], to);
	if (!other)
		return true;
	char why[100];
	struct text said = TEXT(why);
	text_printf(&said, "already belongs to \"%s\"", other->name);
	return refuse_domain(load, node, slice_of(text),
	                     other == to ? "is there twice" : why);
}

static bool
load_domains(struct loading *load, config_setting_t *node, struct conf_destination *to)
{
	if (!config_setting_is_array(node) && !config_setting_is_list(node))
		return complain_of_member(load, node, "domains",
		                          "wants an array: [ \"...\", \"...\" ]");
	for (int i = 0; i < config_setting_length(node); i++)
		if (!add_domain(load, config_setting_get_elem(node, (unsigned)i), to))
			return false;
	return true;
}

static bool
load_member(struct loading *load, config_setting_t *node, struct conf_destination *to)
{
	const struct setting *row =
		conf_member_row(load, node, DESTINATIONS, members, COUNT_OF(members));
	if (!row)
		return false;
	if (row->type == SET_TEXTS)
		return load_domains(load, node, to);
	if (!conf_set_member(load, node, DESTINATIONS, row, to))
		return false;
	if (row->offset == offsetof(struct conf_destination, greylist))
		to->has_greylist = true;
	return true;
}

static bool
check_name(struct loading *load, config_setting_t *node,
           const struct conf_destination *destination)
{
	const struct conf *conf = load->conf;
	if (!conf_is_word(destination->name) ||
	    strlen(destination->name) > DESTINATION_NAME_MAX)
		return complain_of_member(load, node, "name",
		                          "must be at most 64 letters, digits, - . _");
	for (size_t i = 0; i + 1 < conf->limits.n_destinations; i++)
		if (strcmp(conf->limits.destinations[i].name, destination->name) == 0)
			return complain_of_member(load, node, "name",
			                          "is the name of another one, too");
	return true;
}

static bool
check_destination(struct loading *load, config_setting_t *node,
                  const struct conf_destination *destination)
{
	const struct conf_limit *limit = &destination->limit;
	config_setting_t *name = config_setting_get_member(node, "name");
	if (!name || destination->domains.n == 0)
		return conf_complain(load, conf_place(node), DESTINATIONS,
		                     DESTINATION_WANTED);
	if (!check_name(load, name, destination))
		return false;
	if (!conf_limit_fits(limit))
		return complain_of_member(load,
		                          config_setting_get_member(node, "recipients"),
		                          "recipients",
		                          "must not be fewer than messages");
	/* With mode = "off" it is meant: these domains are exempt from limits.default. */
	if (!conf_limit_bounds(limit) && !destination->has_greylist &&
	    limit->mode != MODE_OFF)
		return conf_complain(load, conf_place(node), DESTINATIONS,
		                     "wants a limit or greylist in each group "
		                     "(or mode = \"off\", which exempts its domains)");
	return true;
}

static bool
load_destination(struct loading *load, config_setting_t *node,
                 struct conf_destination *to)
{
	struct err why;
	if (!config_setting_is_group(node))
		return conf_complain(load, conf_place(node), DESTINATIONS,
		                     DESTINATION_WANTED);
	for (size_t i = 0; i < COUNT_OF(members); i++)
		if (!schema_set(&members[i], to, slice_of(members[i].text), &why))
			return conf_complain(load, conf_place(node), DESTINATIONS,
			                     why.text);
	for (int i = 0; i < config_setting_length(node); i++)
		if (!load_member(load, config_setting_get_elem(node, (unsigned)i), to))
			return false;
	return check_destination(load, node, to);
}

bool
conf_load_destinations(struct loading *load, config_setting_t *node)
{
	if (!want_list(load, node, DESTINATIONS))
		return false;
	size_t n = (size_t)config_setting_length(node);
	struct conf *conf = load->conf;
	conf->limits.destinations = mem_alloc(n * sizeof(*conf->limits.destinations));
	for (size_t i = 0; i < n; i++) {
		conf->limits.n_destinations = i + 1;
		if (!load_destination(load, config_setting_get_elem(node, (unsigned)i),
		                      &conf->limits.destinations[i]))
			return false;
	}
	return true;
}

void
conf_free_groups(struct conf *conf)
{
	for (size_t i = 0; i < conf->greylist.n_pools; i++) {
		free(conf->greylist.pools[i].name);
		list_free(&conf->greylist.pools[i].clients);
	}
	free(conf->greylist.pools);
	domain_table_free(conf); /* its keys are texts of the destinations */
	for (size_t i = 0; i < conf->limits.n_destinations; i++)
		for (size_t j = 0; j < COUNT_OF(members); j++)
			schema_clear(&members[j], &conf->limits.destinations[i]);
	free(conf->limits.destinations);
}
