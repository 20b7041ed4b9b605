// A Redis Cluster of three masters: values, slots and redirections, pipelines, and a lost master.
#include "base/memory.h"
#include "engine/container.h"
#include "scenario/clients.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct scenario *scenario;
static struct redis_cluster *redis;
static const struct redis_reply *reply;

static void open_scenario(void) {
    scenario = scenario_open();
}

static void close_scenario(void) {
    scenario_close(scenario);
}

TestSuite(redis_cluster, .init = open_scenario, .fini = close_scenario,
          .timeout = 120); // losing a master and getting it back takes its time

static const char *given_a_key(void) {
    redis = scenario_redis_cluster(scenario, "redis");
    return scenario_unique(scenario, "key");
}

#define command(...) must(redis_cluster_command(redis, WORDS(__VA_ARGS__), &reply, err))

static void says(const char *expected) {
    cr_assert_str_eq(redis_reply_text(reply), expected);
}

// "<name>-0", "<name>-1", …: spread over all nodes.
static const char *numbered(const char *name, int number) {
    char *key = memory_format("%s-%d", name, number);
    scenario_own(scenario, key, free);
    return key;
}

static size_t node_of(const char *key) {
    size_t node = 0;
    cr_assert(redis_cluster_owner(redis, redis_slot_of(key, strlen(key)), &node));
    return node;
}

static void on_node(size_t node, struct redis_words words) {
    must(redis_cluster_node_command(redis, node, words, &reply, err));
}

// The node's name for itself, as SETSLOT wants it.
static const char *id_of(size_t node) {
    on_node(node, WORDS("CLUSTER", "MYID"));
    char *id = memory_copy_string(redis_reply_text(reply));
    scenario_own(scenario, id, free);
    return id;
}

// A client of these members that waits for an answer `ms` at most.
static struct redis_cluster *impatient(struct kind_members members) {
    struct endpoint *endpoints = memory_new(members.count, sizeof *endpoints);
    scenario_own(scenario, endpoints, free);
    for (size_t i = 0; i < members.count; i++)
        endpoints[i] = *scenario_impatient(scenario, &members.endpoints[i]);
    members.endpoints = endpoints;
    return scenario_redis_cluster_at(scenario, &members);
}

// ---- values -------------------------------------------------------------------------------------

Test(redis_cluster, is_the_product_that_the_report_names) {
    const struct kind_members members = scenario_members(scenario, "redis");
    char product[128];
    must(redis_cluster_identify(&members.endpoints[0], product, sizeof product, err));
    cr_assert_str_eq(product, scenario_product(scenario, members.endpoints[0].service));
}

static void round_trips(size_t length) {
    const char *key = given_a_key();
    char *bytes = memory_new(length, 1);
    scenario_own(scenario, bytes, free);
    for (size_t i = 0; i < length; i++)
        bytes[i] = (char)(i * 31 + i / 251);
    const char *const words[] = {"SET", key, bytes};
    const size_t lengths[] = {3, strlen(key), length};
    const struct redis_words set = {.items = words, .lengths = lengths, .count = 3};
    must(redis_cluster_command(redis, set, &reply, err));
    command("GET", key);
    cr_assert_eq(redis_reply_length(reply), length);
    cr_assert_eq(memcmp(redis_reply_text(reply), bytes, length), 0);
}

Test(redis_cluster, keeps_every_byte_of_a_value) {
    round_trips(256 * 251);
}

Test(redis_cluster, carries_sixteen_megabytes_in_one_value) {
    round_trips((size_t)16 * 1024 * 1024);
}

Test(redis_cluster, tells_null_from_empty) {
    const char *key = given_a_key();
    command("GET", key);
    cr_assert_eq(redis_reply_type(reply), REDIS_REPLY_IS_NULL);
    command("SET", key, "");
    command("GET", key);
    cr_assert_eq(redis_reply_type(reply), REDIS_REPLY_IS_TEXT);
    says("");
}

Test(redis_cluster, keeps_hashes_lists_and_sorted_sets) {
    const char *key = given_a_key();
    command("HSET", numbered(key, 1), "größe", "日本語 🚀", "b", "2");
    command("HGET", numbered(key, 1), "größe");
    says("日本語 🚀");
    command("RPUSH", numbered(key, 2), "a", "b", "c");
    command("LRANGE", numbered(key, 2), "1", "-1");
    cr_assert_eq(redis_reply_count(reply), 2);
    cr_assert_str_eq(redis_reply_text(redis_reply_at(reply, 1)), "c");
    command("ZADD", numbered(key, 3), "2.5", "high", "-1", "low");
    command("ZRANGE", numbered(key, 3), "0", "0");
    cr_assert_str_eq(redis_reply_text(redis_reply_at(reply, 0)), "low");
}

