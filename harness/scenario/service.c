// What a test is told of the stack's services, and endpoints that are wrong in one way.
#define _GNU_SOURCE
#include "scenario/scenario_parts.h"

#include "base/memory.h"
#include "engine/container.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LONGEST_PATIENCE_MS 30000

static const char *required(struct scenario *self, const char *service, const char *what) {
    const char *value = environment_of(scenario_environment(self), service, what);
    cr_assert(
        value != NULL,
        "assay does not know the %s of %s: say its kind and port under x-assay or in assay.yaml",
        what, service);
    return value;
}

// It was ready when the suites began. A container that has ended or was paused since then fails the
// test here and by name; a client would find out no sooner than its patience is over. An engine
// that cannot be asked is no reason to fail, and an end with status 0 may be that of a one-shot
// service.
static bool is_alive(struct scenario *self, const char *service, struct error *ret_why) {
    struct error problem = {0};
    struct container_state state = {0};
    const char *container = environment_of(self->environment, service, "CONTAINER");
    if (container == NULL || !scenario_open_engine(self, &problem))
        return true;
    if (!container_state(self->engine, container, &state, &problem))
        return problem.domain != ERROR_ENGINE || problem.code != 404 ||
               error_set(ret_why, ERROR_SERVICE, 0, "%s was removed since it was ready", service);
    if (state.paused)
        return error_set(ret_why, ERROR_SERVICE, 0, "%s was paused since it was ready", service);
    if (state.running || state.exit_status == 0)
        return true;
    return error_set(ret_why, ERROR_SERVICE, 0, "%s has died since it was ready, exit status %d%s",
                     service, state.exit_status,
                     state.oom_killed ? ", killed for lack of memory" : "");
}

static const char *state_of(struct scenario *self, const char *service) {
    return environment_of(scenario_environment(self), service, "STATE");
}

// A service that is not part of the stack, or not to be had, is not verified; one that should be
// there and is not ready is a failure.
static void require_ready(struct scenario *self, const char *service) {
    const char *state = state_of(self, service);
    const char *why = environment_of(self->environment, service, "WHY");
    if (state == NULL)
        scenario_lacks(self, service);
    if (strcmp(state, "missing") == 0)
        not_verified("%s: %s", service, why != NULL ? why : "not there");
    cr_assert(strcmp(state, "ready") == 0, "%s is not ready: %s", service,
              why != NULL ? why : state);
}

static void require_alive(struct scenario *self, const char *service) {
    struct error dead = {0};
    require_ready(self, service);
    cr_assert(is_alive(self, service, &dead), "%s", dead.message);
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
    require_alive(self, service);
    *endpoint = (struct endpoint){
        .service = service,
        .host = required(self, service, "HOST"),
        .port = (uint16_t)strtoul(required(self, service, "PORT"), NULL, 10),
        .user = environment_of(self->environment, service, "USER"),
        .database = environment_of(self->environment, service, "DATABASE"),
        .password = secret_of(self, service, "PASSWORD_FILE"),
        .request_timeout_ms = scenario_patience_ms(),
    };
}

// 0: none. Criterion hands its test processes a copy that need not lie on a whole address.
static double timeout_of(const struct criterion_test_extra_data *data) {
    double seconds = 0;
    if (data != NULL)
        memcpy(&seconds, (const char *)data + offsetof(struct criterion_test_extra_data, timeout),
               sizeof seconds);
    return seconds;
}

// Two thirds of what the test may take: on a server that says nothing its client gives up, and says
// which one it was, before Criterion ends the test without a word.
int scenario_patience_ms(void) {
    const struct criterion_test *test = criterion_current_test;
    const struct criterion_suite *suite = criterion_current_suite;
    double seconds = test != NULL ? timeout_of(test->data) : 0;
    if (seconds <= 0 && suite != NULL)
        seconds = timeout_of(suite->data);
    const double patience_ms = seconds * 1000 * 2 / 3;
    return patience_ms >= 1 && patience_ms < LONGEST_PATIENCE_MS ? (int)patience_ms
                                                                 : LONGEST_PATIENCE_MS;
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
        if (service_or_group == NULL || strcmp(name, service_or_group) == 0 ||
            (group != NULL && strcmp(group, service_or_group) == 0))
            string_list_add(ret_services, name);
    }
}

static void free_names(void *object) {
    string_list_done(object);
    free(object);
}

const struct string_list *scenario_ready_services(struct scenario *self) {
    struct string_list *ready = memory_new(1, sizeof *ready);
    scenario_own(self, ready, free_names);
    autodone(string_list) struct string_list all = {0};
    scenario_services_of(self, NULL, &all);
    for (size_t i = 0; i < all.count; i++) {
        const char *state = state_of(self, all.items[i]);
        if (state != NULL && strcmp(state, "ready") == 0 && is_alive(self, all.items[i], NULL))
            string_list_add(ready, all.items[i]);
    }
    return ready;
}

struct kind_members scenario_members(struct scenario *self, const char *group) {
    struct string_list *names = memory_new(1, sizeof *names);
    scenario_own(self, names, free_names);
    scenario_services_of(self, group, names);
    if (names->count == 0)
        scenario_lacks(self, group);
    for (size_t i = 0; i < names->count; i++) // one that failed says more than those that miss it
        if (strcmp(state_of(self, names->items[i]), "failed") == 0)
            require_ready(self, names->items[i]);
    struct endpoint *endpoints = memory_new(names->count, sizeof *endpoints);
    scenario_own(self, endpoints, free);
    for (size_t i = 0; i < names->count; i++)
        fill_endpoint(self, names->items[i], &endpoints[i]);
    return (struct kind_members){.endpoints = endpoints, .count = names->count};
}

const char *scenario_product(struct scenario *self, const char *service) {
    require_alive(self, service);
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
    endpoint->request_timeout_ms = 4000;
    return endpoint;
}
