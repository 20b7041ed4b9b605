#include "verify/backup/stall.h"

#include "base/clock.h"
#include "base/memory.h"
#include "engine/container.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#define LOOKS 20 // while the patience lasts
#define LOOKS_AT_MOST_EVERY_MS 100

struct stall_watch {
    const struct tool_stand *stand;
    int patience_ms;
    pthread_t thread;
    pthread_mutex_t lock; // guards `over`
    pthread_cond_t wake;
    bool over;
    bool has_killed; // the thread's until it ended
};

// Of the container since it was started, in microseconds (the engine's API,
// "/containers/ID/stats"); -1: not to be had.
static int64_t processor_time_us(const struct tool_stand *stand) {
    json_t *stats = NULL;
    if (!container_stats(stand->engine, stand->container, &stats, NULL))
        return -1;
    const json_t *usage = json_object_get(json_object_get(stats, "cpu_stats"), "cpu_usage");
    const json_int_t total_ns = json_integer_value(json_object_get(usage, "total_usage"));
    json_decref(stats);
    return total_ns > 0 ? (int64_t)total_ns / 1000 : -1;
}

// The container's first process is not hit by this, nor is the shell that does it (kill(2)).
static void kill_all(const struct tool_stand *stand) {
    const struct tool_call call = {.script = "kill -9 -1", .user = "root"};
    autodone(tool_answer) struct tool_answer answer = {0};
    (void)!tool_ask(stand, &call, &answer, NULL);
}

// true: it is over.
static bool sleep_until_next_look(struct stall_watch *self) {
    const int every_ms = self->patience_ms / LOOKS > LOOKS_AT_MOST_EVERY_MS
                             ? self->patience_ms / LOOKS
                             : LOOKS_AT_MOST_EVERY_MS;
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    const int64_t at_ns = until.tv_nsec + (int64_t)every_ms * 1000000;
    until.tv_sec += at_ns / 1000000000;
    until.tv_nsec = at_ns % 1000000000;
    pthread_mutex_lock(&self->lock);
    while (!self->over && pthread_cond_timedwait(&self->wake, &self->lock, &until) != ETIMEDOUT)
        ;
    const bool over = self->over;
    pthread_mutex_unlock(&self->lock);
    return over;
}

// What was last seen to move, and when.
struct mark {
    int64_t at_us;
    int64_t used_us;
    unsigned long long fed;
};

static struct mark mark_now(const struct tool_stand *stand) {
    return (struct mark){.at_us = clock_monotonic_us(),
                         .used_us = processor_time_us(stand),
                         .fed = stand->counter != NULL ? atomic_load(stand->counter) : 0};
}

static bool has_moved(const struct stall_watch *self, const struct mark *before,
                      const struct mark *now) {
    const double least_us = self->patience_ms * 1000.0 * STALL_LEAST_SHARE;
    return now->fed != before->fed || now->used_us < 0 || before->used_us < 0 ||
           (double)(now->used_us - before->used_us) >= least_us;
}

static void *watch(void *context) {
    struct stall_watch *self = context;
    const int64_t patience_us = (int64_t)self->patience_ms * 1000;
    struct mark mark = mark_now(self->stand);
    int64_t looked_us = mark.at_us;
    while (!sleep_until_next_look(self)) {
        const struct mark now = mark_now(self->stand);
        const bool was_away = now.at_us - looked_us > patience_us / 2;
        looked_us = now.at_us;
        if (was_away || has_moved(self, &mark, &now)) {
            mark = now;
        } else if (now.at_us - mark.at_us >= patience_us) {
            self->has_killed = true;
            kill_all(self->stand);
            break;
        }
    }
    return NULL;
}

struct stall_watch *stall_watch_start(const struct tool_stand *stand, int patience_ms) {
    struct stall_watch *self = memory_new(1, sizeof *self);
    pthread_condattr_t monotonic;
    self->stand = stand;
    self->patience_ms = patience_ms > 0 ? patience_ms : STALL_PATIENCE_MS;
    pthread_mutex_init(&self->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&self->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if (pthread_create(&self->thread, NULL, watch, self) != 0)
        free(TAKE(self));
    return self;
}

bool stall_watch_stop(struct stall_watch *self) {
    if (self == NULL)
        return false;
    pthread_mutex_lock(&self->lock);
    self->over = true;
    pthread_cond_signal(&self->wake);
    pthread_mutex_unlock(&self->lock);
    pthread_join(self->thread, NULL);
    const bool has_killed = self->has_killed;
    pthread_cond_destroy(&self->wake);
    pthread_mutex_destroy(&self->lock);
    free(self);
    return has_killed;
}
