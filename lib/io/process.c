/* process.c - the process: its standard descriptors, and as whom it runs. */
#include "io/process.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <unistd.h>

void
standard_take_up(void)
{
	/* The lowest that is free is opened; the wrong way, so that EBADF comes as before. */
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

void
rights_keep(void)
{
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

bool
rights_become(const char *name, struct err *err_out)
{
	if (geteuid() != 0 || !*name)
		return true;
	const struct passwd *user = getpwnam(name);
	if (!user)
		return err_set(
			err_out,
			"user: there is no user \"%s\" (set user = \"\" to keep the current user)",
			name);
	uid_t uid = user->pw_uid;
	gid_t gid = user->pw_gid;
	if (initgroups(name, gid) != 0 || setresgid(gid, gid, gid) != 0 ||
	    setresuid(uid, uid, uid) != 0)
		return err_set_errno(err_out, "cannot become user %s", name);
	if (uid != 0 && setresuid(0, 0, 0) == 0)
		return err_set(err_out, "cannot give up the rights of root");
	rights_keep();
	return true;
}
