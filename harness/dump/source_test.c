#include "base/file.h"
#include "base/memory.h"
#include "dump/source.h"

#include <bzlib.h>
#include <criterion/criterion.h>
#include <fcntl.h>
#include <lz4frame.h>
#include <lzma.h>
#include <sodium/crypto_hash_sha256.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

// What is packed: long enough for several blocks' worth of codes, short enough for every flip.
#define CONTENT_SIZE ((size_t)700)
#define PACKED_LIMIT ((size_t)8192)

struct packed {
    uint8_t bytes[PACKED_LIMIT];
    size_t length;
};

static uint8_t content[CONTENT_SIZE];
static char folder[] = "/tmp/assay-source.XXXXXX";

static void prepare(void) {
    uint32_t state = 1;
    for (size_t i = 0; i < CONTENT_SIZE; i++) {
        state = state * 1664525u + 1013904223u;
        content[i] = (uint8_t)('a' + (state >> 24) % (i % 100 < 50 ? 26 : 2));
    }
    cr_assert_not_null(mkdtemp(folder));
}

static void release(void) {
    struct error err = {0};
    cr_expect(file_remove_tree(folder, &err), "%s", err.message);
}

TestSuite(source, .init = prepare, .fini = release);

// ---- packing

static void pack_gzip(struct packed *packed, bool checksum) {
    (void)checksum;
    z_stream stream = {0};
    cr_assert_eq(deflateInit2(&stream, 9, Z_DEFLATED, 16 + 15, 8, Z_DEFAULT_STRATEGY), Z_OK);
    stream.next_in = content;
    stream.avail_in = CONTENT_SIZE;
    stream.next_out = packed->bytes;
    stream.avail_out = PACKED_LIMIT;
    cr_assert_eq(deflate(&stream, Z_FINISH), Z_STREAM_END);
    packed->length = stream.total_out;
    deflateEnd(&stream);
}

static void pack_zstd(struct packed *packed, bool checksum) {
    ZSTD_CCtx *state = ZSTD_createCCtx();
    ZSTD_CCtx_setParameter(state, ZSTD_c_checksumFlag, checksum);
    packed->length = ZSTD_compress2(state, packed->bytes, PACKED_LIMIT, content, CONTENT_SIZE);
    cr_assert_not(ZSTD_isError(packed->length));
    ZSTD_freeCCtx(state);
}

static void pack_xz(struct packed *packed, bool checksum) {
    packed->length = 0;
    cr_assert_eq(lzma_easy_buffer_encode(6, checksum ? LZMA_CHECK_CRC64 : LZMA_CHECK_NONE, NULL,
                                         content, CONTENT_SIZE, packed->bytes, &packed->length,
                                         PACKED_LIMIT),
                 LZMA_OK);
}

static void pack_bzip2(struct packed *packed, bool checksum) {
    (void)checksum;
    unsigned length = PACKED_LIMIT;
    cr_assert_eq(BZ2_bzBuffToBuffCompress((char *)packed->bytes, &length, (char *)content,
                                          CONTENT_SIZE, 9, 0, 0),
                 BZ_OK);
    packed->length = length;
}

static void pack_lz4(struct packed *packed, bool checksum) {
    const LZ4F_preferences_t how = {.frameInfo.contentChecksumFlag =
                                        checksum ? LZ4F_contentChecksumEnabled
                                                 : LZ4F_noContentChecksum};
    packed->length = LZ4F_compressFrame(packed->bytes, PACKED_LIMIT, content, CONTENT_SIZE, &how);
    cr_assert_not(LZ4F_isError(packed->length));
}

