#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "reports/sample_fixture.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static json_t *compose_and_parse(const struct report *report) {
    const char *output = sample_compose(&writer_json, report);
    json_error_t wrong;
    json_t *root = json_loads(output, JSON_REJECT_DUPLICATES, &wrong);
    cr_assert_not_null(root, "line %d: %s", wrong.line, wrong.text);
    return root;
}

static json_t *read_schema(void) {
    json_error_t wrong;
    json_t *schema = json_load_file(REPORT_SCHEMA, JSON_REJECT_DUPLICATES, &wrong);
    cr_assert_not_null(schema, "%s:%d: %s", REPORT_SCHEMA, wrong.line, wrong.text);
    return schema;
}

static const char *type_name(const json_t *value) {
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return "object";
    case JSON_ARRAY:
        return "array";
    case JSON_STRING:
        return "string";
    case JSON_INTEGER:
        return "integer";
    case JSON_REAL:
        return "number";
    case JSON_NULL:
        return "null";
    default:
        return "boolean";
    }
}

static bool contains(json_t *array, const char *string) {
    size_t index;
    json_t *item;
    json_array_foreach (array, index, item)
        if (strcmp(json_string_value(item), string) == 0)
            return true;
    return false;
}

// As much of JSON Schema as ours uses, plus one rule more: a member that it does not name is wrong.
static void expect_valid(json_t *root, json_t *schema, json_t *value, const char *where) {
    json_t *reference = json_object_get(schema, "$ref");
    if (reference != NULL) {
        json_t *definitions = json_object_get(root, "$defs");
        schema = json_object_get(definitions, json_string_value(reference) + strlen("#/$defs/"));
        cr_assert_not_null(schema, "%s: no %s", where, json_string_value(reference));
    }
    json_t *type = json_object_get(schema, "type");
    if (json_is_string(type))
        cr_expect_str_eq(type_name(value), json_string_value(type), "%s", where);
    if (json_is_array(type))
        cr_expect(contains(type, type_name(value)), "%s is a %s", where, type_name(value));
    json_t *constant = json_object_get(schema, "const");
    cr_expect(constant == NULL || json_equal(constant, value), "%s", where);
    size_t index;
    json_t *item;
    bool listed = json_object_get(schema, "enum") == NULL;
    json_array_foreach (json_object_get(schema, "enum"), index, item)
        listed |= json_equal(item, value) != 0;
    cr_expect(listed, "%s is none of the values allowed", where);
    json_array_foreach (json_object_get(schema, "required"), index, item)
        cr_expect_not_null(json_object_get(value, json_string_value(item)), "%s lacks %s", where,
                           json_string_value(item));
    const char *key;
    json_t *properties = json_object_get(schema, "properties");
    json_object_foreach (value, key, item) {
        json_t *member = json_object_get(properties, key);
        cr_expect_not_null(member, "%s.%s is not in the schema", where, key);
        if (member != NULL)
            expect_valid(root, member, item, key);
    }
    json_t *items = json_object_get(schema, "items");
    json_array_foreach (value, index, item)
        expect_valid(root, items, item, where);
}

static void expect_fits_the_schema(const struct report *report) {
    json_t *schema = read_schema();
    json_t *root = compose_and_parse(report);
    expect_valid(schema, schema, root, "report");
    json_decref(root);
    json_decref(schema);
}

TestSuite(json, .fini = sample_forget);

Test(json, fits_the_schema) {
    struct report *report = sample_report();
    expect_fits_the_schema(report);
}

Test(json, of_an_empty_report_fits_the_schema) {
    struct report *report = sample_own(report_new("assay run"));
    suite_add_test(report_add_suite(report)); // without any name
    report_add_service(report);
    expect_fits_the_schema(report);
}

Test(json, fits_the_schema_whatever_a_test_says) {
    struct report *report = sample_report_of(sample_evil());
    expect_fits_the_schema(report);
}

Test(json, keeps_control_characters_and_valid_text_as_they_are) {
    struct report *report = sample_report_of("\x1b[1m größe\n\xff");
    json_t *root = compose_and_parse(report);
    cr_expect_str_eq(json_string_value(json_object_get(root, "title")), "\x1b[1m größe\n\\xff");
    json_decref(root);
}

Test(json, tells_what_happened) {
    struct report *report = sample_report();
    json_t *root = compose_and_parse(report);
    int status = 0;
    int passed = 0;
    int failed = 0;
    int skipped = 0;
    const char *started = NULL;
    cr_assert_eq(json_unpack(root, "{s:i, s:s, s:{s:i, s:i, s:i}}", "exit_status", &status,
                             "started", &started, "tally", "passed", &passed, "failed", &failed,
                             "skipped", &skipped),
                 0);
    cr_expect_eq(status, 1);
    cr_expect_eq(passed, 2);
    cr_expect_eq(failed, 3);
    cr_expect_eq(skipped, 3);
    char expected[CLOCK_TEXT_SIZE];
    cr_expect_str_eq(started, clock_format_utc(report->started_wall_ms, expected));
    json_t *crashed = json_array_get(json_object_get(root, "suites"), 3);
    json_t *standing = json_array_get(json_object_get(crashed, "tests"), 0);
    cr_expect(json_is_true(json_object_get(standing, "stands_for_suite")));
    cr_expect_str_eq(json_string_value(json_object_get(standing, "outcome")), "failed");
    json_decref(root);
}

static int run_python(const char *script, const char *argument) {
    const pid_t pid = fork();
    if (pid == 0) {
        execlp("python3", "python3", "-W", "ignore", "-c", script, REPORT_SCHEMA, argument,
               (char *)NULL);
        _exit(127);
    }
    int status = -1;
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

Test(json, is_valid_to_an_independent_validator) {
    if (run_python("import jsonschema; jsonschema.Draft202012Validator", "") != 0)
        cr_skip_test("python3 with jsonschema 4 is not here");
    char path[] = "/tmp/assay-report-XXXXXX";
    const int fd = mkstemp(path);
    struct report *report = sample_report_of(sample_evil());
    const char *output = sample_compose(&writer_json, report);
    cr_assert_eq(write(fd, output, strlen(output)), (ssize_t)strlen(output));
    close(fd);
    cr_expect_eq(run_python("import json, sys, jsonschema\n"
                            "schema = json.load(open(sys.argv[1]))\n"
                            "jsonschema.Draft202012Validator.check_schema(schema)\n"
                            "jsonschema.Draft202012Validator(schema).validate("
                            "json.load(open(sys.argv[2])))\n",
                            path),
                 0);
    unlink(path);
}
