// The lines that a suite's recorder wrote (recorder.h), read into a suite_result.
#pragma once

#include "value/result.h"

#include <stddef.h>

struct suite_progress {
    bool planned_known;
    size_t planned;
    bool ended;
};

// One line without its newline. false: it is not one of a recorder's.
bool suite_results_read_line(const char *line, size_t length, struct suite_result *suite,
                             struct suite_progress *progress);
