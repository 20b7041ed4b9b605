// The Docker engine that the stack runs on: what assay relies on, shown on containers of the
// test's own. They carry the run's labels, so that whatever happens they go when the run ends.
#include "base/file.h"
#include "base/memory.h"
#include "engine/archive.h"
#include "engine/container.h"
#include "engine/events.h"
#include "engine/exec.h"
#include "engine/logs.h"
#include "engine/network.h"
#include "scenario/scenario.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static struct scenario *scenario;
static struct engine *engine;
static const char *id; // the test's container
static struct container_state state;
static struct exec_result result;

static void open_scenario(void) {
    scenario = scenario_open();
}

static void close_scenario(void) {
    exec_result_done(&result);
    scenario_close(scenario);
}

TestSuite(engine, .init = open_scenario, .fini = close_scenario, .timeout = 120);

// ---- a container of the test's own --------------------------------------------------------------

static void free_json(void *json) {
    json_decref(json);
}

static json_t *inspect(const char *container) {
    json_t *json = NULL;
    must(container_inspect(engine, container, &json, err));
    scenario_own(scenario, json, free_json);
    return json;
}

static void remove_container(void *owned) {
    if (!container_remove(engine, owned, NULL)) {
        // The run's guardian removes it: it has the run's labels.
    }
    free(owned);
}

static void remove_network(void *owned) {
    if (!network_remove(engine, owned, NULL)) {
        // The same.
    }
    free(owned);
}

static json_t *labels_of_the_run(const json_t *service) {
    json_t *labels = json_object(), *value;
    const char *key;
    json_object_foreach (json_object_get(json_object_get(service, "Config"), "Labels"), key, value)
        if (strncmp(key, "io.assay.", 9) == 0)
            json_object_set(labels, key, value);
    json_object_set_new(labels, "io.assay.role", json_string("test"));
    return labels;
}

// At least one; whichever they are, so that the fault of a service does not show here.
static const struct string_list *ready_services(void) {
    const struct string_list *ready = scenario_ready_services(scenario);
    if (ready->count == 0)
        not_verified("no service of the stack is ready");
    return ready;
}

// Whose image and labels are borrowed.
static const char *any_service(void) {
    return scenario_container(scenario, ready_services()->items[0]);
}

// Creates a container that will run a shell script; `host` (taken over) goes into HostConfig.
static const char *create(const char *script, json_t *host) {
    engine = scenario_engine(scenario);
    const json_t *service = inspect(any_service());
    char *created = NULL;
    json_t *body =
        json_pack("{s:O, s:[s, s, s], s:[], s:s, s:o, s:o, s:{s:{}}, s:{s:[s]}}", "Image",
                  json_object_get(service, "Image"), "Entrypoint", "/bin/sh", "-c", script, "Cmd",
                  "User", "0", "Labels", labels_of_the_run(service), "HostConfig", host, "Volumes",
                  "/scratch", "Healthcheck", "Test", "NONE");
    must(container_create(engine, NULL, NULL, body, &created, err));
    scenario_own(scenario, created, remove_container);
    json_decref(body);
    return created;
}

// `id` is a running one without a network.
static void given_a_container(const char *script) {
    id = create(script, json_pack("{s:s}", "NetworkMode", "none"));
    must(container_start(engine, id, err));
}

static void given_an_idle_container(void) {
    given_a_container("exec tail -f /dev/null");
}

static bool is_in_state(void) {
    error_clear(err);
    return container_state(engine, id, &state, err);
}

#define run_in(container, ...)                                                             \
    do {                                                                                   \
        exec_result_done(&result);                                                         \
        must(exec_run(engine, (container),                                                 \
                      &(struct exec_options){.argv = (const char *[]){__VA_ARGS__, NULL}}, \
                      &result, err));                                                      \
    } while (0)

// ---- commands in a container --------------------------------------------------------------------

Test(engine, gives_both_outputs_and_the_exit_status_of_a_command) {
    given_an_idle_container();
    run_in(id, "/bin/sh", "-c", "echo out; echo err >&2; exit 7");
    cr_assert_str_eq(text_string(&result.output), "out\n");
    cr_assert_str_eq(text_string(&result.errors), "err\n");
    cr_assert_eq(result.exit_status, 7);
}

Test(engine, feeds_a_command_a_megabyte_and_reads_it_back) {
    given_an_idle_container();
    const size_t length = (size_t)1024 * 1024;
    unsigned char *bytes = memory_new(length, 1);
    scenario_own(scenario, bytes, free);
    for (size_t i = 0; i < length; i++)
        bytes[i] = (unsigned char)(i * 31 + i / 251);
    must(exec_run(engine, id,
                  &(struct exec_options){.argv = (const char *[]){"cat", NULL},
                                         .input = bytes,
                                         .input_length = length,
                                         .output_limit = 2 * length},
                  &result, err));
    cr_assert_eq(result.output.length, length);
    cr_assert_eq(memcmp(result.output.bytes, bytes, length), 0);
}

