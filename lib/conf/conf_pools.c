/* conf_pools.c - files of pools: greylist.pool_files, as etc/pools.conf is one. */
#include <libconfig.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/owner.h"
#include "conf_priv.h"

#define FILE_SETTING "greylist.pool_files"

/* A file whose name is not absolute is beside the file of the settings. */
static void
put_path(const char *conf_path, const char *name, struct text *out)
{
	struct slice of = slice_of(conf_path ? conf_path : "");
	ptrdiff_t slash = slice_rfind(of, '/');
	if (name[0] != '/' && slash >= 0)
		text_put(out, slice_head(of, (size_t)slash + 1));
	text_puts(out, name);
}

/* The oldest of all files counts. */
static bool
load_date(struct loading *load, config_setting_t *node)
{
	const char *text = config_setting_get_string(node);
	int64_t date_s, *oldest_s = &load->conf->greylist.pools_date_s;
	if (!text || !clock_parse_date(slice_of(text), &date_s))
		return conf_complain(load, conf_place(node), "date",
		                     "wants a date such as \"2026-11-30\"");
	if (*oldest_s == 0 || date_s < *oldest_s)
		*oldest_s = date_s;
	return true;
}

static bool
load_members(struct loading *load, config_t *tree)
{
	config_setting_t *root = config_root_setting(tree);
	for (int i = 0; i < config_setting_length(root); i++) {
		config_setting_t *node = config_setting_get_elem(root, (unsigned)i);
		const char *name = config_setting_name(node);
		bool is_date = strcmp(name, "date") == 0;
		if (!is_date && strcmp(name, "pools") != 0)
			return conf_complain(
				load, conf_place(node), name,
				"is not allowed: a file of pools has only date and pools");
		if (!(is_date ? load_date(load, node) : conf_load_pools(load, node)))
			return false;
	}
	return true;
}

static bool
load_file(struct loading *load, const char *path)
{
	struct stat st;
	config_t tree;
	if (stat(path, &st) != 0 || access(path, R_OK) != 0)
		return owner_refuses("read", path, load->err);
	if (!S_ISREG(st.st_mode)) /* a FIFO would hold us up for ever */
		return err_set(load->err, FILE_SETTING ": %s is not a regular file",
		               path);
	config_init(&tree);
	bool good = config_read_file(&tree, path) == CONFIG_TRUE;
	if (!good)
		err_set(load->err, "%s:%d: %s",
		        config_error_file(&tree) ? config_error_file(&tree) : path,
		        config_error_line(&tree), config_error_text(&tree));
	good = good && load_members(load, &tree);
	config_destroy(&tree);
	return good;
}

bool
conf_load_pool_files(struct loading *load, const char *conf_path)
{
	const struct conf_texts *files = &load->conf->greylist.pool_files;
	for (size_t i = 0; i < files->n; i++) {
		char buf[4096];
		struct text path = TEXT(buf);
		put_path(conf_path, files->v[i], &path);
		if (path.cut)
			return err_set(load->err, FILE_SETTING ": a path is too long");
		if (!load_file(load, buf))
			return false;
	}
	return true;
}
