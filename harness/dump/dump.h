// What a backup file is, found from its content, and whether it is whole as far as the file itself
// can say. Pure: no server is asked. One pass over the file gives its format, SHA-256, versions,
// counts and every structural check that the format offers.
//
//   struct source ──> table of formats: who recognises the head? ──> that format's reader, to the
//   end
//
// A new format is a reader and a row in dump_format.c.
#pragma once

#include "base/cleanup.h"
#include "base/error.h"
#include "base/string_list.h"
#include "dump/source.h"

#include <stdbool.h>
#include <stdint.h>

enum dump_engine {
    DUMP_UNKNOWN = 0,
    DUMP_POSTGRES,
    DUMP_MYSQL,
    DUMP_MONGODB,
    DUMP_REDIS,
};

struct dump_facts {
    const struct dump_format *format; // NULL: unknown
    enum dump_engine engine;          // the format's; of a volume, what its members say
    char *server_version;         // of the server that was dumped, "17.2"; NULL: not in the file
    char *tool;                   // "pg_dump 17.2"; NULL likewise
    char *database;               // the one database that it holds; NULL: several, or not said
    struct string_list databases; // those that it names (dumpall, mysqldump --databases, archives)
    struct string_list objects;   // tables, collections: "public.orders"; at most OBJECT_LIMIT
    uint64_t object_count;        // all of them
    uint64_t record_count;        // rows, documents, keys, as far as the format counts them
    bool restores_itself;         // holds its own CREATE DATABASE / USE: restored without a target
    char *volume_root;            // of a volume: its data directory in there, "" or "a/b/"
    char *recognised;             // of an unknown format: what it looks like, for people
};
#define OBJECT_LIMIT 10000

struct dump_format {
    const char *name;  // "postgres-custom": stands in reports
    const char *title; // "pg_dump, custom format"
    enum dump_engine engine;
    // Of the first bytes, decompressed (at most SOURCE_HEAD).
    bool (*recognises)(const uint8_t *head, size_t length);
    // Reads to the end, fills in the facts. Anything that a whole file of this format could not
    // hold is ERROR_PROTOCOL with the offset, and says what is wrong: "the dump does not end with
    // its completion line". Bounded memory.
    bool (*read)(struct source *source, struct dump_facts *facts, struct error *err);
};

extern const struct dump_format *const DUMP_FORMATS[]; // NULL-terminated, in the order asked

// By its head; NULL: none knows it, and *ret_recognised (may be NULL; the caller's) says what it
// looks like: "a PNG image", "text", "zeros", "empty".
const struct dump_format *dump_recognise(const uint8_t *head, size_t length, char **ret_recognised);

// The whole file. An unknown format is no error: facts->format is NULL, the file was still read to
// its end (so that its decompression and SHA-256 stand). *ret_source_facts is filled in on success.
bool dump_read(const char *path, struct dump_facts *ret_facts,
               struct source_facts *ret_source_facts, struct error *err) must_use;
bool dump_read_source(struct source *source, struct dump_facts *ret_facts,
                      struct error *err) must_use;
void dump_facts_done(struct dump_facts *self);

const char *dump_engine_name(enum dump_engine engine); // "postgres", "mysql", …

DEFINE_AUTODONE(dump_facts, dump_facts_done);
