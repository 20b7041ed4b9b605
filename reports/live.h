// Progress while it happens. On a terminal a block of lines that is redrawn in place, one line for
// each service and suite with its state and the time it has taken; elsewhere one plain line for
// each change. Safe from several threads; does nothing once closed.
//
// On a terminal nothing else may print to it meanwhile: use live_note().
#pragma once

#include "base/attributes.h"
#include "base/cleanup.h"

#include <stdbool.h>
#include <stdio.h>

enum live_mark {
    LIVE_WAITING,
    LIVE_WORKING, // its time runs
    LIVE_GOOD,
    LIVE_BAD,
    LIVE_SKIPPED, // missing, not verified
};

enum live_shape {
    LIVE_AUTOMATIC = 0, // a block when the stream is a terminal that can move its cursor
    LIVE_BLOCK,
    LIVE_PLAIN,
};

struct live_options {
    enum live_shape shape;
    bool colours;    // see style_wants_colours()
    unsigned width;  // columns; 0: asked from the terminal at each redraw
    unsigned height; // lines; likewise. A longer block shows what is at work or went wrong
    int redraw_ms;   // 0: 100
};

struct live;

// `stream` must outlive it. Starts a thread when it draws a block: not before the guardian.
struct live *live_open(FILE *stream, const struct live_options *options) must_use;

// Says how it stands with `name` in `section` ("services", "suites"); both are copied, lines appear
// in the order of first mention, sections together. `state` is a word ("starting"), `detail` what
// one may want to know beside it ("3 of 14 tests"), NULL for nothing. Control characters are shown
// escaped.
void live_set(struct live *self, const char *section, const char *name, enum live_mark mark,
              const char *state, const char *detail);

// A line for good, above the block.
void live_note(struct live *self, const char *text);

// Removes the block, so that the report can follow. Frees self; NULL is fine.
void live_close(struct live *self);

DEFINE_AUTOFREE(live, live_close);
