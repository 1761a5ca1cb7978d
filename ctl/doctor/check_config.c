/* check_config.c - weirctl check-config: whether the settings can be used, and what is set. */
#include <jansson.h>
#include <string.h>
#include <sysexits.h>

#include "books/status.h"
#include "commands.h"
#include "conf/schema.h"
#include "doctor.h"
#include "output.h"

enum { VALUE_MAX = 8192 };

static void
print_bound(const char *name, const struct conf_rates *rates, struct text *out)
{
	if (rates->n == 0)
		return;
	text_printf(out, " %s=", name);
	print_rates(rates, out);
}

/* "acme (acme.example, .acme.example) concurrency=20 messages=600/1m" */
static void
print_limit(const char *name, const struct conf_texts *members,
            const struct conf_limit *limit, struct text *out)
{
	text_printf(out, "%s (", name);
	for (size_t i = 0; i < members->n; i++) {
		text_puts(out, i > 0 ? ", " : "");
		text_puts(out, members->v[i]);
	}
	text_putc(out, ')');
	if (limit->concurrency > 0)
		text_printf(out, " concurrency=%lld", (long long)limit->concurrency);
	print_bound("messages", &limit->messages, out);
	print_bound("recipients", &limit->recipients, out);
	if (limit->mode != MODE_ON)
		text_printf(out, " mode=%s", conf_mode_word(limit->mode));
}

static void
print_destination(const struct conf_destination *destination, struct text *out)
{
	print_limit(destination->name, &destination->domains, &destination->limit, out);
	if (destination->has_greylist)
		text_printf(out, " greylist=%s", conf_mode_word(destination->greylist));
}

static void
print_group(const struct conf_group *group, struct text *out)
{
	print_limit(group->name, &group->members, &group->limit, out);
	if (group->shared)
		text_puts(out, " shared=true");
}

static void
print_groups(const struct conf_groups *groups, struct text *out)
{
	for (size_t i = 0; i < groups->n; i++) {
		text_puts(out, i > 0 ? "; " : "");
		print_group(&groups->v[i], out);
	}
}

/* In the form that -o takes, but for lists of groups, which it does not take. */
static void
print_value(const struct conf *conf, size_t row, struct text *out)
{
	switch (schema[row].type) {
	case SET_POOLS:
		for (size_t i = 0; i < conf->greylist.n_pools; i++)
			text_printf(out, "%s%s", i > 0 ? "; " : "",
			            conf->greylist.pools[i].name);
		break;
	case SET_DESTINATIONS:
		for (size_t i = 0; i < conf->limits.n_destinations; i++) {
			text_puts(out, i > 0 ? "; " : "");
			print_destination(&conf->limits.destinations[i], out);
		}
		break;
	case SET_GROUPS:
		print_groups((const void *)((const char *)conf + schema[row].offset),
		             out);
		break;
	default: text_puts(out, conf->value_texts[row]); break;
	}
}

typedef void setting_fn(void *arg, const char *name, const char *value);

static void
each_setting(const struct conf *conf, bool all, setting_fn *fn, void *arg)
{
	for (size_t i = 0; i < schema_rows; i++) {
		char buf[VALUE_MAX] = "";
		struct text value = TEXT(buf);
		print_value(conf, i, &value);
		if (all || strcmp(buf, schema[i].text) != 0)
			fn(arg, schema[i].name, buf);
	}
}

struct printing {
	struct view view;
	size_t n;
};

static void
print_setting(void *arg, const char *name, const char *value)
{
	struct printing *printing = arg;
	view_printf(&printing->view, "%s = ", name);
	view_text(&printing->view, value);
	view_puts(&printing->view, "\n");
	printing->n++;
}

static void
add_setting(void *arg, const char *name, const char *value)
{
	json_object_set_new(arg, name, status_text(slice_of(value)));
}

static void
print_text(const struct ctl *ctl, bool all, const struct findings *findings)
{
	struct printing printing = {.view = view_of_stdout()};
	const struct view *view = &printing.view;
	each_setting(ctl->conf, all, print_setting, &printing);
	if (printing.n > 0)
		view_puts(view, "\n");
	findings_print(findings, true, view);
	view_text(view, ctl->conf_path);
	view_printf(view, ": the settings are good%s\n",
	            printing.n == 0 ? "; all of them are defaults" : "");
}

static void
print_object(const struct ctl *ctl, bool all, const struct findings *findings,
             const char *error)
{
	json_t *settings = json_object();
	if (ctl->conf)
		each_setting(ctl->conf, all, add_setting, settings);
	json_t *whole = json_pack("{s:o, s:b, s:o, s:o, s:o}", "file",
	                          status_text(slice_of(ctl->conf_path)), "good",
	                          ctl->conf != NULL, "error",
	                          status_text(slice_of(error)), "settings", settings,
	                          "findings", findings_json(findings, true));
	print_json(whole);
}

int
command_check_config(struct ctl *ctl, int argc, char **argv)
{
	struct findings findings = {.topic = "settings"};
	struct err err = {0};
	bool all = ctl_option(ctl, "all") != NULL;
	(void)argc, (void)argv;
	ctl->conf = conf_load(ctl->conf_path, &ctl->overrides, &err);
	ctl->conf_has_lists = true;
	if (ctl->conf)
		doctor_judge_settings(ctl->conf, &findings);
	if (ctl->json)
		print_object(ctl, all, &findings, err.text);
	else if (ctl->conf)
		print_text(ctl, all, &findings);
	findings_free(&findings);
	if (ctl->conf)
		return EX_OK;
	int status = ctl_status(&err, EX_CONFIG);
	return ctl->json ? status : ctl_fail(status, "%s", err.text);
}
