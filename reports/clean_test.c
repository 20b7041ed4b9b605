#include "reports/clean.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static void expect(enum clean how, const char *dirty, const char *expected) {
    struct text out = {0};
    clean_append(&out, dirty, how);
    cr_expect_str_eq(text_string(&out), expected);
    text_done(&out);
}

Test(clean, leaves_good_text_alone) {
    expect(CLEAN_LINE, "größe € 😀 #1", "größe € 😀 #1");
    expect(CLEAN_BLOCK, "two\nlines\tand a tab", "two\nlines\tand a tab");
    expect(CLEAN_UTF8, "\x1b[0m \r\n", "\x1b[0m \r\n");
    expect(CLEAN_LINE, NULL, "");
}

Test(clean, shows_line_ends_and_tabs_in_a_line) {
    expect(CLEAN_LINE, "a\nb\rc\td", "a\\nb\\rc\\td");
}

Test(clean, shows_control_characters) {
    expect(CLEAN_BLOCK, "\x1b[2J \x07 \x7f \r", "\\x1b[2J \\x07 \\x7f \\r");
    expect(CLEAN_BLOCK, "\xc2\x85 \xc2\x9b", "\\x85 \\x9b");
}

Test(clean, shows_direction_marks_and_what_xml_cannot_hold) {
    expect(CLEAN_LINE, "\xe2\x80\xae \xe2\x81\xa6 \xe2\x80\xa8", "\\u202e \\u2066 \\u2028");
    expect(CLEAN_BLOCK, "\xef\xbf\xbe \xef\xbf\xbf", "\\ufffe \\uffff");
}

Test(clean, shows_bytes_that_are_not_utf8) {
    expect(CLEAN_UTF8, "\xff", "\\xff");
    expect(CLEAN_UTF8, "\xc3", "\\xc3");                            // cut short
    expect(CLEAN_UTF8, "\xc0\xaf", "\\xc0\\xaf");                   // longer than need be
    expect(CLEAN_UTF8, "\xe0\x80\xaf", "\\xe0\\x80\\xaf");          // likewise
    expect(CLEAN_UTF8, "\xed\xa0\x80", "\\xed\\xa0\\x80");          // a surrogate
    expect(CLEAN_UTF8, "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"); // above U+10FFFF
    expect(CLEAN_UTF8, "a\x80z", "a\\x80z");
}

Test(clean, takes_the_edges_of_each_length) {
    expect(CLEAN_UTF8, "\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbd\xf0\x90\x80\x80\xf4\x8f\xbf\xbf",
           "\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbd\xf0\x90\x80\x80\xf4\x8f\xbf\xbf");
}

Test(clean, every_byte_pair_gives_valid_utf8) {
    for (unsigned pair = 0; pair < 65536; pair++) {
        const char bytes[] = {(char)(pair >> 8), (char)(pair & 0xff)};
        struct text out = {0};
        clean_append_bytes(&out, bytes, sizeof bytes, CLEAN_BLOCK);
        for (size_t at = 0; at < out.length;) {
            uint32_t code_point = 0;
            const size_t taken = utf8_decode(out.bytes + at, out.length - at, &code_point);
            cr_assert_gt(taken, 0, "%04x", pair);
            cr_assert(code_point >= 0x20 || code_point == '\n' || code_point == '\t');
            at += taken;
        }
        text_done(&out);
    }
}

Test(clean, cuts_a_long_text_between_code_points_and_says_so) {
    struct text out = {0};
    clean_append_start(&out, "1234567€", 8, CLEAN_LINE); // the sign is bytes 8 to 10
    cr_expect_str_eq(text_string(&out), "1234567… (3 more bytes)");
    text_clear(&out);
    clean_append_start(&out, "12345678", 8, CLEAN_LINE);
    cr_expect_str_eq(text_string(&out), "12345678");
    text_done(&out);
}

Test(clean, shows_the_end_of_a_long_log_from_the_start_of_a_line) {
    struct text out = {0};
    clean_append_end(&out, "first line\nsecond line\nlast\n", 15, CLEAN_BLOCK);
    cr_expect_str_eq(text_string(&out), "(23 bytes before) …\nlast\n");
    text_clear(&out);
    clean_append_end(&out, "one long line without an end", 6, CLEAN_LINE);
    cr_expect_str_eq(text_string(&out), "(22 bytes before) … an end");
    text_clear(&out);
    clean_append_end(&out, "a€z", 3, CLEAN_LINE); // the sign is bytes 1 to 3
    cr_expect_str_eq(text_string(&out), "(4 bytes before) … z");
    text_clear(&out);
    clean_append_end(&out, "short", 5, CLEAN_LINE);
    cr_expect_str_eq(text_string(&out), "short");
    text_done(&out);
}
