#define _GNU_SOURCE
#include "scenario/scenario.h"

#include "base/check.h"
#include "base/json_memory.h"
#include "base/memory.h"
#include "scenario/recorder.h"
#include "scenario/scenario_parts.h"

#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static struct error error_of_test; // a test is a process: there is one
struct error *const err = &error_of_test;

struct error *scenario_error(const struct scenario *self) {
    (void)self;
    return err;
}

struct scenario *scenario_open(void) {
    recorder_link();
    json_memory_init();
    struct scenario *self = memory_new(1, sizeof *self);
    const char *path = getenv("ASSAY_ENVIRONMENT");
    if (path == NULL) {
        error_set(&self->no_environment, ERROR_UNAVAILABLE, 0,
                  "ASSAY_ENVIRONMENT is not set: start the suite with `assay run --suite PATH`");
        return self;
    }
    if (!environment_file_read(path, &self->environment, &self->no_environment))
        error_prefix(&self->no_environment, "ASSAY_ENVIRONMENT");
    return self;
}

void scenario_close(struct scenario *self) {
    if (self == NULL)
        return;
    while (self->owned_count > 0) {
        const struct owned last = self->owned[--self->owned_count];
        last.free_object(last.object);
    }
    free(self->owned);
    engine_close(self->engine);
    environment_file_free(self->environment);
    free(self);
}

void scenario_own(struct scenario *self, void *object, void (*free_object)(void *object)) {
    self->owned = memory_resize(self->owned, self->owned_count + 1, sizeof *self->owned);
    self->owned[self->owned_count++] = (struct owned){object, free_object};
}

static noreturn void skip(const char *prefix, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));

static noreturn void skip(const char *prefix, const char *format, va_list arguments) {
    char reason[1024];
    vsnprintf(reason, sizeof reason, format, arguments);
    cr_skip_test("%s%s", prefix, reason);
    abort(); // cr_skip_test does not return
}

noreturn void not_verified(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    skip(RECORDER_NOT_VERIFIED, format, arguments);
}

noreturn void not_applicable(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    skip(RECORDER_NOT_APPLICABLE, format, arguments);
}

const struct environment_file *scenario_environment(const struct scenario *self) {
    if (self->environment == NULL)
        not_verified("%s", self->no_environment.message);
    return self->environment;
}

noreturn void scenario_lacks(const struct scenario *self, const char *name) {
    const char *services = environment_get(scenario_environment(self), "ASSAY_SERVICES");
    not_verified("%s is not part of this stack, which has %s", name,
                 services != NULL ? services : "no service");
}

bool scenario_open_engine(struct scenario *self, struct error *problem) {
    if (self->engine != NULL)
        return true;
    autodone(engine_location) struct engine_location location = {0};
    if (!engine_locate(&location, problem))
        return false;
    const struct engine_options options = {
        .host = environment_get(scenario_environment(self), "ASSAY_ENGINE"),
        .certificates = location.certificates,
        .verify_peer = location.verify_peer,
    };
    return engine_open(&options, &self->engine, problem);
}

struct engine *scenario_engine(struct scenario *self) {
    (void)scenario_environment(self); // not verified without one
    cr_assert(scenario_open_engine(self, err), "%s", err->message);
    return self->engine;
}

const char *scenario_unique(struct scenario *self, const char *prefix) {
    char *name = memory_format("%s_%08x", prefix, randombytes_random());
    scenario_own(self, name, free);
    return name;
}

const char *scenario_statement(struct scenario *self, const char *name, const char *statement) {
    const char *place = strstr(statement, "%s");
    check(place != NULL);
    char *whole =
        memory_format("%.*s%s%s", (int)(place - statement), statement, name, place + strlen("%s"));
    scenario_own(self, whole, free);
    return whole;
}
