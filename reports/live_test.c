#define _GNU_SOURCE
#include "base/memory.h"
#include "reports/clean.h"
#include "reports/live.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COLUMNS 40
#define LINES 10

// A terminal of 40 by 10 that knows what live.c may send and refuses everything else.
struct screen {
    char cells[LINES][COLUMNS + 1];
    size_t row;
    size_t column;
    bool wrapped; // a line was longer than the screen is wide
    bool refused; // an escape sequence that has no business there
    bool overrun; // the cursor went above the first line
};

static struct {
    FILE *stream;
    char *bytes;
    size_t length;
    struct live *live;
} held;

static void hold(void) {
    held.stream = open_memstream(&held.bytes, &held.length);
}

static void release(void) {
    live_close(held.live);
    fclose(held.stream);
    free(held.bytes);
}

TestSuite(live, .init = hold, .fini = release, .timeout = 120);

static void line_feed(struct screen *self) {
    self->column = 0;
    if (self->row + 1 < LINES) {
        self->row++;
        return;
    }
    memmove(self->cells[0], self->cells[1], sizeof self->cells[0] * (LINES - 1));
    memset(self->cells[LINES - 1], 0, sizeof self->cells[0]);
}

static void clear_from(struct screen *self, size_t row, size_t column) {
    memset(&self->cells[row][column], 0, COLUMNS + 1 - column);
}

// Returns the bytes that the sequence takes.
static size_t obey(struct screen *self, const char *sequence) {
    if (sequence[1] != '[') {
        self->refused = true;
        return 1;
    }
    char *end;
    const unsigned long number = strtoul(sequence + 2, &end, 10);
    if (*end == 'A') {
        self->overrun = self->overrun || number > self->row;
        self->row -= number <= self->row ? number : self->row;
    } else if (*end == 'J') {
        clear_from(self, self->row, self->column);
        for (size_t row = self->row + 1; row < LINES; row++)
            clear_from(self, row, 0);
    } else if (*end == 'K') {
        clear_from(self, self->row, self->column);
    } else if (*end != 'm') {
        self->refused = true;
    }
    return (size_t)(end - sequence) + 1;
}

static size_t show(struct screen *self, const char *at, size_t left) {
    uint32_t code_point = 0;
    const size_t taken = utf8_decode(at, left, &code_point);
    if (self->column == COLUMNS) {
        self->wrapped = true;
        line_feed(self);
    }
    self->cells[self->row][self->column++] = code_point < 0x80 ? (char)code_point : '?';
    self->refused = self->refused || taken == 0 || code_point < 0x20;
    return taken > 0 ? taken : 1;
}

static struct screen watch(void) {
    struct screen screen = {0};
    fflush(held.stream);
    for (size_t at = 0; at < held.length;) {
        if (held.bytes[at] == '\x1b')
            at += obey(&screen, held.bytes + at);
        else if (held.bytes[at] == '\n' || held.bytes[at] == '\r') {
            if (held.bytes[at++] == '\n')
                line_feed(&screen);
            else
                screen.column = 0;
        } else
            at += show(&screen, held.bytes + at, held.length - at);
    }
    cr_expect_not(screen.wrapped);
    cr_expect_not(screen.refused);
    cr_expect_not(screen.overrun);
    return screen;
}

static void open_block(void) {
    // Drawn by live_note only, so that the test decides when.
    const struct live_options options = {
        .shape = LIVE_BLOCK, .width = COLUMNS, .height = LINES, .redraw_ms = 1000000};
    held.live = live_open(held.stream, &options);
}

static void close_live(void) {
    live_close(held.live);
    held.live = NULL;
}

Test(live, prints_one_plain_line_for_each_change_of_state) {
    held.live = live_open(held.stream, &(struct live_options){.shape = LIVE_PLAIN});
    live_set(held.live, "services", "postgres", LIVE_WORKING, "starting", NULL);
    live_set(held.live, "services", "postgres", LIVE_WORKING, "starting", NULL);
    live_set(held.live, "services", "postgres", LIVE_WORKING, "starting", "probe 2");
    live_set(held.live, "services", "postgres", LIVE_BAD, "failed", "exit status 1");
    live_note(held.live, "a note");
    close_live();
    fflush(held.stream);
    cr_expect(strstr(held.bytes, "\x1b") == NULL);
    cr_expect_eq(strncmp(held.bytes, "postgres: starting\npostgres: failed", 35), 0, "%s",
                 held.bytes);
    cr_expect(strstr(held.bytes, ", exit status 1\na note\n") != NULL, "%s", held.bytes);
}

Test(live, tells_what_is_skipped_from_what_waits) {
    held.live = live_open(held.stream, &(struct live_options){.shape = LIVE_BLOCK});
    live_set(held.live, "services", "postgres", LIVE_SKIPPED, "missing", NULL);
    live_note(held.live, "a note");
    close_live();
    fflush(held.stream);
    cr_expect_not_null(strstr(held.bytes, "missing"), "%s", held.bytes);
}

Test(live, is_plain_when_the_stream_is_no_terminal) {
    held.live = live_open(held.stream, NULL);
    live_set(held.live, "services", "postgres", LIVE_WAITING, "waiting", NULL);
    close_live();
    fflush(held.stream);
    cr_expect_str_eq(held.bytes, "postgres: waiting\n");
}

