#include "dump/codec.h"

#include "base/check.h"
#include "base/memory.h"
#include "dump/source.h"

#include <bzlib.h>
#include <lz4frame.h>
#include <lzma.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#define MIB ((size_t)1024 * 1024)
// What liblzma needs beside the dictionary.
#define XZ_OVERHEAD MIB
#define PIECE_LIMIT ((size_t)1 << 30) // of what a step takes at once: libraries count in int

static enum codec_result wrong_because(char wrong[CODEC_WRONG_SIZE], const char *why) {
    snprintf(wrong, CODEC_WRONG_SIZE, "%s", why);
    return CODEC_WRONG;
}

static enum codec_result window_too_large(char wrong[CODEC_WRONG_SIZE]) {
    snprintf(wrong, CODEC_WRONG_SIZE,
             "unpacking needs more memory than the %zu MiB that a backup may ask for",
             SOURCE_WINDOW_LIMIT / MIB);
    return CODEC_WRONG;
}

static unsigned capped(size_t length) {
    return (unsigned)(length < PIECE_LIMIT ? length : PIECE_LIMIT);
}

static bool always(const uint8_t *head, size_t length) {
    (void)head;
    (void)length;
    return true;
}

static void moved(struct codec_buffers *buffers, size_t taken, size_t made) {
    buffers->in += taken;
    buffers->in_length -= taken;
    buffers->out += made;
    buffers->out_size -= made;
}

// ---- gzip

static bool gzip_recognises(const uint8_t *head, size_t length) {
    return length >= 2 && head[0] == 0x1f && head[1] == 0x8b;
}

static void *gzip_new(void) {
    z_stream *stream = memory_new(1, sizeof *stream);
    check(inflateInit2(stream, 16 + MAX_WBITS) == Z_OK); // 16: gzip only, with its CRC and length
    return stream;
}

static void *zlib_new(void) {
    z_stream *stream = memory_new(1, sizeof *stream);
    check(inflateInit(stream) == Z_OK);
    return stream;
}

static void gzip_again(void *state) {
    check(inflateReset(state) == Z_OK);
}

static enum codec_result gzip_step(void *state, struct codec_buffers *buffers,
                                   char wrong[CODEC_WRONG_SIZE]) {
    z_stream *stream = state;
    const unsigned in = capped(buffers->in_length);
    const unsigned out = capped(buffers->out_size);
    stream->next_in = (uint8_t *)(uintptr_t)buffers->in; // zlib does not write to it
    stream->avail_in = in;
    stream->next_out = buffers->out;
    stream->avail_out = out;
    const int result = inflate(stream, Z_NO_FLUSH);
    moved(buffers, in - stream->avail_in, out - stream->avail_out);
    if (result == Z_STREAM_END)
        return CODEC_STREAM_ENDED;
    if (result == Z_OK || result == Z_BUF_ERROR)
        return CODEC_GOES_ON;
    return wrong_because(wrong, stream->msg != NULL ? stream->msg : "no gzip data");
}

static void gzip_free(void *state) {
    inflateEnd(state);
    free(state);
}

// ---- zstd

// Skippable frames, common to zstd and LZ4: user data, no content.
static bool is_skippable(const uint8_t *head, size_t length) {
    return length >= 4 && (head[0] & 0xf0) == 0x50 && memcmp(head + 1, "\x2a\x4d\x18", 3) == 0;
}

static bool zstd_recognises(const uint8_t *head, size_t length) {
    return (length >= 4 && memcmp(head, "\x28\xb5\x2f\xfd", 4) == 0) || is_skippable(head, length);
}

static bool zstd_has_checksum(const uint8_t *head, size_t length) {
    return is_skippable(head, length) || (length > 4 && (head[4] & 4) != 0);
}

static void *zstd_new(void) {
    ZSTD_DCtx *state = ZSTD_createDCtx();
    check(state != NULL);
    int log = 0;
    while ((size_t)1 << (log + 1) <= SOURCE_WINDOW_LIMIT)
        log++;
    check(!ZSTD_isError(ZSTD_DCtx_setParameter(state, ZSTD_d_windowLogMax, log)));
    return state;
}

