// Whole stacks on the engine that DOCKER_HOST names, of the image that ASSAY_TEST_IMAGE names
// (default assay/base:dev): skipped, saying so, without them.
#define _GNU_SOURCE
#include "stack/stack.h"

#include "base/clock.h"
#include "base/eventually.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "compose/plan_test_tools.h"
#include "engine/container.h"
#include "engine/exec.h"
#include "engine/image.h"
#include "engine/network.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct {
    struct run *run;
    struct engine *engine;
    char *image;
    const struct plan *plan;
    struct image_choices images;
    struct stack *stack;
    struct stack *other;
    struct report *report;
} site;
static struct error problem;

static void init_site(void) {
    if (getenv("DOCKER_HOST") == NULL)
        cr_skip_test("DOCKER_HOST is not set: no engine to test with");
    const char *image = getenv("ASSAY_TEST_IMAGE");
    site.image = memory_copy_string(image != NULL ? image : "assay/base:dev");
    const struct engine_options options = {.host = getenv("DOCKER_HOST")};
    bool there = false;
    if (!engine_open(&options, &site.engine, &problem) ||
        !image_exists(site.engine, site.image, &there, &problem))
        cr_skip_test("%s", problem.message);
    if (!there)
        cr_skip_test("the image %s is not in the engine: set ASSAY_TEST_IMAGE", site.image);
    plan_test_folder();
    const struct run_options run_options = {0};
    cr_assert(run_open(&run_options, &site.run, &problem), "%s", problem.message);
    cr_assert(run_uses_engine(site.run, engine_host(site.engine), &problem));
}

static void done_site(void) {
    if (site.run == NULL)
        return;
    const bool first_down = site.stack == NULL || stack_down(site.stack, NULL);
    const bool second_down = site.other == NULL || stack_down(site.other, NULL);
    const bool down = first_down && second_down;
    stack_free(site.stack);
    stack_free(site.other);
    report_free(site.report);
    free(site.images.items);
    engine_close(site.engine);
    run_close(site.run, down);
    plan_test_leave();
    free(site.image);
}

TestSuite(stack_up_real, .init = init_site, .fini = done_site, .timeout = 300);

static const struct plan *load(const char *compose) {
    const struct plan *plan = site.plan = plan_test_load(compose);
    site.images.items = memory_new(plan->service_count, sizeof *site.images.items);
    site.images.count = plan->service_count;
    for (size_t i = 0; i < plan->service_count; i++)
        site.images.items[i] = (struct image_choice){
            .service = plan->services[i].name, .reference = site.image, .origin = IMAGE_PRESENT};
    return plan;
}

static void up(const char *compose) {
    const struct stack_options options = {0};
    const struct plan *plan = load(compose);
    cr_assert(stack_up(site.run, site.engine, plan, &site.images, &options, &site.stack, &problem),
              "%s", problem.message);
    site.report = report_new("test");
    stack_describe(site.stack, site.report);
}

static const struct service_result *service(const char *name) {
    for (size_t i = 0; i < site.report->service_count; i++)
        if (strcmp(site.report->services[i].name, name) == 0)
            return &site.report->services[i];
    cr_assert_fail("no service %s", name);
    return NULL;
}

static void expect_state(const char *name, enum service_state state, const char *message) {
    const struct service_result *got = service(name);
    cr_assert_eq(got->state, state, "%s is %s: %s", name, service_state_name(got->state),
                 got->message);
    if (message != NULL)
        cr_assert(got->message != NULL && strstr(got->message, message) != NULL,
                  "expected \"%s\" in \"%s\"", message, got->message);
}

// What a command in the container of a service says; the caller's.
static char *in_container(struct stack *stack, const char *name, const char *command) {
    const char *const argv[] = {"sh", "-c", command, NULL};
    struct exec_result end = {0};
    cr_assert(exec_run(site.engine, stack_container(stack, name),
                       &(const struct exec_options){.argv = argv}, &end, &problem),
              "%s", problem.message);
    cr_assert_eq(end.exit_status, 0, "%s: %s", command, text_string(&end.errors));
    char *said = text_take(&end.output);
    exec_result_done(&end);
    return said;
}

static void expect_said(struct stack *stack, const char *name, const char *command,
                        const char *expected) {
    char *said = in_container(stack, name, command);
    cr_assert_str_eq(said, expected, "%s: %s", command, said);
    free(said);
}

#define S(name) "  " name ":\n    image: i\n"
#define STAY "    command: [tail, -f, /dev/null]\n"

