#include "redis_server.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "harness.h"

#define PROGRAM   "redis-server"
#define PATIENCE  20000 /* ms, for a loaded machine */
#define POLL_US   2000
#define WORDS_MAX 64

static bool
is_installed(void)
{
	const char *dirs = getenv("PATH");
	struct slice rest = slice_of(dirs ? dirs : "/usr/bin"), dir;
	while (slice_cut(&rest, ':', &dir)) {
		char buf[512];
		struct text path = TEXT(buf);
		text_put(&path, dir);
		text_puts(&path, "/" PROGRAM);
		if (!path.cut && access(buf, X_OK) == 0)
			return true;
	}
	return false;
}

bool
redis_tests_wanted(void)
{
	static bool said;
	const char *variable = getenv("WEIR_REQUIRE_REDIS");
	bool required = variable && strcmp(variable, "1") == 0;
	if (is_installed())
		return true;
	if (!said)
		printf(required ? "# WEIR_REQUIRE_REDIS=1, but " PROGRAM
		                  " is not installed\n"
		                : "# SKIP without " PROGRAM
		                  " nothing is tested with Redis\n");
	fflush(stdout);
	said = true;
	return required;
}

/* In the child: becomes the server, its output in a file of the directory. */
static void
become_server(const struct redis_server *server)
{
	const char *words[WORDS_MAX] = {PROGRAM,    "--port",       "0",  "--unixsocket",
	                                NULL,       "--dir",        NULL, "--save",
	                                "",         "--appendonly", "no", "--logfile",
	                                "redis.log"};
	size_t n = 13;
	words[4] = server->socket;
	words[6] = server->dir;
	for (const char *const *option = server->options;
	     option && *option && n < WORDS_MAX - 1; option++)
		words[n++] = *option;
	words[n] = NULL;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	int null = open("/dev/null", O_RDWR);
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	dup2(null, STDERR_FILENO);
	execvp(PROGRAM, (char *const *)(const void *)words);
	_exit(127);
}

/* Any reply will do, "-NOAUTH" too; "-LOADING" will not. */
static bool
answers(const struct redis_server *server)
{
	redisContext *redis = redisConnectUnix(server->socket);
	redisReply *reply = redis && !redis->err ? redisCommand(redis, "PING") : NULL;
	bool good = reply && !(reply->type == REDIS_REPLY_ERROR &&
	                       strncmp(reply->str, "LOADING", 7) == 0);
	freeReplyObject(reply);
	if (redis)
		redisFree(redis);
	return good;
}

static void
wait_until_it_answers(struct redis_server *server)
{
	int64_t give_up_ms = clock_mono_ms() + PATIENCE;
	while (!answers(server)) {
		int status;
		if (waitpid(server->pid, &status, WNOHANG) == server->pid)
			ck_abort_msg(PROGRAM
			             " ended at once (status %d), see %s/redis.log",
			             status, server->dir);
		ck_assert_msg(clock_mono_ms() < give_up_ms, PROGRAM " does not answer");
		usleep(POLL_US);
	}
}

void
redis_server_start_again(struct redis_server *server)
{
	fflush(NULL); /* the child must not print it again */
	server->pid = fork();
	ck_assert_msg(server->pid >= 0, "fork: %s", strerror(errno));
	if (server->pid == 0)
		become_server(server);
	wait_until_it_answers(server);
}

void
redis_server_start(struct redis_server *server, const char *const *options)
{
	static unsigned started;
	char name[64];
	*server = (struct redis_server){.options = options};
	snprintf(name, sizeof(name), "r%ld-%u", (long)getpid(), started++);
	snprintf(server->dir, sizeof(server->dir), "%s", harness_path(name));
	struct text socket = TEXT(server->socket), endpoint = TEXT(server->endpoint);
	text_printf(&socket, "%s/s", server->dir);
	text_printf(&endpoint, "unix:%s", server->socket);
	ck_assert_msg(!socket.cut, "$TMPDIR is too long a name");
	ck_assert_msg(mkdir(server->dir, 0700) == 0, "%s: %s", server->dir,
	              strerror(errno));
	redis_server_start_again(server);
}

static void
end(struct redis_server *server, int signo)
{
	if (server->pid == 0)
		return;
	kill(server->pid, signo);
	waitpid(server->pid, NULL, 0);
	server->pid = 0;
}

void
redis_server_kill(struct redis_server *server)
{
	end(server, SIGKILL);
}

void
redis_server_stop(struct redis_server *server)
{
	end(server, SIGTERM);
}

void
redis_server_pause(struct redis_server *server)
{
	int status = 0;
	kill(server->pid, SIGSTOP);
	ck_assert_int_eq(waitpid(server->pid, &status, WUNTRACED), server->pid);
	ck_assert_msg(WIFSTOPPED(status), PROGRAM " ended with status %d", status);
}

void
redis_server_resume(struct redis_server *server)
{
	kill(server->pid, SIGCONT);
}

redisContext *
redis_server_connect(const struct redis_server *server)
{
	redisContext *redis = redisConnectUnix(server->socket);
	ck_assert_msg(redis && !redis->err, "%s: cannot connect", server->socket);
	return redis;
}

long long
redis_server_do(const struct redis_server *server, const char *command)
{
	redisContext *redis = redis_server_connect(server);
	const char *words[WORDS_MAX];
	size_t lengths[WORDS_MAX];
	int n = 0;
	struct slice rest = slice_of(command), word;
	while (n < WORDS_MAX && slice_word(&rest, &word)) {
		words[n] = word.p;
		lengths[n++] = word.n;
	}
	redisReply *reply = redisCommandArgv(redis, n, words, lengths);
	ck_assert_msg(reply && reply->type != REDIS_REPLY_ERROR, "%s: %s", command,
	              reply ? reply->str : redis->errstr);
	long long integer = reply->type == REDIS_REPLY_STRING
	                            ? strtoll(reply->str, NULL, 10)
	                            : reply->integer;
	freeReplyObject(reply);
	redisFree(redis);
	return integer;
}