Test(engine, gives_a_command_its_folder_user_and_environment) {
    given_an_idle_container();
    must(exec_run(engine, id,
                  &(struct exec_options){
                      .argv = (const char *[]){"/bin/sh", "-c", "pwd; id -u; echo $CITY", NULL},
                      .user = "65534",
                      .working_folder = "/tmp",
                      .environment = (const char *[]){"CITY=Köln", NULL}},
                  &result, err));
    cr_assert_str_eq(text_string(&result.output), "/tmp\n65534\nKöln\n");
}

Test(engine, says_that_a_command_is_not_there) {
    given_an_idle_container();
    run_in(id, "/no/such/command");
    cr_assert(result.exit_status == 126 || result.exit_status == 127, "%d", result.exit_status);
}

Test(engine, gives_up_in_time_on_a_command_that_does_not_end) {
    given_an_idle_container();
    const struct deadline in_time = deadline_in_ms(20000);
    must_fail(exec_run(engine, id,
                       &(struct exec_options){.argv = (const char *[]){"sleep", "60", NULL},
                                              .timeout_ms = 500},
                       &result, err),
              ERROR_TIMEOUT, 0);
    cr_assert_not(deadline_passed(in_time));
}

// ---- logs ---------------------------------------------------------------------------------------

struct streams {
    struct text output, errors;
};

static bool collect(void *context, enum stream_source source, const char *bytes, size_t length) {
    struct streams *streams = context;
    text_append_bytes(source == STREAM_STDOUT ? &streams->output : &streams->errors, bytes, length);
    return true;
}

Test(engine, keeps_the_two_streams_of_a_log_apart) {
    struct streams streams = {0};
    given_a_container("for i in 1 2 3; do echo out $i; echo err $i >&2; done");
    must(
        container_logs(engine, id, &(struct logs_options){.follow = true}, collect, &streams, err));
    cr_assert_str_eq(text_string(&streams.output), "out 1\nout 2\nout 3\n");
    cr_assert_str_eq(text_string(&streams.errors), "err 1\nerr 2\nerr 3\n");
    text_done(&streams.output);
    text_done(&streams.errors);
}

Test(engine, gives_the_last_lines_of_a_long_log) {
    int exit_status;
    struct text tail = {0};
    given_a_container("i=0; while [ $i -lt 5000 ]; do i=$((i + 1)); echo line $i; done");
    must(container_wait(engine, id, 0, &exit_status, err));
    must(container_log_tail(engine, id, 3, &tail, err));
    cr_assert_str_eq(text_string(&tail), "line 4998\nline 4999\nline 5000\n");
    text_done(&tail);
}

// ---- life and death -----------------------------------------------------------------------------

Test(engine, gives_the_exit_status_of_a_container) {
    int exit_status = -1;
    given_a_container("exit 42");
    must(container_wait(engine, id, 0, &exit_status, err));
    cr_assert_eq(exit_status, 42);
    must(container_state(engine, id, &state, err));
    cr_assert_not(state.running);
    cr_assert_eq(state.exit_status, 42);
    cr_assert_not(state.oom_killed);
}

Test(engine, stops_a_container_by_its_own_will_and_kills_one_that_has_none) {
    int exit_status = -1;
    given_a_container("trap 'exit 3' TERM INT; echo ready; while :; do sleep 0.01; done");
    struct text tail = {0};
    must_become(container_log_tail(engine, id, 1, &tail, err) && tail.length > 0, 10000);
    text_done(&tail);
    must(container_stop(engine, id, 10, err));
    must(container_wait(engine, id, 0, &exit_status, err));
    cr_assert_eq(exit_status, 3);
    given_an_idle_container();
    must(container_kill(engine, id, "KILL", err));
    must(container_wait(engine, id, 0, &exit_status, err));
    cr_assert_eq(exit_status, 137);
}

Test(engine, lets_nothing_run_in_a_paused_container) {
    given_an_idle_container();
    must(container_pause(engine, id, err));
    cr_assert(is_in_state() && state.paused, "%s", err->message);
    must_fail(exec_run(engine, id, &(struct exec_options){.argv = (const char *[]){"true", NULL}},
                       &result, err),
              ERROR_ENGINE, 409);
    must(container_unpause(engine, id, err));
    cr_assert(is_in_state() && state.running && !state.paused, "%s", err->message);
    run_in(id, "true");
    cr_assert_eq(result.exit_status, 0);
}

