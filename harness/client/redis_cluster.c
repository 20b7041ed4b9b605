#include "client/redis_cluster.h"

#include "base/check.h"
#include "base/eventually.h"
#include "base/memory.h"
#include "client/redis_node.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// More in a row means that the nodes send each other round in circles.
#define MOST_REDIRECTIONS 16
#define RETRY_PAUSE_MS 10

struct member {
    struct redis_node node;
    char *name;
};

struct redis_cluster {
    struct member **members; // by pointer: they stay where they are
    size_t count;
    struct redis_slots slots;
    redisReply *reply;    // of the last command
    redisReply **replies; // of the last pipeline
    size_t reply_count;
    uint64_t moved, asked;
};

static void forget_replies(struct redis_cluster *self) {
    if (self->reply != NULL)
        freeReplyObject(self->reply);
    self->reply = NULL;
    for (size_t i = 0; i < self->reply_count; i++)
        if (self->replies[i] != NULL)
            freeReplyObject(self->replies[i]);
    free(self->replies);
    self->replies = NULL;
    self->reply_count = 0;
}

// As the first member, but at another address.
static uint16_t add_member(struct redis_cluster *self, const struct endpoint *like,
                           const char *host, uint16_t port) {
    struct endpoint endpoint = *like;
    endpoint.host = host;
    endpoint.port = port;
    struct member *member = memory_new(1, sizeof *member);
    redis_node_init(&member->node, &endpoint);
    member->name = memory_format("%s:%u", host, port);
    self->members = memory_resize(self->members, self->count + 1, sizeof *self->members);
    self->members[self->count] = member;
    return (uint16_t)self->count++;
}

static uint16_t node_at(void *context, const char *host, uint16_t port) {
    struct redis_cluster *self = context;
    for (size_t i = 0; i < self->count; i++) {
        const struct endpoint *endpoint = &self->members[i]->node.endpoint;
        if (endpoint->port == port && strcmp(endpoint->host, host) == 0)
            return (uint16_t)i;
    }
    return add_member(self, &self->members[0]->node.endpoint, host, port);
}

static struct deadline request_deadline(const struct redis_cluster *self) {
    return deadline_in_ms(self->members[0]->node.endpoint.request_timeout_ms);
}

static bool learn_from(struct redis_cluster *self, struct redis_node *node,
                       struct deadline deadline, struct error *err) {
    redisReply *answer = NULL;
    if (!redis_node_connect(node, deadline, err))
        return false;
    if (endpoint_is_local(&node->endpoint))
        return redis_slots_assign(&self->slots, 0, REDIS_SLOT_COUNT - 1, 0);
    struct error refusal = {0};
    if (!redis_node_ask(node, WORDS("CLUSTER", "SLOTS"), deadline, &answer, &refusal)) {
        if (refusal.domain == ERROR_SERVICE && refusal.code == SERVICE_ERROR_UNSUPPORTED) {
            // No cluster at all: this server holds everything.
            const uint16_t all = node_at(self, node->endpoint.host, node->endpoint.port);
            return redis_slots_assign(&self->slots, 0, REDIS_SLOT_COUNT - 1, all);
        }
        if (err != NULL)
            *err = refusal;
        return false;
    }
    const bool learned = redis_slots_learn(&self->slots, redis_reply_of(answer),
                                           node->endpoint.host, node_at, self, err) ||
                         error_prefix(err, "%s (%s:%u)", node->endpoint.service,
                                      node->endpoint.host, node->endpoint.port);
    freeReplyObject(answer);
    return learned;
}

// Asks one member after the other, `first` before all; fails with the last one's error.
static bool refresh_by(struct redis_cluster *self, size_t first, struct deadline deadline,
                       struct error *err) {
    const size_t known = self->count; // members learned of on the way need not be asked
    for (size_t i = 0; i < known; i++) {
        struct redis_node *node = &self->members[(first + i) % known]->node;
        if (learn_from(self, node, deadline, err))
            return true;
        if (deadline_passed(deadline))
            return false;
    }
    return false;
}

bool redis_cluster_refresh(struct redis_cluster *self, struct error *err) {
    return refresh_by(self, 0, request_deadline(self), err);
}

