/* conf_members.c - limits of single users, senders and mailboxes: lists of groups. */
#include <libconfig.h>
#include <stdlib.h>

#include "base/hostname.h"
#include "base/mem.h"
#include "conf/normal.h"
#include "conf/schema.h"
#include "conf_priv.h"

#define NAME_MAX_LEN   64
#define MEMBER_MAX_LEN 320

#define IN(type, member) SETTING_AT(type, struct conf_group, member)

/* clang-format off */
static const struct setting rows[] = {
	{"name", IN(SET_TEXT, name), 0, 0, "", NULL, false},
	{"members", IN(SET_TEXTS, members), 0, 0, "", NULL, false},
	{"shared", IN(SET_BOOL, shared), 0, 0, "false", NULL, false},
	{"concurrency", IN(SET_INT, limit.concurrency), 0, CONCURRENCY_MAX, "0", NULL, false},
	{"messages", IN(SET_RATES, limit.messages), 0, 0, "0", NULL, false},
	{"recipients", IN(SET_RATES, limit.recipients), 0, 0, "0", NULL, false},
	{"mode", IN(SET_ENUM, limit.mode), 0, 0, "on", "on|observe|off", false},
	{"reply", IN(SET_REPLY, limit.reply), 0, 0, "", NULL, false},
};

/* clang-format on */

#define GROUP_WANTED                                                                \
 "wants groups with a name and members: "                                           \
 "{ name = \"x\"; members = [ \"...\" ]; messages = \"100/1h\"; }, or one without " \
 "both, which applies to all others"

/* One list while it is loaded. */
struct list_of_groups {
	struct loading *load;
	const char *setting; /* "limits.users" */
	struct conf_groups *groups;
	bool of_users; /* whose members are names, not addresses and domains */
};

static bool
complain(const struct list_of_groups *list, config_setting_t *node, const char *member,
         const char *why)
{
	return conf_complain_of_member(list->load, node, list->setting, member, why);
}

/* ---- members ---- */

static bool
is_printable(struct slice text)
{
	for (size_t i = 0; i < text.n; i++)
		if ((unsigned char)text.p[i] < ' ' || text.p[i] == 0x7f)
			return false;
	return text.n > 0 && text.n <= MEMBER_MAX_LEN;
}

/* An address, a domain, or ".domain" for all below it. */
static bool
is_address_or_domain(struct slice text)
{
	ptrdiff_t at = slice_rfind(text, '@');
	if (at > 0)
		return (size_t)at + 1 < text.n;
	if (at == 0)
		return false;
	char buf[4 * MEMBER_MAX_LEN];
	struct text domain = TEXT(buf);
	text_put_domain(&domain, text.p[0] == '.' ? slice_from(text, 1) : text);
	return hostname_is_valid(text_slice(&domain));
}

/* Says `"MEMBER" why`. */
static bool
refuse(const struct list_of_groups *list, config_setting_t *node, struct slice member,
       const char *why)
{
	char buf[400];
	struct text text = TEXT(buf);
	text_putc(&text, '"');
	text_put_escaped(&text, slice_head(member, 80));
	text_printf(&text, "\" %s", why);
	return complain(list, node, "members", buf);
}

/* As it is compared: a user, an address or a domain. */
static void
put_normal(const struct list_of_groups *list, struct slice member, struct text *out)
{
	ptrdiff_t at = list->of_users ? -1 : slice_rfind(member, '@');
	if (list->of_users) {
		text_put_local(out, member);
		return;
	}
	if (at >= 0) {
		text_put_local(out, slice_head(member, (size_t)at));
		text_putc(out, '@');
	}
	text_put_domain(out, slice_from(member, (size_t)(at + 1)));
}

/* Takes it into the group, and into the table of all. */
static bool
add_member(const struct list_of_groups *list, config_setting_t *node,
           struct conf_group *to, struct slice member)
{
	char buf[4 * MEMBER_MAX_LEN], why[120];
	struct text lower = TEXT(buf), said = TEXT(why);
	struct conf_texts *members = &to->members;
	put_normal(list, member, &lower);
	members->v = mem_grow(members->v, (members->n + 1) * sizeof(*members->v));
	members->v[members->n] = mem_dup(text_slice(&lower));
	const struct conf_group *other = group_add(list->groups, members->v[members->n++],
	                                           (size_t)(to - list->groups->v));
	if (!other)
		return true;
	text_printf(&said, "already belongs to \"%s\"", other->name ? other->name : "");
	return refuse(list, node, member, other == to ? "is there twice" : why);
}

static bool
load_one(const struct list_of_groups *list, config_setting_t *node, struct conf_group *to)
{
	const char *text = config_setting_get_string(node);
	if (!text)
		return complain(list, node, "members",
		                "wants strings: [ \"...\", \"...\" ]");
	struct slice member = slice_of(text);
	if (!is_printable(member))
		return refuse(list, node, member,
		              "must be from 1 to 320 printable characters");
	if (!list->of_users && !is_address_or_domain(member))
		return refuse(list, node, member,
		              "is not an address, a domain or \".domain\"");
	return add_member(list, node, to, member);
}

