#include "compose/yaml.h"

#include <criterion/criterion.h>
#include <string.h>

static struct yaml_arena arena;
static const struct mark here = {"f", 2, 7};

static void clear(void) {
    yaml_arena_done(&arena);
}

TestSuite(yaml, .fini = clear);

static struct yaml *text(const char *content) {
    return yaml_new_text(&arena, content, here);
}

Test(yaml, replaces_the_value_of_a_key_that_is_there) {
    struct yaml *map = yaml_new(&arena, YAML_MAP, here);
    yaml_set(map, "a", here, text("1"));
    yaml_set(map, "b", here, text("2"));
    yaml_set(map, "a", here, text("3"));
    cr_expect_eq(map->count, 2);
    cr_expect_str_eq(yaml_get(map, "a")->text, "3");
    yaml_remove(map, "a");
    cr_expect_null(yaml_get(map, "a"));
    cr_expect_str_eq(map->entries[0].key, "b");
}

Test(yaml, copies_so_that_neither_sees_the_other_change) {
    struct yaml *list = yaml_new(&arena, YAML_LIST, here);
    yaml_add(list, text("a"));
    const struct yaml *copy = yaml_copy(&arena, list);
    yaml_set_text(list->items[0], "b");
    cr_expect_str_eq(copy->items[0]->text, "a");
    cr_expect_eq(copy->items[0]->mark.column, 7);
    cr_expect_eq(yaml_depth(copy), 2);
}

Test(yaml, reads_what_compose_takes_for_true_and_false) {
    bool value = false;
    struct error err = {0};
    cr_expect(yaml_read_bool(text("true"), "w", &value, &err) && value);
    cr_expect(yaml_read_bool(text("Off"), "w", &value, &err) && !value);
    cr_expect_not(yaml_read_bool(text("maybe"), "services.s.tty", &value, &err));
    cr_expect_str_eq(err.message, "f:2:7: services.s.tty: expected true or false, found \"maybe\"");
}

Test(yaml, reads_whole_numbers_within_bounds_only) {
    long long number = 0;
    struct error err = {0};
    cr_expect(yaml_read_integer(text("-5"), "w", -5, 5, &number, &err) && number == -5);
    cr_expect_not(yaml_read_integer(text("6"), "w", -5, 5, &number, &err));
    cr_expect_str_eq(err.message, "f:2:7: w: 6 is not between -5 and 5");
    cr_expect_not(yaml_read_integer(text("5x"), "w", -5, 5, &number, &err));
    cr_expect_str_eq(err.message, "f:2:7: w: expected a whole number, found \"5x\"");
    cr_expect_not(yaml_read_integer(text("99999999999999999999"), "w", 0, 5, &number, &err));
}

Test(yaml, reads_file_modes_in_octal_however_they_are_written) {
    unsigned mode = 0;
    struct error err = {0};
    cr_expect(yaml_read_octal(text("0440"), "w", &mode, &err) && mode == 0440);
    cr_expect(yaml_read_octal(text("440"), "w", &mode, &err) && mode == 0440);
    cr_expect(yaml_read_octal(text("0o1777"), "w", &mode, &err) && mode == 01777);
    cr_expect_not(yaml_read_octal(text("0999"), "w", &mode, &err));
    cr_expect_not(yaml_read_octal(text("-1"), "w", &mode, &err));
}

Test(yaml, says_what_it_expected_and_what_it_found) {
    const char *read = NULL;
    struct error err = {0};
    struct yaml *map = yaml_new(&arena, YAML_MAP, here);
    cr_expect_not(yaml_expect(map, YAML_LIST, "services.db.ports", &err));
    cr_expect_str_eq(err.message, "f:2:7: services.db.ports: expected a list, found a mapping");
    cr_expect_not(yaml_read_text(map, "w", &read, &err));
    cr_expect_str_eq(err.message, "f:2:7: w: expected a single value, found a mapping");
}
