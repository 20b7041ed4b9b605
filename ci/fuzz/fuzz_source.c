// Fuzzes the decompression of backups: no input may crash it, and neither what comes out nor the
// verdict may depend on the pieces in which it is asked for.
#include "base/check.h"
#include "dump/source.h"

#define OUTPUT_LIMIT ((uint64_t)4 * 1024 * 1024) // an input of 20 KB may unpack to gigabytes

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct outcome {
    bool read;
    uint64_t length;
    uint64_t sum;
};

static struct outcome read_in_pieces(const uint8_t *data, size_t size, size_t piece) {
    struct outcome outcome = {.read = true};
    struct source *source = NULL;
    struct error err = {0};
    uint8_t bytes[5000];
    size_t length = 1;
    check(source_open_bytes(data, size, &source, &err));
    while (outcome.read && length > 0 && outcome.length < OUTPUT_LIMIT) {
        const uint64_t left = OUTPUT_LIMIT - outcome.length;
        outcome.read =
            source_read(source, bytes, left < piece ? (size_t)left : piece, &length, &err);
        for (size_t i = 0; outcome.read && i < length; i++)
            outcome.sum = (outcome.sum ^ bytes[i]) * 0x100000001b3;
        outcome.length += outcome.read ? length : 0;
    }
    check(outcome.read || err.domain != ERROR_NONE);
    check(source_facts(source)->bytes == outcome.length);
    source_close(source);
    return outcome;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const struct outcome large = read_in_pieces(data, size, 5000);
    const struct outcome small = read_in_pieces(data, size, 7);
    check(large.read == small.read && large.length == small.length && large.sum == small.sum);
    return 0;
}
