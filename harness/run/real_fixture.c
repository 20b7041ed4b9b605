#define _GNU_SOURCE
#include "run/real_fixture.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "engine/container.h"
#include "engine/image.h"
#include "engine/network.h"
#include "run/engine_remains.h"

#include <criterion/criterion.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SCRATCH "assay-test/scratch"

void real_fixture_init(struct real_fixture *self) {
    struct error err = {0};
    if (!engine_daemon_possible(&err))
        cr_skip_test("%s", err.message);
    snprintf(self->state, sizeof self->state, "/tmp/assay-state-XXXXXX");
    cr_assert_not_null(mkdtemp(self->state));
    setenv("ASSAY_STATE", self->state, 1);
    cr_assert(engine_place_init(&self->place, self->state, &err), "%s", err.message);
}

static void import_scratch(struct real_fixture *self) {
    struct error err = {0};
    char folder[] = "/tmp/assay-scratch-XXXXXX";
    cr_assert_not_null(mkdtemp(folder));
    int tar = -1;
    const bool archived = archive_folder(folder, NULL, 0, &tar, &err);
    rmdir(folder);
    cr_assert(archived, "%s", err.message);
    const bool imported = image_import(self->engine, tar, SCRATCH, "1", &err);
    close(tar);
    cr_assert(imported, "%s", err.message);
}

void real_fixture_open(struct real_fixture *self) {
    struct error err = {0};
    cr_assert(private_engine_open(self->state, NULL, &self->held, &err), "%s", err.message);
    const struct engine_options options = {.host = private_engine_host(self->held)};
    cr_assert(engine_open(&options, &self->engine, &err), "%s", err.message);
    import_scratch(self);
}

void real_fixture_done(struct real_fixture *self) {
    if (self->state[0] == '\0')
        return; // skipped
    struct error err = {0};
    engine_close(self->engine);
    private_engine_close(self->held);
    cr_expect(engine_daemon_stop(&self->place, &err), "%s", err.message);
    cr_expect(file_remove_tree(self->state, &err), "%s", err.message);
    engine_place_done(&self->place);
    string_list_done(&self->ids);
}

const char *real_fixture_container(struct real_fixture *self, json_t *labels, const char *network) {
    struct error err = {0};
    json_t *body = json_pack("{s:s, s:[s, s], s:O, s:{s:[s, s, s, s], s:s}}", "Image", SCRATCH ":1",
                             "Cmd", "/bin/sleep", "600", "Labels", labels, "HostConfig", "Binds",
                             "/usr:/usr:ro", "/bin:/bin:ro", "/lib:/lib:ro", "/lib64:/lib64:ro",
                             "NetworkMode", network != NULL ? network : "none");
    cr_assert_not_null(body);
    char *id = NULL;
    const bool created = container_create(self->engine, NULL, NULL, body, &id, &err);
    json_decref(body);
    cr_assert(created, "%s", err.message);
    cr_assert(container_start(self->engine, id, &err), "%s", err.message);
    string_list_take(&self->ids, id);
    return id;
}

const char *real_fixture_network(struct real_fixture *self, const char *name, json_t *labels) {
    struct error err = {0};
    json_t *body = json_pack("{s:s, s:O}", "Name", name, "Labels", labels);
    char *id = NULL;
    const bool created = network_create(self->engine, body, &id, &err);
    json_decref(body);
    cr_assert(created, "%s", err.message);
    string_list_take(&self->ids, id);
    return id;
}

void real_fixture_volume(struct real_fixture *self, const char *name, json_t *labels) {
    struct error err = {0};
    json_t *body = json_pack("{s:s, s:O}", "Name", name, "Labels", labels);
    const bool created = volume_create(self->engine, body, &err);
    json_decref(body);
    cr_assert(created, "%s", err.message);
}

static void note_paths(struct text *text, const char *pattern) {
    glob_t found = {0};
    if (glob(pattern, 0, NULL, &found) == 0)
        for (size_t i = 0; i < found.gl_pathc; i++)
            text_appendf(text, "%s\n", found.gl_pathv[i]);
    globfree(&found);
}

pid_t real_fixture_process(const struct real_fixture *self, enum engine_process sort) {
    struct error problem = {0};
    pid_t found = 0;
    cr_assert(engine_process_find(&self->place, sort, &found, &problem), "%s", problem.message);
    return found;
}

char *real_fixture_leftovers(const struct real_fixture *self) {
    struct text text = {0};
    for (enum engine_process sort = ENGINE_PROCESS_DAEMON; sort <= ENGINE_PROCESS_CONTAINED; sort++)
        if (real_fixture_process(self, sort) != 0)
            text_appendf(&text, "a process of sort %d\n", (int)sort);
    autofree_string char *flat = memory_format("/sys/fs/cgroup/%s", self->place.cgroup);
    autofree_string char *deep = memory_format("/sys/fs/cgroup/*/%s", self->place.cgroup);
    note_paths(&text, flat);
    note_paths(&text, deep);
    note_paths(&text, self->place.exec_root);
    note_paths(&text, self->place.socket);
    note_paths(&text, self->place.pid_file);
    autofree_string char *mounts = NULL;
    if (file_read("/proc/self/mountinfo", 1 << 24, &mounts, NULL, NULL) &&
        strstr(mounts, self->state) != NULL)
        text_append(&text, "a mount\n");
    return text.length > 0 ? text_take(&text) : memory_copy_string("");
}
