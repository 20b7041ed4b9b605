#include "engine/request.h"

#include "base/clock.h"
#include "base/eventually.h"
#include "base/memory.h"
#include "engine/fake_fixture.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

TestSuite(request, .fini = fixture_close, .timeout = 120);

#define GET_X "GET /v1.41/x"
#define POST_X "POST /v1.41/x"

static const struct request get_x = {.method = "GET", .path = "/x"};
static const struct request post_x = {.method = "POST", .path = "/x"};

// Opens an engine that answers one GET /x so, and asks it for JSON.
static bool ask(struct fake_piece piece, enum fake_ending ending) {
    const struct fake_exchange script[] = {{GET_X, {piece}, ending}, {0}};
    fixture_open(script);
    json_t *json = NULL;
    const bool done = request_json(fixture.engine, &get_x, &json, &fixture.err);
    json_decref(json);
    return done;
}

#define ask_text(text, ending) ask((struct fake_piece){.bytes = (text)}, (ending))

Test(request, gives_the_json_of_a_reply) {
    cr_assert(ask_text(FAKE_REPLY("200 OK", "{\"a\": 1}"), FAKE_CLOSE));
}

// ---- the engine says no

Test(request, hands_over_the_engines_own_message) {
    cr_assert(
        !ask_text(FAKE_REPLY("409 Conflict", "{\"message\":\"Name in use.\\n\"}"), FAKE_CLOSE));
    expect_domain(ERROR_ENGINE);
    cr_expect_eq(fixture.err.code, 409);
    cr_expect_str_eq(fixture.err.message, "GET /x: the engine answered 409: Name in use");
}

Test(request, reports_a_refusal_without_a_message) {
    cr_assert(!ask_text(FAKE_REPLY("500 Internal Server Error", ""), FAKE_CLOSE));
    expect_domain(ERROR_ENGINE);
    cr_expect_eq(fixture.err.code, 500);
}

Test(request, tells_a_proxys_error_page_from_the_engines_refusal) {
    cr_assert(!ask_text(FAKE_REPLY("502 Bad Gateway", "<html>\nBad Gateway"), FAKE_CLOSE));
    expect_domain(ERROR_PROTOCOL);
    cr_expect_eq(fixture.err.code, 502);
    expect_message("<html>\\nBad Gateway");
}

Test(request, does_not_follow_a_redirect) {
    cr_assert(!ask_text("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n"
                        "Content-Length: 0\r\n\r\n",
                        FAKE_CLOSE));
    expect_domain(ERROR_PROTOCOL);
    cr_expect_eq(fixture.err.code, 302);
}

Test(request, cuts_an_error_body_without_end) {
    static char kilobyte[1024];
    memset(kilobyte, 'e', sizeof kilobyte);
    const struct fake_exchange script[] = {
        {GET_X,
         {{FAKE_REPLY("500 Oops", "")}, {.bytes = kilobyte, .length = 1024, .times = 1000000}},
         FAKE_CLOSE},
        {0}};
    fixture_open(script);
    cr_assert(!request_perform(fixture.engine, &get_x, &fixture.err));
    expect_domain(ERROR_PROTOCOL);
    expect_message("eeee");
}

// ---- the engine breaks the protocol

Test(request, shows_html_where_json_was_due) {
    cr_assert(!ask_text(FAKE_REPLY("200 OK", "<!DOCTYPE html>"), FAKE_CLOSE));
    expect_domain(ERROR_PROTOCOL);
    expect_message("not JSON");
    expect_message("<!DOCTYPE html>");
}

