#define _GNU_SOURCE
#include "verify/backup/origin.h"

#include "base/memory.h"
#include "engine/container.h"
#include "engine/exec.h"
#include "run/run.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define ANSWER_LIMIT ((size_t)256 * 1024)

void origins_done(struct origins *self) {
    for (size_t i = 0; i < self->count; i++) {
        free(self->items[i].service);
        free(self->items[i].name);
        free(self->items[i].container);
        free(self->items[i].user);
        secret_free(self->items[i].password);
    }
    free(self->items);
    *self = (struct origins){0};
}

// ---- asking a container

// What a script prints. A container without a shell has nothing to say.
static bool ask(struct engine *engine, const char *container, const char *script, const char *first,
                const char *second, struct text *ret_said, struct error *err) {
    const char *const argv[] = {"sh", "-c", script, "sh", first, second, NULL};
    const struct exec_options options = {
        .argv = argv, .user = "root", .output_limit = ANSWER_LIMIT};
    struct exec_result result = {0};
    if (!exec_run(engine, container, &options, &result, err))
        return false;
    if (result.exit_status != 0)
        text_clear(&result.output);
    *ret_said = result.output;
    text_done(&result.errors);
    return true;
}

static bool find_dumper(struct engine *engine, const char *container,
                        const struct dumper **ret_dumper, struct error *err) {
    autodone(text) struct text said = {0};
    if (!ask(engine, container, "cat /proc/[0-9]*/comm 2>/dev/null; true", "", "", &said, err))
        return false;
    *ret_dumper = NULL;
    for (char *at = said.bytes; at != NULL && *at != '\0' && *ret_dumper == NULL;) {
        char *end = at + strcspn(at, "\n");
        const bool more = *end != '\0';
        *end = '\0';
        *ret_dumper = dumper_of(at);
        at = end + more;
    }
    return true;
}

// Twice asked, so that no separator can be in what is answered.
static bool find_login(struct engine *engine, struct origin *origin, struct error *err) {
    static const char script[] = DUMPER_FIRST "first \"$1\"";
    const struct dumper *dumper = origin->dumper;
    autodone(text) struct text user = {0}, password = {0};
    if (!ask(engine, origin->container, script, dumper->users, "", &user, err) ||
        !ask(engine, origin->container, script, dumper->passwords, "", &password, err))
        return false;
    origin->user = user.length > 0 ? memory_copy_string(text_string(&user))
                                   : memory_copy_string(dumper->default_user);
    while (password.length > 0 && password.bytes[password.length - 1] == '\n')
        password.length--;
    if (password.length > 0) {
        origin->password = secret_from_bytes(password.bytes, password.length);
        sodium_memzero(password.bytes, password.length);
    }
    return true;
}

// ---- all of them

static const char *label_of(const json_t *container, const char *label) {
    return json_string_value(json_object_get(json_object_get(container, "Labels"), label));
}

// "shop-db-1", without the slash that the engine puts before it.
static const char *name_of(const json_t *container) {
    const char *name = json_string_value(json_array_get(json_object_get(container, "Names"), 0));
    return name != NULL ? name + strspn(name, "/") : "unnamed";
}

static char *service_of(const json_t *container) {
    const char *service = label_of(container, ORIGIN_COMPOSE_SERVICE);
    if (service == NULL)
        service = label_of(container, "io.assay.service");
    return memory_copy_string(service != NULL ? service : name_of(container));
}

static bool is_wanted(const char *const *services, const char *service) {
    if (services == NULL)
        return true;
    for (size_t i = 0; services[i] != NULL; i++)
        if (strcmp(services[i], service) == 0)
            return true;
    return false;
}

static bool is_running(const json_t *container) {
    const char *state = json_string_value(json_object_get(container, "State"));
    return state != NULL && strcmp(state, "running") == 0;
}

