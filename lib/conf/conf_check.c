/* conf_check.c - the settings as a whole: do they fit together, and what they name in files. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/endpoint.h"
#include "base/hostname.h"
#include "base/mem.h"
#include "conf/list.h"
#include "conf/member.h"
#include "conf/schema.h"
#include "conf_priv.h"

/* Complains about the setting wherever it was set. */
static bool
complain_of(struct loading *load, const char *name, const char *text)
{
	const struct setting *row = schema_find(slice_of(name));
	return conf_complain(load, load->places[row - schema], name, text);
}

static bool
check_node(struct loading *load)
{
	struct conf *conf = load->conf;
	if (!*conf->node) {
		char host[256] = "";
		gethostname(host, sizeof(host) - 1);
		free(conf->node);
		conf->node = mem_dup(slice_of(*host ? host : "localhost"));
	}
	if (!conf_is_word(conf->node) || strlen(conf->node) > 64)
		return complain_of(load, "node",
		                   "must be at most 64 letters, digits, - . _");
	return true;
}

/* Debian's Postfix has its myorigin from here; empty when there is none. */
static void
read_mailname(struct text *out)
{
	char buf[HOSTNAME_MAX + 2];
	FILE *file = fopen("/etc/mailname", "re");
	if (!file)
		return;
	if (fgets(buf, sizeof(buf), file))
		text_put(out, slice_trim(slice_of(buf)));
	fclose(file);
}

static void
set_origin(struct conf *conf)
{
	char buf[HOSTNAME_MAX + 1];
	struct text name = TEXT(buf);
	read_mailname(&name);
	if (name.cut || !hostname_is_valid(text_slice(&name))) {
		name = TEXT(buf);
		text_puts(&name, conf->node);
	}
	free(conf->rewrite.origin);
	conf->rewrite.origin = mem_dup(text_slice(&name));
}

static bool
check_rewrite(struct loading *load)
{
	struct conf *conf = load->conf;
	if (!*conf->rewrite.origin)
		set_origin(conf);
	else if (!hostname_is_valid(slice_of(conf->rewrite.origin)))
		return complain_of(load, "rewrite.origin", "wants a domain");
	return !*conf->rewrite.append_domain ||
	       hostname_is_valid(slice_of(conf->rewrite.append_domain)) ||
	       complain_of(load, "rewrite.append_domain", "wants a domain");
}

static bool
check_endpoint(struct loading *load, const char *name, const char *text, bool any_port)
{
	struct endpoint endpoint;
	if (!endpoint_parse(slice_of(text), &endpoint) ||
	    (!endpoint.is_unix && endpoint.port == 0 && !any_port))
		return complain_of(
			load, name,
			"wants \"inet:HOST:PORT\", \"HOST:PORT\" or \"unix:/PATH\"");
	return true;
}

/* As many as there are. */
static bool
check_listeners(struct loading *load, const char *name, const struct conf_texts *texts)
{
	for (size_t i = 0; i < texts->n; i++)
		if (!check_endpoint(load, name, texts->v[i], true))
			return false;
	return true;
}

static bool
check_redis(struct loading *load)
{
	const struct conf *conf = load->conf;
	if (conf->store.redis.servers.n != 1)
		return complain_of(load, "store.redis.servers", "must name one server");
	if (strlen(conf->store.redis.prefix) > 64 ||
	    strpbrk(conf->store.redis.prefix, " \t\r\n{}*?[]"))
		return complain_of(
			load, "store.redis.prefix",
			"must be at most 64 characters, none of blank { } * ? [ ]");
	if (*conf->store.redis.username && !*conf->store.redis.password_file)
		return complain_of(load, "store.redis.username", "needs a password_file");
	return check_endpoint(load, "store.redis.servers", conf->store.redis.servers.v[0],
	                      false);
}

/* Less would not hold the tables. */
#define SIZE_MIN (64 << 10)

