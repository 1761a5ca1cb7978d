/* Frames of the milter protocol: four bytes of length, a letter, and what belongs to it. */
#ifndef BENCH_MILTER_WIRE_H
#define BENCH_MILTER_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WIRE_OUT_SIZE = 4096, WIRE_IN_SIZE = 8192 };

struct wire_out {
	size_t frame; /* where the open frame begins */
	size_t length;
	unsigned char bytes[WIRE_OUT_SIZE];
};

/* A frame is begun, filled and ended.  What does not fit ends the program: the sizes are
 * the generator's own. */
void wire_begin(struct wire_out *out, char letter);
void wire_put_bytes(struct wire_out *out, const void *bytes, size_t length);
void wire_put_text(struct wire_out *out, const char *text); /* and its NUL */
void wire_put_number(struct wire_out *out, uint32_t number);
void wire_end(struct wire_out *out);

struct wire_in {
	size_t taken, length;
	unsigned char bytes[WIRE_IN_SIZE];
};

struct wire_frame {
	char letter;
	const unsigned char *data;
	size_t length;
};

enum wire_result { WIRE_NOTHING, WIRE_FRAME, WIRE_BAD };

/* Bytes the peer has sent; 0 when it has closed, -1 with errno. */
long wire_read(struct wire_in *in, int fd);

/* The frame stays until the next read. */
enum wire_result wire_next(struct wire_in *in, struct wire_frame *frame_out);

/* Read from the front of what is left of a frame; false if it is not there whole. */
bool wire_take_number(struct wire_frame *frame, uint32_t *number_out);
bool wire_take_text(struct wire_frame *frame, const char **text_out);

#endif