static struct origin *add(struct origins *self) {
    if (self->count == self->capacity) {
        self->capacity = self->capacity > 0 ? 2 * self->capacity : 8;
        self->items = memory_resize(self->items, self->capacity, sizeof *self->items);
    }
    self->items[self->count] = (struct origin){0};
    return &self->items[self->count++];
}

static bool look_at(struct engine *engine, const json_t *container, const char *const *services,
                    struct origins *found, struct error *err) {
    autofree_string char *service = service_of(container);
    const char *id = json_string_value(json_object_get(container, "Id"));
    const struct dumper *dumper = NULL;
    if (!is_running(container) || !is_wanted(services, service))
        return true;
    if (!find_dumper(engine, id, &dumper, err))
        return false;
    if (dumper == NULL)
        return services == NULL ||
               error_set(err, ERROR_CONFIGURATION, 0,
                         "%s is no server that can be backed up: none of its processes is one",
                         service);
    struct origin *origin = add(found);
    origin->service = TAKE(service);
    origin->name = memory_copy_string(name_of(container));
    origin->container = memory_copy_string(id);
    origin->dumper = dumper;
    return find_login(engine, origin, err);
}

static int by_service(const void *left, const void *right) {
    return strcmp(((const struct origin *)left)->service, ((const struct origin *)right)->service);
}

// A service that was scaled is one origin a container.
static void tell_apart(struct origins *self) {
    for (size_t i = 0; i < self->count; i++)
        for (size_t j = i + 1; j < self->count; j++)
            if (strcmp(self->items[i].service, self->items[j].service) == 0) {
                free(self->items[j].service);
                self->items[j].service = memory_copy_string(self->items[j].name);
            }
}

static bool has_all(const struct origins *self, const char *const *services, struct error *err) {
    for (size_t i = 0; services != NULL && services[i] != NULL; i++) {
        size_t j = 0;
        while (j < self->count && strcmp(self->items[j].service, services[i]) != 0)
            j++;
        if (j == self->count)
            return error_set(err, ERROR_CONFIGURATION, 0, "there is no running service %s",
                             services[i]);
    }
    return true;
}

bool origins_find(struct engine *engine, const char *label, const char *const *services,
                  struct origins *ret_origins, struct error *err) {
    autofree_string char *filter = memory_format("label=%s", label);
    autodone(origins) struct origins found = {0};
    json_t *containers = NULL;
    if (!container_list(engine, (const char *const[]){filter, NULL}, &containers, err))
        return false;
    const size_t count = json_array_size(containers);
    bool looked = true;
    for (size_t i = 0; i < count && looked; i++)
        looked = look_at(engine, json_array_get(containers, i), services, &found, err);
    json_decref(containers);
    if (!looked)
        return false;
    if (count == 0)
        return error_set(err, ERROR_CONFIGURATION, 0, "no container has the label %s", label);
    if (!has_all(&found, services, err))
        return false;
    if (found.count == 0)
        return error_set(err, ERROR_CONFIGURATION, 0,
                         "of the containers with the label %s none is a server that can be backed "
                         "up: PostgreSQL, MySQL, MongoDB or Redis",
                         label);
    tell_apart(&found);
    qsort(found.items, found.count, sizeof *found.items, by_service);
    *ret_origins = found;
    found = (struct origins){0};
    return true;
}

// Without a word from the server.
#define SILENCE_MS (60 * 60 * 1000)

bool origin_reach(const struct origin *self, struct engine *engine, const char *sockets,
                  struct relay **ret_relay, struct endpoint *ret_server, struct error *err) {
    const uint16_t port = self->dumper->port;
    if (!relay_open(engine, self->container, port, sockets, ret_relay, err))
        return false;
    *ret_server = (struct endpoint){.service = self->service,
                                    .host = relay_path(*ret_relay),
                                    .port = port,
                                    .user = self->user,
                                    .password = self->password,
                                    .request_timeout_ms = SILENCE_MS};
    return true;
}