static bool
check_size(struct loading *load)
{
	int64_t max_size = load->conf->store.max_size;
	if (max_size != 0 && max_size < SIZE_MIN)
		return complain_of(load, "store.max_size",
		                   "must be 0 (no limit) or at least 64K");
	return true;
}

static bool
check_times(struct loading *load)
{
	const struct conf *conf = load->conf;
	if (conf->greylist.retry_window_ms <= conf->greylist.delay_ms)
		return complain_of(load, "greylist.retry_window",
		                   "must be longer than greylist.delay");
	if (conf->greylist.lifetime_ms < conf->greylist.retry_window_ms)
		return complain_of(load, "greylist.lifetime",
		                   "must not be shorter than greylist.retry_window");
	return true;
}

static bool
check_rates(struct loading *load, const char *name, const struct conf_limit *limit)
{
	return conf_limit_fits(limit) ||
	       complain_of(load, name, "must not be fewer than messages");
}

/* A destination "*" leaves nothing over for limits.default. */
static bool
check_default(struct loading *load)
{
	const struct conf_limit *other = &load->conf->limits.other;
	const char *name = "limits.default.recipients";
	const struct conf_destination *all = destination_find(load->conf, SLICE("*"));
	if (!all || !conf_limit_bounds(other) || other->mode == MODE_OFF)
		return true;
	if (other->concurrency > 0)
		name = "limits.default.concurrency";
	else if (other->messages.n > 0)
		name = "limits.default.messages";
	char buf[200];
	struct text text = TEXT(buf);
	text_printf(&text, "never applies: the destination \"%s\" has all domains",
	            all->name);
	return complain_of(load, name, buf);
}

static bool
have_concurrency(const struct conf_groups *groups)
{
	for (size_t i = 0; i < groups->n; i++)
		if (groups->v[i].limit.concurrency > 0)
			return true;
	return false;
}

bool
conf_has_concurrency(const struct conf *conf)
{
	bool any = conf->limits.other.concurrency > 0 ||
	           conf->limits.clients.concurrency > 0 ||
	           conf->limits.senders.concurrency > 0 ||
	           conf->limits.users.concurrency > 0 ||
	           conf->limits.mailboxes.concurrency > 0 ||
	           have_concurrency(&conf->limits.sender_groups) ||
	           have_concurrency(&conf->limits.user_groups) ||
	           have_concurrency(&conf->limits.mailbox_groups);
	for (size_t i = 0; !any && i < conf->limits.n_destinations; i++)
		any = conf->limits.destinations[i].limit.concurrency > 0;
	return any;
}

/* It matters where there are slots only: a long store.deadline by itself is no mistake. */
static bool
check_lease(struct loading *load)
{
	const struct conf *conf = load->conf;
	const struct place place =
		load->places[schema_find(SLICE("limits.lease")) - schema];
	if (conf->limits.lease_ms >= 10 * conf->store.deadline_ms ||
	    (!place.file && !conf_has_concurrency(conf)))
		return true;
	return complain_of(load, place.file ? "limits.lease" : "store.deadline",
	                   place.file ? "must be at least 10 times store.deadline"
	                              : "must be at most a tenth of limits.lease");
}

static bool
check_limits(struct loading *load)
{
	const struct conf *conf = load->conf;
	return check_rates(load, "limits.default.recipients", &conf->limits.other) &&
	       check_rates(load, "limits.clients.recipients", &conf->limits.clients) &&
	       check_rates(load, "limits.senders.recipients", &conf->limits.senders) &&
	       check_rates(load, "limits.users.recipients", &conf->limits.users) &&
	       check_rates(load, "limits.mailboxes.recipients",
	                   &conf->limits.mailboxes) &&
	       check_default(load) && check_lease(load);
}

static bool
check_policyd(struct loading *load)
{
	const struct conf *conf = load->conf;
	if (conf->policyd.listen.n == 0)
		return complain_of(load, "policyd.listen",
		                   "must name at least one address");
	return check_listeners(load, "policyd.listen", &conf->policyd.listen);
}