Test(request, shows_garbage_escaped_and_cut) {
    static char garbage[600];
    memset(garbage, '\xfe', sizeof garbage);
    memcpy(garbage, "\x1b[2Jboo", 7);
    const struct fake_exchange script[] = {
        {GET_X, {{FAKE_REPLY("200 OK", "")}, {.bytes = garbage, .length = 600}}, FAKE_CLOSE}, {0}};
    fixture_open(script);
    json_t *json = NULL;
    cr_assert(!request_json(fixture.engine, &get_x, &json, &fixture.err));
    expect_domain(ERROR_PROTOCOL);
    expect_message("\\x1b[2Jboo\\xfe\\xfe");
    cr_expect(strlen(fixture.err.message) < 1000);
}

Test(request, misses_an_empty_reply_where_json_was_due) {
    cr_assert(!ask_text(FAKE_REPLY("200 OK", ""), FAKE_CLOSE));
    expect_domain(ERROR_PROTOCOL);
    expect_message("it is empty");
}

Test(request, notices_a_body_that_is_cut_short) {
    cr_assert(!ask_text("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{\"half\":", FAKE_CLOSE));
    expect_domain(ERROR_PROTOCOL);
    expect_message("cut short");
}

Test(request, notices_a_truncated_chunk) {
    cr_assert(!ask_text(FAKE_CHUNKED "40\r\n{\"half\":", FAKE_CLOSE));
    expect_domain(ERROR_PROTOCOL);
    expect_message("cut short");
}

Test(request, notices_that_the_last_chunk_is_missing) {
    cr_assert(!ask_text(FAKE_CHUNKED "2\r\n{}\r\n", FAKE_CLOSE));
    expect_domain(ERROR_PROTOCOL);
    expect_message("cut short");
}

Test(request, notices_a_chunk_size_that_is_none) {
    cr_assert(!ask_text(FAKE_CHUNKED "zz\r\n{}\r\n0\r\n\r\n", FAKE_CLOSE));
    expect_domain(ERROR_PROTOCOL);
}

Test(request, notices_headers_without_end) {
    const struct fake_exchange script[] = {
        {GET_X,
         {{"HTTP/1.1 200 OK\r\n"}, {.bytes = "X-More: and more\r\n", .times = 10000000}},
         FAKE_CLOSE},
        {0}};
    fixture_open(script);
    cr_assert(!request_perform(fixture.engine, &get_x, &fixture.err));
    expect_domain(ERROR_PROTOCOL);
    expect_message("headers pass");
}

Test(request, bounds_the_memory_of_a_huge_reply) {
    static char kilobyte[1024];
    memset(kilobyte, ' ', sizeof kilobyte);
    const struct fake_exchange script[] = {
        {GET_X,
         {{FAKE_REPLY("200 OK", "[")}, {.bytes = kilobyte, .length = 1024, .times = 1000000}},
         FAKE_CLOSE},
        {0}};
    fixture_open(script);
    json_t *json = NULL;
    cr_assert(!request_json(fixture.engine, &get_x, &json, &fixture.err));
    expect_domain(ERROR_PROTOCOL);
    expect_message("passes 64 MiB");
}

// ---- time

Test(request, gives_up_when_the_engine_falls_silent_in_a_body) {
    const int64_t begun_us = clock_monotonic_us();
    cr_assert(!ask_text("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{", FAKE_HANG));
    expect_domain(ERROR_TIMEOUT);
    cr_expect((clock_monotonic_us() - begun_us) / 1000 < FIXTURE_IDLE_MS + 500);
}

Test(request, bears_with_an_engine_that_is_slow_but_not_silent) {
    const struct fake_exchange script[] = {{GET_X,
                                            {{"HTTP/1.1 200 OK\r\n", .delay_ms = 200},
                                             {"Content-Length: 2\r\n\r\n", .delay_ms = 200},
                                             {"{", .delay_ms = 200},
                                             {"}", .delay_ms = 200}},
                                            FAKE_KEEP},
                                           {0}};
    fixture_open(script);
    json_t *json = NULL;
    must(request_json(fixture.engine, &get_x, &json, &fixture.err));
    json_decref(json);
}

