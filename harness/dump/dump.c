#include "dump/dump.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

// ---- what an unknown file looks like, for people

// clang-format off
static const struct look {
    const char *magic;
    size_t at;
    size_t length;
    const char *name;
} LOOKS[] = {
    {"\x89PNG\r\n\x1a\n", 0, 8, "a PNG image"},
    {"\xff\xd8\xff", 0, 3, "a JPEG image"},
    {"GIF8", 0, 4, "a GIF image"},
    {"%PDF-", 0, 5, "a PDF document"},
    {"PK\x03\x04", 0, 4, "a zip archive"},
    {"Rar!\x1a\x07", 0, 6, "a RAR archive"},
    {"7z\xbc\xaf\x27\x1c", 0, 6, "a 7z archive"},
    {"ustar", 257, 5, "a tar archive"},
    {"\x1f\x8b", 0, 2, "gzip within a compressed file"},
    {"\x28\xb5\x2f\xfd", 0, 4, "zstd within a compressed file"},
    {"\xfd" "7zXZ", 0, 6, "xz within a compressed file"},
    {"\x02\x21\x4c\x18", 0, 4, "LZ4 in its legacy format"},
    {"\x7f" "ELF", 0, 4, "a program"},
    {"SQLite format 3", 0, 16, "an SQLite database"},
    {"age-encryption.org/", 0, 19, "a file encrypted by age"},
    {"-----BEGIN PGP MESSAGE-----", 0, 27, "a file encrypted by PGP"},
    {"Salted__", 0, 8, "a file encrypted by openssl enc"},
    {"xbstck01", 0, 8, "a stream of MySQL pages (xbstream)"},
    {"<?xml", 0, 5, "XML"},
    {"<!DOCTYPE html", 0, 14, "an HTML page"},
    {"<html", 0, 5, "an HTML page"},
    {"#!", 0, 2, "a script"},
    {"/*!", 0, 3, "SQL without the header of a dump"},
    {"/*M!", 0, 4, "SQL without the header of a dump"},
    {"CREATE ", 0, 7, "SQL without the header of a dump"},
    {"DROP ", 0, 5, "SQL without the header of a dump"},
    {"INSERT ", 0, 7, "SQL without the header of a dump"},
    {"SET ", 0, 4, "SQL without the header of a dump"},
};
// clang-format on

static bool all_zero(const uint8_t *head, size_t length) {
    for (size_t i = 0; i < length; i++)
        if (head[i] != 0)
            return false;
    return true;
}

// No control bytes but white space; what is above ASCII may be any script's letters.
static bool is_text(const uint8_t *head, size_t length) {
    for (size_t i = 0; i < length; i++)
        if (head[i] == 0x7f || (head[i] < 0x20 && memchr("\t\n\r\f\x1b", head[i], 5) == NULL))
            return false;
    return true;
}

static const char *look_of(const uint8_t *head, size_t length) {
    if (length == 0)
        return "empty";
    if (all_zero(head, length))
        return "zeros";
    for (size_t i = 0; i < sizeof LOOKS / sizeof LOOKS[0]; i++)
        if (length >= LOOKS[i].at + LOOKS[i].length &&
            memcmp(head + LOOKS[i].at, LOOKS[i].magic, LOOKS[i].length) == 0)
            return LOOKS[i].name;
    return is_text(head, length) ? "text" : "binary data";
}

// ---- recognising and reading

const struct dump_format *dump_recognise(const uint8_t *head, size_t length,
                                         char **ret_recognised) {
    for (size_t i = 0; DUMP_FORMATS[i] != NULL; i++)
        if (DUMP_FORMATS[i]->recognises(head, length))
            return DUMP_FORMATS[i];
    if (ret_recognised != NULL)
        *ret_recognised = memory_copy_string(look_of(head, length));
    return NULL;
}

// A reader that stops early would leave what follows unread and unproven.
static bool expect_end(struct source *source, const struct dump_format *format, struct error *err) {
    uint8_t byte;
    size_t length = 0;
    const uint64_t end = source_offset(source);
    if (!source_read(source, &byte, 1, &length, err))
        return false;
    return length == 0 || source_error(source, err, "%s ended at byte %llu, but more follows",
                                       format->title, (unsigned long long)end);
}

bool dump_read_source(struct source *source, struct dump_facts *ret_facts, struct error *err) {
    autodone(dump_facts) struct dump_facts facts = {0};
    const uint8_t *head = NULL;
    size_t length = 0;
    if (!source_peek(source, SOURCE_HEAD, &head, &length, err))
        return false;
    facts.format = dump_recognise(head, length, &facts.recognised);
    facts.engine = facts.format != NULL ? facts.format->engine : DUMP_UNKNOWN;
    const bool done = facts.format == NULL ? source_drain(source, err)
                                           : facts.format->read(source, &facts, err) &&
                                                 expect_end(source, facts.format, err);
    if (!done)
        return facts.format != NULL ? error_prefix(err, "%s", facts.format->title) : false;
    *ret_facts = facts;
    facts = (struct dump_facts){0};
    return true;
}

bool dump_read(const char *path, struct dump_facts *ret_facts,
               struct source_facts *ret_source_facts, struct error *err) {
    autofree(source) struct source *source = NULL;
    if (!source_open(path, &source, err) || !dump_read_source(source, ret_facts, err))
        return false;
    *ret_source_facts = *source_facts(source);
    return true;
}

void dump_facts_done(struct dump_facts *self) {
    if (self == NULL)
        return;
    free(self->server_version);
    free(self->tool);
    free(self->database);
    string_list_done(&self->databases);
    string_list_done(&self->objects);
    free(self->volume_root);
    free(self->recognised);
    *self = (struct dump_facts){0};
}

const char *dump_engine_name(enum dump_engine engine) {
    static const char *const names[] = {
        [DUMP_UNKNOWN] = "unknown", [DUMP_POSTGRES] = "postgres", [DUMP_MYSQL] = "mysql",
        [DUMP_MONGODB] = "mongodb", [DUMP_REDIS] = "redis",
    };
    return (size_t)engine < sizeof names / sizeof names[0] ? names[engine] : "unknown";
}
