// What the archives of pg_dump (custom, directory, tar) have in common: the header and the table of
// contents, for archive versions 1.12 (PostgreSQL 9.0) to 1.16 (17 and 18).
//
//   "PGDMP" version sizes format compression time database versions
//   count × ( id, names, definitions, dependencies, where the data are )
//
// Integers are a sign byte and four bytes, least significant first; texts a length (-1: none) and
// bytes. Source: PostgreSQL's pg_backup_archiver.c, ReadHead and ReadToc (format only).
#pragma once

#include "base/text.h"
#include "dump/dump.h"
#include "dump/table_names.h"

#define POSTGRES_ENTRY_LIMIT ((size_t)1000000) // entries with data: what a reader must remember
#define POSTGRES_HEAD_SIZE ((size_t)11)

enum postgres_format {
    POSTGRES_CUSTOM = 1, // the data follow
    POSTGRES_FILES =
        3, // the data are files: members of a tar, or (there too it says 3) in a folder
};
enum postgres_compression { POSTGRES_NONE, POSTGRES_GZIP, POSTGRES_LZ4, POSTGRES_ZSTD };
enum postgres_data { POSTGRES_OTHER_DATA, POSTGRES_COPY, POSTGRES_INSERTS, POSTGRES_BLOBS };

// An entry with data.
struct postgres_entry {
    int32_t id;
    enum postgres_data data;
    unsigned columns; // POSTGRES_COPY: of its list; 0: none
    bool seen;        // for who reads the data
    bool placed;      // custom: the table of contents says that its block stands at `offset`
    uint64_t offset;  // once it was seen: where it stands
    char *name;       // "public.orders"; NULL beyond OBJECT_LIMIT
};

// Large objects: how many, and the sum of their OIDs. There may be millions: none is remembered.
struct postgres_blobs {
    uint64_t count;
    uint64_t sum;
};

void postgres_blobs_count(struct postgres_blobs *self, uint64_t oid);

struct postgres_archive {
    struct source *source; // borrowed
    uint64_t end;          // offset in the source that must not be passed: of the tar's member
    uint8_t version;       // the minor one: 12 to 16
    uint8_t offset_size;
    enum postgres_format format;
    enum postgres_compression compression;
    int64_t toc_count;              // all entries
    uint64_t toc_hash;              // of their bytes, but where the data are
    uint64_t hash;                  // of what is being read
    bool again;                     // this is the table of contents at the end
    struct postgres_entry *entries; // sorted by id
    size_t entry_count;
    size_t entry_capacity;
    struct postgres_blobs listed; // in the table of contents
    struct postgres_blobs found;  // for who reads the data
    struct table_names tables;
    struct table_names data; // that have data, for dumps without definitions
};

// Does an archive of this format begin so?
bool postgres_archive_begins(const uint8_t *head, size_t length, enum postgres_format format);

// Reads header and table of contents from a source at their beginning, up to `end`.
bool postgres_archive_read(struct postgres_archive *self, struct source *source, uint64_t end,
                           struct dump_facts *facts, struct error *err) must_use;
// pg_dump of version 16 and later, when its standard output is a file, cannot go back to fill in
// where the data stand: it writes the whole table of contents once more at the end. This one must
// say the same as the first, and where the data were found.
bool postgres_archive_read_again(struct postgres_archive *self, struct error *err) must_use;
void postgres_archive_done(struct postgres_archive *self);

bool postgres_read_byte(struct postgres_archive *self, uint8_t *ret_byte, const char *what,
                        struct error *err) must_use;
bool postgres_read_integer(struct postgres_archive *self, int64_t *ret_value, const char *what,
                           struct error *err) must_use;

// NULL: no entry with data has this id.
struct postgres_entry *postgres_archive_entry(struct postgres_archive *self, int64_t id);
const char *postgres_entry_name(const struct postgres_entry *entry); // never NULL
// Every entry's data and every large object were seen; what the facts say of tables.
bool postgres_archive_finish(struct postgres_archive *self, struct dump_facts *facts,
                             struct error *err) must_use;

DEFINE_AUTODONE(postgres_archive, postgres_archive_done);
