#include "dump/postgres_content.h"

#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PIECE ((size_t)64 * 1024)

static const struct codec *codec_of(enum postgres_compression compression) {
    static const struct codec *const *const codecs[] = {
        [POSTGRES_NONE] = NULL,
        [POSTGRES_GZIP] = &CODEC_ZLIB, // in spite of its name
        [POSTGRES_LZ4] = &CODEC_LZ4,
        [POSTGRES_ZSTD] = &CODEC_ZSTD,
    };
    return codecs[compression] != NULL ? *codecs[compression] : NULL;
}

void postgres_content_init(struct postgres_content *self, enum postgres_compression compression,
                           enum postgres_data data, unsigned columns) {
    *self = (struct postgres_content){
        .data = data, .codec = codec_of(compression), .copy = {.columns = columns}};
    sql_lexer_init(&self->inserts, SQL_POSTGRES);
    if (self->codec == NULL)
        return;
    self->codec_state = self->codec->new ();
    self->piece = memory_resize(NULL, PIECE, 1);
}

void postgres_content_done(struct postgres_content *self) {
    if (self->codec_state != NULL)
        self->codec->free(self->codec_state);
    free(self->piece);
    self->codec_state = NULL;
    self->piece = NULL;
}

static bool wrong_because(char wrong[POSTGRES_WRONG_SIZE], const char *why, const char *more) {
    snprintf(wrong, POSTGRES_WRONG_SIZE, "%s%s", why, more);
    return false;
}

static bool feed_unpacked(struct postgres_content *self, const void *bytes, size_t length,
                          char wrong[POSTGRES_WRONG_SIZE]) {
    if (self->data == POSTGRES_COPY)
        return copy_rows_feed(&self->copy, bytes, length, wrong);
    if (self->data != POSTGRES_INSERTS)
        return true;
    if (memchr(bytes, '\0', length) != NULL)
        return wrong_because(wrong, "a zero byte in a statement", "");
    sql_lexer_feed(&self->inserts, bytes, length);
    return true;
}

// One step of the codec, and what it gave is read.
static bool unpack(struct postgres_content *self, struct codec_buffers *buffers,
                   char wrong[POSTGRES_WRONG_SIZE]) {
    char why[CODEC_WRONG_SIZE];
    buffers->out = self->piece;
    buffers->out_size = PIECE;
    const enum codec_result result = self->codec->step(self->codec_state, buffers, why);
    if (result == CODEC_WRONG)
        return wrong_because(wrong, "the compressed data are damaged: ", why);
    self->stream_ended = result == CODEC_STREAM_ENDED;
    return feed_unpacked(self, self->piece, PIECE - buffers->out_size, wrong);
}

bool postgres_content_feed(struct postgres_content *self, const void *bytes, size_t length,
                           char wrong[POSTGRES_WRONG_SIZE]) {
    if (self->codec == NULL)
        return feed_unpacked(self, bytes, length, wrong);
    struct codec_buffers buffers = {.in = bytes, .in_length = length, .out_size = 0};
    self->packed_bytes += length;
    // A full piece: the codec may hold more.
    while (buffers.in_length > 0 || buffers.out_size == 0) {
        const size_t before = buffers.in_length;
        if (self->stream_ended)
            return before == 0 ||
                   wrong_because(wrong, "more follows the end of the compressed data", "");
        if (!unpack(self, &buffers, wrong))
            return false;
        if (before == buffers.in_length && buffers.out_size == PIECE && !self->stream_ended)
            return before == 0 || wrong_because(wrong, "the compressed data are damaged", "");
    }
    return true;
}

bool postgres_content_end(struct postgres_content *self, char wrong[POSTGRES_WRONG_SIZE]) {
    // Where nothing was written nothing was packed.
    if (self->codec != NULL && self->packed_bytes > 0 && !self->stream_ended)
        return wrong_because(wrong, "the compressed data end before their stream does", "");
    if (self->data == POSTGRES_COPY)
        return copy_rows_end(&self->copy, wrong);
    const char *open = sql_lexer_open(&self->inserts);
    return open == NULL || wrong_because(wrong, "the statements end within ", open);
}

uint64_t postgres_content_rows(const struct postgres_content *self) {
    return self->data == POSTGRES_COPY ? self->copy.rows : self->inserts.rows;
}
