#define _GNU_SOURCE
#include "reports/live.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "reports/clean.h"
#include "reports/phrase.h"
#include "reports/style.h"

#include <pthread.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define DEFAULT_REDRAW_MS 100
#define DEFAULT_WIDTH 80
#define DEFAULT_HEIGHT 24
#define NAME_WIDTH 20
#define STATE_WIDTH 12

struct row {
    char *section;
    char *name;
    enum live_mark mark;
    char *state;
    char *detail;
    int64_t since_us; // when it began to work
    int64_t took_us;  // until the last change
};

struct live {
    FILE *stream;
    struct live_options options;
    bool draws_block;
    pthread_mutex_t lock; // of everything below and of the stream
    pthread_cond_t closing;
    pthread_t drawer;
    bool closed;
    struct row *rows;
    size_t row_count;
    size_t row_capacity;
    size_t drawn_lines; // of the block that stands on the terminal now
};

static bool can_draw(FILE *stream, enum live_shape shape) {
    if (shape != LIVE_AUTOMATIC)
        return shape == LIVE_BLOCK;
    const char *terminal = getenv("TERM");
    const int fd = fileno(stream);
    return fd >= 0 && isatty(fd) && terminal != NULL && strcmp(terminal, "dumb") != 0;
}

static void measure(const struct live *self, size_t *ret_width, size_t *ret_height) {
    struct winsize size = {0};
    const int fd = fileno(self->stream);
    if (fd < 0 || ioctl(fd, TIOCGWINSZ, &size) != 0)
        size = (struct winsize){0};
    *ret_width = self->options.width > 0 ? self->options.width
                 : size.ws_col > 0       ? size.ws_col
                                         : DEFAULT_WIDTH;
    *ret_height = self->options.height > 0 ? self->options.height
                  : size.ws_row > 0        ? size.ws_row
                                           : DEFAULT_HEIGHT;
}

// Columns that a code point may take: East Asian and emoji ranges are taken for wide, combining
// marks for one column. Too many only cuts a line early; too few would wrap it.
static size_t columns_of(uint32_t code_point) {
    return code_point >= 0x1100 && !(code_point >= 0x2000 && code_point < 0x2e80) ? 2 : 1;
}

// Appends a cleaned line of at most `width` columns, filled up to `least`; returns the columns.
static size_t append_columns(struct text *out, const char *string, size_t least, size_t width) {
    autodone(text) struct text clean = {0};
    clean_append(&clean, string, CLEAN_LINE);
    size_t used = 0;
    for (size_t at = 0; at < clean.length;) {
        uint32_t code_point = ' ';
        const size_t taken = utf8_decode(clean.bytes + at, clean.length - at, &code_point);
        if (taken == 0 || used + columns_of(code_point) > width)
            break;
        text_append_bytes(out, clean.bytes + at, taken);
        used += columns_of(code_point);
        at += taken;
    }
    for (; used < least && used < width; used++)
        text_append_char(out, ' ');
    return used;
}

static enum style style_of(enum live_mark mark) {
    switch (mark) {
    case LIVE_GOOD:
        return STYLE_GOOD;
    case LIVE_BAD:
        return STYLE_BAD;
    case LIVE_SKIPPED:
        return STYLE_DOUBT;
    case LIVE_WORKING:
        return STYLE_TITLE;
    case LIVE_WAITING:
        break;
    }
    return STYLE_FAINT;
}

static int64_t time_of(const struct row *row) {
    return row->mark == LIVE_WORKING ? clock_monotonic_us() - row->since_us : row->took_us;
}

// "  postgres             ready        0.41 s   3 of 14 tests", never wider than the terminal.
static void append_row(const struct live *self, struct text *out, const struct row *row,
                       size_t width) {
    autodone(text) struct text rest = {0};
    const int64_t took_us = time_of(row);
    if (took_us > 0)
        phrase_duration(&rest, took_us);
    if (row->detail != NULL)
        text_appendf(&rest, "  %s", row->detail);
    size_t left = width > 0 ? width - 1 : 0; // the last column would make some terminals wrap
    left -= append_columns(out, "  ", 0, left);
    left -= append_columns(out, row->name, NAME_WIDTH, left);
    left -= append_columns(out, " ", 0, left);
    style_begin(out, style_of(row->mark), self->options.colours);
    left -= append_columns(out, row->state, STATE_WIDTH, left);
    style_end(out, self->options.colours);
    left -= append_columns(out, " ", 0, left);
    append_columns(out, text_string(&rest), 0, left);
}

