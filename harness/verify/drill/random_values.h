// Literals that both dialects of SQL understand; each writes one.
#pragma once

#include "base/text.h"
#include "value/chance.h"

void random_small(struct chance *chance, struct text *text);   // 16 bits
void random_integer(struct chance *chance, struct text *text); // 32 bits
void random_big(struct chance *chance, struct text *text);     // 64 bits
void random_decimal(struct chance *chance, struct text *text); // three digits behind the point
void random_double(struct chance *chance, struct text *text);
void random_bool(struct chance *chance, struct text *text);
void random_mood(struct chance *chance, struct text *text); // 'sad', 'ok', 'so lala'
void random_date(struct chance *chance, struct text *text);
void random_moment(struct chance *chance, struct text *text); // 1971 to 2036
void random_time(struct chance *chance, struct text *text);

// Digits for so many bytes.
void random_hex(struct chance *chance, size_t bytes, struct text *text);
// A handful of bytes; now and then more than a server keeps beside the row.
void random_hex_of_any_size(struct chance *chance, struct text *text);

// RANDOM_CHOICE(write_year, "1901", "2026") makes a function that writes one of them.
void random_one_of(struct chance *chance, const char *const *choices, struct text *text);
#define RANDOM_CHOICE(name, ...)                                  \
    static void name(struct chance *chance, struct text *text) {  \
        static const char *const choices[] = {__VA_ARGS__, NULL}; \
        random_one_of(chance, choices, text);                     \
    }                                                             \
    static void name(struct chance *chance, struct text *text)
