#include "verify/fingerprint/postgres_binary.h"

#include "base/memory.h"

#include <criterion/criterion.h>
#include <string.h>

#define HEAD "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0"
#define ROW_ONE "\0\2\0\0\0\3one\377\377\377\377" // 'one', NULL
#define ROW_TWO "\0\2\0\0\0\0\0\0\0\1x"           // '', 'x'
#define END "\377\377"

static const uint8_t KEY[ROW_HASH_KEY_SIZE] = {1};
static const char WHOLE[] = HEAD ROW_ONE ROW_TWO END;

static struct {
    struct row_hash *expected, *hash;
    struct postgres_binary binary;
    struct error err;
} held;

static void hold(void) {
    held.expected = row_hash_new(KEY);
    held.hash = row_hash_new(KEY);
    held.binary = (struct postgres_binary){.hash = held.hash, .columns = 2};
    row_hash_value(held.expected, "one", 3);
    row_hash_null(held.expected);
    row_hash_end(held.expected, NULL);
    row_hash_value(held.expected, "", 0);
    row_hash_value(held.expected, "x", 1);
    row_hash_end(held.expected, NULL);
}

static void release(void) {
    row_hash_free(held.expected);
    row_hash_free(held.hash);
    postgres_binary_done(&held.binary);
}

TestSuite(postgres_binary, .init = hold, .fini = release);

static void expect_both_rows(void) {
    cr_expect(postgres_binary_end(&held.binary, &held.err), "%s", held.err.message);
    cr_expect(row_sum_equal(row_hash_total(held.hash), row_hash_total(held.expected)));
}

static void expect_refused(const char *bytes, size_t length, const char *message) {
    cr_expect_not(postgres_binary_read(&held.binary, bytes, length, &held.err));
    cr_expect_eq(held.err.domain, ERROR_PROTOCOL);
    cr_expect_not_null(strstr(held.err.message, message), "%s", held.err.message);
}

Test(postgres_binary, gives_rows_with_their_nulls) {
    cr_assert(postgres_binary_read(&held.binary, WHOLE, sizeof WHOLE - 1, &held.err), "%s",
              held.err.message);
    expect_both_rows();
}

Test(postgres_binary, may_be_cut_anywhere) {
    for (size_t i = 0; i < sizeof WHOLE - 1; i++) {
        char *alone = memory_copy_bytes(WHOLE + i, 1); // so that reading on is an error to ASan
        cr_assert(postgres_binary_read(&held.binary, alone, 1, &held.err), "%zu: %s", i,
                  held.err.message);
        free(alone);
    }
    expect_both_rows();
}

Test(postgres_binary, that_stops_between_rows_has_not_ended) {
    cr_assert(postgres_binary_read(&held.binary, WHOLE, sizeof WHOLE - 3, &held.err));
    cr_expect_not(postgres_binary_end(&held.binary, &held.err));
    cr_expect_eq(held.err.domain, ERROR_PROTOCOL);
}

Test(postgres_binary, needs_its_signature) {
    expect_refused("PGCOPY\n\377\r\n_\0\0\0\0\0\0\0\0", 19, "does not begin with its signature");
}

Test(postgres_binary, of_a_head_that_nobody_knows_is_refused) {
    expect_refused("PGCOPY\n\377\r\n\0\0\1\0\0\0\0\0\0", 19, "a head that we do not know");
}

Test(postgres_binary, of_a_head_with_an_extension_is_refused) {
    expect_refused("PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\4", 19, "a head that we do not know");
}

Test(postgres_binary, with_a_row_of_other_columns_is_refused) {
    const char text[] = HEAD "\0\3";
    expect_refused(text, sizeof text - 1, "another number of columns");
}

Test(postgres_binary, with_a_negative_length_is_refused) {
    const char text[] = HEAD "\0\2\377\377\377\376";
    expect_refused(text, sizeof text - 1, "a negative length");
}

Test(postgres_binary, that_goes_on_after_its_end_is_refused) {
    const char text[] = HEAD END "\0";
    expect_refused(text, sizeof text - 1, "goes on after its end");
}
