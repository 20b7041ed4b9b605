// Reports for the tests of the writers. All that is handed out here belongs to the test and goes in
// sample_forget, its .fini.
#pragma once

#include "reports/report_writer.h"

// Two services (one failed) and five suites: 2 passed, 3 failed (one of them a suite that crashed),
// 2 not verified (one of them a suite without a test), 1 not applicable.
struct report *sample_report(void);
struct report *sample_report_all_passed(void);

// Every string of it is `evil`, and something failed.
struct report *sample_report_of(const char *evil);

// Text that tries to break out of every format: "]]>", "::error", escapes, bad UTF-8 …
const char *sample_evil(void);

const char *sample_compose(const struct report_writer *writer, const struct report *report);
const char *sample_compose_with(const struct report_writer *writer, const struct report *report,
                                const struct report_options *options);

struct report *sample_own(struct report *report); // one that the test made: returns it
void sample_forget(void);

// The part is in the text, or the test fails with both.
#define sample_expect_part(text, part) \
    cr_expect(strstr((text), (part)) != NULL, "\"%s\" is not in:\n%s", (part), (text))
size_t sample_count(const char *text, const char *part); // how often the part occurs
