#include "engine/container.h"

#include "engine/fake_fixture.h"

#include <string.h>

TestSuite(container, .fini = fixture_close, .timeout = 120);

#define DELETE_X "DELETE /v1.41/containers/x?force=1&v=1"
#define INSPECT_X "GET /v1.41/containers/x/json"
#define NO_CONTENT "HTTP/1.1 204 No Content\r\n\r\n"

Test(container, counts_one_that_is_gone_as_removed) {
    fixture_open((const struct fake_exchange[]){
        {DELETE_X, {{FAKE_REPLY("404 Not Found", "{\"message\":\"No such\"}")}}, FAKE_CLOSE}, {0}});
    must(container_remove(fixture.engine, "x", &fixture.err));
}

Test(container, waits_for_a_removal_that_another_began) {
    fixture_open((const struct fake_exchange[]){
        {DELETE_X,
         {{FAKE_REPLY("409 Conflict",
                      "{\"message\":\"removal of container x is already in progress\"}")}},
         FAKE_CLOSE},
        {INSPECT_X, {{FAKE_REPLY("200 OK", "{}")}}, FAKE_CLOSE},
        {INSPECT_X, {{FAKE_REPLY("200 OK", "{}")}}, FAKE_CLOSE},
        {INSPECT_X, {{FAKE_REPLY("404 Not Found", "{\"message\":\"No such\"}")}}, FAKE_CLOSE},
        {0}});
    must(container_remove(fixture.engine, "x", &fixture.err));
    cr_expect_eq(fake_engine_answered(fixture.fake), 4);
}

Test(container, does_not_wait_when_the_engine_is_gone) {
    fixture_open((const struct fake_exchange[]){
        {DELETE_X,
         {{FAKE_REPLY("409 Conflict",
                      "{\"message\":\"removal of container x is already in progress\"}")}},
         FAKE_CLOSE},
        {INSPECT_X, {{FAKE_REPLY("500 Oops", "{\"message\":\"shutting down\"}")}}, FAKE_CLOSE},
        {0}});
    cr_assert(!container_remove(fixture.engine, "x", &fixture.err));
    cr_expect_eq(fixture.err.code, 500);
}

Test(container, reports_another_conflict_of_a_removal) {
    fixture_open((const struct fake_exchange[]){
        {DELETE_X, {{FAKE_REPLY("409 Conflict", "{\"message\":\"busy\"}")}}, FAKE_CLOSE}, {0}});
    cr_assert(!container_remove(fixture.engine, "x", &fixture.err));
    expect_domain(ERROR_ENGINE);
    expect_message("DELETE /containers/x: the engine answered 409: busy");
}

Test(container, sends_name_and_platform) {
    fixture_open((const struct fake_exchange[]){
        {"POST /v1.41/containers/create?name=a%20b&platform=linux%2Farm64 ",
         {{FAKE_REPLY("201 Created", "{\"Id\":\"abc\",\"Warnings\":[\"w\"]}")}},
         FAKE_CLOSE},
        {0}});
    json_t *body = json_pack("{s:s}", "Image", "i");
    char *id = NULL;
    must(container_create(fixture.engine, "a b", "linux/arm64", body, &id, &fixture.err));
    json_decref(body);
    cr_expect_str_eq(id, "abc");
    free(id);
}

Test(container, misses_the_id_of_a_created_one) {
    fixture_open((const struct fake_exchange[]){
        {"POST /v1.41/containers/create ", {{FAKE_REPLY("201 Created", "{\"Id\":7}")}}, FAKE_CLOSE},
        {0}});
    json_t *body = json_object();
    char *id = NULL;
    cr_expect(!container_create(fixture.engine, NULL, NULL, body, &id, &fixture.err));
    json_decref(body);
    expect_domain(ERROR_PROTOCOL);
    cr_expect_null(id);
}

