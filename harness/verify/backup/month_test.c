#include "verify/backup/month.h"

#include "base/memory.h"
#include "verify/backup/history_sample.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define AFTER_ALL INT64_MAX

static struct error err;
static struct month *month;
static struct text out;
static json_t *json;

static void forget(void) {
    month_free(month);
    text_done(&out);
    json_decref(json);
    sample_done();
}

TestSuite(month, .fini = forget);

// What changes from run to run; the backup is called after the run and taken an hour before.
static struct history_record run(const char *id, const char *started, enum outcome outcome,
                                 int64_t restore_ms, int64_t bytes) {
    struct history_record record = sample_record(id, started, outcome);
    free(record.path);
    record.path = memory_format("/b/%s", id);
    record.duration_ms = restore_ms * 10;
    record.engines[0].outcome = outcome;
    record.engines[0].restore_ms = restore_ms;
    record.engines[0].bytes = bytes;
    return record;
}

static const struct history *november(void) {
    const struct history_record records[] = {
        run("a", "2026-10-31T23:59:59Z", OUTCOME_PASSED, 9999, 9999),
        run("b", "2026-11-01T00:00:00Z", OUTCOME_PASSED, 2000, 1000),
        run("e", "2026-11-22T03:00:00Z", OUTCOME_PASSED, 3000, 3000), // appended too early
        run("c", "2026-11-08T03:00:00Z", OUTCOME_FAILED, 1, 2000),
        run("d", "2026-11-15T03:00:00Z", OUTCOME_NOT_VERIFIED, 2, HISTORY_UNKNOWN),
        run("f", "2026-11-30T23:59:59Z", OUTCOME_PASSED, 2500, 2500),
        run("g", "2026-12-01T00:00:00Z", OUTCOME_FAILED, 9999, 9999),
    };
    return sample_history(records, sizeof records / sizeof *records);
}

Test(month, counts_its_own_runs_each_for_what_it_was) {
    month = month_new(november(), 2026, 11, AFTER_ALL);
    cr_expect_eq(month_runs(month), 5);
    cr_expect_eq(month->tally.passed, 3);
    cr_expect_eq(month->tally.failed, 1);
    cr_expect_eq(month->tally.not_verified, 1);
    cr_expect_eq(month_pass_permille(month), 600);
}

Test(month, of_twelve_ends_with_the_year) {
    month = month_new(november(), 2026, 12, AFTER_ALL);
    cr_expect_eq(month_runs(month), 1);
    cr_expect_eq(month->tally.failed, 1);
}

Test(month, takes_trends_in_the_order_of_time_from_restores_that_passed) {
    month = month_new(november(), 2026, 11, AFTER_ALL);
    cr_assert_eq(month->engine_count, 2);
    const struct month_engine *postgres = &month->engines[1];
    cr_expect_str_eq(month->engines[0].name, "mysql");
    cr_expect_str_eq(postgres->name, "postgres");
    cr_expect_eq(postgres->restore_ms.count, 3);
    cr_expect_eq(postgres->restore_ms.first, 2000);
    cr_expect_eq(postgres->restore_ms.last, 2500);
    cr_expect_eq(postgres->restore_ms.median, 2500);
    cr_expect_eq(postgres->bytes.count, 4);
    cr_expect_eq(postgres->bytes.first, 1000);
    cr_expect_eq(postgres->bytes.last, 2500);
    cr_expect_eq(postgres->bytes.median, 2000);
    cr_expect_eq(postgres->tally.failed, 1);
    cr_expect_eq(month->engines[0].restore_ms.count, 0);
    cr_expect_eq(month->bytes.first, 1024);
    cr_expect_eq(month->duration_ms.median, 25000);
}

Test(month, knows_the_newest_verified_backup_at_its_end) {
    month = month_new(november(), 2026, 11, AFTER_ALL);
    cr_assert(month->has_verified);
    cr_expect_str_eq(month->verified_path, "/b/f");
    cr_expect_eq(month->verified_age_s, 3600);
}

Test(month, that_is_not_over_is_seen_from_now) {
    int64_t now_ms = 0;
    cr_assert_not(history_time_of("2026-11-24 02:00:00Z", &now_ms));
    cr_assert(history_time_of("2026-11-24T02:00:00Z", &now_ms));
    month = month_new(november(), 2026, 11, now_ms);
    cr_assert(month->has_verified);
    cr_expect_str_eq(month->verified_path, "/b/e");
    cr_expect_eq(month->verified_age_s, 2 * 86400);
}

Test(month, goes_by_when_a_backup_was_taken_and_not_by_when_it_was_verified) {
    struct history_record records[] = {
        run("new", "2026-11-08T03:00:00Z", OUTCOME_PASSED, 1, 1),
        run("old", "2026-11-15T03:00:00Z", OUTCOME_PASSED, 1, 1),
    };
    records[1].backup_age_s = 30 * 86400;
    month = month_new(sample_history(records, 2), 2026, 11, AFTER_ALL);
    cr_assert(month->has_verified);
    cr_expect_str_eq(month->verified_path, "/b/new");
}

