/* report.h - what is told of each verdict. */
#ifndef WEIR_REPORT_H
#define WEIR_REPORT_H

#include "decision.h"

/* Logs and counts a verdict that is complete. */
void report_decision(const struct decision *decision);

#endif
