#include "run/sweep.h"

#include "base/clock.h"
#include "base/eventually.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/string_list.h"
#include "engine/container.h"
#include "engine/network.h"
#include "process/owner.h"
#include "run/lease.h"
#include "run/private_engine.h"
#include "run/run_folder.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define SWEEP_DEADLINE_MS 30000
#define SWEEP_DEAD_DEADLINE_MS 10000 // a run that begins waits for it
#define REMOVERS_MAX 16
#define GROWING_AGE_S 60 // a folder that has had no owner for so long is nobody's

// The three sorts of things, in the order in which they must go.
static const struct {
    const char *id_key;
    bool (*list)(struct engine *engine, const char *const *filters, json_t **ret_array,
                 struct error *err);
    bool (*remove)(struct engine *engine, const char *id, struct error *err);
    size_t count_offset;
} sorts[] = {
    {"Id", container_list, container_remove, offsetof(struct sweep_count, containers)},
    {"Id", network_list, network_remove, offsetof(struct sweep_count, networks)},
    {"Name", volume_list, volume_remove, offsetof(struct sweep_count, volumes)},
};
#define SORT_COUNT (sizeof sorts / sizeof sorts[0])

static int *count_of(struct sweep_count *count, size_t sort) {
    return (int *)(void *)((char *)count + sorts[sort].count_offset);
}

// ---- removing many at once

struct removal {
    struct engine *engine;
    size_t sort;
    const struct string_list *ids;
    atomic_size_t next;
    atomic_int removed;
    pthread_mutex_t lock; // of failure
    struct error failure; // the last one
};

static void *remove_some(void *context) {
    struct removal *removal = context;
    for (size_t at; (at = atomic_fetch_add(&removal->next, 1)) < removal->ids->count;) {
        struct error err = {0};
        if (sorts[removal->sort].remove(removal->engine, removal->ids->items[at], &err)) {
            atomic_fetch_add(&removal->removed, 1);
            continue;
        }
        pthread_mutex_lock(&removal->lock);
        removal->failure = err;
        pthread_mutex_unlock(&removal->lock);
    }
    return NULL;
}

