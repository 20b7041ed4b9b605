#define _GNU_SOURCE
#include "image/prepared.h"

#include "base/clock.h"
#include "base/eventually.h"
#include "base/file.h"
#include "base/memory.h"
#include "engine/container.h"
#include "engine/exec.h"
#include "engine/image.h"
#include "image/build_context.h"
#include "image/image_test_engine.h"
#include "image/image_test_ground.h"

#include <criterion/criterion.h>
#include <criterion/logging.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TestSuite(prepared, .init = test_engine_set_up, .fini = test_engine_tear_down, .timeout = 300);

// ---- a service in shell: its first boot is marked, its password set anew at each start

static const char service_script[] = "#!/bin/bash\n"
                                     "trap 'exit \"${END:-0}\"' TERM\n"
                                     "[ -e /data ] || { mkdir /data && echo boot >>/data/boots; }\n"
                                     "cp /run/secrets/password /dev/shm/password\n"
                                     "[ \"${READY:-yes}\" = no ] || touch /dev/shm/ready\n"
                                     "while :; do read -r -t 0.05 <> <(:) || :; done\n";

#define SERVICE_RECIPE                                                             \
    "FROM assay/base:dev\nLABEL salt=\"%s\"\nCOPY service /service\n"              \
    "ENV COLOUR=\"a $ and a \\\" b\"\nLABEL io.assay.recipe=shell\nWORKDIR /srv\n" \
    "ENTRYPOINT [\"/service\"]\nCMD [\"now\"]\n"

static char *build_service(void) {
    free(ground_file("service/service", service_script, 0755));
    // The salt makes the image, and so every key, this test's own.
    free(ground_file("service/Dockerfile", memory_format(SERVICE_RECIPE, test_engine_label()),
                     0644));
    char *name = ground_path("x"); // /tmp/assay-images-AbCdEf/x
    char *tag = memory_format("img-test-service:%.6s", strstr(name, "/x") - 6);
    struct build_context context = {0};
    struct error err = {0};
    cr_assert(build_context_open(ground_path("service"), NULL, NULL, &context, &err), "%s",
              err.message);
    const struct image_build build = {.context_fd = context.fd, .tag = tag};
    cr_assert(image_build(test_engine(), &build, NULL, &err), "%s", err.message);
    test_engine_forget(tag);
    return tag;
}

// ---- booting it

struct booter {
    struct engine *engine;
    const char *password; // of the template
    int boots;
    int finished;
    struct prepared_boot ops;
    const char *const *ready; // command that succeeds when it is ready
};

static bool has_ended_well(struct engine *engine, const char *container, const char *const *argv,
                           struct error *err) {
    struct exec_result result = {0};
    const struct exec_options options = {.argv = argv};
    if (!exec_run(engine, container, &options, &result, err))
        return false;
    const int status = result.exit_status;
    exec_result_done(&result);
    return status == 0 || error_set(err, ERROR_SERVICE, 0, "status %d", status);
}

struct readiness {
    struct booter *booter;
    const char *container;
};

static bool is_ready(void *context, struct error *err) {
    const struct readiness *readiness = context;
    return has_ended_well(readiness->booter->engine, readiness->container, readiness->booter->ready,
                          err);
}

static char *start(struct booter *self, const struct plan_service *service, const char *reference,
                   const char *password) {
    char *secret = ground_file(memory_format("secret-%s", password), password, 0600);
    const char *label = test_engine_label();
    json_t *labels =
        json_pack("{s:s, s:s}", "io.assay.run", "abcdefghij", "io.assay.role", "prepare");
    json_object_set_new(labels, "io.assay.test", json_string(strchr(label, '=') + 1));
    json_t *body = json_deep_copy(service->config);
    json_object_set_new(body, "Image", json_string(reference));
    json_object_set_new(body, "Labels", labels);
    json_object_set_new(body, "HostConfig",
                        json_pack("{s:[o], s:s}", "Binds",
                                  json_string(memory_format("%s:/run/secrets/password:ro", secret)),
                                  "NetworkMode", "none"));
    char *id = NULL;
    struct error err = {0};
    cr_assert(container_create(self->engine, NULL, NULL, body, &id, &err), "%s", err.message);
    cr_assert(container_start(self->engine, id, &err), "%s", err.message);
    return id;
}

static bool boot(void *context, const struct plan_service *service, const char *reference,
                 char **ret_container, struct error *err) {
    struct booter *self = context;
    self->boots++;
    char *id = start(self, service, reference, self->password);
    struct readiness readiness = {self, id};
    const int64_t patience_ms = service->ready_timeout_ms > 0 ? service->ready_timeout_ms : 20000;
    if (!eventually(deadline_in_ms(patience_ms), is_ready, &readiness, err, .interval_ms = 20)) {
        cr_assert(container_remove(self->engine, id, NULL));
        return false;
    }
    *ret_container = id;
    return true;
}