static void zstd_again(void *state) {
    check(!ZSTD_isError(ZSTD_DCtx_reset(state, ZSTD_reset_session_only)));
}

static enum codec_result zstd_step(void *state, struct codec_buffers *buffers,
                                   char wrong[CODEC_WRONG_SIZE]) {
    ZSTD_inBuffer in = {buffers->in, buffers->in_length, 0};
    ZSTD_outBuffer out = {buffers->out, buffers->out_size, 0};
    const size_t result = ZSTD_decompressStream(state, &out, &in);
    moved(buffers, in.pos, out.pos);
    if (result == 0)
        return CODEC_STREAM_ENDED;
    if (!ZSTD_isError(result))
        return CODEC_GOES_ON;
    if (ZSTD_getErrorCode(result) == ZSTD_error_frameParameter_windowTooLarge)
        return window_too_large(wrong);
    return wrong_because(wrong, ZSTD_getErrorName(result));
}

static void zstd_free(void *state) {
    ZSTD_freeDCtx(state);
}

// ---- xz

static bool xz_recognises(const uint8_t *head, size_t length) {
    return length >= 6 && memcmp(head, (const uint8_t[]){0xfd, '7', 'z', 'X', 'Z', 0}, 6) == 0;
}

// The stream's flags name the check of its blocks: 0 is none.
static bool xz_has_checksum(const uint8_t *head, size_t length) {
    return length > 7 && (head[7] & 0x0f) != 0;
}

static void xz_start(lzma_stream *stream) {
    check(lzma_stream_decoder(stream, SOURCE_WINDOW_LIMIT + XZ_OVERHEAD,
                              LZMA_TELL_UNSUPPORTED_CHECK) == LZMA_OK);
}

static void *xz_new(void) {
    lzma_stream *stream = memory_new(1, sizeof *stream);
    *stream = (lzma_stream)LZMA_STREAM_INIT;
    xz_start(stream);
    return stream;
}

static void xz_again(void *state) {
    xz_start(state);
}

static enum codec_result xz_step(void *state, struct codec_buffers *buffers,
                                 char wrong[CODEC_WRONG_SIZE]) {
    lzma_stream *stream = state;
    stream->next_in = buffers->in;
    stream->avail_in = buffers->in_length;
    stream->next_out = buffers->out;
    stream->avail_out = buffers->out_size;
    const lzma_ret result = lzma_code(stream, LZMA_RUN);
    moved(buffers, buffers->in_length - stream->avail_in, buffers->out_size - stream->avail_out);
    switch (result) {
    case LZMA_OK:
    case LZMA_BUF_ERROR:
        return CODEC_GOES_ON;
    case LZMA_STREAM_END:
        return CODEC_STREAM_ENDED;
    case LZMA_MEMLIMIT_ERROR:
        return window_too_large(wrong);
    case LZMA_UNSUPPORTED_CHECK:
        return wrong_because(wrong, "its kind of check is not known, so it cannot be verified");
    case LZMA_OPTIONS_ERROR:
        return wrong_because(wrong, "options in a header that are not known");
    case LZMA_FORMAT_ERROR:
        return wrong_because(wrong, "no xz stream");
    case LZMA_MEM_ERROR:
        return wrong_because(wrong, "out of memory");
    default:
        return wrong_because(wrong, "the data are damaged: a check or a length does not hold");
    }
}

static void xz_free(void *state) {
    lzma_end(state);
    free(state);
}

// ---- bzip2

static bool bzip2_recognises(const uint8_t *head, size_t length) {
    return length >= 4 && memcmp(head, "BZh", 3) == 0 && head[3] >= '1' && head[3] <= '9';
}

static void *bzip2_new(void) {
    bz_stream *stream = memory_new(1, sizeof *stream);
    check(BZ2_bzDecompressInit(stream, 0, 0) == BZ_OK);
    return stream;
}

