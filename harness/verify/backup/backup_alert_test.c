#include "verify/backup/backup_alert.h"

#include "base/eventually.h"
#include "base/memory.h"
#include "client/tcp_fake.h"
#include "verify/backup/history_sample.h"

#include <criterion/criterion.h>
#include <string.h>

#define NOW_MS INT64_C(1795316405000) // 2026-11-22T03:00:05Z

static struct error err;
static struct report *report;
static json_t *alerts;
static struct tcp_fake *fake;

static void open_report(void) {
    report = report_new("assay backup verify");
}

static void forget(void) {
    tcp_fake_free(fake);
    json_decref(alerts);
    report_free(report);
    sample_done();
}

TestSuite(backup_alert, .init = open_report, .fini = forget, .timeout = 120);

static struct suite_result *add_suite(const char *name, const char *engine) {
    struct suite_result *suite = report_add_suite(report);
    suite->name = memory_copy_string(name);
    suite->subject = memory_copy_string(engine);
    return suite;
}

static void add(struct suite_result *suite, const char *name, enum outcome outcome,
                const char *message) {
    struct test_result *test = suite_add_test(suite);
    test->name = memory_copy_string(name);
    test->outcome = outcome;
    test->message = memory_copy_string(message);
}

static void build(struct backup_alert_options options) {
    alerts = backup_alert_json(report, "/backups/20261122", NOW_MS, &options);
}

static const char *member(size_t alert, const char *object, const char *name) {
    const char *value = json_string_value(
        json_object_get(json_object_get(json_array_get(alerts, alert), object), name));
    return value != NULL ? value : "(none)";
}

static void add_failures(void) {
    struct suite_result *postgres = add_suite("app.dump", "postgres");
    add(postgres, "is_whole", OUTCOME_PASSED, NULL);
    add(postgres, "restores", OUTCOME_FAILED, "ERROR: relation\n\"a\" exists");
    add(add_suite("other.dump", "postgres"), "restores", OUTCOME_FAILED, "no");
    add(add_suite("shop.sql", "mysql"), "restores", OUTCOME_PASSED, NULL);
    add(add_suite("dump.rdb", "redis"), "restores", OUTCOME_NOT_VERIFIED, "no image");
    add(add_suite("backup", NULL), "nothing_was_changed", OUTCOME_FAILED, "app.dump is gone");
}

Test(backup_alert, is_one_for_each_engine_that_failed) {
    add_failures();
    build((struct backup_alert_options){.runbook_url = "https://runbook/backup"});
    cr_assert_eq(json_array_size(alerts), 2);
    cr_expect_str_eq(member(0, "labels", "alertname"), "BackupVerificationFailed");
    cr_expect_str_eq(member(0, "labels", "severity"), "critical");
    cr_expect_str_eq(member(0, "labels", "backup"), "/backups/20261122");
    cr_expect_str_eq(member(0, "labels", "engine"), "postgres");
    cr_expect_str_eq(member(0, "annotations", "summary"),
                     "2 checks of the backup /backups/20261122 failed for postgres");
    cr_expect_str_eq(member(0, "annotations", "description"),
                     "app.dump: restores: ERROR: relation\\x0a\"a\" exists\n"
                     "other.dump: restores: no\n");
    cr_expect_str_eq(member(0, "annotations", "runbook_url"), "https://runbook/backup");
    cr_expect_str_eq(member(1, "labels", "engine"), "(none)");
    cr_expect_str_eq(member(1, "annotations", "summary"),
                     "1 check of the backup /backups/20261122 failed");
}

Test(backup_alert, lasts_until_the_next_weekly_run_has_spoken) {
    add_failures();
    build((struct backup_alert_options){0});
    const json_t *alert = json_array_get(alerts, 0);
    cr_expect_str_eq(json_string_value(json_object_get(alert, "startsAt")), "2026-11-22T03:00:05Z");
    cr_expect_str_eq(json_string_value(json_object_get(alert, "endsAt")), "2026-11-30T03:00:05Z");
}

Test(backup_alert, takes_its_severity_from_the_user_and_no_runbook_from_nowhere) {
    add_failures();
    build((struct backup_alert_options){.severity = "page"});
    cr_expect_str_eq(member(0, "labels", "severity"), "page");
    cr_expect_str_eq(member(0, "annotations", "runbook_url"), "(none)");
}

Test(backup_alert, is_none_when_nothing_failed) {
    add(add_suite("dump.rdb", "redis"), "restores", OUTCOME_NOT_VERIFIED, "no image");
    add(add_suite("app.dump", "postgres"), "restores", OUTCOME_PASSED, NULL);
    build((struct backup_alert_options){0});
    cr_expect_eq(json_array_size(alerts), 0);
}

Test(backup_alert, is_raised_by_a_suite_that_went_wrong_as_a_whole) {
    add_suite("app.dump", "postgres")->failure = memory_copy_string("crashed");
    build((struct backup_alert_options){0});
    cr_assert_eq(json_array_size(alerts), 1);
    cr_expect_str_eq(member(0, "annotations", "description"), "app.dump: app.dump: crashed\n");
}

