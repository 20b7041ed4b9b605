// What `assay backup verify` says without any engine.
#include "command/program_fixture.h"

#include "base/file.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

TestSuite(verify_backup, .init = program_init, .fini = program_done, .timeout = 120);

#define VERIFY(path) assay("backup", "verify", path, "--format", "terminal")

Test(verify_backup, help_shows_examples_under_both_names) {
    cr_expect_eq(assay("backup", "verify", "--help"), 0);
    assert_says(program_output(), "examples:");
    cr_expect_eq(assay("verify-backup", "--help"), 0);
    assert_says(program_output(), "usage: assay backup verify");
    cr_expect_eq(assay("backup", "--help"), 0);
    assert_says(program_output(), "verify");
}

Test(verify_backup, wrong_usage_is_said) {
    cr_expect_eq(assay("backup"), 2);
    cr_expect_eq(assay("backup", "mend"), 2);
    assert_says(program_errors(), "there is no subcommand \"mend\"");
    cr_expect_eq(assay("backup", "verify"), 2);
    assert_says(program_errors(), "no latest backup");
    cr_expect_eq(assay("backup", "report"), 2);
    assert_says(program_errors(), "it needs --month");
    cr_expect_eq(assay("backup", "report", "--month", "2026-13"), 2);
    cr_expect_eq(assay("backup", "rotate", "--root", "nowhere"), 2);
    cr_expect_eq(assay("backup", "rotate", "--daily", "many"), 2);
    cr_expect_eq(assay("backup", "verify", ".", "--seed", "x"), 2);
    assert_says(program_errors(), "--seed takes a number");
    cr_expect_eq(assay("backup", "verify", ".", "--format", "tapestry"), 2);
    assert_says(program_errors(), "tapestry");
    cr_expect_eq(assay("backup", "verify", ".", "--jobs", "0"), 2);
    cr_expect_eq(assay("backup", "verify", ".", "--against", "time"), 2);
    assert_says(program_errors(), "--against takes manifest, live or none, not \"time\"");
    cr_expect_eq(assay("backup", "verify", ".", "--stack", "a", "--project", "b"), 2);
    assert_says(program_errors(), "one of --compose, --target, --project and --stack");
    cr_expect_eq(assay("backup", "verify", ".", "--stack", "a"), 2);
    assert_says(program_errors(), "go with --against live");
}

Test(verify_backup, a_backup_that_is_not_there_is_a_mistake_of_the_user) {
    cr_expect_eq(VERIFY("nowhere"), 2);
    assert_says(program_errors(), "there is no backup nowhere");
}

Test(verify_backup, an_unknown_file_is_not_verified) {
    program_write("backup/note.txt", "buy milk\n");
    cr_expect_eq(VERIFY("backup"), 4, "%s", program_errors());
    assert_says(program_output(), "unknown format: looks like text");
    assert_says(program_output(), "backup               1 passed");
}

// No server is needed to know it.
Test(verify_backup, a_damaged_file_fails_with_the_place_of_its_damage) {
    char *from = path_join(DUMP_SAMPLES, "pg17.custom");
    char *bytes = NULL;
    size_t length = 0;
    struct error problem = {0};
    cr_assert(file_read(from, 1 << 24, &bytes, &length, &problem), "%s", problem.message);
    cr_assert(file_write_atomic("cut.dump", bytes, length / 2, 0644, &problem), "%s",
              problem.message);
    cr_expect_eq(VERIFY("cut.dump"), 1, "%s", program_errors());
    assert_says(program_output(), "is_whole");
    assert_says(program_output(), "pg_dump, custom format: at byte ");
    free(bytes);
    free(from);
}

Test(verify_backup, what_the_user_asks_and_nobody_can_answer_is_not_verified) {
    program_write("backup/note.txt", "buy milk\n");
    program_write("assay.yaml", "backup:\n  smoke:\n    - {name: keys_are_there, engine: redis,\n"
                                "       command: [DBSIZE], expect_at_least: 1}\n");
    cr_expect_eq(VERIFY("backup"), 4, "%s", program_errors());
    assert_says(program_output(), "keys_are_there");
    assert_says(program_output(), "no artifact that could be read is of redis");
    cr_expect_eq(assay("backup", "verify", "backup", "--settings", "assay.yaml"), 4);
    program_write("other.yaml", "compose: stack.yaml\n");
    cr_expect_eq(assay("backup", "verify", "backup", "--settings", "other.yaml"), 4);
    cr_expect(strstr(program_output(), "keys_are_there") == NULL, "%s", program_output());
}

