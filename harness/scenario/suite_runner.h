// Runs Criterion executables and gathers what their tests came to.
//
// A suite is a process of its own in a process group of its own. It is given ASSAY_ENVIRONMENT
// (where the services are) and ASSAY_RESULTS (where its recorder writes, see recorder.h). Whatever
// goes wrong with it as a whole is a failure by name: it cannot be started, crashes, hangs, ends
// before its last test, runs no test, or records nothing because it is not linked with libassay.
#pragma once

#include "base/cancel.h"
#include "base/error.h"
#include "base/string_list.h"
#include "value/result.h"

struct suite_job {
    const char *name;    // "postgres"; NULL: the file's name
    const char *path;    // of the executable
    const char *subject; // name of the service; NULL: none
};

struct suite_runner {
    const char *environment_file; // NULL: suites find no services, all their tests are not verified
    const char *folder;           // for result files; must exist
    int jobs;                     // suites at once; 0: 4
    int tests_at_once;            // within a suite; 0: 4
    int timeout_ms;               // of a suite as a whole; 0: 10 minutes
    int shard;                    // 1-based; 0: no sharding
    int shards;
    const struct cancel *cancel;
    // Called from worker threads, serialised, as tests end: the tally so far.
    void (*progress)(void *context, const char *suite, const struct tally *tally, size_t planned,
                     bool ended);
    void *context;
};

// Names of all tests ("postgres/refuses_a_duplicate_key"), asked of the executable itself.
bool suite_list(const char *path, struct string_list *ret_tests, struct error *err) must_use;

// Runs all of them in parallel and appends a suite_result for each, in the order given. What goes
// wrong is in the results; false only when the run was cancelled.
bool suite_runner_run(const struct suite_runner *self, const struct suite_job *jobs, size_t count,
                      struct report *report, struct error *err) must_use;