bool redis_cluster_open(const struct kind_members *members, struct redis_cluster **ret_cluster,
                        struct error *err) {
    check(members->count > 0);
    struct redis_cluster *self = memory_new(1, sizeof *self);
    redis_slots_clear(&self->slots);
    for (size_t i = 0; i < members->count; i++)
        add_member(self, &members->endpoints[i], members->endpoints[i].host,
                   members->endpoints[i].port);
    if (!redis_cluster_refresh(self, err)) {
        redis_cluster_close(self);
        return false;
    }
    *ret_cluster = self;
    return true;
}

void redis_cluster_close(struct redis_cluster *self) {
    if (self == NULL)
        return;
    forget_replies(self);
    for (size_t i = 0; i < self->count; i++) {
        redis_node_done(&self->members[i]->node);
        free(self->members[i]->name);
        free(self->members[i]);
    }
    free(self->members);
    free(self);
}

// Where to send a command, and how.
struct route {
    size_t node;
    bool asking;
};

static struct route route_of(const struct redis_cluster *self, const struct redis_words *command) {
    const size_t key = redis_words_key(command);
    if (key == 0)
        return (struct route){.node = 0};
    const unsigned slot = redis_slot_of(command->items[key], redis_words_length(command, key));
    const uint16_t owner = self->slots.owner[slot];
    return (struct route){.node = owner != REDIS_NO_NODE ? owner : 0};
}

static void queue(struct redis_node *node, const struct redis_words *command, bool asking) {
    if (asking)
        redis_node_queue(node, WORDS("ASKING"));
    redis_node_queue(node, *command);
}

static bool receive(struct redis_node *node, bool asking, struct deadline deadline,
                    redisReply **ret_reply, struct error *err) {
    redisReply *granted = NULL;
    if (asking) {
        if (!redis_node_receive(node, deadline, &granted, err))
            return false;
        freeReplyObject(granted); // if it was refused, the command itself will say so
    }
    return redis_node_receive(node, deadline, ret_reply, err);
}

// What an answer asks for next.
enum next_step { STEP_DONE, STEP_ELSEWHERE, STEP_LATER };

static enum next_step next_step(struct redis_cluster *self, const redisReply *reply,
                                struct route *route) {
    if (reply->type != REDIS_REPLY_ERROR)
        return STEP_DONE;
    struct redis_redirection to;
    if (redis_redirection_parse(reply->str, reply->len, &to)) {
        const char *asked_host = self->members[route->node]->node.endpoint.host;
        const uint16_t node = node_at(self, to.host[0] != '\0' ? to.host : asked_host, to.port);
        if (to.ask) {
            self->asked++;
        } else {
            self->moved++;
            self->slots.owner[to.slot] = node;
        }
        *route = (struct route){.node = node, .asking = to.ask};
        return STEP_ELSEWHERE;
    }
    static const char *const passing[] = {"TRYAGAIN ", "CLUSTERDOWN ", "LOADING ", "MASTERDOWN "};
    for (size_t i = 0; i < sizeof passing / sizeof passing[0]; i++)
        if (strncmp(reply->str, passing[i], strlen(passing[i])) == 0)
            return STEP_LATER;
    return STEP_DONE;
}

// Nothing was sent yet when connecting fails, so another owner may be tried.
static bool connect_or_reroute(struct redis_cluster *self, const struct redis_words *command,
                               struct route *route, struct deadline deadline, struct error *err) {
    if (redis_node_connect(&self->members[route->node]->node, deadline, err))
        return true;
    if (route->asking || deadline_passed(deadline) ||
        !refresh_by(self, route->node + 1, deadline, NULL))
        return false;
    struct route other = route_of(self, command);
    for (size_t i = 0; redis_words_key(command) == 0 && i < self->count; i++)
        if (self->members[i]->node.context != NULL)
            other.node = i; // without a key any will do: one that just answered
    if (other.node == route->node)
        return false;
    *route = other;
    return redis_node_connect(&self->members[route->node]->node, deadline, err);
}

