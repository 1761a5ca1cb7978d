/* import_foreign.c - what the imports of other greylisters' records share. */
#include <inttypes.h>
#include <stdio.h>
#include <sysexits.h>

#include "import.h"

#define LIST_MODE 0644 /* nothing secret; the daemons read it */

int
import_foreign_prepare(struct import_foreign *foreign, struct ctl *ctl)
{
	struct err err;
	*foreign = (struct import_foreign){.clients_path = ctl_option(ctl, "clients-to")};
	if (foreign->clients_path &&
	    !outfile_open(&foreign->clients, foreign->clients_path, LIST_MODE, &err))
		return ctl_fail(EX_CANTCREAT, "%s", err.text);
	return EX_OK;
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
	FILE *to = foreign->clients.file;
	if (!foreign->clients_path)
		return EX_OK;
	fprintf(to,
	        "# made by weirctl import: clients that another greylister let pass\n");
	int64_t n = foreign_print_clients(foreign->foreign, to);
	if (!outfile_finish(&foreign->clients, &err))
		return ctl_fail(EX_IOERR, "%s", err.text);
	if (!foreign->import.ctl->json)
		printf("%10" PRId64 " network%s written to %s, for lists.clients\n", n,
		       n == 1 ? "" : "s", foreign->clients_path);
	return EX_OK;
}

static void
say_what_it_is_worth(const struct import_foreign *foreign)
{
	if (foreign->import.ctl->json)
		return;
	puts("These records know a client by its network.  weir knows a client with a "
	     "confirmed\nname by its domain, so they hold for clients without such a name "
	     "only.");
	if (!foreign->clients_path)
		puts("--clients-to FILE writes a list for lists.clients, which holds for "
		     "all of them.");
}

int
import_foreign_finish(struct import_foreign *foreign)
{
	struct err err;
	const struct import *import = &foreign->import;
	if (!foreign_take(foreign->foreign, &err))
		return ctl_fail(EX_UNAVAILABLE, "%s", err.text);
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
