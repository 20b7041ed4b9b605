// Reports for the tests of the writers.
#pragma once

#include "reports/report_writer.h"

// Two services (one failed) and five suites: 2 passed, 3 failed (one of them a suite that crashed),
// 2 not verified (one of them a suite without a test), 1 not applicable.
struct report *sample_report(void) must_use;
struct report *sample_report_all_passed(void) must_use;

// Every string of it is `evil`, and something failed.
struct report *sample_report_of(const char *evil) must_use;

// Text that tries to break out of every format: "]]>", "::error", escapes, bad UTF-8 …
const char *sample_evil(void);

char *sample_compose(const struct report_writer *writer, const struct report *report) must_use;
char *sample_compose_with(const struct report_writer *writer, const struct report *report,
                          const struct report_options *options) must_use;

size_t sample_count(const char *text, const char *part); // how often the part occurs
