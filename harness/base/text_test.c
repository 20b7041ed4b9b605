#include "base/text.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static struct text text;

static void release(void) {
    text_done(&text);
}

TestSuite(text, .fini = release);

Test(text, zeroed_is_empty) {
    cr_expect_str_eq(text_string(&text), "");
    cr_expect_eq(text.length, 0);
}

Test(text, grows_by_all_the_ways_to_append) {
    text_append(&text, "one");
    text_append_char(&text, ' ');
    text_append_bytes(&text, "two, three", 3);
    text_appendf(&text, " %d%s", 3, "!");
    cr_expect_str_eq(text_string(&text), "one two 3!");
    cr_expect_eq(text.length, 10);
}

Test(text, counts_nul_bytes) {
    text_append_bytes(&text, "a\0b", 3);
    cr_expect_eq(text.length, 3);
    cr_expect_eq(text.bytes[3], '\0');
}

Test(text, is_cut_at_its_limit_and_says_so) {
    text_init(&text, 5);
    text_append(&text, "12345");
    cr_expect_not(text.overflowed);
    text_append(&text, "");
    cr_expect_not(text.overflowed);
    text_append_char(&text, '6');
    cr_expect(text.overflowed);
    cr_expect_str_eq(text_string(&text), "12345");
    text_clear(&text);
    cr_expect_not(text.overflowed);
    text_appendf(&text, "%s", "abcdefgh");
    cr_expect_str_eq(text_string(&text), "abcde");
    cr_expect(text.overflowed);
}

Test(text, stays_bounded_whatever_is_appended) {
    text_init(&text, 1000);
    for (int i = 0; i < 100000; i++)
        text_append(&text, "0123456789");
    cr_expect_eq(text.length, 1000);
    cr_expect_leq(text.capacity, 2048);
}

Test(text, keeps_its_last_bytes) {
    text_append(&text, "0123456789");
    text_keep_last(&text, 20);
    cr_expect_str_eq(text_string(&text), "0123456789");
    text_keep_last(&text, 3);
    cr_expect_str_eq(text_string(&text), "789");
    text_keep_last(&text, 0);
    cr_expect_str_eq(text_string(&text), "");
    text_append(&text, "again");
    cr_expect_str_eq(text_string(&text), "again");
}

Test(text, of_nothing_keeps_nothing) {
    text_keep_last(&text, 0);
    text_clear(&text);
    cr_expect_str_eq(text_string(&text), "");
}

Test(text, that_is_taken_leaves_an_empty_one) {
    text_append(&text, "mine");
    char *taken = text_take(&text);
    cr_expect_str_eq(taken, "mine");
    free(taken);
    cr_expect_str_eq(text_string(&text), "");
    taken = text_take(&text);
    cr_expect_str_eq(taken, "");
    free(taken);
}

Test(text, keeps_its_limit_when_done) {
    text_init(&text, 2);
    text_append(&text, "ab");
    text_done(&text);
    text_append(&text, "abc");
    cr_expect_str_eq(text_string(&text), "ab");
    text_done(NULL);
}
