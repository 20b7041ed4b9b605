#define _GNU_SOURCE
#include "scenario/scenario.h"

#include "base/check.h"
#include "base/json_memory.h"
#include "base/memory.h"
#include "base/text.h"
#include "scenario/recorder.h"
#include "scenario/scenario_parts.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

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
        error_set(err, ERROR_UNAVAILABLE, 0,
                  "ASSAY_ENVIRONMENT is not set: start the suite with `assay run --suite PATH`");
        return self;
    }
    if (!environment_file_read(path, &self->environment, err))
        error_prefix(err, "ASSAY_ENVIRONMENT");
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
        not_verified("%s", err->message);
    return self->environment;
}

static const char *required(struct scenario *self, const char *service, const char *what) {
    const char *value = environment_of(scenario_environment(self), service, what);
    cr_assert(value != NULL, "the environment file has no %s of %s", what, service);
    return value;
}

// A service that is not part of the stack, or not to be had, is not verified; one that should be
// there and is not ready is a failure.
static void require_ready(struct scenario *self, const char *service) {
    const char *state = environment_of(scenario_environment(self), service, "STATE");
    const char *why = environment_of(self->environment, service, "WHY");
    if (state == NULL)
        not_verified("%s is not part of this stack", service);
    if (strcmp(state, "missing") == 0)
        not_verified("%s: %s", service, why != NULL ? why : "not there");
    cr_assert(strcmp(state, "ready") == 0, "%s is not ready: %s", service,
              why != NULL ? why : state);
}

static void free_secret(void *secret) {
    secret_free(secret);
}

static const struct secret *secret_of(struct scenario *self, const char *service,
                                      const char *what) {
    const char *path = environment_of(scenario_environment(self), service, what);
    if (path == NULL)
        return NULL;
    struct secret *secret = NULL;
    cr_assert(secret_read_file(path, &secret, err), "%s", err->message);
    scenario_own(self, secret, free_secret);
    return secret;
}

static struct endpoint *new_endpoint(struct scenario *self, const struct endpoint *like) {
    struct endpoint *copy = memory_new(1, sizeof *copy);
    *copy = *like;
    scenario_own(self, copy, free);
    return copy;
}

static void fill_endpoint(struct scenario *self, const char *service, struct endpoint *endpoint) {
    require_ready(self, service);
    *endpoint = (struct endpoint){
        .service = service,
        .host = required(self, service, "HOST"),
        .port = (uint16_t)strtoul(required(self, service, "PORT"), NULL, 10),
        .user = environment_of(self->environment, service, "USER"),
        .database = environment_of(self->environment, service, "DATABASE"),
        .password = secret_of(self, service, "PASSWORD_FILE"),
    };
}

const struct endpoint *scenario_endpoint(struct scenario *self, const char *service) {
    struct endpoint endpoint;
    fill_endpoint(self, service, &endpoint);
    return new_endpoint(self, &endpoint);
}

void scenario_services_of(struct scenario *self, const char *service_or_group,
                          struct string_list *ret_services) {
    const char *all = environment_get(scenario_environment(self), "ASSAY_SERVICES");
    autofree_string char *names = memory_copy_string(all != NULL ? all : "");
    char *rest = NULL;
    for (char *name = strtok_r(names, " ", &rest); name; name = strtok_r(NULL, " ", &rest)) {
        const char *group = environment_of(self->environment, name, "GROUP");
        if (strcmp(name, service_or_group) == 0 ||
            (group != NULL && strcmp(group, service_or_group) == 0))
            string_list_add(ret_services, name);
    }
}

static void free_names(void *object) {
    string_list_done(object);
    free(object);
}

struct kind_members scenario_members(struct scenario *self, const char *group) {
    struct string_list *names = memory_new(1, sizeof *names);
    scenario_own(self, names, free_names);
    scenario_services_of(self, group, names);
    if (names->count == 0)
        not_verified("%s is not part of this stack", group);
    struct endpoint *endpoints = memory_new(names->count, sizeof *endpoints);
    scenario_own(self, endpoints, free);
    for (size_t i = 0; i < names->count; i++)
        fill_endpoint(self, names->items[i], &endpoints[i]);
    return (struct kind_members){.endpoints = endpoints, .count = names->count};
}

const char *scenario_product(struct scenario *self, const char *service) {
    require_ready(self, service);
    const char *product = environment_of(self->environment, service, "PRODUCT");
    return product != NULL ? product : "";
}

const char *scenario_container(struct scenario *self, const char *service) {
    require_ready(self, service);
    return required(self, service, "CONTAINER");
}

const struct secret *scenario_token(struct scenario *self, const char *service) {
    return secret_of(self, service, "TOKEN_FILE");
}

struct engine *scenario_engine(struct scenario *self) {
    if (self->engine != NULL)
        return self->engine;
    autodone(engine_location) struct engine_location location = {0};
    if (!engine_locate(&location, err))
        not_verified("%s", err->message);
    const struct engine_options options = {
        .host = environment_get(scenario_environment(self), "ASSAY_ENGINE"),
        .certificates = location.certificates,
        .verify_peer = location.verify_peer,
    };
    cr_assert(engine_open(&options, &self->engine, err), "%s", err->message);
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

// A socket of the loopback on a port the kernel chose.
static int bind_loopback(uint16_t *ret_port) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    cr_assert(fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0 &&
                  getsockname(fd, (struct sockaddr *)&address, &length) == 0,
              "cannot bind a port of the loopback");
    *ret_port = ntohs(address.sin_port);
    return fd;
}

static void close_fd(void *fd) {
    close((int)(intptr_t)fd);
}

static const struct endpoint *at_loopback(struct scenario *self, const struct endpoint *like,
                                          bool listens) {
    uint16_t port = 0;
    const int fd = bind_loopback(&port);
    scenario_own(self, (void *)(intptr_t)fd, close_fd);
    // A listening socket completes connections by itself: whoever connects waits for a word.
    // One that is bound and does not listen refuses them, and nobody else can take its port.
    cr_assert(!listens || listen(fd, 16) == 0);
    struct endpoint *endpoint = new_endpoint(self, like);
    endpoint->host = "127.0.0.1";
    endpoint->port = port;
    return endpoint;
}

const struct endpoint *scenario_silent_server(struct scenario *self, const struct endpoint *like) {
    return at_loopback(self, like, true);
}

const struct endpoint *scenario_dead_server(struct scenario *self, const struct endpoint *like) {
    return at_loopback(self, like, false);
}

const struct endpoint *scenario_wrong_password(struct scenario *self, const struct endpoint *like) {
    struct secret *wrong = secret_generate();
    scenario_own(self, wrong, free_secret);
    struct endpoint *endpoint = new_endpoint(self, like);
    endpoint->password = wrong;
    return endpoint;
}

const struct endpoint *scenario_impatient(struct scenario *self, const struct endpoint *like) {
    struct endpoint *endpoint = new_endpoint(self, like);
    endpoint->connect_timeout_ms = 5000; // a busy machine may need some of it
    endpoint->request_timeout_ms = 2000;
    return endpoint;
}
