#define _GNU_SOURCE
#include "verify/backup/latest.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/memory.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char root[64];
static struct error problem;
static struct backup_choice choice;

static void make_root(void) {
    snprintf(root, sizeof root, "/tmp/assay-latest-XXXXXX");
    cr_assert_not_null(mkdtemp(root));
}

static void remove_root(void) {
    free(choice.path);
    cr_expect(file_remove_tree(root, NULL));
}

TestSuite(latest, .init = make_root, .fini = remove_root);

static void add_folder(const char *name) {
    autofree_string char *path = path_join(root, name);
    cr_assert(folder_make(path, 0755, &problem), "%s", problem.message);
}

static void expect_chosen(const char *which, const char *name) {
    autofree_string char *path = path_join(root, name);
    cr_assert(backup_choose(root, which, &choice, &problem), "%s", problem.message);
    cr_expect_str_eq(choice.path, path);
}

Test(latest, is_the_newest_by_the_date_in_its_name_not_by_the_alphabet) {
    add_folder("a-2026-11-21");
    add_folder("z-2026-11-20");
    add_folder("notes");
    expect_chosen("latest", "a-2026-11-21");
    cr_expect_eq(choice.taken_wall_ms, INT64_C(1795219200000)); // date -d 2026-11-21Z +%s
}

Test(latest, counts_the_time_of_the_day) {
    add_folder("20261121-030000");
    add_folder("20261121-020000");
    expect_chosen("latest", "20261121-030000");
}

Test(latest, passes_over_links_and_hidden_names) {
    add_folder("20261120-030000");
    add_folder(".20261122-030000");
    autofree_string char *link = path_join(root, "20261123-030000");
    cr_assert_eq(symlink("/nonexistent", link), 0);
    expect_chosen("latest", "20261120-030000");
}

Test(latest, without_any_date_is_a_mistake_that_says_what_to_do) {
    add_folder("notes");
    cr_expect_not(backup_choose(root, "latest", &choice, &problem));
    cr_expect_eq(problem.domain, ERROR_CONFIGURATION);
    cr_expect_not_null(strstr(problem.message, "name the backup itself"), "%s", problem.message);
}

Test(latest, a_root_that_is_not_there_is_a_mistake_of_the_user) {
    cr_expect_not(backup_choose("/nonexistent", "latest", &choice, &problem));
    cr_expect_eq(problem.domain, ERROR_CONFIGURATION);
}

Test(latest, a_name_below_the_root_is_enough) {
    add_folder("mine");
    expect_chosen("mine", "mine");
    cr_expect_eq(choice.taken_wall_ms, -1);
}

Test(latest, a_path_anywhere_else_is_taken_as_it_is) {
    cr_assert(backup_choose("/nonexistent", root, &choice, &problem), "%s", problem.message);
    cr_expect_str_eq(choice.path, root);
}

Test(latest, what_is_nowhere_is_said_with_both_places) {
    cr_expect_not(backup_choose(root, "gone", &choice, &problem));
    cr_expect_not_null(strstr(problem.message, root), "%s", problem.message);
    cr_expect_not_null(strstr(problem.message, "gone"), "%s", problem.message);
}
