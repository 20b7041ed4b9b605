#include "verify/backup/restore_volume.h"

#include <criterion/criterion.h>
#include <string.h>

static struct error problem;

Test(restore_volume, only_the_same_major_version_opens_a_data_directory) {
    cr_expect(volume_fits("PostgreSQL", "17", 17, &problem));
    cr_expect_not(volume_fits("PostgreSQL", "16", 17, &problem));
    cr_expect_eq(problem.domain, ERROR_UNAVAILABLE);
    cr_expect_not_null(strstr(problem.message, "of PostgreSQL 16, the server to be had here is 17"),
                       "%s", problem.message);
    cr_expect_not(volume_fits("PostgreSQL", "18", 17, NULL));
}

Test(restore_volume, a_server_that_nobody_knows_opens_none) {
    cr_expect_not(volume_fits("PostgreSQL", "17", -1, &problem));
    cr_expect_eq(problem.domain, ERROR_UNAVAILABLE);
}

static const char *const LACKING[] = {"needs a module", NULL};

static void refuse(const char *output) {
    const struct volume_way way = {.lacking = LACKING};
    struct tool_answer answer = {.exit_status = 1};
    text_append(&answer.output, output);
    cr_expect_not(volume_refuse(&way, &answer, &problem));
    tool_answer_done(&answer);
}

Test(restore_volume, a_server_that_does_not_start_is_the_copys_fault) {
    refuse("LOG: starting\nFATAL: the control file is torn\n");
    cr_expect_eq(problem.domain, ERROR_SERVICE);
    cr_expect_not_null(strstr(problem.message, "FATAL: the control file is torn"), "%s",
                       problem.message);
}

// Which of its lines is the complaint does not matter.
Test(restore_volume, unless_it_lacks_something_itself) {
    refuse("FATAL: cannot load\nDETAIL: the table needs a module\n");
    cr_expect_eq(problem.domain, ERROR_UNAVAILABLE);
}

Test(restore_volume, each_engine_restores_it_or_says_why_not) {
    static const struct dump_format volume = {.name = "volume"};
    for (enum dump_engine engine = DUMP_POSTGRES; engine <= DUMP_REDIS; engine++) {
        const struct restorer *restorer = restorer_of(engine);
        cr_expect_neq(restorer_takes(restorer, &volume), restorer->no_volume != NULL, "%s",
                      restorer->title);
    }
}

// ---- counts

static bool counted_as_none(const char *format_name, enum outcome outcome) {
    const struct dump_format format = {.name = format_name};
    size_t first = 0;
    struct backup_file file = {.facts = {.format = &format}};
    struct artifact artifact = {.files = &first, .file_count = 1};
    struct backup backup = {
        .files = &file, .file_count = 1, .artifacts = &artifact, .artifact_count = 1};
    const struct restore restore = {.backup = &backup, .artifact = &artifact};
    struct report *report = report_new("test");
    struct suite_result *suite = report_add_suite(report);
    const bool said = restore_says_no_count(&restore, suite, "rows_are_all_there");
    cr_expect_eq(suite->test_count, said ? 1 : 0);
    if (said)
        cr_expect_eq(suite->tests[0].outcome, outcome);
    report_free(report);
    return said;
}

Test(restore_volume, records_that_nobody_counted_are_not_missed) {
    cr_expect(counted_as_none("volume", OUTCOME_NOT_APPLICABLE));
    cr_expect(counted_as_none("postgres-directory", OUTCOME_NOT_VERIFIED));
    cr_expect_not(counted_as_none("postgres-plain", OUTCOME_PASSED));
}
