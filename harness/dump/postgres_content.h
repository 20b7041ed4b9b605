// The data of one entry of a pg_dump archive, fed in pieces as they lie in the file: unpacked, and
// read as what the entry says they are (rows of COPY, INSERT statements, anything).
#pragma once

#include "dump/codec.h"
#include "dump/copy_rows.h"
#include "dump/postgres_archive.h"
#include "dump/sql_lexer.h"

#define POSTGRES_WRONG_SIZE 256

struct postgres_content {
    enum postgres_data data;
    const struct codec *codec; // NULL: not compressed
    void *codec_state;
    bool stream_ended;
    uint64_t packed_bytes;
    struct copy_rows copy;
    struct sql_lexer inserts;
    uint8_t *piece; // unpacked
};

void postgres_content_init(struct postgres_content *self, enum postgres_compression compression,
                           enum postgres_data data, unsigned columns);
void postgres_content_done(struct postgres_content *self);

// false: `wrong` says what is wrong with the data.
bool postgres_content_feed(struct postgres_content *self, const void *bytes, size_t length,
                           char wrong[POSTGRES_WRONG_SIZE]);
bool postgres_content_end(struct postgres_content *self, char wrong[POSTGRES_WRONG_SIZE]);
uint64_t postgres_content_rows(const struct postgres_content *self);

DEFINE_AUTODONE(postgres_content, postgres_content_done);
