#include "command/bundled_suite.h"

#include <stddef.h>
#include <string.h>

static const struct {
    const char *suite;
    const char *subject;
} suites[] = {
    {"postgres", "postgres"},
    {"pgbouncer", "pgbouncer"},
    {"mysql", "mysql"},
    {"mongodb", "mongodb"},
    {"redis_cluster", "redis-1"},
    {"rabbitmq", "rabbitmq"},
    {"openbao", "openbao"},
    {"prometheus", "prometheus"},
    {"alertmanager", "alertmanager"},
    {"reference_api", "reference-api"},
    {"exporter", "postgres-exporter"},
};

const char *bundled_suite_subject(const char *suite) {
    for (size_t i = 0; i < sizeof suites / sizeof *suites; i++)
        if (strcmp(suites[i].suite, suite) == 0)
            return suites[i].subject;
    return NULL;
}
