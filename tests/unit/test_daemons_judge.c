/* test_daemons_judge.c - what is said of daemons, by their heartbeats. */
#include "daemons_judge.h"

#include <jansson.h>

#include "config.h"
#include "harness.h"

#define NOW 1800000000

#define HEARTBEAT(daemon, node, seen, more)                                        \
 "{\"daemon\":\"" daemon "\",\"node\":\"" node "\",\"version\":\"" PACKAGE_VERSION \
 "\",\"pid\":7,\"started\":1799990000,"                                            \
 "\"seen\":" seen ",\"store_up\":true,\"accepted\":900,\"deferred\":100" more "}"
#define ALIVE  "1799999999"
#define SILENT "1799999990"

#define WITHOUT_STORE "a daemon had to work without the store"

/* clang-format off */
static const struct heartbeats_row {
	const char *row;
	const char *heartbeats; /* between [ and ] */
	const char *settings;
	const char *want;
} heartbeats_rows[] = {
	{"nobody", "", "", "P no daemon is alive"},
	{"one", HEARTBEAT("policyd", "mx1", ALIVE, ""), "", ""},
	{"both", HEARTBEAT("policyd", "mx1", ALIVE, "") "," HEARTBEAT("milter", "mx1", ALIVE, ""), "", ""},
	{"silent", HEARTBEAT("policyd", "mx1", SILENT, ""), "", "W a daemon has fallen silent"},
	{"silent beside one", HEARTBEAT("policyd", "mx1", ALIVE, "") "," HEARTBEAT("milter", "mx1", SILENT, ""), "", "W a daemon has fallen silent"},
	{"stopped beside one", HEARTBEAT("policyd", "mx1", ALIVE, "") "," HEARTBEAT("milter", "mx1", SILENT, ",\"stopped\":true"), "", ""},
	{"all stopped", HEARTBEAT("policyd", "mx1", SILENT, ",\"stopped\":true"), "", "P no daemon is alive"},
	{"stopped beside a silent one", HEARTBEAT("policyd", "mx1", SILENT, "") "," HEARTBEAT("milter", "mx1", SILENT, ",\"stopped\":true"), "", "W a daemon has fallen silent"},
	{"from the future", HEARTBEAT("policyd", "mx1", "1800000006", ""), "", "W the clocks of two hosts differ"},
	{"five seconds are fine", HEARTBEAT("policyd", "mx1", "1800000005", ""), "", ""},
	{"another version", HEARTBEAT("policyd", "mx1", ALIVE, ",\"version\":\"0.0.9\""), "", "W a daemon has another version than weirctl"},
	{"without store", HEARTBEAT("policyd", "mx1", ALIVE, ",\"store_up\":false"), "", "P a daemon does not reach its store"},
	{"a late answer", HEARTBEAT("policyd", "mx1", ALIVE, ",\"late_answers\":10"), "", "N " WITHOUT_STORE},
	{"many late answers", HEARTBEAT("policyd", "mx1", ALIVE, ",\"late_answers\":11"), "", "W " WITHOUT_STORE},
	{"lost decisions and slots", HEARTBEAT("policyd", "mx1", ALIVE, ",\"decisions_lost\":1,\"leases_lost\":1"), "", "N " WITHOUT_STORE ";N " WITHOUT_STORE},
	{"two hosts, nodes 1", HEARTBEAT("policyd", "mx1", ALIVE, "") "," HEARTBEAT("policyd", "mx2", ALIVE, ""), "", "W the setting nodes is not the number of hosts"},
	{"two hosts, nodes 2", HEARTBEAT("policyd", "mx1", ALIVE, "") "," HEARTBEAT("policyd", "mx2", ALIVE, ""), "nodes=2", ""},
	{"one host, nodes 2", HEARTBEAT("policyd", "mx1", ALIVE, "") "," HEARTBEAT("milter", "mx1", ALIVE, ""), "nodes=2", "W the setting nodes is not the number of hosts"},
	{"policyd and limits", HEARTBEAT("policyd", "mx1", ALIVE, ""), "limits.default.concurrency=3", "N limits on deliveries at once are judged without weir-milter"},
	{"milter and limits", HEARTBEAT("milter", "mx1", ALIVE, ""), "limits.default.concurrency=3", ""},
	{"a bridge hides the clients", HEARTBEAT("policyd", "mx1", ALIVE, ",\"crowd\":\"172.18.0.1\",\"crowd_percent\":97"), "", "W nearly all mail comes from one private address"},
	{"a relay of one's own", HEARTBEAT("policyd", "mx1", ALIVE, ",\"crowd\":\"172.18.0.1\",\"crowd_percent\":97"), "lists.networks=172.18.0.0/16", "N nearly all mail comes from one private address"},
	{"no address at all", HEARTBEAT("policyd", "mx1", ALIVE, ",\"crowd\":\"rm -rf\",\"crowd_percent\":97"), "", ""},
	{"not a heartbeat at all", "{}", "", "W a daemon has fallen silent"},
};

