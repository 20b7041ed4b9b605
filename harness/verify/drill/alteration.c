#include "verify/drill/alteration.h"

#include "base/clock.h"
#include "base/memory.h"
#include "verify/backup/comparison.h"
#include "verify/fingerprint/console.h"

#include <string.h>

static const uint8_t KEY[ROW_HASH_KEY_SIZE] = "key of the drill";

struct altering {
    const struct drill_table *table;
    const char *database;
    const struct restorer *restorer;
    const struct restore *restore;
    struct suite_result *suite;
    struct console *console;
    struct fingerprint *before; // this step's
    size_t done;
};

static char *name_of(const struct alteration *alteration) {
    struct text text = {0};
    for (size_t i = 0; i < alteration->statements.count; i++)
        text_appendf(&text, "%s%s", i > 0 ? "; " : "altered: ", alteration->statements.items[i]);
    return text_take(&text);
}

// ---- what the comparison said

// `before` and `after`: what the server held.
static void judge(const struct alteration *alteration, const char *name,
                  const struct fingerprint *before, const struct fingerprint *after,
                  struct suite_result *suite) {
    autodone(differences) struct differences found = {0};
    autodone(text) struct text words = {0};
    struct report *scratch = report_new("alteration");
    struct suite_result *said = report_add_suite(scratch);
    bool named = false;
    (void)fingerprint_equal(before, after, &found);
    comparison_of_fingerprints(&COMPARISON_THEN, before, after, NULL, true, said);
    for (size_t i = 0; i < said->test_count; i++)
        if (said->tests[i].outcome == OUTCOME_FAILED) {
            named = named || strstr(said->tests[i].message, alteration->said) != NULL;
            text_appendf(&words, "\n%s", said->tests[i].message);
        }
    if (named && found.count == alteration->differences)
        restore_said(suite, name, OUTCOME_PASSED, NULL);
    else
        restore_said(suite, name, OUTCOME_FAILED,
                     "expected differences: %zu, one of them \"%s\"; the comparison said %zu:%s",
                     alteration->differences, alteration->said, found.count, text_string(&words));
    report_free(scratch);
}

// ---- one step

static bool alter(struct altering *self, const struct alteration *alteration, struct error *err) {
    for (size_t i = 0; i < alteration->statements.count; i++)
        if (!console_run(self->console, alteration->statements.items[i], err))
            return false;
    return true;
}

static bool is_not_offered(const struct error *problem) {
    return problem->domain == ERROR_SERVICE && problem->code == SERVICE_ERROR_UNSUPPORTED;
}

static bool take_step(struct altering *self, const struct alteration *alteration, const char *name,
                      struct error *err) {
    struct fingerprint *after = NULL;
    if (!alter(self, alteration, err))
        return is_not_offered(err) &&
               (restore_said(self->suite, name, OUTCOME_NOT_APPLICABLE, "%s", err->message), true);
    if (!console_fingerprint(self->console, KEY, &after, err))
        return false;
    judge(alteration, name, self->before, after, self->suite);
    fingerprint_free(self->before);
    self->before = after;
    return true;
}

static bool take_steps(struct altering *self, struct error *err) {
    for (; self->done < self->table->count; self->done++) {
        const struct alteration *alteration = &self->table->alterations[self->done];
        const int64_t started_us = clock_monotonic_us();
        autofree_string char *name = name_of(alteration);
        if (!cancel_check(self->restore->stand.cancel, err) ||
            !take_step(self, alteration, name, err))
            return false;
        self->suite->tests[self->suite->test_count - 1].duration_us =
            clock_monotonic_us() - started_us;
    }
    return true;
}

// ---- all of them

static bool alter_server(void *context, const struct endpoint *server, struct error *err) {
    struct altering *self = context;
    struct endpoint database = *server;
    database.database = self->database;
    const bool done = console_open(self->restorer->engine, &database, self->restore->stand.cancel,
                                   &self->console, err) &&
                      console_fingerprint(self->console, KEY, &self->before, err) &&
                      take_steps(self, err);
    console_close(TAKE(self->console));
    return done;
}

void alteration_try_all(const struct drill_table *table, const char *database,
                        const struct restorer *restorer, const struct restore *restore,
                        struct suite_result *suite) {
    struct altering self = {.table = table,
                            .database = database,
                            .restorer = restorer,
                            .restore = restore,
                            .suite = suite};
    struct error problem = {0};
    const bool done = restore_with_server(restorer, restore, alter_server, &self, &problem);
    for (size_t i = self.done; !done && i < table->count; i++) {
        autofree_string char *name = name_of(&table->alterations[i]);
        restore_said(suite, name, OUTCOME_NOT_VERIFIED, "%s%s",
                     i > self.done ? "not reached: " : "", problem.message);
    }
    fingerprint_free(self.before);
}
