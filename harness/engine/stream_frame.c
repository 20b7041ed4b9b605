#include "engine/stream_frame.h"

#include "engine/reply.h"

#include <stdlib.h>
#include <string.h>

// The first byte of a header. 0 is what a TTY-less attach calls standard input; the engine writes
// it to standard output. 3 is a message of the engine's own about the stream.
enum frame_kind { FRAME_STDIN = 0, FRAME_STDOUT = 1, FRAME_STDERR = 2, FRAME_ENGINE = 3 };

void stream_frames_init(struct stream_frames *self, stream_sink *sink, void *context) {
    *self = (struct stream_frames){.sink = sink, .context = context, .source = STREAM_STDOUT};
}

static bool engine_complains(const struct stream_frames *self, struct error *err) {
    autofree_string char *line = reply_one_line(self->complaint);
    return error_set(err, ERROR_ENGINE, 500, "the engine reports in the stream: %s", line);
}

static bool begin_frame(struct stream_frames *self, struct error *err) {
    const unsigned char *header = self->header;
    if (header[0] > FRAME_ENGINE || header[1] != 0 || header[2] != 0 || header[3] != 0)
        return error_set(err, ERROR_PROTOCOL, 0,
                         "the stream holds a bad frame header: "
                         "%02x %02x %02x %02x %02x %02x %02x %02x",
                         header[0], header[1], header[2], header[3], header[4], header[5],
                         header[6], header[7]);
    self->left = (uint32_t)header[4] << 24 | (uint32_t)header[5] << 16 | (uint32_t)header[6] << 8 |
                 header[7];
    self->source = header[0] == FRAME_STDERR ? STREAM_STDERR : STREAM_STDOUT;
    return true;
}

static void keep_complaint(struct stream_frames *self, const char *bytes, size_t length) {
    const size_t used = strlen(self->complaint);
    const size_t room = sizeof self->complaint - 1 - used;
    memcpy(self->complaint + used, bytes, length < room ? length : room);
    self->complaint[used + (length < room ? length : room)] = '\0';
}

bool stream_frames_feed(struct stream_frames *self, const void *bytes, size_t length,
                        struct error *err) {
    const char *at = bytes;
    while (length > 0 && !self->stopped) {
        if (self->header_length < sizeof self->header) {
            const size_t missing = sizeof self->header - self->header_length;
            const size_t taken = length < missing ? length : missing;
            memcpy(self->header + self->header_length, at, taken);
            self->header_length += taken;
            at += taken;
            length -= taken;
            if (self->header_length < sizeof self->header)
                return true;
            if (!begin_frame(self, err))
                return false;
        }
        const size_t taken = length < self->left ? length : self->left;
        if (self->header[0] == FRAME_ENGINE)
            keep_complaint(self, at, taken);
        else if (taken > 0)
            self->stopped = !self->sink(self->context, self->source, at, taken);
        at += taken;
        length -= taken;
        self->left -= (uint32_t)taken;
        if (self->left > 0)
            continue;
        self->header_length = 0;
        if (self->header[0] == FRAME_ENGINE)
            return engine_complains(self, err);
    }
    return true;
}

bool stream_frames_end(const struct stream_frames *self, struct error *err) {
    if (self->stopped || self->header_length == 0)
        return true;
    if (self->header_length < sizeof self->header)
        return error_set(err, ERROR_PROTOCOL, 0,
                         "the stream ends within a frame header, after %zu of 8 bytes",
                         self->header_length);
    return error_set(err, ERROR_PROTOCOL, 0, "the stream ends within a frame, %lu bytes too early",
                     (unsigned long)self->left);
}