Test(stack_up_real, a_service_that_ends_at_once_fails_with_its_exit_status_and_log) {
    up("services:\n" S("web") "    command: [sh, -c, \"echo no disk; exit 3\"]\n"
                              "    x-assay: {kind: http, port: 80}\n");
    expect_state("web", SERVICE_FAILED, "exit status 3");
    cr_assert_not_null(strstr(service("web")->log_tail, "no disk"));
    cr_assert_not(stack_all_ready(site.stack));
    cr_assert_null(stack_endpoint(site.stack, "web"));
}

Test(stack_up_real, a_service_that_ends_while_it_is_probed_fails_long_before_its_deadline) {
    const int64_t started_us = clock_monotonic_us();
    up("services:\n" S("web") "    command: [sh, -c, \"sleep 0.5; exit 4\"]\n"
                              "    x-assay: {kind: http, port: 80, ready_timeout: 60s}\n");
    expect_state("web", SERVICE_FAILED, "exit status 4");
    cr_assert_not_null(strstr(service("web")->message, "the last probe said"), "%s",
                       service("web")->message);
    cr_assert_lt(clock_monotonic_us() - started_us, 50 * 1000000);
}

Test(stack_up_real, a_service_without_a_kind_that_ends_is_not_ready) {
    up("services:\n" S("web") "    command: [\"false\"]\n");
    const struct deadline deadline = deadline_in_ms(60000);
    while (stack_all_ready(site.stack) && !deadline_passed(deadline))
        pause_ms(5, NULL);
    cr_assert_not(stack_all_ready(site.stack));
}

Test(stack_up_real, says_that_a_service_lacked_memory) {
    up("services:\n" S("web") "    command: [sh, -c, \"sleep 0.3; tail /dev/zero\"]\n"
                              "    mem_limit: 16m\n    memswap_limit: 16m\n"
                              "    x-assay: {kind: http, port: 80}\n");
    expect_state("web", SERVICE_FAILED, "killed for lack of memory");
}

#define OF_GROUP "    x-assay: {kind: http, port: 80, group: g, ready_timeout: 60s}\n"
#define TWO_MEMBERS                                                                  \
    S("one")                                                                         \
    STAY OF_GROUP S("two") "    command: [sh, -c, \"echo farewell; sleep 0.5; exit " \
                           "4\"]\n" OF_GROUP

Test(stack_up_real, a_group_does_not_wait_for_a_member_that_is_lost) {
    const int64_t started_us = clock_monotonic_us();
    up("services:\n" TWO_MEMBERS);
    expect_state("two", SERVICE_FAILED, "exit status 4");
    expect_state("one", SERVICE_MISSING, "its group \"g\" lost two");
    cr_assert_lt(clock_monotonic_us() - started_us, 15 * 1000000);
}

Test(stack_up_real, of_a_group_the_log_of_the_member_that_failed_is_shown) {
    up("services:\n" TWO_MEMBERS);
    char *log = stack_log_tail(site.stack, "one", 10);
    cr_assert_str_eq(log, "farewell\n");
    free(log);
}

Test(stack_up_real, a_service_that_dies_after_it_was_ready_is_reported_with_its_log) {
    up("services:\n" S("web") "    command: [sh, -c, \"echo farewell; sleep 0.5; exit 3\"]\n");
    const struct deadline deadline = deadline_in_ms(15000);
    while (stack_all_ready(site.stack) && !deadline_passed(deadline))
        pause_ms(5, NULL);
    report_free(site.report);
    site.report = report_new("test");
    stack_describe(site.stack, site.report);
    expect_state("web", SERVICE_FAILED, "exit status 3");
    cr_assert_str_eq(service("web")->log_tail, "farewell\n");
}

Test(stack_up_real, at_its_deadline_says_what_the_last_probe_said) {
    up("services:\n" S("web") STAY "    x-assay: {kind: http, port: 80, ready_timeout: 1s}\n");
    expect_state("web", SERVICE_FAILED, "not within 1");
    cr_assert_not_null(strstr(service("web")->message, "refused"), "%s", service("web")->message);
}

Test(stack_up_real, what_depends_on_a_failed_service_is_missing_with_the_reason) {
    up("services:\n" S(
        "db") "    command: [sh, -c, \"exit 3\"]\n    x-assay: {kind: http, port: 80}\n" S("web")
           STAY "    depends_on: {db: {condition: service_healthy}}\n" S("top") STAY
       "    depends_on: {web: {condition: service_started}}\n" S("free") STAY);
    expect_state("db", SERVICE_FAILED, "exit status 3");
    expect_state("web", SERVICE_MISSING, "needs db, which failed");
    expect_state("top", SERVICE_MISSING, "needs web, which is not there (needs db, which failed)");
    expect_state("free", SERVICE_READY, NULL);
    cr_assert_null(stack_container(site.stack, "web"));
}