static const struct kind {
    const char *name;
    void (*pack)(struct packed *packed, bool checksum);
    size_t magic; // a file shorter than this is not known to be compressed
    // At most so many bits say nothing: flipped, the content is the same. gzip: text flag, time,
    // level and system (RFC 1952, 2.3.1) and the bits after the last code. The others: unused bits
    // of headers, and repetitions that may be taken from elsewhere.
    size_t idle_bits;
    bool optional_checksum;
} KINDS[] = {
    {"gzip", pack_gzip, 2, 1 + 8 * 6 + 7, false},
    {"zstd", pack_zstd, 4, 20, true},
    {"xz", pack_xz, 6, 2, true},
    {"bzip2", pack_bzip2, 4, 7, false},
    {"lz4", pack_lz4, 4, 20, true},
};
#define KIND_COUNT (sizeof KINDS / sizeof KINDS[0])

// ---- reading

struct outcome {
    bool read;
    struct source_facts facts;
    size_t length;
    bool same; // as the content, `times` over
    struct error err;
};

static struct outcome read_whole(struct source *source, size_t step) {
    struct outcome outcome = {.same = true};
    uint8_t bytes[1024];
    size_t length = 1;
    outcome.read = true;
    while (outcome.read && length > 0) {
        outcome.read = source_read(source, bytes, step, &length, &outcome.err);
        for (size_t i = 0; outcome.read && i < length; i++)
            if (bytes[i] != content[(outcome.length + i) % CONTENT_SIZE])
                outcome.same = false;
        outcome.length += outcome.read ? length : 0;
    }
    outcome.facts = *source_facts(source);
    return outcome;
}

static struct outcome read_bytes(const void *bytes, size_t length) {
    struct source *source = NULL;
    struct outcome outcome = {0};
    // A copy of exactly this size, so that reading past it is noticed.
    char *copy = memory_copy_bytes(bytes, length);
    copy = memory_resize(copy, length > 0 ? length : 1, 1);
    if (source_open_bytes(copy, length, &source, &outcome.err))
        outcome = read_whole(source, 1 + length % 1000);
    source_close(source);
    free(copy);
    return outcome;
}

static void append(struct packed *packed, const void *bytes, size_t length) {
    cr_assert(packed->length + length <= PACKED_LIMIT);
    memcpy(packed->bytes + packed->length, bytes, length);
    packed->length += length;
}

// ---- tests

Test(source, unpacks_every_compression_and_knows_it_by_its_content) {
    for (size_t k = 0; k < KIND_COUNT; k++) {
        struct packed packed;
        KINDS[k].pack(&packed, true);
        const struct outcome outcome = read_bytes(packed.bytes, packed.length);
        cr_assert(outcome.read, "%s: %s", KINDS[k].name, outcome.err.message);
        cr_expect(outcome.same && outcome.length == CONTENT_SIZE, "%s", KINDS[k].name);
        cr_expect_str_eq(outcome.facts.compression, KINDS[k].name);
        cr_expect(outcome.facts.has_checksum);
        cr_expect_eq(outcome.facts.file_bytes, packed.length);
        cr_expect_eq(outcome.facts.bytes, CONTENT_SIZE);
        uint8_t sha256[SHA256_SIZE];
        crypto_hash_sha256(sha256, packed.bytes, packed.length);
        cr_expect_arr_eq(outcome.facts.sha256, sha256, SHA256_SIZE);
    }
}

Test(source, hands_out_what_is_not_compressed_as_it_is) {
    const struct outcome outcome = read_bytes(content, CONTENT_SIZE);
    cr_expect(outcome.read && outcome.same && outcome.length == CONTENT_SIZE);
    cr_expect_str_eq(outcome.facts.compression, "none");
    cr_expect_not(outcome.facts.has_checksum);
    const struct outcome empty = read_bytes("", 0);
    cr_expect(empty.read && empty.length == 0);
}

Test(source, says_when_a_compression_would_not_notice) {
    for (size_t k = 0; k < KIND_COUNT; k++) {
        struct packed packed;
        KINDS[k].pack(&packed, false);
        const struct outcome outcome = read_bytes(packed.bytes, packed.length);
        cr_expect(outcome.read && outcome.same);
        cr_expect_eq(outcome.facts.has_checksum, !KINDS[k].optional_checksum, "%s", KINDS[k].name);
    }
}

