#include "base/memory.h"
#include "dump/line_reader.h"

#include <criterion/criterion.h>
#include <string.h>

static struct source *source;
static struct line_reader *reader;
static struct line line;
static struct error err;
static bool ended;

static void release(void) {
    line_reader_free(reader);
    source_close(source);
}

TestSuite(line_reader, .fini = release);

static void begin(const void *bytes, size_t length) {
    cr_assert(source_open_bytes(bytes, length, &source, &err));
    reader = line_reader_new(source);
}

static void expect(const char *text, bool closed) {
    cr_assert(line_reader_next(reader, &line, &ended, &err));
    cr_assert_not(ended, "ended before \"%s\"", text);
    cr_expect(line.length == strlen(text) && memcmp(line.bytes, text, line.length) == 0);
    cr_expect(line.whole && line.begins);
    cr_expect_eq(line.closed, closed);
}

static void expect_end(void) {
    for (int i = 0; i < 2; i++) {
        cr_assert(line_reader_next(reader, &line, &ended, &err));
        cr_assert(ended);
    }
}

Test(line_reader, gives_lines_and_numbers_them) {
    begin("one\n\ntwo words\r\nlast", 20);
    expect("one", true);
    expect("", true);
    expect("two words\r", true);
    cr_expect_eq(line.number, 3);
    cr_expect(line_begins_with(&line, "two"));
    cr_expect_not(line_begins_with(&line, "two words and more"));
    expect("last", false);
    expect_end();
}

Test(line_reader, ends_at_once_where_nothing_is) {
    begin("", 0);
    expect_end();
}

// Of each length around the limit: the pieces make the line, and the line after it is whole.
Test(line_reader, gives_long_lines_in_pieces) {
    for (size_t length = LINE_LIMIT - 2; length < 3 * LINE_LIMIT;
         length += length < LINE_LIMIT + 2 ? 1 : 9973) {
        for (int closed = 0; closed < 2; closed++) {
            char *bytes = memory_new(length + 6, 1);
            memset(bytes, 'x', length);
            memcpy(bytes + length, closed ? "\nnext\n" : "", closed ? 6 : 0);
            begin(bytes, length + (closed ? 6 : 0));
            size_t sum = 0;
            do {
                cr_assert(line_reader_next(reader, &line, &ended, &err));
                cr_assert(!ended && line.number == 1 && line.length <= LINE_LIMIT);
                cr_assert_eq(line.begins, sum == 0);
                cr_assert_eq(line_begins_with(&line, "x"), sum == 0);
                sum += line.length;
            } while (!line.whole);
            cr_assert_eq(sum, length);
            cr_assert_eq(line.closed, closed == 1);
            if (closed) {
                expect("next", true);
                cr_expect_eq(line.number, 2);
            }
            expect_end();
            release();
            free(bytes);
            reader = NULL;
            source = NULL;
        }
    }
}

Test(line_reader, passes_on_what_is_wrong_with_the_source) {
    begin("\x1f\x8b\x08\0\0\0\0\0\0\x03", 10);
    cr_assert_not(line_reader_next(reader, &line, &ended, &err));
    cr_expect_eq(err.domain, ERROR_PROTOCOL);
}
