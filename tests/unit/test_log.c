/* test_log.c - lines for the operator: escaped, whole, rationed, in the end written. */
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <syslog.h>
#include <unistd.h>

#include "harness.h"

/* Standard error goes into a file while a test runs. */
static FILE *captured;
static int real_stderr;

static void
set_up(void)
{
	captured = tmpfile();
	ck_assert_ptr_nonnull(captured);
	real_stderr = dup(STDERR_FILENO);
	ck_assert_int_ge(dup2(fileno(captured), STDERR_FILENO), 0);
	log_open("prog", LOG_TO_STDERR, LOG_MAIL, LOG_LEVEL_DEBUG);
}

static void
tear_down(void)
{
	log_close();
	dup2(real_stderr, STDERR_FILENO);
	close(real_stderr);
	fclose(captured);
}

/* What was written so far. */
static const char *
written(void)
{
	static char buf[1 << 20];
	ssize_t n = pread(fileno(captured), buf, sizeof(buf) - 1, 0);
	buf[n > 0 ? n : 0] = '\0';
	return buf;
}

START_TEST(lines_have_the_programs_name)
{
	log_debug("d %d", 1);
	log_info("i %s", "2");
	log_warning("w");
	log_error("e");
	ck_assert_str_eq(written(), "prog: d 1\nprog: i 2\nprog: w\nprog: e\n");
}

END_TEST

START_TEST(lines_are_gathered_until_it_matters)
{
	log_info("one");
	log_debug("two");
	ck_assert_str_eq(written(), "");
	log_flush();
	ck_assert_str_eq(written(), "prog: one\nprog: two\n");
	log_flush();
	log_info("three");
	log_warning("four");
	ck_assert_str_eq(written(), "prog: one\nprog: two\nprog: three\nprog: four\n");
	log_info("five");
	log_close();
	ck_assert_ptr_nonnull(strstr(written(), "prog: five\n"));
}

END_TEST

/* clang-format off */
static const struct level_row {
	enum log_level level;
	const char *want;
} level_rows[] = {
	{LOG_LEVEL_ERROR, "prog: error\n"},
	{LOG_LEVEL_WARNING, "prog: error\nprog: warning\n"},
	{LOG_LEVEL_INFO, "prog: error\nprog: warning\nprog: info\n"},
	{LOG_LEVEL_DEBUG, "prog: error\nprog: warning\nprog: info\nprog: debug\n"},
};

/* clang-format on */

START_TEST(the_level_decides)
{
	log_open("prog", LOG_TO_STDERR, LOG_MAIL, level_rows[_i].level);
	log_error("error");
	log_warning("warning");
	log_info("info");
	log_debug("debug");
	log_flush();
	ck_assert_str_eq(written(), level_rows[_i].want);
	for (enum log_level level = LOG_LEVEL_ERROR; level <= LOG_LEVEL_DEBUG; level++)
		ck_assert_int_eq(log_wants(level), level <= level_rows[_i].level);
}

END_TEST

START_TEST(free_text_is_one_line)
{
	log_error("a\nb\rc\td\033[31m\177\303\251");
	ck_assert_str_eq(written(), "prog: a?b?c?d?[31m?\303\251\n");
}

END_TEST

START_TEST(records_are_words)
{
	struct log_record rec;
	log_start(&rec, LOG_LEVEL_INFO);
	log_word(&rec, "verdict", "defer");
	log_slice(&rec, "sender", SLICE("a b=\"c\"\\\r\nx\0\377@d"));
	log_slice(&rec, "empty", (struct slice){0});
	log_int(&rec, "wait", -5);
	log_send(&rec);
	log_flush();
	ck_assert_str_eq(written(),
	                 "prog: verdict=defer sender=a\\x20b=\\x22c\\x22\\x5c\\x0d"
	                 "\\x0ax\\x00\\xff@d empty= wait=-5\n");
}

END_TEST

START_TEST(a_record_is_bounded)
{
	struct log_record rec;
	char big[7000];
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	log_start(&rec, LOG_LEVEL_ERROR);
	log_word(&rec, "a", big);
	log_word(&rec, "b", "c");
	log_int(&rec, "d", 1);
	log_send(&rec);
	const char *line = written();
	ck_assert_uint_eq(strlen(line), 6 + sizeof(rec.buf) - 1 + 1);
	ck_assert_ptr_eq(strchr(line, '\n'), line + strlen(line) - 1);
}

END_TEST

/* What stands behind a long sender must not be lost. */
START_TEST(a_value_is_bounded)
{
	struct log_record rec;
	char big[700];
	memset(big, '\xc3', sizeof(big));
	log_start(&rec, LOG_LEVEL_ERROR);
	for (int i = 0; i < 5; i++)
		log_slice(&rec, "a", (struct slice){.p = big, .n = sizeof(big)});
	log_word(&rec, "id", "7Q2K9F");
	log_send(&rec);
	ck_assert_ptr_nonnull(strstr(written(), "\\xc3... id=7Q2K9F\n"));
}

