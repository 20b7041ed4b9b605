// Fuzzes the reader of the table of contents of pg_dump's directory format: see dump_reader.h.
#include "ci/fuzz/dump_reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_dump_reader(&FORMAT_POSTGRES_DIRECTORY, data, size);
    return 0;
}
