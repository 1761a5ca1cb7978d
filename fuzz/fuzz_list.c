/*
 * fuzz_list.c - any bytes as a list file of either kind, then lookups in what was read.
 *
 * A line of the input is also looked up, so that matches happen.
 */
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "conf/list.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The bytes as a file that listfile_load() can open; one descriptor serves all inputs. */
static const char *
as_file(const uint8_t *data, size_t size)
{
	static char path[64];
	static int fd = -1;
	if (fd < 0) {
		fd = memfd_create("list", MFD_CLOEXEC);
		struct text text = TEXT(path);
		text_printf(&text, "/proc/self/fd/%d", fd);
	}
	if (fd < 0 || ftruncate(fd, 0) != 0 || pwrite(fd, data, size, 0) != (ssize_t)size)
		abort();
	return path;
}

static void
look_up(const struct list *list, enum list_kind kind, struct slice what)
{
	static const char *const addrs[] = {"192.0.2.1", "2001:db8::25", "10.0.0.1"};
	struct list_hit hit = {0};
	if (kind == LIST_MAIL) {
		if (list_has_mail(list, what, 1800000000, &hit) && !hit.source)
			abort();
		return;
	}
	for (size_t i = 0; i < COUNT_OF(addrs); i++) {
		struct addr addr;
		if (!addr_parse(slice_of(addrs[i]), &addr))
			abort();
		if (list_has_client(list, &addr, what, 1800000000, &hit) && !hit.source)
			abort();
	}
}

static void
try_kind(enum list_kind kind, struct slice input)
{
	struct list *list = list_new(kind);
	struct err err = {0};
	const char *path = as_file((const uint8_t *)input.p, input.n);
	if (!listfile_load(list, NULL, path, &err) && err.text[0] == '\0')
		abort();
	look_up(list, kind, SLICE("mail.example.com"));
	look_up(list, kind, SLICE("User+x@example.com"));
	look_up(list, kind, SLICE(""));
	struct slice line;
	for (int i = 0; i < 8 && slice_cut(&input, '\n', &line); i++)
		look_up(list, kind, line);
	list_free(&list);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice input = {.p = (const char *)data, .n = size};
	try_kind(LIST_CLIENTS, input);
	try_kind(LIST_MAIL, input);
	return 0;
}
