#include "run/lease_file.h"

#include "base/file.h"
#include "base/memory.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define LEASE_FILE_LIMIT ((size_t)64 * 1024)
#define LEASE_SUFFIX ".json"

static bool is_name(const char *name) {
    const size_t length = strlen(name);
    return length >= 1 && length <= LEASE_NAME_LIMIT && name[0] != '-' && name[0] != '_' &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_") == length;
}

bool lease_paths_init(struct lease_paths *self, const char *state_folder, const char *name,
                      struct error *err) {
    if (!is_name(name))
        return error_set(err, ERROR_USAGE, 0,
                         "\"%.60s\" cannot be the name of a stack: 1 to %d of a-z, 0-9, - and _, "
                         "beginning with a letter or digit",
                         name, LEASE_NAME_LIMIT);
    autofree_string char *folder = path_join(state_folder, "stacks");
    if (!folder_make(folder, 0700, err))
        return false;
    *self = (struct lease_paths){
        .name = memory_copy_string(name),
        .file = memory_format("%s/%s" LEASE_SUFFIX, folder, name),
        .lock = memory_format("%s/%s.lock", folder, name),
        .keeper = memory_format("%s/%s.keeper", folder, name),
    };
    return true;
}

void lease_paths_done(struct lease_paths *self) {
    free(self->name);
    free(self->file);
    free(self->lock);
    free(self->keeper);
    *self = (struct lease_paths){0};
}

void lease_facts_done(struct lease_facts *self) {
    free(self->run_id);
    free(self->folder);
    free(self->engine_host);
    free(self->environment);
    free(self->project);
    *self = (struct lease_facts){0};
}

static char *copy_or_empty(const char *string) {
    return memory_copy_string(string != NULL ? string : "");
}

void lease_facts_copy(const struct lease_facts *self, struct lease_facts *ret_copy) {
    *ret_copy = (struct lease_facts){
        .run_id = copy_or_empty(self->run_id),
        .folder = copy_or_empty(self->folder),
        .engine_host = copy_or_empty(self->engine_host),
        .environment = copy_or_empty(self->environment),
        .project = copy_or_empty(self->project),
        .idle_ms = self->idle_ms,
        .expires_wall_ms = self->expires_wall_ms,
    };
}

bool lease_file_read(const struct lease_paths *paths, struct lease_facts *ret_facts,
                     struct error *err) {
    autofree_string char *bytes = NULL;
    size_t length = 0;
    if (!file_read(paths->file, LEASE_FILE_LIMIT, &bytes, &length, err))
        return false;
    json_t *json = json_loadb(bytes, length, 0, NULL);
    struct lease_facts read = {0};
    json_int_t idle_ms = 0;
    json_int_t expires_wall_ms = 0;
    char *run_id = NULL;
    char *folder = NULL;
    char *engine = NULL;
    char *environment = NULL;
    char *project = NULL;
    const bool unpacked =
        json_unpack(json, "{s:s, s:s, s:s, s:s, s:s, s:I, s:I}", "run", &run_id, "folder", &folder,
                    "engine", &engine, "environment", &environment, "project", &project, "idle_ms",
                    &idle_ms, "expires_wall_ms", &expires_wall_ms) == 0;
    if (unpacked) {
        read = (struct lease_facts){.run_id = run_id,
                                    .folder = folder,
                                    .engine_host = engine,
                                    .environment = environment,
                                    .project = project,
                                    .idle_ms = idle_ms,
                                    .expires_wall_ms = expires_wall_ms};
        lease_facts_copy(&read, ret_facts);
    }
    json_decref(json);
    return unpacked ||
           error_set(err, ERROR_PROTOCOL, 0,
                     "%s is not the lease of a stack: remove it, then assay clean", paths->file);
}

bool lease_file_write(const struct lease_paths *paths, const struct lease_facts *facts,
                      struct error *err) {
    json_t *json =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:I}", "run", facts->run_id, "folder",
                  facts->folder, "engine", facts->engine_host, "environment", facts->environment,
                  "project", facts->project, "idle_ms", (json_int_t)facts->idle_ms,
                  "expires_wall_ms", (json_int_t)facts->expires_wall_ms);
    autofree_string char *bytes = json != NULL ? json_dumps(json, JSON_INDENT(2)) : NULL;
    json_decref(json);
    if (bytes == NULL)
        return error_set(err, ERROR_CONFIGURATION, 0,
                         "a path or name of the stack \"%s\" is not UTF-8", paths->name);
    return file_write_atomic(paths->file, bytes, strlen(bytes), 0600, err);
}

bool lease_names(const char *state_folder, struct string_list *ret_names, struct error *err) {
    autofree_string char *folder = path_join(state_folder, "stacks");
    autodone(string_list) struct string_list files = {0};
    struct error problem = {0};
    if (!folder_list(folder, &files, &problem)) {
        if (err != NULL)
            *err = problem;
        return problem.code == ENOENT;
    }
    for (size_t i = 0; i < files.count; i++) {
        char *suffix = strrchr(files.items[i], '.');
        if (suffix == NULL || strcmp(suffix, LEASE_SUFFIX) != 0)
            continue;
        *suffix = '\0';
        if (is_name(files.items[i]))
            string_list_add(ret_names, files.items[i]);
    }
    return true;
}

// What is not ours in the folder, or was removed meanwhile, hides nothing.
static bool is_no_lease(const struct error *problem) {
    return problem->domain == ERROR_PROTOCOL || problem->code == ENOENT;
}

bool lease_file_each(const char *state_folder,
                     bool (*visit)(void *context, const struct lease_paths *paths,
                                   const struct lease_facts *facts),
                     void *context, struct error *err) {
    autodone(string_list) struct string_list names = {0};
    if (!lease_names(state_folder, &names, err))
        return false;
    bool wanted = true;
    bool all = true;
    for (size_t i = 0; wanted && i < names.count; i++) {
        autodone(lease_paths) struct lease_paths paths = {0};
        autodone(lease_facts) struct lease_facts facts = {0};
        struct error problem = {0};
        if (lease_paths_init(&paths, state_folder, names.items[i], &problem) &&
            lease_file_read(&paths, &facts, &problem)) {
            wanted = visit(context, &paths, &facts);
        } else if (!is_no_lease(&problem)) {
            all = false;
            if (err != NULL)
                *err = problem;
        }
    }
    return all;
}
