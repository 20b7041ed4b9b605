// What a Redis Cluster looks like from each of its members: is it ready, and how to form one.
#define _GNU_SOURCE
#include "base/memory.h"
#include "base/string_list.h"
#include "client/redis_node.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// One member and what it says.
struct witness {
    struct redis_node node;
    struct deadline deadline;
    char address[INET6_ADDRSTRLEN]; // MEET and CLUSTER NODES know addresses only
    bool standalone;                // it is no cluster node
    char *info;                     // CLUSTER INFO
    char *nodes;                    // CLUSTER NODES
    struct string_list view;        // CLUSTER NODES, normalised: comparable between members
    size_t known, unsettled;        // nodes in its view; those of them not (yet) properly linked
    size_t own_slots, all_slots;
};

static void witness_done(struct witness *self) {
    redis_node_done(&self->node);
    free(self->info);
    free(self->nodes);
    string_list_done(&self->view);
}

static bool resolve(struct witness *self, struct error *err) {
    const struct endpoint *endpoint = &self->node.endpoint;
    const struct addrinfo wanted = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    const int failure = getaddrinfo(endpoint->host, NULL, &wanted, &found);
    if (failure != 0)
        return endpoint_fail(endpoint, err, ERROR_UNAVAILABLE, 0, NULL, "no address for it: %s",
                             gai_strerror(failure));
    getnameinfo(found->ai_addr, found->ai_addrlen, self->address, sizeof self->address, NULL, 0,
                NI_NUMERICHOST);
    freeaddrinfo(found);
    return true;
}

static bool ask_for_text(struct witness *self, struct redis_words command, char **ret_text,
                         struct error *err) {
    redisReply *reply = NULL;
    if (!redis_node_ask(&self->node, command, self->deadline, &reply, err))
        return false;
    free(*ret_text);
    *ret_text = memory_copy_string(redis_reply_text(redis_reply_of(reply)));
    freeReplyObject(reply);
    return true;
}

// "5461-10922" or "77"; "[77->-…]" is a slot on the move and counted with its range.
static size_t count_slots(const char *range) {
    char *end = NULL;
    const long first = strtol(range, &end, 10);
    if (end == range)
        return 0;
    return *end == '-' ? (size_t)(strtol(end + 1, NULL, 10) - first + 1) : 1;
}

// <id> <ip:port@cport[,hostname]> <flags> <master> <ping> <pong> <epoch> <link> <slot> …
// (https://redis.io/docs/latest/commands/cluster-nodes/). What changes by itself or differs by
// who is asked (times, "myself", the link) is left out of the view.
static void read_node_line(struct witness *self, char *line) {
    char *field[8], *rest = NULL;
    size_t count = 0;
    for (char *word = strtok_r(line, " ", &rest); word != NULL && count < 8;
         word = count < 8 ? strtok_r(NULL, " ", &rest) : NULL)
        field[count++] = word;
    if (count < 8)
        return;
    const bool myself = strstr(field[2], "myself") != NULL;
    const char *role = strstr(field[2], "slave") != NULL ? "replica" : "master";
    const bool settled = strstr(field[2], "handshake") == NULL &&
                         strstr(field[2], "fail") == NULL && strstr(field[2], "noaddr") == NULL &&
                         (myself || strcmp(field[7], "connected") == 0);
    size_t slots = 0;
    const char *owned = rest != NULL ? rest : "";
    for (const char *range = owned; *range != '\0'; range += strspn(range, " ")) {
        slots += count_slots(range);
        range += strcspn(range, " ");
    }
    self->known++;
    self->unsettled += !settled;
    self->all_slots += slots;
    if (myself)
        self->own_slots = slots;
    string_list_addf(&self->view, "%s %.*s %s %s %s", field[0], (int)strcspn(field[1], "@"),
                     field[1], role, field[3], owned);
}

static void read_view(struct witness *self) {
    char *copy = memory_copy_string(self->nodes), *rest = NULL;
    string_list_done(&self->view);
    self->known = self->unsettled = self->own_slots = self->all_slots = 0;
    for (char *line = strtok_r(copy, "\r\n", &rest); line != NULL;
         line = strtok_r(NULL, "\r\n", &rest))
        read_node_line(self, line);
    string_list_sort(&self->view);
    free(copy);
}

static bool is_no_cluster(const struct error *err) {
    return err->domain == ERROR_SERVICE && err->code == SERVICE_ERROR_UNSUPPORTED;
}

