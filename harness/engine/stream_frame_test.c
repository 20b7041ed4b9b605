#include "engine/stream_frame.h"

#include <criterion/criterion.h>
#include <string.h>

// What the sink saw: "1:abc|2:de|".
struct seen {
    struct text text;
    uint64_t bytes;
    int calls_left; // 0: no limit
};

static bool note(void *context, enum stream_source source, const char *bytes, size_t length) {
    struct seen *self = context;
    self->bytes += length;
    if (length < 1000) {
        text_appendf(&self->text, "%d:", source);
        text_append_bytes(&self->text, bytes, length);
        text_append_char(&self->text, '|');
    }
    return self->calls_left == 0 || --self->calls_left > 0;
}

#define HEADER(kind, length) kind "\0\0\0\0\0\0" length

static const char two_frames[] = HEADER("\1", "\3") "abc" HEADER("\2", "\2") "de";
#define TWO_FRAMES_LENGTH (sizeof two_frames - 1)

static struct seen seen;
static struct stream_frames frames;
static struct error err;

static void begin(void) {
    stream_frames_init(&frames, note, &seen);
}

static void end(void) {
    text_done(&seen.text);
}

TestSuite(stream_frame, .init = begin, .fini = end);

Test(stream_frame, takes_frames_apart) {
    cr_assert(stream_frames_feed(&frames, two_frames, TWO_FRAMES_LENGTH, &err));
    cr_assert(stream_frames_end(&frames, &err));
    cr_expect_str_eq(text_string(&seen.text), "1:abc|2:de|");
}

Test(stream_frame, takes_frames_apart_wherever_they_are_cut) {
    for (size_t cut = 0; cut <= TWO_FRAMES_LENGTH; cut++) {
        seen.bytes = 0;
        begin();
        cr_assert(stream_frames_feed(&frames, two_frames, cut, &err));
        cr_assert(stream_frames_feed(&frames, two_frames + cut, TWO_FRAMES_LENGTH - cut, &err));
        cr_assert(stream_frames_end(&frames, &err));
        cr_expect_eq(seen.bytes, 5, "cut at %zu", cut);
    }
}

Test(stream_frame, takes_single_bytes) {
    for (size_t i = 0; i < TWO_FRAMES_LENGTH; i++)
        cr_assert(stream_frames_feed(&frames, two_frames + i, 1, &err));
    cr_expect_str_eq(text_string(&seen.text), "1:a|1:b|1:c|2:d|2:e|");
}

Test(stream_frame, passes_over_an_empty_frame) {
    cr_assert(stream_frames_feed(&frames, HEADER("\1", "\0") HEADER("\1", "\1") "x", 17, &err));
    cr_assert(stream_frames_end(&frames, &err));
    cr_expect_str_eq(text_string(&seen.text), "1:x|");
}

Test(stream_frame, notices_every_truncation) {
    for (size_t length = 1; length < TWO_FRAMES_LENGTH; length++) {
        begin();
        cr_assert(stream_frames_feed(&frames, two_frames, length, &err));
        const bool whole = stream_frames_end(&frames, &err);
        cr_expect_eq(whole, length == 11, "after %zu bytes", length); // 11: one whole frame
    }
    cr_expect_eq(err.domain, ERROR_PROTOCOL);
}

Test(stream_frame, refuses_a_header_of_another_kind) {
    cr_assert(!stream_frames_feed(&frames, "HTTP/1.1", 8, &err));
    cr_expect_eq(err.domain, ERROR_PROTOCOL);
    cr_expect(strstr(err.message, "48 54 54 50") != NULL, "%s", err.message);
}

Test(stream_frame, refuses_a_header_whose_padding_is_not_zero) {
    cr_assert(!stream_frames_feed(&frames, "\1\0\0\1\0\0\0\1x", 9, &err));
    cr_expect_eq(err.domain, ERROR_PROTOCOL);
}

Test(stream_frame, passes_on_a_frame_that_claims_four_gibibytes_piece_by_piece) {
    static char mebibyte[1024 * 1024];
    cr_assert(stream_frames_feed(&frames, "\1\0\0\0\xff\xff\xff\xff", 8, &err));
    for (int i = 0; i < 64; i++)
        cr_assert(stream_frames_feed(&frames, mebibyte, sizeof mebibyte, &err));
    cr_expect_eq(seen.bytes, 64 * sizeof mebibyte);
    cr_assert(!stream_frames_end(&frames, &err));
    cr_expect(strstr(err.message, "4227858431 bytes too early") != NULL, "%s", err.message);
}

Test(stream_frame, stops_when_the_sink_has_enough) {
    seen.calls_left = 1;
    cr_assert(stream_frames_feed(&frames, two_frames, TWO_FRAMES_LENGTH, &err));
    cr_expect(frames.stopped);
    cr_assert(stream_frames_end(&frames, &err));
    cr_expect_str_eq(text_string(&seen.text), "1:abc|");
}

Test(stream_frame, turns_the_engines_complaint_into_an_error) {
    static const char complaint[] = HEADER("\3", "\x0a") "disk full.";
    cr_assert(stream_frames_feed(&frames, complaint, 12, &err));
    cr_assert(!stream_frames_feed(&frames, complaint + 12, sizeof complaint - 13, &err));
    cr_expect_eq(err.domain, ERROR_ENGINE);
    cr_expect(strstr(err.message, "disk full") != NULL);
}
