#define _GNU_SOURCE
#include "run/run.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "process/owner.h"
#include "run/lease.h"
#include "run/private_engine.h"
#include "run/run_cleanup.h"
#include "run/run_folder.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define RUN_ID_LENGTH 10
#define SWEEP_DEADLINE_MS 60000

struct run {
    char id[RUN_ID_LENGTH + 1];
    char owner[OWNER_TEXT_SIZE];
    char *folder;
    char *state; // state_folder(), which may depend on where we stand: the guardian stands in "/"
    int64_t lease_until_s; // 0: none
    const struct cancel *cancel;
    struct guardian *guardian; // NULL: adopted
    bool kept;                 // by its guardian, after we have gone
};

static void make_id(char id[RUN_ID_LENGTH + 1]) {
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    for (size_t i = 0; i < RUN_ID_LENGTH; i++)
        id[i] = letters[randombytes_uniform(sizeof letters - 1)];
    id[RUN_ID_LENGTH] = '\0';
}

// ---- in the guardian's process

static void read_told(const struct string_list *told, struct string_list *ret_hosts,
                      const char **ret_lease_name) {
    for (size_t i = 0; i < told->count; i++) {
        const char *line = told->items[i];
        if (strncmp(line, "engine ", 7) == 0)
            string_list_add(ret_hosts, line + 7);
        else if (strncmp(line, "lease ", 6) == 0)
            *ret_lease_name = line + 6;
    }
}

// The run has gone. A stack that is kept stays until its lease ends; this process is its keeper.
static bool sweep_after(void *context, const struct string_list *told, struct error *err) {
    const struct run *self = context;
    autodone(string_list) struct string_list hosts = {0};
    const char *lease_name = NULL;
    read_told(told, &hosts, &lease_name);
    autofree(lease) struct lease *ended = NULL;
    if (lease_name != NULL && !lease_keep(self->state, lease_name, self->id, &ended))
        return true;
    return run_cleanup(self->state, self->id, &hosts, err);
}

// ---- in the run's

static bool start_guardian(struct run *self, struct error *err) {
    autofree_string char *log = memory_format("%s/guardian.log", self->state);
    const struct guardian_options options = {
        .hides = RUN_RESULTS_VARIABLE, .sweep = sweep_after, .context = self, .log_path = log};
    return guardian_start(&options, &self->guardian, err) ||
           error_prefix(err, "nothing was started, for nothing would remove it");
}

static char *lease_text(const struct run *self) {
    return memory_format("%lld", (long long)self->lease_until_s);
}

// For those who sweep with their state elsewhere and so cannot see the lease itself.
static bool note_lease(const struct run *self, struct error *err) {
    if (self->lease_until_s == 0)
        return true;
    autofree_string char *path = path_join(self->folder, RUN_FOLDER_LEASE);
    autofree_string char *until = lease_text(self);
    if (file_write_atomic(path, until, strlen(until), 0600, err))
        return true;
    (void)!run_folder_remove(self->id, NULL, NULL);
    return false;
}

bool run_open(const struct run_options *options, struct run **ret_run, struct error *err) {
    struct owner owner;
    if (!owner_self(&owner, err))
        return false;
    struct run *self = memory_new(1, sizeof *self);
    self->cancel = options->cancel;
    if (options->lease_ms > 0)
        self->lease_until_s = (clock_wall_ms() + options->lease_ms) / 1000;
    self->state = state_folder();
    make_id(self->id);
    owner_format(&owner, self->owner);
    // The guardian first: were we killed in between, nobody else would remove the folder.
    if (start_guardian(self, err) && run_folder_make(self->id, self->owner, &self->folder, err) &&
        note_lease(self, err)) {
        *ret_run = self;
        return true;
    }
    guardian_dismiss(self->guardian);
    free(self->folder);
    free(self->state);
    free(self);
    return false;
}

bool run_adopt(const char *id, const char *folder, const char *owner, struct run **ret_run,
               struct error *err) {
    struct owner parsed;
    if (strlen(id) != RUN_ID_LENGTH || strlen(owner) >= OWNER_TEXT_SIZE ||
        !owner_parse(owner, &parsed, err))
        return error_set(err, ERROR_CONFIGURATION, 0,
                         "\"%.40s\" of \"%.140s\" is not a run of assay", id, owner);
    struct run *self = memory_new(1, sizeof *self);
    memcpy(self->id, id, RUN_ID_LENGTH);
    memcpy(self->owner, owner, strlen(owner));
    self->folder = memory_copy_string(folder);
    *ret_run = self;
    return true;
}

void run_close(struct run *self, bool removed) {
    if (self == NULL)
        return;
    if (self->kept) {
        guardian_sweep_now(self->guardian, 0); // it keeps the stack until the lease ends
    } else if (self->guardian != NULL && removed && run_folder_remove(self->id, NULL, NULL)) {
        guardian_dismiss(self->guardian);
    } else if (self->guardian != NULL) {
        guardian_sweep_now(self->guardian, SWEEP_DEADLINE_MS);
    }
    free(self->folder);
    free(self->state);
    free(self);
}

const char *run_id(const struct run *self) {
    return self->id;
}

const char *run_folder(const struct run *self) {
    return self->folder;
}

const char *run_owner(const struct run *self) {
    return self->owner;
}

const struct cancel *run_cancel(const struct run *self) {
    return self->cancel;
}

bool run_guarded(const struct run *self, struct error *err) {
    if (self->guardian == NULL || guardian_alive(self->guardian))
        return true;
    return error_set(err, ERROR_UNAVAILABLE, 0,
                     "the guardian of this run was killed: nothing more is started, for nothing "
                     "would remove it");
}

pid_t run_guardian(const struct run *self) {
    return self->guardian != NULL ? guardian_pid(self->guardian) : 0;
}

bool run_uses_engine(struct run *self, const char *engine_host, struct error *err) {
    if (self->guardian == NULL)
        return true; // the runner has told its own
    autofree_string char *line = memory_format("engine %s", engine_host);
    return guardian_tell(self->guardian, line, err);
}

bool run_keep(struct run *self, const char *lease_name, struct error *err) {
    check(self->guardian != NULL);
    autofree_string char *line = memory_format("lease %s", lease_name);
    self->kept = guardian_tell(self->guardian, line, err);
    return self->kept;
}

json_t *run_labels(const struct run *self, const char *role) {
    json_t *labels = json_pack("{s:s, s:s, s:s}", "io.assay.run", self->id, "io.assay.owner",
                               self->owner, "io.assay.role", role);
    check(labels != NULL);
    if (self->lease_until_s > 0) {
        autofree_string char *until = lease_text(self);
        json_object_set_new(labels, "io.assay.lease", json_string(until));
    }
    return labels;
}
