#include "dump/formats.h"

#include <stddef.h>

// In the order asked: those with a magic number first, then by what a script says of itself, then
// those that are told from their structure.
const struct dump_format *const DUMP_FORMATS[] = {
    &FORMAT_POSTGRES_DIRECTORY, // before custom: the same magic number
    &FORMAT_POSTGRES_CUSTOM,
    NULL,
};
