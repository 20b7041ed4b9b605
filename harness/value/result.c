#include "value/result.h"

#include "base/check.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

struct report *report_new(const char *title) {
    struct report *self = memory_new(1, sizeof *self);
    self->title = memory_copy_string(title);
    return self;
}

static void test_done(struct test_result *self) {
    free(self->name);
    free(self->message);
    free(self->expected);
    free(self->seen);
    free(self->file);
}

static void suite_done(struct suite_result *self) {
    for (size_t i = 0; i < self->test_count; i++)
        test_done(&self->tests[i]);
    free(self->tests);
    free(self->name);
    free(self->subject);
    free(self->command);
    free(self->failure);
    free(self->output_tail);
    free(self->service_log);
}

static void service_done(struct service_result *self) {
    free(self->name);
    free(self->kind);
    free(self->image);
    free(self->ran);
    free(self->message);
    free(self->log_tail);
}

void report_free(struct report *self) {
    if (self == NULL)
        return;
    for (size_t i = 0; i < self->service_count; i++)
        service_done(&self->services[i]);
    for (size_t i = 0; i < self->suite_count; i++)
        suite_done(&self->suites[i]);
    for (size_t i = 0; i < self->warning_count; i++)
        free(self->warnings[i]);
    free(self->services);
    free(self->suites);
    free(self->warnings);
    free(self->title);
    free(self->project);
    free(self->run_id);
    free(self->engine);
    free(self->failure);
    free(self);
}

// Returns `array`, perhaps moved, with room for one more element after `count`.
static void *room_for_one(void *array, size_t count, size_t *capacity, size_t size) {
    if (count < *capacity)
        return array;
    *capacity = *capacity > 0 ? *capacity * 2 : 8;
    return memory_resize(array, *capacity, size);
}

struct service_result *report_add_service(struct report *self) {
    self->services = room_for_one(self->services, self->service_count, &self->service_capacity,
                                  sizeof *self->services);
    struct service_result *added = &self->services[self->service_count++];
    *added = (struct service_result){0};
    return added;
}

struct suite_result *report_add_suite(struct report *self) {
    self->suites =
        room_for_one(self->suites, self->suite_count, &self->suite_capacity, sizeof *self->suites);
    struct suite_result *added = &self->suites[self->suite_count++];
    *added = (struct suite_result){0};
    return added;
}

struct test_result *suite_add_test(struct suite_result *self) {
    self->tests =
        room_for_one(self->tests, self->test_count, &self->test_capacity, sizeof *self->tests);
    struct test_result *added = &self->tests[self->test_count++];
    *added = (struct test_result){0};
    return added;
}

void report_add_warning(struct report *self, const char *text) {
    self->warnings = room_for_one(self->warnings, self->warning_count, &self->warning_capacity,
                                  sizeof *self->warnings);
    self->warnings[self->warning_count++] = memory_copy_string(text);
}

static void put_before(char **name, const char *prefix) {
    char *whole = *name != NULL ? memory_format("%s%s", prefix, *name) : NULL;
    free(*name);
    *name = whole;
}

void report_take(struct report *self, struct report *other, const char *prefix) {
    for (size_t i = 0; i < other->service_count; i++) {
        struct service_result *service = report_add_service(self);
        *service = other->services[i];
        put_before(&service->name, prefix);
    }
    for (size_t i = 0; i < other->suite_count; i++) {
        struct suite_result *suite = report_add_suite(self);
        *suite = other->suites[i];
        put_before(&suite->name, prefix);
        put_before(&suite->subject, prefix);
    }
    for (size_t i = 0; i < other->warning_count; i++)
        report_add_warning(self, other->warnings[i]);
    if (self->failure == NULL)
        self->failure = TAKE(other->failure);
    other->service_count = other->suite_count = 0;
}

// The suite itself counts as a case when it failed as a whole, and when it has nothing else to
// show: a suite that ran no test must not look like one that passed.
static bool stands_for_itself(const struct suite_result *self) {
    return self->failure != NULL || self->test_count == 0;
}

