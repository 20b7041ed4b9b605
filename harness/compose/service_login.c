// As whom to log in, where x-assay does not say: what the image is told by its environment. Part of
// plan_reader.h.
//
// Sources: the documentation of the official images (hub.docker.com/_/postgres and so on).
#include "compose/plan_reader.h"

#include "base/memory.h"

#include <string.h>

// Variables of an image. A password may also stand in a file: NAME_FILE. NULL: there is none.
struct login_variables {
    const char *kind;
    const char *user;
    const char *database;
    const char *password;
    const char *root_password;
    const char *root; // who logs in when there is a root_password and no user
    bool database_is_user;
};

static const struct login_variables images[] = {
    {"postgres", "POSTGRES_USER", "POSTGRES_DB", "POSTGRES_PASSWORD", NULL, NULL, true},
    {"mysql", "MYSQL_USER", "MYSQL_DATABASE", "MYSQL_PASSWORD", "MYSQL_ROOT_PASSWORD", "root",
     false},
    {"mysql", "MARIADB_USER", "MARIADB_DATABASE", "MARIADB_PASSWORD", "MARIADB_ROOT_PASSWORD",
     "root", false},
    {"mongodb", "MONGO_INITDB_ROOT_USERNAME", NULL, "MONGO_INITDB_ROOT_PASSWORD", NULL, NULL,
     false},
    {"rabbitmq", "RABBITMQ_DEFAULT_USER", "RABBITMQ_DEFAULT_VHOST", "RABBITMQ_DEFAULT_PASS", NULL,
     NULL, false},
};

// Borrowed; NULL: it is not set, or has no value.
static const char *value_of(const struct plan_service *service, const char *name,
                            const char *suffix) {
    const json_t *environment = json_object_get(service->config, "Env");
    const size_t length = name != NULL ? strlen(name) : 0;
    for (size_t i = 0; length > 0 && i < json_array_size(environment); i++) {
        const char *entry = json_string_value(json_array_get(environment, i));
        if (strncmp(entry, name, length) == 0 &&
            strncmp(entry + length, suffix, strlen(suffix)) == 0 &&
            entry[length + strlen(suffix)] == '=' && entry[length + strlen(suffix) + 1] != '\0')
            return entry + length + strlen(suffix) + 1;
    }
    return NULL;
}

// A password that stands in the Compose file is given on as a secret: a file of the run's.
static char *add_secret(struct service_reader *self, const char *variable, const char *value) {
    struct plan *plan = self->plan;
    char *key = memory_format("%s.%s", self->service->name, variable);
    plan->secrets = memory_resize(plan->secrets, plan->secret_count + 1, sizeof *plan->secrets);
    plan->secrets[plan->secret_count++] = (struct plan_content){
        .key = memory_copy_string(key), .content = memory_copy_string(value), .mark = self->mark};
    return key;
}

// Key of the secret with the password; NULL: there is none that we can read. The caller's.
static char *password_of(struct service_reader *self, const char *variable) {
    const struct plan_service *service = self->service;
    const char *value = value_of(service, variable, "");
    const char *file = value_of(service, variable, "_FILE");
    if (value != NULL)
        return add_secret(self, variable, value);
    for (size_t i = 0; file != NULL && i < service->mount_count; i++)
        if (service->mounts[i].type == MOUNT_SECRET && strcmp(service->mounts[i].target, file) == 0)
            return memory_copy_string(service->mounts[i].source);
    return NULL;
}

static void take_login(struct service_reader *self, const struct login_variables *from) {
    struct plan_service *service = self->service;
    const char *user = value_of(service, from->user, "");
    const char *database = value_of(service, from->database, "");
    service->password = password_of(self, from->password);
    if (service->root_password == NULL)
        service->root_password = password_of(self, from->root_password);
    if (user == NULL && service->root_password != NULL) {
        user = from->root;
        service->password = memory_copy_string(service->root_password);
    }
    service->user = memory_copy_string(user);
    if (service->database == NULL)
        service->database =
            memory_copy_string(database == NULL && from->database_is_user ? user : database);
}

bool service_read_login(struct service_reader *self) {
    struct plan_service *service = self->service;
    if (service->kind == NULL || service->user != NULL || service->password != NULL)
        return true; // what x-assay says belongs together
    for (size_t i = 0; i < sizeof images / sizeof *images; i++)
        if (strcmp(images[i].kind, service->kind->name) == 0 && service->password == NULL &&
            service->user == NULL)
            take_login(self, &images[i]);
    return true;
}
