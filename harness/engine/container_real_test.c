#include "engine/container.h"

#include "base/memory.h"
#include "engine/real_fixture.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

REAL_SUITE(container_real);

static struct container_state state_of(const char *id) {
    struct container_state state = {0};
    must(container_state(test.engine, id, &state, &test.err));
    return state;
}

Test(container_real, takes_a_container_through_its_life) {
    const char *id = create("exec sleep 600", NULL);
    cr_expect(!state_of(id).running);
    must(container_start(test.engine, id, &test.err));
    must(container_start(test.engine, id, &test.err)); // it was so already
    cr_expect(state_of(id).running);
    must(container_pause(test.engine, id, &test.err));
    cr_expect(state_of(id).paused);
    must(container_unpause(test.engine, id, &test.err));
    must(container_kill(test.engine, id, "KILL", &test.err));
    cr_expect_eq(wait_for(id), 137);
    must(container_remove(test.engine, id, &test.err));
    must(container_remove(test.engine, id, &test.err)); // gone is fine
}

Test(container_real, stops_a_container_with_its_signal_before_the_grace_ends) {
    const char *id = start("trap 'exit 7' TERM; echo ready; while :; do sleep 0.05; done", NULL);
    must(container_stop(test.engine, id, 20, &test.err));
    cr_expect_eq(state_of(id).exit_status, 7);
}

Test(container_real, starts_a_container_again) {
    const char *id = start("echo once >> /count; exec sleep 600", NULL);
    must(container_kill(test.engine, id, "KILL", &test.err));
    must(container_restart(test.engine, id, &test.err));
    cr_expect(state_of(id).running);
    cr_expect_str_eq(run_in(id, "cat /count"), "once\nonce\n");
}

Test(container_real, hands_over_the_exit_status) {
    cr_expect_eq(wait_for(start("exit 0", NULL)), 0);
    cr_expect_eq(wait_for(start("exit 3", NULL)), 3);
    cr_expect_eq(wait_for(start("exit 255", NULL)), 255);
}

Test(container_real, gives_up_waiting_when_the_time_has_passed) {
    int status = -1;
    const char *id = start_idle();
    cr_assert(!container_wait(test.engine, id, 200, &status, &test.err));
    cr_expect_eq(test.err.domain, ERROR_TIMEOUT);
}

Test(container_real, names_the_request_and_the_engines_words_when_a_name_is_taken) {
    autofree_string char *name = unique_name("taken");
    json_t *body = json_pack("{s:s, s:[s], s:{s:s}}", "Image", real_image(), "Cmd", "true",
                             "Labels", "io.assay.test", "engine");
    char *first = NULL;
    char *second = NULL;
    must(container_create(test.engine, name, NULL, body, &first, &test.err));
    string_list_take(&test.containers, first);
    cr_assert(!container_create(test.engine, name, NULL, body, &second, &test.err));
    json_decref(body);
    cr_expect_eq(test.err.domain, ERROR_ENGINE);
    cr_expect_eq(test.err.code, 409);
    cr_expect(strstr(test.err.message, "POST /containers/create") != NULL);
    cr_expect(strstr(test.err.message, "is already in use") != NULL);
}

Test(container_real, says_404_of_a_container_that_is_not_there) {
    json_t *json = NULL;
    cr_assert(!container_inspect(test.engine, "no-such-container", &json, &test.err));
    cr_expect_eq(test.err.domain, ERROR_ENGINE);
    cr_expect_eq(test.err.code, 404);
}

Test(container_real, lists_by_label) {
    const char *id = create("true", NULL);
    autofree_string char *filter = memory_format("id=%s", id);
    const char *const filters[] = {"label=io.assay.test=engine", filter, NULL};
    json_t *found = NULL;
    must(container_list(test.engine, filters, &found, &test.err));
    cr_expect_eq(json_array_size(found), 1);
    json_decref(found);
    const char *const others[] = {"label=io.assay.test=something-else", filter, NULL};
    must(container_list(test.engine, others, &found, &test.err));
    cr_expect_eq(json_array_size(found), 0);
    json_decref(found);
}

Test(container_real, samples_the_memory_of_a_container) {
    json_t *stats = NULL;
    must(container_stats(test.engine, start_idle(), &stats, &test.err));
    const json_t *memory = json_object_get(stats, "memory_stats");
    cr_expect(json_integer_value(json_object_get(memory, "usage")) > 0);
    json_decref(stats);
}

static void *remove_it(void *context) {
    struct error err = {0};
    return container_remove(test.engine, context, &err) ? context : NULL;
}

Test(container_real, lets_several_threads_remove_the_same_container) {
    const char *id = start_idle();
    pthread_t threads[6];
    for (size_t i = 0; i < 6; i++)
        pthread_create(&threads[i], NULL, remove_it, (void *)(uintptr_t)id);
    for (size_t i = 0; i < 6; i++) {
        void *removed = NULL;
        pthread_join(threads[i], &removed);
        cr_expect(removed != NULL, "thread %zu was refused", i);
    }
    json_t *json = NULL;
    cr_expect(!container_inspect(test.engine, id, &json, NULL));
}
