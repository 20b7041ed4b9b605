#include "verify/backup/metrics.h"

#include "base/memory.h"
#include "verify/backup/history_sample.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static struct error err;
static struct text out;

static void forget(void) {
    text_done(&out);
    sample_done();
}

TestSuite(metrics, .fini = forget);

static bool has(const char *line) {
    char *whole = sample_own(memory_format("\n%s\n", line));
    return strstr(text_string(&out), whole) != NULL;
}

static void append_two_runs(void) {
    const struct history_record records[] = {
        sample_record("r2", "2026-11-29T03:00:00Z", OUTCOME_FAILED),
        sample_record("r1", "2026-11-22T03:00:00Z", OUTCOME_PASSED), // appended late
    };
    metrics_append(&out, sample_history(records, 2));
}

Test(metrics, tell_of_the_last_run_and_of_the_last_success) {
    append_two_runs();
    cr_expect(has("assay_backup_last_run_timestamp_seconds 1795921200"), "%s", text_string(&out));
    cr_expect(has("assay_backup_last_success_timestamp_seconds 1795316400"));
    cr_expect(has("assay_backup_verification_duration_seconds 61.234"));
    cr_expect(has("assay_backup_result{outcome=\"failed\"} 1"));
    cr_expect(has("assay_backup_result{outcome=\"passed\"} 0"));
    cr_expect(has("assay_backup_result{outcome=\"not_verified\"} 0"));
    cr_expect(has("assay_backup_age_seconds 3600"));
    cr_expect(has("assay_backup_info{backup=\"/backups/20261122-020000\",against=\"manifest\","
                  "run=\"r2\"} 1"));
}

Test(metrics, tell_it_of_each_engine_too) {
    append_two_runs();
    cr_expect(
        has("assay_backup_engine_last_success_timestamp_seconds{engine=\"mysql\"} 1795316400"),
        "%s", text_string(&out));
    cr_expect(
        has("assay_backup_engine_last_success_timestamp_seconds{engine=\"postgres\"} 1795921200"));
    cr_expect(has("assay_backup_engine_restore_duration_seconds{engine=\"postgres\"} 0.500"));
    cr_expect(has("assay_backup_engine_size_bytes{engine=\"mysql\"} 24"));
    cr_expect(has("assay_backup_engine_result{engine=\"mysql\",outcome=\"failed\"} 1"));
    cr_expect(has("assay_backup_engine_result{engine=\"postgres\",outcome=\"passed\"} 1"));
}

Test(metrics, keep_an_engine_that_the_last_run_had_not) {
    struct history_record records[] = {
        sample_record("r1", "2026-11-22T03:00:00Z", OUTCOME_PASSED),
        sample_record("r2", "2026-11-29T03:00:00Z", OUTCOME_PASSED),
    };
    free(records[1].engines[1].name);
    records[1].engine_count = 1;
    metrics_append(&out, sample_history(records, 2));
    cr_expect(
        has("assay_backup_engine_last_success_timestamp_seconds{engine=\"mysql\"} 1795316400"),
        "%s", text_string(&out));
    cr_expect(has("assay_backup_engine_result{engine=\"mysql\",outcome=\"passed\"} 1"));
}

Test(metrics, have_no_sample_for_what_is_unknown) {
    struct history_record record = sample_record("r1", "2026-11-22T03:00:00Z", OUTCOME_FAILED);
    record.backup_age_s = HISTORY_UNKNOWN;
    record.engines[1].bytes = HISTORY_UNKNOWN;
    metrics_append(&out, sample_history(&record, 1));
    const char *text = text_string(&out);
    cr_expect_null(strstr(text, "\nassay_backup_last_success_timestamp_seconds"), "%s", text);
    cr_expect_null(strstr(text, "\nassay_backup_age_seconds"));
    cr_expect_null(strstr(text, "size_bytes{engine=\"mysql\"}"));
    cr_expect_null(strstr(text, "restore_duration_seconds{engine=\"mysql\"}"));
    cr_expect_null(strstr(text, "last_success_timestamp_seconds{engine=\"mysql\"}"));
}

// HELP, TYPE, then the samples of that family: node_exporter refuses a file where one comes twice.
Test(metrics, have_one_help_and_type_for_each_family) {
    append_two_runs();
    size_t helps = 0;
    for (const char *at = text_string(&out); (at = strstr(at, "# HELP ")) != NULL; at++) {
        const char *name = at + strlen("# HELP ");
        const size_t length = strcspn(name, " ");
        char *type = sample_own(memory_format("\n# TYPE %.*s gauge\n", (int)length, name));
        char *help = sample_own(memory_format("# HELP %.*s ", (int)length, name));
        char *line_end = strchr(at, '\n');
        cr_expect_eq(strncmp(line_end, type, strlen(type)), 0, "%s", type);
        cr_expect_null(strstr(at + 1, help), "%s", help);
        helps++;
    }
    cr_expect_eq(helps, 10);
}

Test(metrics, escape_what_a_label_may_not_hold) {
    struct history_record record = sample_record("r1", "2026-11-22T03:00:00Z", OUTCOME_PASSED);
    free(record.path);
    record.path = memory_copy_string("/b/\"a\"\\\n} 7");
    metrics_append(&out, sample_history(&record, 1));
    cr_expect(has("assay_backup_info{backup=\"/b/\\\"a\\\"\\\\\\\\x0a} 7\",against=\"manifest\","
                  "run=\"r1\"} 1"),
              "%s", text_string(&out));
}

Test(metrics, are_put_where_another_user_reads_them) {
    struct stat status;
    const struct history_record record =
        sample_record("r1", "2026-11-22T03:00:00Z", OUTCOME_PASSED);
    const struct history *history = sample_history(&record, 1);
    metrics_append(&out, history);
    sample_write("assay.prom", "old");
    cr_assert(metrics_write(sample_path("assay.prom"), history, &err), "%s", err.message);
    cr_expect_str_eq(sample_text("assay.prom"), text_string(&out));
    cr_assert_eq(stat(sample_path("assay.prom"), &status), 0);
    cr_expect_eq(status.st_mode & 07777, 0644);
}

Test(metrics, refuse_a_file_that_no_exporter_reads) {
    cr_assert_not(metrics_write(sample_path("assay.txt"), sample_history(NULL, 0), &err));
    cr_expect_eq(err.domain, ERROR_USAGE);
    cr_assert_not(metrics_write(sample_path("none/assay.prom"), sample_history(NULL, 0), &err));
    cr_expect_eq(err.domain, ERROR_SYSTEM);
}
