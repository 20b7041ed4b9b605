// What a custom archive looks like to pg_restore as well, but is not what was dumped: blocks
// dropped, repeated, exchanged.
#include "base/file.h"
#include "base/memory.h"
#include "dump/dump.h"

#include <criterion/criterion.h>
#include <string.h>

#define WHOLE ((size_t)4971) // of pg17-stdout.custom, without its second table of contents

static char *bytes;
static size_t starts[6]; // of the blocks, and the end
static struct error err;

// Blocks in the order of the file: tables 3441, 3442, 3440, 3443, then large objects, 3445.
static size_t find_block(size_t number) {
    static const unsigned ids[] = {3441, 3442, 3440, 3443, 3445};
    const char head[] = {number == 4 ? 3 : 1,      0, (char)(ids[number] & 0xff),
                         (char)(ids[number] >> 8), 0, 0};
    for (size_t at = 4000; at + sizeof head < WHOLE; at++)
        if (memcmp(bytes + at, head, sizeof head) == 0)
            return at;
    cr_assert_fail("no block %zu", number);
    return 0;
}

static void load(void) {
    size_t length = 0;
    char *path = path_join(DUMP_SAMPLES, "pg17-stdout.custom");
    cr_assert(file_read(path, 100000, &bytes, &length, &err), "%s", err.message);
    free(path);
    for (size_t i = 0; i < 5; i++)
        starts[i] = find_block(i);
    starts[5] = WHOLE;
}

static void release(void) {
    free(bytes);
}

TestSuite(postgres_custom, .init = load, .fini = release);

static bool read_parts(const size_t *order, size_t count) {
    char *built = memory_new(2 * WHOLE, 1);
    size_t length = starts[0];
    memcpy(built, bytes, length);
    for (size_t i = 0; i < count; i++) {
        const size_t size = starts[order[i] + 1] - starts[order[i]];
        memcpy(built + length, bytes + starts[order[i]], size);
        length += size;
    }
    struct source *source = NULL;
    struct dump_facts facts = {0};
    const bool done =
        source_open_bytes(built, length, &source, &err) && dump_read_source(source, &facts, &err);
    dump_facts_done(&facts);
    source_close(source);
    free(built);
    return done;
}

#define READ(...)                             \
    read_parts((const size_t[]){__VA_ARGS__}, \
               sizeof((const size_t[]){__VA_ARGS__}) / sizeof(size_t))

static void expect_reason(const char *reason) {
    cr_expect_not_null(strstr(err.message, reason), "%s", err.message);
}

Test(postgres_custom, blocks_may_come_in_any_order) {
    cr_expect(READ(0, 1, 2, 3, 4), "%s", err.message);
    cr_expect(READ(4, 2, 0, 1, 3), "%s", err.message);
}

Test(postgres_custom, a_dropped_table_is_named) {
    cr_expect_not(READ(0, 1, 3, 4));
    expect_reason("the data of public.orders (entry 3440) are missing");
    cr_expect_not(READ(0, 1, 2, 3));
    expect_reason("(entry 3445) are missing");
}

Test(postgres_custom, a_repeated_table_is_named) {
    cr_expect_not(READ(0, 1, 2, 2, 3, 4));
    expect_reason("the data of public.orders (entry 3440): they come twice");
}

Test(postgres_custom, data_under_another_tables_id_are_refused) {
    const size_t orders = starts[2] + 2;
    const size_t odd = starts[0] + 2;
    const char saved = bytes[orders];
    bytes[orders] = bytes[odd];
    bytes[odd] = saved;
    cr_expect_not(READ(0, 1, 2, 3, 4));
    expect_reason("columns instead of");
}

Test(postgres_custom, another_large_object_is_noticed) {
    bytes[starts[4] + 6 + 1]++;
    cr_expect_not(READ(0, 1, 2, 3, 4));
    expect_reason("3 large objects are listed, 3 are there, or others");
}

Test(postgres_custom, an_unknown_version_is_named) {
    bytes[6] = 17;
    cr_expect_not(READ(0, 1, 2, 3, 4));
    expect_reason("archive version 1.17 is not known");
}

// A length of 2 GB in a file of 5 KB.
Test(postgres_custom, declared_lengths_are_not_believed) {
    memcpy(bytes + starts[2] + 6, "\0\xff\xff\xff\x7f", 5);
    cr_expect_not(READ(0, 1, 2, 3, 4));
    memcpy(bytes + 0x82, "\xff\xff\xff\x7f", 4);
    cr_expect_not(READ(0, 1, 2, 3, 4));
}

Test(postgres_custom, a_large_object_with_an_impossible_number_is_refused) {
    char *oid = bytes + starts[4] + 6; // a sign and four bytes
    memset(oid, 0xff, 5);
    oid[0] = 1;
    cr_expect_not(READ(0, 1, 2, 3, 4));
    expect_reason("a large object has an impossible OID");
}
