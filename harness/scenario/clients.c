#include "scenario/clients.h"

#include <criterion/criterion.h>

// Opening does the same for each client; what differs are the names.
#define DEFINE_CLIENT(name, type)                                                               \
    static void free_##name(void *object) {                                                     \
        type##_close(object);                                                                   \
    }                                                                                           \
    struct type *scenario_##name##_at(struct scenario *self, const struct endpoint *endpoint) { \
        struct type *opened = NULL;                                                             \
        if (!type##_open(endpoint, &opened, scenario_error(self)))                              \
            return NULL;                                                                        \
        scenario_own(self, opened, free_##name);                                                \
        return opened;                                                                          \
    }                                                                                           \
    static struct type *open_##name(struct scenario *self, const char *service) {               \
        struct type *opened = scenario_##name##_at(self, scenario_endpoint(self, service));     \
        cr_assert(opened != NULL, "cannot open a client of %s: %s", service,                    \
                  scenario_error(self)->message);                                               \
        return opened;                                                                          \
    }

DEFINE_CLIENT(postgres, postgres)
DEFINE_CLIENT(mysql, mysqldb)
DEFINE_CLIENT(mongodb, mongodb)
DEFINE_CLIENT(rabbitmq, rabbitmq)
DEFINE_CLIENT(http, http)
DEFINE_CLIENT(openbao, openbao)
DEFINE_CLIENT(prometheus, prometheus)
DEFINE_CLIENT(alertmanager, alertmanager)

struct postgres *scenario_postgres(struct scenario *self, const char *service) {
    return open_postgres(self, service);
}

struct mysqldb *scenario_mysql(struct scenario *self, const char *service) {
    return open_mysql(self, service);
}

struct mongodb *scenario_mongodb(struct scenario *self, const char *service) {
    return open_mongodb(self, service);
}

struct rabbitmq *scenario_rabbitmq(struct scenario *self, const char *service) {
    return open_rabbitmq(self, service);
}

struct http *scenario_http(struct scenario *self, const char *service) {
    return open_http(self, service);
}

struct openbao *scenario_openbao(struct scenario *self, const char *service) {
    struct openbao *opened = open_openbao(self, service);
    openbao_use_token(opened, scenario_token(self, service));
    return opened;
}

struct prometheus *scenario_prometheus(struct scenario *self, const char *service) {
    return open_prometheus(self, service);
}

struct alertmanager *scenario_alertmanager(struct scenario *self, const char *service) {
    return open_alertmanager(self, service);
}

static void free_redis_cluster(void *object) {
    redis_cluster_close(object);
}

struct redis_cluster *scenario_redis_cluster_at(struct scenario *self,
                                                const struct kind_members *members) {
    struct redis_cluster *opened = NULL;
    if (!redis_cluster_open(members, &opened, scenario_error(self)))
        return NULL;
    scenario_own(self, opened, free_redis_cluster);
    return opened;
}

struct redis_cluster *scenario_redis_cluster(struct scenario *self, const char *group) {
    const struct kind_members members = scenario_members(self, group);
    struct redis_cluster *opened = scenario_redis_cluster_at(self, &members);
    cr_assert(opened != NULL, "cannot open a client of %s: %s", group,
              scenario_error(self)->message);
    return opened;
}