static bool
check_all(struct loading *load)
{
	const struct conf *conf = load->conf;
	return check_node(load) && check_rewrite(load) && check_redis(load) &&
	       check_size(load) && check_times(load) && check_policyd(load) &&
	       check_endpoint(load, "milter.listen", conf->milter.listen, true) &&
	       check_listeners(load, "http.listen", &conf->http.listen) &&
	       check_listeners(load, "http.milter_listen", &conf->http.milter_listen) &&
	       check_limits(load);
}

/* First line of a file nobody else may read. */
static bool
read_password(struct loading *load)
{
	struct conf *conf = load->conf;
	const char *path = conf->store.redis.password_file;
	conf->store.redis.password = mem_dup(SLICE(""));
	if (!*path || conf->store.backend != BACKEND_REDIS)
		return true;
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	struct stat st;
	char buf[1024];
	ssize_t n = -1;
	if (fd >= 0 && fstat(fd, &st) == 0)
		n = read(fd, buf, sizeof(buf));
	int error = errno;
	if (fd >= 0)
		close(fd);
	errno = error;
	if (n < 0)
		return err_set_errno(load->err,
		                     "store.redis.password_file: cannot read %s", path);
	if (st.st_mode & (S_IRWXO | S_IWGRP))
		return err_set(load->err,
		               "store.redis.password_file: %s must not be readable by "
		               "others nor writable by its group",
		               path);
	struct slice rest = {.p = buf, .n = (size_t)n}, line = {0};
	if (!slice_cut(&rest, '\n', &line) || slice_trim(line).n == 0 || n == sizeof(buf))
		return err_set(load->err, "store.redis.password_file: no password in %s",
		               path);
	free(conf->store.redis.password);
	conf->store.redis.password = mem_dup(slice_trim(line));
	explicit_bzero(buf, sizeof(buf));
	return true;
}

static bool
load_files(const struct conf_texts *files, struct list *list, struct list *unlimited,
           struct err *err)
{
	for (size_t i = 0; i < files->n; i++)
		if (!listfile_load(list, unlimited, files->v[i], err))
			return false;
	return true;
}

static bool
load_networks(struct loading *load)
{
	struct conf *conf = load->conf;
	for (size_t i = 0; i < conf->lists.networks.n; i++) {
		struct cidr cidr;
		struct slice entry = slice_of(conf->lists.networks.v[i]);
		struct err why;
		if (!cidr_parse(entry, &cidr))
			return complain_of(
				load, "lists.networks",
				"wants addresses and networks such as \"192.0.2.0/24\"");
		if (!list_add(conf->own_networks, entry, 0, "lists.networks", 0, &why))
			return complain_of(load, "lists.networks", why.text);
	}
	return true;
}

static bool
load_lists(struct loading *load)
{
	struct conf *conf = load->conf;
	conf->allowed_clients = list_new(LIST_CLIENTS);
	conf->allowed_senders = list_new(LIST_MAIL);
	conf->allowed_recipients = list_new(LIST_MAIL);
	conf->own_networks = list_new(LIST_CLIENTS);
	conf->unlimited_clients = list_new(LIST_CLIENTS);
	conf->unlimited_senders = list_new(LIST_MAIL);
	conf->unlimited_recipients = list_new(LIST_MAIL);
	if (load->without_lists)
		return true;
	return load_networks(load) &&
	       load_files(&conf->lists.clients, conf->allowed_clients,
	                  conf->unlimited_clients, load->err) &&
	       load_files(&conf->lists.senders, conf->allowed_senders,
	                  conf->unlimited_senders, load->err) &&
	       load_files(&conf->lists.recipients, conf->allowed_recipients,
	                  conf->unlimited_recipients, load->err);
}

bool
conf_check(struct loading *load)
{
	return check_all(load) && read_password(load) && load_lists(load);
}
