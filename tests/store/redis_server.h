/*
 * redis_server.h - a real redis-server for a test: its own directory, unix socket and process.
 *
 * It dies with the process that started it.  What fails here fails the test.
 */
#ifndef WEIR_TESTS_REDIS_SERVER_H
#define WEIR_TESTS_REDIS_SERVER_H

#include <hiredis/hiredis.h>
#include <stdbool.h>
#include <sys/types.h>

struct redis_server {
	pid_t pid; /* 0: not running */
	const char *const *options;
	char dir[256];
	char socket[100];
	char endpoint[108]; /* as store.redis.servers takes it */
};

/*
 * Whether tests with Redis are to be run: redis-server is installed, or WEIR_REQUIRE_REDIS=1
 * says that they must.  Prints a TAP diagnostic when they are left out.
 */
bool redis_tests_wanted(void);

/* Returns when it answers; `options` (more words of its command line, NULL at the end) stay. */
void redis_server_start(struct redis_server *server, const char *const *options);

/* The same again, in the same place, after it was killed or stopped. */
void redis_server_start_again(struct redis_server *server);

void redis_server_kill(struct redis_server *server);   /* SIGKILL */
void redis_server_stop(struct redis_server *server);   /* SIGTERM */
void redis_server_pause(struct redis_server *server);  /* SIGSTOP */
void redis_server_resume(struct redis_server *server); /* SIGCONT */

/* A connection of the test's own; redisFree() it. */
redisContext *redis_server_connect(const struct redis_server *server);

/*
 * One command on a connection of its own, split at blanks; the integer of its reply, or of the
 * text of its reply.
 */
long long redis_server_do(const struct redis_server *server, const char *command);

#endif
