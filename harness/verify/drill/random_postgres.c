// The types of PostgreSQL and their literals.
#include "verify/drill/random_sql.h"
#include "verify/drill/random_values.h"
#include "verify/drill/random_words.h"

#include <stddef.h>

static void write_text(struct chance *chance, struct text *text) {
    random_sql_literal(chance, false, text);
}

static void write_bytea(struct chance *chance, struct text *text) {
    text_append(text, "'\\x");
    random_hex_of_any_size(chance, text);
    text_append(text, "'");
}

static void write_uuid(struct chance *chance, struct text *text) {
    text_append(text, "'");
    random_hex(chance, 16, text);
    text_append(text, "'");
}

static void write_jsonb(struct chance *chance, struct text *text) {
    text_append(text, "jsonb_build_object('k', ");
    write_text(chance, text);
    text_append(text, "::text, 'n', ");
    random_decimal(chance, text);
    text_append(text, ", 'l', '[1, null, {\"x\": 1.50}]'::jsonb)");
}

static void write_json(struct chance *chance, struct text *text) {
    write_jsonb(chance, text);
    text_append(text, "::json");
}

static void write_texts(struct chance *chance, struct text *text) {
    text_append(text, "array[");
    write_text(chance, text);
    text_append(text, ", null, ");
    write_text(chance, text);
    text_append(text, "]");
}

static void write_range(struct chance *chance, struct text *text) {
    const int least = (int)chance_below(chance, 100000);
    text_appendf(text, "'[%d,%d)'", least, least + (int)chance_below(chance, 1000));
}

RANDOM_CHOICE(write_real, "0", "'-0'", "'NaN'", "'Infinity'", "'-Infinity'", "1e-37",
              "3.4028235e38", "0.1", "16777217");
RANDOM_CHOICE(write_numeric, "0", "'NaN'", "'Infinity'", "0.00", "1e100", "-1e-100",
              "12345678901234567890.5");
RANDOM_CHOICE(write_interval, "'1 mon'", "'30 days'", "'-1 year 3 days 04:05:06.789'", "'24:00:00'",
              "'0'");
RANDOM_CHOICE(write_inet, "'10.0.0.1'", "'10.0.0.0/8'", "'::1'", "'fe80::/10'", "'2001:db8::1/64'");
RANDOM_CHOICE(write_bits, "b'0'", "b''", "b'10110'", "b'000000000000000000000000000000001'");
RANDOM_CHOICE(write_point, "'(0,0)'", "'(1.5,-2)'", "'(1e300,-1e-300)'");
RANDOM_CHOICE(write_far_date, "'infinity'", "'-infinity'", "'4713-01-01 BC'", "'2000-02-29'",
              "'294276-12-31'");
RANDOM_CHOICE(write_vector, "'a fat cat'", "to_tsvector('simple', 'the cat: it''s fat')", "''");

static const struct random_type TYPES[] = {
    {"smallint", random_small, true},
    {"integer", random_integer, true},
    {"bigint", random_big, true},
    {"numeric(12,3)", random_decimal, true},
    {"numeric", write_numeric, true},
    {"real", write_real, true},
    {"double precision", random_double, true},
    {"boolean", random_bool, true},
    {"text", write_text, false}, // too long for an index, now and then
    {"text collate \"C\"", write_text, false},
    {"mood", random_mood, true},
    {"date", random_date, true},
    {"date", write_far_date, true},
    {"timestamp", random_moment, true},
    {"timestamp(0)", random_moment, true},
    {"timestamptz", random_moment, true},
    {"time(3)", random_time, true},
    {"interval", write_interval, true},
    {"uuid", write_uuid, true},
    {"bytea", write_bytea, false},
    {"json", write_json, false},
    {"jsonb", write_jsonb, false},
    {"text[]", write_texts, false},
    {"int4range", write_range, true},
    {"inet", write_inet, true},
    {"bit varying", write_bits, true},
    {"point", write_point, false},
    {"tsvector", write_vector, true},
    {.name = NULL},
};

static const char *const BEFORE[] = {
    "drop schema if exists dataset cascade",
    "create schema dataset",
    "set search_path = dataset",
    "create type mood as enum ('sad', 'ok', 'so lala')",
    NULL,
};

const struct random_dialect RANDOM_POSTGRES = {
    .types = TYPES,
    .before = BEFORE,
    .quote = "\"",
    .has_materialized_views = true,
    .has_partial_indexes = true,
};