// It fails while the other is being probed: a dependency that needed it only to have started.
Test(stack_up_real, a_service_is_not_probed_any_longer_when_what_it_needs_has_failed) {
    const int64_t started_us = clock_monotonic_us();
    up("services:\n" S("db") "    command: [sh, -c, \"sleep 0.5; exit 3\"]\n"
                             "    x-assay: {kind: http, port: 80}\n" S("web") STAY
       "    depends_on: [db]\n"
       "    x-assay: {kind: http, port: 80, ready_timeout: 60s}\n");
    expect_state("db", SERVICE_FAILED, "exit status 3");
    expect_state("web", SERVICE_MISSING, "needs db, which failed");
    cr_assert_lt(clock_monotonic_us() - started_us, 30 * 1000000);
}

#define MEMBER(name, command)    \
    S(name)                      \
    "    command: " command "\n" \
    "    x-assay: {kind: http, port: 80, group: pair}\n"

Test(stack_up_real, a_group_that_loses_a_member_is_not_ready) {
    up("services:\n" MEMBER("one", "[tail, -f, /dev/null]")
           MEMBER("two", "[sh, -c, \"sleep 0.5; exit 3\"]"));
    expect_state("one", SERVICE_MISSING, "two");
    expect_state("two", SERVICE_FAILED, "exit status 3");
}

Test(stack_up_real, a_group_that_loses_its_first_member_is_not_ready) {
    up("services:\n" MEMBER("one", "[sh, -c, \"sleep 0.5; exit 3\"]")
           MEMBER("two", "[tail, -f, /dev/null]"));
    expect_state("one", SERVICE_FAILED, "exit status 3");
    expect_state("two", SERVICE_MISSING, "its group \"pair\" is not ready");
}

Test(stack_up_real, what_depends_on_an_image_that_is_nowhere_is_missing) {
    const struct plan *plan =
        load("services:\n" S("db") STAY S("web") STAY "    depends_on: [db]\n");
    site.images.items[0].origin = IMAGE_NOWHERE;
    site.images.items[0].why = (char[]){"db cannot be had"};
    const struct stack_options options = {0};
    cr_assert(stack_up(site.run, site.engine, plan, &site.images, &options, &site.stack, &problem),
              "%s", problem.message);
    site.report = report_new("test");
    stack_describe(site.stack, site.report);
    expect_state("db", SERVICE_MISSING, "db cannot be had");
    expect_state("web", SERVICE_MISSING, "needs db, which is not there");
}

#define JOB(command) \
    S("job") "    command: [sh, -c, \"" command "\"]\n    volumes: [\"data:/data\"]\n"
#define AFTER_JOB                                                               \
    S("web")                                                                    \
    STAY "    volumes: [\"data:/data\"]\n"                                      \
         "    depends_on: {job: {condition: service_completed_successfully}}\n" \
         "volumes: {data: {}}\n"

Test(stack_up_real, waits_for_the_end_of_what_must_complete_first) {
    up("services:\n" JOB("sleep 0.5; echo done > /data/mark") AFTER_JOB);
    expect_state("job", SERVICE_COMPLETED, NULL);
    expect_state("web", SERVICE_READY, NULL);
    expect_said(site.stack, "web", "cat /data/mark", "done\n");
    cr_assert(stack_all_ready(site.stack));
}

Test(stack_up_real, what_completes_at_once_is_complete_too) {
    up("services:\n" JOB("exit 0") AFTER_JOB);
    expect_state("job", SERVICE_COMPLETED, NULL);
    expect_state("web", SERVICE_READY, NULL);
}

Test(stack_up_real, what_needs_a_job_that_fails_is_missing) {
    up("services:\n" JOB("sleep 0.3; exit 5") AFTER_JOB);
    expect_state("job", SERVICE_FAILED, "exit status 5");
    expect_state("web", SERVICE_MISSING, "needs job, which ");
}

#define HEALTH(test) \
    "    healthcheck: {test: \"" test "\", interval: 1s, timeout: 1s, retries: 1}\n"

Test(stack_up_real, a_service_without_a_kind_is_ready_when_its_health_check_says_so) {
    up("services:\n" S("web") "    command: [sh, -c, \"sleep 1; touch /tmp/up; tail -f "
                              "/dev/null\"]\n" HEALTH("test -f /tmp/up"));
    expect_state("web", SERVICE_READY, NULL);
    expect_said(site.stack, "web", "test -f /tmp/up && echo yes", "yes\n");
}

