#include "engine/events.h"

#include "base/clock.h"
#include "base/text.h"
#include "engine/fake_fixture.h"

#include <stdlib.h>
#include <string.h>

static struct text seen;
static int opened;

static void end(void) {
    text_done(&seen);
    fixture_close();
}

TestSuite(events, .fini = end, .timeout = 120);

static void note_open(void *context) {
    (void)context;
    opened++;
}

static bool note(void *context, const struct engine_event *event) {
    (void)context;
    text_appendf(&seen, "%s/%s/%s/%s/%d/%lld ", event->type, event->action, event->id, event->name,
                 event->exit_status, (long long)event->time_ns);
    return strcmp(event->action, "stop") != 0;
}

// Opens an engine that streams these bytes as events, and watches them.
static bool watch(const char *stream, enum fake_ending ending) {
    const struct fake_exchange script[] = {
        {"GET /v1.41/events?filters=%7B%22type%22%3A%5B%22container%22%5D%7D&since=",
         {{FAKE_CHUNKED}, {stream}},
         ending},
        {0}};
    const char *const filters[] = {"type=container", NULL};
    fixture_open(script);
    const bool done =
        engine_events(fixture.engine, filters, note_open, note, NULL, NULL, &fixture.err);
    return done;
}

#define DIE                                                                                     \
    "70\r\n{\"Type\":\"container\",\"Action\":\"die\",\"Actor\":{\"ID\":\"i\",\"Attributes\":{" \
    "\"name\":\"n\",\"exitCode\":\"137\"}},\"timeNano\":17}\n\r\n"
#define STOP "16\r\n{ \"Action\" : \"stop\" }\n\r\n"

Test(events, gives_each_event_and_stops_when_asked) {
    must(watch(DIE STOP DIE, FAKE_HANG));
    cr_expect_str_eq(text_string(&seen), "container/die/i/n/137/17 /stop///-1/0 ");
    cr_expect_eq(opened, 1);
}

Test(events, asks_an_engine_on_this_host_from_now_on) {
    const int64_t before_ms = clock_wall_ms();
    must(watch(STOP, FAKE_HANG));
    const char *since = strstr(fake_engine_received(fixture.fake), "&since=");
    cr_assert_not_null(since);
    const double since_ms = strtod(since + strlen("&since="), NULL) * 1000;
    cr_expect(since_ms > (double)before_ms - 1 && since_ms < (double)clock_wall_ms() + 1);
}

Test(events, notices_a_stream_that_breaks_within_an_object) {
    cr_assert(!watch(DIE "20\r\n{\"Type\":\"conta", FAKE_CLOSE));
    expect_domain(ERROR_PROTOCOL);
    expect_message("GET /events");
    cr_expect_str_eq(text_string(&seen), "container/die/i/n/137/17 ");
}

Test(events, notices_a_stream_that_ends_within_an_object) {
    cr_assert(!watch("8\r\n{\"Type\":\r\n0\r\n\r\n", FAKE_KEEP));
    expect_domain(ERROR_PROTOCOL);
    expect_message("cut short");
}

Test(events, says_that_the_engine_is_stopping_when_the_stream_ends) {
    cr_assert(!watch(DIE "0\r\n\r\n", FAKE_KEEP));
    expect_domain(ERROR_UNAVAILABLE);
    expect_message("stopping or restarting");
}

Test(events, does_not_open_when_the_subscription_is_refused) {
    fixture_open((const struct fake_exchange[]){
        {"GET /v1.41/events", {{FAKE_REPLY("400 Bad", "{\"message\":\"no\"}")}}, FAKE_CLOSE}, {0}});
    cr_assert(!engine_events(fixture.engine, NULL, note_open, note, NULL, NULL, &fixture.err));
    expect_domain(ERROR_ENGINE);
    cr_expect_eq(opened, 0);
}

Test(events, asks_a_distant_engine_from_its_own_time_on) {
    fixture_listen(
        (const struct fake_exchange[]){
            {"GET /v1.41/_ping",
             {{"HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Length: "
               "0\r\n\r\n"}},
             FAKE_KEEP},
            {"GET /v1.41/events?since=784111777 ", {{FAKE_CHUNKED STOP}}, FAKE_HANG},
            {0}},
        true);
    const struct engine_options options = {.host = fake_engine_host(fixture.fake)};
    must(engine_open(&options, &fixture.engine, &fixture.err));
    must(engine_events(fixture.engine, NULL, note_open, note, NULL, NULL, &fixture.err));
    cr_expect_str_eq(text_string(&seen), "/stop///-1/0 ");
}

Test(events, does_not_open_when_a_distant_engine_does_not_tell_its_time) {
    fixture_listen(
        (const struct fake_exchange[]){
            {"GET /v1.41/_ping", {{FAKE_REPLY("500 Oops", "{\"message\":\"no\"}")}}, FAKE_CLOSE},
            {0}},
        true);
    const struct engine_options options = {.host = fake_engine_host(fixture.fake)};
    must(engine_open(&options, &fixture.engine, &fixture.err));
    cr_assert(!engine_events(fixture.engine, NULL, note_open, note, NULL, NULL, &fixture.err));
    expect_domain(ERROR_ENGINE);
    cr_expect_eq(opened, 0);
}
