/* why.c - THE table of reasons: the word of each, a sentence, and what lets such mail through. */
#include "rules/why.h"

/* clang-format off */
static const struct reason reasons[] = {
	[WHY_NOT_JUDGED] = {"not-judged", REMEDY_NONE,
		"Nothing is asked about this step of the mail."},
	[WHY_NO_CLIENT_ADDRESS] = {"no-client-address", REMEDY_NONE,
		"The client's address is not known, so it cannot be greylisted."},
	[WHY_OFF] = {"greylist-off", REMEDY_NONE,
		"Greylisting is off, for all or for this destination."},
	[WHY_AUTHENTICATED] = {"authenticated", REMEDY_NONE,
		"The client has logged in, so it is not greylisted."},
	[WHY_OWN_NETWORK] = {"own-network", REMEDY_NONE,
		"The client is in one of lists.networks, so it is not greylisted."},
	[WHY_PRIVATE_NETWORK] = {"private-network", REMEDY_NONE,
		"The client has a private address (greylist.exempt_private), so it is not greylisted."},
	[WHY_CERTIFICATE] = {"certificate", REMEDY_NONE,
		"The client's certificate is one of lists.certificates."},
	[WHY_LIST_CLIENT] = {"list-client", REMEDY_NONE,
		"The client is on a list of lists.clients."},
	[WHY_LIST_SENDER] = {"list-sender", REMEDY_NONE,
		"The sender is on a list of lists.senders."},
	[WHY_LIST_RECIPIENT] = {"list-recipient", REMEDY_NONE,
		"The recipient is on a list of lists.recipients."},
	[WHY_OVERRIDE_CLIENT] = {"override-client", REMEDY_NONE,
		"The operator has allowed the client for a time."},
	[WHY_OVERRIDE_SENDER] = {"override-sender", REMEDY_NONE,
		"The operator has allowed the sender for a time."},
	[WHY_OVERRIDE_RECIPIENT] = {"override-recipient", REMEDY_NONE,
		"The operator has allowed the recipient for a time."},
	[WHY_NULL_SENDER] = {"null-sender", REMEDY_NONE,
		"Mail without a sender (a bounce) is not judged before DATA."},
	[WHY_CLIENT_ALLOWED] = {"client-allowed", REMEDY_NONE,
		"Enough of the client's mail has passed before, so it is not greylisted any more."},
	[WHY_GREYLIST_KNOWN] = {"greylist-known", REMEDY_NONE,
		"This client, sender and recipient have passed before."},
	[WHY_GREYLIST_PASSED] = {"greylist-passed", REMEDY_NONE,
		"It came back in time, as mail servers do; from now on it passes."},
	[WHY_GREYLIST_RELEASED] = {"greylist-released", REMEDY_NONE,
		"The operator had released it, and it came again; from now on it passes."},
	[WHY_GREYLIST_NEW] = {"greylist-new", REMEDY_GREYLIST,
		"This client, sender and recipient were not seen together before, so the mail has to come again: "
		"mail servers do that, much software that sends spam does not."},
	[WHY_GREYLIST_UNSTORED] = {"greylist-unstored", REMEDY_GREYLIST,
		"Not seen before, and not remembered either, because the client had more new triplets than "
		"greylist.new_triplets allows, or the store could keep no more: its delay has not begun yet."},
	[WHY_GREYLIST_EARLY] = {"greylist-early", REMEDY_GREYLIST,
		"It came back before greylist.delay was over."},
	[WHY_GREYLIST_AGED] = {"greylist-aged", REMEDY_GREYLIST,
		"It came back after greylist.retry_window, or was not used for greylist.lifetime, so it waits "
		"anew."},
	[WHY_STORE_FAILURE] = {"store-failure", REMEDY_STORE,
		"The store gave no answer, so store.on_failure said what becomes of the mail."},
	[WHY_DRAINED] = {"destination-drained", REMEDY_DRAIN,
		"The operator has drained the destination for a time."},
	[WHY_USER_DRAINED] = {"user-drained", REMEDY_DRAIN,
		"The operator holds back the mail of the user for a time."},
	[WHY_MESSAGE_RECIPIENTS] = {"message-recipients", REMEDY_NONE,
		"The message had as many recipients as limits.message_recipients allows; the others come with "
		"another message."},
	[WHY_RECOVERING] = {"limits-recovering", REMEDY_STORE,
		"The store was emptied or restarted, and not all daemons had told yet what they hold."},
	[WHY_LIMIT] = {"destination-concurrency", REMEDY_LIMIT,
		"The destination had as many deliveries under way as its limit allows."},
	[WHY_LIMIT + 1] = {"destination-messages", REMEDY_LIMIT,
		"The destination has got as many messages as its limit allows in that time."},
	[WHY_LIMIT + 2] = {"destination-recipients", REMEDY_LIMIT,
		"The destination has had as many recipients as its limit allows in that time."},
	[WHY_LIMIT + 3] = {"client-concurrency", REMEDY_LIMIT,
		"The client had as many deliveries under way as limits.clients allows."},
	[WHY_LIMIT + 4] = {"client-messages", REMEDY_LIMIT,
		"The client has sent as many messages as limits.clients allows in that time."},
	[WHY_LIMIT + 5] = {"client-recipients", REMEDY_LIMIT,
		"The client has had as many recipients as limits.clients allows in that time."},
	[WHY_LIMIT + 6] = {"sender-concurrency", REMEDY_LIMIT,
		"The sender had as many deliveries under way as limits.senders allows."},
	[WHY_LIMIT + 7] = {"sender-messages", REMEDY_LIMIT,
		"The sender has sent as many messages as limits.senders allows in that time."},
	[WHY_LIMIT + 8] = {"sender-recipients", REMEDY_LIMIT,
		"The sender has had as many recipients as limits.senders allows in that time."},
	[WHY_LIMIT + 9] = {"user-concurrency", REMEDY_LIMIT,
		"The user had as many deliveries under way as limits.users allows."},
	[WHY_LIMIT + 10] = {"user-messages", REMEDY_LIMIT,
		"The user has sent as many messages as limits.users allows in that time."},
	[WHY_LIMIT + 11] = {"user-recipients", REMEDY_LIMIT,
		"The user has had as many recipients as limits.users allows in that time."},
	[WHY_LIMIT + 12] = {"mailbox-concurrency", REMEDY_LIMIT,
		"The recipient had as many deliveries under way as limits.mailboxes allows."},
	[WHY_LIMIT + 13] = {"mailbox-messages", REMEDY_LIMIT,
		"The recipient has got as many messages as limits.mailboxes allows in that time."},
	[WHY_LIMIT + 14] = {"mailbox-recipients", REMEDY_LIMIT,
		"The recipient has been named as often as limits.mailboxes allows in that time."},
};
/* clang-format on */

_Static_assert(COUNT_OF(reasons) == WHY_COUNT, "one row for each reason");

const char *
why_word(enum why why)
{
	return reasons[why].word;
}

const struct reason *
reason_find(struct slice word)
{
	for (size_t i = 0; i < COUNT_OF(reasons); i++)
		if (slice_eq(slice_of(reasons[i].word), word))
			return &reasons[i];
	return NULL;
}