static bool
load_members(const struct list_of_groups *list, config_setting_t *node,
             struct conf_group *to)
{
	if (!config_setting_is_array(node) && !config_setting_is_list(node))
		return complain(list, node, "members",
		                "wants an array: [ \"...\", \"...\" ]");
	for (int i = 0; i < config_setting_length(node); i++)
		if (!load_one(list, config_setting_get_elem(node, (unsigned)i), to))
			return false;
	return true;
}

/* ---- groups ---- */

static bool
load_setting(const struct list_of_groups *list, config_setting_t *node,
             struct conf_group *to)
{
	const struct setting *row =
		conf_member_row(list->load, node, list->setting, rows, COUNT_OF(rows));
	if (!row)
		return false;
	if (row->type == SET_TEXTS)
		return load_members(list, node, to);
	return conf_set_member(list->load, node, list->setting, row, to);
}

static bool
is_name_taken(const struct list_of_groups *list, const struct conf_group *group)
{
	for (const struct conf_group *other = list->groups->v; other < group; other++)
		if (strcmp(other->name, group->name) == 0)
			return true;
	return false;
}

static bool
check(const struct list_of_groups *list, config_setting_t *node,
      const struct conf_group *group)
{
	config_setting_t *name = config_setting_get_member(node, "name");
	if (!name || group->members.n == 0)
		return conf_complain(list->load, conf_place(node), list->setting,
		                     GROUP_WANTED);
	if (!conf_is_word(group->name) || strlen(group->name) > NAME_MAX_LEN)
		return complain(list, name, "name",
		                "must be at most 64 letters, digits, - . _");
	if (is_name_taken(list, group))
		return complain(list, name, "name", "is the name of another one, too");
	if (!conf_limit_fits(&group->limit))
		return complain(list, config_setting_get_member(node, "recipients"),
		                "recipients", "must not be fewer than messages");
	if (!conf_limit_bounds(&group->limit) && group->limit.mode != MODE_OFF)
		return conf_complain(list->load, conf_place(node), list->setting,
		                     "wants a limit in each group "
		                     "(or mode = \"off\", which exempts its members)");
	return true;
}

static bool
load_group(const struct list_of_groups *list, config_setting_t *node)
{
	struct conf_group *group = &list->groups->v[list->groups->n++];
	struct err why;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (!schema_set(&rows[i], group, slice_of(rows[i].text), &why))
			return conf_complain(list->load, conf_place(node), list->setting,
			                     why.text);
	for (int i = 0; i < config_setting_length(node); i++)
		if (!load_setting(list, config_setting_get_elem(node, (unsigned)i),
		                  group))
			return false;
	return check(list, node, group);
}

/* What holds for all others. */
static bool
is_default(config_setting_t *node)
{
	return !config_setting_get_member(node, "name") &&
	       !config_setting_get_member(node, "members") &&
	       !config_setting_get_member(node, "shared") &&
	       config_setting_length(node) > 0;
}

static bool
load_element(const struct list_of_groups *list, config_setting_t *node,
             config_setting_t **default_at)
{
	if (!config_setting_is_group(node))
		return conf_complain(list->load, conf_place(node), list->setting,
		                     GROUP_WANTED);
	if (!is_default(node))
		return load_group(list, node);
	if (*default_at)
		return conf_complain(
			list->load, conf_place(node), list->setting,
			"has two groups without name and members: only one may apply to all others");
	*default_at = node;
	return true;
}

bool
conf_load_limit_groups(struct loading *load, config_setting_t *node,
                       const struct setting *row, config_setting_t **default_out)
{
	struct conf_groups *groups = (void *)((char *)load->conf + row->offset);
	struct list_of_groups list = {
		.load = load,
		.setting = row->name,
		.groups = groups,
		.of_users = groups == &load->conf->limits.user_groups,
	};
	if (!config_setting_is_list(node))
		return conf_complain(load, conf_place(node), row->name,
		                     "wants a group or a list of groups: { ... } or "
		                     "( { ... }, { ... } )");
	size_t n = (size_t)config_setting_length(node);
	groups->v = mem_alloc(n * sizeof(*groups->v));
	*default_out = NULL;
	for (size_t i = 0; i < n; i++)
		if (!load_element(&list, config_setting_get_elem(node, (unsigned)i),
		                  default_out))
			return false;
	return true;
}

void
conf_free_limit_groups(struct conf_groups *groups)
{
	group_table_free(groups); /* its keys are texts of the groups */
	for (size_t i = 0; i < groups->n; i++)
		for (size_t j = 0; j < COUNT_OF(rows); j++)
			schema_clear(&rows[j], &groups->v[i]);
	free(groups->v);
}
