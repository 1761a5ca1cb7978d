/* doctor_files.h - the folder of the embedded store. */
#ifndef WEIR_CTL_DOCTOR_FILES_H
#define WEIR_CTL_DOCTOR_FILES_H

#include "doctor.h"

/* Looks as whoever we are, and tries as the daemons' user; false: there is no store to open. */
bool doctor_files(struct checkup *checkup);

/*
 * What comes of it when the daemons cannot use the file of the store, or the folder, that is named
 * in the text.  A literal.
 */
const char *doctor_without_file(const char *text);

/* Whether there is room on its disk. */
void doctor_judge_room(struct findings *findings, const char *dir, int64_t free_bytes,
                       int64_t bytes, int64_t free_inodes, int64_t inodes);

#endif
