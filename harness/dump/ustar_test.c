#include "dump/ustar.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static uint8_t tar[4 * USTAR_BLOCK];
static struct ustar_member member;
static struct error err;

static void sum(void) {
    unsigned total = 0;
    memset(tar + 148, ' ', 8);
    for (size_t i = 0; i < USTAR_BLOCK; i++)
        total += tar[i];
    snprintf((char *)tar + 148, 8, "%06o", total);
}

static void build(void) {
    snprintf((char *)tar, 100, "toc.dat");
    snprintf((char *)tar + 124, 12, "%011o", 3);
    tar[156] = '0';
    memcpy(tar + 257, "ustar", 6);
    memcpy(tar + USTAR_BLOCK, "abc", 3);
    sum();
}

TestSuite(ustar, .init = build);

static bool read_tar(size_t length) {
    struct source *source = NULL;
    bool ended = false;
    cr_assert(source_open_bytes(tar, length, &source, &err));
    bool done = ustar_next(source, &member, &ended, &err);
    while (done && !ended)
        done = source_skip(source, member.size, "a member", &err) &&
               ustar_skip_padding(source, member.size, &err) &&
               ustar_next(source, &member, &ended, &err);
    source_close(source);
    return done;
}

static void expect_refused(const char *reason) {
    err.message[0] = '\0';
    cr_expect_not(read_tar(sizeof tar), "%s", reason);
    cr_expect_not_null(strstr(err.message, reason), "%s", err.message);
}

Test(ustar, reads_names_and_sizes_to_the_end) {
    cr_expect(ustar_recognises(tar, sizeof tar, "toc.dat"));
    cr_expect_not(ustar_recognises(tar, sizeof tar, "toc"));
    cr_expect_not(ustar_recognises(tar, USTAR_BLOCK - 1, "toc.dat"));
    cr_expect(read_tar(sizeof tar), "%s", err.message);
    cr_expect_str_eq(member.name, "toc.dat");
    cr_expect_eq(member.size, 3);
    for (size_t length = 0; length < sizeof tar; length++)
        cr_assert_not(read_tar(length));
}

Test(ustar, refuses_a_header_that_was_changed) {
    tar[0] ^= 1;
    expect_refused("checksum");
}

Test(ustar, refuses_what_is_no_plain_file) {
    static const char types[] = "123456LKxg";
    for (size_t i = 0; i < strlen(types); i++) {
        tar[156] = (uint8_t)types[i];
        sum();
        expect_refused("no plain file");
    }
}

Test(ustar, does_not_believe_sizes) {
    memcpy(tar + 124, "77777777777", 11); // 8 GB in a file of 2 KB
    sum();
    expect_refused("end within");
    memset(tar + 124, 0xff, 12);
    tar[124] = 0x80; // more than 64 bits
    sum();
    expect_refused("impossible");
}

Test(ustar, refuses_what_stands_where_zeros_should) {
    tar[USTAR_BLOCK + 3] = 1;
    expect_refused("filled up");
    tar[USTAR_BLOCK + 3] = 0;
    tar[3 * USTAR_BLOCK] = 1;
    expect_refused("one block of zeros");
}

Test(ustar, reads_a_size_in_base_256) {
    memset(tar + 124, 0, 12);
    tar[124] = 0x80;
    tar[135] = 3;
    sum();
    cr_expect(read_tar(sizeof tar), "%s", err.message);
    cr_expect_eq(member.size, 3);
}

Test(ustar, refuses_a_tar_that_ends_within_a_block) {
    uint8_t longer[sizeof tar + 10] = {0};
    memcpy(longer, tar, sizeof tar);
    struct source *source = NULL;
    bool ended = false;
    cr_assert(source_open_bytes(longer, sizeof longer, &source, &err));
    cr_expect(ustar_next(source, &member, &ended, &err) &&
              source_skip(source, member.size, "a member", &err) &&
              ustar_skip_padding(source, member.size, &err));
    cr_expect_not(ustar_next(source, &member, &ended, &err));
    cr_expect_not_null(strstr(err.message, "ends within a block"), "%s", err.message);
    source_close(source);
}