Test(request, ends_with_its_own_deadline_however_busy_the_engine) {
    static const char drop[] = "x";
    const struct fake_exchange script[] = {{GET_X,
                                            {{"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"},
                                             {drop, .delay_ms = 150},
                                             {drop, .delay_ms = 150},
                                             {drop, .delay_ms = 150},
                                             {drop, .delay_ms = 150}},
                                            FAKE_HANG},
                                           {0}};
    fixture_open(script);
    struct request request = get_x;
    request.timeout_ms = 400;
    cr_assert(!request_perform(fixture.engine, &request, &fixture.err));
    expect_domain(ERROR_TIMEOUT);
    expect_message("not done within 400 ms");
}

static void *cancel_soon(void *context) {
    pause_ms(50, NULL);
    cancel_request(context);
    return NULL;
}

Test(request, ends_at_once_when_it_is_cancelled) {
    struct cancel cancel;
    pthread_t thread;
    fixture_open((const struct fake_exchange[]){{GET_X, {{0}}, FAKE_HANG}, {0}});
    must(cancel_init(&cancel, &fixture.err));
    struct request request = get_x;
    request.cancel = &cancel;
    const int64_t begun_us = clock_monotonic_us();
    pthread_create(&thread, NULL, cancel_soon, &cancel);
    cr_assert(!request_perform(fixture.engine, &request, &fixture.err));
    const int64_t took_ms = (clock_monotonic_us() - begun_us) / 1000;
    expect_domain(ERROR_CANCELLED);
    cr_expect(took_ms >= 49 && took_ms < 150, "%d ms", (int)took_ms);
    pthread_join(thread, NULL);
    cancel_done(&cancel);
}

// ---- connections

#define KEPT_ALIVE "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"

Test(request, asks_again_when_a_kept_connection_has_gone_stale) {
    // The engine closes after the first answer although it did not say so.
    const struct fake_exchange script[] = {
        {GET_X, {{KEPT_ALIVE}}, FAKE_CLOSE}, {GET_X, {{KEPT_ALIVE}}, FAKE_KEEP}, {0}};
    fixture_open(script);
    must(request_perform(fixture.engine, &get_x, &fixture.err));
    must(request_perform(fixture.engine, &get_x, &fixture.err));
    cr_expect_eq(fake_engine_answered(fixture.fake), 2);
}

Test(request, asks_again_when_the_engine_drops_a_kept_connection_on_being_asked) {
    const struct fake_exchange script[] = {{GET_X, {{KEPT_ALIVE}}, FAKE_KEEP},
                                           {GET_X, {{0}}, FAKE_CLOSE},
                                           {GET_X, {{KEPT_ALIVE}}, FAKE_KEEP},
                                           {0}};
    fixture_open(script);
    must(request_perform(fixture.engine, &get_x, &fixture.err));
    must(request_perform(fixture.engine, &get_x, &fixture.err));
    cr_expect_eq(fake_engine_answered(fixture.fake), 3);
}

Test(request, never_sends_a_change_twice) {
    const struct fake_exchange script[] = {{POST_X, {{KEPT_ALIVE}}, FAKE_KEEP},
                                           {POST_X, {{0}}, FAKE_CLOSE},
                                           {POST_X, {{KEPT_ALIVE}}, FAKE_KEEP},
                                           {0}};
    fixture_open(script);
    must(request_perform(fixture.engine, &post_x, &fixture.err));
    cr_assert(!request_perform(fixture.engine, &post_x, &fixture.err));
    expect_domain(ERROR_PROTOCOL);
    cr_expect_eq(fake_engine_answered(fixture.fake), 2);
}

static void *ask_often(void *context) {
    for (int i = 0; i < 25; i++) {
        if (!request_perform(fixture.engine, &get_x, NULL))
            *(bool *)context = false;
    }
    return NULL;
}

