#include "verify/drill/random_rounds.h"

#include "base/file.h"
#include "base/memory.h"
#include "verify/drill/drill_backup.h"
#include "verify/drill/random_dataset.h"

#include <inttypes.h>

static bool make_backup(const struct drill *drill, uint64_t seed, struct suite_result *suite,
                        struct drill_backup *ret_backup) {
    struct string_list datasets[DRILL_ORIGIN_COUNT] = {0};
    const struct string_list *statements[DRILL_ORIGIN_COUNT] = {NULL};
    for (size_t i = 0; i < DRILL_ORIGIN_COUNT; i++)
        if (drill_wants(drill, &DRILL_ORIGINS[i])) {
            random_dataset_make(DRILL_ORIGINS[i].engine, seed, &datasets[i]);
            statements[i] = &datasets[i];
        }
    const bool made = drill_backup_make(drill, statements, suite, ret_backup);
    for (size_t i = 0; i < DRILL_ORIGIN_COUNT; i++)
        string_list_done(&datasets[i]);
    return made;
}

static bool verify(const struct drill *drill, uint64_t seed, const struct drill_backup *made,
                   struct suite_result *suite, struct report *report, struct error *err) {
    const struct verification how = {.seed = seed};
    autofree(backup) struct backup *backup = NULL;
    return drill_backup_open(drill, made, suite, &backup)
               ? drill_backup_verify(drill, made, backup, &how, report, err)
               : cancel_check(drill->cancel, err);
}

static bool run_round(const struct drill *drill, uint64_t seed, struct report *report,
                      struct error *err) {
    autodone(drill_backup) struct drill_backup made = {0};
    struct report *before = report_new("before");
    struct suite_result *suite = report_add_suite(before);
    suite->name = memory_copy_string("random dataset");
    const bool there_is = make_backup(drill, seed, suite, &made);
    const bool done = cancel_check(drill->cancel, err) &&
                      (!there_is || verify(drill, seed, &made, suite, report, err));
    report_take(report, before, "");
    report_free(before);
    if (made.path != NULL)
        (void)!file_remove_tree(made.path, NULL); // the run's folder goes in any case
    return done;
}

bool random_rounds_run(const struct drill *drill, size_t rounds, uint64_t seed,
                       struct report *report, struct error *err) {
    bool done = true;
    for (size_t i = 0; i < rounds && done; i++) {
        struct report *round = report_new("round");
        done = run_round(drill, seed + i, round, err);
        autofree_string char *name = memory_format("seed %" PRIu64 ": ", seed + i);
        report_take(report, round, name);
        report_free(round);
    }
    return done;
}
