// Redis' snapshots. From version 5 on the file ends in a CRC-64 of all before it; zeros there say
// that it was turned off (rdbchecksum no).
#include "dump/formats.h"

#include "base/memory.h"
#include "dump/little_endian.h"
#include "dump/rdb_object.h"

#include <inttypes.h>
#include <string.h>

#define NEWEST_VERSION 12
#define FIRST_WITH_CRC 5
#define MAGIC_SIZE 9
#define DATABASE_LIMIT 1000

struct rdb {
    struct rdb_reader *reader;
    struct dump_facts *facts;
    unsigned version;
    uint64_t database;
    bool before_log; // says that an append-only log follows
};

// ---- opcodes: what is no key

static bool read_slot(struct rdb *self, struct error *err) {
    uint64_t number;
    for (int i = 0; i < 3; i++)
        if (!rdb_read_length(self->reader, "a slot's sizes", &number, err))
            return false;
    return true;
}

static bool read_function(struct rdb *self, struct error *err) {
    return rdb_read_string(self->reader, "a library of functions", 0, err);
}

static bool read_module(struct rdb *self, struct error *err) {
    uint64_t id;
    return rdb_read_length(self->reader, "a module's name", &id, err) &&
           rdb_read_module_parts(self->reader, err);
}

static bool read_idle(struct rdb *self, struct error *err) {
    uint64_t seconds;
    return rdb_read_length(self->reader, "a key's idle time", &seconds, err);
}

static bool read_frequency(struct rdb *self, struct error *err) {
    return rdb_skip(self->reader, 1, "a key's frequency", err);
}

static bool read_sizes(struct rdb *self, struct error *err) {
    uint64_t keys, expiring;
    return rdb_read_length(self->reader, "a database's sizes", &keys, err) &&
           rdb_read_length(self->reader, "a database's sizes", &expiring, err);
}

static bool read_milliseconds(struct rdb *self, struct error *err) {
    return rdb_skip(self->reader, 8, "a key's expiry", err);
}

static bool read_seconds(struct rdb *self, struct error *err) {
    return rdb_skip(self->reader, 4, "a key's expiry", err);
}

static bool read_database(struct rdb *self, struct error *err) {
    struct string_list *databases = &self->facts->databases;
    if (!rdb_read_length(self->reader, "a database's number", &self->database, err))
        return false;
    if (databases->count < DATABASE_LIMIT)
        string_list_addf(databases, "%" PRIu64, self->database);
    return true;
}

// A name and a text about the file; those that are not known may be ignored.
static bool read_fact(struct rdb *self, struct error *err) {
    struct rdb_reader *reader = self->reader;
    if (!rdb_read_string(reader, "a fact's name", 64, err))
        return false;
    const bool is_version = rdb_kept_is(reader, "redis-ver") || rdb_kept_is(reader, "valkey-ver");
    const bool is_before_log = rdb_kept_is(reader, "aof-preamble");
    if (!rdb_read_string(reader, "a fact", 64, err))
        return false;
    if (is_version && self->facts->server_version == NULL)
        self->facts->server_version = rdb_shown(reader);
    if (is_before_log)
        self->before_log = rdb_kept_is(reader, "1");
    return true;
}

#define OPCODE_EOF 255
#define FIRST_OPCODE 244

static bool (*const OPCODES[])(struct rdb *self, struct error *err) = {
    [244 - FIRST_OPCODE] = read_slot,
    [245 - FIRST_OPCODE] = read_function,
    // 246: functions before Redis 7.0 was released; no readable form
    [247 - FIRST_OPCODE] = read_module,
    [248 - FIRST_OPCODE] = read_idle,
    [249 - FIRST_OPCODE] = read_frequency,
    [250 - FIRST_OPCODE] = read_fact,
    [251 - FIRST_OPCODE] = read_sizes,
    [252 - FIRST_OPCODE] = read_milliseconds,
    [253 - FIRST_OPCODE] = read_seconds,
    [254 - FIRST_OPCODE] = read_database,
};

// ---- the file

static bool read_key(struct rdb *self, uint8_t type, struct error *err) {
    if (!rdb_read_string(self->reader, "a key", 64, err))
        return false;
    autofree_string char *key = rdb_shown(self->reader);
    if (!rdb_read_object(self->reader, type, err))
        return error_prefix(err, "database %" PRIu64 ", key \"%s\"", self->database, key);
    self->facts->record_count++;
    return true;
}

