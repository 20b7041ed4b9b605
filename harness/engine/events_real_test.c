#include "engine/events.h"

#include "base/clock.h"
#include "base/eventually.h"
#include "base/memory.h"
#include "engine/real_fixture.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>

REAL_SUITE(events_real);

struct watch {
    struct cancel opened; // requested once the subscription stands
    struct text seen;
    int exit_status;
    bool done;
    struct error err;
};

static void note_open(void *context) {
    struct watch *self = context;
    cancel_request(&self->opened);
}

static bool note_event(void *context, const struct engine_event *event) {
    struct watch *self = context;
    text_appendf(&self->seen, "%s %s\n", event->type, event->action);
    if (strcmp(event->action, "die") == 0)
        self->exit_status = event->exit_status;
    return strcmp(event->action, "destroy") != 0;
}

static void *watch_events(void *context) {
    struct watch *self = context;
    autofree_string char *label = memory_format("label=io.assay.test.watched=%d", (int)getpid());
    const char *const filters[] = {"type=container", label, NULL};
    self->done = engine_events(test.engine, filters, note_open, note_event, self, NULL, &self->err);
    return NULL;
}

// Creates, starts, waits for and removes a container under watch.
static void watch_container(struct watch *watch, const char *script, int memory_mib) {
    pthread_t thread;
    must(cancel_init(&watch->opened, &test.err));
    pthread_create(&thread, NULL, watch_events, watch);
    pause_ms(10000, &watch->opened);
    autofree_string char *mark = memory_format("%d", (int)getpid());
    json_t *body = json_pack("{s:s, s:[s,s,s], s:{s:s, s:s}, s:{s:s, s:I, s:I}}", "Image",
                             real_image(), "Cmd", "sh", "-c", script, "Labels", "io.assay.test",
                             "engine", "io.assay.test.watched", mark, "HostConfig", "NetworkMode",
                             "none", "Memory", (json_int_t)memory_mib * (json_int_t)MEBIBYTE,
                             "MemorySwap", (json_int_t)memory_mib * (json_int_t)MEBIBYTE);
    char *id = NULL;
    must(container_create(test.engine, NULL, NULL, body, &id, &test.err));
    json_decref(body);
    string_list_take(&test.containers, id);
    must(container_start(test.engine, id, &test.err));
    wait_for(id);
    must(container_remove(test.engine, id, &test.err));
    pthread_join(thread, NULL);
    cancel_done(&watch->opened);
    cr_assert(watch->done, "%s", watch->err.message);
}

Test(events_real, sees_a_container_die_with_its_status) {
    struct watch watch = {0};
    watch_container(&watch, "exit 42", 64);
    cr_expect_eq(watch.exit_status, 42);
    cr_expect(strstr(text_string(&watch.seen), "container create\n") != NULL);
    cr_expect(strstr(text_string(&watch.seen), "container die\n") != NULL);
    text_done(&watch.seen);
}

Test(events_real, sees_a_container_run_out_of_memory) {
    struct watch watch = {0};
    watch_container(&watch, "tail /dev/zero", 16);
    cr_expect(strstr(text_string(&watch.seen), "container oom\n") != NULL, "%s",
              text_string(&watch.seen));
    cr_expect_eq(watch.exit_status, 137);
    text_done(&watch.seen);
}

static void *cancel_soon(void *context) {
    pause_ms(100, NULL);
    cancel_request(context);
    return NULL;
}

Test(events_real, stops_watching_when_it_is_cancelled) {
    struct cancel cancel;
    pthread_t thread;
    struct watch watch = {0};
    must(cancel_init(&cancel, &test.err));
    must(cancel_init(&watch.opened, &test.err));
    pthread_create(&thread, NULL, cancel_soon, &cancel);
    const int64_t begun_us = clock_monotonic_us();
    must(engine_events(test.engine, NULL, note_open, note_event, &watch, &cancel, &test.err));
    cr_expect((clock_monotonic_us() - begun_us) / 1000 < 400);
    cr_expect(cancel_requested(&watch.opened));
    pthread_join(thread, NULL);
    cancel_done(&cancel);
    cancel_done(&watch.opened);
    text_done(&watch.seen);
}
