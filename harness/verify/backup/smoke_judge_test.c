#include "verify/backup/smoke_judge.h"

#include "base/memory.h"
#include "client/endpoint.h"

#include <criterion/criterion.h>
#include <string.h>

static struct report *report;
static struct suite_result *suite;

static void begin(void) {
    report = report_new("test");
    suite = report_add_suite(report);
}

static void end(void) {
    report_free(report);
}

TestSuite(smoke_judge, .init = begin, .fini = end);

// Borrows the value's copy, until the next one.
static struct smoke_answer answer_of_bytes(uint64_t rows, const char *value, size_t length) {
    static char bytes[6000];
    if (value == NULL)
        return (struct smoke_answer){.rows = rows};
    memcpy(bytes, value, length);
    bytes[length] = '\0';
    return (struct smoke_answer){.rows = rows, .value = bytes, .length = length};
}

static struct smoke_answer answer_of(uint64_t rows, const char *value) {
    return answer_of_bytes(rows, value, value != NULL ? strlen(value) : 0);
}

static const struct smoke_query QUERY = {
    .name = "orders", .mark = {"assay.yaml", 7, 3}, .engine = DUMP_MYSQL};

#define VALUE(text) ((struct smoke_expectation){.kind = SMOKE_VALUE, .value = (text)})
#define AT_LEAST(count) ((struct smoke_expectation){.kind = SMOKE_AT_LEAST, .number = (count)})
#define ROWS(count) ((struct smoke_expectation){.kind = SMOKE_ROWS, .number = (count)})

