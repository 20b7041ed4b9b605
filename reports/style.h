// Colours of a terminal (ECMA-48 SGR), or nothing where they are not wanted.
#pragma once

#include "base/text.h"

#include <stdbool.h>
#include <stdio.h>

enum style {
    STYLE_GOOD,  // green
    STYLE_BAD,   // red
    STYLE_DOUBT, // yellow
    STYLE_TITLE, // bold
    STYLE_FAINT,
};

// The stream is a terminal, NO_COLOR is not set (no-color.org) and TERM is not "dumb".
bool style_wants_colours(FILE *stream);

void style_begin(struct text *out, enum style style, bool colours);
void style_end(struct text *out, bool colours);
