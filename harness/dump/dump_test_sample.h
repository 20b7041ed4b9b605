// Samples of real backups, and what every reader's tests do with them.
#pragma once

#include "dump/formats.h"

struct sample {
    const char *name;
    uint8_t *bytes; // of malloc, so that reading past it is noticed
    size_t length;
};

struct sample sample_load(const char *name); // of DUMP_SAMPLES; fails the test
void sample_done(struct sample *self);

// By this reader, whatever the head says. The facts are the caller's if it succeeds.
bool sample_read(const struct dump_format *format, const void *bytes, size_t length,
                 struct dump_facts *ret_facts, struct error *err);
// Whether it is read, or the words that its refusal must have; NULL: it must be read.
void sample_expect(const struct dump_format *format, const void *bytes, size_t length,
                   const char *words, const char *title);

// Every length from 0 to one less: refused as ERROR_PROTOCOL, with an offset. `allowed` (may be
// NULL): those that nobody can tell from a whole file.
void sample_refuse_truncations(const struct dump_format *format, const struct sample *sample,
                               bool (*allowed)(const struct sample *sample, size_t length));

// Every flipped bit of so many bytes: refused.
void sample_refuse_flips(const struct dump_format *format, const struct sample *sample, size_t from,
                         size_t to);
// Every flipped bit: refused or not, but read in bounded time and memory. Returns how many were
// refused.
size_t sample_survive_flips(const struct dump_format *format, const struct sample *sample);

// From here on, this process may have so much more memory and no more.
void sample_limit_memory(size_t bytes);
