/* standard.h - standard input, output and error. */
#ifndef WEIR_STANDARD_H
#define WEIR_STANDARD_H

/*
 * Takes up those of the descriptors 0 to 2 that are closed, so that no file or socket gets one of
 * them and what is printed with it.  To be called first; reading and writing still fail there.
 */
void standard_take_up(void);

#endif
