// Fuzzes the reader of what pg_dumpall writes: see dump_reader.h.
#include "ci/fuzz/dump_reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_dump_reader(&FORMAT_POSTGRES_CLUSTER, data, size);
    return 0;
}