// After MOVED the whole map is likely to be old; after CLUSTERDOWN and the like time must pass.
static void before_next_try(struct redis_cluster *self, const struct redis_words *command,
                            enum next_step step, struct route *route, struct deadline deadline) {
    if (step == STEP_ELSEWHERE) {
        if (!route->asking)
            (void)!refresh_by(self, route->node, deadline, NULL);
        return;
    }
    const int64_t left_ms = deadline_left_ms(deadline);
    pause_ms(left_ms < RETRY_PAUSE_MS ? (int)left_ms : RETRY_PAUSE_MS, NULL);
    if (route->asking)
        return; // TRYAGAIN of a slot on the move: the same place
    (void)!refresh_by(self, route->node, deadline, NULL);
    *route = route_of(self, command);
}

// After a refusal that time may mend, a try that cannot end in time is not worth starting.
static bool worth_another_try(enum next_step step, struct deadline deadline) {
    return deadline_left_ms(deadline) > (step == STEP_LATER ? 2 * RETRY_PAUSE_MS : 0);
}

// *ret_refusal: why the last try was put off, if one was.
static bool run_command(struct redis_cluster *self, const struct redis_words *command,
                        struct deadline deadline, struct error *ret_refusal, struct error *err) {
    struct route route = route_of(self, command);
    for (int redirections = 0;;) {
        if (!connect_or_reroute(self, command, &route, deadline, err))
            return false;
        struct redis_node *node = &self->members[route.node]->node;
        redisReply *reply = NULL;
        queue(node, command, route.asking);
        if (!receive(node, route.asking, deadline, &reply, err))
            return false;
        const enum next_step step = next_step(self, reply, &route);
        redirections += step == STEP_ELSEWHERE;
        if (step == STEP_DONE || !worth_another_try(step, deadline) ||
            redirections > MOST_REDIRECTIONS) {
            self->reply = reply;
            return reply->type != REDIS_REPLY_ERROR || redis_node_refused(node, reply, err);
        }
        redis_node_refused(node, reply, ret_refusal);
        freeReplyObject(reply);
        before_next_try(self, command, step, &route, deadline);
    }
}

bool redis_cluster_command(struct redis_cluster *self, struct redis_words command,
                           const struct redis_reply **ret_reply, struct error *err) {
    struct error refusal = {0};
    forget_replies(self);
    if (run_command(self, &command, request_deadline(self), &refusal, err)) {
        if (ret_reply != NULL)
            *ret_reply = redis_reply_of(self->reply);
        return true;
    }
    // "CLUSTERDOWN" says more than that the time for trying again was up.
    if (err != NULL && err->domain == ERROR_TIMEOUT && refusal.domain != ERROR_NONE)
        *err = refusal;
    return false;
}

bool redis_cluster_node_command(struct redis_cluster *self, size_t node, struct redis_words command,
                                const struct redis_reply **ret_reply, struct error *err) {
    check(node < self->count);
    const struct deadline deadline = request_deadline(self);
    struct redis_node *to = &self->members[node]->node;
    forget_replies(self);
    if (!redis_node_connect(to, deadline, err) ||
        !redis_node_ask(to, command, deadline, &self->reply, err))
        return false;
    if (ret_reply != NULL)
        *ret_reply = redis_reply_of(self->reply);
    return true;
}

// A pipeline goes in rounds: whatever has no final answer yet is sent to where it belongs now.
struct pipeline {
    struct redis_cluster *cluster;
    const struct redis_words *commands;
    struct route *routes;
    bool *pending;
    size_t count;
};

static bool send_round(struct pipeline *self, struct deadline deadline, struct error *err) {
    // All connections first: finding another owner asks the nodes, which must not have commands
    // queued then.
    for (size_t i = 0; i < self->count; i++)
        if (self->pending[i] &&
            !connect_or_reroute(self->cluster, &self->commands[i], &self->routes[i], deadline, err))
            return false;
    for (size_t i = 0; i < self->count; i++) {
        if (!self->pending[i])
            continue;
        struct redis_node *node = &self->cluster->members[self->routes[i].node]->node;
        if (!redis_node_connect(node, deadline, err))
            return false;
        queue(node, &self->commands[i], self->routes[i].asking);
    }
    for (size_t i = 0; i < self->cluster->count; i++)
        if (self->cluster->members[i]->node.awaited > 0)
            redis_node_push(&self->cluster->members[i]->node); // so that all work at once
    return true;
}