static void finish(void *context, const char *container) {
    struct booter *self = context;
    self->finished++;
    if (!container_remove(self->engine, container, NULL))
        self->finished = -1;
}

static const char *const shell_ready[] = {"test", "-e", "/dev/shm/ready", NULL};

static struct booter booter(void) {
    return (struct booter){.engine = test_engine(),
                           .password = "template-password",
                           .ready = shell_ready,
                           .ops = {.boot = boot, .finish = finish}};
}

static struct plan_service shell_service(const char *const *environment) {
    json_t *list = json_array();
    for (; environment != NULL && *environment != NULL; environment++)
        json_array_append_new(list, json_string(*environment));
    return (struct plan_service){.name = memory_copy_string("shell"),
                                 .prepare = true,
                                 .config = json_pack("{s:o, s:[s]}", "Env", list, "Cmd", "later"),
                                 .host_config = json_object()};
}

static struct prepared_image ensure(struct booter *self, struct plan_service *service,
                                    const char *reference) {
    const struct plan plan = test_plan(service, 1);
    struct prepared_image image = {0};
    struct error err = {0};
    self->ops.context = self;
    cr_assert(prepared_ensure(self->engine, &plan, service, reference, &self->ops, &image, &err),
              "%s", err.message);
    if (image.prepared)
        test_engine_forget(image.reference);
    return image;
}

static char *output_of(struct engine *engine, const char *container, const char *const *argv) {
    struct exec_result result = {0};
    struct error err = {0};
    const struct exec_options options = {.argv = argv};
    cr_assert(exec_run(engine, container, &options, &result, &err), "%s", err.message);
    return memory_copy_string(text_string(&result.output));
}

static json_t *config_of(struct engine *engine, const char *reference) {
    json_t *image = NULL;
    struct error err = {0};
    cr_assert(image_inspect(engine, reference, &image, &err), "%s", err.message);
    return json_object_get(image, "Config");
}

// ---- the tests

Test(prepared, boots_a_template_once) {
    struct booter self = booter();
    struct plan_service service = shell_service(NULL);
    const char *image = build_service();
    const struct prepared_image first = ensure(&self, &service, image);
    cr_assert(first.prepared, "%s", first.why_not);
    cr_expect(first.booted);
    const struct prepared_image second = ensure(&self, &service, image);
    cr_expect(second.prepared);
    cr_expect_not(second.booted);
    cr_expect_str_eq(first.reference, second.reference);
    cr_expect_eq(self.boots, 1);
    cr_expect_eq(self.finished, 1);
}

Test(prepared, gives_edited_settings_a_template_of_their_own) {
    struct booter self = booter();
    const char *image = build_service();
    struct plan_service service = shell_service(NULL);
    struct plan_service edited = shell_service((const char *const[]){"SIZE=2", NULL});
    const struct prepared_image before = ensure(&self, &service, image);
    const struct prepared_image after = ensure(&self, &edited, image);
    cr_assert(before.prepared && after.prepared);
    cr_expect_str_neq(before.reference, after.reference);
    cr_expect_eq(self.boots, 2);
}

Test(prepared, refuses_a_template_that_did_not_end_cleanly) {
    struct booter self = booter();
    const char *image = build_service();
    struct plan_service service = shell_service((const char *const[]){"END=3", NULL});
    const struct prepared_image refused = ensure(&self, &service, image);
    cr_expect_not(refused.prepared);
    cr_expect_str_eq(refused.reference, image);
    cr_assert_not_null(refused.why_not);
    cr_expect_not_null(strstr(refused.why_not, "did not end cleanly"), "%s", refused.why_not);
    cr_expect_eq(self.finished, 1, "the template was left behind");
}

Test(prepared, starts_a_service_unprepared_when_its_template_does_not_get_ready) {
    static const char *const never[] = {"false", NULL};
    struct booter self = booter();
    self.ready = never;
    const char *image = build_service();
    struct plan_service service = shell_service(NULL);
    service.ready_timeout_ms = 200;
    const struct prepared_image refused = ensure(&self, &service, image);
    cr_expect_not(refused.prepared);
    cr_expect_str_eq(refused.reference, image);
    cr_expect_not_null(strstr(refused.why_not, "did not get ready"), "%s", refused.why_not);
}

