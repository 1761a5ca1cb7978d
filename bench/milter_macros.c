/* The macros that go before a command. */
#include "milter_macros.h"

#include <libmilter/mfapi.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Postfix' defaults, and the client beside the connection. */
static const char *const usual[MACRO_STAGES] = {
	[SMFIM_CONNECT] = "j {daemon_name} {daemon_addr} {daemon_port} v _ {client_addr} "
			  "{client_port} {client_name} {client_ptr} {client_connections}",
	[SMFIM_HELO] =
		"{tls_version} {cipher} {cipher_bits} {cert_subject} {cert_issuer}",
	[SMFIM_ENVFROM] = "i {auth_type} {auth_authen} {auth_author} {mail_addr} "
			  "{mail_host} {mail_mailer}",
	[SMFIM_ENVRCPT] = "i {rcpt_addr} {rcpt_host} {rcpt_mailer}",
	[SMFIM_DATA] = "i",
	[SMFIM_EOM] = "i",
	[SMFIM_EOH] = "i",
};

/* Without braces; the value is the text, or else what is at that place of the guest. */
static const struct macro {
	const char *name;
	const char *text;
	size_t place;
} macros[] = {
	{"j", "mx.bench.example", 0},
	{"v", "Postfix 3.7.11", 0},
	{"daemon_name", "mx.bench.example", 0},
	{"daemon_addr", "192.0.2.25", 0},
	{"daemon_port", "25", 0},
	{"client_name", "unknown", 0},
	{"client_ptr", "unknown", 0},
	{"client_connections", "1", 0},
	{"tls_version", "TLSv1.3", 0},
	{"cipher", "TLS_AES_256_GCM_SHA384", 0},
	{"cipher_bits", "256", 0},
	{"mail_mailer", "smtp", 0},
	{"mail_host", "bench.example", 0},
	{"rcpt_mailer", "smtp", 0},
	{"_", NULL, offsetof(struct guest, client)},
	{"client_addr", NULL, offsetof(struct guest, address)},
	{"client_port", NULL, offsetof(struct guest, port_text)},
	{"mail_addr", NULL, offsetof(struct guest, sender)},
	{"rcpt_addr", NULL, offsetof(struct guest, recipient)},
	{"rcpt_host", NULL, offsetof(struct guest, recipient_host)},
	{"i", NULL, offsetof(struct guest, queue_id)},
};

bool
macro_lists_take(struct macro_lists *lists, struct wire_frame *rest)
{
	memset(lists->chosen, 0, sizeof lists->chosen);
	while (rest->length > 0) {
		uint32_t stage;
		const char *names;

		if (!wire_take_number(rest, &stage) || stage >= MACRO_STAGES ||
		    !wire_take_text(rest, &names) || strlen(names) >= MACRO_LIST_SIZE)
			return false;
		lists->chosen[stage] = true;
		memcpy(lists->names[stage], names, strlen(names) + 1);
	}
	return true;
}

static const struct macro *
find(const char *name, size_t length)
{
	for (size_t i = 0; i < sizeof macros / sizeof *macros; i++)
		if (strlen(macros[i].name) == length &&
		    memcmp(macros[i].name, name, length) == 0)
			return &macros[i];
	return NULL;
}

static const char *
value_of(const struct macro *macro, const struct guest *guest)
{
	return macro->text != NULL ? macro->text : (const char *)guest + macro->place;
}

/* An address goes without its angle brackets. */
static void
put_value(struct wire_out *out, const char *value)
{
	size_t length = strlen(value);

	if (*value == '<') {
		value++;
		length -= 2;
	}
	wire_put_bytes(out, value, length);
	wire_put_bytes(out, "", 1);
}

/* The name in braces, but a single letter bare. */
static void
put_name(struct wire_out *out, const char *name)
{
	size_t length = strlen(name);

	if (length == 1) {
		wire_put_bytes(out, name, 2);
		return;
	}
	wire_put_bytes(out, "{", 1);
	wire_put_bytes(out, name, length);
	wire_put_bytes(out, "}", 2);
}

void
macros_put(struct wire_out *out, const struct macro_lists *lists, int stage, char command,
           const struct guest *guest)
{
	static const char between[] = " ,{}";
	const char *name = lists->chosen[stage] ? lists->names[stage] : usual[stage];
	size_t begun = out->length;

	wire_begin(out, SMFIC_MACRO);
	wire_put_bytes(out, &command, 1);
	size_t empty = out->length;
	for (name += strspn(name, between); *name != '\0';
	     name += strspn(name, between)) {
		size_t length = strcspn(name, between);
		const struct macro *macro = find(name, length);

		name += length;
		if (macro == NULL || *value_of(macro, guest) == '\0')
			continue;
		put_name(out, macro->name);
		put_value(out, value_of(macro, guest));
	}
	wire_end(out);
	if (out->length == empty)
		out->length = begun;
}
