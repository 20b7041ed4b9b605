// Reads the engine's events for the run, so that a service that dies is known at once.
#define _GNU_SOURCE
#include "stack/stack_parts.h"

#include "base/eventually.h"
#include "base/memory.h"
#include "engine/container.h"
#include "engine/events.h"

#include <stdio.h>
#include <string.h>

#define RECONNECT_WITHIN_MS 10000
#define RECONNECT_EVERY_MS 50

bool stack_service_of(struct stack *self, const char *container, size_t *ret_index) {
    bool found = false;
    pthread_mutex_lock(&self->created_lock);
    for (size_t i = 0; i < self->service_count && !found; i++) {
        found = self->services[i].container != NULL &&
                strcmp(self->services[i].container, container) == 0;
        if (found)
            *ret_index = i;
    }
    pthread_mutex_unlock(&self->created_lock);
    return found;
}

static bool on_event(void *context, const struct engine_event *event) {
    struct stack *self = context;
    size_t index = 0;
    if (strcmp(event->type, "container") != 0 || !stack_service_of(self, event->id, &index))
        return true;
    if (strcmp(event->action, "die") == 0)
        board_saw_death(&self->board, index, event->exit_status);
    else if (strcmp(event->action, "oom") == 0)
        board_saw_oom(&self->board, index);
    else if (strncmp(event->action, "health_status", strlen("health_status")) == 0)
        board_saw_health(&self->board, index, strstr(event->action, "unhealthy") == NULL);
    return true;
}

static void on_open(void *context) {
    struct stack *self = context;
    pthread_mutex_lock(&self->board.lock);
    self->watch_open = true;
    pthread_cond_broadcast(&self->board.changed);
    pthread_mutex_unlock(&self->board.lock);
}

// After the stream broke: what happened meanwhile is asked of each container.
static void catch_up(struct stack *self) {
    for (size_t i = 0; i < self->service_count; i++) {
        pthread_mutex_lock(&self->created_lock);
        const char *container = self->services[i].container;
        pthread_mutex_unlock(&self->created_lock);
        struct container_state state = {0};
        if (container == NULL || !board_get(&self->board, i).started)
            continue;
        if (!container_state(self->engine, container, &state, NULL) || state.running)
            continue;
        if (state.oom_killed)
            board_saw_oom(&self->board, i);
        board_saw_death(&self->board, i, state.exit_status);
    }
}

static void *watch(void *context) {
    struct stack *self = context;
    autofree_string char *run = memory_format("label=io.assay.run=%s", run_id(self->run));
    const char *const filters[] = {run, "type=container", NULL};
    struct deadline give_up = {0};
    bool broken = false;
    while (!cancel_requested(&self->watch_cancel)) {
        struct error problem = {0};
        const int64_t opened_us = clock_monotonic_us();
        if (engine_events(self->engine, filters, on_open, on_event, self, &self->watch_cancel,
                          &problem))
            break;
        const bool had_run = clock_monotonic_us() - opened_us > 1000000;
        if (!broken || had_run)
            give_up = deadline_in_ms(RECONNECT_WITHIN_MS);
        broken = true;
        catch_up(self);
        if (problem.domain == ERROR_CANCELLED || deadline_passed(give_up)) {
            error_prefix(&problem, "the engine went away");
            board_lost_engine(&self->board, &problem);
            break;
        }
        pause_ms(RECONNECT_EVERY_MS, &self->watch_cancel);
    }
    return NULL;
}

bool stack_watch_start(struct stack *self, struct error *err) {
    if (!cancel_init(&self->watch_cancel, err))
        return false;
    if (pthread_create(&self->watcher, NULL, watch, self) != 0)
        return error_set(err, ERROR_SYSTEM, 0, "cannot start a thread");
    self->has_watcher = true;
    pthread_mutex_lock(&self->board.lock);
    while (!self->watch_open && !self->board.engine_lost)
        pthread_cond_wait(&self->board.changed, &self->board.lock);
    const bool open = self->watch_open;
    if (!open && err != NULL)
        *err = self->board.engine_problem;
    pthread_mutex_unlock(&self->board.lock);
    return open;
}

void stack_watch_stop(struct stack *self) {
    if (!self->has_watcher)
        return;
    cancel_request(&self->watch_cancel);
    pthread_join(self->watcher, NULL);
    self->has_watcher = false;
}