static void append_erase(struct live *self, struct text *out) {
    if (self->drawn_lines > 0) // up to its first line, then clear to the end of the screen
        text_appendf(out, "\r\x1b[%zuA\x1b[J", self->drawn_lines);
    self->drawn_lines = 0;
}

static bool is_settled(const struct row *row) {
    return row->mark == LIVE_GOOD || row->mark == LIVE_SKIPPED || row->mark == LIVE_WAITING;
}

static bool begins_section(const struct live *self, size_t index) {
    return index == 0 || strcmp(self->rows[index - 1].section, self->rows[index].section) != 0;
}

static size_t section_count(const struct live *self) {
    size_t count = 0;
    for (size_t i = 0; i < self->row_count; i++)
        count += begins_section(self, i) ? 1 : 0;
    return count;
}

static void append_line_end(struct live *self, struct text *out) {
    text_append(out, "\x1b[K\n");
    self->drawn_lines++;
}

// When not everything fits, what is at work or went wrong is shown and the rest is counted.
static void append_block(struct live *self, struct text *out) {
    size_t width;
    size_t height;
    measure(self, &width, &height);
    const size_t room = height > section_count(self) + 2 ? height - section_count(self) - 2 : 1;
    size_t settled_room = room;
    for (size_t i = 0; i < self->row_count; i++)
        if (!is_settled(&self->rows[i]) && settled_room > 0)
            settled_room--;
    size_t shown = 0;
    for (size_t i = 0; i < self->row_count; i++) {
        const struct row *row = &self->rows[i];
        if (begins_section(self, i)) {
            append_columns(out, row->section, 0, width - 1);
            append_line_end(self, out);
        }
        const bool fits = is_settled(row) ? settled_room > 0 : shown < room;
        if (!fits)
            continue;
        settled_room -= is_settled(row) ? 1 : 0;
        shown++;
        append_row(self, out, row, width);
        append_line_end(self, out);
    }
    if (shown < self->row_count) {
        text_appendf(out, "  … and %zu more", self->row_count - shown);
        append_line_end(self, out);
    }
}

// One write for a whole picture: nothing flickers. A terminal that is gone is no failure of the
// run.
static void put(struct live *self, const struct text *out) {
    if (out->length > 0 && fwrite(out->bytes, out->length, 1, self->stream) == 1)
        fflush(self->stream);
}

static void redraw(struct live *self) {
    autodone(text) struct text out = {0};
    append_erase(self, &out);
    append_block(self, &out);
    put(self, &out);
}

static void *draw_until_closed(void *context) {
    struct live *self = context;
    const int every_ms = self->options.redraw_ms > 0 ? self->options.redraw_ms : DEFAULT_REDRAW_MS;
    pthread_mutex_lock(&self->lock);
    while (!self->closed) {
        redraw(self);
        struct timespec next;
        clock_gettime(CLOCK_MONOTONIC, &next);
        const int64_t nanoseconds = next.tv_nsec + (int64_t)every_ms * 1000000;
        next.tv_sec += nanoseconds / 1000000000;
        next.tv_nsec = nanoseconds % 1000000000;
        pthread_cond_timedwait(&self->closing, &self->lock, &next);
    }
    pthread_mutex_unlock(&self->lock);
    return NULL;
}

struct live *live_open(FILE *stream, const struct live_options *options) {
    struct live *self = memory_new(1, sizeof *self);
    self->stream = stream;
    if (options != NULL)
        self->options = *options;
    self->draws_block = can_draw(stream, self->options.shape);
    pthread_mutex_init(&self->lock, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&self->closing, &attributes);
    pthread_condattr_destroy(&attributes);
    if (self->draws_block && pthread_create(&self->drawer, NULL, draw_until_closed, self) != 0)
        self->draws_block = false; // plain lines tell the same
    return self;
}

