#include "verify/drill/random_values.h"

#include <inttypes.h>

void random_one_of(struct chance *chance, const char *const *choices, struct text *text) {
    size_t count = 0;
    while (choices[count] != NULL)
        count++;
    text_append(text, choices[chance_below(chance, count)]);
}

static int between(struct chance *chance, int least, int most) {
    return least + (int)chance_below(chance, (size_t)(most - least + 1));
}

void random_small(struct chance *chance, struct text *text) {
    text_appendf(text, "%d", (int)(int16_t)chance_next(chance));
}

void random_integer(struct chance *chance, struct text *text) {
    text_appendf(text, "%" PRId32, (int32_t)chance_next(chance));
}

// Of every length, and of both signs.
void random_big(struct chance *chance, struct text *text) {
    const size_t shift = chance_below(chance, 64);
    const uint64_t number = chance_next(chance) >> shift;
    text_appendf(text, "%" PRId64, (int64_t)number);
}

void random_decimal(struct chance *chance, struct text *text) {
    const char *sign = chance_below(chance, 2) > 0 ? "-" : "";
    const int whole = between(chance, 0, 999999999);
    text_appendf(text, "%s%d.%03d", sign, whole, between(chance, 0, 999));
}

// Seventeen digits: more than a double keeps.
void random_double(struct chance *chance, struct text *text) {
    const int first = between(chance, -9, 9);
    const uint64_t rest = chance_next(chance) % 10000000000000000;
    text_appendf(text, "%d.%016" PRIu64 "e%d", first, rest, between(chance, -100, 100));
}

RANDOM_CHOICE(write_bool, "true", "false");
RANDOM_CHOICE(write_mood, "'sad'", "'ok'", "'so lala'");

void random_bool(struct chance *chance, struct text *text) {
    write_bool(chance, text);
}

void random_mood(struct chance *chance, struct text *text) {
    write_mood(chance, text);
}

static void append_day(struct chance *chance, int least_year, int most_year, struct text *text) {
    const int year = between(chance, least_year, most_year);
    const int month = between(chance, 1, 12);
    text_appendf(text, "%04d-%02d-%02d", year, month, between(chance, 1, 28));
}

static void append_time(struct chance *chance, struct text *text) {
    const int hour = between(chance, 0, 23);
    const int minute = between(chance, 0, 59);
    const int second = between(chance, 0, 59);
    text_appendf(text, "%02d:%02d:%02d.%06d", hour, minute, second, between(chance, 0, 999999));
}

void random_date(struct chance *chance, struct text *text) {
    text_append(text, "'");
    append_day(chance, 1000, 9998, text);
    text_append(text, "'");
}

void random_moment(struct chance *chance, struct text *text) {
    text_append(text, "'");
    append_day(chance, 1971, 2036, text);
    text_append(text, " ");
    append_time(chance, text);
    text_append(text, "'");
}

void random_time(struct chance *chance, struct text *text) {
    text_append(text, "'");
    append_time(chance, text);
    text_append(text, "'");
}

void random_hex(struct chance *chance, size_t bytes, struct text *text) {
    for (size_t i = 0; i < bytes; i++)
        text_appendf(text, "%02x", (unsigned)chance_below(chance, 256));
}

void random_hex_of_any_size(struct chance *chance, struct text *text) {
    const bool large = chance_below(chance, 30) == 0;
    random_hex(chance, large ? 9000 : chance_below(chance, 20), text);
}
