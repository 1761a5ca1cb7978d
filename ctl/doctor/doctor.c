/* doctor.c - weirctl doctor: looks at all that weir needs, and says what is wrong and how to mend it. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "commands.h"
#include "doctor.h"
#include "output.h"

/* One duty each; a check that needs settings is left out when they cannot be used. */
static const struct check {
	const char *topic;
	void (*run)(struct checkup *checkup);
	bool needs_conf;
} checks[] = {
	{"settings", doctor_settings, false},
	{"lists", doctor_lists, true},
	{"mta", doctor_mta, true},
	{"store", doctor_store, true},
	{"overrides", doctor_overrides, true},
	{"daemons", doctor_daemons, true},
};

static bool
is_folder(const char *path)
{
	int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

int
command_doctor(struct ctl *ctl, int argc, char **argv)
{
	struct findings findings = {0};
	struct checkup checkup = {.ctl = ctl,
	                          .mta = ctl_option(ctl, "mta"),
	                          .deep = ctl_option(ctl, "deep") != NULL,
	                          .findings = &findings};
	bool quiet = ctl_option(ctl, "quiet") != NULL;
	struct view view = view_of_stdout();
	(void)argc, (void)argv;
	if (checkup.mta && !is_folder(checkup.mta))
		return ctl_fail(EX_NOINPUT, "--mta: %s: %s", checkup.mta,
		                strerror(errno));
	for (size_t i = 0; i < COUNT_OF(checks); i++) {
		findings.topic = checks[i].topic;
		if (checkup.conf || !checks[i].needs_conf)
			checks[i].run(&checkup);
	}
	if (ctl->json)
		print_json(findings_json(&findings, quiet));
	else
		findings_print(&findings, quiet, &view);
	int status = findings_good(&findings) ? EX_OK : CTL_NO;
	history_close(&checkup.history);
	findings_free(&findings);
	return status;
}
