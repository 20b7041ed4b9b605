// The engine room against a real engine: the one that DOCKER_HOST names. Everything made here is
// labelled io.assay.test=engine and removed by the test that made it.
//
// IMAGE is a small image with a shell, sha256sum, seq and tail in it: ASSAY_TEST_IMAGE, or the
// bundled base.
#include "base/clock.h"
#include "base/eventually.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/string_list.h"
#include "engine/archive.h"
#include "engine/container.h"
#include "engine/events.h"
#include "engine/exec.h"
#include "engine/image.h"
#include "engine/logs.h"
#include "engine/network.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MEBIBYTE ((size_t)1024 * 1024)

// What a test made; each test is a process of its own.
static struct {
    struct engine *engine;
    struct string_list containers;
    struct string_list images;
    struct string_list networks;
    struct string_list volumes;
    char folder[64];
    struct error err;
} test;

static const char *image_name(void) {
    const char *chosen = getenv("ASSAY_TEST_IMAGE");
    return chosen != NULL && chosen[0] != '\0' ? chosen : "assay/base:dev";
}

static void begin(void) {
    if (getenv("DOCKER_HOST") == NULL)
        cr_skip_test("DOCKER_HOST is not set: no engine to test against");
    const struct engine_options options = {.host = NULL};
    bool exists = false;
    cr_assert(engine_open(&options, &test.engine, &test.err), "%s", test.err.message);
    cr_assert(image_exists(test.engine, image_name(), &exists, &test.err), "%s", test.err.message);
    if (!exists)
        cr_skip_test("the image %s is not in the engine", image_name());
    snprintf(test.folder, sizeof test.folder, "/tmp/assay-engine-test-XXXXXX");
    cr_assert(mkdtemp(test.folder) != NULL);
}

static void end(void) {
    if (test.engine == NULL)
        return;
    struct error err = {0};
    for (size_t i = 0; i < test.containers.count; i++)
        cr_expect(container_remove(test.engine, test.containers.items[i], &err), "%s", err.message);
    for (size_t i = 0; i < test.images.count; i++)
        cr_expect(image_remove(test.engine, test.images.items[i], &err), "%s", err.message);
    for (size_t i = 0; i < test.networks.count; i++)
        cr_expect(network_remove(test.engine, test.networks.items[i], &err), "%s", err.message);
    for (size_t i = 0; i < test.volumes.count; i++)
        cr_expect(volume_remove(test.engine, test.volumes.items[i], &err), "%s", err.message);
    cr_expect(file_remove_tree(test.folder, &err), "%s", err.message);
    string_list_done(&test.containers);
    string_list_done(&test.images);
    string_list_done(&test.networks);
    string_list_done(&test.volumes);
    engine_close(test.engine);
}

TestSuite(engine_real, .init = begin, .fini = end, .timeout = 120);

#define must(call) cr_assert((call), "%s", test.err.message)

// ---- plumbing

static char *unique_name(const char *what) {
    return memory_format("assay-engine-test-%s-%d", what, (int)getpid());
}

// A container that runs a shell script; `host_config` is taken and may be NULL (no network).
static const char *create(const char *script, json_t *host_config) {
    if (host_config == NULL)
        host_config = json_pack("{s:s}", "NetworkMode", "none");
    json_t *body =
        json_pack("{s:s, s:[s,s,s], s:{s:s}, s:o}", "Image", image_name(), "Cmd", "sh", "-c",
                  script, "Labels", "io.assay.test", "engine", "HostConfig", host_config);
    char *id = NULL;
    const bool created = container_create(test.engine, NULL, NULL, body, &id, &test.err);
    json_decref(body);
    must(created);
    string_list_take(&test.containers, id);
    return id;
}

static const char *start(const char *script, json_t *host_config) {
    const char *id = create(script, host_config);
    must(container_start(test.engine, id, &test.err));
    return id;
}

static const char *start_idle(void) {
    return start("exec sleep 600", NULL);
}

static int wait_for(const char *id) {
    int status = -1;
    must(container_wait(test.engine, id, 60000, &status, &test.err));
    return status;
}

static struct container_state state_of(const char *id) {
    struct container_state state = {0};
    must(container_state(test.engine, id, &state, &test.err));
    return state;
}