static void start_now(void *context unused_parameter) {
    must(container_start(engine, id, err));
}

static bool until_it_dies(void *context, const struct engine_event *event) {
    int *exit_status = context;
    if (strcmp(event->action, "die") != 0 || strcmp(event->id, id) != 0)
        return true;
    *exit_status = event->exit_status;
    return false;
}

Test(engine, tells_of_a_death_as_it_happens) {
    int exit_status = -1;
    id = create("exit 9", json_pack("{s:s}", "NetworkMode", "none"));
    must(engine_events(engine, (const char *[]){"type=container", "label=io.assay.role=test", NULL},
                       start_now, until_it_dies, &exit_status, NULL, err));
    cr_assert_eq(exit_status, 9);
}

static bool until_it_lacks_memory(void *context unused_parameter,
                                  const struct engine_event *event) {
    return strcmp(event->action, "oom") != 0 || strcmp(event->id, id) != 0;
}

// The kernel's notice takes another way to the engine than the end of a process, and one that comes
// after the container's end is lost: so the shell lives on until the notice is there.
Test(engine, says_that_a_container_ran_out_of_memory) {
    int exit_status = -1;
    const int limit = 32 * 1024 * 1024;
    id = create(
        "tail /dev/zero; exec tail -f /dev/null",
        json_pack("{s:s, s:i, s:i}", "NetworkMode", "none", "Memory", limit, "MemorySwap", limit));
    must(engine_events(engine, (const char *[]){"type=container", "label=io.assay.role=test", NULL},
                       start_now, until_it_lacks_memory, NULL, NULL, err));
    must(container_kill(engine, id, "KILL", err));
    must(container_wait(engine, id, 0, &exit_status, err));
    must(container_state(engine, id, &state, err));
    cr_assert(state.oom_killed);
}

Test(engine, measures_the_memory_of_a_container) {
    json_t *stats = NULL;
    given_an_idle_container();
    must(container_stats(engine, id, &stats, err));
    scenario_own(scenario, stats, free_json);
    const json_t *memory = json_object_get(stats, "memory_stats");
    cr_assert_gt(json_integer_value(json_object_get(memory, "usage")), 0);
}

// ---- files --------------------------------------------------------------------------------------

static bool append(void *context, const void *bytes, size_t length,
                   struct error *error unused_parameter) {
    text_append_bytes(context, bytes, length);
    return true;
}

Test(engine, carries_a_file_into_a_container_and_out_again) {
    char folder[] = "/tmp/assay-engine-suite-XXXXXX";
    int tar = -1;
    struct text out = {0};
    cr_assert_not_null(mkdtemp(folder));
    given_an_idle_container();
    must(archive_folder(
        folder,
        &(struct archive_extra){.name = "kept.bin", .bytes = "a\0b\xff", .length = 4, .mode = 0640},
        1, &tar, err));
    must(file_remove_tree(folder, err));
    must(container_put_archive(engine, id, "/scratch", tar, err));
    close(tar);
    run_in(id, "stat", "-c", "%s %a", "/scratch/kept.bin");
    cr_assert_str_eq(text_string(&result.output), "4 640\n");
    must(container_get_archive(engine, id, "/scratch/kept.bin", append, &out, err));
    cr_assert_gt(out.length, 516);
    cr_assert_eq(memcmp(out.bytes + 512, "a\0b\xff", 4), 0); // after the tar header
    text_done(&out);
}

Test(engine, removes_a_container_with_its_anonymous_volume) {
    given_an_idle_container();
    json_t *volume = NULL;
    const json_t *mount = json_array_get(json_object_get(inspect(id), "Mounts"), 0);
    const char *name = json_string_value(json_object_get(mount, "Name"));
    must(container_remove(engine, id, err));
    must_fail(volume_inspect(engine, name, &volume, err), ERROR_ENGINE, 404);
    must(container_remove(engine, id, err)); // gone already: fine
}

// ---- networks -----------------------------------------------------------------------------------

static const char *given_a_network(void) {
    engine = scenario_engine(scenario);
    char *network = NULL;
    json_t *body = json_pack("{s:s, s:o}", "Name", scenario_unique(scenario, "assay_engine_suite"),
                             "Labels", labels_of_the_run(inspect(any_service())));
    must(network_create(engine, body, &network, err));
    scenario_own(scenario, network, remove_network);
    json_decref(body);
    return network;
}

