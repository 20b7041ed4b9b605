#include "reports/style.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool style_wants_colours(FILE *stream) {
    const char *no_colour = getenv("NO_COLOR");
    const char *terminal = getenv("TERM");
    const int fd = fileno(stream);
    return fd >= 0 && isatty(fd) && (no_colour == NULL || no_colour[0] == '\0') &&
           terminal != NULL && strcmp(terminal, "dumb") != 0;
}

void style_begin(struct text *out, enum style style, bool colours) {
    static const char *const sequences[] = {
        [STYLE_GOOD] = "\x1b[32m", [STYLE_BAD] = "\x1b[31m",  [STYLE_DOUBT] = "\x1b[33m",
        [STYLE_TITLE] = "\x1b[1m", [STYLE_FAINT] = "\x1b[2m",
    };
    if (colours)
        text_append(out, sequences[style]);
}

void style_end(struct text *out, bool colours) {
    if (colours)
        text_append(out, "\x1b[0m");
}
