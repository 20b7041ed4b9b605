// What a run found out: one model that every report is written from.
//
//   report ─┬─ service*           what was started, and how that went
//           └─ suite* ── test*    what was verified
//
// Three-valued. Whatever did not run is not_verified, never passed; not_applicable is for what the
// service under test itself says that it does not offer.
#pragma once

#include "base/attributes.h"
#include "base/cleanup.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum outcome {
    OUTCOME_NOT_VERIFIED = 0, // the zero value: what nobody filled in was not verified
    OUTCOME_PASSED,
    OUTCOME_FAILED,
    OUTCOME_NOT_APPLICABLE,
};

struct test_result {
    char *name; // "refuses_a_wrong_password"
    enum outcome outcome;
    int64_t duration_us;
    char *message;  // why it failed, was not verified or does not apply; NULL when passed
    char *expected; // NULL when the failure is not a comparison
    char *seen;     // likewise
    char *file;     // where the assertion stands; NULL when unknown
    int line;
};

struct suite_result {
    char *name;    // "postgres"
    char *subject; // name of the service it speaks to; NULL when none
    char *command; // the executable's path
    int64_t duration_us;
    struct test_result *tests;
    size_t test_count;
    size_t test_capacity;
    // The suite as a whole went wrong (crashed, hung, ran no test, could not be started): counts
    // as one failed test named after the suite. NULL when it ended well.
    char *failure;
    char *output_tail; // the last lines of what it wrote; NULL when nothing
    char *service_log; // the tail of the subject's log, kept when something failed
};

enum service_state {
    SERVICE_WAITING, // for what it depends on
    SERVICE_CREATING,
    SERVICE_STARTING, // container runs, not ready yet
    SERVICE_READY,
    SERVICE_COMPLETED, // a one-shot service that ended with status 0
    SERVICE_FAILED,
    SERVICE_MISSING, // its image is not to be had: what needs it is not verified
};

struct service_result {
    char *name;
    char *kind;  // NULL when unknown
    char *image; // as the Compose file names it
    char *ran; // what really ran: "assay/ferretdb:3f0c… (FerretDB 1.24.0) in place of mongo:7.0"
    enum service_state state;
    int64_t ready_us; // from the start of the run to ready; 0 when it never was
    char *message;    // why it failed or is missing
    char *log_tail;
};

struct report {
    char *title;   // "assay run"
    char *project; // name of the Compose project
    char *run_id;
    char *engine; // "Docker 20.10.24 at unix:///run/assay/engine.sock"
    int64_t started_wall_ms;
    int64_t duration_us;
    struct service_result *services;
    size_t service_count;
    size_t service_capacity;
    struct suite_result *suites;
    size_t suite_count;
    size_t suite_capacity;
    char **warnings; // "compose.yaml:12: `deploy.placement` is not honoured"
    size_t warning_count;
    size_t warning_capacity;
    char *failure; // the environment could not be built: exit status 3; NULL otherwise
};

struct tally {
    size_t passed;
    size_t failed;
    size_t not_verified;
    size_t not_applicable;
};

struct report *report_new(const char *title) must_use;
void report_free(struct report *self);
// Each returns the new, zeroed element: borrowed until the next one of its kind is added.
// Strings in them are owned by the report: set them with memory_copy_string.
struct service_result *report_add_service(struct report *self);
struct suite_result *report_add_suite(struct report *self);
struct test_result *suite_add_test(struct suite_result *self);
void report_add_warning(struct report *self, const char *text);
// Moves what another report found into this one: its services and suites, with `prefix` before
// their names ("drill/"), its warnings, and its failure unless there is one already.
void report_take(struct report *self, struct report *other, const char *prefix);

// What every writer lists and what the tallies count: the tests, and the suite itself as one more
// when it went wrong as a whole (failed, named after it) or holds no test (not verified, likewise).
// A view of one test_result: the strings stay the suite's.
struct test_case {
    const char *name;
    enum outcome outcome;
    int64_t duration_us;
    const char *message;
    const char *expected;
    const char *seen;
    const char *file;
    int line;
};
size_t suite_case_count(const struct suite_result *self);
struct test_case suite_case(const struct suite_result *self, size_t index);

struct tally suite_tally(const struct suite_result *self);
struct tally report_tally(const struct report *self);
size_t tally_skipped(struct tally tally);              // not verified and not applicable
bool service_is_up(const struct service_result *self); // ready, or completed

// 0 all verified and passed; 1 something failed; 3 the environment could not be built; 4 nothing
// failed but something (or everything) could not be verified. In this order:
//   report.failure               3
//   a failed test or suite       1
//   a service that failed        3   although no test of its own says so
//   a service that never was up  4   missing, or still on its way
//   something not verified       4
//   nothing passed               4   a report without any test, or with inapplicable ones only
int report_exit_status(const struct report *self);

const char *outcome_name(enum outcome outcome); // "passed", "not verified"
const char *service_state_name(enum service_state state);

DEFINE_AUTOFREE(report, report_free);
