#define _GNU_SOURCE
#include "stack/board.h"

#include "base/clock.h"
#include "base/memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void board_init(struct board *self, size_t count) {
    *self = (struct board){.count = count, .started_us = clock_monotonic_us()};
    self->entries = memory_new(count, sizeof *self->entries);
    pthread_mutex_init(&self->lock, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&self->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

void board_done(struct board *self) {
    if (self->entries == NULL)
        return;
    pthread_cond_destroy(&self->changed);
    pthread_mutex_destroy(&self->lock);
    free(self->entries);
    self->entries = NULL;
}

bool service_state_is_end(enum service_state state) {
    return state == SERVICE_READY || state == SERVICE_COMPLETED || state == SERVICE_FAILED ||
           state == SERVICE_MISSING;
}

// Called with the lock held; tells the listener, which is therefore serialised.
static void move(struct board *self, size_t service, enum service_state state, const char *detail) {
    struct board_entry *entry = &self->entries[service];
    if (entry->state == SERVICE_FAILED || entry->state == SERVICE_MISSING)
        return;
    entry->state = state;
    if (state == SERVICE_STARTING)
        entry->started = true;
    if (state == SERVICE_READY && entry->ready_us == 0)
        entry->ready_us = clock_monotonic_us() - self->started_us;
    if (self->progress != NULL)
        self->progress(self->context, service, state, detail);
    pthread_cond_broadcast(&self->changed);
}

static void end_locked(struct board *self, size_t service, enum service_state state,
                       const struct error *problem) {
    struct board_entry *entry = &self->entries[service];
    if (entry->state == SERVICE_FAILED || entry->state == SERVICE_MISSING)
        return;
    entry->problem = *problem;
    move(self, service, state, problem->message);
}

static void died_too_soon(struct board *self, size_t service) {
    const struct board_entry *entry = &self->entries[service];
    struct error problem = {0};
    error_set(&problem, ERROR_SERVICE, 0, "its container ended with exit status %d%s",
              entry->exit_status, entry->oom_killed ? " (killed for lack of memory)" : "");
    end_locked(self, service, SERVICE_FAILED, &problem);
}

// Its death may have been seen before its worker says that it is ready.
void board_set(struct board *self, size_t service, enum service_state state, const char *detail) {
    pthread_mutex_lock(&self->lock);
    if (state == SERVICE_READY && self->entries[service].died)
        died_too_soon(self, service);
    else
        move(self, service, state, detail);
    pthread_mutex_unlock(&self->lock);
}

void board_end(struct board *self, size_t service, enum service_state state,
               const struct error *problem) {
    pthread_mutex_lock(&self->lock);
    end_locked(self, service, state, problem);
    pthread_mutex_unlock(&self->lock);
}

struct board_entry board_get(struct board *self, size_t service) {
    pthread_mutex_lock(&self->lock);
    const struct board_entry entry = self->entries[service];
    pthread_mutex_unlock(&self->lock);
    return entry;
}

void board_saw_death(struct board *self, size_t service, int exit_status) {
    pthread_mutex_lock(&self->lock);
    struct board_entry *entry = &self->entries[service];
    entry->died = true;
    entry->exit_status = exit_status;
    if (entry->state == SERVICE_READY) {
        struct error problem = {0};
        error_set(&problem, ERROR_SERVICE, 0, "died after it was ready, exit status %d%s",
                  exit_status, entry->oom_killed ? ", killed for lack of memory" : "");
        end_locked(self, service, SERVICE_FAILED, &problem);
    }
    pthread_cond_broadcast(&self->changed);
    pthread_mutex_unlock(&self->lock);
}

void board_saw_oom(struct board *self, size_t service) {
    pthread_mutex_lock(&self->lock);
    self->entries[service].oom_killed = true;
    pthread_mutex_unlock(&self->lock);
}

void board_saw_health(struct board *self, size_t service, bool healthy) {
    pthread_mutex_lock(&self->lock);
    self->entries[service].healthy = healthy;
    self->entries[service].unhealthy = !healthy;
    pthread_cond_broadcast(&self->changed);
    pthread_mutex_unlock(&self->lock);
}

void board_lost_engine(struct board *self, const struct error *problem) {
    pthread_mutex_lock(&self->lock);
    self->engine_lost = true;
    self->engine_problem = *problem;
    pthread_cond_broadcast(&self->changed);
    pthread_mutex_unlock(&self->lock);
}

bool board_engine_lost(struct board *self, struct error *ret_problem) {
    pthread_mutex_lock(&self->lock);
    const bool lost = self->engine_lost;
    if (lost && ret_problem != NULL)
        *ret_problem = self->engine_problem;
    pthread_mutex_unlock(&self->lock);
    return lost;
}

// Waits for a change, at most a moment, so that a cancel is seen.
static void wait_for_change(struct board *self) {
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += 50L * 1000 * 1000;
    if (until.tv_nsec >= 1000000000L) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000L;
    }
    pthread_cond_timedwait(&self->changed, &self->lock, &until);
}

static bool condition_holds(const struct board_entry *entry, enum dependency_condition condition) {
    switch (condition) {
    case DEPENDS_STARTED:
        return entry->started;
    case DEPENDS_HEALTHY:
        return entry->state == SERVICE_READY || entry->state == SERVICE_COMPLETED;
    case DEPENDS_COMPLETED:
        return entry->died && entry->exit_status == 0;
    }
    return false;
}

static bool never_will(const struct board_entry *entry) {
    return entry->state == SERVICE_FAILED || entry->state == SERVICE_MISSING;
}

bool board_lacks(const struct board_entry *entry, const char *name, struct error *err) {
    if (entry->state == SERVICE_FAILED)
        return error_set(err, ERROR_UNAVAILABLE, 0, "needs %s, which failed", name);
    const char *why = entry->problem.message;
    return error_set(err, ERROR_UNAVAILABLE, 0, "needs %s, which is not there%s%.*s%s", name,
                     why[0] != '\0' ? " (" : "", (int)strcspn(why, ";"), why,
                     why[0] != '\0' ? ")" : "");
}

bool board_await(struct board *self, const struct plan *plan,
                 const struct plan_dependency *dependency, const struct cancel *cancel,
                 struct error *err) {
    const struct board_entry *entry = &self->entries[dependency->service];
    const char *name = plan->services[dependency->service].name;
    bool ok = true;
    pthread_mutex_lock(&self->lock);
    while (!condition_holds(entry, dependency->condition)) {
        if (never_will(entry)) {
            ok = board_lacks(entry, name, err);
            break;
        }
        if (dependency->condition == DEPENDS_COMPLETED && entry->died) {
            ok = error_set(err, ERROR_UNAVAILABLE, 0, "needs %s, which ended with exit status %d",
                           name, entry->exit_status);
            break;
        }
        if (self->engine_lost || cancel_requested(cancel)) {
            ok = cancel_check(cancel, err)
                     ? error_set(err, ERROR_UNAVAILABLE, 0, "%s", self->engine_problem.message)
                     : false;
            break;
        }
        wait_for_change(self);
    }
    pthread_mutex_unlock(&self->lock);
    return ok || !dependency->required;
}

void board_await_end(struct board *self, size_t service, const struct cancel *cancel) {
    pthread_mutex_lock(&self->lock);
    while (!service_state_is_end(self->entries[service].state) && !cancel_requested(cancel))
        wait_for_change(self);
    pthread_mutex_unlock(&self->lock);
}
