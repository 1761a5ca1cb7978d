/* complain.c - log lines about peers that do not speak the protocol. */
#include "complain.h"

#include <string.h>
#include <sys/socket.h>

#include "base/addr.h"
#include "base/log.h"

#define SLOTS 64

/* The last complaint about the peer that uses the slot. */
static struct slot {
	struct addr peer;
	int64_t last_ms;
} slots[SLOTS];

static struct addr
peer_of(int fd)
{
	union {
		struct sockaddr any;
		struct sockaddr_storage room;
	} name = {0};

	socklen_t len = sizeof(name);
	struct addr addr = {0};
	uint16_t port;
	if (getpeername(fd, &name.any, &len) == 0)
		addr_of_socket(&name.any, &addr, &port);
	return addr;
}

static struct slot *
slot_of(const struct addr *peer)
{
	unsigned hash = 0;
	for (size_t i = 0; i < sizeof(peer->bytes); i++)
		hash = hash * 31 + peer->bytes[i];
	struct slot *slot = &slots[hash % SLOTS];
	if (!addr_eq(&slot->peer, peer))
		*slot = (struct slot){.peer = *peer};
	return slot;
}

void
complain(int fd, const char *trouble)
{
	struct addr peer = peer_of(fd);
	struct slot *slot = slot_of(&peer);
	if (!log_ration(&slot->last_ms, 60))
		return;
	char buf[ADDR_TEXT_MAX];
	struct text name = TEXT(buf);
	if (peer.family == ADDR_NONE)
		text_puts(&name, "a local socket");
	else
		addr_print(&peer, &name);
	log_warning("policy connection from %s closed: %s", buf, trouble);
}
