#include "engine/json_stream.h"

#include <criterion/criterion.h>
#include <string.h>

static struct text seen;
static struct json_stream stream;
static struct error err;

static bool note(void *context, const json_t *object, struct error *error) {
    (void)context;
    const char *name = json_string_value(json_object_get(object, "n"));
    text_appendf(&seen, "%s ", name != NULL ? name : "-");
    if (name != NULL && strcmp(name, "fail") == 0)
        return error_set(error, ERROR_ENGINE, 500, "asked to fail");
    return name == NULL || strcmp(name, "stop") != 0;
}

static void begin(void) {
    json_stream_init(&stream, 100, note, NULL);
}

static void end(void) {
    json_stream_done(&stream);
    text_done(&seen);
}

TestSuite(json_stream, .init = begin, .fini = end);

static bool feed(const char *string) {
    return json_stream_feed(&stream, string, strlen(string), &err);
}

Test(json_stream, reads_one_object_a_line) {
    cr_assert(feed("{\"n\":\"a\"}\r\n{\"n\":\"b\"}\n\r\n{}\n"));
    cr_assert(json_stream_end(&stream, &err));
    cr_expect_str_eq(text_string(&seen), "a b - ");
}

Test(json_stream, reads_single_bytes) {
    static const char lines[] = "{\"n\":\"a\"}\n{\"n\":\"b\"}\n";
    for (size_t i = 0; i < sizeof lines - 1; i++)
        cr_assert(json_stream_feed(&stream, lines + i, 1, &err));
    cr_expect_str_eq(text_string(&seen), "a b ");
}

Test(json_stream, takes_a_last_line_without_its_end) {
    cr_assert(feed("{\"n\":\"a\"}"));
    cr_assert(json_stream_end(&stream, &err));
    cr_expect_str_eq(text_string(&seen), "a ");
}

Test(json_stream, notices_a_last_object_that_is_cut_short) {
    cr_assert(feed("{\"n\":\"a\"}\n{\"n\":"));
    cr_assert(!json_stream_end(&stream, &err));
    cr_expect_eq(err.domain, ERROR_PROTOCOL);
    cr_expect(strstr(err.message, "cut short") != NULL);
}

Test(json_stream, refuses_what_is_not_an_object) {
    cr_assert(!feed("[1]\n"));
    cr_expect_eq(err.domain, ERROR_PROTOCOL);
    cr_expect(strstr(err.message, "[1]") != NULL);
}

Test(json_stream, refuses_a_line_without_end) {
    for (int i = 0; i < 10; i++)
        cr_assert(feed("0123456789"));
    cr_assert(!feed("0"));
    cr_expect_eq(err.domain, ERROR_PROTOCOL);
    cr_expect(strstr(err.message, "without end") != NULL);
    cr_expect(stream.line.capacity <= 256);
}

Test(json_stream, tells_a_failure_of_the_sink_from_its_wish_to_stop) {
    cr_assert(!feed("{\"n\":\"stop\"}\n{\"n\":\"never\"}\n"));
    cr_expect_eq(err.domain, ERROR_NONE);
    cr_assert(!feed("{\"n\":\"fail\"}\n"));
    cr_expect_eq(err.domain, ERROR_ENGINE);
    cr_expect_str_eq(text_string(&seen), "stop fail ");
}