Test(verify_backup, what_is_asked_of_an_artifact_that_is_not_restored_is_not_verified) {
    static const char *const copy[] = {"cp", DUMP_SAMPLES "/pg17.custom", "app.dump", NULL};
    cr_assert_eq(program_run(copy), 0, "%s", program_errors());
    setenv("DOCKER_HOST", "unix:///nonexistent/engine.sock", 1);
    program_write("assay.yaml",
                  "backup:\n  smoke:\n    - {name: orders_are_there, engine: postgres,\n"
                  "       sql: select 1, expect: 1}\n");
    cr_expect_eq(VERIFY("app.dump"), 3, "%s", program_output());
    assert_says(program_output(), "orders_are_there");
    assert_says(program_output(), "not asked: app.dump was not restored");
}

Test(verify_backup, what_is_asked_in_a_way_that_nobody_understands_is_a_mistake_of_the_user) {
    program_write("backup/note.txt", "buy milk\n");
    program_write("assay.yaml", "backup:\n  smoke:\n    - {name: a, engine: redis}\n");
    cr_expect_eq(VERIFY("backup"), 2);
    assert_says(program_errors(), "assay.yaml:3:7: backup.smoke.a: command is missing");
    cr_expect_eq(assay("backup", "verify", "backup", "--settings", "gone.yaml"), 2);
    assert_says(program_errors(), "gone.yaml");
}

Test(verify_backup, every_run_leaves_its_records_and_a_line_in_the_history) {
    program_write("backups/20261121-030000/note.txt", "buy milk\n");
    cr_expect_eq(assay("verify-backup", "latest", "--metrics", "out.prom"), 4, "%s",
                 program_errors());
    char *history = NULL, *metrics = NULL;
    struct error problem = {0};
    cr_assert(file_read("logs/backup-verification/history.json", 1 << 20, &history, NULL, &problem),
              "%s", problem.message);
    assert_says(history, "/backups/20261121-030000");
    assert_says(history, "not_verified");
    cr_assert(file_read("out.prom", 1 << 20, &metrics, NULL, &problem), "%s", problem.message);
    assert_says(metrics, "assay_backup_result{outcome=\"not_verified\"} 1");
    free(history);
    free(metrics);
    struct string_list names = {0};
    cr_assert(folder_list("logs/backup-verification", &names, &problem), "%s", problem.message);
    size_t logs = 0;
    for (size_t i = 0; i < names.count; i++)
        logs += strncmp(names.items[i], "verify-", strlen("verify-")) == 0;
    string_list_done(&names);
    cr_expect_eq(logs, 3u, "a log, JSON and JUnit");
}

Test(verify_backup, an_alertmanager_that_cannot_be_reached_is_said_and_changes_no_verdict) {
    program_write("broken.sql", "--\n-- PostgreSQL database dump\n--\n\nSELECT 1;\n");
    cr_expect_eq(assay("backup", "verify", "broken.sql", "--alert", "http://127.0.0.1:1"), 1, "%s",
                 program_errors());
    assert_says(program_errors(), "the alert was not sent");
}

Test(verify_backup, rotation_removes_nothing_that_no_verification_stands_for) {
    program_write("backups/20200101-030000/a.sql", "x");
    program_write("backups/20200102-030000/a.sql", "x");
    cr_expect_eq(assay("backup", "rotate", "--daily", "1", "--weekly", "0", "--monthly", "0"), 0,
                 "%s", program_errors());
    assert_says(program_output(), "0 removed");
    cr_expect_eq(assay("backup", "rotate", "--daily", "1", "--weekly", "0", "--monthly", "0",
                       "--unverified", "--dry-run"),
                 0);
    assert_says(program_output(), "nothing was removed");
    cr_expect(file_exists("backups/20200101-030000"));
    cr_expect_eq(assay("backup", "rotate", "--daily", "1", "--weekly", "0", "--monthly", "0",
                       "--unverified"),
                 0);
    cr_expect_not(file_exists("backups/20200101-030000"));
    cr_expect(file_exists("backups/20200102-030000"));
}

Test(verify_backup, a_month_without_a_run_says_so) {
    cr_expect_eq(assay("backup", "report", "--month", "2026-11"), 0, "%s", program_errors());
    cr_expect_eq(assay("backup", "report", "--month", "2026-11", "--json"), 0);
    assert_says(program_output(), "{");
}

Test(verify_backup, a_report_that_cannot_be_written_is_said_before_any_work) {
    program_write("backup/note.txt", "buy milk\n");
    program_write("file", "");
    cr_expect_eq(assay("backup", "verify", "backup", "--format", "json", "--report", "file/below"),
                 3);
    assert_says(program_errors(), "--report");
    cr_expect_eq(assay("backup", "verify", "backup", "--records", "file/below"), 3);
    assert_says(program_errors(), "--records");
}
