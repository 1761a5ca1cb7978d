/* import.c - weirctl import: records of another store, or of another greylister. */
#include "import.h"

#include <string.h>
#include <sysexits.h>

#include "base/nearest.h"
#include "commands.h"

#define POSTGREY        "postgrey"
#define MILTER_GREYLIST "milter-greylist"

static int
fail_unknown(const char *kind)
{
	struct nearest nearest;
	nearest_start(&nearest, slice_of(kind));
	nearest_offer(&nearest, POSTGREY);
	nearest_offer(&nearest, MILTER_GREYLIST);
	if (nearest.name)
		return ctl_fail(EX_USAGE,
		                "import: \"%.40s\" is unknown: did you mean \"%s\"?",
		                kind, nearest.name);
	return ctl_fail(EX_USAGE, "import: \"%.40s\" is neither %s nor %s", kind,
	                POSTGREY, MILTER_GREYLIST);
}

int
command_import(struct ctl *ctl, int argc, char **argv)
{
	static const char *const of_foreign[] = {"clients-to", "delay", "ipv4cidr",
	                                         "ipv6cidr", NULL};
	static const char *const *const of_postgrey = of_foreign + 1;
	if (strcmp(argv[1], POSTGREY) == 0)
		return import_postgrey(ctl, argc > 2 ? argv[2] : NULL);
	bool is_dump = strcmp(argv[1], MILTER_GREYLIST) == 0;
	if (is_dump && argc < 3) {
		ctl_fail(EX_USAGE, "import %s needs FILE", MILTER_GREYLIST);
		return command_misused(argv[0]);
	}
	if (!is_dump && argc > 2)
		return fail_unknown(argv[1]);
	int status = is_dump ? ctl_refuse(ctl, of_postgrey, MILTER_GREYLIST)
	                     : ctl_refuse(ctl, of_foreign, "an export of weir");
	if (status != EX_OK)
		return status;
	return is_dump ? import_milter_greylist(ctl, argv[2]) : import_weir(ctl, argv[1]);
}
