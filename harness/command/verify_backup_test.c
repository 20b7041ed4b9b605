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
    assert_says(program_errors(), "it needs the path of a backup");
    cr_expect_eq(assay("backup", "verify", ".", "--seed", "x"), 2);
    assert_says(program_errors(), "--seed takes a number");
    cr_expect_eq(assay("backup", "verify", ".", "--format", "tapestry"), 2);
    assert_says(program_errors(), "tapestry");
    cr_expect_eq(assay("backup", "verify", ".", "--jobs", "0"), 2);
}

Test(verify_backup, a_backup_that_is_not_there_is_a_mistake_of_the_user) {
    cr_expect_eq(VERIFY("nowhere"), 2);
    assert_says(program_errors(), "there is no backup nowhere");
}

Test(verify_backup, an_unknown_file_is_not_verified) {
    program_write("backup/note.txt", "buy milk\n");
    cr_expect_eq(VERIFY("backup"), 4, "%s", program_errors());
    assert_says(program_output(), "unknown format: looks like text");
    assert_says(program_output(), "nothing_was_changed");
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

Test(verify_backup, a_report_that_cannot_be_written_is_said_before_any_work) {
    program_write("backup/note.txt", "buy milk\n");
    program_write("file", "");
    cr_expect_eq(assay("backup", "verify", "backup", "--report", "file/below"), 3);
    assert_says(program_errors(), "--report");
}
