/* sqlite_place.c - a database file in its directory: whose it is, and whether it is still there. */
#include "sqlite_place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/owner.h"
#include "base/slice.h"

#define PATH_BYTES 1100

static const char *
beside(const char *path, const char *tail, char buf[PATH_BYTES])
{
	snprintf(buf, PATH_BYTES, "%s%s", path, tail);
	return buf;
}

static ino_t
inode_of_index(const char *path)
{
	char name[PATH_BYTES];
	struct stat st;
	return stat(beside(path, "-shm", name), &st) == 0 ? st.st_ino : 0;
}

void
sqlite_place_note(const char *path, struct sqlite_place *place_out)
{
	struct stat st = {0};
	*place_out = (struct sqlite_place){0};
	if (stat(path, &st) != 0)
		return;
	place_out->dev = st.st_dev;
	place_out->ino = st.st_ino;
	place_out->shm_ino = inode_of_index(path);
}

bool
sqlite_place_holds(const char *path, const struct sqlite_place *place)
{
	struct stat st;
	return stat(path, &st) == 0 && st.st_dev == place->dev && st.st_ino == place->ino;
}

void
sqlite_place_leave(const char *path, const struct sqlite_place *place)
{
	if (place->shm_ino != 0 && inode_of_index(path) == place->shm_ino)
		sqlite_place_drop_rest(path);
}

void
sqlite_place_drop_rest(const char *path)
{
	char name[PATH_BYTES];
	unlink(beside(path, "-wal", name));
	unlink(beside(path, "-shm", name));
}

bool
sqlite_place_is_no_link(const char *path, struct err *err_out)
{
	static const char *const tails[] = {"", "-wal", "-shm", "-journal"};
	for (size_t i = 0; i < COUNT_OF(tails); i++) {
		char name[PATH_BYTES];
		struct stat st;
		if (lstat(beside(path, tails[i], name), &st) == 0 && S_ISLNK(st.st_mode))
			return err_set(
				err_out,
				"%s is a symbolic link, which weir does not follow: put the file itself there, or set store.path to its directory",
				name);
	}
	return true;
}

/* ---- which right is missing, and files made with the right ones ---- */

static bool
may(const char *path, int mode)
{
	return faccessat(AT_FDCWD, path, mode, AT_EACCESS) == 0;
}

/* Whether a right to the file is missing, when it is there. */
static bool
file_lacks(const char *path, const char *tail, struct err *err)
{
	char name[1100];
	struct text text = TEXT(name);
	text_puts(&text, path);
	text_puts(&text, tail);
	if (!may(name, F_OK) && errno == ENOENT)
		return false;
	if (!may(name, R_OK))
		return !owner_refuses("read", name, err);
	return !may(name, W_OK) && !owner_refuses("write", name, err);
}

bool
sqlite_place_lacks_rights(const char *path, struct err *err)
{
	char dir[1024];
	struct text text = TEXT(dir);
	text_put(&text,
	         slice_head(slice_of(path), (size_t)slice_rfind(slice_of(path), '/')));
	if (!may(dir, X_OK))
		return !owner_refuses("enter", dir, err);
	if (file_lacks(path, "", err) || file_lacks(path, "-wal", err) ||
	    file_lacks(path, "-shm", err))
		return true;
	return !may(dir, W_OK) && !owner_refuses("make files in", dir, err);
}

/* Whose weir.db is; without it, whose the directory is. */
static bool
find_owner(const char *dir, struct stat *st_out)
{
	char name[1100];
	struct text text = TEXT(name);
	text_printf(&text, "%s/weir.db", dir);
	return stat(name, st_out) == 0 || stat(dir, st_out) == 0;
}

/*
 * The daemons must be able to use it whoever makes it: root gives it to the owner, any other to
 * the group where that is allowed.
 */
static void
give_away(int fd, const struct stat *like)
{
	uid_t owner = geteuid() == 0 ? like->st_uid : (uid_t)-1;
	bool given = fchown(fd, owner, like->st_gid) == 0;
	(void)given; /* who lacks a right then is told so */
}

/* For whoever else makes files there; given back when it is closed. */
static int
lock_dir(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0)
		flock(fd, LOCK_EX); /* without it, two that begin at once may fail */
	return fd;
}

static bool
make_empty(const char *dir, const char *path, struct err *err)
{
	struct stat like;
	bool known = find_owner(dir, &like); /* before there is a file of ours */
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0660);
	if (fd < 0 && errno != EEXIST) {
		int saved = errno;
		if (sqlite_place_lacks_rights(path, err))
			return false;
		errno = saved;
		return err_set_errno(err, "cannot make %s", path);
	}
	if (fd < 0)
		return true; /* by another process, just now */
	if (known)
		give_away(fd, &like);
	fchmod(fd, 0660); /* whatever the umask is */
	close(fd);
	return true;
}

bool
sqlite_place_make(const char *dir, const char *path, struct err *err)
{
	struct stat st;
	if (stat(path, &st) == 0)
		return true;
	int lock = lock_dir(dir);
	if (lock >= 0 && stat(path, &st) != 0)
		sqlite_place_drop_rest(path); /* it would be taken for the new one's */
	bool made = make_empty(dir, path, err);
	if (lock >= 0)
		close(lock);
	return made;
}
