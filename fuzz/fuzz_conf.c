/*
 * fuzz_conf.c - any bytes as a settings file; each line of it also as what -o gives.
 *
 * What must hold: a text comes with every refusal, and what is taken is within its bounds.
 * Other files are not looked at: those that lists and @include name would be the machine's.
 */
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "conf/conf.h"
#include "conf/list.h"
#include "conf/member.h"
#include "conf/schema.h"

enum { LINES_TRIED = 4 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__lsan_default_suppressions(void);

/* libconfig 1.5 loses the beginning of a string that does not end. */
const char *
__lsan_default_suppressions(void)
{
	return "leak:libconfig.so";
}

static void
must(bool holds)
{
	if (!holds)
		abort();
}

/* The bytes as a file that conf_load() can open; one descriptor serves all inputs. */
static const char *
as_file(struct slice bytes)
{
	static char path[64];
	static int fd = -1;
	if (fd < 0) {
		fd = memfd_create("conf", MFD_CLOEXEC);
		struct text text = TEXT(path);
		text_printf(&text, "/proc/self/fd/%d", fd);
	}
	must(fd >= 0 && ftruncate(fd, 0) == 0);
	must(pwrite(fd, bytes.p, bytes.n, 0) == (ssize_t)bytes.n);
	return path;
}

static bool
has(struct slice bytes, const char *word)
{
	return bytes.n > 0 && memmem(bytes.p, bytes.n, word, strlen(word)) != NULL;
}

/* Whether the settings could make us open another file. */
static bool
names_files(struct slice bytes)
{
	return has(bytes, "@include") || has(bytes, "password_file") ||
	       (has(bytes, "lists") && (has(bytes, "clients") || has(bytes, "senders") ||
	                                has(bytes, "recipients")));
}

static void
check_destinations(const struct conf *conf)
{
	for (size_t i = 0; i < conf->limits.n_destinations; i++) {
		const struct conf_destination *one = &conf->limits.destinations[i];
		must(*one->name && strlen(one->name) <= 64 && one->domains.n > 0);
		must(one->limit.concurrency >= 0 &&
		     one->limit.concurrency <= CONCURRENCY_MAX);
		must(strlen(one->limit.reply) <= 400);
		for (size_t j = 0; j < one->domains.n; j++) {
			struct slice domain = slice_of(one->domains.v[j]);
			must(domain.p[0] == '.' || destination_find(conf, domain) == one);
		}
	}
	destination_find(conf, SLICE("a.b.c.example"));
}

static void
check(const struct conf *conf)
{
	for (size_t i = 0; i < schema_rows; i++) {
		const struct setting *row = &schema[i];
		const char *at = (const char *)conf + row->offset;
		if (row->type != SET_INT && row->type != SET_OCTAL &&
		    row->type != SET_TIME && row->type != SET_SIZE)
			continue;
		int64_t value = *(const int64_t *)(const void *)at;
		must(value >= row->min && value <= row->max);
	}
	must(conf->greylist.delay_ms < conf->greylist.retry_window_ms);
	must(conf->greylist.retry_window_ms <= conf->greylist.lifetime_ms);
	must(conf->policyd.listen.n > 0 && conf->store.redis.servers.n == 1);
	must(conf->own_networks && conf->allowed_clients && conf->unlimited_clients);
	check_destinations(conf);
	must(*conf->node && strlen(conf->greylist.reply) <= 400);
}

static void
try(const char *path, const struct conf_texts *overrides)
{
	struct err err = {0};
	struct conf *conf = conf_load(path, overrides, &err);
	must(conf || err.text[0]);
	if (conf)
		check(conf);
	conf_unref(&conf);
}

static void
try_override(struct slice line)
{
	char buf[2048];
	struct text text = TEXT(buf);
	text_put(&text, slice_head(line, sizeof(buf) - 1));
	struct conf_texts overrides = {.v = (char *[]){buf}, .n = 1};
	if (text.n > 0)
		try(NULL, &overrides);
	if (schema_nearest(line))
		must(schema_find(slice_of(schema_nearest(line))) != NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice rest = {.p = (const char *)data, .n = size}, line;
	if (names_files(rest))
		return 0;
	try(as_file(rest), NULL);
	for (int i = 0; i < LINES_TRIED && slice_cut(&rest, '\n', &line); i++)
		try_override(line);
	return 0;
}