static const struct name_row {
	const char *row;
	const char *one, *other;
	bool want;
} name_rows[] = {
	{"the same process", "{\"pid\":1,\"started\":50}", "{\"pid\":1,\"started\":50}", false},
	{"two processes", "{\"pid\":1,\"started\":50}", "{\"pid\":2,\"started\":40}", true},
	{"the same number on two hosts", "{\"pid\":1,\"started\":50}", "{\"pid\":1,\"started\":40}", true},
	{"started anew just now", "{\"pid\":2,\"started\":100}", "{\"pid\":1,\"started\":50}", false},
};

/* clang-format on */

START_TEST(heartbeats)
{
	const struct heartbeats_row *r = &heartbeats_rows[_i];
	char text[4096], setting[200], got[512] = "";
	char *v[] = {setting};
	struct conf_texts overrides = {.v = v, .n = *r->settings ? 1 : 0};
	struct findings findings = {.topic = "daemons"};
	struct text titles = TEXT(got);
	struct err err;
	snprintf(text, sizeof(text), "[%s]", r->heartbeats);
	snprintf(setting, sizeof(setting), "%s", r->settings);
	json_t *array = json_loads(text, 0, NULL);
	struct conf *conf = conf_load(NULL, &overrides, &err);
	ck_assert_msg(array && conf, "%s", r->row);
	daemons_judge(array, conf, NOW, &findings);
	for (size_t i = 0; i < findings.n; i++)
		if (findings.v[i].level != FINDING_OK) {
			text_printf(&titles, "%s%c %s", titles.n > 0 ? ";" : "",
			            "oNWP"[findings.v[i].level], findings.v[i].title);
			ck_assert_msg(*findings.v[i].seen && *findings.v[i].mend,
			              "%s: not all is said", r->row);
		}
	ck_assert_msg(strcmp(got, r->want) == 0, "%s: got %s", r->row, got);
	findings_free(&findings);
	json_decref(array);
	conf_unref(&conf);
}

END_TEST

START_TEST(names)
{
	const struct name_row *r = &name_rows[_i];
	json_t *one = json_loads(r->one, 0, NULL), *other = json_loads(r->other, 0, NULL);
	ck_assert_msg(daemons_share_a_name(one, other, 100) == r->want, "%s", r->row);
	ck_assert_msg(daemons_share_a_name(other, one, 100) == r->want, "%s", r->row);
	json_decref(one);
	json_decref(other);
}

END_TEST

START_TEST(names_are_no_commands)
{
	struct findings findings = {0};
	json_t *array =
		json_loads("[" HEARTBEAT("milter; id", "mx1\\nid", SILENT, "") "]", 0,
	                   NULL);
	struct conf *conf = conf_load(NULL, NULL, &(struct err){0});
	daemons_judge(array, conf, NOW, &findings);
	ck_assert_str_eq(findings.v[0].mend, "On ?: systemctl restart weir-?");
	conf_unref(&conf);
	json_decref(array);
	findings_free(&findings);
}

END_TEST

static void
fill(TCase *tc)
{
	tcase_add_loop_test(tc, heartbeats, 0, COUNT_OF(heartbeats_rows));
	tcase_add_loop_test(tc, names, 0, COUNT_OF(name_rows));
	tcase_add_test(tc, names_are_no_commands);
}

int
main(void)
{
	return harness_run("daemons_judge", fill);
}