END_TEST

/* Nobody reads: lines are lost, the program is not held up, and says so later. */
START_TEST(a_reader_that_stalls_loses_lines)
{
	int ends[2], saved = dup(STDERR_FILENO);
	static char got[16 << 20];
	ck_assert_int_eq(pipe(ends), 0);
	dup2(ends[1], STDERR_FILENO);
	for (int i = 0; i < 100000; i++)
		log_error("line %d of many that nobody reads", i);
	size_t used = 0;
	ssize_t n;
	/* The buffer is larger than the pipe. */
	for (int i = 0; i < 100; i++) {
		n = read(ends[0], got + used, sizeof(got) / 16);
		ck_assert_int_gt(n, 0);
		used += (size_t)n;
		log_error("the next one");
	}
	dup2(saved, STDERR_FILENO);
	got[used] = '\0';
	ck_assert_ptr_nonnull(strstr(got, "log lines were lost"));
	ck_assert_ptr_nonnull(strstr(got, "the next one\n"));
}

END_TEST

START_TEST(free_text_is_bounded)
{
	char big[5000];
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	log_error("%s", big);
	const char *line = written();
	ck_assert_uint_lt(strlen(line), 2000);
	ck_assert_ptr_eq(strchr(line, '\n'), line + strlen(line) - 1);
}

END_TEST

/* The buffer fills to each of its last bytes; no line may lose its end. */
START_TEST(every_line_ends)
{
	char text[1100];
	size_t lines = 0, bytes = 0;
	for (size_t n = 1; n < 1000; n++) {
		memset(text, 'x', n);
		text[n] = '\0';
		log_info("%s", text);
		lines++;
		bytes += 6 + n + 1;
	}
	log_flush();
	const char *p = written();
	ck_assert_uint_eq(strlen(p), bytes);
	for (size_t n = 1; n < 1000; n++) {
		const char *end = strchr(p, '\n');
		ck_assert_msg(end && (size_t)(end - p) == 6 + n, "line %zu", n);
		ck_assert_msg(strncmp(p, "prog: ", 6) == 0, "line %zu", n);
		p = end + 1;
	}
}

END_TEST

/* The same with lines of one length, chosen so that they divide the buffer. */
START_TEST(lines_that_fill_the_buffer_exactly_end)
{
	char text[600];
	size_t n = 512 - 7;
	memset(text, 'y', n);
	text[n] = '\0';
	for (int i = 0; i < 100; i++)
		log_info("%s", text);
	log_flush();
	const char *p = written();
	for (int i = 0; i < 100; i++)
		ck_assert_msg(p[512 * i + 511] == '\n', "line %d has lost its end", i);
	ck_assert_uint_eq(strlen(p), 51200);
}

END_TEST

START_TEST(errno_is_left_alone)
{
	errno = ENOENT;
	log_error("x");
	log_info("x");
	log_flush();
	ck_assert_int_eq(errno, ENOENT);
	log_open("prog", LOG_TO_SYSLOG, LOG_MAIL, LOG_LEVEL_DEBUG);
	errno = ENOENT;
	log_debug("a test of the log");
	ck_assert_int_eq(errno, ENOENT);
}

END_TEST

START_TEST(a_closed_standard_error_is_no_trouble)
{
	int full = open("/dev/full", O_WRONLY);
	if (full < 0)
		return;
	dup2(full, STDERR_FILENO);
	close(full);
	errno = 0;
	for (int i = 0; i < 1000; i++)
		log_error("nobody reads this");
	ck_assert_int_eq(errno, 0);
	dup2(fileno(captured), STDERR_FILENO);
	log_error("this is read");
	ck_assert_str_eq(written(), "prog: this is read\n");
}

END_TEST

START_TEST(trouble_is_told_once_in_a_while)
{
	int64_t last_ms = 0, other_ms = 0;
	ck_assert(log_ration(&last_ms, 60));
	for (int i = 0; i < 100; i++)
		ck_assert(!log_ration(&last_ms, 60));
	ck_assert(log_ration(&other_ms, 60));
	last_ms -= 60 * 1000;
	ck_assert(log_ration(&last_ms, 60));
	ck_assert(!log_ration(&last_ms, 60));
	ck_assert(log_ration(&last_ms, 0));
}

END_TEST

START_TEST(a_fatal_error_ends_the_program)
{
	fflush(NULL);
	pid_t child = fork();
	if (child == 0) {
		fclose(stdout);
		log_info("before");
		log_fatal("no %s", "more");
	}
	int status;
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), EX_OSERR);
	ck_assert_str_eq(written(), "prog: before\nprog: no more\n");
}

END_TEST

/* ---- with a writer ---- */

/* Standard error is a pipe; returns the end to read from. */
static int
pipe_as_stderr(void)
{
	int ends[2];
	ck_assert_int_eq(pipe(ends), 0);
	dup2(ends[1], STDERR_FILENO);
	close(ends[1]);
	return ends[0];
}

