/* import_foreign.c - what the imports of other greylisters' records share. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "import.h"
#include "view.h"

#define LIST_MODE 0644 /* nothing secret; the daemons read it */
#define LIST_MARK "# made by weirctl import"

/* What is there must be a list of ours; its mode and owner are to stay. */
static bool
may_be_replaced(const char *path, struct stat *old_out, struct err *err)
{
	char line[sizeof(LIST_MARK)];
	if (lstat(path, old_out) != 0 || !S_ISREG(old_out->st_mode)) {
		*old_out = (struct stat){.st_mode = LIST_MODE,
		                         .st_uid = (uid_t)-1,
		                         .st_gid = (gid_t)-1};
		return true; /* outfile_open() tells what is wrong with it */
	}
	FILE *file = fopen(path, "r");
	if (!file)
		return err_set_errno(err, "%s", path);
	bool ours = fgets(line, sizeof(line), file) && strcmp(line, LIST_MARK) == 0;
	fclose(file);
	return ours ||
	       err_set(err,
	               "weirctl import did not make the list %s, so it leaves the file alone: name another file",
	               path);
}

int
import_foreign_prepare(struct import_foreign *foreign, struct ctl *ctl)
{
	struct err err;
	struct stat old;
	struct outfile *clients = &foreign->clients;
	const char *path = ctl_option(ctl, "clients-to");
	*foreign = (struct import_foreign){.clients_path = path};
	if (!path)
		return EX_OK;
	if (!may_be_replaced(path, &old, &err) ||
	    !outfile_open(clients, path, old.st_mode & 07777, &err))
		return ctl_fail(EX_CANTCREAT, "%s", err.text);
	if (fchown(fileno(clients->file), old.st_uid, old.st_gid) == 0)
		return EX_OK;
	int status = ctl_fail(EX_CANTCREAT, "%s: cannot keep its owner: %s", path,
	                      strerror(errno));
	outfile_abandon(clients);
	return status;
}

int
import_foreign_begin(struct import_foreign *foreign, struct ctl *ctl, const char *source)
{
	struct import *import = &foreign->import;
	int status = import_open(import, ctl, source);
	if (status == EX_OK)
		foreign->foreign =
			foreign_new(import->conf, &import->secret, import->intake);
	return status;
}

static int
write_clients(struct import_foreign *foreign)
{
	struct err err;
	bool apply = foreign->import.intake->apply;
	FILE *to = foreign->clients.file;
	if (!foreign->clients_path)
		return EX_OK;
	fprintf(to, "%s: clients that another greylister let pass\n", LIST_MARK);
	int64_t n = foreign_print_clients(foreign->foreign, to);
	if (apply && !outfile_finish(&foreign->clients, &err))
		return ctl_fail(EX_IOERR, "%s", err.text);
	if (!foreign->import.ctl->json) {
		struct view view = view_of_stdout();
		view_printf(&view, "%10" PRId64 " network%s %swritten to ", n,
		            n == 1 ? "" : "s", apply ? "" : "would be ");
		view_text(&view, foreign->clients_path);
		view_puts(&view, ", for lists.clients\n");
	}
	return EX_OK;
}

static void
say_what_it_is_worth(const struct import_foreign *foreign)
{
	if (foreign->import.ctl->json)
		return;
	puts("These records know a client by its network.  weir knows a client with a confirmed\nname by its domain, so they only help clients without such a name.");
	if (!foreign->clients_path)
		puts("--clients-to FILE writes a list for lists.clients, which helps all of them.");
}

int
import_foreign_finish(struct import_foreign *foreign)
{
	struct err err;
	const struct import *import = &foreign->import;
	if (!foreign_take(foreign->foreign, &err))
		return ctl_store_failed(&err);
	import_report(import);
	int status = write_clients(foreign);
	say_what_it_is_worth(foreign);
	return status;
}

void
import_foreign_close(struct import_foreign *foreign)
{
	foreign_free(&foreign->foreign);
	import_close(&foreign->import);
	outfile_abandon(&foreign->clients);
}
