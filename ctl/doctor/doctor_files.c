/* doctor_files.c - the folder of the embedded store: rights, room, and the kind of its file system. */
#include <errno.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/owner.h"
#include "cure.h"
#include "doctor.h"
#include "doctor_files.h"
#include "errand.h"

#define MEGA (INT64_C(1) << 20)

enum { ROOM_MIN_MB = 200, ROOM_MIN_PERCENT = 5, INODES_MIN = 100 };

#ifndef CIFS_SUPER_MAGIC /* since Linux 5.17 */
# define CIFS_SUPER_MAGIC 0xFF534D42
# define SMB2_SUPER_MAGIC 0xFE534D42
#endif

const char *
doctor_without_file(const char *text)
{
	return strstr(text, "/ledger.db")
	               ? "Mail is judged as before, but no decision is recorded, and the daemons see no override of weirctl."
	               : "The daemons refuse to start (exit status 78), and the MTA takes its default action.";
}

static bool
check_folder(struct checkup *checkup, const char *dir)
{
	char buf[200] = "";
	struct text rights = TEXT(buf);
	int error = owner_print(dir, &rights) ? errand_try_access(checkup->conf->user,
	                                                          dir, R_OK | W_OK | X_OK)
	                                      : errno;
	if (error == 0)
		return true;
	finding_add(checkup->findings, FINDING_PROBLEM,
	            "the daemons cannot use the store's folder",
	            doctor_without_file(dir));
	finding_seen(checkup->findings, "%s: %s%s%s", dir, strerror(error),
	             *buf ? "; " : "", buf);
	char cure[CURE_MAX];
	struct text text = TEXT(cure);
	if (error != ENOENT)
		cure_open_way(checkup->conf->user, dir, &text);
	text_printf(&text, "install -d -o %s -g %s -m 750 %s", doctor_user(checkup->conf),
	            doctor_group(checkup->conf), cure_quoted(checkup->findings, dir));
	cure_set(checkup->findings, &text);
	return false;
}

static void
check_file(struct checkup *checkup, const char *path)
{
	struct stat st;
	char buf[200];
	struct text rights = TEXT(buf);
	if (stat(path, &st) != 0 || !owner_print(path, &rights))
		return;
	int error = errand_try_access(checkup->conf->user, path, R_OK | W_OK);
	if (error != 0) {
		finding_add(checkup->findings, FINDING_PROBLEM,
		            "the daemons cannot write a file of the store",
		            doctor_without_file(path));
		finding_seen(checkup->findings, "%s %s: %s", path, buf, strerror(error));
		const char *quoted = cure_quoted(checkup->findings, path);
		finding_mend(checkup->findings, "chown %s:%s %s && chmod 660 %s",
		             doctor_user(checkup->conf), doctor_group(checkup->conf),
		             quoted, quoted);
	} else if (st.st_mode & S_IRWXO) {
		finding_add(
			checkup->findings, FINDING_WARNING,
			"everybody may read the store",
			"Its decisions have the addresses of your mail, and its secret reveals who has written to whom.");
		finding_seen(checkup->findings, "%s %s", path, buf);
		finding_mend(checkup->findings, "chmod o= %s",
		             cure_quoted(checkup->findings, path));
	}
}

static void
check_files(struct checkup *checkup, const char *dir)
{
	static const char *const names[] = {"weir.db",       "weir.db-wal",
	                                    "weir.db-shm",   "ledger.db",
	                                    "ledger.db-wal", "ledger.db-shm"};
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		char path[1100];
		struct text text = TEXT(path);
		text_printf(&text, "%s/%s", dir, names[i]);
		check_file(checkup, path);
	}
}

/* ---- the file system ---- */

static const char *
kind_of(const char *dir, enum finding_level *level_out)
{
	struct statfs fs;
	*level_out = FINDING_PROBLEM;
	if (statfs(dir, &fs) != 0)
		return NULL;
	switch ((uint32_t)fs.f_type) {
	case NFS_SUPER_MAGIC: return "NFS";
	case SMB_SUPER_MAGIC:
	case CIFS_SUPER_MAGIC:
	case SMB2_SUPER_MAGIC: return "SMB";
	case V9FS_MAGIC: return "9P";
	case TMPFS_MAGIC: *level_out = FINDING_WARNING; return "tmpfs";
	default: return NULL;
	}
}

