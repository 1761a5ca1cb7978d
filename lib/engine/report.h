/* report.h - what is told of each verdict. */
#ifndef WEIR_REPORT_H
#define WEIR_REPORT_H

#include "engine/decision.h"

/* Logs and counts a verdict that is complete, and has the recorder remember it. */
void report_decision(const struct decision *decision);

/* Tells the recorder whose the limits are in which there are slots now, unless the settings do. */
void report_names(const struct decision *decision);

#endif