Test(live, draws_sections_in_the_order_of_first_mention) {
    open_block();
    live_set(held.live, "services", "postgres", LIVE_WAITING, "waiting", NULL);
    live_set(held.live, "suites", "postgres", LIVE_WAITING, "waiting", NULL);
    live_set(held.live, "services", "mysql", LIVE_WAITING, "waiting", "for nothing");
    live_note(held.live, "a note");
    const struct screen screen = watch();
    cr_expect_str_eq(screen.cells[0], "a note");
    cr_expect_str_eq(screen.cells[1], "services");
    cr_expect_eq(strncmp(screen.cells[2], "  postgres             waiting", 30), 0);
    cr_expect_eq(strncmp(screen.cells[3], "  mysql                waiting", 30), 0);
    cr_expect_str_eq(screen.cells[4], "suites");
    cr_expect_eq(strncmp(screen.cells[5], "  postgres ", 11), 0);
}

Test(live, redraws_in_place_and_keeps_notes_above) {
    open_block();
    live_set(held.live, "services", "postgres", LIVE_WAITING, "waiting", NULL);
    live_note(held.live, "first");
    live_set(held.live, "services", "postgres", LIVE_GOOD, "ready", NULL);
    live_note(held.live, "second");
    const struct screen screen = watch();
    cr_expect_str_eq(screen.cells[0], "first");
    cr_expect_str_eq(screen.cells[1], "second");
    cr_expect_str_eq(screen.cells[2], "services");
    cr_expect(strstr(screen.cells[3], "ready") != NULL);
    cr_expect_str_eq(screen.cells[4], "");
}

Test(live, leaves_only_notes_when_closed) {
    open_block();
    live_set(held.live, "services", "postgres", LIVE_WORKING, "starting", NULL);
    live_note(held.live, "a note");
    close_live();
    const struct screen screen = watch();
    cr_expect_str_eq(screen.cells[0], "a note");
    for (size_t row = 1; row < LINES; row++)
        cr_expect_str_eq(screen.cells[row], "");
}

Test(live, never_draws_more_than_fits_and_shows_what_went_wrong_first) {
    open_block();
    char name[32];
    for (int i = 0; i < 30; i++) {
        snprintf(name, sizeof name, "service_%d", i);
        live_set(held.live, "services", name, i == 28 ? LIVE_BAD : LIVE_GOOD,
                 i == 28 ? "failed" : "ready", NULL);
    }
    live_note(held.live, "1");
    live_note(held.live, "2");
    const struct screen screen = watch();
    cr_expect_str_eq(screen.cells[0], "services"); // the notes have scrolled away
    bool seen = false;
    for (size_t row = 0; row < LINES; row++)
        seen = seen || strstr(screen.cells[row], "service_28") != NULL;
    cr_expect(seen);
    cr_expect(strstr(screen.cells[LINES - 2], "and 23 more") != NULL, "%s",
              screen.cells[LINES - 2]);
}

Test(live, cuts_lines_at_the_width_of_the_terminal) {
    open_block();
    live_set(held.live, "a section with a name that is much too long for the screen",
             "a_service_with_a_name_that_is_much_too_long_for_the_screen", LIVE_WORKING,
             "a state of unusual length", "and a detail that nobody will be able to see here");
    live_set(held.live, "wide", "日本語日本語日本語日本語日本語日本語日本語", LIVE_WORKING, "go",
             "😀");
    live_note(held.live, "a note");
    watch();
}

Test(live, lets_no_name_command_the_terminal) {
    open_block();
    live_set(held.live, "\x1b[2J", "\x1b]0;title\x07", LIVE_WORKING, "\r\n\x1b[1A", "\x9b\xff\n");
    live_note(held.live, "\x1b[H\x1b[31mnote");
    const struct screen screen = watch();
    cr_expect_str_eq(screen.cells[0], "\\x1b[H\\x1b[31mnote");
}

static void *set_many(void *context) {
    const char *name = context;
    for (int i = 0; i < 200; i++)
        live_set(held.live, "services", name, i % 2 == 0 ? LIVE_WORKING : LIVE_GOOD,
                 i % 2 == 0 ? "starting" : "ready", NULL);
    return NULL;
}

Test(live, may_be_told_from_several_threads_while_it_draws) {
    const struct live_options options = {
        .shape = LIVE_BLOCK, .colours = true, .width = COLUMNS, .height = LINES, .redraw_ms = 1};
    held.live = live_open(held.stream, &options);
    static char names[4][8] = {"a", "b", "c", "d"};
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, set_many, names[i]), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    live_note(held.live, "all set");
    close_live();
    const struct screen screen = watch();
    cr_expect_str_eq(screen.cells[0], "all set");
    cr_expect_str_eq(screen.cells[1], "");
}

Test(live, finds_a_terminal_by_itself_and_its_size) {
    const int terminal = posix_openpt(O_RDWR | O_NOCTTY);
    cr_assert_geq(terminal, 0);
    cr_assert_eq(grantpt(terminal) | unlockpt(terminal), 0);
    FILE *stream = fdopen(open(ptsname(terminal), O_RDWR | O_NOCTTY | O_CLOEXEC), "w+");
    setenv("TERM", "xterm", 1);
    held.live = live_open(stream, NULL);
    live_set(held.live, "services", "postgres", LIVE_WORKING, "starting", NULL);
    live_note(held.live, "a note");
    close_live();
    fclose(stream);
    char bytes[4096] = "";
    size_t length = 0;
    ssize_t got;
    while ((got = read(terminal, bytes + length, sizeof bytes - 1 - length)) > 0)
        length += (size_t)got; // until nobody has the other end open any more
    cr_expect(strstr(bytes, "\x1b[2A\x1b[J") != NULL, "it removes its two lines: %s", bytes);
    close(terminal);
}

Test(live, closing_nothing_is_fine) {
    live_close(NULL);
}
