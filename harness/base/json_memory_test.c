#include "base/json_memory.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <stdlib.h>
#include <sys/resource.h>

// No more memory than is mapped already and a little: nobody can add to an array for ever.
static void be_poor(void) {
    const struct rlimit limit = {.rlim_cur = 1, .rlim_max = 1};
    cr_assert_eq(setrlimit(RLIMIT_AS, &limit), 0);
}

static void add_for_ever(void) {
    json_t *array = json_array();
    be_poor();
    while (json_array_append_new(array, json_string("an element")) == 0) {
    }
    exit(0); // lost an element, and went on
}

Test(json_memory, that_cannot_be_had_is_an_element_lost_by_default, .exit_code = 0) {
    add_for_ever();
}

Test(json_memory, that_cannot_be_had_ends_the_process_with_status_3, .exit_code = 3) {
    json_memory_init();
    add_for_ever();
}
