// `assay backup drill`: whether it can fail. That it passes is a part of ./run-all-tests.
#define _GNU_SOURCE
#include "command/program_fixture.h"

#include "base/file.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

TestSuite(drill_backups_real, .init = program_init_real, .fini = program_done, .timeout = 600);

// Fixtures of the test's own, with this table for Redis.
static void given_a_table(const char *table) {
    static const char *const same[] = {"images",
                                       "restore",
                                       "drill/compose.yaml",
                                       "drill/mysql.yaml",
                                       "drill/postgres.yaml",
                                       "drill/mongodb.yaml"};
    program_write("fixtures/drill/redis.yaml", table);
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        char *from = path_join(ASSAY_TEST_FIXTURES, same[i]);
        char *to = memory_format("fixtures/%s", same[i]);
        cr_assert_eq(symlink(from, to), 0, "%s: %m", to);
        free(from);
        free(to);
    }
    char *here = path_join(program_folder(), "fixtures");
    cr_assert_eq(setenv("ASSAY_FIXTURES", here, 1), 0);
    free(here);
}

Test(drill_backups_real, an_alteration_that_is_not_named_fails_it) {
    given_a_table("fill:\n"
                  "  - do: SET greeting hello\n"
                  "alterations:\n"
                  "  - do: SET greeting goodbye\n"
                  "    said: 'database 0: rows altered in 1 of 256 buckets'\n"
                  "  - do: SET greeting goodbye\n" // nothing is different then
                  "    said: 'rows altered'\n"
                  "  - do: SET greeting again\n"
                  "    said: 'rows missing'\n"
                  "  - do: [SET a 1, SET b 1]\n"
                  "    said: '2 rows extra'\n"
                  "  - do: NONSENSE\n"
                  "    said: nothing\n"
                  "  - do: DEL\n"
                  "    said: nothing\n"
                  "  - do: DEL a\n"
                  "    said: '1 row missing'\n");
    cr_expect_eq(assay("backup", "drill", "--engine", "redis", "--format", "terminal,tap"), 1,
                 "%s%s", program_output(), program_errors());
    assert_says(program_output(), "altered: SET greeting goodbye\n    | expected differences: 1");
    assert_says(program_output(), "the comparison said 0");
    assert_says(program_output(), "one of them \"rows missing\"; the comparison said 1");
    assert_says(program_output(), "altered: NONSENSE\n    | redis"); // not applicable: not offered
    assert_says(program_output(), "altered: DEL\n    | redis");
    assert_says(program_output(), "altered: DEL a");
    assert_says(program_output(), "not reached");
    cr_expect_null(strstr(program_output(), "altered: SET a 1"), "%s", program_output());
}

Test(drill_backups_real, a_table_that_cannot_be_read_is_named) {
    given_a_table("fill:\n"
                  "  - do: SET a 1\n"
                  "alterations:\n"
                  "  - do: SET a 2\n");
    cr_expect_eq(assay("backup", "drill", "--engine", "redis"), 2);
    assert_says(program_errors(), "redis.yaml:4");
    assert_says(program_errors(), "`do` and `said`");
}
