#include "verify/fingerprint/row_set.h"

#include <criterion/criterion.h>

// As far apart as hashes are, and as close together as they must not be a problem.
static struct row_sum row(uint64_t number) {
    return (struct row_sum){.high = number * 0x9e3779b97f4a7c15, .low = number % 7};
}

Test(row_set, knows_what_is_in_it) {
    struct row_set set = {.count = 0};
    for (uint64_t i = 1; i <= 2000; i++) {
        const struct row_sum each = row(i);
        cr_expect(row_set_add(&set, &each));
    }
    for (uint64_t i = 1; i <= 2000; i++) {
        const struct row_sum each = row(i);
        cr_expect_not(row_set_add(&set, &each));
    }
    cr_expect_eq(set.count, 2000);
    cr_expect_leq(set.count, set.capacity / 4 * 3);
    row_set_done(&set);
    cr_expect_eq(set.count, 0);
}

Test(row_set, looks_at_all_of_a_hash_and_at_nothing_else) {
    struct row_set set = {.count = 0};
    cr_expect(row_set_add(&set, &(struct row_sum){.high = 1, .low = 2, .rows = 1}));
    cr_expect(row_set_add(&set, &(struct row_sum){.high = 2, .low = 2, .rows = 1}));
    cr_expect(row_set_add(&set, &(struct row_sum){.high = 1, .low = 1, .rows = 1}));
    cr_expect_not(row_set_add(&set, &(struct row_sum){.high = 1, .low = 2, .rows = 5}));
    row_set_done(&set);
}
