// The data of a PostgreSQL COPY in text format: rows of columns, to the line "\.".
// Source: PostgreSQL's manual, COPY, "Text Format".
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define COPY_WRONG_SIZE 160

// A zeroed struct with `columns` set is ready.
struct copy_rows {
    unsigned columns; // that each row must have; 0: not known
    uint64_t rows;
    bool ended; // the terminator was seen: only empty lines may follow
    uint64_t tabs;
    char first[3]; // of the present row
    uint64_t length;
};

// The columns that "COPY name (a, b) FROM stdin;" lists; 0: none.
unsigned copy_rows_columns(const char *statement);

// false: `wrong` says what no COPY can hold.
bool copy_rows_feed(struct copy_rows *self, const void *bytes, size_t length,
                    char wrong[COPY_WRONG_SIZE]);
bool copy_rows_end(const struct copy_rows *self, char wrong[COPY_WRONG_SIZE]);
