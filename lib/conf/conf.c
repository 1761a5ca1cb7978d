/*
 * conf.c - loads a settings file into a checked snapshot.
 *
 * Every complaint names the place it comes from: "file:line: text", or the -o option.
 */
#include "conf_priv.h"

#include <assert.h>
#include <libconfig.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/owner.h"
#include "conf/list.h"
#include "conf/schema.h"

static bool
set_row(struct loading *load, const struct setting *row, struct slice value,
        struct place place)
{
	struct err why;
	if (!schema_set(row, load->conf, value, &why))
		return conf_complain(load, place, row->name, why.text);
	char **text = &load->conf->value_texts[row - schema];
	free(*text);
	*text = mem_dup(value);
	load->places[row - schema] = place;
	return true;
}

static bool load_group(struct loading *load, config_setting_t *group, const char *prefix);

static bool
load_limit_groups(struct loading *load, config_setting_t *node, const struct setting *row)
{
	config_setting_t *others;
	return conf_load_limit_groups(load, node, row, &others) &&
	       (!others || load_group(load, others, row->name));
}

static bool
load_value(struct loading *load, config_setting_t *node, const char *name)
{
	const struct setting *row = schema_find(slice_of(name));
	if (!row)
		return conf_unknown(load, conf_place(node), name,
		                    schema_nearest(slice_of(name)));
	if (row->type == SET_POOLS)
		return conf_load_pools(load, node);
	if (row->type == SET_DESTINATIONS)
		return conf_load_destinations(load, node);
	if (row->type == SET_GROUPS)
		return load_limit_groups(load, node, row);
	char buf[8192];
	struct text value = TEXT(buf);
	if (!conf_value(node, row->type, &value))
		return conf_complain(load, conf_place(node), name,
		                     conf_wanted(row->type));
	return set_row(load, row, text_slice(&value), conf_place(node));
}

/* Whether some setting's name begins with "name.". */
static bool
is_section(const char *name)
{
	size_t n = strlen(name);
	for (size_t i = 0; i < schema_rows; i++)
		if (strncmp(schema[i].name, name, n) == 0 && schema[i].name[n] == '.')
			return true;
	return false;
}

/* The settings of a group such as "limits.users"; names are joined with dots. */
static bool
load_group(struct loading *load, config_setting_t *group, const char *prefix)
{
	for (int i = 0; i < config_setting_length(group); i++) {
		config_setting_t *node = config_setting_get_elem(group, (unsigned)i);
		char name[128];
		snprintf(name, sizeof(name), "%s%s%s", prefix, *prefix ? "." : "",
		         config_setting_name(node));
		if (config_setting_is_group(node) && is_section(name)) {
			if (!load_group(load, node, name))
				return false;
		} else if (!load_value(load, node, name)) {
			return false;
		}
	}
	return true;
}

static bool
load_defaults(struct loading *load)
{
	for (size_t i = 0; i < schema_rows; i++)
		if (!set_row(load, &schema[i], slice_of(schema[i].text),
		             (struct place){0}))
			return false;
	return true;
}

static bool
load_override(struct loading *load, const char *text)
{
	struct place place = {.file = "-o"};
	struct slice rest = slice_of(text), name;
	if (!slice_cut(&rest, '=', &name) || !rest.p)
		return err_set(load->err, "-o wants name=value, not \"%s\"", text);
	const struct setting *row = schema_find(slice_trim(name));
	if (!row) {
		char copy[128];
		struct text typed = TEXT(copy);
		text_put(&typed, name);
		return conf_unknown(load, place, copy,
		                    schema_nearest(text_slice(&typed)));
	}
	return set_row(load, row, slice_trim(rest), place);
}

/* What is wrong with a file that libconfig cannot read. */
static void
refuse_file(struct loading *load, config_t *tree, const char *path)
{
	struct place place = {.file = config_error_file(tree),
	                      .line = (unsigned)config_error_line(tree)};
	const char *text = config_error_text(tree);
	if (!place.file)
		place.file = path;
	if (strcmp(text, "duplicate setting name") != 0 ||
	    !conf_twice(tree, place, load->err))
		err_set(load->err, "%s:%u: %s", place.file, place.line, text);
}

static bool
load_tree(struct loading *load, config_t *tree, const char *path)
{
	if (!path)
		return true;
	struct stat st;
	if (stat(path, &st) != 0 || access(path, R_OK) != 0)
		return owner_refuses("read", path, load->err);
	if (!S_ISREG(st.st_mode)) /* a FIFO would hold us up for ever */
		return err_set(load->err, "%s is not a regular file", path);
	if (config_read_file(tree, path) != CONFIG_TRUE) {
		refuse_file(load, tree, path);
		return false;
	}
	return load_group(load, config_root_setting(tree), "");
}

