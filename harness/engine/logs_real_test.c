#include "engine/logs.h"

#include "base/clock.h"
#include "base/eventually.h"
#include "engine/real_fixture.h"

#include <pthread.h>

REAL_SUITE(logs_real);

// Numbers, one a line, expected to count up from 1 on each stream.
struct counting {
    struct text line[3];
    long next[3];
    size_t bytes;
    bool in_order;
};

static bool count_lines(void *context, enum stream_source source, const char *bytes,
                        size_t length) {
    struct counting *self = context;
    self->bytes += length;
    for (size_t i = 0; i < length; i++) {
        if (bytes[i] != '\n') {
            text_append_char(&self->line[source], bytes[i]);
            continue;
        }
        const long number = strtol(text_string(&self->line[source]), NULL, 10);
        self->in_order = self->in_order && number == self->next[source];
        self->next[source] = number + 1;
        text_clear(&self->line[source]);
    }
    return self->in_order;
}

Test(logs_real, reads_ten_megabytes_of_log_on_both_streams_in_order) {
    const char *id = start("seq 1 800000 | tee /dev/stderr", NULL);
    cr_assert_eq(wait_for(id), 0);
    struct counting counting = {.next = {1, 1, 1}, .in_order = true};
    must(container_logs(test.engine, id, &(struct logs_options){0}, count_lines, &counting,
                        &test.err));
    cr_expect(counting.in_order);
    cr_expect_eq(counting.next[STREAM_STDOUT], 800001);
    cr_expect_eq(counting.next[STREAM_STDERR], 800001);
    cr_expect(counting.bytes > 10 * MEBIBYTE);
    text_done(&counting.line[1]);
    text_done(&counting.line[2]);
}

Test(logs_real, gives_the_last_lines_of_a_log) {
    const char *id = start("seq 1 1000", NULL);
    cr_assert_eq(wait_for(id), 0);
    struct text tail = {0};
    must(container_log_tail(test.engine, id, 3, &tail, &test.err));
    cr_expect_str_eq(tail.bytes, "998\n999\n1000\n");
    text_done(&tail);
    text_init(&tail, 7);
    must(container_log_tail(test.engine, id, 3, &tail, &test.err));
    cr_expect_str_eq(tail.bytes, "9\n1000\n");
    text_done(&tail);
}

static bool append_to_text(void *context, enum stream_source source, const char *bytes,
                           size_t length) {
    (void)source;
    text_append_bytes(context, bytes, length);
    return true;
}

Test(logs_real, reads_the_log_of_a_terminal) {
    json_t *body = json_pack("{s:s, s:[s,s], s:{s:s}, s:b}", "Image", real_image(), "Cmd", "echo",
                             "hello terminal", "Labels", "io.assay.test", "engine", "Tty", 1);
    char *id = NULL;
    must(container_create(test.engine, NULL, NULL, body, &id, &test.err));
    json_decref(body);
    string_list_take(&test.containers, id);
    must(container_start(test.engine, id, &test.err));
    cr_assert_eq(wait_for(id), 0);
    struct text log = {0};
    must(container_logs(test.engine, id, &(struct logs_options){0}, append_to_text, &log,
                        &test.err));
    cr_expect_str_eq(log.bytes, "hello terminal\r\n");
    text_done(&log);
}

Test(logs_real, follows_a_log_to_the_containers_end) {
    const char *id = start("for i in 1 2 3; do echo $i; sleep 0.1; done", NULL);
    struct text log = {0};
    must(container_logs(test.engine, id, &(struct logs_options){.follow = true}, append_to_text,
                        &log, &test.err));
    cr_expect_str_eq(log.bytes, "1\n2\n3\n");
    text_done(&log);
}

static void *cancel_soon(void *context) {
    pause_ms(100, NULL);
    cancel_request(context);
    return NULL;
}

Test(logs_real, stops_following_a_log_soon_after_it_is_cancelled) {
    const char *id = start_idle();
    struct cancel cancel;
    pthread_t thread;
    must(cancel_init(&cancel, &test.err));
    const int64_t begun_us = clock_monotonic_us();
    pthread_create(&thread, NULL, cancel_soon, &cancel);
    const struct logs_options options = {.follow = true, .cancel = &cancel};
    struct text log = {0};
    cr_assert(!container_logs(test.engine, id, &options, append_to_text, &log, &test.err));
    cr_expect_eq(test.err.domain, ERROR_CANCELLED);
    cr_expect((clock_monotonic_us() - begun_us) / 1000 < 400);
    pthread_join(thread, NULL);
    cancel_done(&cancel);
}
