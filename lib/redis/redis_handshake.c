/* redis_handshake.c - what is said first on a connection: who we are, and the site's secret. */
#include "store_redis.h"

#include <string.h>

#include "base/log.h"
#include "redis_reply.h"

/* What the server says against us ends the connection. */
static void
drop_for(struct store_backend *backend, const struct redis_reply *reply)
{
	char why[256];
	struct text text = TEXT(why);
	const struct redis_error *error = redis_error_find(reply->text);
	text_put(&text, reply->text);
	if (error->advice)
		text_printf(&text, ": %s", error->advice);
	link_drop(backend->link, why);
}

static void
on_secret(void *arg, const struct redis_reply *reply)
{
	struct store_backend *backend = arg;
	struct key_secret stored;
	if (reply->kind == REDIS_LOST)
		return;
	if (reply->kind == REDIS_ERROR) {
		drop_for(backend, reply);
		return;
	}
	if (reply->kind != REDIS_TEXT || !key_secret_parse(reply->text, &stored)) {
		link_drop(backend->link, "the stored secret is not a valid secret");
		return;
	}
	backend->secret = stored;
	link_is_good(backend->link);
	backend->reports->came_up(backend->store, &stored);
}

/* A store that is full may have a secret all the same: then the GET that follows decides. */
static void
on_secret_put(void *arg, const struct redis_reply *reply)
{
	if (reply->kind == REDIS_ERROR &&
	    redis_error_find(reply->text)->cure != REDIS_NONE)
		drop_for(arg, reply);
}

/* Puts our secret where none is stored, and takes the one that is. */
void
redis_agree_on_secret(struct store_backend *backend)
{
	char name[128], secret[KEY_SECRET_TEXT_LEN + 1];
	struct text key = TEXT(name);
	text_printf(&key, "%ssecret", backend->prefix);
	key_secret_print(&backend->secret, secret);
	struct slice put[] = {SLICE("SET"), text_slice(&key), slice_of(secret),
	                      SLICE("NX")};
	struct slice get[] = {SLICE("GET"), text_slice(&key)};
	link_send(backend->link, COUNT_OF(put), put, on_secret_put, backend);
	link_send(backend->link, COUNT_OF(get), get, on_secret, backend);
}

/* The value of "name:value\r\n" in the text of INFO. */
static struct slice
info_value(struct slice info, const char *name)
{
	struct slice line, key;
	while (slice_cut(&info, '\n', &line))
		if (slice_cut(&line, ':', &key) && slice_eq(key, slice_of(name)))
			return slice_trim(line);
	return (struct slice){0};
}

/* Evicting what has an expiry soonest, or anything at all, loses what we rely on. */
static void
on_memory(void *arg, const struct redis_reply *reply)
{
	struct store_backend *backend = arg;
	if (reply->kind != REDIS_TEXT)
		return;
	struct slice policy = info_value(reply->text, "maxmemory_policy");
	if (slice_eq(policy, SLICE("noeviction")) ||
	    slice_eq(policy, SLICE("volatile-lfu")))
		return;
	if (log_ration(&backend->last_policy_ms, 3600))
		log_warning(
			"redis: its maxmemory-policy %.*s may drop what weir has stored: set "
			"noeviction or volatile-lfu",
			(int)policy.n, policy.p);
}

/* Which life of the server it is; where it does not tell, only an emptied store is noticed. */
static void
on_server(void *arg, const struct redis_reply *reply)
{
	struct store_backend *backend = arg;
	struct text id = TEXT(backend->run_id);
	struct slice run_id = {0};
	if (reply->kind == REDIS_TEXT)
		run_id = info_value(reply->text, "run_id");
	text_put(&id, run_id.n > 0 ? run_id : SLICE("-"));
}

static void
introduce(struct store_backend *backend)
{
	struct slice memory[] = {SLICE("INFO"), SLICE("memory")};
	struct slice server[] = {SLICE("INFO"), SLICE("server")};
	link_send(backend->link, COUNT_OF(memory), memory, on_memory, backend);
	link_send(backend->link, COUNT_OF(server), server, on_server, backend);
	redis_agree_on_secret(backend);
}

/* AUTH or SELECT: nothing is written before all of them are granted. */
static void
on_admission(void *arg, const struct redis_reply *reply)
{
	struct store_backend *backend = arg;
	if (reply->kind == REDIS_LOST)
		return;
	if (reply->kind == REDIS_ERROR)
		drop_for(backend, reply);
	else if (--backend->admissions == 0)
		introduce(backend);
}

static void
ask_admission(struct store_backend *backend, const struct slice *words, size_t n)
{
	backend->admissions++;
	link_send(backend->link, n, words, on_admission, backend);
}

void
redis_greet(void *arg)
{
	struct store_backend *backend = arg;
	struct slice user = slice_of(backend->username);
	struct slice password = slice_of(backend->password);
	struct slice auth[] = {SLICE("AUTH"), user, password};
	struct slice auth_default[] = {SLICE("AUTH"), password};
	struct slice select_db[] = {SLICE("SELECT"), slice_of(backend->db)};
	backend->admissions = 0;
	if (user.n > 0)
		ask_admission(backend, auth, COUNT_OF(auth));
	else if (password.n > 0)
		ask_admission(backend, auth_default, COUNT_OF(auth_default));
	if (!slice_eq(slice_of(backend->db), SLICE("0")))
		ask_admission(backend, select_db, COUNT_OF(select_db));
	if (backend->admissions == 0)
		introduce(backend);
}
