// What a tar of pg_dump looks like to pg_restore as well, but is not what was dumped: members
// dropped, repeated, exchanged, each of them whole.
#include "dump/dump_test_sample.h"
#include "dump/ustar.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

// Of pg17.tar, in this order.
enum {
    TOC,
    FIRST_DATA,
    FIRST_BLOB = 5,
    LAST_BLOB = 7,
    LIST,
    SCRIPT,
    MEMBERS,
};

static struct sample sample;
static size_t starts[MEMBERS + 1];

static size_t size_at(size_t start) {
    return strtoul((const char *)sample.bytes + start + 124, NULL, 8);
}

static void load(void) {
    sample = sample_load("pg17.tar");
    for (size_t i = 0; i < MEMBERS; i++)
        starts[i + 1] = starts[i] + USTAR_BLOCK +
                        (size_at(starts[i]) + USTAR_BLOCK - 1) / USTAR_BLOCK * USTAR_BLOCK;
}

static void release(void) {
    sample_done(&sample);
}

TestSuite(postgres_tar, .init = load, .fini = release);

// A tar of these members is refused with these words; NULL: it is read.
static void expect(const char *words, const size_t *order, size_t count) {
    uint8_t *built = calloc(2, sample.length);
    size_t length = 0;
    for (size_t i = 0; i < count; i++) {
        const size_t size = starts[order[i] + 1] - starts[order[i]];
        memcpy(built + length, sample.bytes + starts[order[i]], size);
        length += size;
    }
    sample_expect(&FORMAT_POSTGRES_TAR, built, length + (size_t)2 * USTAR_BLOCK, words, "members");
    free(built);
}

#define EXPECT(words, ...)                         \
    expect((words), (const size_t[]){__VA_ARGS__}, \
           sizeof((const size_t[]){__VA_ARGS__}) / sizeof(size_t))

Test(postgres_tar, members_may_come_in_any_order_between_the_first_and_the_last) {
    EXPECT(NULL, TOC, 1, 2, 3, 4, 5, 6, 7, LIST, SCRIPT);
    EXPECT(NULL, TOC, LIST, 7, 4, 3, 5, 2, 6, 1, SCRIPT);
}

Test(postgres_tar, a_member_that_comes_twice_is_refused) {
    EXPECT("3441.dat: it comes twice", TOC, 1, FIRST_DATA, 2, 3, 4, 5, 6, 7, LIST, SCRIPT);
}

Test(postgres_tar, nothing_follows_the_script) {
    EXPECT("it follows restore.sql", TOC, 1, 2, 3, 4, 5, 6, LIST, SCRIPT, LAST_BLOB);
}

Test(postgres_tar, the_table_of_contents_comes_first) {
    EXPECT("the first member should be toc.dat", FIRST_DATA, TOC, 2, 3, 4, 5, 6, 7, LIST, SCRIPT);
}

Test(postgres_tar, a_large_object_that_is_missing_is_missed) {
    EXPECT("3 large objects are listed, 2 are there", TOC, 1, 2, 3, 4, 5, 6, LIST, SCRIPT);
}

Test(postgres_tar, a_list_of_other_large_objects_is_refused) {
    char *list = (char *)sample.bytes + starts[LIST] + USTAR_BLOCK;
    cr_assert_eq(memcmp(list, "4711 blob_4711.dat\n", 19), 0);
    memcpy(list, "4799 blob_4799.dat\n", 19);
    EXPECT("name 3 large objects, 3 are there, or others", TOC, 1, 2, 3, 4, 5, 6, 7, LIST, SCRIPT);
}

Test(postgres_tar, an_empty_tar_is_no_backup) {
    const uint8_t zeros[2 * USTAR_BLOCK] = {0};
    sample_expect(&FORMAT_POSTGRES_TAR, zeros, sizeof zeros, "the tar is empty", "empty");
}

// One byte of what fills up its last block is made part of it.
Test(postgres_tar, nothing_follows_the_contents_within_their_member) {
    char *head = (char *)sample.bytes;
    unsigned total = 0;
    snprintf(head + 124, 12, "%011zo", size_at(TOC) + 1);
    memset(head + 148, ' ', 8);
    for (size_t i = 0; i < USTAR_BLOCK; i++)
        total += sample.bytes[i];
    snprintf(head + 148, 8, "%06o", total);
    EXPECT("something follows the table of contents", TOC, 1, 2, 3, 4, 5, 6, 7, LIST, SCRIPT);
}
