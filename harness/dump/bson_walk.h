// One BSON document, walked as it streams by: every element's type, every length against the
// document that holds it, terminators, UTF-8, booleans. Bounded memory whatever a length says.
// Source: bsonspec.org, version 1.1, with the deprecated types that old servers hold.
#pragma once

#include "dump/cursor.h"

#define BSON_SHORTEST 5
// As MongoDB's tools allow: 16 MiB for a user's document, and room for what the server adds.
#define BSON_LONGEST (16 * 1024 * 1024 + 16 * 1024)
// What a server stores at most (its default of 200 levels; its manual promises 100).
#define BSON_LEVELS 200

#define BSON_TEXT_SHOWN 1024

// An element of the document itself, not of what is nested in it.
struct bson_element {
    uint8_t type;
    char name[128];             // cut, never overrun
    char text[BSON_TEXT_SHOWN]; // of a string: its beginning
    bool text_is_whole;         // it fitted, and holds no NUL
    int64_t number;             // of an int32, int64 or boolean
};

#define BSON_STRING 0x02
#define BSON_BOOLEAN 0x08
#define BSON_INT32 0x10
#define BSON_INT64 0x12

typedef bool (*bson_visit)(void *context, const struct bson_element *element, struct error *err);

// `visit` may be NULL; if it fails, so does the walk.
bool bson_walk(struct cursor *cursor, bson_visit visit, void *context, struct error *err) must_use;

// Whether bytes of a file's beginning can begin a document: a length, a type and a name.
bool bson_may_begin(const uint8_t *bytes, size_t length);
