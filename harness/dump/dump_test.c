#include "dump/dump.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static void expect_look(const void *bytes, size_t length, const char *look) {
    struct source *source = NULL;
    struct dump_facts facts = {0};
    struct error err = {0};
    cr_assert(source_open_bytes(bytes, length, &source, &err));
    cr_assert(dump_read_source(source, &facts, &err), "%s", err.message);
    cr_expect_null(facts.format);
    cr_expect_str_eq(facts.recognised, look);
    dump_facts_done(&facts);
    source_close(source);
}

Test(dump, says_what_an_unknown_file_looks_like) {
    static const uint8_t zeros[10000];
    expect_look("", 0, "empty");
    expect_look(zeros, sizeof zeros, "zeros");
    expect_look("\x89PNG\r\n\x1a\n....", 12, "a PNG image");
    expect_look("Dear diary,\n", 12, "text");
    expect_look("\x01\x02\x03\x04", 4, "binary data");
}

// gzip -9 </dev/null
Test(dump, valid_gzip_of_nothing_is_empty) {
    expect_look("\x1f\x8b\x08\0\0\0\0\0\x02\x03\x03\0\0\0\0\0\0\0\0\0", 20, "empty");
}

Test(dump, every_engine_has_a_name) {
    cr_expect_str_eq(dump_engine_name(DUMP_POSTGRES), "postgres");
    cr_expect_str_eq(dump_engine_name(DUMP_REDIS), "redis");
    cr_expect_str_eq(dump_engine_name((enum dump_engine)99), "unknown");
}
