// A value bound to a placeholder of an SQL statement: never pasted into its text. Borrowed by the
// call that it is given to.
//
//     postgres_query(db, "select $1::text, $2::int",
//                    PARAMETERS(parameter_text("äöü"), parameter_integer(7)), &rows, err)
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum parameter_type {
    PARAMETER_NULL,
    PARAMETER_TEXT,    // UTF-8; the server infers the SQL type
    PARAMETER_BYTES,   // bytea, BLOB: any bytes
    PARAMETER_INTEGER, // 64 bits, signed
    PARAMETER_REAL,    // IEEE 754 double
};

struct parameter {
    enum parameter_type type;
    const void *bytes; // TEXT, BYTES
    size_t length;
    int64_t integer;
    double real;
};

struct parameters {
    const struct parameter *items;
    size_t count;
};

#define PARAMETERS(...)                                                             \
    ((struct parameters){.items = (const struct parameter[]){__VA_ARGS__},          \
                         .count = sizeof((const struct parameter[]){__VA_ARGS__}) / \
                                  sizeof(struct parameter)})
#define NO_PARAMETERS ((struct parameters){.items = NULL, .count = 0})

static inline struct parameter parameter_null(void) {
    return (struct parameter){.type = PARAMETER_NULL};
}

// NULL gives SQL's NULL.
static inline struct parameter parameter_text(const char *text) {
    return text == NULL
               ? parameter_null()
               : (struct parameter){.type = PARAMETER_TEXT, .bytes = text, .length = strlen(text)};
}

static inline struct parameter parameter_bytes(const void *bytes, size_t length) {
    return (struct parameter){.type = PARAMETER_BYTES, .bytes = bytes, .length = length};
}

static inline struct parameter parameter_integer(int64_t integer) {
    return (struct parameter){.type = PARAMETER_INTEGER, .integer = integer};
}

static inline struct parameter parameter_real(double real) {
    return (struct parameter){.type = PARAMETER_REAL, .real = real};
}
