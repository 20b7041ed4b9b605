// The life of one service: wait for what it needs, create, start, find its address, be ready.
#define _GNU_SOURCE
#include "stack/stack_parts.h"

#include "base/eventually.h"
#include "base/memory.h"
#include "engine/container.h"
#include "engine/logs.h"
#include "engine/network.h"

#include <stdio.h>
#include <string.h>

#define PROBE_CONNECT_MS 250
#define PROBE_REQUEST_MS 1000
#define PROBE_LONGEST_MS 10000
#define HEALTH_INTERVAL_MS 20
#define DEFAULT_READY_TIMEOUT_MS 120000
#define FAILURE_LOG_BYTES ((size_t)16 * 1024)

static bool await_dependencies(struct stack_service *self, struct error *err) {
    struct stack *stack = self->stack;
    for (size_t i = 0; i < self->plan->dependency_count; i++)
        if (!board_await(&stack->board, stack->plan, &self->plan->dependencies[i],
                         run_cancel(stack->run), err))
            return false;
    return true;
}

static struct body_site site_of(struct stack *stack, const char *binds_folder) {
    return (struct body_site){
        .run = stack->run,
        .plan = stack->plan,
        .ground = &stack->ground,
        .credentials = stack->credentials,
        .binds_folder = binds_folder,
        .role = stack->options.role != NULL ? stack->options.role : "service",
        .publish = stack->options.publish,
        .no_way_out = stack->no_way_out,
    };
}

static bool create(struct stack_service *self, struct error *err) {
    struct stack *stack = self->stack;
    const struct body_site site = site_of(stack, stack->folder);
    json_t *body = NULL;
    if (!run_guarded(stack->run, err) ||
        !body_make(&site, self->plan, self->image->reference, &body, err))
        return false;
    autofree_string char *name =
        memory_format("assay-%s-%s%s", run_id(stack->run), self->plan->name, stack->suffix);
    char *id = NULL;
    const bool ok = container_create(stack->engine, name, self->plan->platform, body, &id, err);
    json_decref(body);
    if (!ok)
        return false;
    pthread_mutex_lock(&stack->created_lock);
    self->container = id;
    pthread_mutex_unlock(&stack->created_lock);
    for (size_t i = 1; i < self->plan->attachment_count; i++) {
        json_t *attachment = body_for_attachment(&site, self->plan, i, id);
        const bool connected = network_connect(
            stack->engine, stack->ground.networks[self->plan->attachments[i].network].id,
            attachment, err);
        json_decref(attachment);
        if (!connected)
            return false;
    }
    return true;
}

static bool find_published(struct stack_service *self, const json_t *inspect, struct error *err) {
    char port[16];
    snprintf(port, sizeof port, "%u/tcp", (unsigned)self->plan->port);
    const json_t *bindings = json_object_get(
        json_object_get(json_object_get(inspect, "NetworkSettings"), "Ports"), port);
    const char *host_port =
        json_string_value(json_object_get(json_array_get(bindings, 0), "HostPort"));
    if (host_port == NULL)
        return error_set(err, ERROR_PROTOCOL, 0, "the engine published no port for %s", port);
    self->host = memory_copy_string("127.0.0.1");
    self->endpoint.port = (uint16_t)strtoul(host_port, NULL, 10);
    return true;
}

static bool find_own_address(struct stack_service *self, const json_t *inspect, struct error *err) {
    const char *network = self->stack->ground.networks[self->plan->attachments[0].network].name;
    const json_t *networks =
        json_object_get(json_object_get(inspect, "NetworkSettings"), "Networks");
    const char *address =
        json_string_value(json_object_get(json_object_get(networks, network), "IPAddress"));
    if (address == NULL || address[0] == '\0')
        return error_set(err, ERROR_PROTOCOL, 0, "the engine gave it no address in %s", network);
    self->host = memory_copy_string(address);
    self->endpoint.port = self->plan->port;
    return true;
}

// A service whose end another one waits for: a migration, say. It is done when it ended with 0.
static bool is_one_shot(const struct stack_service *self) {
    const struct plan *plan = self->stack->plan;
    for (size_t i = 0; i < plan->service_count; i++)
        for (size_t k = 0; k < plan->services[i].dependency_count; k++) {
            const struct plan_dependency *dependency = &plan->services[i].dependencies[k];
            if (dependency->service == self->index && dependency->condition == DEPENDS_COMPLETED)
                return true;
        }
    return false;
}

static bool ended(const json_t *inspect, struct error *err) {
    const json_t *state = json_object_get(inspect, "State");
    if (!json_is_false(json_object_get(state, "Running")))
        return false;
    error_set(
        err, ERROR_SERVICE, 0, "its container ended with exit status %d%s as soon as it began",
        (int)json_integer_value(json_object_get(state, "ExitCode")),
        json_is_true(json_object_get(state, "OOMKilled")) ? " (killed for lack of memory)" : "");
    return true;
}

