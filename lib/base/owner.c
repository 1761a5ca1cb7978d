/* owner.c - whose a file is, and who may therefore not use it, in words. */
#include "base/owner.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

static void
print_user(uid_t uid, struct text *out)
{
	struct passwd entry, *found = NULL;
	char buf[4096];
	if (getpwuid_r(uid, &entry, buf, sizeof(buf), &found) == 0 && found)
		text_puts(out, entry.pw_name);
	else
		text_int(out, uid);
}

static void
print_group(gid_t gid, struct text *out)
{
	struct group entry, *found = NULL;
	char buf[4096];
	if (getgrgid_r(gid, &entry, buf, sizeof(buf), &found) == 0 && found)
		text_puts(out, entry.gr_name);
	else
		text_int(out, gid);
}

bool
owner_print(const char *path, struct text *out)
{
	struct stat st;
	if (stat(path, &st) != 0)
		return false;
	text_puts(out, "belongs to ");
	print_user(st.st_uid, out);
	text_putc(out, ':');
	print_group(st.st_gid, out);
	text_printf(out, ", mode %04o", (unsigned)st.st_mode & 07777);
	return true;
}

/* " (it belongs to ...)", or " (/etc/weir belongs to ...)" when the file cannot be seen for it. */
static void
print_whose(const char *path, struct text *out)
{
	char buf[1100], whose[200];
	struct text dir = TEXT(buf), rights = TEXT(whose);
	bool seen = owner_print(path, &rights);
	text_puts(&dir, seen ? "it" : path);
	while (!seen) {
		ptrdiff_t slash = slice_rfind(text_slice(&dir), '/');
		if (slash <= 0)
			return;
		buf[dir.n = (size_t)slash] = '\0';
		seen = owner_print(buf, &rights);
	}
	text_printf(out, " (%s %s)", buf, whose);
}

bool
owner_refuses(const char *doing, const char *path, struct err *err_out)
{
	int saved = errno;
	char buf[320];
	struct text who = TEXT(buf);
	if (saved != ENOENT) {
		text_puts(&who, " as user ");
		print_user(geteuid(), &who);
		print_whose(path, &who);
	}
	errno = saved;
	return err_set_errno(err_out, "cannot %s %s%s", doing, path, who.n ? buf : "");
}
