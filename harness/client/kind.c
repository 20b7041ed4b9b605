#include "client/kind.h"

#include "base/memory.h"
#include "client/alertmanager.h"
#include "client/http.h"
#include "client/mongodb.h"
#include "client/mysqldb.h"
#include "client/openbao.h"
#include "client/postgres.h"
#include "client/prometheus.h"
#include "client/rabbitmq.h"
#include "client/redis_cluster.h"

#include <string.h>

#define IMAGES(...) ((const char *const[]){__VA_ARGS__, NULL})

// To add a kind: one entry here, one noun beside it with its ready and identify.
static const struct kind table[] = {
    {
        .name = "postgres",
        .title = "PostgreSQL",
        .port = 5432,
        // PgBouncer speaks PostgreSQL's protocol, and is ready when what it stands for is.
        .image_names =
            IMAGES("postgres", "postgresql", "postgis", "pgvector", "timescaledb", "pgbouncer"),
        .ready = postgres_ready,
        .identify = postgres_identify,
    },
    {
        .name = "mysql",
        .title = "MySQL",
        .port = 3306,
        .image_names = IMAGES("mysql", "mysql-server", "mariadb", "percona", "percona-server"),
        .ready = mysql_ready,
        .identify = mysql_identify,
    },
    {
        .name = "mongodb",
        .title = "MongoDB",
        .port = 27017,
        .image_names = IMAGES("mongo", "mongodb", "mongodb-community-server",
                              "percona-server-mongodb", "ferretdb"),
        .ready = mongodb_ready,
        .identify = mongodb_identify,
    },
    {
        .name = "redis_cluster",
        .also = "redis",
        .title = "Redis Cluster",
        .port = 6379,
        .image_names =
            IMAGES("redis", "redis-cluster", "redis-stack-server", "valkey", "valkey-cluster"),
        .ready = redis_cluster_ready,
        .form = redis_cluster_form,
        .identify = redis_cluster_identify,
    },
    {
        .name = "rabbitmq",
        .title = "RabbitMQ",
        .port = 5672,
        .image_names = IMAGES("rabbitmq"),
        .ready = rabbitmq_ready,
        .identify = rabbitmq_identify,
    },
    {
        .name = "openbao",
        .title = "OpenBao",
        .port = 8200,
        .image_names = IMAGES("openbao", "openbao-ubi", "vault"),
        .ready = openbao_ready,
        .form = openbao_form,
        .identify = openbao_identify,
    },
    {
        .name = "prometheus",
        .title = "Prometheus",
        .port = 9090,
        .image_names = IMAGES("prometheus"),
        .ready = prometheus_ready,
        .identify = prometheus_identify,
    },
    {
        .name = "alertmanager",
        .title = "Alertmanager",
        .port = 9093,
        .image_names = IMAGES("alertmanager"),
        .ready = alertmanager_ready,
        .identify = alertmanager_identify,
    },
    {
        .name = "http",
        .title = "HTTP service",
        .port = 80,
        // Whatever else serves HTTP is named http by its user.
        .image_names = IMAGES("nginx", "httpd", "caddy", "reference_api", "postgres_exporter",
                              "postgres-exporter", "mysqld_exporter", "mysqld-exporter",
                              "redis_exporter", "node_exporter", "node-exporter"),
        .ready = http_ready,
        .identify = http_identify,
    },
    {.name = NULL},
};

const struct kind *kind_table(void) {
    return table;
}

const struct kind *kind_by_name(const char *name) {
    for (const struct kind *kind = table; kind->name != NULL; kind++)
        if (strcmp(kind->name, name) == 0 || (kind->also != NULL && strcmp(kind->also, name) == 0))
            return kind;
    return NULL;
}

static bool names_image(const struct kind *kind, const char *repository, size_t length) {
    for (const char *const *name = kind->image_names; *name != NULL; name++)
        if (strlen(*name) == length && memcmp(*name, repository, length) == 0)
            return true;
    return false;
}

// [registry[:port]/][path/]repository[:tag][@digest], see the OCI distribution specification.
const struct kind *kind_by_image(const char *reference) {
    const size_t without_digest = strcspn(reference, "@");
    const char *repository = reference;
    for (size_t at = 0; at < without_digest; at++)
        if (reference[at] == '/')
            repository = reference + at + 1;
    size_t length = 0;
    while (repository + length < reference + without_digest && repository[length] != ':')
        length++;
    for (const struct kind *kind = table; kind->name != NULL; kind++)
        if (names_image(kind, repository, length))
            return kind;
    return NULL;
}

void kind_formed_done(struct kind_formed *self) {
    secret_free(self->token);
    secret_free(self->unseal_key);
    *self = (struct kind_formed){0};
}
