// With a scripted engine, whose event stream breaks when the script says so.
#include "stack/stack_parts.h"

#include "base/clock.h"
#include "base/eventually.h"
#include "base/memory.h"
#include "engine/fake_engine.h"
#include "process/owner.h"

#include <criterion/criterion.h>
#include <string.h>

static struct fake_engine *fake;
static struct stack stack;
static struct stack_service services[3];
static struct error err;

static void open_site(void) {
    static char web[] = "web", db[] = "db";
    struct owner self;
    char owner[OWNER_TEXT_SIZE];
    cr_assert(owner_self(&self, &err), "%s", err.message);
    owner_format(&self, owner);
    stack = (struct stack){.services = services, .service_count = 3};
    cr_assert(run_adopt("abcdefghij", "/nonexistent", owner, &stack.run, &err), "%s", err.message);
    pthread_mutex_init(&stack.created_lock, NULL);
    board_init(&stack.board, 3);
    for (size_t i = 0; i < 3; i++)
        services[i] = (struct stack_service){.stack = &stack, .index = i};
    services[0].container = web;
    services[1].container = db; // the third is not created yet
    board_set(&stack.board, 0, SERVICE_STARTING, NULL);
    board_set(&stack.board, 1, SERVICE_STARTING, NULL);
}

static void close_site(void) {
    stack_watch_stop(&stack);
    engine_close(stack.engine);
    fake_engine_close(fake);
    board_done(&stack.board);
    run_close(stack.run, true);
}

TestSuite(watch, .init = open_site, .fini = close_site, .timeout = 60);

static void given_an_engine_that_answers(const struct fake_exchange *script) {
    cr_assert(fake_engine_open(script, &(struct fake_options){0}, &fake, &err), "%s", err.message);
    const struct engine_options options = {.host = fake_engine_host(fake)};
    cr_assert(engine_open(&options, &stack.engine, &err), "%s", err.message);
}

#define EVENTS "GET /v1.41/events"
#define CHUNK(length, json) length "\r\n" json "\r\n"
#define STATE(json) FAKE_REPLY("200 OK", "{\"State\":" json "}")

static bool has_died(size_t service) {
    const struct deadline deadline = deadline_in_ms(10000);
    while (!board_get(&stack.board, service).died && !deadline_passed(deadline))
        pause_ms(5, NULL);
    return board_get(&stack.board, service).died;
}

Test(watch, hears_of_a_death_and_leaves_what_is_not_ours_alone) {
    given_an_engine_that_answers((const struct fake_exchange[]){
        {EVENTS,
         {{.bytes = FAKE_CHUNKED},
          {.bytes = CHUNK("5b",
                          "{\"Type\":\"container\",\"Action\":\"die\",\"Actor\":{\"ID\":\"foreign\""
                          ",\"Attributes\":{\"exitCode\":\"1\"}}}\n")},
          {.bytes =
               CHUNK("56", "{\"Type\":\"container\",\"Action\":\"die\",\"Actor\":{\"ID\":\"db\",\""
                           "Attributes\":{\"exitCode\":\"7\"}}}\n")}},
         FAKE_HANG},
        {0}});
    cr_assert(stack_watch_start(&stack, &err), "%s", err.message);
    cr_assert(has_died(1));
    cr_assert_eq(board_get(&stack.board, 1).exit_status, 7);
    cr_assert_not(board_get(&stack.board, 0).died);
}

// Between the break and the new stream nobody tells of a death: each container is asked.
Test(watch, asks_what_happened_while_the_stream_was_broken) {
    given_an_engine_that_answers((const struct fake_exchange[]){
        {EVENTS, {{.bytes = FAKE_CHUNKED}, {.bytes = "", .delay_ms = 50}}, FAKE_CLOSE},
        {"GET /v1.41/containers/web/json", {{.bytes = STATE("{\"Running\":true}")}}, FAKE_CLOSE},
        {"GET /v1.41/containers/db/json",
         {{.bytes = STATE("{\"Running\":false,\"ExitCode\":137,\"OOMKilled\":true}")}},
         FAKE_CLOSE},
        {EVENTS, {{.bytes = FAKE_CHUNKED}}, FAKE_HANG},
        {0}});
    cr_assert(stack_watch_start(&stack, &err), "%s", err.message);
    cr_assert(has_died(1));
    const struct board_entry db = board_get(&stack.board, 1);
    cr_assert_eq(db.exit_status, 137);
    cr_assert(db.oom_killed);
    cr_assert_not(board_get(&stack.board, 0).died);
    cr_assert_not(board_engine_lost(&stack.board, NULL));
    stack_watch_stop(&stack);
    cr_assert_str_eq(fake_engine_surprise(fake), "");
}

Test(watch, does_not_start_on_an_engine_that_went_away) {
    given_an_engine_that_answers((const struct fake_exchange[]){{0}});
    fake_engine_close(fake);
    fake = NULL;
    cr_assert(!stack_watch_start(&stack, &err));
    cr_assert_not_null(strstr(err.message, "the engine went away"), "%s", err.message);
    cr_assert(board_engine_lost(&stack.board, NULL));
}