Test(redis_cluster, refuses_a_command_for_another_type) {
    const char *key = given_a_key();
    command("SET", key, "text");
    must_fail(redis_cluster_command(redis, WORDS("LPUSH", key, "x"), NULL, err), ERROR_SERVICE,
              SERVICE_ERROR_OTHER);
    cr_assert_str_eq(err->reference, "WRONGTYPE");
}

Test(redis_cluster, forgets_a_key_when_its_time_is_up) {
    const char *key = given_a_key();
    command("SET", key, "soon gone", "PX", "60");
    must_become(redis_cluster_command(redis, WORDS("EXISTS", key), &reply, err) &&
                    redis_reply_integer(reply) == 0,
                2000);
}

Test(redis_cluster, sets_only_what_is_not_set_yet) {
    const char *key = given_a_key();
    command("SET", key, "first", "NX");
    says("OK");
    command("SET", key, "second", "NX");
    cr_assert_eq(redis_reply_type(reply), REDIS_REPLY_IS_NULL);
    command("GET", key);
    says("first");
}

Test(redis_cluster, loses_no_increment_of_eight_clients) {
    const char *key = given_a_key();
    struct redis_cluster *clients[8];
    for (size_t i = 0; i < 8; i++)
        clients[i] = scenario_redis_cluster(scenario, "redis");
    for (int round = 0; round < 100; round++)
        for (size_t i = 0; i < 8; i++)
            must(redis_cluster_command(clients[i], WORDS("INCR", key), NULL, err));
    command("GET", key);
    says("800");
}

// ---- transactions and scripts -------------------------------------------------------------------

Test(redis_cluster, gives_up_a_transaction_when_a_watched_key_changed) {
    const char *key = given_a_key();
    command("SET", key, "1");
    const size_t node = node_of(key);
    on_node(node, WORDS("WATCH", key));
    must(redis_cluster_command(scenario_redis_cluster(scenario, "redis"), WORDS("INCR", key), NULL,
                               err));
    on_node(node, WORDS("MULTI"));
    on_node(node, WORDS("SET", key, "lost"));
    on_node(node, WORDS("EXEC"));
    cr_assert_eq(redis_reply_type(reply), REDIS_REPLY_IS_NULL);
    command("GET", key);
    says("2");
}

Test(redis_cluster, runs_a_script_where_its_key_lives) {
    const char *key = given_a_key();
    for (int i = 0; i < 30; i++) {
        command("EVAL", "return redis.call('INCRBY', KEYS[1], ARGV[1])", "1", numbered(key, i),
                "7");
        cr_assert_eq(redis_reply_integer(reply), 7);
    }
    cr_assert_eq(redis_cluster_moved_count(redis), 0);
}

// ---- slots --------------------------------------------------------------------------------------

Test(redis_cluster, serves_every_slot_and_no_node_has_them_all) {
    given_a_key();
    size_t slots_of[8] = {0}, node = 0;
    for (unsigned slot = 0; slot < REDIS_SLOT_COUNT; slot++) {
        cr_assert(redis_cluster_owner(redis, slot, &node), "nobody serves slot %u", slot);
        slots_of[node]++;
    }
    cr_assert_eq(redis_cluster_node_count(redis), 3);
    for (node = 0; node < 3; node++)
        cr_assert(slots_of[node] >= REDIS_SLOT_COUNT / 3 && slots_of[node] <= REDIS_SLOT_COUNT / 2);
}

Test(redis_cluster, agrees_with_the_server_on_a_keys_slot) {
    const char *key = given_a_key();
    const char *const keys[] = {key, "", "{tag}rest", "no{}tag", "{open", "größe", "a}b{c}d"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        command("CLUSTER", "KEYSLOT", keys[i]);
        cr_assert_eq(redis_reply_integer(reply), redis_slot_of(keys[i], strlen(keys[i])), "%s",
                     keys[i]);
    }
}

