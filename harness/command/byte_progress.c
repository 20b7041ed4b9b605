#include "command/byte_progress.h"

#include "base/clock.h"
#include "base/memory.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define FIRST_S 1
#define EACH_S 1        // on a terminal
#define EACH_PLAIN_S 10 // in a log, which keeps every line

struct byte_progress {
    struct live *live;
    char *section;
    char *name;
    const char *state;
    const struct byte_count *count;
    int64_t started_us;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t ended_changed;
    bool ended;
};

static const double MEBIBYTE = 1024.0 * 1024.0;

static void show(const struct byte_progress *self) {
    const double done = (double)atomic_load(&self->count->done);
    const double total = (double)atomic_load(&self->count->total);
    const double seconds = (double)(clock_monotonic_us() - self->started_us) / 1e6;
    const double rate = seconds > 0 ? done / seconds : 0;
    char detail[128];
    if (total <= 0)
        snprintf(detail, sizeof detail, "%.0f MiB, %.0f MiB/s", done / MEBIBYTE, rate / MEBIBYTE);
    else
        snprintf(detail, sizeof detail, "%.0f of %.0f MiB, %.0f MiB/s, about %.0f s left",
                 done / MEBIBYTE, total / MEBIBYTE, rate / MEBIBYTE,
                 rate > 0 && total > done ? (total - done) / rate : 0);
    live_set(self->live, self->section, self->name, LIVE_WORKING, self->state, detail);
}

static void *tick(void *context) {
    struct byte_progress *self = context;
    struct timespec next;
    clock_gettime(CLOCK_REALTIME, &next);
    next.tv_sec += FIRST_S;
    pthread_mutex_lock(&self->lock);
    while (!self->ended) {
        if (pthread_cond_timedwait(&self->ended_changed, &self->lock, &next) == 0 || self->ended)
            continue;
        show(self);
        next.tv_sec += isatty(STDERR_FILENO) ? EACH_S : EACH_PLAIN_S;
    }
    pthread_mutex_unlock(&self->lock);
    return NULL;
}

static void discard(struct byte_progress *self) {
    pthread_cond_destroy(&self->ended_changed);
    pthread_mutex_destroy(&self->lock);
    free(self->section);
    free(self->name);
    free(self);
}

struct byte_progress *byte_progress_open(struct live *live, const char *section, const char *name,
                                         const char *state, const struct byte_count *count) {
    struct byte_progress *self = memory_new(1, sizeof *self);
    *self = (struct byte_progress){.live = live,
                                   .section = memory_copy_string(section),
                                   .name = memory_copy_string(name),
                                   .state = state,
                                   .count = count,
                                   .started_us = clock_monotonic_us()};
    pthread_mutex_init(&self->lock, NULL);
    pthread_cond_init(&self->ended_changed, NULL);
    if (live != NULL && pthread_create(&self->thread, NULL, tick, self) == 0)
        return self;
    discard(self);
    return NULL;
}

void byte_progress_close(struct byte_progress *self) {
    if (self == NULL)
        return;
    pthread_mutex_lock(&self->lock);
    self->ended = true;
    pthread_cond_signal(&self->ended_changed);
    pthread_mutex_unlock(&self->lock);
    pthread_join(self->thread, NULL);
    discard(self);
}