// *ret_step: the most patient thing that any answer asks for.
static bool receive_round(struct pipeline *self, struct deadline deadline, size_t *ret_left,
                          enum next_step *ret_step, struct error *err) {
    *ret_left = 0;
    *ret_step = STEP_DONE;
    for (size_t i = 0; i < self->count; i++) {
        if (!self->pending[i])
            continue;
        redisReply **slot = &self->cluster->replies[i];
        struct redis_node *node = &self->cluster->members[self->routes[i].node]->node;
        if (*slot != NULL)
            freeReplyObject(*slot);
        *slot = NULL;
        if (!receive(node, self->routes[i].asking, deadline, slot, err))
            return error_prefix(err, "command %zu of %zu", i + 1, self->count);
        const enum next_step step = next_step(self->cluster, *slot, &self->routes[i]);
        self->pending[i] = step != STEP_DONE;
        *ret_left += self->pending[i];
        if (step > *ret_step)
            *ret_step = step;
    }
    return true;
}

static bool run_pipeline(struct pipeline *self, struct deadline deadline, struct error *err) {
    size_t left = self->count;
    for (int round = 0; left > 0; round++) {
        enum next_step step;
        if (!send_round(self, deadline, err) || !receive_round(self, deadline, &left, &step, err))
            return false;
        if (left == 0 || !worth_another_try(step, deadline) ||
            (step == STEP_ELSEWHERE && round > MOST_REDIRECTIONS))
            return true; // the refusals stand in the replies
        struct route any = {.node = 0};
        before_next_try(self->cluster, &self->commands[0], step, &any, deadline);
        for (size_t i = 0; i < self->count; i++)
            if (self->pending[i] && !self->routes[i].asking)
                self->routes[i] = route_of(self->cluster, &self->commands[i]);
    }
    return true;
}

bool redis_cluster_pipeline(struct redis_cluster *self, const struct redis_words *commands,
                            size_t count, const struct redis_reply *const **ret_replies,
                            struct error *err) {
    forget_replies(self);
    self->replies = memory_new(count + 1, sizeof *self->replies);
    self->reply_count = count;
    struct pipeline pipeline = {.cluster = self,
                                .commands = commands,
                                .routes = memory_new(count + 1, sizeof *pipeline.routes),
                                .pending = memory_new(count + 1, sizeof *pipeline.pending),
                                .count = count};
    for (size_t i = 0; i < count; i++) {
        pipeline.routes[i] = route_of(self, &commands[i]);
        pipeline.pending[i] = true;
    }
    const bool worked = run_pipeline(&pipeline, request_deadline(self), err);
    free(pipeline.routes);
    free(pipeline.pending);
    // Answers that nobody waits for any more would be taken for the next command's.
    for (size_t i = 0; i < self->count; i++)
        if (self->members[i]->node.awaited > 0)
            redis_node_disconnect(&self->members[i]->node);
    if (worked)
        *ret_replies = (const struct redis_reply *const *)self->replies;
    return worked;
}

size_t redis_cluster_node_count(const struct redis_cluster *self) {
    return self->count;
}

const char *redis_cluster_node_name(const struct redis_cluster *self, size_t node) {
    check(node < self->count);
    return self->members[node]->name;
}

bool redis_cluster_node_is(const struct redis_cluster *self, size_t node,
                           const struct endpoint *endpoint) {
    check(node < self->count);
    const struct endpoint *known = &self->members[node]->node.endpoint;
    return known->port == endpoint->port && strcmp(known->host, endpoint->host) == 0;
}

bool redis_cluster_owner(const struct redis_cluster *self, unsigned slot, size_t *ret_node) {
    check(slot < REDIS_SLOT_COUNT);
    if (self->slots.owner[slot] == REDIS_NO_NODE)
        return false;
    *ret_node = self->slots.owner[slot];
    return true;
}

uint64_t redis_cluster_moved_count(const struct redis_cluster *self) {
    return self->moved;
}

uint64_t redis_cluster_asked_count(const struct redis_cluster *self) {
    return self->asked;
}
