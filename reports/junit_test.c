#include "base/memory.h"
#include "reports/sample_fixture.h"

#include <criterion/criterion.h>
#include <libxml/parser.h>
#include <libxml/xpath.h>
#include <stdlib.h>
#include <string.h>

static xmlDocPtr parse(const struct report *report) {
    const char *output = sample_compose(&writer_junit, report);
    xmlDocPtr document = xmlReadMemory(output, (int)strlen(output), "report", NULL,
                                       XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_HUGE);
    cr_assert_not_null(document, "it is not XML: %s",
                       xmlGetLastError() != NULL ? xmlGetLastError()->message : "?");
    return document;
}

static double evaluate(xmlDocPtr document, const char *expression) {
    xmlXPathContextPtr context = xmlXPathNewContext(document);
    xmlXPathObjectPtr found = xmlXPathEvalExpression((const xmlChar *)expression, context);
    const double value = found != NULL ? xmlXPathCastToNumber(found) : -1;
    xmlXPathFreeObject(found);
    xmlXPathFreeContext(context);
    return value;
}

static void expect_number(xmlDocPtr document, const char *expression, double expected) {
    const double seen = evaluate(document, expression);
    cr_expect_float_eq(seen, expected, 0.0001, "%s is %g instead of %g", expression, seen,
                       expected);
}

static void expect_true(xmlDocPtr document, const char *expression) {
    char *number = memory_format("number(%s)", expression);
    expect_number(document, number, 1);
    free(number);
}

// What the attributes say must be what the elements are, in each suite and in all.
static void expect_counts_that_agree(xmlDocPtr document) {
    expect_true(document, "/testsuites/@tests = count(//testcase)");
    expect_true(document, "/testsuites/@failures = count(//failure)");
    expect_true(document, "/testsuites/@errors = count(//error)");
    expect_true(document, "/testsuites/@skipped = count(//skipped)");
    expect_true(document, "not(//testsuite[@tests != count(testcase)])");
    expect_true(document, "not(//testsuite[@failures != count(testcase/failure)])");
    expect_true(document, "not(//testsuite[@errors != count(testcase/error)])");
    expect_true(document, "not(//testsuite[@skipped != count(testcase/skipped)])");
}

TestSuite(junit, .fini = sample_forget);

Test(junit, counts_right) {
    struct report *report = sample_report();
    xmlDocPtr document = parse(report);
    expect_counts_that_agree(document);
    expect_number(document, "count(//testsuite)", 6);
    expect_number(document, "count(//testcase[not(failure or error or skipped)])", 2);
    expect_number(document, "count(//failure)", 2);
    expect_number(document, "count(//testsuite[@name='crasher']/testcase/error)", 1);
    expect_number(document, "count(//testsuite[@name='environment']/testcase[@name='mysql']/error)",
                  1);
    expect_number(document, "count(//skipped)", 3);
    xmlFreeDoc(document);
}

Test(junit, tells_reasons_places_versions_and_logs) {
    struct report *report = sample_report();
    xmlDocPtr document = parse(report);
    expect_true(document, "//skipped/@message = 'not verified: needs 4 GiB of disk'");
    expect_true(document, "//testcase[@name='keeps_unicode']/@line = 42");
    expect_true(document, "contains(//testcase[@name='keeps_unicode']/failure, 'seen: gr??e')");
    expect_true(document, "//property[@name='assay']/@value = '" ASSAY_VERSION "'");
    expect_true(document, "//property[@name='service.postgres']/@value = 'postgres:17'");
    expect_true(document, "//testsuite[@name='mysql']/system-err = '[ERROR] Aborting'");
    expect_true(document, "//testsuite[@name='postgres']/@time = 0.31");
    xmlFreeDoc(document);
}

Test(junit, of_an_environment_that_was_not_built_is_not_green) {
    struct report *report = sample_own(report_new("assay run"));
    report->failure = memory_copy_string("no engine");
    xmlDocPtr document = parse(report);
    expect_counts_that_agree(document);
    expect_number(document, "/testsuites/@errors", 1);
    expect_true(document, "//error/@message = 'no engine'");
    xmlFreeDoc(document);
}

Test(junit, stays_xml_whatever_a_test_says) {
    struct report *report = sample_report_of(sample_evil());
    xmlDocPtr document = parse(report);
    expect_counts_that_agree(document);
    expect_number(document, "count(//injected)", 0);
    expect_true(document, "contains(//failure, ']]></failure><injected/>&amp;amp;<!--') or "
                          "contains(//failure, ']]></failure>')");
    xmlFreeDoc(document);
}

Test(junit, holds_every_byte_there_is) {
    char all[256];
    for (int byte = 1; byte < 256; byte++)
        all[byte - 1] = (char)byte;
    all[255] = '\0';
    struct report *report = sample_report_of(all);
    xmlDocPtr document = parse(report);
    expect_counts_that_agree(document);
    xmlFreeDoc(document);
}

Test(junit, holds_a_message_of_a_megabyte) {
    char *huge = memory_new((1 << 20) + 1, 1);
    memset(huge, '<', 1 << 20);
    struct report *report = sample_report_of(huge);
    xmlDocPtr document = parse(report);
    expect_number(document, "string-length(//system-out)", 1 << 20);
    xmlFreeDoc(document);
    free(huge);
}
