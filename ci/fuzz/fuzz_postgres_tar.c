// Fuzzes the reader of pg_dump's tar format: see dump_reader.h.
#include "ci/fuzz/dump_reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_dump_reader(&FORMAT_POSTGRES_TAR, data, size);
    return 0;
}
