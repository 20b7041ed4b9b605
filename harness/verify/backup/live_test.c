// Which running server a file is compared with; comparisons with real servers are in
// command/create_backup_real_test.c.
#include "verify/backup/live.h"

#include "base/file.h"
#include "base/memory.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static char folder[] = "/tmp/assay-live.XXXXXX";
static struct error problem;
static struct backup *backup;
static struct string_list notes;

static void begin(void) {
    cr_assert_not_null(mkdtemp(folder));
    autofree_string char *from = path_join(DUMP_SAMPLES, "pg17.custom");
    autofree_string char *to = path_join(folder, "app.dump");
    autofree_string char *bytes = NULL;
    size_t length = 0;
    cr_assert(file_read(from, 1 << 24, &bytes, &length, &problem) &&
                  file_write_atomic(to, bytes, length, 0600, &problem) &&
                  backup_open(folder, &(struct backup_options){0}, &backup, &problem),
              "%s", problem.message);
}

static void end(void) {
    backup_free(backup);
    string_list_done(&notes);
    cr_expect(file_remove_tree(folder, &problem), "%s", problem.message);
}

TestSuite(live, .init = begin, .fini = end);

static void expect_note(const struct origins *origins, const char *note) {
    const struct live_servers servers = {.origins = origins};
    struct manifest *manifest = NULL;
    cr_assert(live_look(&servers, backup, &manifest, &notes, &problem), "%s", problem.message);
    cr_expect_eq(manifest->artifact_count, 0);
    cr_assert_eq(notes.count, 1);
    cr_expect_str_eq(notes.items[0], note, "%s", notes.items[0]);
    manifest_free(manifest);
}

Test(live, a_file_whose_server_does_not_run_is_not_compared) {
    expect_note(&(struct origins){0}, "app.dump: no running server of postgres was found");
}

Test(live, a_file_that_may_be_of_one_server_or_another_is_not_compared) {
    static const struct dumper postgres = {.engine = DUMP_POSTGRES};
    struct origin two[] = {{.service = (char *)(uintptr_t) "db", .dumper = &postgres},
                           {.service = (char *)(uintptr_t) "other", .dumper = &postgres}};
    expect_note(&(struct origins){.items = two, .count = 2},
                "app.dump: several servers of postgres run, and it is named after none of them");
}