static void row_done(struct row *row) {
    free(row->section);
    free(row->name);
    free(row->state);
    free(row->detail);
}

static struct row *find_row(struct live *self, const char *section, const char *name) {
    for (size_t i = 0; i < self->row_count; i++)
        if (strcmp(self->rows[i].section, section) == 0 && strcmp(self->rows[i].name, name) == 0)
            return &self->rows[i];
    return NULL;
}

// Behind the last row of its section.
static struct row *add_row(struct live *self, const char *section, const char *name) {
    if (self->row_count == self->row_capacity) {
        self->row_capacity = self->row_capacity > 0 ? self->row_capacity * 2 : 16;
        self->rows = memory_resize(self->rows, self->row_capacity, sizeof *self->rows);
    }
    size_t at = self->row_count;
    for (size_t i = 0; i < self->row_count; i++)
        if (strcmp(self->rows[i].section, section) == 0)
            at = i + 1;
    memmove(&self->rows[at + 1], &self->rows[at], (self->row_count - at) * sizeof *self->rows);
    self->row_count++;
    self->rows[at] = (struct row){
        .section = memory_copy_string(section),
        .name = memory_copy_string(name),
    };
    return &self->rows[at];
}

static bool differs(const char *left, const char *right) {
    return left == NULL || right == NULL ? left != right : strcmp(left, right) != 0;
}

// Returns whether there is something to tell.
static bool update_row(struct row *row, enum live_mark mark, const char *state,
                       const char *detail) {
    const bool new_state = differs(row->state, state) || row->mark != mark;
    if (!new_state && !differs(row->detail, detail))
        return false;
    if (row->mark == LIVE_WORKING)
        row->took_us = clock_monotonic_us() - row->since_us;
    else if (mark == LIVE_WORKING)
        row->since_us = clock_monotonic_us();
    row->mark = mark;
    free(row->state);
    free(row->detail);
    row->state = memory_copy_string(state);
    row->detail = memory_copy_string(detail);
    return new_state;
}

// "postgres: ready (0.41 s), detail"
static void print_row(struct live *self, const struct row *row) {
    autodone(text) struct text out = {0};
    clean_append(&out, row->name, CLEAN_LINE);
    text_append(&out, ": ");
    clean_append(&out, row->state, CLEAN_LINE);
    if (row->mark != LIVE_WORKING && row->took_us > 0) {
        text_append(&out, " (");
        phrase_duration(&out, row->took_us);
        text_append_char(&out, ')');
    }
    if (row->detail != NULL) {
        text_append(&out, ", ");
        clean_append(&out, row->detail, CLEAN_LINE);
    }
    text_append_char(&out, '\n');
    put(self, &out);
}

void live_set(struct live *self, const char *section, const char *name, enum live_mark mark,
              const char *state, const char *detail) {
    check(section != NULL && name != NULL && state != NULL);
    pthread_mutex_lock(&self->lock);
    struct row *row = find_row(self, section, name);
    if (row == NULL)
        row = add_row(self, section, name);
    const bool changed = update_row(row, mark, state, detail);
    if (changed && !self->draws_block)
        print_row(self, row);
    pthread_mutex_unlock(&self->lock);
}

void live_note(struct live *self, const char *text) {
    pthread_mutex_lock(&self->lock);
    autodone(text) struct text out = {0};
    append_erase(self, &out);
    clean_append(&out, text, CLEAN_BLOCK);
    text_append_char(&out, '\n');
    if (self->draws_block)
        append_block(self, &out);
    put(self, &out);
    pthread_mutex_unlock(&self->lock);
}

void live_close(struct live *self) {
    if (self == NULL)
        return;
    pthread_mutex_lock(&self->lock);
    self->closed = true;
    pthread_cond_signal(&self->closing);
    pthread_mutex_unlock(&self->lock);
    if (self->draws_block)
        pthread_join(self->drawer, NULL);
    autodone(text) struct text out = {0};
    append_erase(self, &out);
    put(self, &out);
    for (size_t i = 0; i < self->row_count; i++)
        row_done(&self->rows[i]);
    free(self->rows);
    pthread_cond_destroy(&self->closing);
    pthread_mutex_destroy(&self->lock);
    free(self);
}
