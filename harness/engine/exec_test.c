#include "engine/exec.h"

#include "base/clock.h"
#include "base/eventually.h"
#include "base/memory.h"
#include "engine/fake_fixture.h"

#include <pthread.h>
#include <string.h>

static struct exec_result result;

static void end(void) {
    exec_result_done(&result);
    fixture_close();
}

TestSuite(exec, .fini = end, .timeout = 120);

#define CREATE                                                                             \
    {                                                                                      \
        "POST /v1.41/containers/x/exec ", {{FAKE_REPLY("201 Created", "{\"Id\":\"e\"}")}}, \
            FAKE_CLOSE                                                                     \
    }
#define START "POST /v1.41/exec/e/start "
#define UPGRADED                                                                   \
    "HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\n" \
    "Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n"
#define ENDED(status)                                                                           \
    {                                                                                           \
        "GET /v1.41/exec/e/json ",                                                              \
            {{FAKE_REPLY("200 OK", "{\"Running\":false,\"ExitCode\":" status "}")}}, FAKE_CLOSE \
    }
#define RUNNING                                                                          \
    {                                                                                    \
        "GET /v1.41/exec/e/json ",                                                       \
            {{FAKE_REPLY("200 OK", "{\"Running\":true,\"ExitCode\":null}")}}, FAKE_CLOSE \
    }

static const char *const cat[] = {"cat", NULL};

static bool run(const char *input, int timeout_ms) {
    const struct exec_options options = {.argv = cat,
                                         .input = input,
                                         .input_length = input != NULL ? strlen(input) : 0,
                                         .timeout_ms = timeout_ms};
    return exec_run(fixture.engine, "x", &options, &result, &fixture.err);
}

Test(exec, sends_input_and_reads_output_on_a_hijacked_connection) {
    fixture_open(
        (const struct fake_exchange[]){CREATE, {START, {{UPGRADED}}, FAKE_ECHO}, ENDED("3"), {0}});
    must(run("to and fro", 5000));
    cr_expect_eq(result.exit_status, 3);
    cr_expect_str_eq(text_string(&result.output), "to and fro");
    cr_expect(strstr(fake_engine_received(fixture.fake), "Upgrade: tcp\r\n") != NULL);
}

// Gives "abc" `left` times, then fails or ends.
struct letters {
    int left;
    bool fails;
};

static ssize_t give_letters(void *context, void *buffer, size_t size, struct error *err) {
    struct letters *self = context;
    cr_assert_geq(size, 3u);
    if (self->left == 0 && self->fails) {
        error_set(err, ERROR_PROTOCOL, 0, "the letters ran out");
        return -1;
    }
    if (self->left == 0)
        return 0;
    self->left--;
    memcpy(buffer, "abc", 3);
    return 3;
}

static bool run_letters(struct letters *letters) {
    const struct exec_options options = {
        .argv = cat, .source = give_letters, .source_context = letters, .timeout_ms = 5000};
    return exec_run(fixture.engine, "x", &options, &result, &fixture.err);
}

Test(exec, sends_what_a_source_gives_piece_by_piece) {
    fixture_open(
        (const struct fake_exchange[]){CREATE, {START, {{UPGRADED}}, FAKE_ECHO}, ENDED("0"), {0}});
    must(run_letters(&(struct letters){.left = 3}));
    cr_expect_str_eq(text_string(&result.output), "abcabcabc");
}

Test(exec, fails_as_its_source_fails) {
    fixture_open(
        (const struct fake_exchange[]){CREATE, {START, {{UPGRADED}}, FAKE_ECHO}, ENDED("0"), {0}});
    cr_expect_not(run_letters(&(struct letters){.left = 2, .fails = true}));
    cr_expect_eq(fixture.err.domain, ERROR_PROTOCOL);
    cr_expect(strstr(fixture.err.message, "the letters ran out") != NULL, "%s",
              fixture.err.message);
}

