/* sqlite_place.c - whether a database file is still where it was opened. */
#include "sqlite_place.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/attr.h"

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
				"%s is a symbolic link, which weir does not follow: put "
				"the file itself there, or set store.path to where it is",
				name);
	}
	return true;
}