Test(stack_up_real, a_health_check_that_never_passes_is_the_reason) {
    up("services:\n" S("web") STAY HEALTH("false") "    x-assay: {ready_timeout: 3s}\n");
    expect_state("web", SERVICE_FAILED, "its health check says unhealthy");
}

Test(stack_up_real, static_addresses_keep_their_places_in_two_networks) {
    up("services:\n" S("web") STAY
       "    networks:\n"
       "      front: {ipv4_address: 172.30.5.10}\n"
       "      back: {ipv4_address: 172.31.0.20, aliases: [store]}\n" S("peer") STAY
       "    networks: [back]\n    depends_on: [web]\n"
       "networks:\n  front: {ipam: {config: [{subnet: 172.30.5.0/24}]}}\n"
       "  back: {ipam: {config: [{subnet: 172.31.0.0/26}]}}\n");
    expect_state("web", SERVICE_READY, NULL);
    char *own = in_container(site.stack, "web", "hostname -I");
    cr_assert_not_null(strstr(own, ".10 "), "%s", own);
    cr_assert_not_null(strchr(strchr(own, ' ') + 1, ' '), "one address only: %s", own);
    free(own);
    expect_said(site.stack, "peer",
                "getent hosts web >/dev/null && getent hosts store >/dev/null "
                "&& test \"$(getent hosts web | cut -d' ' -f1)\" = "
                "\"$(getent hosts store | cut -d' ' -f1)\" && echo same",
                "same\n");
}

Test(stack_up_real, what_a_container_writes_into_a_bind_mount_is_written_to_a_copy) {
    plan_test_write("data/file", "mine");
    up("services:\n" S("web") STAY "    volumes: [\"./data:/data\"]\n");
    expect_said(site.stack, "web", "cat /data/file; echo theirs > /data/file; touch /data/new",
                "mine");
    char *bytes = NULL;
    cr_assert(file_read("data/file", 100, &bytes, NULL, &problem));
    cr_assert_str_eq(bytes, "mine");
    free(bytes);
    cr_assert_not(file_exists("data/new"));
}

Test(stack_up_real, a_read_only_bind_mount_is_the_users_own_and_cannot_be_written_to) {
    plan_test_write("data/file", "mine");
    up("services:\n" S("web") STAY "    volumes: [\"./data:/data:ro\"]\n");
    expect_said(site.stack, "web", "cat /data/file; touch /data/new 2>/dev/null || echo ' refused'",
                "mine refused\n");
}

Test(stack_up_real, secrets_and_configs_have_the_owner_and_mode_that_were_asked_for) {
    if (geteuid() != 0)
        cr_skip_test("only root can give a file away");
    plan_test_write("t", "x");
    up("services:\n" S("web") STAY
       "    secrets: [plain, {source: theirs, uid: \"101\", gid: \"102\", "
       "mode: 0440}]\n"
       "    configs: [{source: c, target: /etc/c}]\n"
       "secrets:\n  plain: {file: ./t}\n  theirs: {file: ./t}\n"
       "configs:\n  c: {content: hello}\n");
    expect_said(site.stack, "web",
                "stat -c '%a %u %g' /run/secrets/plain /run/secrets/theirs /etc/c",
                "600 0 0\n440 101 102\n444 0 0\n");
    expect_said(site.stack, "web", "cat /etc/c", "hello");
    expect_said(site.stack, "web", "(echo y > /run/secrets/plain) 2>/dev/null || echo refused",
                "refused\n");
}

Test(stack_up_real, publishes_no_port_of_the_file) {
    up("services:\n" S("web") STAY "    ports: [\"18080:80\"]\n");
    json_t *inspect = NULL;
    cr_assert(
        container_inspect(site.engine, stack_container(site.stack, "web"), &inspect, &problem));
    const json_t *host_config = json_object_get(inspect, "HostConfig");
    const size_t bindings = json_object_size(json_object_get(host_config, "PortBindings"));
    const bool all = json_is_true(json_object_get(host_config, "PublishAllPorts"));
    json_decref(inspect);
    cr_assert_eq(bindings, 0);
    cr_assert_not(all);
}