static bool
load_all(struct loading *load, config_t *tree, const char *path,
         const struct conf_texts *overrides)
{
	if (!load_defaults(load) || !load_tree(load, tree, path))
		return false;
	for (size_t i = 0; overrides && i < overrides->n; i++)
		if (!load_override(load, overrides->v[i]))
			return false;
	return conf_load_pool_files(load, path) && conf_check(load);
}

static struct conf *
load_conf(const char *path, const struct conf_texts *overrides, bool without_lists,
          struct err *err_out)
{
	struct conf *conf = mem_new(struct conf);
	conf->refs = 1;
	conf->value_texts = mem_alloc(schema_rows * sizeof(*conf->value_texts));
	struct loading load = {.conf = conf,
	                       .err = err_out,
	                       .without_lists = without_lists,
	                       .places = mem_alloc(schema_rows * sizeof(*load.places))};
	config_t tree; /* outlives the places, which point into it */
	config_init(&tree);
	if (!load_all(&load, &tree, path, overrides))
		conf_unref(&conf);
	config_destroy(&tree);
	free(load.places);
	return conf;
}

const char *
conf_mode_word(int mode)
{
	static const char *const words[] = {
		[MODE_ON] = "on", [MODE_OBSERVE] = "observe", [MODE_OFF] = "off"};
	return words[mode];
}

struct conf *
conf_load(const char *path, const struct conf_texts *overrides, struct err *err_out)
{
	return load_conf(path, overrides, false, err_out);
}

struct conf *
conf_load_settings(const char *path, const struct conf_texts *overrides,
                   struct err *err_out)
{
	return load_conf(path, overrides, true, err_out);
}

struct conf *
conf_ref(struct conf *conf)
{
	__atomic_add_fetch(&conf->refs, 1, __ATOMIC_RELAXED);
	return conf;
}

static void
free_lists(struct conf *conf)
{
	list_free(&conf->allowed_clients);
	list_free(&conf->allowed_senders);
	list_free(&conf->allowed_recipients);
	list_free(&conf->own_networks);
	list_free(&conf->unlimited_clients);
	list_free(&conf->unlimited_senders);
	list_free(&conf->unlimited_recipients);
}

static void
free_password(struct conf *conf)
{
	if (conf->store.redis.password)
		explicit_bzero(conf->store.redis.password,
		               strlen(conf->store.redis.password));
	free(conf->store.redis.password);
}

void
conf_unref(struct conf **conf_at)
{
	struct conf *conf = *conf_at;
	*conf_at = NULL;
	if (!conf || __atomic_sub_fetch(&conf->refs, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	free_lists(conf);
	conf_free_groups(conf);
	conf_free_limit_groups(&conf->limits.sender_groups);
	conf_free_limit_groups(&conf->limits.user_groups);
	conf_free_limit_groups(&conf->limits.mailbox_groups);
	for (size_t i = 0; i < schema_rows; i++) {
		schema_clear(&schema[i], conf);
		free(conf->value_texts[i]);
	}
	free(conf->value_texts);
	free_password(conf);
	free(conf);
}

/* A node that is not set has the name of the host, which may change. */
static const char *
value_of(const struct conf *conf, size_t row)
{
	bool is_node = strcmp(schema[row].name, "node") == 0;
	return is_node ? conf->node : conf->value_texts[row];
}

/* As it is in `running`, and as it was written there. */
static void
keep_value(size_t row, const struct conf *running, struct conf *loaded)
{
	struct err err;
	bool good =
		schema_set(&schema[row], loaded, slice_of(value_of(running, row)), &err);
	assert(good); /* it was before */
	(void)good;
	free(loaded->value_texts[row]);
	loaded->value_texts[row] = mem_dup(slice_of(running->value_texts[row]));
}

void
conf_keep_started(const struct conf *running, struct conf *loaded, struct text *names_out)
{
	for (size_t i = 0; i < schema_rows; i++) {
		if (!schema[i].at_start ||
		    strcmp(value_of(running, i), value_of(loaded, i)) == 0)
			continue;
		keep_value(i, running, loaded);
		if (names_out->n > 0)
			text_putc(names_out, ' ');
		text_puts(names_out, schema[i].name);
	}
	free_password(loaded);
	loaded->store.redis.password = mem_dup(slice_of(running->store.redis.password));
}
