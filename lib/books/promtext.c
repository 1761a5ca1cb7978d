/* promtext.c - the text format 0.0.4 of Prometheus. */
#include "promtext.h"

#include <inttypes.h>
#include <jansson.h>

void
promtext_family(FILE *out, const char *name, const char *type, const char *help)
{
	fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* jansson makes no string of anything else. */
static bool
is_utf8(struct slice value)
{
	json_t *string = json_stringn(value.p ? value.p : "", value.n);
	json_decref(string);
	return string != NULL;
}

struct slice
promtext_clean(struct slice value, char buf[PROMTEXT_LABEL_MAX + 1])
{
	struct slice head = slice_head(value, PROMTEXT_LABEL_MAX);
	bool utf8 = is_utf8(head);
	for (size_t i = 0; i < head.n; i++) {
		unsigned char byte = (unsigned char)head.p[i];
		bool bad = byte < ' ' || byte == 0x7f || (byte > 0x7f && !utf8);
		buf[i] = bad ? '?' : head.p[i];
	}
	buf[head.n] = '\0';
	return (struct slice){.p = buf, .n = head.n};
}

static void
print_label(FILE *out, const struct label *label)
{
	char buf[PROMTEXT_LABEL_MAX + 1];
	struct slice value = promtext_clean(label->value, buf);
	fprintf(out, "%s=\"", label->name);
	for (size_t i = 0; i < value.n; i++) {
		if (value.p[i] == '"' || value.p[i] == '\\')
			fputc('\\', out);
		fputc(value.p[i], out);
	}
	fputc('"', out);
}

void
promtext_sample(FILE *out, const char *name, const struct label *labels, size_t n,
                int64_t value)
{
	fputs(name, out);
	for (size_t i = 0; i < n; i++) {
		fputc(i == 0 ? '{' : ',', out);
		print_label(out, &labels[i]);
	}
	fprintf(out, "%s %" PRId64 "\n", n > 0 ? "}" : "", value);
}

void
promtext_number(FILE *out, int64_t value, int64_t per_one)
{
	int64_t rest = value % per_one;
	fprintf(out, "%" PRId64, value / per_one);
	if (rest == 0)
		return;
	fputc('.', out);
	for (; rest > 0; rest %= per_one) {
		per_one /= 10;
		fprintf(out, "%" PRId64, rest / per_one);
	}
}

void
promtext_decimal(FILE *out, const char *name, int64_t value, int64_t per_one)
{
	fprintf(out, "%s ", name);
	promtext_number(out, value, per_one);
	fputc('\n', out);
}
