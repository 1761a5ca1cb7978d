/* outfile.c - a file written beside its name and put there when it is whole. */
#include "outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/slice.h"

#define GO 'g'

/* The child: waits for the word to rename, or for the program's end. */
static void NORETURN
keep(const struct outfile *out, int from)
{
	char word = 0;
	ssize_t n;
	signal(SIGINT, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	while ((n = read(from, &word, 1)) < 0 && errno == EINTR)
		;
	if (n == 1 && word == GO && rename(out->beside, out->path) == 0)
		_exit(0);
	int why = n == 1 ? errno : 0;
	unlink(out->beside);
	_exit(why);
}

static bool
start_keeper(struct outfile *out, struct err *err_out)
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) != 0)
		return err_set_errno(err_out, "pipe");
	fflush(NULL);
	out->keeper = fork();
	if (out->keeper < 0) {
		close(ends[0]);
		close(ends[1]);
		return err_set_errno(err_out, "fork");
	}
	if (out->keeper == 0) {
		close(ends[1]);
		keep(out, ends[0]);
	}
	close(ends[0]);
	out->to_keeper = ends[1];
	return true;
}

static bool
may_be_replaced(const char *path, struct err *err_out)
{
	struct stat st;
	if (lstat(path, &st) != 0)
		return errno == ENOENT || err_set_errno(err_out, "%s", path);
	return S_ISREG(st.st_mode) || err_set(err_out, "%s is no regular file", path);
}

bool
outfile_open(struct outfile *out, const char *path, mode_t mode, struct err *err_out)
{
	size_t size = strlen(path) + sizeof(".XXXXXX");
	*out = (struct outfile){.path = path, .to_keeper = -1, .keeper = -1};
	if (!may_be_replaced(path, err_out))
		return false;
	out->beside = mem_alloc(size);
	struct text name = {.p = out->beside, .cap = size};
	text_printf(&name, "%s.XXXXXX", path);
	int fd = mkstemp(out->beside);
	if (fd < 0) {
		err_set_errno(err_out, "%s", path);
	} else if (fchmod(fd, mode) == 0 && (out->file = fdopen(fd, "w")) != NULL) {
		if (start_keeper(out, err_out))
			return true;
		unlink(out->beside);
	} else {
		err_set_errno(err_out, "%s", path);
		close(fd);
		unlink(out->beside);
	}
	outfile_abandon(out);
	return false;
}

/* The keeper's exit status: 0, or the errno of the rename. */
static int
ask_keeper(struct outfile *out, bool go)
{
	int status = 0;
	bool told = !go || write(out->to_keeper, &(char){GO}, 1) == 1;
	close(out->to_keeper);
	out->to_keeper = -1;
	while (waitpid(out->keeper, &status, 0) < 0 && errno == EINTR)
		;
	out->keeper = -1;
	return told && WIFEXITED(status) ? WEXITSTATUS(status) : EIO;
}

bool
outfile_finish(struct outfile *out, struct err *err_out)
{
	bool written = fflush(out->file) == 0 && !ferror(out->file) &&
	               fsync(fileno(out->file)) == 0;
	int why = written ? 0 : errno;
	if (fclose(out->file) != 0 && why == 0)
		why = errno;
	out->file = NULL;
	if (why == 0)
		why = ask_keeper(out, true);
	outfile_abandon(out);
	errno = why;
	return why == 0 || err_set_errno(err_out, "%s", out->path);
}

void
outfile_abandon(struct outfile *out)
{
	if (out->file)
		fclose(out->file);
	if (out->beside && out->keeper > 0)
		ask_keeper(out, false);
	free(out->beside);
	*out = (struct outfile){.path = out->path, .to_keeper = -1, .keeper = -1};
}