Test(source, refuses_every_truncation) {
    for (size_t k = 0; k < KIND_COUNT; k++)
        for (int checksum = 0; checksum < 2; checksum++) {
            struct packed packed;
            KINDS[k].pack(&packed, checksum);
            for (size_t length = KINDS[k].magic; length < packed.length; length++) {
                const struct outcome outcome = read_bytes(packed.bytes, length);
                cr_assert_not(outcome.read, "%s cut to %zu", KINDS[k].name, length);
                cr_assert_eq(outcome.err.domain, ERROR_PROTOCOL);
                cr_assert_not_null(strstr(outcome.err.message, "end before the stream does"), "%s",
                                   outcome.err.message);
            }
        }
}

Test(source, no_flipped_bit_changes_the_content_unnoticed) {
    for (size_t k = 0; k < KIND_COUNT; k++) {
        struct packed packed;
        size_t idle = 0;
        KINDS[k].pack(&packed, true);
        for (size_t bit = 8 * KINDS[k].magic; bit < 8 * packed.length; bit++) {
            packed.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
            const struct outcome outcome = read_bytes(packed.bytes, packed.length);
            packed.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
            cr_assert(!outcome.read || (outcome.same && outcome.length == CONTENT_SIZE),
                      "%s: bit %zu changed the content unnoticed", KINDS[k].name, bit);
            idle += outcome.read ? 1 : 0;
        }
        cr_expect_leq(idle, KINDS[k].idle_bits, "%s: %zu bits say nothing", KINDS[k].name, idle);
    }
}

Test(source, reads_several_streams_to_the_last) {
    for (size_t k = 0; k < KIND_COUNT; k++) {
        struct packed packed;
        struct packed one;
        KINDS[k].pack(&packed, true);
        KINDS[k].pack(&one, true);
        append(&packed, one.bytes, one.length);
        append(&packed, one.bytes, one.length);
        const struct outcome outcome = read_bytes(packed.bytes, packed.length);
        cr_assert(outcome.read, "%s: %s", KINDS[k].name, outcome.err.message);
        cr_expect(outcome.same && outcome.length == 3 * CONTENT_SIZE, "%s", KINDS[k].name);
        const struct outcome cut = read_bytes(packed.bytes, packed.length - 1);
        cr_expect_not(cut.read);
        KINDS[k].pack(&packed, true);
        KINDS[k].pack(&one, false);
        append(&packed, one.bytes, one.length);
        const struct outcome mixed = read_bytes(packed.bytes, packed.length);
        cr_expect_eq(mixed.facts.has_checksum, !KINDS[k].optional_checksum);
    }
}

Test(source, allows_zero_padding_and_nothing_else_at_the_end) {
    static const uint8_t zeros[400];
    for (size_t k = 0; k < KIND_COUNT; k++) {
        struct packed packed;
        KINDS[k].pack(&packed, true);
        append(&packed, zeros, sizeof zeros);
        struct outcome outcome = read_bytes(packed.bytes, packed.length);
        cr_expect(outcome.read && outcome.length == CONTENT_SIZE, "%s", outcome.err.message);
        packed.bytes[packed.length - 4] = 1;
        outcome = read_bytes(packed.bytes, packed.length);
        cr_assert_not(outcome.read, "%s", KINDS[k].name);
        cr_expect_not_null(strstr(outcome.err.message, "something else follows"), "%s",
                           outcome.err.message);
    }
}

Test(source, xz_streams_may_be_padded_by_multiples_of_four) {
    struct packed one;
    struct packed packed;
    pack_xz(&one, true);
    for (size_t padding = 1; padding <= 8; padding++) {
        packed = one;
        append(&packed, "\0\0\0\0\0\0\0", padding);
        append(&packed, one.bytes, one.length);
        cr_expect_eq(read_bytes(packed.bytes, packed.length).read, padding % 4 == 0);
    }
}