Test(request, serves_several_threads_at_once) {
    static struct fake_exchange script[201];
    for (size_t i = 0; i < 200; i++)
        script[i] = (struct fake_exchange){GET_X, {{KEPT_ALIVE}}, FAKE_KEEP};
    fixture_open(script);
    pthread_t threads[8];
    bool done[8];
    for (size_t i = 0; i < 8; i++) {
        done[i] = true;
        pthread_create(&threads[i], NULL, ask_often, &done[i]);
    }
    for (size_t i = 0; i < 8; i++) {
        pthread_join(threads[i], NULL);
        cr_expect(done[i]);
    }
    cr_expect_eq(fake_engine_answered(fixture.fake), 200);
}

// ---- bodies

Test(request, sends_json_as_it_is) {
    fixture_open((const struct fake_exchange[]){{POST_X, {{KEPT_ALIVE}}, FAKE_KEEP}, {0}});
    json_t *body = json_pack("{s:s}", "name", "ü");
    struct request request = post_x;
    request.json = body;
    must(request_perform(fixture.engine, &request, &fixture.err));
    json_decref(body);
    const char *received = fake_engine_received(fixture.fake);
    cr_expect(strstr(received, "Content-Type: application/json\r\n") != NULL);
    cr_expect(strstr(received, "\r\n\r\n{\"name\":\"ü\"}") != NULL, "%s", received);
}

Test(request, refuses_a_body_that_is_not_utf8) {
    fixture_open((const struct fake_exchange[]){{0}});
    json_t *body = json_object();
    json_object_set_new(body, "name", json_string_nocheck("\xff"));
    struct request request = post_x;
    request.json = body;
    cr_expect(!request_perform(fixture.engine, &request, &fixture.err));
    expect_domain(ERROR_USAGE);
    json_decref(body);
}

Test(request, sends_a_file_whole_and_leaves_its_position) {
    fixture_open((const struct fake_exchange[]){{POST_X, {{KEPT_ALIVE}}, FAKE_KEEP}, {0}});
    FILE *file = tmpfile();
    fputs("the whole file", file);
    fflush(file); // its position is the end
    const int fd = fileno(file);
    struct request request = post_x;
    request.body_fd = &fd;
    must(request_perform(fixture.engine, &request, &fixture.err));
    const char *received = fake_engine_received(fixture.fake);
    cr_expect(strstr(received, "Content-Length: 14\r\n") != NULL);
    cr_expect(strstr(received, "Content-Type: application/x-tar\r\n") != NULL);
    cr_expect(strstr(received, "\r\n\r\nthe whole file") != NULL);
    cr_expect_eq(lseek(fd, 0, SEEK_CUR), 14);
    fclose(file);
}

Test(request, sends_a_pipe_to_its_end) {
    fixture_open((const struct fake_exchange[]){{POST_X, {{KEPT_ALIVE}}, FAKE_KEEP}, {0}});
    int ends[2];
    cr_assert(pipe(ends) == 0);
    cr_assert(write(ends[1], "through a pipe", 14) == 14);
    close(ends[1]);
    struct request request = post_x;
    request.body_fd = &ends[0];
    must(request_perform(fixture.engine, &request, &fixture.err));
    cr_expect(strstr(fake_engine_received(fixture.fake), "\r\nthrough a pipe\r\n0\r\n") != NULL);
    close(ends[0]);
}

static bool stop_at_once(void *context, const void *bytes, size_t length, struct error *err) {
    (void)bytes, (void)length, (void)err;
    ++*(int *)context;
    return false;
}

Test(request, counts_a_sink_that_has_enough_as_success) {
    const struct fake_exchange script[] = {{GET_X, {{FAKE_CHUNKED "2\r\n{}\r\n"}}, FAKE_HANG}, {0}};
    int calls = 0;
    fixture_open(script);
    struct request request = get_x;
    request.sink = stop_at_once;
    request.context = &calls;
    must(request_perform(fixture.engine, &request, &fixture.err));
    cr_expect_eq(calls, 1);
}