Test(smoke_judge, knows_what_meets_an_expectation) {
    const struct {
        struct smoke_expectation expectation;
        uint64_t rows;
        const char *value;
        bool meets;
    } cases[] = {
        {VALUE("t"), 1, "t", true},
        {VALUE("t"), 1, "f", false},
        {VALUE("t"), 1, "tt", false},
        {VALUE("tt"), 1, "t", false},
        {VALUE("t"), 2, "t", false},
        {VALUE("t"), 0, NULL, false},
        {VALUE("NULL"), 1, NULL, false},
        {VALUE(""), 1, "", true},
        {VALUE(""), 1, NULL, false},
        {VALUE("1.0"), 1, "1.00", false},
        {AT_LEAST(10), 1, "10", true},
        {AT_LEAST(10), 1, "9", false},
        {AT_LEAST(10), 1, "9.99", false},
        {AT_LEAST(10), 1, "10.01", true},
        {AT_LEAST(10), 1, "100", true},
        {AT_LEAST(10), 2, "100", false},
        {AT_LEAST(10), 0, NULL, false},
        {AT_LEAST(-1), 1, NULL, false},
        {AT_LEAST(-1), 1, "", false},
        {AT_LEAST(10), 1, "11 orders", false},
        {AT_LEAST(10), 1, "NaN", false},
        {AT_LEAST(10), 1, "Infinity", true},
        {AT_LEAST(-10), 1, "-9", true},
        {AT_LEAST(-10), 1, "-11", false},
        {ROWS(3), 3, "x", true},
        {ROWS(3), 2, "3", false},
        {ROWS(0), 0, NULL, true},
        {ROWS(0), 1, NULL, false},
        {AT_LEAST(INT64_MAX), 1, "9223372036854775807", true},
        {AT_LEAST(INT64_MAX), 1, "9223372036854775806", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct smoke_answer answer = answer_of(cases[i].rows, cases[i].value);
        cr_expect_eq(smoke_meets(&cases[i].expectation, &answer), cases[i].meets, "case %zu", i);
        cr_expect(smoke_notices(&cases[i].expectation, &answer), "case %zu", i);
    }
}

Test(smoke_judge, compares_what_stands_behind_a_nul_byte) {
    struct smoke_answer answer = answer_of_bytes(1, "t\0x", 3);
    const struct smoke_expectation expectation = VALUE("t");
    cr_expect_not(smoke_meets(&expectation, &answer));
    answer = answer_of_bytes(1, "9\0", 2);
    const struct smoke_expectation least = AT_LEAST(1);
    cr_expect_not(smoke_meets(&least, &answer));
}

static const struct test_result *judge(struct smoke_expectation expectation, uint64_t rows,
                                       const char *value) {
    struct smoke_query query = QUERY;
    const struct smoke_answer answer = answer_of(rows, value);
    query.expectation = expectation;
    smoke_judge(&query, &answer, suite);
    const struct test_result *test = &suite->tests[suite->test_count - 1];
    cr_expect_str_eq(test->name, "orders");
    cr_expect_str_eq(test->file, "assay.yaml");
    cr_expect_eq(test->line, 7);
    return test;
}

Test(smoke_judge, adds_one_test_that_passed) {
    const struct test_result *test = judge(VALUE("t"), 1, "t");
    cr_expect_eq(test->outcome, OUTCOME_PASSED);
    cr_expect_null(test->message);
    cr_expect_null(test->expected);
    cr_expect_eq(suite->test_count, 1u);
}

static void expect_failed(const struct test_result *test, const char *message, const char *expected,
                          const char *seen) {
    cr_expect_eq(test->outcome, OUTCOME_FAILED);
    cr_expect_str_eq(test->message, message);
    cr_expect_str_eq(test->expected, expected);
    cr_expect_str_eq(test->seen, seen);
}

Test(smoke_judge, shows_both_sides_of_a_failure) {
    expect_failed(judge(VALUE("t"), 1, "f"), "it answers otherwise than expected", "t", "f");
    expect_failed(judge(VALUE("t"), 1, NULL), "it answers otherwise than expected", "t", "NULL");
    expect_failed(judge(VALUE("t"), 0, NULL), "it answers with another number of rows than one",
                  "t", "no row");
    expect_failed(judge(VALUE("t"), 2, "t"), "it answers with another number of rows than one", "t",
                  "2 rows");
    expect_failed(judge(AT_LEAST(10), 1, "9"), "it answers otherwise than expected", "at least 10",
                  "9");
    expect_failed(judge(AT_LEAST(10), 1, "many"), "it answers with what is no number",
                  "at least 10", "many");
    expect_failed(judge(ROWS(3), 1, "x"), "it answers otherwise than expected", "3 rows", "1 row");
    expect_failed(judge(ROWS(0), 2, "x"), "it answers otherwise than expected", "no row", "2 rows");
    cr_expect_eq(suite->test_count, 8u);
}

Test(smoke_judge, cuts_an_answer_without_end) {
    autofree_string char *value = memory_new(5001, 1);
    memset(value, 'x', 5000);
    const struct test_result *test = judge(VALUE("t"), 1, value);
    cr_expect_lt(strlen(test->seen), 1100u);
}

static enum outcome outcome_of(enum error_domain domain, enum service_error code,
                               const char *reference) {
    struct error problem = {0};
    error_set(&problem, domain, (int)code, "so it is");
    memcpy(problem.reference, reference, strlen(reference) + 1);
    smoke_judge_problem(&(struct smoke_query){.name = "orders", .expectation = VALUE("t")},
                        &problem, suite);
    const struct test_result *test = &suite->tests[suite->test_count - 1];
    cr_expect(strstr(test->outcome == OUTCOME_FAILED ? test->seen : test->message, "so it is"));
    cr_expect_str_eq(test->name, "orders");
    return test->outcome;
}

Test(smoke_judge, a_server_that_cannot_answer_fails) {
    cr_expect_eq(outcome_of(ERROR_SERVICE, SERVICE_ERROR_NOT_FOUND, "42P01"), OUTCOME_FAILED);
    cr_expect_eq(outcome_of(ERROR_SERVICE, SERVICE_ERROR_OTHER, "XX001"), OUTCOME_FAILED);
}

Test(smoke_judge, a_server_that_could_not_be_asked_is_not_verified) {
    static const struct {
        enum error_domain domain;
        enum service_error code;
        const char *reference;
    } cases[] = {
        {ERROR_UNAVAILABLE, 0, ""},
        {ERROR_TIMEOUT, 0, ""},
        {ERROR_PROTOCOL, 0, ""},
        {ERROR_SERVICE, SERVICE_ERROR_SYNTAX, "42601"},
        {ERROR_SERVICE, SERVICE_ERROR_READ_ONLY, "25006"},
        {ERROR_SERVICE, SERVICE_ERROR_DENIED, "42501"},
        {ERROR_SERVICE, SERVICE_ERROR_LOGIN, "28000"},
        {ERROR_SERVICE, SERVICE_ERROR_UNSUPPORTED, "59"},
        {ERROR_SERVICE, SERVICE_ERROR_OTHER, "57014"},
        {ERROR_SERVICE, SERVICE_ERROR_OTHER, "3024"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        cr_expect_eq(outcome_of(cases[i].domain, cases[i].code, cases[i].reference),
                     OUTCOME_NOT_VERIFIED, "case %zu", i);
}
