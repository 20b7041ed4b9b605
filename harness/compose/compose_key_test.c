#define _GNU_SOURCE
#include "compose/compose_key.h"

#include "base/file.h"
#include "compose/plan_test_tools.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TestSuite(compose_key, .init = plan_test_folder, .fini = plan_test_leave, .timeout = 120);

static const char *fate_name(enum compose_fate fate) {
    static const char *const names[] = {
        [KEY_HONOURED] = "honoured",
        [KEY_IGNORED] = "ignored",
        [KEY_WARNED] = "warned",
        [KEY_REFUSED] = "refused",
    };
    return names[fate];
}

// A value of the right shape, though it may be nonsense: read, it is an error or does something.
static const char *sample(const struct compose_key *key) {
    return key->shapes & SHAPE_TEXT ? "'1'" : key->shapes & SHAPE_LIST ? "['1']" : "{a: b}";
}

static void expect_fate(const struct compose_key *key) {
    char compose[256];
    char warning[128];
    char refusal[128];
    struct error err = {0};
    struct plan *plan = NULL;
    snprintf(compose, sizeof compose, SERVICE("%s: %s"), key->name, sample(key));
    snprintf(warning, sizeof warning, "compose.yaml:4:5: services.s.%s: not honoured: ", key->name);
    snprintf(refusal, sizeof refusal,
             "compose.yaml:4:5: services.s.%s: not supported: ", key->name);
    plan_test_write("compose.yaml", compose);
    const bool loaded = plan_load(&(const struct plan_options){0}, &plan, &err);
    const bool refused = !loaded && strncmp(err.message, refusal, strlen(refusal)) == 0;
    const bool warned = loaded && plan->warnings.count == 1 &&
                        strncmp(plan->warnings.items[0], warning, strlen(warning)) == 0;
    cr_expect_eq(refused, key->fate == KEY_REFUSED, "%s: %s", key->name, err.message);
    cr_expect_eq(warned, key->fate == KEY_WARNED, "%s", key->name);
    cr_expect(key->fate != KEY_IGNORED || (loaded && plan->warnings.count == 0), "%s", key->name);
    plan_free(plan);
}

Test(compose_key, does_with_each_key_what_the_table_says) {
    size_t count = 0;
    const struct compose_key *keys = compose_service_keys(&count);
    for (size_t i = 0; i < count; i++)
        if (strcmp(keys[i].name, "image") != 0)
            expect_fate(&keys[i]);
}

// docs/compose-support.md has a line "| `key` | fate | …" for each.
Test(compose_key, is_told_to_people_as_it_is) {
    char *docs = NULL;
    struct error err = {0};
    size_t count = 0;
    const struct compose_key *keys = compose_service_keys(&count);
    cr_assert(file_read(ASSAY_SOURCE_FOLDER "/docs/compose-support.md", 1 << 20, &docs, NULL, &err),
              "%s", err.message);
    for (size_t i = 0; i < count; i++) {
        char row[128];
        snprintf(row, sizeof row, "\n| `%s` | %s |", keys[i].name, fate_name(keys[i].fate));
        cr_expect_not_null(strstr(docs, row), "docs/compose-support.md has no row%s", row);
    }
    free(docs);
}
