// What the files of a running stack share: stack.c, worker.c, watch.c, removal.c, stack_report.c.
// Nobody else includes it.
#pragma once

#include "stack/board.h"
#include "stack/body.h"
#include "stack/stack.h"

#include <pthread.h>

struct stack_service {
    struct stack *stack;
    size_t index;
    const struct plan_service *plan;
    const struct image_choice *image;
    struct endpoint endpoint;  // service, user, database, password borrowed; host is ours
    char *host;                // its address, once it runs
    char *container;           // id; NULL: not created
    char *product;             // "PostgreSQL 17.6", as the server says
    char *log_tail;            // taken when it failed
    struct kind_formed formed; // what forming brought to light; kept by the group's leader
    pthread_t worker;
    bool has_worker;
};

struct stack {
    struct run *run;
    struct engine *engine;
    const struct plan *plan;
    struct stack_options options;
    char *suffix;
    bool no_way_out; // a private engine: see body.h
    char *folder;    // <run folder>/stack<suffix>
    struct ground ground;
    struct credentials *credentials;
    struct board board;
    struct stack_service *services; // in the order of the plan
    size_t service_count;
    pthread_mutex_t created_lock; // guards `container` of every service
    struct cancel watch_cancel;
    pthread_t watcher;
    bool has_watcher;
    bool watch_open; // the event stream is subscribed: under the board's lock
    bool going_down; // deaths are expected: under the board's lock
};

// worker.c: one service from its image to ready. Thread function.
void *stack_worker(void *service);
// watch.c: the event stream. start returns when the engine has accepted the subscription.
bool stack_watch_start(struct stack *self, struct error *err) must_use;
void stack_watch_stop(struct stack *self);
// Index of the service that a container belongs to; false: not one of ours.
bool stack_service_of(struct stack *self, const char *container, size_t *ret_index);

// The members of a service's group (itself when it has none), as far as they run, in the plan's
// order.
size_t stack_group(struct stack *self, const struct plan_service *service,
                   struct stack_service **ret_members, size_t limit);
#define STACK_GROUP_LIMIT 64
#define STACK_FAILURE_LOG_LINES 40