/* With what has been learned. */
static void
mend_place(struct checkup *checkup, const char *dir)
{
	static const char usual[] = "/var/lib/weir";
	if (strcmp(dir, usual) == 0) {
		finding_mend(
			checkup->findings,
			"Mount a disk of this host there, or set store.path to another directory.");
		return;
	}
	finding_mend(checkup->findings,
	             "Move it to a disk of this host, such as %s:\n"
	             "systemctl stop weir-policyd weir-milter\n"
	             "install -d -o %s -g %s -m 750 %s\n"
	             "cp -a %s/*.db* %s/\n"
	             "in weir.conf: store: { path = \"%s\"; };\n"
	             "systemctl start weir-policyd weir-milter",
	             usual, doctor_user(checkup->conf), doctor_group(checkup->conf),
	             usual, cure_quoted(checkup->findings, dir), usual, usual);
}

static void
check_kind(struct checkup *checkup, const char *dir)
{
	enum finding_level level;
	const char *kind = kind_of(dir, &level);
	if (!kind)
		return;
	if (level == FINDING_PROBLEM)
		finding_add(
			checkup->findings, level, "the store is on a network file system",
			"Locks and shared memory do not work there as SQLite needs them: the store will be damaged.");
	else
		finding_add(
			checkup->findings, level, "the store is in memory",
			"A reboot of this host forgets everything, and every known sender is deferred once more.");
	finding_seen(checkup->findings, "%s is on %s", dir, kind);
	mend_place(checkup, dir);
}

void
doctor_judge_room(struct findings *findings, const char *dir, int64_t free_bytes,
                  int64_t bytes, int64_t free_inodes, int64_t inodes)
{
	if (free_bytes < ROOM_MIN_MB * MEGA ||
	    free_bytes < bytes / 100 * ROOM_MIN_PERCENT) {
		finding_add(
			findings, free_bytes < MEGA ? FINDING_PROBLEM : FINDING_WARNING,
			"the disk of the store is nearly full",
			"When it is full, no new sender is remembered: new mail is judged by "
			"store.on_failure.");
		finding_seen(findings, "%s: %lld of %lld MB are free", dir,
		             (long long)(free_bytes / MEGA), (long long)(bytes / MEGA));
		finding_mend(
			findings,
			"Make room there, or limit the store with store.max_size; see how full it is:\ndf -h %s",
			cure_quoted(findings, dir));
	}
	if (inodes > 0 &&
	    (free_inodes < INODES_MIN || free_inodes < inodes / 100 * ROOM_MIN_PERCENT)) {
		finding_add(findings, FINDING_WARNING,
		            "the disk of the store can hold few more files",
		            "If there are none left, the store cannot create its log.");
		finding_seen(findings, "%s: %lld of %lld inodes are free", dir,
		             (long long)free_inodes, (long long)inodes);
		finding_mend(findings,
		             "Remove files there; see how many there are:\ndf -i %s",
		             cure_quoted(findings, dir));
	}
}

static void
check_room(struct checkup *checkup, const char *dir)
{
	struct statvfs fs;
	if (statvfs(dir, &fs) != 0)
		return;
	int64_t unit = (int64_t)fs.f_frsize;
	doctor_judge_room(checkup->findings, dir, (int64_t)fs.f_bavail * unit,
	                  (int64_t)fs.f_blocks * unit, (int64_t)fs.f_favail,
	                  (int64_t)fs.f_files);
}

bool
doctor_files(struct checkup *checkup)
{
	const char *dir = checkup->conf->store.path;
	size_t before = checkup->findings->n;
	if (!check_folder(checkup, dir))
		return false;
	check_files(checkup, dir);
	check_kind(checkup, dir);
	check_room(checkup, dir);
	if (checkup->findings->n == before)
		finding_ok(checkup->findings, "%s has room, and the daemons may use it",
		           dir);
	return true;
}
