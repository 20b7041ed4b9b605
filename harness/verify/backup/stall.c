#include "verify/backup/stall.h"

#include "base/cancel.h"
#include "base/clock.h"
#include "base/eventually.h"
#include "base/memory.h"
#include "engine/container.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#define LOOKS 20 // while the patience lasts
#define LEAST_PAUSE_MS 100

struct stall_watch {
    const struct tool_stand *stand;
    int patience_ms;
    pthread_t thread;
    struct cancel over;
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
    const int every_ms = self->patience_ms / LOOKS;
    struct mark mark = mark_now(self->stand);
    int64_t looked_us = mark.at_us;
    for (;;) {
        pause_ms(every_ms > LEAST_PAUSE_MS ? every_ms : LEAST_PAUSE_MS, &self->over);
        if (cancel_requested(&self->over))
            break;
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

static void stall_watch_free(struct stall_watch *self) {
    cancel_done(&self->over);
    free(self);
}

struct stall_watch *stall_watch_start(const struct tool_stand *stand, int patience_ms) {
    struct stall_watch *self = memory_new(1, sizeof *self);
    self->stand = stand;
    self->patience_ms = patience_ms;
    if (!cancel_init(&self->over, NULL) || pthread_create(&self->thread, NULL, watch, self) != 0)
        stall_watch_free(TAKE(self));
    return self;
}

bool stall_watch_stop(struct stall_watch *self) {
    if (self == NULL)
        return false;
    cancel_request(&self->over);
    pthread_join(self->thread, NULL);
    const bool has_killed = self->has_killed;
    stall_watch_free(self);
    return has_killed;
}
