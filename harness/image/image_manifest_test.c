#define _GNU_SOURCE
#include "image/image_manifest.h"

#include "base/file.h"
#include "image/image_test_archive.h"
#include "image/image_test_ground.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

TestSuite(image_manifest, .init = ground_set_up, .fini = ground_tear_down);

#define TWO_IMAGES                                                                     \
    "[{\"Config\":\"a.json\",\"RepoTags\":[\"mongo:7.0\",\"mongo:7\"],\"Layers\":[]}," \
    "{\"Config\":\"b.json\",\"RepoTags\":null,\"Layers\":[]}]"

Test(image_manifest, names_every_tag_of_every_image) {
    char *path = test_archive("two.tar", TWO_IMAGES, false);
    struct string_list tags = {0};
    struct error err = {0};
    cr_assert(image_manifest_read(path, &tags, &err), "%s", err.message);
    cr_assert_eq(tags.count, 2);
    cr_expect_str_eq(tags.items[0], "mongo:7.0");
    cr_expect_str_eq(tags.items[1], "mongo:7");
}

Test(image_manifest, is_read_from_a_compressed_archive) {
    char *path = test_archive("two.tar.gz", TWO_IMAGES, true);
    struct string_list tags = {0};
    cr_assert(image_manifest_read(path, &tags, NULL));
    cr_expect_eq(tags.count, 2);
}

static void assert_refused(const char *path, const char *part) {
    struct string_list tags = {0};
    struct error err = {0};
    cr_expect_not(image_manifest_read(path, &tags, &err), "%s was taken", path);
    cr_expect_eq(err.domain, ERROR_PROTOCOL);
    cr_expect_not_null(strstr(err.message, part), "%s", err.message);
    cr_expect_not_null(strstr(err.message, path), "%s", err.message);
}

Test(image_manifest, refuses_a_truncated_archive) {
    char *path = test_archive("cut.tar", TWO_IMAGES, false);
    cr_assert(truncate(path, 700) == 0); // within the first file
    assert_refused(path, "not a whole image archive");
}

Test(image_manifest, refuses_garbage_and_an_archive_of_something_else) {
    assert_refused(ground_file("garbage.tar", "this is no archive at all", 0644), "archive");
    assert_refused(ground_file("empty.tar", "", 0644), "archive");
    assert_refused(test_archive("other.tar", NULL, false), "no manifest.json");
}

Test(image_manifest, refuses_a_manifest_that_is_not_one) {
    assert_refused(test_archive("bad.tar", "[{", false), "not JSON");
    assert_refused(test_archive("odd.tar", "{\"RepoTags\":[]}", false), "not a list");
}
