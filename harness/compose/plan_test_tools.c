#define _GNU_SOURCE
#include "compose/plan_test_tools.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct {
    char folder[64];
    struct plan *plan;
} site; // of this test, which is a process of its own

void plan_test_folder(void) {
    strncpy(site.folder, "/tmp/assay-plan-test-XXXXXX", sizeof site.folder - 1);
    cr_assert_not_null(mkdtemp(site.folder));
    cr_assert_eq(chdir(site.folder), 0);
    unsetenv("COMPOSE_PROFILES");
    unsetenv("COMPOSE_PROJECT_NAME");
}

void plan_test_leave(void) {
    plan_free(site.plan);
    site.plan = NULL;
    if (chdir("/") == 0 && site.folder[0] != '\0')
        (void)!file_remove_tree(site.folder, NULL);
}

void plan_test_write(const char *path, const char *content) {
    struct error err = {0};
    autofree_string char *folder = memory_copy_string(path);
    char *slash = strrchr(folder, '/');
    if (slash != NULL) {
        *slash = '\0';
        cr_assert(folder_make(folder, 0755, &err), "%s", err.message);
    }
    cr_assert(file_write_atomic(path, content, strlen(content), 0644, &err), "%s", err.message);
}

static bool load(const char *const *files, const char *const *profiles, struct error *err) {
    const struct plan_options options = {.files = files, .profiles = profiles};
    plan_free(site.plan);
    site.plan = NULL;
    return plan_load(&options, &site.plan, err);
}

struct plan *plan_test_load_files(const char *const *files, const char *const *profiles) {
    struct error err = {0};
    cr_assert(load(files, profiles, &err), "%s", err.message);
    return site.plan;
}

struct plan *plan_test_load(const char *compose) {
    struct error err = {0};
    plan_test_write("compose.yaml", compose);
    cr_assert(load(NULL, NULL, &err), "%s\nin\n%s", err.message, compose);
    return site.plan;
}

void expect_error(const char *compose, const char *message) {
    struct error err = {0};
    plan_test_write("compose.yaml", compose);
    cr_assert_not(load(NULL, NULL, &err), "expected the error\n%s\nfrom\n%s", message, compose);
    cr_expect_eq(err.domain, ERROR_CONFIGURATION);
    cr_assert_str_eq(err.message, message, "got  %s\nnot  %s\nfrom\n%s", err.message, message,
                     compose);
}

static char *all_warnings(const struct plan *plan) {
    struct text text = {0};
    for (size_t i = 0; i < plan->warnings.count; i++)
        text_appendf(&text, "  %s\n", plan->warnings.items[i]);
    return text_take(&text);
}

void expect_warning(const char *compose, const char *warning) {
    const struct plan *plan = plan_test_load(compose);
    autofree_string char *got = all_warnings(plan);
    cr_assert(string_list_contains(&plan->warnings, warning), "got\n%snot\n  %s\nfrom\n%s", got,
              warning, compose);
}

void expect_no_warning(const char *compose) {
    const struct plan *plan = plan_test_load(compose);
    autofree_string char *got = all_warnings(plan);
    cr_assert_eq(plan->warnings.count, 0, "got\n%sfrom\n%s", got, compose);
}

static void expect_fields(const json_t *object, const char *json, const char *compose) {
    json_error_t json_error;
    json_t *expected = json_loads(json, 0, &json_error);
    cr_assert_not_null(expected, "%s in %s", json_error.text, json);
    autofree_string char *whole = json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS);
    const char *key = NULL;
    json_t *value = NULL;
    json_object_foreach (expected, key, value) {
        json_t *got = json_object_get(object, key);
        const bool same = json_is_null(value) ? got == NULL : json_equal(got, value);
        cr_assert(same, "%s: got %s\nnot %s\nfrom\n%s", key, whole, json, compose);
    }
    json_decref(expected);
}

void expect_config(const char *compose, const char *json) {
    expect_fields(plan_test_load(compose)->services[0].config, json, compose);
}

void expect_host(const char *compose, const char *json) {
    expect_fields(plan_test_load(compose)->services[0].host_config, json, compose);
}

static void describe_mount(const struct plan_mount *mount, struct text *text) {
    static const char *const types[] = {"volume", "bind", "tmpfs", "secret", "config"};
    const char *source = mount->source != NULL ? mount->source : "";
    const size_t length = strlen(site.folder);
    if (strncmp(source, site.folder, length) == 0)
        source += length; // "/conf" stands for the test's folder
    text_appendf(text, "%s %s -> %s", types[mount->type], source, mount->target);
    if (mount->read_only)
        text_append(text, " ro");
    if (mount->mode != 0)
        text_appendf(text, " %04o", (unsigned)mount->mode);
    if (mount->owner != 0 || mount->group != 0)
        text_appendf(text, " %u:%u", (unsigned)mount->owner, (unsigned)mount->group);
    if (mount->size_bytes != 0)
        text_appendf(text, " size=%lld", (long long)mount->size_bytes);
    text_append(text, "\n");
}

void expect_mounts(const char *compose, const char *lines) {
    const struct plan_service *service = &plan_test_load(compose)->services[0];
    struct text text = {0};
    for (size_t i = 0; i < service->mount_count; i++)
        describe_mount(&service->mounts[i], &text);
    cr_assert_str_eq(text_string(&text), lines, "got\n%snot\n%sfrom\n%s", text_string(&text), lines,
                     compose);
    text_done(&text);
}