// A running container on that network; the network knows it by `alias`.
static const char *given_a_container_on(const char *network, const char *alias) {
    const char *created =
        create("exec tail -f /dev/null", json_pack("{s:s}", "NetworkMode", "none"));
    json_t *body =
        json_pack("{s:s, s:{s:[s]}}", "Container", created, "EndpointConfig", "Aliases", alias);
    must(network_disconnect(engine, "none", created, err));
    must(network_connect(engine, network, body, err));
    json_decref(body);
    must(container_start(engine, created, err));
    return created;
}

Test(engine, lets_containers_of_one_network_find_each_other) {
    const char *network = given_a_network();
    const char *left = given_a_container_on(network, "left");
    (void)given_a_container_on(network, "right");
    run_in(left, "getent", "ahostsv4", "right");
    cr_assert_eq(result.exit_status, 0);
    cr_assert_gt(result.output.length, 0);
}

Test(engine, does_not_let_containers_of_two_networks_find_each_other) {
    const char *left = given_a_container_on(given_a_network(), "left");
    (void)given_a_container_on(given_a_network(), "right");
    run_in(left, "timeout", "3", "getent", "ahostsv4", "right");
    cr_assert_neq(result.exit_status, 0, "%s", text_string(&result.output));
}

Test(engine, gives_a_container_without_a_network_nothing_but_itself) {
    given_an_idle_container();
    run_in(id, "/bin/sh", "-c", "ls /sys/class/net | grep -vE '^(lo|tunl0|sit0|ip6tnl0)$'");
    cr_assert_str_eq(text_string(&result.output), "");
}

// ---- the stack's own containers -----------------------------------------------------------------

Test(engine, shows_no_password_of_a_service_to_who_inspects_it) {
    engine = scenario_engine(scenario);
    const struct string_list *services = ready_services();
    for (size_t i = 0; i < services->count; i++) {
        const struct endpoint *service = scenario_endpoint(scenario, services->items[i]);
        char *shown = json_dumps(inspect(scenario_container(scenario, service->service)), 0);
        scenario_own(scenario, shown, free);
        cr_assert_not(service->password != NULL &&
                          secret_occurs_in(service->password, shown, strlen(shown)),
                      "of %s", service->service);
    }
}

static size_t ports_open_to_the_world(const char *container) {
    const json_t *host = json_object_get(inspect(container), "HostConfig");
    json_t *bindings = json_object_get(host, "PortBindings"), *list, *binding;
    const char *port;
    size_t i, open = 0;
    json_object_foreach (bindings, port, list)
        json_array_foreach (list, i, binding)
            open += strcmp(json_string_value(json_object_get(binding, "HostIp")), "127.0.0.1") != 0;
    return open;
}

Test(engine, opens_no_port_of_the_host_to_the_world) {
    engine = scenario_engine(scenario);
    const struct string_list *services = ready_services();
    for (size_t i = 0; i < services->count; i++)
        cr_assert_eq(ports_open_to_the_world(scenario_container(scenario, services->items[i])), 0,
                     "of %s", services->items[i]);
}

// ---- refusals -----------------------------------------------------------------------------------

Test(engine, reports_a_container_that_is_not_there) {
    engine = scenario_engine(scenario);
    must_fail(container_start(engine, "no-such-container", err), ERROR_ENGINE, 404);
    cr_assert_not_null(strstr(err->message, "no-such-container"), "%s", err->message);
}

Test(engine, reports_a_command_for_a_container_that_has_ended) {
    int exit_status;
    given_a_container("exit 0");
    must(container_wait(engine, id, 0, &exit_status, err));
    must_fail(exec_run(engine, id, &(struct exec_options){.argv = (const char *[]){"true", NULL}},
                       &result, err),
              ERROR_ENGINE, 409);
}

Test(engine, refuses_a_body_that_makes_no_sense) {
    engine = scenario_engine(scenario);
    char *created = NULL;
    json_t *body = json_pack("{s:s}", "Image", "assay/no-such-image:nowhere");
    must_fail(container_create(engine, NULL, NULL, body, &created, err), ERROR_ENGINE, 404);
    json_decref(body);
}

Test(engine, gives_up_in_time_on_an_engine_that_says_nothing) {
    struct engine *opened = NULL;
    const struct endpoint nowhere = {.service = "engine", .host = "127.0.0.1"};
    const struct endpoint *silent = scenario_silent_server(scenario, &nowhere);
    char *address = memory_format("tcp://127.0.0.1:%u", (unsigned)silent->port);
    scenario_own(scenario, address, free);
    const struct deadline in_time = deadline_in_ms(20000);
    must_fail(engine_open(&(struct engine_options){.host = address, .idle_timeout_ms = 300},
                          &opened, err),
              ERROR_TIMEOUT, 0);
    cr_assert_not(deadline_passed(in_time));
}