// An engine elsewhere, in a virtual machine or rootless: see ground_is_within_reach.
Test(stack_up_real, a_service_out_of_reach_is_reached_by_a_port_of_this_host) {
    const struct plan *plan =
        load("services:\n" S("web") "    command: [perl, -MIO::Socket::INET, -e, '$$s=IO::Socket::"
                                    "INET->new(Listen=>9,LocalPort=>80) or die; while($$c=$$s->"
                                    "accept){while(<$$c>){last if /^\\r?$$/} print $$c qq(HTTP/1.1 "
                                    "204 x\\r\\n\\r\\n); close $$c}']\n"
                                    "    x-assay: {kind: http, port: 80}\n");
    const struct stack_options options = {.publish = true};
    cr_assert(stack_up(site.run, site.engine, plan, &site.images, &options, &site.stack, &problem),
              "%s", problem.message);
    site.report = report_new("test");
    stack_describe(site.stack, site.report);
    expect_state("web", SERVICE_READY, NULL);
    cr_assert_str_eq(stack_endpoint(site.stack, "web")->host, "127.0.0.1");
    cr_assert_neq(stack_endpoint(site.stack, "web")->port, 80);
}

Test(stack_up_real, a_service_without_a_network_has_none) {
    up("services:\n" S("web") STAY "    network_mode: none\n");
    expect_state("web", SERVICE_READY, NULL);
    expect_said(site.stack, "web", "ls /sys/class/net", "lo\n");
}

Test(stack_up_real, says_nothing_of_a_service_that_there_is_not) {
    up("services:\n" S("web") STAY);
    char *tail = stack_log_tail(site.stack, "nobody", 5);
    cr_assert_str_empty(tail);
    free(tail);
    cr_assert_null(stack_container(site.stack, "nobody"));
    cr_assert_null(stack_endpoint(site.stack, "nobody"));
    cr_assert_null(stack_token(site.stack, "web"));
}

Test(stack_up_real, two_stacks_of_one_plan_at_once_do_not_meet) {
    up("services:\n" S("web") STAY "    volumes: [\"data:/data\"]\nvolumes: {data: {}}\n");
    expect_said(site.stack, "web", "touch /data/first; ls /data", "first\n");
    const struct stack_options options = {.suffix = "-second"};
    cr_assert(
        stack_up(site.run, site.engine, site.plan, &site.images, &options, &site.other, &problem),
        "%s", problem.message);
    expect_said(site.other, "web", "ls /data", "");
    cr_assert_str_neq(stack_container(site.stack, "web"), stack_container(site.other, "web"));
    cr_assert(stack_down(site.other, &problem), "%s", problem.message);
    expect_said(site.stack, "web", "ls /data", "first\n");
}

static size_t count_of_run(bool (*list)(struct engine *, const char *const *, json_t **,
                                        struct error *)) {
    char filter[64];
    snprintf(filter, sizeof filter, "label=io.assay.run=%s", run_id(site.run));
    const char *const filters[] = {filter, NULL};
    json_t *all = NULL;
    cr_assert(list(site.engine, filters, &all, &problem), "%s", problem.message);
    const size_t count = json_array_size(all);
    json_decref(all);
    return count;
}

Test(stack_up_real, goes_down_within_a_second_and_leaves_nothing) {
    struct text compose = {0};
    text_append(&compose, "services:\n");
    for (int i = 0; i < 10; i++)
        text_appendf(&compose, "  s%d:\n    image: i\n" STAY "    volumes: [\"data:/data\"]\n", i);
    text_append(&compose, "volumes: {data: {}}\n");
    up(text_string(&compose));
    text_done(&compose);
    cr_assert(stack_all_ready(site.stack));
    cr_assert_eq(count_of_run(container_list), 10);

    const int64_t started_us = clock_monotonic_us();
    cr_assert(stack_down(site.stack, &problem), "%s", problem.message);
    const int64_t took_ms = (clock_monotonic_us() - started_us) / 1000;
    fprintf(stderr, "10 containers down in %lld ms\n", (long long)took_ms);
    stack_free(site.stack);
    site.stack = NULL;
    cr_assert_eq(count_of_run(container_list), 0);
    cr_assert_eq(count_of_run(network_list), 0);
    cr_assert_eq(count_of_run(volume_list), 0);
    cr_assert_lt(took_ms, 1000 * 10); // 1 s on an idle machine; see docs/benchmarks
}

Test(stack_up_real, writes_where_everything_is_for_its_owner_alone) {
    up("services:\n" S("web") STAY);
    cr_assert(stack_write_environment(site.stack, "environment", &problem), "%s", problem.message);
    char *bytes = NULL;
    cr_assert(file_read("environment", 1 << 16, &bytes, NULL, &problem));
    cr_assert_not_null(strstr(bytes, "ASSAY_WEB_STATE=ready\n"), "%s", bytes);
    cr_assert_not_null(strstr(bytes, "ASSAY_SERVICES=web\n"), "%s", bytes);
    free(bytes);
}
