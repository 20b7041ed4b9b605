#include "compose/compose_form.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static void expect_path(const char *folder, const char *path, const char *expected) {
    char *got = compose_path(folder, path);
    cr_assert_str_eq(got, expected, "%s in %s: %s", path, folder, got);
    free(got);
}

Test(compose_form, resolves_paths_by_text) {
    expect_path("/srv/shop", "./conf", "/srv/shop/conf");
    expect_path("/srv/shop", "../x//y/.", "/srv/x/y");
    expect_path("/srv/shop", "../../../..", "/");
    expect_path("/srv/shop", "/a/./b/../c", "/a/c");
    expect_path("/srv/shop", ".hidden/..x", "/srv/shop/.hidden/..x");
    expect_path("/", "a", "/a");
}
