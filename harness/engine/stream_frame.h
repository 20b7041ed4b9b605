// The engine's multiplexed stream: an 8-byte header {1 or 2, 0, 0, 0, length as big-endian uint32}
// before each piece (Engine API, "Attach to a container", stream format). Fed in pieces of any
// size; memory is constant whatever lengths the peer claims. Frames of kind 3 carry the engine's
// own complaint about the stream (its stdcopy package calls it Systemerr): ERROR_ENGINE.
#pragma once

#include "engine/logs.h"

struct stream_frames {
    unsigned char header[8];
    size_t header_length;
    uint32_t left; // bytes of the present frame still to come
    enum stream_source source;
    bool stopped;        // the sink said stop
    char complaint[256]; // of the engine's, from a frame of kind 3
    stream_sink *sink;
    void *context;
};

void stream_frames_init(struct stream_frames *self, stream_sink *sink, void *context);
bool stream_frames_feed(struct stream_frames *self, const void *bytes, size_t length,
                        struct error *err) must_use; // ERROR_PROTOCOL on a bad header
bool stream_frames_end(const struct stream_frames *self, struct error *err) must_use; // cut short?