/* All that comes until the other end is closed; to be given to free(). */
static char *
read_all(int fd)
{
	size_t used = 0, cap = 8 << 20;
	char *got = malloc(cap);
	ssize_t n;
	ck_assert_ptr_nonnull(got);
	while ((n = read(fd, got + used, cap - 1 - used)) > 0)
		used += (size_t)n;
	got[used] = '\0';
	close(fd);
	return got;
}

/* Then standard error is closed, so that read_all() ends. */
static void *
close_log(void *arg)
{
	log_close();
	dup2(fileno(captured), STDERR_FILENO);
	return arg;
}

START_TEST(a_writer_keeps_the_order)
{
	log_start_writer();
	for (int i = 0; i < 3000; i++)
		log_info("line %d", i);
	log_close();
	const char *p = written();
	for (int i = 0; i < 3000; i++) {
		char want[40];
		int n = snprintf(want, sizeof(want), "prog: line %d\n", i);
		ck_assert_msg(strncmp(p, want, (size_t)n) == 0, "line %d", i);
		p += n;
	}
	ck_assert_str_eq(p, "");
}

END_TEST

/* What the test writes into a pipe that nobody reads would hold it up for ever without a writer. */
START_TEST(a_reader_that_stalls_holds_up_nobody)
{
	enum { MANY = 100000 };

	int reads = pipe_as_stderr();
	log_start_writer();
	for (int i = 0; i < MANY; i++)
		log_error("line %d of many that nobody reads", i);
	pthread_t closes;
	ck_assert_int_eq(pthread_create(&closes, NULL, close_log, NULL), 0);
	char *got = read_all(reads);
	pthread_join(closes, NULL);
	int whole = 0, lost = 0, told;
	struct slice rest = slice_of(got), line;
	while (slice_cut(&rest, '\n', &line) && line.n > 0)
		if (sscanf(line.p, "prog: %d log lines were lost", &told) == 1)
			lost += told;
		else
			whole++;
	ck_assert_int_gt(lost, 0);
	ck_assert_int_eq(whole + lost, MANY);
	free(got);
}

END_TEST

/* The end of a program is not held up for ever either. */
START_TEST(a_log_that_hangs_is_given_up)
{
	int reads = pipe_as_stderr();
	fflush(NULL);
	pid_t child = fork();
	if (child == 0) {
		log_start_writer();
		for (int i = 0; i < 10000; i++)
			log_error("line %d of many that nobody reads", i);
		log_close();
		_exit(7);
	}
	int status;
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 7);
	close(reads);
}

END_TEST

enum { THREADS = 4, LINES = 2000 };

static void *
write_lines(void *arg)
{
	const char *name = arg;
	for (int i = 0; i < LINES; i++) {
		struct log_record rec;
		log_start(&rec, i % 100 ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING);
		log_word(&rec, "thread", name);
		log_int(&rec, "n", i);
		log_word(&rec, "end", "yes");
		log_send(&rec);
	}
	return NULL;
}

START_TEST(threads_do_not_mix_their_lines)
{
	static char names[THREADS][2] = {"a", "b", "c", "d"};
	pthread_t threads[THREADS];
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, write_lines, names[i]),
		                 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	log_flush();
	struct slice rest = slice_of(written()), line;
	int lines = 0;
	while (slice_cut(&rest, '\n', &line) && line.n > 0) {
		lines++;
		ck_assert_msg(slice_starts_nocase(line, SLICE("prog: thread=")) &&
		                      slice_ends_nocase(line, SLICE(" end=yes")) &&
		                      line.n < 40,
		              "%.*s", (int)line.n, line.p);
	}
	ck_assert_int_eq(lines, THREADS * LINES);
}

END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, lines_have_the_programs_name);
	tcase_add_test(tcase, lines_are_gathered_until_it_matters);
	tcase_add_loop_test(tcase, the_level_decides, 0, COUNT_OF(level_rows));
	tcase_add_test(tcase, free_text_is_one_line);
	tcase_add_test(tcase, records_are_words);
	tcase_add_test(tcase, a_record_is_bounded);
	tcase_add_test(tcase, a_value_is_bounded);
	tcase_add_test(tcase, a_reader_that_stalls_loses_lines);
	tcase_add_test(tcase, free_text_is_bounded);
	tcase_add_test(tcase, every_line_ends);
	tcase_add_test(tcase, lines_that_fill_the_buffer_exactly_end);
	tcase_add_test(tcase, errno_is_left_alone);
	tcase_add_test(tcase, a_closed_standard_error_is_no_trouble);
	tcase_add_test(tcase, trouble_is_told_once_in_a_while);
	tcase_add_test(tcase, a_fatal_error_ends_the_program);
	tcase_add_test(tcase, threads_do_not_mix_their_lines);
	tcase_add_test(tcase, a_writer_keeps_the_order);
	tcase_add_test(tcase, a_reader_that_stalls_holds_up_nobody);
	tcase_add_test(tcase, a_log_that_hangs_is_given_up);
}

int
main(void)
{
	return harness_run("log", fill);
}