Test(exec, understands_an_engine_that_does_not_say_upgraded) {
    fixture_open((const struct fake_exchange[]){
        CREATE, {START, {{"HTTP/1.1 200 OK\r\n\r\n"}}, FAKE_ECHO}, ENDED("0"), {0}});
    must(run("plain", 5000));
    cr_expect_str_eq(text_string(&result.output), "plain");
}

Test(exec, reads_a_head_and_frames_that_come_in_pieces) {
    fixture_open((const struct fake_exchange[]){CREATE,
                                                {START,
                                                 {{"HTTP/1.1 101 UPGR"},
                                                  {"ADED\r\n\r", .delay_ms = 20},
                                                  {"\n\1\0\0\0\0", .length = 6, .delay_ms = 20},
                                                  {"\0\0\5hel", .length = 6, .delay_ms = 20},
                                                  {"lo", .delay_ms = 20}},
                                                 FAKE_CLOSE},
                                                ENDED("0"),
                                                {0}});
    must(run("", 5000));
    cr_expect_str_eq(text_string(&result.output), "hello");
}

Test(exec, notices_a_hijacked_stream_that_is_cut_within_a_frame) {
    fixture_open((const struct fake_exchange[]){
        CREATE, {START, {{UPGRADED}, {"\1\0\0\0\0\0\0\5he", .length = 10}}, FAKE_CLOSE}, {0}});
    cr_assert(!run("input", 5000));
    expect_domain(ERROR_PROTOCOL);
    expect_message("exec of cat in x: POST /exec/e/start: the stream ends within a frame");
}

Test(exec, notices_an_answer_that_is_cut_within_its_head) {
    fixture_open((const struct fake_exchange[]){
        CREATE, {START, {{"HTTP/1.1 101 UPGRADED\r\nConn"}}, FAKE_CLOSE}, {0}});
    cr_assert(!run("input", 5000));
    expect_domain(ERROR_PROTOCOL);
    expect_message("closed the connection within its answer");
}

Test(exec, notices_an_answer_that_is_not_http) {
    fixture_open(
        (const struct fake_exchange[]){CREATE, {START, {{"\x15\x03\x01 alert"}}, FAKE_HANG}, {0}});
    cr_assert(!run("input", 5000));
    expect_domain(ERROR_PROTOCOL);
    expect_message("POST /exec/e/start: the answer is not HTTP");
}

Test(exec, hands_over_a_refusal_to_start) {
    fixture_open((const struct fake_exchange[]){
        CREATE,
        {START,
         {{"HTTP/1.1 409 Conflict\r\nContent-Length: 24\r\n\r\n{\"message\":\"is paused.\"}"}},
         FAKE_HANG},
        {0}});
    cr_assert(!run("input", 5000));
    expect_domain(ERROR_ENGINE);
    cr_expect_eq(fixture.err.code, 409);
    expect_message("is paused");
}

Test(exec, reads_output_without_input_to_the_end_of_the_connection) {
    fixture_open((const struct fake_exchange[]){
        CREATE,
        {START,
         {{"HTTP/1.1 200 OK\r\n\r\n"}, {"\1\0\0\0\0\0\0\3out\2\0\0\0\0\0\0\3err", .length = 22}},
         FAKE_CLOSE},
        ENDED("0"),
        {0}});
    must(run(NULL, 5000));
    cr_expect_str_eq(text_string(&result.output), "out");
    cr_expect_str_eq(text_string(&result.errors), "err");
}

Test(exec, keeps_the_output_of_a_command_that_ended_without_reading_its_input) {
    static char input[8 * 1024 * 1024];
    memset(input, 'i', sizeof input - 1);
    fixture_open((const struct fake_exchange[]){
        CREATE,
        {START, {{UPGRADED}, {"\1\0\0\0\0\0\0\4done", .length = 12, .delay_ms = 50}}, FAKE_CLOSE},
        ENDED("2"),
        {0}});
    must(run(input, 5000));
    cr_expect_eq(result.exit_status, 2);
    cr_expect_str_eq(text_string(&result.output), "done");
}

