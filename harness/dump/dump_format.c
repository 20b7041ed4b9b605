#include "dump/formats.h"

#include <stddef.h>

// In the order asked: those with a magic number first, then by what a script says of itself, then
// those that are told from their structure.
const struct dump_format *const DUMP_FORMATS[] = {
    // clang-format off
    &FORMAT_POSTGRES_DIRECTORY, // before custom: the same magic number
    &FORMAT_POSTGRES_CUSTOM,
    &FORMAT_POSTGRES_TAR, // before volumes: they are tars too
    &FORMAT_MONGO_ARCHIVE,
    &FORMAT_REDIS_RDB,
    &FORMAT_VOLUME,
    &FORMAT_POSTGRES_PLAIN,
    &FORMAT_POSTGRES_CLUSTER,
    &FORMAT_MYSQL_DUMP,
    &FORMAT_BSON, // last: its documents have no magic number
    NULL,
    // clang-format on
};