Test(redis_cluster, a_wrong_node_names_the_right_one) {
    const char *key = given_a_key();
    const size_t right = node_of(key), wrong = (right + 1) % 3;
    must_fail(redis_cluster_node_command(redis, wrong, WORDS("GET", key), NULL, err), ERROR_SERVICE,
              SERVICE_ERROR_OTHER);
    cr_assert_str_eq(err->reference, "MOVED");
    cr_assert_not_null(strstr(err->message, redis_cluster_node_name(redis, right)), "%s",
                       err->message);
}

Test(redis_cluster, takes_keys_of_one_tag_together_and_of_two_not) {
    const char *key = given_a_key();
    char *one = memory_format("{%s}one", key), *two = memory_format("{%s}two", key);
    scenario_own(scenario, one, free);
    scenario_own(scenario, two, free);
    command("MSET", one, "1", two, "2");
    command("MGET", one, two);
    cr_assert_str_eq(redis_reply_text(redis_reply_at(reply, 1)), "2");
    must_fail(
        redis_cluster_command(redis, WORDS("MGET", numbered(key, 1), numbered(key, 2)), NULL, err),
        ERROR_SERVICE, SERVICE_ERROR_OTHER);
    cr_assert_str_eq(err->reference, "CROSSSLOT");
}

Test(redis_cluster, answers_a_pipeline_in_the_order_asked) {
    const char *key = given_a_key();
    enum { COUNT = 3000 };
    struct redis_words *commands = memory_new(COUNT, sizeof *commands);
    const char *(*words)[3] = memory_new(COUNT, sizeof *words);
    scenario_own(scenario, commands, free);
    scenario_own(scenario, words, free);
    for (int i = 0; i < COUNT; i++) {
        const char *name = numbered(key, i / 2);
        words[i][0] = i % 2 == 0 ? "SET" : "GET";
        words[i][1] = words[i][2] = name;
        commands[i] = (struct redis_words){.items = words[i], .count = i % 2 == 0 ? 3 : 2};
    }
    const struct redis_reply *const *replies = NULL;
    must(redis_cluster_pipeline(redis, commands, COUNT, &replies, err));
    for (int i = 0; i < COUNT; i++)
        cr_assert_str_eq(redis_reply_text(replies[i]), i % 2 == 0 ? "OK" : words[i][1]);
}

Test(redis_cluster, tells_one_commands_error_in_a_pipeline_from_the_others) {
    const char *key = given_a_key();
    const struct redis_words commands[] = {WORDS("SET", key, "x"), WORDS("INCR", key),
                                           WORDS("GET", key)};
    const struct redis_reply *const *replies = NULL;
    must(redis_cluster_pipeline(redis, commands, 3, &replies, err));
    must(redis_reply_check(replies[0], err));
    must_fail(redis_reply_check(replies[1], err), ERROR_SERVICE, SERVICE_ERROR_OTHER);
    cr_assert_str_eq(redis_reply_text(replies[2]), "x");
}

// ---- on the move --------------------------------------------------------------------------------

static struct spare *given_a_cluster_of_its_own(void) {
    struct spare *spare = scenario_spare(scenario, "redis");
    redis = impatient(spare_members(spare));
    cr_assert_not_null(redis, "%s", err->message);
    return spare;
}

// Slot of `key`: from its node to the next, not finished yet.
static void given_a_slot_on_the_move(const char *key, size_t *ret_from, size_t *ret_to) {
    *ret_from = node_of(key);
    *ret_to = (*ret_from + 1) % 3;
    const char *from = id_of(*ret_from), *to = id_of(*ret_to);
    char *slot = memory_format("%u", redis_slot_of(key, strlen(key)));
    scenario_own(scenario, slot, free);
    on_node(*ret_to, WORDS("CLUSTER", "SETSLOT", slot, "IMPORTING", from));
    on_node(*ret_from, WORDS("CLUSTER", "SETSLOT", slot, "MIGRATING", to));
}

Test(redis_cluster, follows_a_key_that_is_being_moved) {
    given_a_cluster_of_its_own();
    size_t from, to;
    given_a_slot_on_the_move("wanderer", &from, &to);
    command("SET", "wanderer", "written while moving"); // not there yet, so asked at the new place
    cr_assert_eq(redis_cluster_asked_count(redis), 1);
    on_node(to, WORDS("ASKING"));
    on_node(to, WORDS("GET", "wanderer"));
    says("written while moving");
}

