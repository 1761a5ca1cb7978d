/* conf_read.c - one value of a settings file: as text, set in its place, and complained about. */
#include <libconfig.h>
#include <stdio.h>

#include "conf_priv.h"

bool
conf_complain(struct loading *load, struct place place, const char *name,
              const char *text)
{
	if (place.file && place.line)
		return err_set(load->err, "%s:%u: %s %s", place.file, place.line, name,
		               text);
	if (place.file)
		return err_set(load->err, "%s %s %s", place.file, name, text);
	return err_set(load->err, "%s %s", name, text);
}

bool
conf_unknown(struct loading *load, struct place place, const char *name, const char *near)
{
	char text[200];
	if (near)
		snprintf(text, sizeof(text), "is not a setting; did you mean %s?", near);
	else
		snprintf(text, sizeof(text), "is not a setting");
	return conf_complain(load, place, name, text);
}

struct place
conf_place(const config_setting_t *node)
{
	return (struct place){.file = config_setting_source_file(node),
	                      .line = config_setting_source_line(node)};
}

/* Elements of an array or list of strings, separated by commas. */
static bool
join_strings(config_setting_t *node, struct text *out)
{
	for (int i = 0; i < config_setting_length(node); i++) {
		const char *one = config_setting_get_string_elem(node, i);
		if (!one || strchr(one, ','))
			return false;
		if (out->n > 0)
			text_puts(out, ", ");
		text_puts(out, one);
	}
	return !out->cut;
}

bool
conf_value(config_setting_t *node, enum setting_type wanted, struct text *out)
{
	switch (config_setting_type(node)) {
	case CONFIG_TYPE_STRING:
		text_puts(out, config_setting_get_string(node));
		return wanted != SET_TEXTS && wanted != SET_BOOL && !out->cut;
	case CONFIG_TYPE_INT:
	case CONFIG_TYPE_INT64:
		text_int(out, config_setting_get_int64(node));
		return wanted == SET_INT || wanted == SET_SIZE || wanted == SET_RATE ||
		       wanted == SET_RATES || wanted == SET_TIME;
	case CONFIG_TYPE_BOOL:
		text_puts(out, config_setting_get_bool(node) ? "true" : "false");
		return wanted == SET_BOOL;
	case CONFIG_TYPE_ARRAY:
	case CONFIG_TYPE_LIST:
		return (wanted == SET_TEXTS || wanted == SET_RATES) &&
		       join_strings(node, out);
	default: return false;
	}
}

const char *
conf_wanted(enum setting_type type)
{
	switch (type) {
	case SET_TEXTS:
		return "wants an array of strings without commas: [ \"...\", \"...\" ]";
	case SET_RATES:
		return "wants a string or an array of strings: \"20/1m\", "
		       "[ \"20/1m\", \"500/1d\" ]";
	case SET_BOOL: return "wants true or false, without quotes";
	case SET_INT: return "wants a whole number";
	default: return "wants a string: \"...\"";
	}
}

bool
conf_complain_of_member(struct loading *load, config_setting_t *node, const char *setting,
                        const char *member, const char *why)
{
	char name[128];
	struct text text = TEXT(name);
	text_printf(&text, "%s.", setting);
	text_puts(&text, member);
	return conf_complain(load, conf_place(node), name, why);
}

const struct setting *
conf_member_row(struct loading *load, config_setting_t *node, const char *setting,
                const struct setting *rows, size_t n)
{
	char name[128];
	struct text text = TEXT(name);
	const char *member = config_setting_name(node);
	const struct setting *row = setting_find(rows, n, slice_of(member));
	if (row)
		return row;
	text_printf(&text, "%s.", setting);
	text_puts(&text, member);
	conf_unknown(load, conf_place(node), name,
	             setting_nearest(rows, n, slice_of(member)));
	return NULL;
}

bool
conf_set_member(struct loading *load, config_setting_t *node, const char *setting,
                const struct setting *row, void *base)
{
	char buf[1024];
	struct text value = TEXT(buf);
	struct err why;
	if (!conf_value(node, row->type, &value))
		return conf_complain_of_member(load, node, setting, row->name,
		                               conf_wanted(row->type));
	return schema_set(row, base, text_slice(&value), &why) ||
	       conf_complain_of_member(load, node, setting, row->name, why.text);
}

bool
conf_is_word(const char *text)
{
	for (const char *p = text; *p; p++)
		if (!ascii_alpha(*p) && !ascii_digit(*p) && !strchr("-._", *p))
			return false;
	return *text;
}

bool
conf_limit_bounds(const struct conf_limit *limit)
{
	return limit->concurrency > 0 || limit->messages.n > 0 || limit->recipients.n > 0;
}

bool
conf_limit_fits(const struct conf_limit *limit)
{
	for (size_t i = 0; i < limit->recipients.n; i++)
		for (size_t j = 0; j < limit->messages.n; j++)
			if (limit->recipients.v[i].per_ms ==
			            limit->messages.v[j].per_ms &&
			    limit->recipients.v[i].count < limit->messages.v[j].count)
				return false;
	return true;
}
