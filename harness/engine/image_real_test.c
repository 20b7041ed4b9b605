#include "engine/image.h"

#include "base/file.h"
#include "base/memory.h"
#include "engine/real_fixture.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

REAL_SUITE(image_real);

static bool is_there(const char *reference) {
    bool exists = false;
    must(image_exists(test.engine, reference, &exists, &test.err));
    return exists;
}

Test(image_real, imports_tags_commits_saves_and_loads_an_image) {
    autofree_string char *name = unique_name("image");
    autofree_string char *imported = memory_format("%s:imported", name);
    autofree_string char *tagged = memory_format("%s:tagged", name);
    autofree_string char *committed = memory_format("%s:committed", name);
    autofree_string char *saved = path_join(test.folder, "saved.tar");

    const struct archive_extra extra = {"etc/motto", "carry on", 8, 0644, NULL};
    const int fd = archive_of(&extra, 1);
    must(image_import(test.engine, fd, name, "imported", &test.err));
    close(fd);
    must(image_tag(test.engine, imported, name, "tagged", &test.err));
    cr_expect(is_there(tagged));

    json_t *body = json_pack("{s:s, s:[s], s:{s:s}}", "Image", tagged, "Cmd", "/x", "Labels",
                             "io.assay.test", "engine");
    char *id = NULL;
    must(container_create(test.engine, NULL, NULL, body, &id, &test.err));
    json_decref(body);
    const char *const changes[] = {"LABEL io.assay.note=kept", "ENV A=b", NULL};
    must(image_commit(test.engine, id, name, "committed", changes, &test.err));
    must(container_remove(test.engine, id, &test.err));
    free(id);

    const char *const references[] = {committed, imported, NULL};
    must(image_save(test.engine, references, saved, NULL, &test.err));
    must(image_remove(test.engine, committed, &test.err));
    must(image_remove(test.engine, tagged, &test.err));
    must(image_remove(test.engine, imported, &test.err));
    cr_expect(!is_there(committed));

    const int archive = open(saved, O_RDONLY | O_CLOEXEC);
    must(image_load(test.engine, archive, NULL, &test.err));
    close(archive);
    json_t *json = NULL;
    must(image_inspect(test.engine, committed, &json, &test.err));
    const json_t *labels = json_object_get(json_object_get(json, "Config"), "Labels");
    cr_expect_str_eq(json_string_value(json_object_get(labels, "io.assay.note")), "kept");
    json_decref(json);
    string_list_add(&test.images, committed);
    string_list_add(&test.images, imported);
}

Test(image_real, leaves_no_file_when_there_is_nothing_to_save) {
    autofree_string char *path = path_join(test.folder, "saved.tar");
    const char *const references[] = {"assay/no-such-image:none", NULL};
    cr_assert(!image_save(test.engine, references, path, NULL, &test.err));
    cr_expect_eq(test.err.domain, ERROR_ENGINE);
    cr_expect(rmdir(test.folder) == 0, "the folder is not empty");
}

Test(image_real, refuses_to_load_what_is_not_an_image_archive) {
    const struct archive_extra extra = {"letter", "dear engine", 11, 0644, NULL};
    const int fd = archive_of(&extra, 1);
    cr_assert(!image_load(test.engine, fd, NULL, &test.err));
    cr_expect_eq(test.err.domain, ERROR_ENGINE);
    cr_expect(strstr(test.err.message, "POST /images/load") != NULL);
    close(fd);
}

Test(image_real, says_that_an_image_cannot_be_pulled) {
    // Port 1 of this host: nothing listens there.
    cr_assert(!image_pull(test.engine, "127.0.0.1:1/nothing:here", NULL, NULL, &test.err));
    cr_expect_eq(test.err.domain, ERROR_UNAVAILABLE);
    cr_expect(strstr(test.err.message, "127.0.0.1:1/nothing:here") != NULL);
}

static void keep_line(void *context, const char *line, int64_t done_bytes, int64_t total_bytes) {
    (void)done_bytes, (void)total_bytes;
    text_appendf(context, "%s\n", line);
}

static int dockerfile_of(const char *instructions) {
    autofree_string char *content = memory_format("ARG BASE\nFROM $BASE\n%s\n", instructions);
    const struct archive_extra extra = {"Dockerfile", content, strlen(content), 0644, NULL};
    return archive_of(&extra, 1);
}

Test(image_real, builds_an_image_with_arguments_and_labels) {
    autofree_string char *tag = memory_format("assay-engine-test-build:%d", (int)getpid());
    autofree_string char *base = memory_format("BASE=%s", real_image());
    const char *const arguments[] = {base, "FRUIT=pear=tree", NULL};
    const char *const labels[] = {"io.assay.test=engine", NULL};
    struct text lines = {0};
    const struct image_progress progress = {keep_line, &lines};
    const int fd = dockerfile_of("ARG FRUIT\nRUN echo \"fruit is $FRUIT\"; echo $FRUIT > /fruit");
    const struct image_build build = {.context_fd = fd,
                                      .tag = tag,
                                      .build_arguments = arguments,
                                      .labels = labels,
                                      .network = "none"};
    must(image_build(test.engine, &build, &progress, &test.err));
    close(fd);
    string_list_add(&test.images, tag);
    cr_expect(is_there(tag));
    autofree_string char *filter = memory_format("reference=%s", tag);
    const char *const filters[] = {filter, "label=io.assay.test=engine", NULL};
    json_t *found = NULL;
    must(image_list(test.engine, filters, &found, &test.err));
    cr_expect_eq(json_array_size(found), 1);
    json_decref(found);
    cr_expect(strstr(text_string(&lines), "fruit is pear=tree\n") != NULL);
    text_done(&lines);
}

Test(image_real, names_the_step_of_a_build_that_fails_and_its_last_output) {
    autofree_string char *tag = memory_format("assay-engine-test-broken:%d", (int)getpid());
    autofree_string char *base = memory_format("BASE=%s", real_image());
    const char *const arguments[] = {base, NULL};
    const int fd = dockerfile_of("RUN echo about to fail; exit 9\nRUN echo never");
    const struct image_build build = {
        .context_fd = fd, .tag = tag, .build_arguments = arguments, .network = "none"};
    cr_assert(!image_build(test.engine, &build, NULL, &test.err));
    close(fd);
    cr_expect_eq(test.err.domain, ERROR_ENGINE);
    cr_expect(strstr(test.err.message, "Step 3/4") != NULL, "%s", test.err.message);
    cr_expect(strstr(test.err.message, "returned a non-zero code: 9") != NULL);
    cr_expect(strstr(test.err.message, "about to fail") != NULL);
    cr_expect(!is_there(tag));
}
