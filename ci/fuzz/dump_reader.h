// What the fuzzers of backups' readers have in common: one input, read by one reader.
#pragma once

#include "base/check.h"
#include "dump/formats.h"

#include <string.h>

// Whatever the input: read to its end, or refused with a reason; and the same the second time.
static inline void fuzz_dump_reader(const struct dump_format *format, const uint8_t *data,
                                    size_t size) {
    struct error before = {0};
    for (int time = 0; time < 2; time++) {
        struct error err = {0};
        struct dump_facts facts = {.format = format, .engine = format->engine};
        struct source *source = NULL;
        uint8_t byte;
        size_t left = 1;
        if (!source_open_bytes(data, size, &source, &err))
            return;
        if (format->read(source, &facts, &err))
            check(source_read(source, &byte, 1, &left, &err) && left == 0);
        else
            check(err.message[0] != '\0' &&
                  (err.domain == ERROR_PROTOCOL || err.domain == ERROR_UNAVAILABLE));
        check(time == 0 || strcmp(err.message, before.message) == 0);
        before = err;
        dump_facts_done(&facts);
        source_close(source);
    }
}
