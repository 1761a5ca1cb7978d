/* doctor_local.c - what the parts of doctor share: what is of this host. */
#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include "base/endpoint.h"
#include "doctor.h"

bool
doctor_is_local(const char *text)
{
	struct endpoint endpoint;
	return !endpoint_parse(slice_of(text), &endpoint) || endpoint_is_local(&endpoint);
}

bool
doctor_can_be(const char *user)
{
	if (geteuid() == 0 || !*user)
		return true;
	const struct passwd *entry = getpwnam(user);
	return entry && entry->pw_uid == geteuid();
}

void
doctor_say_untried(struct findings *findings, const char *title)
{
	finding_add(findings, FINDING_NOTE, title,
	            "Only root can try what another user may do.");
	finding_mend(findings, "Run doctor as root.");
}

const char *
doctor_user(const struct conf *conf)
{
	return *conf->user ? conf->user : "USER";
}

const char *
doctor_group(const struct conf *conf)
{
	const struct passwd *user = getpwnam(conf->user);
	const struct group *group = user ? getgrgid(user->pw_gid) : NULL;
	return group ? group->gr_name : "GROUP";
}
