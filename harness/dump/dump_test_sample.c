#include "dump/dump_test_sample.h"

#include "base/memory.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#if defined(__has_feature) // clang
#if __has_feature(address_sanitizer)
#define IS_SANITIZED 1
#endif
#elif defined(__SANITIZE_ADDRESS__) // gcc
#define IS_SANITIZED 1
#endif
#ifndef IS_SANITIZED
#define IS_SANITIZED 0
#endif

struct sample sample_load(const char *name) {
    autofree_string char *path = memory_format("%s/%s", DUMP_SAMPLES, name);
    FILE *file = fopen(path, "rb");
    cr_assert_not_null(file, "%s", path);
    struct sample sample = {.name = name, .bytes = memory_new(64 * 1024, 1)};
    sample.length = fread(sample.bytes, 1, 64 * 1024, file);
    fclose(file);
    cr_assert(sample.length > 0 && sample.length < 64 * 1024);
    sample.bytes = memory_resize(sample.bytes, sample.length, 1);
    return sample;
}

void sample_done(struct sample *self) {
    free(self->bytes);
}

bool sample_read(const struct dump_format *format, const void *bytes, size_t length,
                 struct dump_facts *ret_facts, struct error *err) {
    struct source *source = NULL;
    struct dump_facts facts = {.format = format, .engine = format->engine};
    bool read = source_open_bytes(bytes, length, &source, err) && format->read(source, &facts, err);
    if (read) {
        uint8_t byte;
        size_t left = 1;
        cr_assert(source_read(source, &byte, 1, &left, err) && left == 0,
                  "%s stopped before the end", format->name);
        *ret_facts = facts;
    } else {
        dump_facts_done(&facts);
    }
    source_close(source);
    return read;
}

void sample_expect(const struct dump_format *format, const void *bytes, size_t length,
                   const char *words, const char *title) {
    struct dump_facts facts = {0};
    struct error err = {0};
    const bool read = sample_read(format, bytes, length, &facts, &err);
    if (words == NULL)
        cr_expect(read, "%s: %s", title, err.message);
    else
        cr_expect(!read && strstr(err.message, words) != NULL, "%s: wanted \"%s\", got \"%s\"",
                  title, words, read ? "no refusal" : err.message);
    dump_facts_done(&facts);
}

static bool is_refused(const struct dump_format *format, const void *bytes, size_t length,
                       struct error *err) {
    struct dump_facts facts = {0};
    const bool read = sample_read(format, bytes, length, &facts, err);
    dump_facts_done(&facts);
    return !read;
}

void sample_refuse_truncations(const struct dump_format *format, const struct sample *sample,
                               bool (*allowed)(const struct sample *sample, size_t length)) {
    for (size_t length = 0; length < sample->length; length++) {
        struct error err = {0};
        if (allowed != NULL && allowed(sample, length))
            continue;
        uint8_t *cut = memory_new(length > 0 ? length : 1, 1);
        memcpy(cut, sample->bytes, length);
        cr_assert(is_refused(format, cut, length, &err), "%s cut to %zu bytes is read",
                  sample->name, length);
        free(cut);
        cr_assert_eq(err.domain, ERROR_PROTOCOL, "%s", err.message);
        cr_assert_not_null(strstr(err.message, "at byte "), "%s", err.message);
    }
}

static bool flip_is_refused(const struct dump_format *format, const struct sample *sample,
                            size_t bit) {
    struct error err = {0};
    sample->bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    const bool refused = is_refused(format, sample->bytes, sample->length, &err);
    sample->bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    return refused;
}

void sample_refuse_flips(const struct dump_format *format, const struct sample *sample, size_t from,
                         size_t to) {
    for (size_t bit = 8 * from; bit < 8 * to; bit++)
        cr_assert(flip_is_refused(format, sample, bit), "%s with bit %zu of byte %zu flipped",
                  sample->name, bit % 8, bit / 8);
}

size_t sample_survive_flips(const struct dump_format *format, const struct sample *sample) {
    size_t refused = 0;
    for (size_t bit = 0; bit < 8 * sample->length; bit++)
        refused += flip_is_refused(format, sample, bit) ? 1 : 0;
    return refused;
}

void sample_limit_memory(size_t bytes) {
#if IS_SANITIZED
    (void)bytes; // it has mapped everything already, and counts by itself
#else
    struct rlimit limit;
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    cr_assert(file != NULL && fscanf(file, "%lu", &pages) == 1);
    fclose(file);
    cr_assert_eq(getrlimit(RLIMIT_AS, &limit), 0);
    limit.rlim_cur = pages * 4096 + bytes;
    cr_assert_eq(setrlimit(RLIMIT_AS, &limit), 0);
#endif
}
