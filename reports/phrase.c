#include "reports/phrase.h"

#include <inttypes.h>

void phrase_duration(struct text *out, int64_t duration_us) {
    if (duration_us < 0)
        duration_us = 0;
    const int64_t seconds = duration_us / 1000000;
    if (duration_us < 100000)
        text_appendf(out, "%" PRId64 " ms", (duration_us + 500) / 1000);
    else if (duration_us < 60000000)
        text_appendf(out, "%.2f s", (double)duration_us / 1e6);
    else
        text_appendf(out, "%" PRId64 " min %02" PRId64 " s", seconds / 60, seconds % 60);
}

void phrase_tally(struct text *out, struct tally tally) {
    text_appendf(out, "%zu passed, %zu failed, %zu skipped", tally.passed, tally.failed,
                 tally_skipped(tally));
}

const char *phrase_verdict(int exit_status) {
    switch (exit_status) {
    case 0:
        return "Everything was verified and passed.";
    case 1:
        return "Something failed.";
    case 3:
        return "The environment could not be built.";
    case 4:
        return "Nothing failed, but not everything could be verified.";
    default:
        return "The run ended early.";
    }
}

const char *phrase_outcome_key(enum outcome outcome) {
    switch (outcome) {
    case OUTCOME_PASSED:
        return "passed";
    case OUTCOME_FAILED:
        return "failed";
    case OUTCOME_NOT_APPLICABLE:
        return "not_applicable";
    case OUTCOME_NOT_VERIFIED:
        break;
    }
    return "not_verified";
}