Test(redis_cluster, learns_where_a_slot_has_moved_to) {
    struct spare *spare = given_a_cluster_of_its_own();
    struct redis_cluster *late = impatient(spare_members(spare)); // learns the map now
    cr_assert_not_null(late, "%s", err->message);
    size_t from, to;
    given_a_slot_on_the_move("mover", &from, &to);
    char slot[8];
    snprintf(slot, sizeof slot, "%u", redis_slot_of("mover", 5));
    const char *owner = id_of(to);
    on_node(to, WORDS("CLUSTER", "SETSLOT", slot, "NODE", owner));
    on_node(from, WORDS("CLUSTER", "SETSLOT", slot, "NODE", owner));
    must(redis_cluster_command(late, WORDS("SET", "mover", "here"), NULL, err));
    cr_assert_eq(redis_cluster_moved_count(late), 1);
    must(redis_cluster_command(late, WORDS("GET", "mover"), &reply, err));
    says("here");
    cr_assert_eq(redis_cluster_moved_count(late), 1, "the map was not learned");
}

// ---- faults -------------------------------------------------------------------------------------

// A key that lives on the member.
static const char *key_on(struct spare *spare, size_t member) {
    for (int i = 0;; i++) {
        const char *key = numbered("probe", i);
        if (redis_cluster_node_is(redis, node_of(key), spare_endpoint(spare, member)))
            return key;
    }
}

static bool works(const char *key) {
    return redis_cluster_command(redis, WORDS("SET", key, "x"), NULL, err);
}

Test(redis_cluster, a_lost_master_stops_the_cluster_until_it_is_back) {
    struct spare *spare = given_a_cluster_of_its_own();
    const char *lost = key_on(spare, 1), *kept = key_on(spare, 0);
    redis = impatient(spare_members(spare));
    command("SET", lost, "x");
    must(container_kill(scenario_engine(scenario), spare_container(spare, 1), "KILL", err));
    must_fail(redis_cluster_command(redis, WORDS("SET", lost, "x"), NULL, err), ERROR_UNAVAILABLE,
              0);
    must_become(!works(kept) && err->code == SERVICE_ERROR_NOT_READY, 15000); // CLUSTERDOWN
    const struct kind_members members = spare_members(spare);
    cr_assert_not(redis_cluster_ready(&members, &(struct kind_options){0}, err));
    must(container_start(scenario_engine(scenario), spare_container(spare, 1), err));
    must_become(works(lost) && works(kept), 15000);
}

Test(redis_cluster, a_paused_master_is_noticed_in_time) {
    struct spare *spare = given_a_cluster_of_its_own();
    const char *key = key_on(spare, 2);
    redis = impatient(spare_members(spare));
    command("SET", key, "x");
    must(container_pause(scenario_engine(scenario), spare_container(spare, 2), err));
    must_fail(redis_cluster_command(redis, WORDS("SET", key, "x"), NULL, err), ERROR_TIMEOUT, 0);
    must(container_unpause(scenario_engine(scenario), spare_container(spare, 2), err));
    must_become(works(key), 10000);
}

Test(redis_cluster, refuses_a_wrong_password) {
    struct endpoint one = scenario_members(scenario, "redis").endpoints[0];
    const struct kind_members members = {.endpoints = scenario_wrong_password(scenario, &one),
                                         .count = 1};
    cr_assert_null(scenario_redis_cluster_at(scenario, &members));
    cr_assert_eq(err->domain, ERROR_SERVICE, "%s", err->message);
    cr_assert_eq(err->code, SERVICE_ERROR_LOGIN, "%s", err->message);
}

Test(redis_cluster, a_listener_that_says_nothing_is_noticed_in_time) {
    const struct endpoint one = scenario_members(scenario, "redis").endpoints[0];
    const struct kind_members members = {.endpoints = scenario_silent_server(scenario, &one),
                                         .count = 1};
    cr_assert_null(impatient(members));
    cr_assert_eq(err->domain, ERROR_TIMEOUT, "%s", err->message);
}

Test(redis_cluster, a_port_where_nobody_listens_is_noticed_at_once) {
    const struct endpoint one = scenario_members(scenario, "redis").endpoints[0];
    const struct kind_members members = {.endpoints = scenario_dead_server(scenario, &one),
                                         .count = 1};
    cr_assert_null(scenario_redis_cluster_at(scenario, &members));
    cr_assert_eq(err->domain, ERROR_UNAVAILABLE, "%s", err->message);
}
