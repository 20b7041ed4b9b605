#include "verify/fingerprint/redis_stream_id.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static bool parse(const char *digits, char after, uint64_t *ret_number, const char **ret_end) {
    char *end = NULL;
    errno = 0;
    if (!isdigit((unsigned char)digits[0]))
        return false;
    *ret_number = strtoull(digits, &end, 10);
    *ret_end = end;
    return errno == 0 && *end == after;
}

bool redis_stream_id_after(const char *id, char *buffer, size_t size) {
    uint64_t ms = 0, sequence = 0;
    const char *end = NULL;
    if (!parse(id, '-', &ms, &end) || !parse(end + 1, '\0', &sequence, &end))
        return false;
    if (ms == UINT64_MAX && sequence == UINT64_MAX)
        return false;
    sequence++;
    snprintf(buffer, size, "%" PRIu64 "-%" PRIu64, sequence == 0 ? ms + 1 : ms, sequence);
    return true;
}