Test(container, reports_why_a_wait_failed) {
    fixture_open((const struct fake_exchange[]){
        {"POST /v1.41/containers/x/wait",
         {{FAKE_REPLY("200 OK", "{\"StatusCode\":-1,\"Error\":{\"Message\":\"lost track\"}}")}},
         FAKE_CLOSE},
        {0}});
    int status = 77;
    cr_assert(!container_wait(fixture.engine, "x", 0, &status, &fixture.err));
    expect_domain(ERROR_ENGINE);
    expect_message("lost track");
    cr_expect_eq(status, 77);
}

Test(container, gives_up_waiting_after_the_engines_idle_timeout) {
    fixture_open((const struct fake_exchange[]){
        {"POST /v1.41/containers/x/wait", {{FAKE_CHUNKED}}, FAKE_HANG}, {0}});
    int status = 0;
    cr_assert(!container_wait(fixture.engine, "x", 0, &status, &fixture.err));
    expect_domain(ERROR_TIMEOUT);
}

Test(container, reads_the_state) {
    fixture_open((const struct fake_exchange[]){
        {INSPECT_X,
         {{FAKE_REPLY("200 OK", "{\"State\":{\"Running\":true,\"Paused\":true,\"OOMKilled\":true,"
                                "\"ExitCode\":9,\"Health\":{\"Status\":\"starting\"}}}")}},
         FAKE_CLOSE},
        {INSPECT_X,
         {{FAKE_REPLY("200 OK", "{\"State\":{\"Health\":{\"Status\":\"none\"}}}")}},
         FAKE_CLOSE},
        {INSPECT_X, {{FAKE_REPLY("200 OK", "{}")}}, FAKE_CLOSE},
        {0}});
    struct container_state state;
    must(container_state(fixture.engine, "x", &state, &fixture.err));
    cr_expect(state.running && state.paused && state.oom_killed);
    cr_expect_eq(state.exit_status, 9);
    cr_expect_str_eq(state.health, "starting");
    must(container_state(fixture.engine, "x", &state, &fixture.err));
    cr_expect_str_eq(state.health, "");
    cr_assert(!container_state(fixture.engine, "x", &state, &fixture.err));
    expect_domain(ERROR_PROTOCOL);
}

Test(container, counts_one_that_runs_already_as_started) {
    fixture_open((const struct fake_exchange[]){
        {"POST /v1.41/containers/x/start", {{"HTTP/1.1 304 Not Modified\r\n\r\n"}}, FAKE_KEEP},
        {"POST /v1.41/containers/x/stop?t=3", {{NO_CONTENT}}, FAKE_KEEP},
        {0}});
    must(container_start(fixture.engine, "x", &fixture.err));
    must(container_stop(fixture.engine, "x", 3, &fixture.err));
}

Test(container, misses_the_status_of_a_wait) {
    fixture_open((const struct fake_exchange[]){
        {"POST /v1.41/containers/x/wait", {{FAKE_REPLY("200 OK", "{}")}}, FAKE_CLOSE}, {0}});
    int status = 77;
    cr_assert(!container_wait(fixture.engine, "x", 0, &status, &fixture.err));
    expect_domain(ERROR_PROTOCOL);
    cr_expect_eq(status, 77);
}

#define PAUSE_X "POST /v1.41/containers/x/pause"

Test(container, asks_again_for_a_pause_that_a_busy_container_withstood) {
    fixture_open((const struct fake_exchange[]){
        {PAUSE_X, {{FAKE_REPLY("500 Oops", "{\"message\":\"unable to freeze\"}")}}, FAKE_CLOSE},
        {PAUSE_X, {{NO_CONTENT}}, FAKE_KEEP},
        {0}});
    must(container_pause(fixture.engine, "x", &fixture.err));
    cr_expect_eq(fake_engine_answered(fixture.fake), 2);
}

Test(container, does_not_ask_again_for_any_other_pause_that_failed) {
    fixture_open((const struct fake_exchange[]){
        {PAUSE_X, {{FAKE_REPLY("409 Conflict", "{\"message\":\"not running\"}")}}, FAKE_CLOSE},
        {0}});
    cr_assert(!container_pause(fixture.engine, "x", &fixture.err));
    expect_domain(ERROR_ENGINE);
    expect_message("not running");
    cr_expect_eq(fake_engine_answered(fixture.fake), 1);
}
