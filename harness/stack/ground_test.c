// With a scripted engine: what a real one refuses only when two runs choose at the same moment.
#include "stack/ground.h"

#include "base/memory.h"
#include "compose/plan_test_tools.h"
#include "engine/fake_engine.h"
#include "process/owner.h"

#include <criterion/criterion.h>
#include <string.h>

#define TRIES 20 // SUBNET_TRIES

static struct run *run;
static struct fake_engine *fake;
static struct engine *engine;
static struct ground ground;
static struct error err;

static void open_site(void) {
    plan_test_folder();
    struct owner self;
    char owner[OWNER_TEXT_SIZE];
    cr_assert(owner_self(&self, &err), "%s", err.message);
    owner_format(&self, owner);
    cr_assert(run_adopt("abcdefghij", "/nonexistent", owner, &run, &err), "%s", err.message);
}

static void close_site(void) {
    ground_done(&ground);
    engine_close(engine);
    fake_engine_close(fake);
    run_close(run, true);
    plan_test_leave();
}

TestSuite(ground, .init = open_site, .fini = close_site, .timeout = 30);

static void given_an_engine_that_answers(const struct fake_exchange *script) {
    cr_assert(fake_engine_open(script, &(struct fake_options){0}, &fake, &err), "%s", err.message);
    const struct engine_options options = {.host = fake_engine_host(fake)};
    cr_assert(engine_open(&options, &engine, &err), "%s", err.message);
}

#define CREATE "POST /v1.41/networks/create"
#define OVERLAPS                                                                             \
    {                                                                                        \
        CREATE, {{.bytes = FAKE_REPLY("403 Forbidden", "{\"message\":\"Pool overlaps\"}")}}, \
            FAKE_CLOSE                                                                       \
    }
#define CREATED \
    { CREATE, {{.bytes = FAKE_REPLY("201 Created", "{\"Id\":\"n1\"}")}}, FAKE_CLOSE }

static bool make(void) {
    const struct plan *plan =
        plan_test_load("services:\n  s: {image: i, networks: [front]}\n"
                       "networks:\n  front: {ipam: {config: [{subnet: 172.30.5.0/24}]}}\n");
    return ground_make(run, engine, plan, "-two", &ground, &err);
}

// The subnet in the i-th request that the engine got.
static char *subnet_asked_for(int i) {
    const char *at = fake_engine_received(fake);
    for (; i >= 0 && (at = strstr(at, "\"Subnet\":\"")) != NULL; i--)
        at += strlen("\"Subnet\":\"");
    cr_assert_not_null(at);
    return memory_copy_bytes(at, strcspn(at, "\""));
}

Test(ground, chooses_another_subnet_where_the_engine_refuses_the_first) {
    given_an_engine_that_answers((const struct fake_exchange[]){OVERLAPS, CREATED, {0}});
    cr_assert(make(), "%s", err.message);
    cr_assert_eq(ground.network_count, 1);
    cr_assert_str_eq(ground.networks[0].id, "n1");
    cr_assert_str_eq(ground.networks[0].name, "assay-abcdefghij-front-two");
    char *first = subnet_asked_for(0), *second = subnet_asked_for(1);
    cr_assert_str_neq(first, second);
    free(first);
    free(second);
}

Test(ground, gives_up_after_many_refusals_and_says_which_network) {
    struct fake_exchange script[TRIES + 1] = {{0}};
    for (int i = 0; i < TRIES; i++)
        script[i] = (struct fake_exchange)OVERLAPS;
    given_an_engine_that_answers(script);
    cr_assert(!make());
    cr_assert_eq(err.domain, ERROR_ENGINE);
    cr_assert_eq(strncmp(err.message, "compose.yaml:4:", 15), 0, "%s", err.message);
    cr_assert_not_null(strstr(err.message, "no free subnet for the network \"front\""));
    cr_assert_not_null(strstr(err.message, "Pool overlaps"));
    cr_assert_eq(fake_engine_answered(fake), TRIES);
}

Test(ground, does_not_ask_again_an_engine_that_is_gone) {
    given_an_engine_that_answers(
        (const struct fake_exchange[]){{CREATE, {{.bytes = ""}}, FAKE_CLOSE}, {0}});
    cr_assert(!make());
    cr_assert_neq(err.domain, ERROR_ENGINE, "%s", err.message);
    cr_assert_eq(fake_engine_answered(fake), 1);
}

static bool is_within_reach(const char *reply) {
    given_an_engine_that_answers((const struct fake_exchange[]){
        {"GET /v1.41/networks/n1", {{.bytes = reply}}, FAKE_CLOSE}, {0}});
    ground =
        (struct ground){.networks = memory_new(1, sizeof *ground.networks), .network_count = 1};
    ground.networks[0].id = memory_copy_string("n1");
    return ground_is_within_reach(&ground, engine);
}

#define NETWORK(config) FAKE_REPLY("200 OK", "{\"Id\":\"n1\",\"IPAM\":{\"Config\":" config "}}")

Test(ground, is_within_reach_where_this_host_has_an_address_in_the_subnet) {
    cr_assert(is_within_reach(NETWORK("[{\"Subnet\":\"127.0.0.0/8\"}]")));
}

Test(ground, is_out_of_reach_where_the_subnet_is_another_hosts) {
    cr_assert(!is_within_reach(NETWORK("[{\"Subnet\":\"198.51.100.0/24\"}]")));
}

Test(ground, is_out_of_reach_where_the_engine_names_no_subnet) {
    cr_assert(!is_within_reach(NETWORK("[{\"Subnet\":\"127.0.0.0\"}]")));
}

Test(ground, is_out_of_reach_where_the_network_is_gone) {
    cr_assert(!is_within_reach(FAKE_REPLY("404 Not Found", "{\"message\":\"no such network\"}")));
}