static bool read_body(struct rdb *self, struct error *err) {
    for (;;) {
        uint8_t code;
        if (!rdb_read_byte(self->reader, "the file, before its end mark", &code, err))
            return false;
        if (code == OPCODE_EOF)
            return true;
        if (rdb_object_is_known(code)) {
            if (!read_key(self, code, err))
                return false;
        } else if (code < FIRST_OPCODE || OPCODES[code - FIRST_OPCODE] == NULL) {
            return cursor_error(&self->reader->cursor, err, "the unknown type or opcode %u", code);
        } else if (!OPCODES[code - FIRST_OPCODE](self, err)) {
            return false;
        }
    }
}

// Reads the eight bytes behind what was summed up.
static bool check_crc(struct rdb *self, struct error *err) {
    uint8_t bytes[8];
    struct cursor *cursor = &self->reader->cursor;
    const uint64_t found = cursor_crc(cursor);
    cursor_sum(cursor, NULL, 0);
    if (!cursor_read(cursor, bytes, sizeof bytes, "the file's CRC", err))
        return false;
    const uint64_t said = little_endian(bytes, sizeof bytes);
    return said == 0 || said == found ||
           cursor_error(cursor, err,
                        "the data have the CRC %016" PRIx64 ", the file says %016" PRIx64, found,
                        said);
}

// A version that nobody here can take apart; whether it is whole, its CRC still says.
static bool read_unknown_version(struct rdb *self, struct error *err) {
    struct cursor *cursor = &self->reader->cursor;
    for (;;) {
        const uint8_t *bytes;
        size_t length;
        if (!cursor_look(cursor, SOURCE_HEAD, &bytes, &length, err))
            return false;
        if (length <= 8)
            break;
        cursor_take(cursor, length - 8);
    }
    return check_crc(self, err) && cursor_end(cursor, err) &&
           error_set(err, ERROR_UNAVAILABLE, 0,
                     "the file is of RDB version %u; versions 1 to %d can be read", self->version,
                     NEWEST_VERSION);
}

static bool read_end(struct rdb *self, struct error *err) {
    struct cursor *cursor = &self->reader->cursor;
    const uint8_t *bytes;
    size_t length;
    if (self->version >= FIRST_WITH_CRC && !check_crc(self, err))
        return false;
    if (!cursor_look(cursor, 1, &bytes, &length, err))
        return false;
    if (self->before_log && length > 0 && bytes[0] == '*')
        return error_set(err, ERROR_UNAVAILABLE, 0,
                         "at byte %" PRIu64 ": an append-only log follows, which cannot be read",
                         cursor_offset(cursor));
    return cursor_end(cursor, err);
}

// 0: no magic number. Valkey's own versions begin at 80, under a name of their own.
static unsigned version_of(const uint8_t *magic) {
    const size_t name = memcmp(magic, "REDIS", 5) == 0    ? 5
                        : memcmp(magic, "VALKEY", 6) == 0 ? 6
                                                          : 0;
    unsigned version = 0;
    for (size_t i = name; i < MAGIC_SIZE; i++) {
        if (name == 0 || magic[i] < '0' || magic[i] > '9')
            return 0;
        version = version * 10 + (magic[i] - '0');
    }
    return version;
}

static bool read_rdb(struct source *source, struct dump_facts *facts, struct error *err) {
    autofree(rdb_reader) struct rdb_reader *reader = rdb_reader_new(source);
    struct rdb self = {.reader = reader, .facts = facts};
    uint8_t magic[MAGIC_SIZE];
    if (!cursor_read(&reader->cursor, magic, sizeof magic, "the file's first line", err))
        return false;
    self.version = version_of(magic);
    if (self.version == 0)
        return cursor_error(&reader->cursor, err, "this is not the beginning of an RDB file");
    if (self.version > NEWEST_VERSION)
        return read_unknown_version(&self, err);
    if (!read_body(&self, err) || !read_end(&self, err))
        return false;
    if (facts->databases.count == 1)
        facts->database = memory_copy_string(facts->databases.items[0]);
    return true;
}

static bool is_rdb(const uint8_t *head, size_t length) {
    return length >= MAGIC_SIZE && version_of(head) > 0;
}

const struct dump_format FORMAT_REDIS_RDB = {
    .name = "redis-rdb",
    .title = "Redis, RDB file",
    .engine = DUMP_REDIS,
    .recognises = is_rdb,
    .read = read_rdb,
};