Test(source, skips_frames_of_user_data) {
    struct packed one;
    struct packed packed;
    void (*const packs[])(struct packed *, bool) = {pack_zstd, pack_lz4};
    for (size_t k = 0; k < 2; k++) {
        packs[k](&one, true);
        packed = one;
        append(&packed, "\x53\x2a\x4d\x18\x03\x00\x00\x00", 8);
        append(&packed, "abc", 3);
        append(&packed, one.bytes, one.length);
        const struct outcome outcome = read_bytes(packed.bytes, packed.length);
        cr_expect(outcome.read && outcome.same && outcome.length == 2 * CONTENT_SIZE, "%s",
                  outcome.err.message);
    }
}

Test(source, refuses_windows_that_would_eat_the_memory) {
    // zstd: a frame that declares a window of 128 MiB. xz: a dictionary of 256 MiB.
    const struct outcome zstd = read_bytes("\x28\xb5\x2f\xfd\x00\x88\x01\x00\x00", 9);
    cr_expect_not(zstd.read);
    cr_expect_not_null(strstr(zstd.err.message, "64 MiB"), "%s", zstd.err.message);
    lzma_options_lzma options;
    struct packed packed = {.length = 0};
    lzma_lzma_preset(&options, 0);
    options.dict_size = 256u << 20;
    lzma_filter filters[] = {{LZMA_FILTER_LZMA2, &options}, {LZMA_VLI_UNKNOWN, NULL}};
    lzma_stream stream = LZMA_STREAM_INIT;
    cr_assert_eq(lzma_stream_encoder(&stream, filters, LZMA_CHECK_CRC32), LZMA_OK);
    stream.next_in = content;
    stream.avail_in = CONTENT_SIZE;
    stream.next_out = packed.bytes;
    stream.avail_out = PACKED_LIMIT;
    cr_assert_eq(lzma_code(&stream, LZMA_FINISH), LZMA_STREAM_END);
    const struct outcome xz = read_bytes(packed.bytes, stream.total_out);
    lzma_end(&stream);
    cr_expect_not(xz.read);
    cr_expect_not_null(strstr(xz.err.message, "64 MiB"), "%s", xz.err.message);
}

Test(source, peeks_without_taking_and_reads_exactly) {
    struct source *source = NULL;
    struct error err = {0};
    struct packed packed;
    const uint8_t *head = NULL;
    size_t length = 0;
    uint8_t bytes[CONTENT_SIZE];
    pack_bzip2(&packed, true);
    cr_assert(source_open_bytes(packed.bytes, packed.length, &source, &err));
    cr_assert(source_peek(source, 10, &head, &length, &err));
    cr_assert(length >= 10 && memcmp(head, content, length) == 0);
    cr_expect_eq(source_offset(source), 0);
    cr_assert(source_read_all(source, bytes, 100, "a header", &err));
    cr_assert(source_skip(source, 100, "a block", &err));
    cr_assert(source_read_all(source, bytes, 100, "a header", &err));
    cr_expect_arr_eq(bytes, content + 200, 100);
    cr_expect_eq(source_offset(source), 300);
    cr_assert(source_peek(source, SOURCE_HEAD, &head, &length, &err));
    cr_expect_eq(length, CONTENT_SIZE - 300);
    cr_expect_not(source_read_all(source, bytes, CONTENT_SIZE, "the last row", &err));
    cr_expect_not_null(strstr(err.message, "at byte 700 of what is packed in memory: the data end "
                                           "within the last row"),
                       "%s", err.message);
    cr_expect_not(source_skip(source, 1, "the last row", &err));
    source_close(source);
}