// Asks this member for its view.
static bool hear(struct witness *self, struct error *err) {
    struct error refusal = {0};
    if (ask_for_text(self, WORDS("CLUSTER", "INFO"), &self->info, &refusal) &&
        ask_for_text(self, WORDS("CLUSTER", "NODES"), &self->nodes, &refusal)) {
        read_view(self);
        return true;
    }
    if (is_no_cluster(&refusal)) {
        self->standalone = true;
        char *pong = NULL;
        const bool alive = ask_for_text(self, WORDS("PING"), &pong, err);
        free(pong);
        return alive;
    }
    if (err != NULL)
        *err = refusal;
    return false;
}

static bool call_witness(struct witness *self, const struct endpoint *endpoint, struct error *err) {
    redis_node_init(&self->node, endpoint);
    self->deadline = deadline_in_ms(endpoint_request_timeout_ms(endpoint));
    return redis_node_connect(&self->node, self->deadline, err) && hear(self, err);
}

static struct witness *witnesses_new(const struct kind_members *members, struct error *err) {
    struct witness *all = memory_new(members->count + 1, sizeof *all);
    for (size_t i = 0; i < members->count; i++)
        if (!call_witness(&all[i], &members->endpoints[i], err)) {
            for (size_t j = 0; j <= i; j++)
                witness_done(&all[j]);
            free(all);
            return NULL;
        }
    return all;
}

static void witnesses_free(struct witness *all, size_t count) {
    for (size_t i = 0; i < count; i++)
        witness_done(&all[i]);
    free(all);
}

static bool not_ready(const struct witness *self, struct error *err, const char *what) {
    return endpoint_fail(&self->node.endpoint, err, ERROR_SERVICE, SERVICE_ERROR_NOT_READY, NULL,
                         "%s", what);
}

static bool info_says(const struct witness *self, const char *line) {
    return strstr(self->info, line) != NULL;
}

static bool same_view(const struct witness *left, const struct witness *right) {
    if (left->view.count != right->view.count)
        return false;
    for (size_t i = 0; i < left->view.count; i++)
        if (strcmp(left->view.items[i], right->view.items[i]) != 0)
            return false;
    return true;
}

static bool agrees(const struct witness *self, const struct witness *with, size_t count,
                   struct error *err) {
    if (self->standalone)
        return count == 1 || not_ready(self, err, "it is no cluster node (cluster-enabled is off)");
    if (!info_says(self, "cluster_state:ok"))
        return not_ready(self, err, "cluster_state is not ok");
    if (!info_says(self, "cluster_slots_assigned:16384") ||
        !info_says(self, "cluster_slots_ok:16384"))
        return not_ready(self, err, "not all of the 16384 slots are served");
    if (self->known < count || self->unsettled > 0)
        return not_ready(self, err, "it does not know all members yet");
    if (!same_view(self, with))
        return not_ready(self, err, "its view of the cluster differs from the first member's");
    return true;
}

bool redis_cluster_ready(const struct kind_members *members,
                         const struct kind_options *options unused_parameter, struct error *err) {
    struct witness *all = witnesses_new(members, err);
    if (all == NULL)
        return false;
    bool ready = true;
    for (size_t i = 0; i < members->count && ready; i++)
        ready = agrees(&all[i], &all[0], members->count, err);
    witnesses_free(all, members->count);
    return ready;
}

static bool tell(struct witness *self, struct redis_words command, struct error *err) {
    char *ignored = NULL;
    const bool told = ask_for_text(self, command, &ignored, err);
    free(ignored);
    return told;
}

// CLUSTER ADDSLOTSRANGE came with Redis 7; before, every slot is a word of its own.
static bool add_slots_one_by_one(struct witness *self, unsigned first, unsigned last,
                                 struct error *err) {
    const size_t count = last - first + 3;
    char(*numbers)[8] = memory_new(count, sizeof *numbers);
    const char **words = memory_new(count, sizeof *words);
    words[0] = "CLUSTER";
    words[1] = "ADDSLOTS";
    for (size_t i = 2; i < count; i++) {
        snprintf(numbers[i], sizeof numbers[i], "%u", first + (unsigned)i - 2);
        words[i] = numbers[i];
    }
    const bool told = tell(self, (struct redis_words){.items = words, .count = count}, err);
    free(words);
    free(numbers);
    return told;
}

