/* Frames of the milter protocol. */
#include "milter_wire.h"

#include <arpa/inet.h>
#include <err.h>
#include <string.h>
#include <unistd.h>

enum { LENGTH_BYTES = 4 };

void
wire_put_bytes(struct wire_out *out, const void *bytes, size_t length)
{
	if (length > sizeof out->bytes - out->length)
		errx(1, "a command is longer than %d bytes", WIRE_OUT_SIZE);
	memcpy(out->bytes + out->length, bytes, length);
	out->length += length;
}

void
wire_put_text(struct wire_out *out, const char *text)
{
	wire_put_bytes(out, text, strlen(text) + 1);
}

void
wire_put_number(struct wire_out *out, uint32_t number)
{
	uint32_t swapped = htonl(number);

	wire_put_bytes(out, &swapped, sizeof swapped);
}

void
wire_begin(struct wire_out *out, char letter)
{
	out->frame = out->length;
	wire_put_number(out, 0);
	wire_put_bytes(out, &letter, 1);
}

void
wire_end(struct wire_out *out)
{
	uint32_t length = htonl((uint32_t)(out->length - out->frame - LENGTH_BYTES));

	memcpy(out->bytes + out->frame, &length, sizeof length);
}

long
wire_read(struct wire_in *in, int fd)
{
	in->length -= in->taken;
	memmove(in->bytes, in->bytes + in->taken, in->length);
	in->taken = 0;

	ssize_t got = read(fd, in->bytes + in->length, sizeof in->bytes - in->length);
	if (got > 0)
		in->length += (size_t)got;
	return got;
}

enum wire_result
wire_next(struct wire_in *in, struct wire_frame *frame_out)
{
	struct wire_frame rest = {.data = in->bytes + in->taken,
	                          .length = in->length - in->taken};
	uint32_t length;

	if (!wire_take_number(&rest, &length))
		return WIRE_NOTHING;
	/* one that can never be read whole is as bad as one without its letter */
	if (length == 0 || length > sizeof in->bytes - LENGTH_BYTES)
		return WIRE_BAD;
	if (length > rest.length)
		return WIRE_NOTHING;
	*frame_out = (struct wire_frame){.letter = (char)rest.data[0],
	                                 .data = rest.data + 1,
	                                 .length = length - 1};
	in->taken += LENGTH_BYTES + length;
	return WIRE_FRAME;
}

bool
wire_take_number(struct wire_frame *frame, uint32_t *number_out)
{
	uint32_t swapped;

	if (frame->length < sizeof swapped)
		return false;
	memcpy(&swapped, frame->data, sizeof swapped);
	*number_out = ntohl(swapped);
	frame->data += sizeof swapped;
	frame->length -= sizeof swapped;
	return true;
}

bool
wire_take_text(struct wire_frame *frame, const char **text_out)
{
	const unsigned char *end = memchr(frame->data, '\0', frame->length);

	if (end == NULL)
		return false;

	size_t length = (size_t)(end - frame->data) + 1;
	*text_out = (const char *)frame->data;
	frame->data += length;
	frame->length -= length;
	return true;
}
