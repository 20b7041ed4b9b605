// One collection of a mongodump folder. The file says neither its collection's name nor where it
// ends: a cut between two documents shows in the manifest's size or count only.
#include "dump/formats.h"

#include "dump/bson_walk.h"

static bool read_bson(struct source *source, struct dump_facts *facts, struct error *err) {
    struct cursor cursor;
    cursor_init(&cursor, source);
    facts->object_count = 1;
    for (;;) {
        const uint8_t *bytes;
        size_t length;
        if (!cursor_look(&cursor, 1, &bytes, &length, err))
            return false;
        if (length == 0)
            return cursor_end(&cursor, err);
        if (!bson_walk(&cursor, NULL, NULL, err))
            return error_prefix(err, "document %llu", (unsigned long long)facts->record_count + 1);
        facts->record_count++;
    }
}

const struct dump_format FORMAT_BSON = {
    .name = "mongo-bson",
    .title = "mongodump, one collection (BSON)",
    .engine = DUMP_MONGODB,
    .recognises = bson_may_begin,
    .read = read_bson,
};
