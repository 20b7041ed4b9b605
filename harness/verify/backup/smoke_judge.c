#include "verify/backup/smoke_judge.h"

#include "base/memory.h"
#include "client/endpoint.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

void smoke_answer_done(struct smoke_answer *self) {
    free(self->value);
    *self = (struct smoke_answer){0};
}

// ---- the judge

// false: it is none.
static bool number_of(const struct smoke_answer *answer, long double *ret_number) {
    char *end = NULL;
    if (answer->value == NULL || answer->length == 0)
        return false;
    *ret_number = strtold(answer->value, &end);
    return end == answer->value + answer->length;
}

bool smoke_meets(const struct smoke_expectation *expectation, const struct smoke_answer *answer) {
    long double number = 0;
    switch (expectation->kind) {
    case SMOKE_VALUE:
        return answer->rows == 1 && answer->value != NULL &&
               answer->length == strlen(expectation->value) &&
               memcmp(answer->value, expectation->value, answer->length) == 0;
    case SMOKE_AT_LEAST:
        return answer->rows == 1 && number_of(answer, &number) &&
               number >= (long double)expectation->number;
    case SMOKE_ROWS:
        return answer->rows == (uint64_t)expectation->number;
    }
    return false;
}

// Beyond it nothing larger can be expected.
#define LARGEST 9.0e18L

bool smoke_notices(const struct smoke_expectation *expectation, const struct smoke_answer *answer) {
    struct smoke_expectation wrong = {.kind = expectation->kind};
    long double number = 0;
    autofree_string char *other =
        memory_format("%s, but another", answer->value != NULL ? answer->value : "");
    wrong.value = other;
    if (wrong.kind == SMOKE_ROWS)
        wrong.number = (long long)(answer->rows + 1);
    else if (number_of(answer, &number) && number > -LARGEST)
        wrong.number = number < LARGEST ? (long long)number + 1 : 0;
    return (wrong.kind == SMOKE_AT_LEAST && number >= LARGEST) || !smoke_meets(&wrong, answer);
}

// ---- for people

static char *rows_of(uint64_t rows) {
    return rows == 0 ? memory_copy_string("no row")
                     : memory_format("%" PRIu64 " row%s", rows, rows == 1 ? "" : "s");
}

static char *expected_of(const struct smoke_expectation *expectation) {
    switch (expectation->kind) {
    case SMOKE_VALUE:
        return memory_copy_string(expectation->value);
    case SMOKE_AT_LEAST:
        return memory_format("at least %lld", expectation->number);
    case SMOKE_ROWS:
        return rows_of((uint64_t)expectation->number);
    }
    return NULL;
}

#define SHOWN ((size_t)1000)

static char *seen_of(const struct smoke_expectation *expectation,
                     const struct smoke_answer *answer) {
    if (expectation->kind == SMOKE_ROWS || answer->rows != 1)
        return rows_of(answer->rows);
    if (answer->value == NULL)
        return memory_copy_string("NULL");
    return answer->length <= SHOWN ? memory_copy_bytes(answer->value, answer->length)
                                   : memory_format("%.*s…", (int)SHOWN, answer->value);
}

static struct test_result *add(const struct smoke_query *query, enum outcome outcome,
                               struct suite_result *suite) {
    struct test_result *test = suite_add_test(suite);
    test->name = memory_copy_string(query->name);
    test->outcome = outcome;
    test->file = memory_copy_string(query->mark.file);
    test->line = query->mark.line;
    return test;
}

static const char *message_of(const struct smoke_expectation *expectation,
                              const struct smoke_answer *answer) {
    long double number = 0;
    if (expectation->kind != SMOKE_ROWS && answer->rows != 1)
        return "it answers with another number of rows than one";
    if (expectation->kind == SMOKE_AT_LEAST && !number_of(answer, &number))
        return "it answers with what is no number";
    return "it answers otherwise than expected";
}

void smoke_judge(const struct smoke_query *query, const struct smoke_answer *answer,
                 struct suite_result *suite) {
    const struct smoke_expectation *expectation = &query->expectation;
    const bool met = smoke_meets(expectation, answer);
    struct test_result *test = add(query, met ? OUTCOME_PASSED : OUTCOME_FAILED, suite);
    if (!met) {
        test->message = memory_copy_string(message_of(expectation, answer));
        test->expected = expected_of(expectation);
        test->seen = seen_of(expectation, answer);
    }
    if (smoke_notices(expectation, answer))
        return;
    struct test_result *control = add(query, OUTCOME_FAILED, suite);
    free(control->name);
    control->name = memory_copy_string("a_wrong_answer_is_noticed");
    control->message = memory_format(
        "%s: an answer that cannot be the expected one was taken for it", query->name);
}

// Of the query or of this server, not of what was restored.
static bool says_nothing_of_the_backup(const struct error *problem) {
    static const char *const out_of_time[] = {"57014", "3024", NULL};
    for (size_t i = 0; out_of_time[i] != NULL; i++)
        if (strcmp(problem->reference, out_of_time[i]) == 0)
            return true;
    switch (problem->domain == ERROR_SERVICE ? problem->code : SERVICE_ERROR_NOT_READY) {
    case SERVICE_ERROR_LOGIN:
    case SERVICE_ERROR_DENIED:
    case SERVICE_ERROR_SYNTAX:
    case SERVICE_ERROR_READ_ONLY:
    case SERVICE_ERROR_NOT_READY:
    case SERVICE_ERROR_LIMIT:
    case SERVICE_ERROR_UNSUPPORTED:
        return true;
    default:
        return false;
    }
}

void smoke_judge_problem(const struct smoke_query *query, const struct error *problem,
                         struct suite_result *suite) {
    if (says_nothing_of_the_backup(problem)) {
        smoke_not_asked(query, suite, "%s", problem->message);
        return;
    }
    struct test_result *test = add(query, OUTCOME_FAILED, suite);
    test->message = memory_copy_string("the restored server cannot answer it");
    test->expected = expected_of(&query->expectation);
    test->seen = memory_copy_string(problem->message);
}

void smoke_not_asked(const struct smoke_query *query, struct suite_result *suite,
                     const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    add(query, OUTCOME_NOT_VERIFIED, suite)->message = memory_format_list(format, arguments);
    va_end(arguments);
}
