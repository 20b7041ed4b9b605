// The manifest of a backup: whatever it holds, it is refused with a reason, or it is written again
// as a text that reads the same.
#include "base/check.h"
#include "base/memory.h"
#include "verify/backup/manifest.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_round_trip(const struct manifest *manifest) {
    struct error err = {0};
    char *first = NULL, *second = NULL;
    size_t first_length = 0, second_length = 0;
    struct manifest *again = NULL;
    check(manifest_format(manifest, &first, &first_length, &err));
    check(manifest_parse(first, first_length, &again, &err));
    check(manifest_format(again, &second, &second_length, &err));
    check(first_length == second_length && memcmp(first, second, first_length) == 0);
    manifest_free(again);
    free(first);
    free(second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct error err = {0};
    struct manifest *manifest = NULL;
    const char *text = size > 0 ? (const char *)data : "";
    if (manifest_parse(text, size, &manifest, &err)) {
        check_round_trip(manifest);
        struct differences differences = {0};
        for (size_t i = 0; i < manifest->artifact_count; i++) {
            const struct fingerprint *fingerprint = manifest->artifacts[i].fingerprint;
            check(fingerprint == NULL || fingerprint_equal(fingerprint, fingerprint, &differences));
        }
        differences_done(&differences);
    } else {
        check(err.domain == ERROR_PROTOCOL || err.domain == ERROR_UNAVAILABLE);
        check(err.message[0] != '\0' && manifest == NULL);
    }
    manifest_free(manifest);
    return 0;
}