// A thread for each up to REMOVERS_MAX, this one among them. Returns how many went; *ret_failure
// is the last failure, or empty.
static int remove_all(struct engine *engine, size_t sort, const struct string_list *ids,
                      struct error *ret_failure) {
    struct removal removal = {
        .engine = engine, .sort = sort, .ids = ids, .lock = PTHREAD_MUTEX_INITIALIZER};
    pthread_t threads[REMOVERS_MAX - 1];
    size_t started = 0;
    while (started + 1 < ids->count && started < REMOVERS_MAX - 1 &&
           pthread_create(&threads[started], NULL, remove_some, &removal) == 0)
        started++;
    remove_some(&removal);
    for (size_t i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    pthread_mutex_destroy(&removal.lock);
    *ret_failure = removal.failure;
    return atomic_load(&removal.removed);
}

// ---- what may go

struct sweep {
    struct engine *engine;
    const char *filter;
    bool (*may_go)(const json_t *labels); // NULL: whatever the filter finds
    int deadline_ms;                      // after which no further pass begins
    struct sweep_count *count;
};

static const char *label_of(const json_t *labels, const char *name) {
    const char *value = json_string_value(json_object_get(labels, name));
    return value != NULL ? value : "";
}

// What carries no run id of ours is never touched, whatever the engine's filter may have thought.
static void choose(const struct sweep *sweep, size_t sort, const json_t *found,
                   struct string_list *ret_ids, int *ret_kept) {
    size_t index;
    const json_t *item;
    json_array_foreach (found, index, item) {
        const char *id = json_string_value(json_object_get(item, sorts[sort].id_key));
        const json_t *labels = json_object_get(item, "Labels");
        if (id == NULL || label_of(labels, "io.assay.run")[0] == '\0')
            continue;
        if (sweep->may_go == NULL || sweep->may_go(labels))
            string_list_add(ret_ids, id);
        else
            ++*ret_kept;
    }
}

static bool list_sort(const struct sweep *sweep, size_t sort, struct string_list *ret_ids,
                      int *ret_kept, struct error *err) {
    const char *const filters[] = {sweep->filter, NULL};
    json_t *found = NULL;
    if (!sorts[sort].list(sweep->engine, filters, &found, err))
        return false;
    choose(sweep, sort, found, ret_ids, ret_kept);
    json_decref(found);
    return true;
}

// One pass over all three sorts; true when nothing was found in it any more.
static bool nothing_left(void *context, struct error *err) {
    const struct sweep *sweep = context;
    size_t found = 0;
    int kept = 0;
    struct error failure = {0};
    for (size_t sort = 0; sort < SORT_COUNT; sort++) {
        autodone(string_list) struct string_list ids = {0};
        struct error listing = {0};
        if (!list_sort(sweep, sort, &ids, &kept, &listing)) {
            failure = listing;
            found++;
            continue;
        }
        found += ids.count;
        struct error removing = {0};
        *count_of(sweep->count, sort) += remove_all(sweep->engine, sort, &ids, &removing);
        if (removing.domain != ERROR_NONE)
            failure = removing;
    }
    sweep->count->kept = kept;
    if (found == 0)
        return true;
    if (failure.domain != ERROR_NONE && err != NULL)
        *err = failure;
    else
        error_set(err, ERROR_ENGINE, 0, "new containers, networks or volumes keep appearing");
    return false;
}

// Passes until one finds nothing: a container may have been in the making during the first. An
// engine that is gone will not come back because we ask.
static bool is_gone(void *context, struct error *err) {
    const struct sweep *sweep = context;
    struct error why = {0};
    json_t *found = NULL;
    const char *const filters[] = {sweep->filter, NULL};
    if (container_list(sweep->engine, filters, &found, &why)) {
        json_decref(found);
        return false;
    }
    if (why.domain != ERROR_UNAVAILABLE && why.domain != ERROR_CANCELLED)
        return false;
    if (err != NULL)
        *err = why;
    return true;
}

static bool sweep_engine(struct sweep *sweep, struct error *err) {
    if (eventually(deadline_in_ms(sweep->deadline_ms), nothing_left, sweep, err, .interval_ms = 5,
                   .longest_interval_ms = 200, .hopeless = is_gone))
        return true;
    return error_prefix(err, "cannot remove what a run left in the engine at %s",
                        engine_host(sweep->engine));
}

bool sweep_run(struct engine *engine, const char *run_id, struct sweep_count *ret_count,
               struct error *err) {
    struct sweep_count count = {0};
    autofree_string char *filter = memory_format("label=io.assay.run=%s", run_id);
    struct sweep sweep = {
        .engine = engine, .filter = filter, .deadline_ms = SWEEP_DEADLINE_MS, .count = &count};
    const bool swept = sweep_engine(&sweep, err);
    struct error folder_failure = {0};
    const bool removed = run_folder_remove(run_id, &count.folders, &folder_failure);
    if (ret_count != NULL)
        *ret_count = count;
    if (swept && !removed && err != NULL)
        *err = folder_failure;
    return swept && removed;
}

// ---- what the dead left

static bool is_owned_by_the_dead(const char *owner_text) {
    struct owner owner;
    return owner_parse(owner_text, &owner, NULL) && owner_judge(&owner) == OWNER_DEAD;
}

// The lease's file says how long the stack may stay; the label only what was meant at the start,
// and counts where the file is not to be had.
static bool lease_runs(const char *run_id, const char *lease_label) {
    autofree_string char *state = state_folder();
    switch (lease_judge(state, run_id)) {
    case LEASE_RUNS:
    case LEASE_UNKNOWN:
        return true;
    case LEASE_ENDED:
        return false;
    case LEASE_NONE:
        break;
    }
    return strtoll(lease_label, NULL, 10) > clock_wall_ms() / 1000;
}

static bool is_provably_left(const json_t *labels) {
    return is_owned_by_the_dead(label_of(labels, "io.assay.owner")) &&
           !lease_runs(label_of(labels, "io.assay.run"), label_of(labels, "io.assay.lease"));
}

static bool is_long_growing(const char *run_id, const char *folder) {
    const size_t suffix = strlen(RUN_FOLDER_GROWING);
    struct stat status;
    return strlen(run_id) > suffix &&
           strcmp(run_id + strlen(run_id) - suffix, RUN_FOLDER_GROWING) == 0 &&
           stat(folder, &status) == 0 && clock_wall_ms() / 1000 - status.st_mtime > GROWING_AGE_S;
}

// Of a folder, as the label is of what is in the engine; "" without one. The caller's.
static char *lease_noted_in(const char *folder) {
    autofree_string char *path = path_join(folder, RUN_FOLDER_LEASE);
    char *noted = NULL;
    return file_read(path, 64, &noted, NULL, NULL) ? noted : memory_copy_string("");
}

static void sweep_folder(void *context, const char *run_id, const char *folder, const char *owner) {
    struct sweep_count *count = context;
    autofree_string char *lease = lease_noted_in(folder);
    const bool goes = owner[0] != '\0' ? is_owned_by_the_dead(owner) && !lease_runs(run_id, lease)
                                       : is_long_growing(run_id, folder);
    if (!goes || !run_folder_remove(run_id, &count->folders, NULL))
        count->kept++;
}

bool sweep_dead(struct engine *engine, struct sweep_count *ret_count, struct error *err) {
    struct sweep_count count = {0};
    struct sweep sweep = {.engine = engine,
                          .filter = "label=io.assay.run",
                          .may_go = is_provably_left,
                          .deadline_ms = SWEEP_DEAD_DEADLINE_MS,
                          .count = &count};
    const bool swept = sweep_engine(&sweep, err);
    const bool looked = run_folder_each(sweep_folder, &count, swept ? err : NULL);
    if (ret_count != NULL)
        *ret_count = count;
    return swept && looked;
}
