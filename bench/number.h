/* Numbers on the command lines of the benchmark programs. */
#ifndef BENCH_NUMBER_H
#define BENCH_NUMBER_H

#include <stdint.h>

/* Ends the program with a message and status 1 if the text is no number from min to max. */
uint64_t number(const char *text, uint64_t min, uint64_t max);

#endif