static void bzip2_again(void *state) {
    BZ2_bzDecompressEnd(state);
    memset(state, 0, sizeof(bz_stream));
    check(BZ2_bzDecompressInit(state, 0, 0) == BZ_OK);
}

static enum codec_result bzip2_step(void *state, struct codec_buffers *buffers,
                                    char wrong[CODEC_WRONG_SIZE]) {
    bz_stream *stream = state;
    const unsigned in = capped(buffers->in_length);
    const unsigned out = capped(buffers->out_size);
    stream->next_in = (char *)(uintptr_t)buffers->in; // libbz2 does not write to it
    stream->avail_in = in;
    stream->next_out = (char *)buffers->out;
    stream->avail_out = out;
    const int result = BZ2_bzDecompress(stream);
    moved(buffers, in - stream->avail_in, out - stream->avail_out);
    if (result == BZ_STREAM_END)
        return CODEC_STREAM_ENDED;
    if (result == BZ_OK)
        return CODEC_GOES_ON;
    return wrong_because(wrong, result == BZ_DATA_ERROR_MAGIC
                                    ? "no bzip2 stream"
                                    : "the data are damaged: a CRC or a code does not hold");
}

static void bzip2_free(void *state) {
    BZ2_bzDecompressEnd(state);
    free(state);
}

// ---- LZ4 frames

static bool lz4_recognises(const uint8_t *head, size_t length) {
    return length >= 4 && memcmp(head, "\x04\x22\x4d\x18", 4) == 0;
}

static bool lz4_recognises_next(const uint8_t *head, size_t length) {
    return lz4_recognises(head, length) || is_skippable(head, length);
}

static bool lz4_has_checksum(const uint8_t *head, size_t length) {
    return is_skippable(head, length) || (length > 4 && (head[4] & 4) != 0);
}

static void *lz4_new(void) {
    LZ4F_dctx *state = NULL;
    check(!LZ4F_isError(LZ4F_createDecompressionContext(&state, LZ4F_VERSION)));
    return state;
}

static void lz4_again(void *state) {
    LZ4F_resetDecompressionContext(state);
}

static enum codec_result lz4_step(void *state, struct codec_buffers *buffers,
                                  char wrong[CODEC_WRONG_SIZE]) {
    size_t taken = buffers->in_length;
    size_t made = buffers->out_size;
    const size_t result = LZ4F_decompress(state, buffers->out, &made, buffers->in, &taken, NULL);
    if (LZ4F_isError(result))
        return wrong_because(wrong, LZ4F_getErrorName(result));
    moved(buffers, taken, made);
    return result == 0 ? CODEC_STREAM_ENDED : CODEC_GOES_ON;
}

static void lz4_free(void *state) {
    LZ4F_freeDecompressionContext(state);
}

// ---- the table

#define CODEC(id, unit, next, checksum)                                                            \
    {                                                                                              \
        .name = #id, .padding_unit = unit, .recognises = id##_recognises, .recognises_next = next, \
        .has_checksum = checksum, .new = id##_new, .again = id##_again, .step = id##_step,         \
        .free = id##_free,                                                                         \
    }

static const struct codec GZIP = CODEC(gzip, 1, gzip_recognises, always);
static const struct codec ZSTD = CODEC(zstd, 1, zstd_recognises, zstd_has_checksum);
static const struct codec XZ = CODEC(xz, 4, xz_recognises, xz_has_checksum);
static const struct codec BZIP2 = CODEC(bzip2, 1, bzip2_recognises, always);
static const struct codec LZ4 = CODEC(lz4, 1, lz4_recognises_next, lz4_has_checksum);
static const struct codec ZLIB = {
    .name = "zlib", .new = zlib_new, .again = gzip_again, .step = gzip_step, .free = gzip_free};

const struct codec *const CODECS[] = {&GZIP, &ZSTD, &XZ, &BZIP2, &LZ4, NULL};
const struct codec *const CODEC_ZLIB = &ZLIB;
const struct codec *const CODEC_ZSTD = &ZSTD;
const struct codec *const CODEC_LZ4 = &LZ4;
