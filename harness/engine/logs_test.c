#include "engine/logs.h"

#include "engine/fake_fixture.h"

#include <string.h>

static struct text seen;

static void end(void) {
    text_done(&seen);
    fixture_close();
}

TestSuite(logs, .fini = end, .timeout = 120);

static bool note(void *context, enum stream_source source, const char *bytes, size_t length) {
    (void)context;
    text_appendf(&seen, "%d:", source);
    text_append_bytes(&seen, bytes, length);
    return true;
}

// Opens an engine whose container x logs these bytes, and reads them.
static bool read_log(const char *bytes, size_t length, enum fake_ending ending) {
    const struct fake_exchange script[] = {
        {"GET /v1.41/containers/x/json",
         {{FAKE_REPLY("200 OK", "{\"Config\":{\"Tty\":false}}")}},
         FAKE_CLOSE},
        {"GET /v1.41/containers/x/logs?stdout=1&stderr=1 ",
         {{FAKE_REPLY("200 OK", "")}, {.bytes = bytes, .length = length}},
         ending},
        {0}};
    fixture_open(script);
    const bool done = container_logs(fixture.engine, "x", &(const struct logs_options){0}, note,
                                     NULL, &fixture.err);
    return done;
}

#define read_literal(bytes, ending) read_log((bytes), sizeof(bytes) - 1, (ending))
#define WHOLE "\1\0\0\0\0\0\0\2ok"

Test(logs, reads_frames) {
    cr_assert(read_literal(WHOLE "\2\0\0\0\0\0\0\3bad", FAKE_CLOSE));
    cr_expect_str_eq(text_string(&seen), "1:ok2:bad");
}

Test(logs, gives_the_whole_frames_before_a_truncated_one) {
    cr_assert(!read_literal(WHOLE "\2\0\0\0\0\0\0\7b", FAKE_CLOSE));
    expect_domain(ERROR_PROTOCOL);
    expect_message("GET /containers/x/logs");
    expect_message("6 bytes too early");
    cr_expect_eq(strncmp(text_string(&seen), "1:ok", 4), 0);
}

Test(logs, notices_a_truncated_frame_header) {
    cr_assert(!read_literal(WHOLE "\2\0\0", FAKE_CLOSE));
    expect_domain(ERROR_PROTOCOL);
    expect_message("within a frame header");
}

Test(logs, notices_a_bad_frame_header) {
    cr_assert(!read_literal(WHOLE "plain text, no frame", FAKE_CLOSE));
    expect_domain(ERROR_PROTOCOL);
    expect_message("GET /containers/x/logs: the stream holds a bad frame header");
}

Test(logs, notices_that_four_gibibytes_did_not_come) {
    cr_assert(!read_literal("\1\0\0\0\xff\xff\xff\xffsome", FAKE_CLOSE));
    expect_domain(ERROR_PROTOCOL);
    expect_message("4294967291 bytes too early");
}

Test(logs, gives_up_when_the_engine_falls_silent_in_a_frame) {
    cr_assert(!read_literal(WHOLE "\1\0\0\0\0\0\1\0half", FAKE_HANG));
    expect_domain(ERROR_TIMEOUT);
}

Test(logs, reports_the_engines_complaint_in_the_stream) {
    cr_assert(!read_literal(WHOLE "\3\0\0\0\0\0\0\x0a"
                                  "disk gone.",
                            FAKE_CLOSE));
    expect_domain(ERROR_ENGINE);
    expect_message("disk gone");
}

Test(logs, keeps_the_end_of_a_long_tail) {
    const struct fake_exchange script[] = {
        {"GET /v1.41/containers/x/json", {{FAKE_REPLY("200 OK", "{}")}}, FAKE_CLOSE},
        {"GET /v1.41/containers/x/logs?stdout=1&stderr=1&tail=2 ",
         {{FAKE_REPLY("200 OK", "")},
          {.bytes = "\1\0\0\0\0\0\0\4"
                    "abc\n\2\0\0\0\0\0\0\4"
                    "def\n",
           .length = 24}},
         FAKE_CLOSE},
        {0}};
    fixture_open(script);
    text_init(&seen, 6);
    must(container_log_tail(fixture.engine, "x", 2, &seen, &fixture.err));
    cr_expect_str_eq(text_string(&seen), "c\ndef\n");
}

Test(logs, keeps_the_end_of_a_piece_that_is_longer_than_the_tail) {
    const struct fake_exchange script[] = {
        {"GET /v1.41/containers/x/json", {{FAKE_REPLY("200 OK", "{}")}}, FAKE_CLOSE},
        {"GET /v1.41/containers/x/logs",
         {{FAKE_REPLY("200 OK", "")},
          {.bytes = "\1\0\0\0\0\0\0\x8"
                    "abcdefg\n",
           .length = 16}},
         FAKE_CLOSE},
        {0}};
    fixture_open(script);
    text_init(&seen, 4);
    must(container_log_tail(fixture.engine, "x", 2, &seen, &fixture.err));
    cr_expect_str_eq(text_string(&seen), "efg\n");
}
