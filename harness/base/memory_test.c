#include "base/cleanup.h"
#include "base/memory.h"

#include <criterion/criterion.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

// Read by AddressSanitizer, which would otherwise end the process itself when memory cannot be had
// or (secret_test.c) is touched after it was freed and unmapped.
const char *__asan_default_options(void);
const char *__asan_default_options(void) {
    return "allocator_may_return_null=1:handle_segv=0";
}

Test(memory, is_zeroed) {
    unsigned char *bytes = memory_new(1000, 1);
    for (int i = 0; i < 1000; i++)
        cr_assert_eq(bytes[i], 0);
    free(bytes);
}

Test(memory, of_no_size_can_be_freed_and_resized) {
    void *block = memory_new(0, 0);
    cr_expect_not_null(block);
    block = memory_resize(block, 0, 8);
    cr_expect_not_null(block);
    free(block);
}

Test(memory, copies_strings_and_nothing) {
    char *copy = memory_copy_string("text");
    cr_expect_str_eq(copy, "text");
    free(copy);
    cr_expect_null(memory_copy_string(NULL));
}

Test(memory, copies_bytes_with_a_nul_behind) {
    char *copy = memory_copy_bytes("a\0b", 3);
    cr_expect_arr_eq(copy, "a\0b", 4);
    free(copy);
    char *empty = memory_copy_bytes(NULL, 0);
    cr_expect_str_eq(empty, "");
    free(empty);
}

Test(memory, formats) {
    char *formatted = memory_format("%s is %d", "it", 7);
    cr_expect_str_eq(formatted, "it is 7");
    free(formatted);
}

// Volatile: the compiler must not see that this cannot work.
static volatile size_t too_much = SIZE_MAX / 4;

Test(memory, that_cannot_be_had_ends_the_process_with_status_3, .exit_code = 3) {
    free(memory_new(too_much, 1));
}

Test(memory, of_a_size_that_overflows_ends_the_process_with_status_3, .exit_code = 3) {
    free(memory_resize(NULL, too_much, 8));
}

static char *make(void) {
    autofree_string char *string = memory_copy_string("handed on");
    return TAKE(string);
}

Test(memory, taken_from_a_scope_is_not_freed_by_it) {
    char *string = make();
    cr_expect_str_eq(string, "handed on");
    free(string);
}