Test(prepared, starts_as_the_image_itself_does) {
    static const char *const keys[] = {"Entrypoint", "Cmd", "Env", "WorkingDir"};
    struct booter self = booter();
    struct plan_service service = shell_service(NULL);
    const char *image = build_service();
    const struct prepared_image prepared = ensure(&self, &service, image);
    cr_assert(prepared.prepared, "%s", prepared.why_not);
    const json_t *original = config_of(self.engine, image);
    const json_t *committed = config_of(self.engine, prepared.reference);
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        cr_expect(
            json_equal(json_object_get(original, keys[i]), json_object_get(committed, keys[i])),
            "%s: %s", keys[i], json_dumps(committed, 0));
    const json_t *labels = json_object_get(committed, "Labels");
    cr_expect_str_eq(json_string_value(json_object_get(labels, "io.assay.run")), "");
    cr_expect_str_eq(json_string_value(json_object_get(labels, "io.assay.role")), "");
    cr_expect_str_eq(json_string_value(json_object_get(labels, "io.assay.recipe")), "shell");
    cr_expect_eq(strlen(json_string_value(json_object_get(labels, "io.assay.prepared"))), 64);
}

Test(prepared, keeps_the_first_boots_data_and_not_its_password) {
    static const char *const boots[] = {"cat", "/data/boots", NULL};
    static const char *const find[] = {"grep", "-rlsF", "template-password", "/data", "/run",
                                       "/etc", "/tmp",  "/dev/shm",          "/srv",  NULL};
    struct booter self = booter();
    struct plan_service service = shell_service(NULL);
    const struct prepared_image prepared = ensure(&self, &service, build_service());
    cr_assert(prepared.prepared, "%s", prepared.why_not);
    const char *id = start(&self, &service, prepared.reference, "run-password");
    struct readiness readiness = {&self, id};
    cr_assert(eventually(deadline_in_ms(60000), is_ready, &readiness, NULL, .interval_ms = 20));
    cr_expect_str_eq(output_of(self.engine, id, boots), "boot\n");
    cr_expect_str_eq(output_of(self.engine, id, find), "");
}

// ---- PostgreSQL

static const char *const postgres_ready[] = {"pg_isready", "-q", "-h", "127.0.0.1", NULL};

static struct plan_service postgres_service(void) {
    return (struct plan_service){.name = memory_copy_string("postgres"),
                                 .prepare = true,
                                 .config = json_pack("{s:[s,s,s], s:[s,s]}", "Env",
                                                     "POSTGRES_USER=app", "POSTGRES_DB=app",
                                                     "POSTGRES_PASSWORD_FILE=/run/secrets/password",
                                                     "Cmd", "postgres", "-cfsync=off"),
                                 .host_config = json_object()};
}

static bool logs_in(struct engine *engine, const char *container, const char *password) {
    char *variable = memory_format("PGPASSWORD=%s", password);
    const char *const environment[] = {variable, NULL};
    static const char *const argv[] = {"psql", "-h",  "127.0.0.1", "-U",       "app",
                                       "-d",   "app", "-c",        "SELECT 1", NULL};
    const struct exec_options options = {.argv = argv, .environment = environment};
    struct exec_result result = {0};
    struct error err = {0};
    cr_assert(exec_run(engine, container, &options, &result, &err), "%s", err.message);
    return result.exit_status == 0;
}

static int64_t boot_to_ready_ms(struct booter *self, struct plan_service *service,
                                const char *reference, const char *password, char **ret_id) {
    const int64_t started_us = clock_monotonic_us();
    char *id = start(self, service, reference, password);
    struct readiness readiness = {self, id};
    cr_assert(eventually(deadline_in_ms(20000), is_ready, &readiness, NULL, .interval_ms = 5));
    *ret_id = id;
    return (clock_monotonic_us() - started_us) / 1000;
}

Test(prepared, postgres_does_not_open_to_the_templates_password_and_starts_sooner) {
    struct booter self = booter();
    self.ready = postgres_ready;
    bool present = false;
    cr_assert(image_exists(self.engine, "assay/postgres:dev", &present, NULL));
    if (!present)
        cr_skip_test("no image assay/postgres:dev in the engine");
    struct plan_service service = postgres_service();
    char *first_boot = NULL;
    const int64_t first_ms =
        boot_to_ready_ms(&self, &service, "assay/postgres:dev", "other-password", &first_boot);
    const struct prepared_image prepared = ensure(&self, &service, "assay/postgres:dev");
    cr_assert(prepared.prepared, "%s", prepared.why_not);
    char *copy = NULL;
    const int64_t copy_ms =
        boot_to_ready_ms(&self, &service, prepared.reference, "run-password", &copy);
    cr_log_info("PostgreSQL: first boot %lld ms, prepared %lld ms", (long long)first_ms,
                (long long)copy_ms);
    cr_expect_not(logs_in(self.engine, copy, "template-password"));
    cr_expect(logs_in(self.engine, copy, "run-password"));
    cr_expect_lt(copy_ms, first_ms, "%lld ms against %lld ms", (long long)copy_ms,
                 (long long)first_ms);
}