static bool find_address_in(struct stack_service *self, const json_t *inspect, struct error *err) {
    if (ended(inspect, err))
        return is_one_shot(self);
    const bool ok = self->stack->options.publish && self->plan->port != 0
                        ? find_published(self, inspect, err)
                        : find_own_address(self, inspect, err);
    if (ok)
        self->endpoint.host = self->host;
    return ok;
}

static bool find_address(struct stack_service *self, struct error *err) {
    if (self->plan->attachment_count == 0)
        return true;
    json_t *inspect = NULL;
    if (!container_inspect(self->stack->engine, self->container, &inspect, err))
        return false;
    const bool ok = find_address_in(self, inspect, err);
    json_decref(inspect);
    return ok;
}

// The engine tells of the death and of its cause in two events, in either order.
static bool lacked_memory(struct stack_service *self, const struct board_entry *entry) {
    struct container_state state = {0};
    return entry->oom_killed ||
           (container_state(self->stack->engine, self->container, &state, NULL) &&
            state.oom_killed);
}

static bool died(struct stack_service *self, const char *when, struct error *err) {
    const struct board_entry entry = board_get(&self->stack->board, self->index);
    if (!entry.died)
        return false;
    error_set(err, ERROR_SERVICE, 0, "its container ended with exit status %d%s%s",
              entry.exit_status, lacked_memory(self, &entry) ? " (killed for lack of memory)" : "",
              when);
    return true;
}

static bool is_lost(struct stack *stack, size_t service) {
    const struct board_entry entry = board_get(&stack->board, service);
    return entry.state == SERVICE_FAILED || entry.state == SERVICE_MISSING ||
           (entry.died && entry.exit_status != 0); // its own worker is about to say so
}

static bool lost_member(struct stack_service *self, struct error *err) {
    struct stack_service *members[STACK_GROUP_LIMIT];
    const size_t count = stack_group(self->stack, self->plan, members, STACK_GROUP_LIMIT);
    for (size_t i = 0; i < count; i++)
        if (members[i] != self && is_lost(self->stack, members[i]->index)) {
            error_set(err, ERROR_UNAVAILABLE, 0, "its group \"%s\" lost %s", self->plan->group,
                      members[i]->plan->name);
            return true;
        }
    return false;
}

// Why there is no point in probing any more; asked after each failed probe.
static bool hopeless(void *context, struct error *err) {
    struct stack_service *self = context;
    struct stack *stack = self->stack;
    if (died(self, " before it was ready", err))
        return true;
    if (board_engine_lost(&stack->board, err))
        return true;
    for (size_t i = 0; i < self->plan->dependency_count; i++) {
        const struct plan_dependency *dependency = &self->plan->dependencies[i];
        const struct board_entry needed = board_get(&stack->board, dependency->service);
        if (dependency->required &&
            (needed.state == SERVICE_FAILED || needed.state == SERVICE_MISSING))
            return !board_lacks(&needed, stack->plan->services[dependency->service].name, err);
    }
    return lost_member(self, err);
}

size_t stack_group(struct stack *self, const struct plan_service *service,
                   struct stack_service **ret_members, size_t limit) {
    size_t count = 0;
    for (size_t i = 0; i < self->service_count && count < limit; i++) {
        const struct plan_service *other = self->services[i].plan;
        if (other == service || (service->group != NULL && other->group != NULL &&
                                 strcmp(other->group, service->group) == 0))
            ret_members[count++] = &self->services[i];
    }
    return count;
}

struct probe {
    struct stack_service *leader;
    struct endpoint *endpoints; // those of the members
    struct kind_members members;
    struct kind_options options;
    bool formed;
    struct error last; // for the message when it ends otherwise than by the deadline
};

static bool wants_forming(const struct plan_service *service) {
    return service->kind->form != NULL && (service->form || service->initialise);
}

static int longer(int timeout_ms) {
    return timeout_ms < PROBE_LONGEST_MS / 2 ? timeout_ms * 2 : PROBE_LONGEST_MS;
}

// An attempt is short, for a server that starts may swallow it; where the whole machine is slow no
// short one ever succeeds, so the next one after a timeout has twice the time.
static void be_more_patient(struct probe *self) {
    for (size_t i = 0; i < self->members.count; i++) {
        struct endpoint *endpoint = &self->endpoints[i];
        endpoint->connect_timeout_ms = longer(endpoint->connect_timeout_ms);
        endpoint->request_timeout_ms = longer(endpoint->request_timeout_ms);
    }
}

