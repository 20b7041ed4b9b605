// The board: what every service of a stack is doing, shared by its workers and the event watcher.
// All of it behind one lock; whoever waits is woken by any change.
#pragma once

#include "base/cancel.h"
#include "base/error.h"
#include "compose/plan.h"
#include "value/result.h"

#include <pthread.h>

struct board_entry {
    enum service_state state;
    struct error problem; // why it failed or is missing
    int64_t ready_us;     // since the board was made; 0: never
    bool started;         // the container runs, or ran
    bool died;            // its container ended
    int exit_status;      // when died
    bool oom_killed;
    bool unhealthy; // last word of the engine's own health check
    bool healthy;
};

struct board {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct board_entry *entries;
    size_t count;
    int64_t started_us;
    bool engine_lost;
    struct error engine_problem;
    void (*progress)(void *context, size_t service, enum service_state state, const char *detail);
    void *context;
};

void board_init(struct board *self, size_t count);
void board_done(struct board *self);

// Moves a service on; detail (a short text for people) may be NULL. A service that has failed
// stays failed, and one that died does not get ready.
void board_set(struct board *self, size_t service, enum service_state state, const char *detail);
// Ends a service as failed or missing, with the reason.
void board_end(struct board *self, size_t service, enum service_state state,
               const struct error *problem);
struct board_entry board_get(struct board *self, size_t service);

// What the event watcher has seen.
void board_saw_death(struct board *self, size_t service, int exit_status);
void board_saw_oom(struct board *self, size_t service);
void board_saw_health(struct board *self, size_t service, bool healthy);
void board_lost_engine(struct board *self, const struct error *problem);
bool board_engine_lost(struct board *self, struct error *ret_problem); // ret_problem may be NULL

// Says "needs postgres, which failed", or of one that itself lacks another: "needs pgbouncer, which
// is not there (needs postgres, which failed)". Returns false.
bool board_lacks(const struct board_entry *entry, const char *name, struct error *err);
// Waits until `dependency` holds. false when it never will, with err saying why as board_lacks
// does.
bool board_await(struct board *self, const struct plan *plan,
                 const struct plan_dependency *dependency, const struct cancel *cancel,
                 struct error *err) must_use;
// Waits until the service has reached an end (ready, completed, failed, missing).
void board_await_end(struct board *self, size_t service, const struct cancel *cancel);

bool service_state_is_end(enum service_state state);
