// Clients for a test, opened and owned by its scenario.
//
// scenario_X(scenario, "service") opens a client to a service of the stack; if it cannot, the test
// fails with the client's error. scenario_X_at(scenario, endpoint) opens one to any endpoint (a
// spare, a silent server, a wrong password); if it cannot, it returns NULL and leaves the error in
// *err of the test, for reading.
#pragma once

#include "client/alertmanager.h"
#include "client/http.h"
#include "client/mongodb.h"
#include "client/mysqldb.h"
#include "client/openbao.h"
#include "client/postgres.h"
#include "client/prometheus.h"
#include "client/rabbitmq.h"
#include "client/redis_cluster.h"
#include "scenario/scenario.h"

#define SCENARIO_CLIENT(name, type)                                           \
    struct type *scenario_##name(struct scenario *self, const char *service); \
    struct type *scenario_##name##_at(struct scenario *self, const struct endpoint *endpoint)

SCENARIO_CLIENT(postgres, postgres);
SCENARIO_CLIENT(mysql, mysqldb);
SCENARIO_CLIENT(mongodb, mongodb);
SCENARIO_CLIENT(rabbitmq, rabbitmq);
SCENARIO_CLIENT(http, http);
SCENARIO_CLIENT(openbao, openbao); // scenario_openbao has the root token set
SCENARIO_CLIENT(prometheus, prometheus);
SCENARIO_CLIENT(alertmanager, alertmanager);

#undef SCENARIO_CLIENT

// Of a group ("redis"), or of any members: a spare's.
struct redis_cluster *scenario_redis_cluster(struct scenario *self, const char *group);
struct redis_cluster *scenario_redis_cluster_at(struct scenario *self,
                                                const struct kind_members *members);