// A fresh member gets its own epoch (else all start with 0 and must settle it among themselves
// later) and its share of the slots.
static bool settle(struct witness *self, size_t index, size_t count, struct error *err) {
    char epoch[24], from[8], to[8];
    unsigned first, last;
    redis_slots_share(index, count, &first, &last);
    snprintf(epoch, sizeof epoch, "%zu", index + 1);
    snprintf(from, sizeof from, "%u", first);
    snprintf(to, sizeof to, "%u", last);
    if (self->own_slots > 0 || self->all_slots >= REDIS_SLOT_COUNT)
        return true;
    if (self->known == 1 && info_says(self, "cluster_my_epoch:0\r") &&
        !tell(self, WORDS("CLUSTER", "SET-CONFIG-EPOCH", epoch), err))
        return false;
    struct error refusal = {0};
    if (tell(self, WORDS("CLUSTER", "ADDSLOTSRANGE", from, to), &refusal))
        return true;
    if (refusal.code == SERVICE_ERROR_UNSUPPORTED || refusal.code == SERVICE_ERROR_SYNTAX)
        return add_slots_one_by_one(self, first, last, err);
    if (err != NULL)
        *err = refusal;
    return false;
}

static bool knows(const struct witness *self, const struct witness *other) {
    char address[INET6_ADDRSTRLEN + 16];
    snprintf(address, sizeof address, " %s:%u@", other->address, other->node.endpoint.port);
    return strstr(self->nodes, address) != NULL;
}

// Every pair by itself: quicker than waiting until gossip has spread from one.
static bool introduce(struct witness *self, const struct witness *other, struct error *err) {
    char port[8];
    snprintf(port, sizeof port, "%u", other->node.endpoint.port);
    return knows(self, other) || tell(self, WORDS("CLUSTER", "MEET", other->address, port), err);
}

static bool form(struct witness *all, size_t count, struct error *err) {
    for (size_t i = 0; i < count; i++) {
        if (all[i].standalone)
            return count == 1 ||
                   not_ready(&all[i], err, "it is no cluster node (cluster-enabled is off)");
        if (all[i].known > count)
            return endpoint_fail(&all[i].node.endpoint, err, ERROR_SERVICE, SERVICE_ERROR_CONFLICT,
                                 NULL,
                                 "it knows %zu nodes, but only %zu belong together: it is part of "
                                 "another cluster already",
                                 all[i].known, count);
    }
    for (size_t i = 0; i < count; i++) {
        if (!resolve(&all[i], err) || !settle(&all[i], i, count, err))
            return false;
    }
    for (size_t i = 0; i < count; i++)
        for (size_t j = i + 1; j < count; j++)
            if (!introduce(&all[i], &all[j], err))
                return false;
    for (size_t i = 0; i < count; i++)
        if (all[i].known != count || all[i].unsettled > 0 || all[i].all_slots != REDIS_SLOT_COUNT)
            return not_ready(&all[i], err, "the members are getting to know each other");
    return true;
}

bool redis_cluster_form(const struct kind_members *members,
                        struct kind_formed *formed unused_parameter, struct error *err) {
    struct witness *all = witnesses_new(members, err);
    if (all == NULL)
        return false;
    const bool done = form(all, members->count, err);
    witnesses_free(all, members->count);
    return done;
}

static bool copy_field(const char *info, const char *name, char *buffer, size_t size) {
    const char *found = strstr(info, name);
    if (found == NULL)
        return false;
    found += strlen(name);
    snprintf(buffer, size, "%.*s", (int)strcspn(found, "\r\n"), found);
    return true;
}

bool redis_cluster_identify(const struct endpoint *endpoint, char *buffer, size_t size,
                            struct error *err) {
    struct witness one = {0};
    redis_node_init(&one.node, endpoint);
    one.deadline = deadline_in_ms(one.node.endpoint.request_timeout_ms);
    char version[32] = "";
    bool known = redis_node_connect(&one.node, one.deadline, err) &&
                 ask_for_text(&one, WORDS("INFO", "server"), &one.info, err);
    if (known && copy_field(one.info, "valkey_version:", version, sizeof version))
        snprintf(buffer, size, "Valkey %s", version);
    else if (known && copy_field(one.info, "redis_version:", version, sizeof version))
        snprintf(buffer, size, "Redis %s", version);
    else if (known)
        known = endpoint_fail(endpoint, err, ERROR_PROTOCOL, 0, NULL, "INFO names no version");
    witness_done(&one);
    return known;
}