// Runs a shell script in a container; its output, in a buffer that the next call overwrites.
static const char *run_in(const char *id, const char *script) {
    static char output[4096];
    const char *const argv[] = {"sh", "-c", script, NULL};
    const struct exec_options options = {.argv = argv};
    struct exec_result result;
    must(exec_run(test.engine, id, &options, &result, &test.err));
    snprintf(output, sizeof output, "%s", text_string(&result.output));
    exec_result_done(&result);
    return output;
}

static int archive_of(const struct archive_extra *extras, size_t count) {
    int fd = -1;
    must(archive_folder(NULL, extras, count, &fd, &test.err));
    return fd;
}

// ---- containers

Test(engine_real, tells_what_it_is) {
    struct engine_facts facts = {0};
    must(engine_facts(test.engine, &facts, &test.err));
    cr_expect_str_neq(facts.version, "");
    cr_expect_str_eq(facts.operating_system, "linux");
    cr_expect_str_neq(facts.architecture, "");
    cr_expect(facts.memory_bytes > 0);
    cr_expect(facts.processors > 0);
    engine_facts_done(&facts);
}

Test(engine_real, takes_a_container_through_its_life) {
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

Test(engine_real, stops_a_container_with_its_signal_before_the_grace_ends) {
    const char *id = start("trap 'exit 7' TERM; echo ready; while :; do sleep 0.05; done", NULL);
    must(container_stop(test.engine, id, 20, &test.err));
    cr_expect_eq(state_of(id).exit_status, 7);
}

Test(engine_real, starts_a_container_again) {
    const char *id = start("echo once >> /count; exec sleep 600", NULL);
    must(container_kill(test.engine, id, "KILL", &test.err));
    must(container_restart(test.engine, id, &test.err));
    cr_expect(state_of(id).running);
    cr_expect_str_eq(run_in(id, "cat /count"), "once\nonce\n");
}

Test(engine_real, hands_over_the_exit_status) {
    cr_expect_eq(wait_for(start("exit 0", NULL)), 0);
    cr_expect_eq(wait_for(start("exit 3", NULL)), 3);
    cr_expect_eq(wait_for(start("exit 255", NULL)), 255);
}

Test(engine_real, gives_up_waiting_when_the_time_has_passed) {
    int status = -1;
    const char *id = start_idle();
    cr_assert(!container_wait(test.engine, id, 200, &status, &test.err));
    cr_expect_eq(test.err.domain, ERROR_TIMEOUT);
}

Test(engine_real, names_the_request_and_the_engines_words_when_a_name_is_taken) {
    autofree_string char *name = unique_name("taken");
    json_t *body = json_pack("{s:s, s:[s], s:{s:s}}", "Image", image_name(), "Cmd", "true",
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

Test(engine_real, says_404_of_a_container_that_is_not_there) {
    json_t *json = NULL;
    cr_assert(!container_inspect(test.engine, "no-such-container", &json, &test.err));
    cr_expect_eq(test.err.domain, ERROR_ENGINE);
    cr_expect_eq(test.err.code, 404);
}

Test(engine_real, lists_by_label) {
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

Test(engine_real, samples_the_memory_of_a_container) {
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

Test(engine_real, lets_several_threads_remove_the_same_container) {
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

// ---- exec

Test(engine_real, keeps_the_two_outputs_of_a_command_apart) {
    const char *const argv[] = {"sh", "-c", "echo out; echo bad >&2; exit 5", NULL};
    struct exec_result result;
    must(exec_run(test.engine, start_idle(), &(struct exec_options){.argv = argv}, &result,
                  &test.err));
    cr_expect_eq(result.exit_status, 5);
    cr_expect_str_eq(result.output.bytes, "out\n");
    cr_expect_str_eq(result.errors.bytes, "bad\n");
    exec_result_done(&result);
}

Test(engine_real, runs_a_command_as_another_user_elsewhere_with_its_environment) {
    const char *const argv[] = {"sh", "-c", "id -un; pwd; echo $FRUIT", NULL};
    const char *const environment[] = {"FRUIT=pear tree", NULL};
    const struct exec_options options = {
        .argv = argv, .user = "nobody", .working_folder = "/var/tmp", .environment = environment};
    struct exec_result result;
    must(exec_run(test.engine, start_idle(), &options, &result, &test.err));
    cr_expect_str_eq(result.output.bytes, "nobody\n/var/tmp\npear tree\n");
    exec_result_done(&result);
}

Test(engine_real, sends_a_mebibyte_through_cat_unaltered) {
    char *input = memory_new(MEBIBYTE, 1);
    for (size_t i = 0; i < MEBIBYTE; i++)
        input[i] = (char)(i * 2654435761u >> 13); // every byte value, no short period
    const char *const argv[] = {"cat", NULL};
    const struct exec_options options = {
        .argv = argv, .input = input, .input_length = MEBIBYTE, .output_limit = 2 * MEBIBYTE};
    struct exec_result result;
    must(exec_run(test.engine, start_idle(), &options, &result, &test.err));
    cr_expect_eq(result.exit_status, 0);
    cr_assert_eq(result.output.length, MEBIBYTE);
    cr_expect(memcmp(result.output.bytes, input, MEBIBYTE) == 0);
    exec_result_done(&result);
    free(input);
}

Test(engine_real, ends_the_input_of_a_command) {
    const char *const argv[] = {"sh", "-c", "wc -c; exit 4", NULL};
    const struct exec_options options = {.argv = argv, .input = "12345", .input_length = 5};
    struct exec_result result;
    must(exec_run(test.engine, start_idle(), &options, &result, &test.err));
    cr_expect_eq(result.exit_status, 4);
    cr_expect_str_eq(result.output.bytes, "5\n");
    exec_result_done(&result);
}

Test(engine_real, does_not_mind_a_command_that_ignores_its_input) {
    char *input = memory_new(4 * MEBIBYTE, 1);
    const char *const argv[] = {"sh", "-c", "exit 6", NULL};
    const struct exec_options options = {
        .argv = argv, .input = input, .input_length = 4 * MEBIBYTE};
    struct exec_result result;
    must(exec_run(test.engine, start_idle(), &options, &result, &test.err));
    cr_expect_eq(result.exit_status, 6);
    exec_result_done(&result);
    free(input);
}

Test(engine_real, reports_a_command_that_does_not_exist) {
    const char *const argv[] = {"/no/such/command", NULL};
    struct exec_result result = {0};
    must(exec_run(test.engine, start_idle(), &(struct exec_options){.argv = argv}, &result,
                  &test.err));
    cr_expect(result.exit_status == 126 || result.exit_status == 127);
    cr_expect(strstr(text_string(&result.output), "no such file") != NULL);
    exec_result_done(&result);
}

Test(engine_real, bounds_the_output_of_a_command) {
    const char *const argv[] = {"sh", "-c", "seq 1 100000", NULL};
    const struct exec_options options = {.argv = argv, .output_limit = 10};
    struct exec_result result;
    must(exec_run(test.engine, start_idle(), &options, &result, &test.err));
    cr_expect_str_eq(result.output.bytes, "1\n2\n3\n4\n5\n");
    cr_expect(result.output.overflowed);
    exec_result_done(&result);
}

Test(engine_real, gives_up_on_a_command_that_takes_too_long) {
    const char *const argv[] = {"sleep", "30", NULL};
    const struct exec_options plain = {.argv = argv, .timeout_ms = 300};
    const struct exec_options fed = {
        .argv = argv, .timeout_ms = 300, .input = "", .input_length = 0};
    const char *id = start_idle();
    struct exec_result result;
    cr_assert(!exec_run(test.engine, id, &plain, &result, &test.err));
    cr_expect_eq(test.err.domain, ERROR_TIMEOUT);
    cr_assert(!exec_run(test.engine, id, &fed, &result, &test.err));
    cr_expect_eq(test.err.domain, ERROR_TIMEOUT);
}

Test(engine_real, refuses_to_run_a_command_in_a_stopped_container) {
    const char *id = create("true", NULL);
    const char *const argv[] = {"true", NULL};
    struct exec_result result;
    cr_assert(!exec_run(test.engine, id, &(struct exec_options){.argv = argv}, &result, &test.err));
    cr_expect_eq(test.err.code, 409);
    cr_expect(strstr(test.err.message, "is not running") != NULL);
}

// ---- logs

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

Test(engine_real, reads_ten_megabytes_of_log_on_both_streams_in_order) {
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

Test(engine_real, gives_the_last_lines_of_a_log) {
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

Test(engine_real, reads_the_log_of_a_terminal) {
    json_t *body = json_pack("{s:s, s:[s,s], s:{s:s}, s:b}", "Image", image_name(), "Cmd", "echo",
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

Test(engine_real, follows_a_log_to_the_containers_end) {
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

Test(engine_real, stops_following_a_log_soon_after_it_is_cancelled) {
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

// ---- archives

static bool append_bytes(void *context, const void *bytes, size_t length, struct error *err) {
    (void)err;
    text_append_bytes(context, bytes, length);
    return true;
}

Test(engine_real, puts_a_folder_into_a_container_as_it_is) {
    autofree_string char *script = path_join(test.folder, "sub/run.sh");
    autofree_string char *sub = path_join(test.folder, "sub");
    autofree_string char *link = path_join(test.folder, "link");
    must(folder_make(sub, 0755, &test.err));
    must(file_write_atomic(script, "#!/bin/sh\necho ran\n", 19, 0750, &test.err));
    cr_assert(symlink("sub/run.sh", link) == 0);
    int fd = -1;
    const struct archive_extra extra = {"secret", "hidden", 6, 0600, NULL};
    must(archive_folder(test.folder, &extra, 1, &fd, &test.err));
    const char *id = start_idle();
    must(container_put_archive(test.engine, id, "/srv", fd, &test.err));
    must(container_put_archive(test.engine, id, "/opt", fd, &test.err)); // the same again
    close(fd);
    const char *seen = run_in(id, "/opt/link; cd /srv; stat -c '%n %a %U %Y' sub/run.sh secret; "
                                  "readlink link; cat secret");
    cr_expect_str_eq(seen, "ran\nsub/run.sh 750 root 0\nsecret 600 root 0\nsub/run.sh\nhidden");
}

Test(engine_real, gets_back_what_it_put) {
    char *content = memory_new(3 * MEBIBYTE, 1);
    memset(content, 'x', 3 * MEBIBYTE);
    const struct archive_extra extra = {"big", content, 3 * MEBIBYTE, 0644, NULL};
    const int fd = archive_of(&extra, 1);
    const char *id = create("true", NULL);
    must(container_put_archive(test.engine, id, "/", fd, &test.err));
    close(fd);
    struct text tar = {0};
    must(container_get_archive(test.engine, id, "/big", append_bytes, &tar, &test.err));
    cr_assert(tar.length > 3 * MEBIBYTE);
    // One header of 512 bytes (POSIX ustar), then the content.
    cr_expect_str_eq(tar.bytes, "big");
    cr_expect(memcmp(tar.bytes + 512, content, 3 * MEBIBYTE) == 0);
    text_done(&tar);
    free(content);
}

Test(engine_real, says_404_of_a_path_that_is_not_there) {
    const struct archive_extra extra = {"file", "x", 1, 0, NULL};
    const char *id = create("true", NULL);
    struct text tar = {0};
    cr_assert(
        !container_get_archive(test.engine, id, "/no/such/file", append_bytes, &tar, &test.err));
    cr_expect_eq(test.err.code, 404);
    const int fd = archive_of(&extra, 1);
    cr_assert(!container_put_archive(test.engine, id, "/no/such/folder", fd, &test.err));
    cr_expect_eq(test.err.code, 404);
    close(fd);
}

// ---- images

static bool is_there(const char *reference) {
    bool exists = false;
    must(image_exists(test.engine, reference, &exists, &test.err));
    return exists;
}

Test(engine_real, imports_tags_commits_saves_and_loads_an_image) {
    autofree_string char *name = unique_name("image");
    autofree_string char *imported = memory_format("%s:imported", name);
    autofree_string char *tagged = memory_format("%s:tagged", name);
    autofree_string char *committed = memory_format("%s:committed", name);
    autofree_string char *saved = path_join(test.folder, "saved.tar");

    const struct archive_extra extra = {"etc/motto", "carry on", 8, 0644, NULL};
    const int fd = archive_of(&extra, 1);
    must(image_import(test.engine, fd, name, "imported", &test.err));
    close(fd);
    must(image_tag(test.engine, imported, name, "tagged", &test.err));
    cr_expect(is_there(tagged));

    json_t *body = json_pack("{s:s, s:[s], s:{s:s}}", "Image", tagged, "Cmd", "/x", "Labels",
                             "io.assay.test", "engine");
    char *id = NULL;
    must(container_create(test.engine, NULL, NULL, body, &id, &test.err));
    json_decref(body);
    const char *const changes[] = {"LABEL io.assay.note=kept", "ENV A=b", NULL};
    must(image_commit(test.engine, id, name, "committed", changes, &test.err));
    must(container_remove(test.engine, id, &test.err));
    free(id);

    const char *const references[] = {committed, imported, NULL};
    must(image_save(test.engine, references, saved, NULL, &test.err));
    must(image_remove(test.engine, committed, &test.err));
    must(image_remove(test.engine, tagged, &test.err));
    must(image_remove(test.engine, imported, &test.err));
    cr_expect(!is_there(committed));

    const int archive = open(saved, O_RDONLY | O_CLOEXEC);
    must(image_load(test.engine, archive, NULL, &test.err));
    close(archive);
    json_t *json = NULL;
    must(image_inspect(test.engine, committed, &json, &test.err));
    const json_t *labels = json_object_get(json_object_get(json, "Config"), "Labels");
    cr_expect_str_eq(json_string_value(json_object_get(labels, "io.assay.note")), "kept");
    json_decref(json);
    string_list_add(&test.images, committed);
    string_list_add(&test.images, imported);
}

Test(engine_real, leaves_no_file_when_there_is_nothing_to_save) {
    autofree_string char *path = path_join(test.folder, "saved.tar");
    const char *const references[] = {"assay/no-such-image:none", NULL};
    cr_assert(!image_save(test.engine, references, path, NULL, &test.err));
    cr_expect_eq(test.err.domain, ERROR_ENGINE);
    cr_expect(rmdir(test.folder) == 0, "the folder is not empty");
}

Test(engine_real, refuses_to_load_what_is_not_an_image_archive) {
    const struct archive_extra extra = {"letter", "dear engine", 11, 0644, NULL};
    const int fd = archive_of(&extra, 1);
    cr_assert(!image_load(test.engine, fd, NULL, &test.err));
    cr_expect_eq(test.err.domain, ERROR_ENGINE);
    cr_expect(strstr(test.err.message, "POST /images/load") != NULL);
    close(fd);
}

Test(engine_real, says_that_an_image_cannot_be_pulled) {
    // Port 1 of this host: nothing listens there.
    cr_assert(!image_pull(test.engine, "127.0.0.1:1/nothing:here", NULL, NULL, &test.err));
    cr_expect_eq(test.err.domain, ERROR_UNAVAILABLE);
    cr_expect(strstr(test.err.message, "127.0.0.1:1/nothing:here") != NULL);
}

static void keep_line(void *context, const char *line, int64_t done_bytes, int64_t total_bytes) {
    (void)done_bytes, (void)total_bytes;
    text_appendf(context, "%s\n", line);
}

static int dockerfile_of(const char *instructions) {
    autofree_string char *content = memory_format("ARG BASE\nFROM $BASE\n%s\n", instructions);
    const struct archive_extra extra = {"Dockerfile", content, strlen(content), 0644, NULL};
    return archive_of(&extra, 1);
}

Test(engine_real, builds_an_image_with_arguments_and_labels) {
    autofree_string char *tag = memory_format("assay-engine-test-build:%d", (int)getpid());
    autofree_string char *base = memory_format("BASE=%s", image_name());
    const char *const arguments[] = {base, "FRUIT=pear=tree", NULL};
    const char *const labels[] = {"io.assay.test=engine", NULL};
    struct text lines = {0};
    const struct image_progress progress = {keep_line, &lines};
    const int fd = dockerfile_of("ARG FRUIT\nRUN echo \"fruit is $FRUIT\"; echo $FRUIT > /fruit");
    const struct image_build build = {.context_fd = fd,
                                      .tag = tag,
                                      .build_arguments = arguments,
                                      .labels = labels,
                                      .network = "none"};
    must(image_build(test.engine, &build, &progress, &test.err));
    close(fd);
    string_list_add(&test.images, tag);
    cr_expect(is_there(tag));
    cr_expect(strstr(text_string(&lines), "fruit is pear=tree\n") != NULL);
    text_done(&lines);
}

Test(engine_real, names_the_step_of_a_build_that_fails_and_its_last_output) {
    autofree_string char *tag = memory_format("assay-engine-test-broken:%d", (int)getpid());
    autofree_string char *base = memory_format("BASE=%s", image_name());
    const char *const arguments[] = {base, NULL};
    const int fd = dockerfile_of("RUN echo about to fail; exit 9\nRUN echo never");
    const struct image_build build = {
        .context_fd = fd, .tag = tag, .build_arguments = arguments, .network = "none"};
    cr_assert(!image_build(test.engine, &build, NULL, &test.err));
    close(fd);
    cr_expect_eq(test.err.domain, ERROR_ENGINE);
    cr_expect(strstr(test.err.message, "Step 3/4") != NULL, "%s", test.err.message);
    cr_expect(strstr(test.err.message, "returned a non-zero code: 9") != NULL);
    cr_expect(strstr(test.err.message, "about to fail") != NULL);
    cr_expect(!is_there(tag));
}

// ---- networks and volumes

// A subnet that no network of the engine has: asked for, and another tried when it is refused.
static const char *make_network(char subnet_prefix[16]) {
    autofree_string char *name = unique_name("network");
    for (int third = getpid() % 250, tries = 0; tries < 20; third = (third + 7) % 250, tries++) {
        snprintf(subnet_prefix, 16, "10.213.%d", third);
        autofree_string char *subnet = memory_format("%s.0/24", subnet_prefix);
        json_t *body =
            json_pack("{s:s, s:b, s:{s:s}, s:{s:[{s:s}]}}", "Name", name, "Internal", 1, "Labels",
                      "io.assay.test", "engine", "IPAM", "Config", "Subnet", subnet);
        char *id = NULL;
        const bool made = network_create(test.engine, body, &id, &test.err);
        json_decref(body);
        if (made) {
            string_list_take(&test.networks, id);
            return id;
        }
    }
    cr_assert(false, "no free subnet: %s", test.err.message);
    return NULL;
}

Test(engine_real, connects_a_container_at_a_static_address) {
    char prefix[16];
    const char *network = make_network(prefix);
    const char *id = create("exec sleep 600", json_pack("{s:s}", "NetworkMode", network));
    autofree_string char *address = memory_format("%s.77", prefix);
    must(network_disconnect(test.engine, network, id, &test.err));
    json_t *body = json_pack("{s:s, s:{s:{s:s}, s:[s]}}", "Container", id, "EndpointConfig",
                             "IPAMConfig", "IPv4Address", address, "Aliases", "pear");
    must(network_connect(test.engine, network, body, &test.err));
    json_decref(body);
    must(container_start(test.engine, id, &test.err));
    autofree_string char *expected = memory_format("%s", address);
    cr_expect(strstr(run_in(id, "cat /etc/hosts"), expected) != NULL);
    json_t *json = NULL;
    must(network_inspect(test.engine, network, &json, &test.err));
    cr_expect(json_object_get(json_object_get(json, "Containers"), id) != NULL);
    json_decref(json);
    must(container_remove(test.engine, id, &test.err));
    must(network_remove(test.engine, network, &test.err));
    must(network_remove(test.engine, network, &test.err)); // gone is fine
}

Test(engine_real, keeps_a_volume_between_two_containers) {
    autofree_string char *name = unique_name("volume");
    json_t *body = json_pack("{s:s, s:{s:s}}", "Name", name, "Labels", "io.assay.test", "engine");
    must(volume_create(test.engine, body, &test.err));
    json_decref(body);
    string_list_add(&test.volumes, name);
    autofree_string char *bind = memory_format("%s:/data", name);
    const char *writer = start("echo kept > /data/file", json_pack("{s:[s]}", "Binds", bind));
    cr_assert_eq(wait_for(writer), 0);
    const char *reader =
        start("test \"$(cat /data/file)\" = kept", json_pack("{s:[s]}", "Binds", bind));
    cr_expect_eq(wait_for(reader), 0);
    const char *const filters[] = {"label=io.assay.test=engine", NULL};
    json_t *found = NULL;
    must(volume_list(test.engine, filters, &found, &test.err));
    cr_expect(json_array_size(found) >= 1);
    json_decref(found);
    must(volume_inspect(test.engine, name, &found, &test.err));
    json_decref(found);
}

// ---- events

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
                             image_name(), "Cmd", "sh", "-c", script, "Labels", "io.assay.test",
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

Test(engine_real, sees_a_container_die_with_its_status) {
    struct watch watch = {0};
    watch_container(&watch, "exit 42", 64);
    cr_expect_eq(watch.exit_status, 42);
    cr_expect(strstr(text_string(&watch.seen), "container create\n") != NULL);
    cr_expect(strstr(text_string(&watch.seen), "container die\n") != NULL);
    text_done(&watch.seen);
}

Test(engine_real, sees_a_container_run_out_of_memory) {
    struct watch watch = {0};
    watch_container(&watch, "tail /dev/zero", 16);
    cr_expect(strstr(text_string(&watch.seen), "container oom\n") != NULL, "%s",
              text_string(&watch.seen));
    cr_expect_eq(watch.exit_status, 137);
    text_done(&watch.seen);
}

Test(engine_real, stops_watching_when_it_is_cancelled) {
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