Test(backup_alert, names_the_first_checks_and_counts_the_others) {
    struct suite_result *suite = add_suite("app.dump", "postgres");
    for (int i = 0; i < 13; i++)
        add(suite, "restores", OUTCOME_FAILED, "no");
    build((struct backup_alert_options){0});
    const char *description = member(0, "annotations", "description");
    size_t lines = 0;
    for (const char *at = description; (at = strchr(at, '\n')) != NULL; at++)
        lines++;
    cr_expect_eq(lines, BACKUP_ALERT_CHECKS + 1);
    cr_expect_not_null(strstr(description, "and 3 more\n"), "%s", description);
}

Test(backup_alert, holds_whatever_a_server_says_and_not_too_much_of_it) {
    char *long_text = sample_own(memory_new(5001, 1));
    memset(long_text, '\xff', 5000);
    add(add_suite("app.dump", "postgres"), "restores", OUTCOME_FAILED, long_text);
    build((struct backup_alert_options){0});
    cr_expect_eq(strncmp(member(0, "annotations", "description"), "app.dump: restores: \\xff", 24),
                 0);
    cr_expect_lt(strlen(member(0, "annotations", "description")), 1500);
}

// ---- sending ------------------------------------------------------------------------------------

static const char *url_of(const struct endpoint *endpoint, const char *ending) {
    return sample_own(
        memory_format("http://%s:%u%s", endpoint->host, (unsigned)endpoint->port, ending));
}

static void answer_with(const char *answer) {
    fake = tcp_fake_new(TCP_FAKE_GARBAGE, answer);
    add_failures();
    build((struct backup_alert_options){0});
}

static char heard[4096];

// The fake answers before it has read: what it heard may come later than its answer.
static bool has_heard_the_alert(void *context unused_parameter, struct error *probe_err) {
    tcp_fake_heard(fake, heard, sizeof heard - 1);
    return strstr(heard, "\"engine\":\"postgres\"") != NULL ||
           error_set(probe_err, ERROR_PROTOCOL, 0, "heard: %s", heard);
}

Test(backup_alert, is_posted_to_alertmanager) {
    answer_with("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    cr_assert(backup_alert_send(url_of(tcp_fake_endpoint(fake), "/"), alerts, &err), "%s",
              err.message);
    cr_assert(eventually(deadline_in_ms(5000), has_heard_the_alert, NULL, &err), "%s", err.message);
    cr_expect_eq(strncmp(heard, "POST /api/v2/alerts HTTP/1.1\r\n", 30), 0, "%s", heard);
}

Test(backup_alert, that_is_refused_says_so) {
    answer_with(
        "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 5\r\n\r\n\"no!\"");
    cr_assert_not(backup_alert_send(url_of(tcp_fake_endpoint(fake), ""), alerts, &err));
    cr_expect_eq(err.domain, ERROR_SERVICE);
    cr_expect_eq(strncmp(err.message, "the alert was not sent: ", 24), 0, "%s", err.message);
    cr_expect_not_null(strstr(err.message, "no!"), "%s", err.message);
}

Test(backup_alert, that_reaches_nobody_says_so) {
    answer_with("");
    cr_assert_not(backup_alert_send(url_of(tcp_fake_dead_endpoint(fake), ""), alerts, &err));
    cr_expect_eq(err.domain, ERROR_UNAVAILABLE, "%s", err.message);
    cr_expect_eq(strncmp(err.message, "the alert was not sent: ", 24), 0, "%s", err.message);
}

Test(backup_alert, that_is_none_is_not_sent) {
    fake = tcp_fake_new(TCP_FAKE_CLOSES, NULL);
    build((struct backup_alert_options){0});
    cr_expect(backup_alert_send(url_of(tcp_fake_dead_endpoint(fake), ""), alerts, &err), "%s",
              err.message);
}

Test(backup_alert, is_sent_to_addresses_of_an_alertmanager_only) {
    const char *const wrong[] = {"",
                                 "127.0.0.1:9093",
                                 "https://a:9093",
                                 "http://",
                                 "http://:9093",
                                 "http://a:0",
                                 "http://a:70000",
                                 "http://a:9093/prefix",
                                 "http://user@a:9093",
                                 "http://a:9093?x",
                                 "http://[::1",
                                 "http://a:"};
    add_failures();
    build((struct backup_alert_options){0});
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        cr_expect_not(backup_alert_send(wrong[i], alerts, &err), "%s", wrong[i]);
        cr_expect_eq(err.domain, ERROR_CONFIGURATION, "%s: %s", wrong[i], err.message);
    }
}

Test(backup_alert, finds_its_way_to_addresses_of_every_form) {
    const char *const right[] = {"http://[::1]:1", "http://127.0.0.1:1/", "http://[::1]:1/"};
    add_failures();
    build((struct backup_alert_options){0});
    for (size_t i = 0; i < sizeof right / sizeof *right; i++) {
        cr_expect_not(backup_alert_send(right[i], alerts, &err));
        cr_expect_eq(err.domain, ERROR_UNAVAILABLE, "%s: %s", right[i], err.message);
    }
}