Test(month, does_not_count_a_backup_that_failed_later) {
    struct history_record records[] = {
        run("a", "2026-11-01T03:00:00Z", OUTCOME_PASSED, 1, 1),
        run("b", "2026-11-08T03:00:00Z", OUTCOME_PASSED, 1, 1),
        run("c", "2026-11-09T03:00:00Z", OUTCOME_FAILED, 1, 1),
    };
    free(records[2].path);
    records[2].path = memory_copy_string(records[1].path);
    month = month_new(sample_history(records, 3), 2026, 11, AFTER_ALL);
    cr_assert(month->has_verified);
    cr_expect_str_eq(month->verified_path, "/b/a");
}

Test(month, does_not_make_up_an_age_that_nobody_knows) {
    struct history_record records[] = {run("a", "2026-11-01T03:00:00Z", OUTCOME_PASSED, 1, 1)};
    records[0].backup_age_s = HISTORY_UNKNOWN;
    month = month_new(sample_history(records, 1), 2026, 11, AFTER_ALL);
    cr_expect_not(month->has_verified);
}

Test(month, rounds_its_pass_rate_down) {
    struct history_record records[] = {
        run("a", "2026-11-01T03:00:00Z", OUTCOME_PASSED, 1, 1),
        run("b", "2026-11-02T03:00:00Z", OUTCOME_PASSED, 1, 1),
        run("c", "2026-11-03T03:00:00Z", OUTCOME_NOT_VERIFIED, 1, 1),
    };
    month = month_new(sample_history(records, 3), 2026, 11, AFTER_ALL);
    cr_expect_eq(month_pass_permille(month), 666);
}

Test(month, is_written_for_people) {
    month = month_new(november(), 2026, 11, AFTER_ALL);
    month_append_text(month, &out);
    cr_expect_str_eq(text_string(&out),
                     "Verifications of backups in 2026-11\n"
                     "  runs           5: 3 passed, 1 failed, 1 not verified\n"
                     "  pass rate      60.0 %\n"
                     "  duration       20.0 s -> 25.0 s (+25.0 %), median 25.0 s\n"
                     "  size           1.0 KiB -> 2.5 KiB (+146.5 %), median 2.0 KiB\n"
                     "  newest verified backup: /b/f, taken 2026-11-30 22:59:59 UTC, 1 h old\n"
                     "\n"
                     "mysql: 3 passed, 1 failed, 1 not verified\n"
                     "  restore        unknown\n"
                     "  size           24 B -> 24 B (+0.0 %), median 24 B\n"
                     "\n"
                     "postgres: 3 passed, 1 failed, 1 not verified\n"
                     "  restore        2.0 s -> 2.5 s (+25.0 %), median 2.5 s\n"
                     "  size           1000 B -> 2.4 KiB (+150.0 %), median 2.0 KiB\n");
}

Test(month, without_runs_says_so) {
    month = month_new(sample_history(NULL, 0), 2026, 2, AFTER_ALL);
    month_append_text(month, &out);
    cr_expect_str_eq(text_string(&out), "Verifications of backups in 2026-02\n"
                                        "  runs           0: 0 passed, 0 failed, 0 not verified\n"
                                        "  pass rate      unknown\n"
                                        "  duration       unknown\n"
                                        "  size           unknown\n"
                                        "  newest verified backup: none\n");
    json = month_to_json(month);
    cr_expect(json_is_null(json_object_get(json, "pass_rate")));
    cr_expect(json_is_null(json_object_get(json, "newest_verified")));
}

Test(month, is_written_for_programs) {
    month = month_new(november(), 2026, 11, AFTER_ALL);
    json = month_to_json(month);
    int runs = 0;
    int not_verified = 0;
    int age_s = 0;
    int median = 0;
    double rate = 0;
    const char *name = NULL;
    const char *taken = NULL;
    cr_assert_eq(json_unpack(json, "{s:i, s:f, s:{s:i}, s:{s:s, s:i}, s:[{}, {s:s, s:{s:i}}]}",
                             "runs", &runs, "pass_rate", &rate, "tally", "not_verified",
                             &not_verified, "newest_verified", "taken", &taken, "age_s", &age_s,
                             "engines", "name", &name, "restore_ms", "median", &median),
                 0);
    cr_expect_eq(runs, 5);
    cr_expect_eq(not_verified, 1);
    cr_expect_eq(age_s, 3600);
    cr_expect_eq(median, 2500);
    cr_expect_float_eq(rate, 0.6, 1e-9);
    cr_expect_str_eq(name, "postgres");
    cr_expect_str_eq(taken, "2026-11-30T22:59:59Z");
    cr_expect_str_eq(json_string_value(json_object_get(json, "month")), "2026-11");
}

Test(month, is_named_by_year_and_month_only) {
    const char *const wrong[] = {"",      "2026",       "2026-13", "2026-00",
                                 "26-11", "2026-11-01", "2026/11"};
    int year = 0;
    int number = 0;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        cr_expect_not(month_parse(wrong[i], &year, &number, &err), "%s", wrong[i]);
        cr_expect_eq(err.domain, ERROR_USAGE);
    }
    cr_assert(month_parse("2026-11", &year, &number, &err), "%s", err.message);
    cr_expect_eq(year, 2026);
    cr_expect_eq(number, 11);
}