Test(exec, waits_for_a_command_that_closed_its_output_early) {
    fixture_open((const struct fake_exchange[]){
        CREATE, {START, {{UPGRADED}}, FAKE_CLOSE}, RUNNING, RUNNING, ENDED("4"), {0}});
    must(run("", 5000));
    cr_expect_eq(result.exit_status, 4);
}

Test(exec, does_not_wait_for_the_status_of_an_engine_that_is_gone) {
    fixture_open((const struct fake_exchange[]){
        CREATE,
        {START, {{UPGRADED}}, FAKE_CLOSE},
        {"GET /v1.41/exec/e/json ",
         {{FAKE_REPLY("404 Not Found", "{\"message\":\"no such exec\"}")}},
         FAKE_CLOSE},
        {0}});
    cr_assert(!run("", 5000));
    expect_domain(ERROR_ENGINE);
    cr_expect_eq(fixture.err.code, 404);
}

Test(exec, gives_up_on_a_hijacked_stream_that_is_silent) {
    fixture_open((const struct fake_exchange[]){CREATE, {START, {{UPGRADED}}, FAKE_HANG}, {0}});
    const int64_t begun_us = clock_monotonic_us();
    cr_assert(!run("input", 200));
    expect_domain(ERROR_TIMEOUT);
    cr_expect((clock_monotonic_us() - begun_us) / 1000 < 500);
}

static void *cancel_soon(void *context) {
    pause_ms(50, NULL);
    cancel_request(context);
    return NULL;
}

Test(exec, ends_a_hijacked_stream_at_once_when_it_is_cancelled) {
    struct cancel cancel;
    pthread_t thread;
    fixture_listen((const struct fake_exchange[]){CREATE, {START, {{UPGRADED}}, FAKE_HANG}, {0}},
                   false);
    must(cancel_init(&cancel, &fixture.err));
    const struct engine_options options = {.host = fake_engine_host(fixture.fake),
                                           .cancel = &cancel};
    must(engine_open(&options, &fixture.engine, &fixture.err));
    const int64_t begun_us = clock_monotonic_us();
    pthread_create(&thread, NULL, cancel_soon, &cancel);
    cr_assert(!run("input", 5000));
    cr_expect((clock_monotonic_us() - begun_us) / 1000 < 150);
    expect_domain(ERROR_CANCELLED);
    pthread_join(thread, NULL);
    cancel_done(&cancel);
}

static bool take(void *context, enum stream_source source, const char *bytes, size_t length) {
    (void)source;
    text_append_bytes(context, bytes, length);
    return true;
}

Test(exec, hands_output_to_a_sink_as_it_comes) {
    fixture_open(
        (const struct fake_exchange[]){CREATE, {START, {{UPGRADED}}, FAKE_ECHO}, ENDED("0"), {0}});
    struct text seen = {0};
    const struct exec_options options = {
        .argv = cat, .input = "word", .input_length = 4, .sink = take, .context = &seen};
    must(exec_run(fixture.engine, "x", &options, &result, &fixture.err));
    cr_expect_str_eq(text_string(&seen), "word");
    cr_expect_str_eq(text_string(&result.output), "");
    text_done(&seen);
}

static bool have_enough(void *context, enum stream_source source, const char *bytes,
                        size_t length) {
    (void)source;
    (void)bytes;
    (void)length;
    ++*(int *)context;
    return false;
}

Test(exec, lets_go_of_a_command_when_the_sink_has_enough) {
    int calls = 0;
    fixture_open((const struct fake_exchange[]){CREATE, {START, {{UPGRADED}}, FAKE_ECHO}, {0}});
    const struct exec_options options = {
        .argv = cat, .input = "word", .input_length = 4, .sink = have_enough, .context = &calls};
    must(exec_run(fixture.engine, "x", &options, &result, &fixture.err));
    cr_expect_eq(calls, 1);
}

Test(exec, says_that_the_engine_went_away_before_the_command_began) {
    fixture_open((const struct fake_exchange[]){
        CREATE, {START, {{.bytes = "HTTP/1.1 101 UPG"}}, FAKE_CLOSE}, {0}});
    cr_assert(!run("input", 1000));
    expect_domain(ERROR_PROTOCOL);
}
