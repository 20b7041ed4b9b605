#define _GNU_SOURCE
#include "image/image_test_engine.h"

#include "base/file.h"
#include "base/memory.h"
#include "engine/container.h"
#include "engine/image.h"
#include "image/base_image.h"
#include "image/image_test_ground.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FORGET_LIMIT ((size_t)64 * 1024)

struct engine *test_engine(void) {
    struct engine *engine = NULL;
    struct error err = {0};
    const struct engine_options options = {.host = getenv("DOCKER_HOST")};
    cr_assert(engine_open(&options, &engine, &err), "%s", err.message);
    return engine;
}

void test_engine_set_up(void) {
    if (getenv("DOCKER_HOST") == NULL)
        cr_skip_test("no engine: set DOCKER_HOST");
    ground_set_up();
    free(ground_file("forget", "", 0600));
    struct engine *engine = test_engine();
    bool present = false;
    cr_assert(image_exists(engine, "assay/base:dev", &present, NULL));
    engine_close(engine);
    if (!present) {
        ground_tear_down(); // .fini is not run after a skip
        cr_skip_test("no image assay/base:dev in the engine");
    }
}

const char *test_engine_label(void) {
    char *folder = ground_path("x");
    *strrchr(folder, '/') = '\0';
    return memory_format("io.assay.test=%s", folder);
}

// A file, because the body of a test and its .fini share nothing else.
void test_engine_forget(const char *reference) {
    char *path = ground_path("forget");
    FILE *list = fopen(path, "ae");
    cr_assert_not_null(list);
    fprintf(list, "%s\n", reference);
    fclose(list);
    free(path);
}

static void remove_containers(struct engine *engine) {
    char *filter = memory_format("label=%s", test_engine_label());
    const char *const filters[] = {filter, NULL};
    json_t *containers = NULL;
    cr_expect(container_list(engine, filters, &containers, NULL));
    size_t i;
    const json_t *container;
    json_array_foreach (containers, i, container) {
        const char *id = json_string_value(json_object_get(container, "Id"));
        cr_expect(container_remove(engine, id, NULL));
    }
    json_decref(containers);
    free(filter);
}

void test_engine_tear_down(void) {
    struct engine *engine = test_engine();
    remove_containers(engine);
    char *list = NULL;
    char *path = ground_path("forget");
    cr_expect(file_read(path, FORGET_LIMIT, &list, NULL, NULL));
    char *rest = list;
    for (char *line; rest != NULL && (line = strsep(&rest, "\n")) != NULL;)
        if (line[0] != '\0' && !image_remove(engine, line, NULL))
            continue; // gone already
    free(list);
    free(path);
    engine_close(engine);
    ground_tear_down();
}

char *test_engine_recipes(void) {
    char *recipes = ground_recipes(test_engine_label());
    char *base = NULL;
    struct engine *engine = test_engine();
    cr_assert(base_image_tag(recipes, &base, NULL));
    cr_assert(image_tag(engine, "assay/base:dev", "assay/base", strchr(base, ':') + 1, NULL));
    test_engine_forget(base);
    engine_close(engine);
    free(base);
    return recipes;
}

struct plan test_plan(struct plan_service *services, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (services[i].name == NULL)
            services[i].name = memory_format("service-%zu", i);
    return (struct plan){.name = memory_copy_string("image-test"),
                         .folder = ground_path("x"),
                         .services = services,
                         .service_count = count};
}

void test_progress(void *context, const char *image, const char *state, const char *detail) {
    (void)image;
    struct test_progress *seen = context;
    seen->building += strcmp(state, "building") == 0 && detail == NULL;
    seen->present += strcmp(state, "present") == 0;
    seen->waiting += strcmp(state, "waiting") == 0;
}
