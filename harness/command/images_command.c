// assay images: list, build, save, load.
#define _GNU_SOURCE
#include "command/command.h"

#include "base/memory.h"
#include "command/session.h"
#include "image/image_archive.h"

#include <stdio.h>
#include <string.h>

static const char HELP[] =
    "usage: assay images [list]       our images in the engine, with their sizes\n"
    "       assay images build        have every image of the full devstack ready\n"
    "       assay images save DIR     write them to DIR, for a machine without registries\n"
    "       assay images load DIR     load every image archive in DIR\n"
    "\n"
    "examples:\n"
    "  assay images build && assay images save /media/stick/images\n"
    "  assay images load /media/stick/images\n"
    "\n"
    "exit status: 0 done, 2 usage, 3 the engine or the folder did not do it, 4 an image cannot\n"
    "be had\n";

static const char *const FULL[] = {"full", NULL};

static bool is_ours(const char *tag) {
    return strncmp(tag, "assay/", strlen("assay/")) == 0;
}

// Calls visit for each tag of ours in the engine.
static bool each_of_ours(struct engine *engine,
                         void (*visit)(void *context, const char *tag, json_int_t size_bytes),
                         void *context, struct error *err) {
    json_t *images = NULL;
    if (!image_list(engine, NULL, &images, err))
        return false;
    size_t index = 0;
    json_t *image = NULL;
    json_array_foreach (images, index, image) {
        const json_int_t size_bytes = json_integer_value(json_object_get(image, "Size"));
        size_t number = 0;
        json_t *tag = NULL;
        json_array_foreach (json_object_get(image, "RepoTags"), number, tag)
            if (json_is_string(tag) && is_ours(json_string_value(tag)))
                visit(context, json_string_value(tag), size_bytes);
    }
    json_decref(images);
    return true;
}

static void print_image(void *context, const char *tag, json_int_t size_bytes) {
    size_t *count = context;
    (*count)++;
    printf("%-48s %6.0f MB\n", tag, (double)size_bytes / 1e6);
}

static void collect_image(void *context, const char *tag, json_int_t size_bytes) {
    (void)size_bytes;
    string_list_add(context, tag);
}

// Needs an engine, and nothing else of a session.
static int list(void) {
    struct session session = {0};
    struct error problem = {0};
    size_t count = 0;
    const bool listed = cancel_init(&session.cancel, &problem) &&
                        session_find_engine(&session, &problem) &&
                        each_of_ours(session.engine, print_image, &count, &problem);
    session_close(&session);
    if (!listed)
        return report_error(&problem);
    if (count == 0)
        puts("no image of ours is in the engine; `assay images build` makes them");
    return EXIT_PASSED;
}

static void show_bytes(void *context, const char *line, int64_t done_bytes, int64_t total_bytes) {
    (void)total_bytes;
    struct session *session = context;
    char detail[64];
    snprintf(detail, sizeof detail, "%lld MB", (long long)(done_bytes / 1000000));
    if (session->live != NULL)
        live_set(session->live, "images", line, LIVE_WORKING, "copying", detail);
}

static int save(struct session *session, const char *folder, struct error *err) {
    autodone(string_list) struct string_list tags = {0};
    const struct image_progress progress = {.report = show_bytes, .context = session};
    if (!each_of_ours(session->engine, collect_image, &tags, err))
        return report_error(err);
    if (tags.count == 0) {
        error_set(err, ERROR_UNAVAILABLE, 0,
                  "there is no image to save: `assay images build` first");
        return report_error(err);
    }
    const bool ok = image_archive_save(session->engine, (const char *const *)tags.items, folder,
                                       &progress, &session->cancel, err);
    live_close(TAKE(session->live));
    if (!ok)
        return report_error(err);
    printf("saved %zu images to %s\n", tags.count, folder);
    return EXIT_PASSED;
}

static int load(struct session *session, const char *folder, struct error *err) {
    autodone(string_list) struct string_list tags = {0};
    const struct image_progress progress = {.report = show_bytes, .context = session};
    const bool ok =
        image_archive_load_all(session->engine, folder, &progress, &session->cancel, &tags, err);
    live_close(TAKE(session->live));
    if (!ok)
        return report_error(err);
    for (size_t i = 0; i < tags.count; i++)
        printf("loaded %s\n", tags.items[i]);
    return tags.count > 0 ? EXIT_PASSED : EXIT_NOT_VERIFIED;
}

static int build(struct session *session, struct error *err) {
    if (!session_make_images(session, err))
        return report_error(err);
    live_close(TAKE(session->live));
    int status = EXIT_PASSED;
    for (size_t i = 0; i < session->images.count; i++) {
        const struct image_choice *image = &session->images.items[i];
        const bool here = image->origin != IMAGE_NOWHERE;
        printf("%-18s %s\n", image->service, here ? image->ran : image->why);
        if (!here)
            status = EXIT_NOT_VERIFIED;
    }
    return status;
}

int command_images(int argc, char **argv) {
    const char *verb = argc > 1 ? argv[1] : "list";
    const bool takes_folder = strcmp(verb, "save") == 0 || strcmp(verb, "load") == 0;
    if (strcmp(verb, "--help") == 0) {
        fputs(HELP, stdout);
        return EXIT_PASSED;
    }
    if (!takes_folder && strcmp(verb, "list") != 0 && strcmp(verb, "build") != 0)
        return usage_error("images", "there is no `images %s`", verb);
    if (argc != (takes_folder ? 3 : argc > 1 ? 2 : 1))
        return usage_error("images", takes_folder ? "%s takes a folder" : "%s takes no argument",
                           verb);
    if (strcmp(verb, "list") == 0 || argc == 1)
        return list();
    const struct session_options options = {.profiles = FULL};
    struct session session;
    struct error problem = {0};
    int status = EXIT_PASSED;
    if (!session_open(&session, &options, "assay images", &problem))
        status = report_error(&problem);
    else if (strcmp(verb, "build") == 0)
        status = build(&session, &problem);
    else
        status = strcmp(verb, "save") == 0 ? save(&session, argv[2], &problem)
                                           : load(&session, argv[2], &problem);
    session_close(&session);
    return status;
}
