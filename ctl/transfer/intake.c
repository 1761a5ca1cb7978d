/* intake.c - what an import does with each record: takes it, or counts why not. */
#include "intake.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "escape.h"
#include "output.h"
#include "store/record.h"

static const struct fate_word {
	const char *name; /* in JSON */
	const char *text;
} fates[] = {
	[INTAKE_TAKEN] = {"taken", "taken"},
	[INTAKE_MALFORMED] = {"malformed", "malformed"},
	[INTAKE_UNKNOWN] = {"unknown_kind", "of an unknown kind"},
	[INTAKE_EXPIRED] = {"expired", "expired by the settings here"},
	[INTAKE_OLDER] = {"older", "not newer than the store's (--replace takes them)"},
	[INTAKE_FOLDED] = {"folded", "the same as another row once addresses are folded"},
	[INTAKE_HASHED] = {"hashed", "hashed by postgrey --privacy"},
	[INTAKE_SHORT_NETWORK] = {"network_too_wide",
                                  "of a wider network than greylist.ipv4_prefix or "
                                  "greylist.ipv6_prefix here"},
	[INTAKE_NEVER_ALLOWED] =
		{"never_allowed",
                 "of whole clients, but greylist.allow_client_after is 0"},
	[INTAKE_SENDER_LOST] = {"sender_lost",
                                "of a sender (SRS0+...) that the other greylister cut"},
	[INTAKE_NOT_FOUND] = {"not_found", "written, but not in the store afterwards"},
	[INTAKE_TARPIT] = {"tarpit", "of the tarpit, which weir has not"},
};

bool
intake_prefers(const struct grey_record *rec, const struct grey_record *other)
{
	if (rec->state != other->state)
		return rec->state > other->state;
	return rec->at_s > other->at_s;
}

/* Whether what is there must stay. */
static bool
is_kept(const struct intake *intake, int64_t there, const struct history_row *row)
{
	struct grey_record old, new;
	if (there == 0)
		return false;
	return !record_unpack(there, &old) || !record_unpack(row->packed, &new) ||
	       (!grey_is_expired(&old, &intake->rules, intake->now_s) &&
	        !intake_prefers(&new, &old));
}

/* Leaves what is to be written in the batch. */
static bool
drop_older(struct intake *intake, struct err *err_out)
{
	size_t left = 0;
	struct history_row *there = intake->there;
	memcpy(there, intake->batch, intake->n_batch * sizeof(*there));
	if (!history_get_records(intake->history, intake->n_batch, there, err_out))
		return false;
	for (size_t i = 0; i < intake->n_batch; i++) {
		if (is_kept(intake, there[i].packed, &intake->batch[i]))
			intake->count[INTAKE_OLDER]++;
		else
			intake->batch[left++] = intake->batch[i];
	}
	intake->n_batch = left;
	return true;
}

/* What was written of the batch, as the store has it now; the rest is none of what is taken. */
static bool
count_found(struct intake *intake, struct err *err_out)
{
	struct history_row *there = intake->there;
	memcpy(there, intake->batch, intake->n_batch * sizeof(*there));
	if (!history_get_records(intake->history, intake->n_batch, there, err_out))
		return false;
	for (size_t i = 0; i < intake->n_batch; i++) {
		bool found = there[i].packed != 0;
		intake->count[found ? INTAKE_TAKEN : INTAKE_NOT_FOUND]++;
	}
	return true;
}

/* Without `apply` all of the batch would be taken. */
static bool
take_batch(struct intake *intake, struct err *err_out)
{
	if (!intake->apply)
		intake->count[INTAKE_TAKEN] += (int64_t)intake->n_batch;
	else if (intake->n_batch > 0 &&
	         (!history_put_records(intake->history, intake->n_batch, intake->batch,
	                               &intake->rules, intake->now_s, err_out) ||
	          !count_found(intake, err_out)))
		return false;
	return true;
}

bool
intake_flush(struct intake *intake, struct err *err_out)
{
	if (!intake->replace && !intake->only_look && !drop_older(intake, err_out))
		return false;
	if (!take_batch(intake, err_out))
		return false;
	intake->n_batch = 0;
	return true;
}

bool
intake_record(struct intake *intake, enum history_record kind, const struct key *key,
              struct grey_record record, struct err *err_out)
{
	if (record.at_s > intake->now_s)
		record.at_s = intake->now_s;
	if (grey_is_expired(&record, &intake->rules, intake->now_s)) {
		intake->count[INTAKE_EXPIRED]++;
		return true;
	}
	intake->batch[intake->n_batch++] =
		(struct history_row){.kind = kind,
	                             .key = *key,
	                             .packed = record_pack(&record)};
	return intake->n_batch < INTAKE_BATCH || intake_flush(intake, err_out);
}

int64_t
intake_rows(const struct intake *intake)
{
	int64_t sum = 0;
	for (size_t i = 0; i < INTAKE_FATES; i++)
		sum += intake->count[i];
	return sum;
}

static void
report_json(const struct intake *intake, const char *source)
{
	json_t *not_taken = json_object();
	for (size_t i = INTAKE_TAKEN + 1; i < INTAKE_FATES; i++)
		if (intake->count[i] > 0)
			json_object_set_new(not_taken, fates[i].name,
			                    json_integer(intake->count[i]));
	json_t *json =
		json_pack("{s:s?, s:b, s:I, s:I, s:o}", "source", source, "applied",
	                  (int)intake->apply, "rows", (json_int_t)intake_rows(intake),
	                  "taken", (json_int_t)intake->count[INTAKE_TAKEN], "not_taken",
	                  not_taken);
	print_json(json);
}

static void
report_text(const struct intake *intake, const char *source)
{
	int64_t rows = intake_rows(intake), taken = intake->count[INTAKE_TAKEN];
	printf("%s: %" PRId64 " row%s\n", source, rows, rows == 1 ? "" : "s");
	printf("%10" PRId64 " %s%s\n", taken, intake->apply ? "taken" : "would be taken",
	       intake->apply || taken == 0 ? "" : "; --apply takes them");
	for (size_t i = INTAKE_TAKEN + 1; i < INTAKE_FATES; i++)
		if (intake->count[i] > 0)
			printf("%10" PRId64 " not taken: %s\n", intake->count[i],
			       fates[i].text);
	if (intake->malformed_line > 0)
		printf("the first malformed one is in line %" PRId64 "\n",
		       intake->malformed_line);
}

void
intake_report(const struct intake *intake, const struct ctl *ctl, const char *source)
{
	char *shown = escape(slice_of(source), false);
	if (ctl->json)
		report_json(intake, shown);
	else
		report_text(intake, shown);
	free(shown);
}
