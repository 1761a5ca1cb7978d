/* doctor.h - the parts of weirctl doctor, one for each topic. */
#ifndef WEIR_CTL_DOCTOR_H
#define WEIR_CTL_DOCTOR_H

#include "ctl.h"
#include "findings.h"

struct checkup {
	struct ctl *ctl;
	const struct conf *conf; /* NULL: the settings cannot be used */
	struct history *history; /* NULL: not opened yet, or not to be had */
	const char
		*mta; /* directory of the MTA's settings; NULL: where they usually are */
	bool deep;    /* look at every page of the embedded store */
	struct findings *findings;
};

/* In this order: from the store on, root has been given up. */
void doctor_settings(struct checkup *checkup);
void doctor_lists(struct checkup *checkup);
void doctor_mta(struct checkup *checkup);
void doctor_store(struct checkup *checkup);
void doctor_overrides(struct checkup *checkup);
void doctor_daemons(struct checkup *checkup);

/* The settings that can be used but are hardly meant; for check-config, too. */
void doctor_judge_settings(const struct conf *conf, struct findings *findings);

/* ---- what these share ---- */

/* Whether an endpoint of the settings is for this host only. */
bool doctor_is_local(const char *endpoint);

/* Whether it can be tried what that user may do: by root, and by themselves. */
bool doctor_can_be(const char *user);

/* Notes what has been left out for that. */
void doctor_say_untried(struct findings *findings, const char *title);

/* The daemons' user, and its group; "USER" and "GROUP" when there is none. */
const char *doctor_user(const struct conf *conf);
const char *doctor_group(const struct conf *conf);

#endif