size_t suite_case_count(const struct suite_result *self) {
    return self->test_count + (stands_for_itself(self) ? 1 : 0);
}

static struct test_case case_of_test(const struct test_result *test) {
    return (struct test_case){
        .name = test->name,
        .outcome = test->outcome,
        .duration_us = test->duration_us,
        .message = test->message,
        .expected = test->expected,
        .seen = test->seen,
        .file = test->file,
        .line = test->line,
    };
}

struct test_case suite_case(const struct suite_result *self, size_t index) {
    check(index < suite_case_count(self));
    if (index < self->test_count)
        return case_of_test(&self->tests[index]);
    return (struct test_case){
        .name = self->name,
        .outcome = self->failure != NULL ? OUTCOME_FAILED : OUTCOME_NOT_VERIFIED,
        .message = self->failure != NULL ? self->failure : "the suite reported no test",
        .duration_us = self->test_count == 0 ? self->duration_us : 0,
    };
}

static void count_outcome(struct tally *tally, enum outcome outcome) {
    switch (outcome) {
    case OUTCOME_PASSED:
        tally->passed++;
        return;
    case OUTCOME_FAILED:
        tally->failed++;
        return;
    case OUTCOME_NOT_APPLICABLE:
        tally->not_applicable++;
        return;
    case OUTCOME_NOT_VERIFIED:
        break;
    }
    tally->not_verified++;
}

struct tally suite_tally(const struct suite_result *self) {
    struct tally tally = {0};
    for (size_t i = 0; i < suite_case_count(self); i++)
        count_outcome(&tally, suite_case(self, i).outcome);
    return tally;
}

struct tally report_tally(const struct report *self) {
    struct tally sum = {0};
    for (size_t i = 0; i < self->suite_count; i++) {
        const struct tally suite = suite_tally(&self->suites[i]);
        sum.passed += suite.passed;
        sum.failed += suite.failed;
        sum.not_verified += suite.not_verified;
        sum.not_applicable += suite.not_applicable;
    }
    return sum;
}

size_t tally_skipped(struct tally tally) {
    return tally.not_verified + tally.not_applicable;
}

bool service_is_up(const struct service_result *self) {
    return self->state == SERVICE_READY || self->state == SERVICE_COMPLETED;
}

static bool any_service_failed(const struct report *self) {
    for (size_t i = 0; i < self->service_count; i++)
        if (self->services[i].state == SERVICE_FAILED)
            return true;
    return false;
}

static bool all_services_up(const struct report *self) {
    for (size_t i = 0; i < self->service_count; i++)
        if (!service_is_up(&self->services[i]))
            return false;
    return true;
}

int report_exit_status(const struct report *self) {
    const struct tally tally = report_tally(self);
    if (self->failure != NULL)
        return 3;
    if (tally.failed > 0)
        return 1;
    if (any_service_failed(self))
        return 3;
    if (!all_services_up(self) || tally.not_verified > 0 || tally.passed == 0)
        return 4;
    return 0;
}

const char *outcome_name(enum outcome outcome) {
    switch (outcome) {
    case OUTCOME_PASSED:
        return "passed";
    case OUTCOME_FAILED:
        return "failed";
    case OUTCOME_NOT_APPLICABLE:
        return "not applicable";
    case OUTCOME_NOT_VERIFIED:
        break;
    }
    return "not verified";
}

const char *service_state_name(enum service_state state) {
    switch (state) {
    case SERVICE_WAITING:
        return "waiting";
    case SERVICE_CREATING:
        return "creating";
    case SERVICE_STARTING:
        return "starting";
    case SERVICE_READY:
        return "ready";
    case SERVICE_COMPLETED:
        return "completed";
    case SERVICE_FAILED:
        return "failed";
    case SERVICE_MISSING:
        return "missing";
    }
    return "unknown";
}