static bool probe_kind(void *context, struct error *err) {
    struct probe *self = context;
    const struct plan_service *service = self->leader->plan;
    bool ok = true;
    if (!self->formed && wants_forming(service))
        ok = self->formed = service->kind->form(&self->members, &self->leader->formed, err);
    ok = ok && service->kind->ready(&self->members, &self->options, err);
    if (!ok && err != NULL)
        self->last = *err;
    if (!ok && self->last.domain == ERROR_TIMEOUT)
        be_more_patient(self);
    return ok;
}

static bool probe_hopeless(void *context, struct error *err) {
    struct probe *self = context;
    if (!hopeless(self->leader, err))
        return false;
    if (self->last.message[0] != '\0')
        error_append(err, "; the last probe said: %s", self->last.message);
    return true;
}

static int ready_timeout_ms(const struct stack_service *self) {
    if (self->plan->ready_timeout_ms > 0)
        return self->plan->ready_timeout_ms;
    const int of_stack = self->stack->options.ready_timeout_ms;
    return of_stack > 0 ? of_stack : DEFAULT_READY_TIMEOUT_MS;
}

// The other members of the group must run before the group can be formed or asked.
static bool await_members(struct stack_service *self, struct stack_service **members, size_t count,
                          struct error *err) {
    for (size_t i = 0; i < count; i++) {
        if (members[i] == self)
            continue;
        const struct plan_dependency started = {
            .service = members[i]->index, .condition = DEPENDS_STARTED, .required = true};
        if (!board_await(&self->stack->board, self->stack->plan, &started,
                         run_cancel(self->stack->run), err))
            return false;
    }
    return true;
}

static void identify(struct stack_service *self) {
    char product[128] = "";
    struct endpoint endpoint = self->endpoint;
    endpoint.connect_timeout_ms = PROBE_LONGEST_MS; // it has shown already that it answers
    if (self->plan->kind->identify != NULL &&
        self->plan->kind->identify(&endpoint, product, sizeof product, NULL))
        self->product = memory_copy_string(product);
}

// Nobody has said as whom to log in, and the usual user was refused to the end.
static bool explain_refusal(const struct probe *self, struct error *err) {
    const struct plan_service *service = self->leader->plan;
    if (self->last.domain == ERROR_SERVICE && self->last.code == SERVICE_ERROR_LOGIN &&
        service->user == NULL)
        error_append(err, "; as whom to log in can be said by `user`, `database` and `password` "
                          "under x-assay or in assay.yaml");
    return false;
}

// The first member of a group in the plan's order asks for all of them.
static bool lead(struct stack_service *self, struct stack_service **members, size_t count,
                 struct error *err) {
    if (!await_members(self, members, count, err))
        return false;
    struct endpoint endpoints[STACK_GROUP_LIMIT];
    for (size_t i = 0; i < count; i++) {
        endpoints[i] = members[i]->endpoint;
        endpoints[i].connect_timeout_ms = PROBE_CONNECT_MS;
        endpoints[i].request_timeout_ms = PROBE_REQUEST_MS;
    }
    struct probe probe = {.leader = self,
                          .endpoints = endpoints,
                          .members = {.endpoints = endpoints, .count = count},
                          .options = {.path = self->plan->path}};
    const struct eventually_options options = {.cancel = run_cancel(self->stack->run),
                                               .hopeless = probe_hopeless};
    if (!eventually_with(deadline_in_ms(ready_timeout_ms(self)), probe_kind, &probe, &options, err))
        return explain_refusal(&probe, err);
    for (size_t i = 0; i < count; i++)
        identify(members[i]);
    for (size_t i = 0; i < count; i++)
        if (members[i] != self)
            board_set(&self->stack->board, members[i]->index, SERVICE_READY, NULL);
    return true;
}

static bool follow(struct stack_service *self, struct stack_service *leader, struct error *err) {
    struct board *board = &self->stack->board;
    for (;;) {
        const struct board_entry own = board_get(board, self->index);
        if (service_state_is_end(own.state)) // the leader has set it
            return true;
        if (died(self, " before its group was ready", err)) // which may be why the leader gave up
            return false;
        const struct board_entry its = board_get(board, leader->index);
        if (its.state == SERVICE_FAILED || its.state == SERVICE_MISSING)
            return error_set(err, ERROR_UNAVAILABLE, 0, "its group \"%s\" is not ready: %s",
                             self->plan->group, its.problem.message);
        if (!cancel_check(run_cancel(self->stack->run), err))
            return false;
        pause_ms(5, run_cancel(self->stack->run));
    }
}

static bool ready_by_kind(struct stack_service *self, struct error *err) {
    struct stack_service *members[STACK_GROUP_LIMIT];
    const size_t count = stack_group(self->stack, self->plan, members, STACK_GROUP_LIMIT);
    return members[0] == self ? lead(self, members, count, err) : follow(self, members[0], err);
}

static bool has_health_check(const struct plan_service *service) {
    const json_t *test = json_object_get(json_object_get(service->config, "Healthcheck"), "Test");
    const char *first = json_string_value(json_array_get(test, 0));
    return first != NULL && strcmp(first, "NONE") != 0;
}