Test(source, passes_through_far_more_than_it_holds) {
    // 8 MiB of zeros: some KB of gzip.
    const size_t size = (size_t)8 << 20;
    uint8_t *zeros = memory_new(size, 1);
    uLongf length = compressBound(size) + 100;
    uint8_t *packed = memory_new(length, 1);
    struct source *source = NULL;
    struct error err = {0};
    z_stream stream = {.next_in = zeros,
                       .avail_in = (unsigned)size,
                       .next_out = packed,
                       .avail_out = (unsigned)length};
    deflateInit2(&stream, 9, Z_DEFLATED, 16 + 15, 8, Z_DEFAULT_STRATEGY);
    cr_assert_eq(deflate(&stream, Z_FINISH), Z_STREAM_END);
    cr_assert(source_open_bytes(packed, stream.total_out, &source, &err));
    cr_assert(source_drain(source, &err));
    cr_expect_eq(source_facts(source)->bytes, size);
    source_close(source);
    deflateEnd(&stream);
    free(zeros);
    free(packed);
}

// ---- files

static const char *path_of(const char *name) {
    static char path[100];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

Test(source, reads_a_file_for_reading_only) {
    struct packed packed;
    struct source *source = NULL;
    struct error err = {0};
    pack_xz(&packed, true);
    cr_assert(file_write_atomic(path_of("named.gz"), packed.bytes, packed.length, 0400, &err));
    cr_assert(source_open(path_of("named.gz"), &source, &err));
    const struct outcome outcome = read_whole(source, 512);
    source_close(source);
    cr_expect(outcome.read && outcome.same);
    cr_expect_str_eq(outcome.facts.compression, "xz");
}

Test(source, refuses_what_is_no_regular_file_without_waiting_for_it) {
    struct source *source = NULL;
    struct error err = {0};
    cr_assert_eq(symlink("/etc/passwd", path_of("link")), 0);
    cr_expect_not(source_open(path_of("link"), &source, &err));
    cr_expect_not_null(strstr(err.message, "link (to /etc/passwd)"), "%s", err.message);
    cr_assert_eq(mkfifo(path_of("pipe"), 0600), 0);
    cr_expect_not(source_open(path_of("pipe"), &source, &err));
    cr_expect_not_null(strstr(err.message, "not a regular file"), "%s", err.message);
    cr_expect_not(source_open(folder, &source, &err));
    cr_expect_not(source_open(path_of("absent"), &source, &err));
    cr_expect_eq(err.domain, ERROR_SYSTEM);
}

// A stream's first bytes: its flags say what follows, under a checksum of their own.
static void expect_flags_refused(uint8_t reserved, uint8_t check, const char *words) {
    uint8_t head[12] = {0xfd, '7', 'z', 'X', 'Z', 0, reserved, check};
    const uint32_t sum = lzma_crc32(head + 6, 2, 0);
    for (size_t i = 0; i < 4; i++)
        head[8 + i] = (uint8_t)(sum >> 8 * i);
    const struct outcome outcome = read_bytes(head, sizeof head);
    cr_expect_not(outcome.read);
    cr_expect_not_null(strstr(outcome.err.message, words), "%s", outcome.err.message);
}

Test(source, refuses_an_xz_stream_of_a_later_kind) {
    expect_flags_refused(0, 2, "its kind of check is not known");
    expect_flags_refused(1, 1, "options in a header that are not known");
}

Test(source, says_what_of_a_descriptor_cannot_be_read) {
    struct source *source = NULL;
    struct error err = {0};
    int ends[2];
    cr_assert_eq(pipe(ends), 0);
    cr_expect_not(source_open_fd(ends[0], "a pipe", &source, &err));
    cr_expect_str_eq(err.message, "cannot read a pipe again: Illegal seek", "%s", err.message);
    const int written = open("/dev/null", O_WRONLY);
    cr_expect_not(source_open_fd(written, "what is written", &source, &err));
    cr_expect_not_null(strstr(err.message, "Bad file descriptor"), "%s", err.message);
    close(written);
    close(ends[0]);
    close(ends[1]);
}
