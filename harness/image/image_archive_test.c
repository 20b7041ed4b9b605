#include "image/image_archive.h"

#include "image/image_test_archive.h"
#include "image/image_test_ground.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

TestSuite(image_archive, .init = ground_set_up, .fini = ground_tear_down);

static struct image_archive *open_ground(void) {
    char *state = ground_path("x");
    *strrchr(state, '/') = '\0';
    struct image_archive *archive = NULL;
    struct error err = {0};
    cr_assert(image_archive_open(state, &archive, &err), "%s", err.message);
    return archive;
}

Test(image_archive, finds_an_image_however_its_name_is_spelled) {
    char *path =
        test_archive("podman.tar", "[{\"RepoTags\":[\"docker.io/library/mongo:7.0\"]}]", false);
    struct image_archive *archive = open_ground();
    const char *found = image_archive_find(archive, "mongo:7.0");
    cr_assert_not_null(found);
    cr_expect_str_eq(found, path);
    cr_expect_null(image_archive_find(archive, "mongo:7"));
    image_archive_free(archive);
}

Test(image_archive, takes_the_others_when_one_file_is_broken_and_names_that_one) {
    free(ground_file("broken.tar", "no", 0644));
    free(ground_file("notes.txt", "not looked at", 0644));
    free(test_archive("good.tgz", "[{\"RepoTags\":[\"mongo:7.0\"]}]", true));
    struct image_archive *archive = open_ground();
    cr_expect_not_null(image_archive_find(archive, "mongo:7.0"));
    const struct string_list *problems = image_archive_problems(archive);
    cr_assert_eq(problems->count, 1);
    cr_expect_not_null(strstr(problems->items[0], "broken.tar"));
    image_archive_free(archive);
}

Test(image_archive, takes_the_first_by_name_when_two_have_an_image) {
    free(test_archive("b.tar", "[{\"RepoTags\":[\"mongo:7.0\"]}]", false));
    char *first = test_archive("a.tar", "[{\"RepoTags\":[\"mongo:7.0\"]}]", false);
    struct image_archive *archive = open_ground();
    cr_expect_str_eq(image_archive_find(archive, "mongo:7.0"), first);
    image_archive_free(archive);
}

Test(image_archive, says_which_folder_it_cannot_open) {
    struct image_archive *archive = NULL;
    struct error err = {0};
    char *missing = ground_path("missing");
    cr_expect_not(image_archive_open(missing, &archive, &err));
    cr_expect_not_null(strstr(err.message, missing));
}

Test(image_archive, says_that_a_folder_to_load_has_nothing_in_it) {
    struct string_list loaded = {0};
    struct error err = {0};
    char *empty = ground_path("state/..");
    free(ground_file("state/file", "", 0644));
    cr_expect_not(image_archive_load_all(NULL, empty, NULL, NULL, &loaded, &err));
    cr_expect_eq(err.domain, ERROR_CONFIGURATION);
    cr_expect_not_null(strstr(err.message, "holds no image archive"), "%s", err.message);
}
