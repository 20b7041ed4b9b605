#include "dump/copy_rows.h"

#include "dump/sql_name.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

unsigned copy_rows_columns(const char *statement) {
    if (strncmp(statement, "COPY ", 5) != 0)
        return 0;
    const char *list = sql_name_read(statement + 5, NULL);
    return list != NULL && *list == ' ' ? sql_name_count(list + 1) : 0;
}

static bool end_row(struct copy_rows *self, char wrong[COPY_WRONG_SIZE]) {
    const bool windows = self->length == 3 && self->first[2] == '\r';
    if ((self->length == 2 || windows) && memcmp(self->first, "\\.", 2) == 0) {
        self->ended = true;
        return true;
    }
    self->rows++;
    if (self->columns > 0 && self->tabs + 1 != self->columns) {
        snprintf(wrong, COPY_WRONG_SIZE, "row %" PRIu64 " has %" PRIu64 " columns instead of %u",
                 self->rows, self->tabs + 1, self->columns);
        return false;
    }
    self->tabs = 0;
    self->length = 0;
    return true;
}

static bool add_to_row(struct copy_rows *self, const char *bytes, size_t length,
                       char wrong[COPY_WRONG_SIZE]) {
    if (memchr(bytes, '\0', length) != NULL) {
        snprintf(wrong, COPY_WRONG_SIZE, "row %" PRIu64 " holds a zero byte", self->rows + 1);
        return false;
    }
    for (size_t i = 0; i < length; i++)
        self->tabs += bytes[i] == '\t';
    for (size_t i = 0; i < length && self->length + i < sizeof self->first; i++)
        self->first[self->length + i] = bytes[i];
    self->length += length;
    return true;
}

bool copy_rows_feed(struct copy_rows *self, const void *bytes, size_t length,
                    char wrong[COPY_WRONG_SIZE]) {
    const char *at = bytes;
    while (length > 0 && !self->ended) {
        const char *end = memchr(at, '\n', length);
        const size_t piece = end != NULL ? (size_t)(end - at) : length;
        if (!add_to_row(self, at, piece, wrong) || (end != NULL && !end_row(self, wrong)))
            return false;
        at += piece + (end != NULL ? 1 : 0);
        length -= piece + (end != NULL ? 1 : 0);
    }
    for (size_t i = 0; i < length; i++)
        if (at[i] != '\n') {
            snprintf(wrong, COPY_WRONG_SIZE, "data follow the end of the rows (\"\\.\")");
            return false;
        }
    return true;
}

bool copy_rows_end(const struct copy_rows *self, char wrong[COPY_WRONG_SIZE]) {
    if (!self->ended)
        snprintf(wrong, COPY_WRONG_SIZE, "the rows end without \"\\.\" after row %" PRIu64,
                 self->rows);
    return self->ended;
}
