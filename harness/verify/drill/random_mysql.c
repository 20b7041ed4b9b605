// The types of MySQL and their literals.
#include "verify/drill/random_sql.h"
#include "verify/drill/random_values.h"
#include "verify/drill/random_words.h"

#include <inttypes.h>
#include <stddef.h>

static void write_text(struct chance *chance, struct text *text) {
    random_sql_literal(chance, true, text);
}

static void write_unsigned(struct chance *chance, struct text *text) {
    text_appendf(text, "%" PRIu64, chance_next(chance));
}

static void write_blob(struct chance *chance, struct text *text) {
    text_append(text, "x'");
    random_hex_of_any_size(chance, text);
    text_append(text, "'");
}

static void write_json(struct chance *chance, struct text *text) {
    text_append(text, "json_object('k', ");
    write_text(chance, text);
    text_append(text, ", 'l', json_array(1, null, ");
    random_integer(chance, text);
    text_append(text, "))");
}

// Only what six digits can say: mysqldump writes no more of a FLOAT.
RANDOM_CHOICE(write_float, "0", "0.25", "-1.5", "1024", "12345.5", "-0.125");
RANDOM_CHOICE(write_set, "''", "'a'", "'a,c'", "'a,b,c'");
RANDOM_CHOICE(write_year, "1901", "2026", "2155", "0");
RANDOM_CHOICE(write_short, "''", "' '", "'a '", "'Köln'", "'\\\\'", "'it''s'", "'🙂'");
RANDOM_CHOICE(write_bits, "b'0'", "b'1'", "b'1011001110'", "b'1111111111'");
RANDOM_CHOICE(write_duration, "'-838:59:59'", "'838:59:59'", "'00:00:00.001'", "'-00:00:01'");
RANDOM_CHOICE(write_shape, "point(1, 2)", "st_geomfromtext('linestring(0 0, 1 1.5, -3 7)')");

static const struct random_type TYPES[] = {
    {"tinyint(1)", random_bool, true},
    {"smallint", random_small, true},
    {"int", random_integer, true},
    {"bigint", random_big, true},
    {"bigint unsigned", write_unsigned, true},
    {"decimal(12,3)", random_decimal, true},
    {"float", write_float, true},
    {"double", random_double, true},
    {"mediumtext", write_text, false},
    {"mediumtext collate utf8mb4_bin", write_text, false},
    {"varchar(10)", write_short, true},
    {"char(10)", write_short, true},
    {"enum('sad', 'ok', 'so lala')", random_mood, true},
    {"set('a', 'b', 'c')", write_set, true},
    {"date", random_date, true},
    {"datetime(6)", random_moment, true},
    {"timestamp(3) null", random_moment, true},
    {"time(3)", random_time, true},
    {"time(3)", write_duration, true},
    {"year", write_year, true},
    {"bit(10)", write_bits, true},
    {"mediumblob", write_blob, false},
    {"json", write_json, false},
    {"geometry", write_shape, false},
    {.name = NULL},
};

static const char *const BEFORE[] = {
    "drop database app",
    "create database app",
    "use app",
    "set time_zone = '+00:00'", // no hour that a change of the clocks skips
    NULL,
};

const struct random_dialect RANDOM_MYSQL = {.types = TYPES, .before = BEFORE, .quote = "`"};
