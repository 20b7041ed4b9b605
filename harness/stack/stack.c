#define _GNU_SOURCE
#include "stack/stack_parts.h"

#include "base/file.h"
#include "base/memory.h"
#include "compose/environment_file.h"
#include "engine/container.h"
#include "engine/logs.h"
#include "run/private_engine.h"

#include <stdlib.h>
#include <string.h>

static void tell(void *context, size_t service, enum service_state state, const char *detail) {
    struct stack *self = context;
    if (self->options.progress != NULL && !self->going_down)
        self->options.progress(self->options.context, self->plan->services[service].name, state,
                               detail);
}

static struct stack *stack_new(struct run *run, struct engine *engine, const struct plan *plan,
                               const struct image_choices *images,
                               const struct stack_options *options) {
    struct stack *self = memory_new(1, sizeof *self);
    self->run = run;
    self->engine = engine;
    self->plan = plan;
    self->options = *options;
    self->suffix = memory_copy_string(options->suffix != NULL ? options->suffix : "");
    autofree_string char *state = state_folder();
    self->no_way_out = private_engine_is_host(state, engine_host(engine));
    self->folder = memory_format("%s/stack%s", run_folder(run), self->suffix);
    self->watch_cancel = (struct cancel){.pipe_read = -1, .pipe_write = -1};
    pthread_mutex_init(&self->created_lock, NULL);
    board_init(&self->board, plan->service_count);
    self->board.progress = tell;
    self->board.context = self;
    self->service_count = plan->service_count;
    self->services = memory_new(plan->service_count, sizeof *self->services);
    for (size_t i = 0; i < plan->service_count; i++)
        self->services[i] = (struct stack_service){
            .stack = self, .index = i, .plan = &plan->services[i], .image = &images->items[i]};
    return self;
}

static void set_endpoints(struct stack *self) {
    for (size_t i = 0; i < self->service_count; i++) {
        const struct plan_service *plan = self->services[i].plan;
        self->services[i].endpoint = (struct endpoint){
            .service = plan->name,
            .port = plan->port,
            .user = plan->user,
            .database = plan->database,
            .password = credentials_secret(self->credentials, plan->password),
        };
    }
}

static bool prepare(struct stack *self, struct error *err) {
    autofree_string char *secrets = path_join(self->folder, "secrets");
    if (!credentials_make(self->plan, secrets, &self->credentials, err))
        return false;
    set_endpoints(self);
    if (!stack_watch_start(self, err) ||
        !ground_make(self->run, self->engine, self->plan, self->suffix, &self->ground, err))
        return false;
    if (!ground_is_within_reach(&self->ground, self->engine))
        self->options.publish = true;
    return true;
}

static bool start_workers(struct stack *self, struct error *err) {
    for (size_t i = 0; i < self->service_count; i++) {
        struct stack_service *service = &self->services[i];
        if (pthread_create(&service->worker, NULL, stack_worker, service) != 0)
            return error_set(err, ERROR_SYSTEM, 0, "cannot start a thread");
        service->has_worker = true;
    }
    return true;
}

static void join_workers(struct stack *self) {
    for (size_t i = 0; i < self->service_count; i++)
        if (self->services[i].has_worker) {
            pthread_join(self->services[i].worker, NULL);
            self->services[i].has_worker = false;
        }
}

bool stack_up(struct run *run, struct engine *engine, const struct plan *plan,
              const struct image_choices *images, const struct stack_options *options,
              struct stack **ret_stack, struct error *err) {
    struct stack *self = stack_new(run, engine, plan, images, options);
    *ret_stack = self;
    if (!prepare(self, err))
        return false;
    const bool started = start_workers(self, err);
    join_workers(self);
    return started && cancel_check(run_cancel(run), err) && !board_engine_lost(&self->board, err);
}

struct removal {
    struct engine *engine;
    const char *container;
    struct error problem;
    bool ok;
    pthread_t thread;
    bool has_thread;
};

static void *remove_container(void *context) {
    struct removal *self = context;
    self->ok = container_remove(self->engine, self->container, &self->problem);
    return NULL;
}

