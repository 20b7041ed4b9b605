#include "base/memory.h"
#include "base/string_list.h"

#include <criterion/criterion.h>

static struct string_list list;

static void release(void) {
    string_list_done(&list);
}

TestSuite(string_list, .fini = release);

Test(string_list, grows_and_stays_terminated) {
    for (int i = 0; i < 100; i++) {
        string_list_addf(&list, "item %d", i);
        cr_assert_eq(list.count, (size_t)i + 1);
        cr_assert_null(list.items[list.count]);
    }
    cr_expect_str_eq(list.items[0], "item 0");
    cr_expect_str_eq(list.items[99], "item 99");
}

Test(string_list, copies_what_is_added_and_owns_what_is_taken) {
    char original[] = "text";
    string_list_add(&list, original);
    original[0] = 'n';
    cr_expect_str_eq(list.items[0], "text");
    char *owned = memory_copy_string("owned");
    string_list_take(&list, owned);
    cr_expect_eq(list.items[1], owned);
}

Test(string_list, finds_whole_strings_only) {
    cr_expect_not(string_list_contains(&list, "a"));
    string_list_add(&list, "abc");
    cr_expect(string_list_contains(&list, "abc"));
    cr_expect_not(string_list_contains(&list, "ab"));
}

Test(string_list, sorts_by_bytes) {
    string_list_sort(&list);
    const char *const unsorted[] = {"b", "ä", "a", "B", "", "aa"};
    for (size_t i = 0; i < 6; i++)
        string_list_add(&list, unsorted[i]);
    string_list_sort(&list);
    const char *const sorted[] = {"", "B", "a", "aa", "b", "ä"};
    for (size_t i = 0; i < 6; i++)
        cr_expect_str_eq(list.items[i], sorted[i]);
    cr_expect_null(list.items[6]);
}

Test(string_list, may_be_used_again_when_done) {
    string_list_add(&list, "a");
    string_list_done(&list);
    cr_expect_eq(list.count, 0);
    string_list_add(&list, "b");
    cr_expect_str_eq(list.items[0], "b");
    string_list_done(NULL);
}
