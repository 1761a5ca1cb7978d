/*
 * fuzz_redis.c - any bytes as what a Redis server sends, with the bounds of the connection.
 *
 * What must hold: however the bytes are cut, the replies are the same; no reply of the kind we
 * read is larger than the bound; the reader's own memory is bounded.
 */
#include <stdint.h>
#include <stdlib.h>

#include "redis/redis_reply.h"

enum { READ_BYTES = 4096, DEEPEST = 9 };

/* What the stream came to, as far as it can be told from outside. */
struct summary {
	unsigned replies;
	uint64_t sum;
	bool too_large; /* ended by the bound, which is looked at after each read */
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool holds)
{
	if (!holds)
		abort();
}

static uint64_t
mix(uint64_t sum, uint64_t more)
{
	return (sum ^ more) * UINT64_C(0x100000001b3);
}

static uint64_t
sum_of_text(uint64_t sum, struct slice text)
{
	for (size_t i = 0; i < text.n; i++)
		sum = mix(sum, (unsigned char)text.p[i]);
	return mix(sum, text.n);
}

static uint64_t
sum_of_tree(uint64_t sum, const redisReply *reply, int depth)
{
	must(depth <= DEEPEST);
	sum = mix(sum, (uint64_t)reply->type);
	if (reply->type != REDIS_REPLY_ARRAY)
		return sum;
	must(reply->elements <= REDIS_ARRAY_MAX);
	for (size_t i = 0; i < reply->elements; i++)
		sum = sum_of_tree(sum, reply->element[i], depth + 1);
	return sum;
}

static void
take(struct summary *summary, const redisReply *reply)
{
	struct redis_reply ours;
	redis_reply_take(reply, &ours);
	must(ours.kind != REDIS_LOST);
	must(ours.text.n <= REDIS_REPLY_MAX + READ_BYTES);
	must(ours.text.n == 0 || ours.kind == REDIS_TEXT || ours.kind == REDIS_STATUS ||
	     ours.kind == REDIS_ERROR);
	if (ours.kind == REDIS_ERROR)
		must(redis_error_find(ours.text) != NULL);
	summary->replies++;
	summary->sum = mix(summary->sum, ours.kind);
	summary->sum = mix(summary->sum, (uint64_t)ours.integer);
	summary->sum = sum_of_text(summary->sum, ours.text);
	summary->sum = sum_of_tree(summary->sum, reply, 0);
}

/* Takes what is complete; false when the connection would be ended. */
static bool
take_all(struct summary *summary, redisReader *reader)
{
	for (;;) {
		void *reply = NULL;
		if (redisReaderGetReply(reader, &reply) != REDIS_OK)
			return false;
		if (!reply) {
			summary->too_large = reader->len > REDIS_REPLY_MAX;
			return !summary->too_large;
		}
		take(summary, reply);
		freeReplyObject(reply);
	}
}

/* Whether the stream was good to its end is part of the summary. */
static struct summary
read_stream(struct slice stream, size_t step)
{
	struct summary summary = {0};
	redisReader *reader = redis_reader_new();
	bool good = true;
	for (size_t at = 0; good && at < stream.n; at += step) {
		struct slice piece = slice_head(slice_from(stream, at), step);
		must(redisReaderFeed(reader, piece.p, piece.n) == REDIS_OK);
		must(reader->len <= REDIS_REPLY_MAX + READ_BYTES);
		good = take_all(&summary, reader);
	}
	summary.sum = mix(summary.sum, good);
	redisReaderFree(reader);
	return summary;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice stream = {.p = (const char *)data, .n = size};
	size_t odd_step = size > 0 ? (1 + data[size / 2] % 16) * (1 + size / 1024) : 1;
	struct summary whole = read_stream(stream, READ_BYTES);
	struct summary pieces = read_stream(stream, odd_step);
	if (!whole.too_large && !pieces.too_large)
		must(whole.replies == pieces.replies && whole.sum == pieces.sum);
	return 0;
}