static bool remove_containers(struct stack *self, struct error *err) {
    struct removal *removals = memory_new(self->service_count, sizeof *removals);
    for (size_t i = 0; i < self->service_count; i++) {
        removals[i] = (struct removal){
            .engine = self->engine, .container = self->services[i].container, .ok = true};
        if (removals[i].container == NULL)
            continue;
        removals[i].has_thread =
            pthread_create(&removals[i].thread, NULL, remove_container, &removals[i]) == 0;
        if (!removals[i].has_thread)
            remove_container(&removals[i]);
    }
    bool ok = true;
    for (size_t i = 0; i < self->service_count; i++) {
        if (removals[i].has_thread)
            pthread_join(removals[i].thread, NULL);
        if (!removals[i].ok && ok && err != NULL)
            *err = removals[i].problem;
        ok = ok && removals[i].ok;
    }
    free(removals);
    return ok;
}

bool stack_down(struct stack *self, struct error *err) {
    pthread_mutex_lock(&self->board.lock);
    self->going_down = true;
    pthread_mutex_unlock(&self->board.lock);
    stack_watch_stop(self);
    const bool containers = remove_containers(self, err);
    const bool ground = ground_remove(&self->ground, self->engine, containers ? err : NULL);
    const bool files = file_remove_tree(self->folder, containers && ground ? err : NULL);
    return containers && ground && files;
}

void stack_free(struct stack *self) {
    if (self == NULL)
        return;
    stack_watch_stop(self);
    for (size_t i = 0; i < self->service_count; i++) {
        struct stack_service *service = &self->services[i];
        free(service->container);
        free(service->host);
        free(service->product);
        free(service->log_tail);
        kind_formed_done(&service->formed);
    }
    free(self->services);
    cancel_done(&self->watch_cancel);
    ground_done(&self->ground);
    credentials_free(self->credentials);
    board_done(&self->board);
    pthread_mutex_destroy(&self->created_lock);
    free(self->folder);
    free(self->suffix);
    free(self);
}

static struct stack_service *find(const struct stack *self, const char *name) {
    for (size_t i = 0; i < self->service_count; i++)
        if (strcmp(self->services[i].plan->name, name) == 0)
            return &self->services[i];
    return NULL;
}

static bool is_up(const struct stack_service *service) {
    const enum service_state state = board_get(&service->stack->board, service->index).state;
    return state == SERVICE_READY || state == SERVICE_COMPLETED;
}

bool stack_all_ready(const struct stack *self) {
    for (size_t i = 0; i < self->service_count; i++)
        if (!is_up(&self->services[i]))
            return false;
    return true;
}

const struct endpoint *stack_endpoint(const struct stack *self, const char *service) {
    const struct stack_service *found = find(self, service);
    return found != NULL && found->host != NULL && is_up(found) ? &found->endpoint : NULL;
}

const char *stack_container(const struct stack *self, const char *service) {
    const struct stack_service *found = find(self, service);
    return found != NULL ? found->container : NULL;
}

const struct secret *stack_token(const struct stack *self, const char *service) {
    const struct stack_service *found = find(self, service);
    return found != NULL ? found->formed.token : NULL;
}

// Of a group, the member that failed: its log is the one to read.
static const struct stack_service *culprit(const struct stack_service *service) {
    struct stack *stack = service->stack;
    struct stack_service *members[STACK_GROUP_LIMIT];
    const size_t count = stack_group(stack, service->plan, members, STACK_GROUP_LIMIT);
    for (size_t i = 0; i < count; i++)
        if (board_get(&stack->board, members[i]->index).state == SERVICE_FAILED)
            return members[i];
    return service;
}

char *stack_log_tail(const struct stack *self, const char *service, int lines) {
    const struct stack_service *found = find(self, service);
    autodone(text) struct text tail = {.limit = (size_t)64 * 1024};
    if (found != NULL)
        found = culprit(found);
    if (found == NULL || found->container == NULL ||
        !container_log_tail(self->engine, found->container, lines, &tail, NULL))
        text_clear(&tail);
    return text_take(&tail);
}