// A service without a kind: the engine's own health check, or that it runs.
static bool probe_health(void *context, struct error *err) {
    struct stack_service *self = context;
    const struct board_entry entry = board_get(&self->stack->board, self->index);
    return entry.healthy || error_set(err, ERROR_SERVICE, 0, "its health check says %s",
                                      entry.unhealthy ? "unhealthy" : "starting");
}

static bool ready_without_kind(struct stack_service *self, struct error *err) {
    if (!has_health_check(self->plan))
        return true;
    const struct eventually_options options = {.cancel = run_cancel(self->stack->run),
                                               .interval_ms = HEALTH_INTERVAL_MS,
                                               .hopeless = hopeless};
    return eventually_with(deadline_in_ms(ready_timeout_ms(self)), probe_health, self, &options,
                           err);
}

static bool probe_end(void *context, struct error *err) {
    struct stack_service *self = context;
    return board_get(&self->stack->board, self->index).died ||
           error_set(err, ERROR_SERVICE, 0, "it still runs");
}

static bool engine_is_lost(void *context, struct error *err) {
    struct stack_service *self = context;
    return board_engine_lost(&self->stack->board, err);
}

// Its death is what is hoped for; a dependency that fails meanwhile does not change that.
static bool complete(struct stack_service *self, struct error *err) {
    const struct eventually_options options = {.cancel = run_cancel(self->stack->run),
                                               .hopeless = engine_is_lost};
    if (!eventually_with(deadline_in_ms(ready_timeout_ms(self)), probe_end, self, &options, err))
        return false;
    return board_get(&self->stack->board, self->index).exit_status == 0 || !died(self, "", err);
}

static bool become_ready(struct stack_service *self, struct error *err) {
    if (is_one_shot(self))
        return complete(self, err);
    return self->plan->kind != NULL && self->host != NULL ? ready_by_kind(self, err)
                                                          : ready_without_kind(self, err);
}

static bool live(struct stack_service *self, struct error *err) {
    struct stack *stack = self->stack;
    if (!await_dependencies(self, err))
        return false;
    board_set(&stack->board, self->index, SERVICE_CREATING, NULL);
    if (!create(self, err) || !container_start(stack->engine, self->container, err) ||
        !find_address(self, err))
        return false;
    board_set(&stack->board, self->index, SERVICE_STARTING, NULL);
    return become_ready(self, err);
}

static void keep_log_tail(struct stack_service *self) {
    if (self->container == NULL)
        return;
    autodone(text) struct text tail;
    text_init(&tail, FAILURE_LOG_BYTES);
    if (container_log_tail(self->stack->engine, self->container, STACK_FAILURE_LOG_LINES, &tail,
                           NULL))
        self->log_tail = text_take(&tail);
}

// What another service lacks is not this one's failure: it could not be verified.
static bool lacks_another(struct stack_service *self) {
    struct stack *stack = self->stack;
    for (size_t i = 0; i < self->plan->dependency_count; i++)
        if (self->plan->dependencies[i].required &&
            is_lost(stack, self->plan->dependencies[i].service))
            return true;
    return lost_member(self, NULL);
}

// Whatever failed, it may have failed because the engine went away: then that is the one thing to
// say.
static void notice_lost_engine(struct stack_service *self, const struct error *problem) {
    autodone(engine_facts) struct engine_facts facts = {0};
    if (problem->domain == ERROR_CANCELLED || engine_facts(self->stack->engine, &facts, NULL))
        return;
    struct error lost = *problem;
    error_prefix(&lost, "the engine went away");
    board_lost_engine(&self->stack->board, &lost);
}

static void fail(struct stack_service *self, const struct error *problem) {
    struct board *board = &self->stack->board;
    const bool missing = problem->domain == ERROR_UNAVAILABLE && lacks_another(self) &&
                         !board_engine_lost(board, NULL) && !board_get(board, self->index).died;
    if (!missing && !board_engine_lost(board, NULL))
        notice_lost_engine(self, problem);
    keep_log_tail(self);
    board_end(board, self->index, missing ? SERVICE_MISSING : SERVICE_FAILED, problem);
}

void *stack_worker(void *service) {
    struct stack_service *self = service;
    struct board *board = &self->stack->board;
    struct error problem = {0};
    if (self->image->origin == IMAGE_NOWHERE) {
        error_set(&problem, ERROR_UNAVAILABLE, 0, "%s", self->image->why);
        board_end(board, self->index, SERVICE_MISSING, &problem);
    } else if (!live(self, &problem)) {
        fail(self, &problem);
    } else {
        board_set(board, self->index, is_one_shot(self) ? SERVICE_COMPLETED : SERVICE_READY, NULL);
    }
    return NULL;
}
