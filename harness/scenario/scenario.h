// The bridge between a Criterion test and a running stack.
//
// A suite is an ordinary Criterion executable. `assay run` starts it with ASSAY_ENVIRONMENT naming
// a 0600 file that says where every service is; the suite asks for a service by name and speaks to
// it. Without that variable (started by hand, or --list) every test that asks for a service is "not
// verified".
//
//     static struct scenario *scenario;
//     static void open_scenario(void) { scenario = scenario_open(); }
//     static void close_scenario(void) { scenario_close(scenario); }
//     TestSuite(postgres, .init = open_scenario, .fini = close_scenario, .timeout = 30);
//
//     Test(postgres, refuses_a_duplicate_key) {
//         struct postgres *db = scenario_postgres(scenario, "postgres");
//         must(postgres_run(db, "create temporary table t (id int primary key)", err));
//         must(postgres_run(db, "insert into t values (1)", err));
//         must_fail(postgres_run(db, "insert into t values (1)", err), ERROR_SERVICE,
//                   SERVICE_ERROR_UNIQUE);
//     }
//
// What a scenario hands out belongs to it and goes in scenario_close (a failed assertion longjmps
// past everything else). `err` is the test's struct error, for use inside must().
#pragma once

#include "base/eventually.h"
#include "base/string_list.h"
#include "client/endpoint.h"
#include "client/kind.h"
#include "engine/engine.h"

#include <criterion/criterion.h>
#include <stdnoreturn.h>

struct scenario;

struct scenario *scenario_open(void);
void scenario_close(struct scenario *self); // NULL is fine

// What must() and friends report from: one for the process, which is one test. The same as `err`.
struct error *scenario_error(const struct scenario *self);
extern struct error *const err;

// The service's endpoint; borrowed. A service that is not part of the stack, or whose image was
// not to be had, ends the test as not verified, with the reason. One that did not get ready, that
// died or was paused since fails the test at once, by its name. Clients of a test wait for an
// answer two thirds of its .timeout at most (and 30 s), so that their failure names the service.
const struct endpoint *scenario_endpoint(struct scenario *self, const char *service);
// The services that are ready now, for tests about all or any of them; borrowed.
const struct string_list *scenario_ready_services(struct scenario *self);
// All members of a group ("redis").
struct kind_members scenario_members(struct scenario *self, const char *group);
// What really answers there: "FerretDB 1.24.0", as identify() said when the stack came up.
const char *scenario_product(struct scenario *self, const char *service);
// The engine that the stack runs on, and the container of a service, dead or alive.
struct engine *scenario_engine(struct scenario *self);
const char *scenario_container(struct scenario *self, const char *service);
// A name nobody else uses, lower case letters, digits and '_': for tables, queues, keys.
const char *scenario_unique(struct scenario *self, const char *prefix);
// The statement with `name` in the place of its "%s": scenario_statement(s, table, "drop table
// %s").
const char *scenario_statement(struct scenario *self, const char *name, const char *statement);
// Openbao's root token and the like: made when the service was formed. Borrowed.
const struct secret *scenario_token(struct scenario *self, const char *service);

// A second, private copy of a service (of every member for a group): same image, same
// configuration, own credentials, own containers; ready when this returns, removed with the
// scenario. For tests that pause, kill or misconfigure: the shared one is never harmed.
struct spare;
struct spare *scenario_spare(struct scenario *self, const char *service_or_group);
struct kind_members spare_members(struct spare *self);
const struct endpoint *spare_endpoint(struct spare *self, size_t member);
const char *spare_container(struct spare *self, size_t member);
const struct secret *spare_token(struct spare *self);

// Frees `object` with `free_object` in scenario_close, in reverse order.
void scenario_own(struct scenario *self, void *object, void (*free_object)(void *object));

// A listener on 127.0.0.1 that accepts and never says a word; returns its endpoint.
const struct endpoint *scenario_silent_server(struct scenario *self, const struct endpoint *like);
// A port of 127.0.0.1 where nothing listens and nothing will for the length of the test.
const struct endpoint *scenario_dead_server(struct scenario *self, const struct endpoint *like);
// As `like`, with a password that is wrong.
const struct endpoint *scenario_wrong_password(struct scenario *self, const struct endpoint *like);
// As `like`, for somebody who waits for an answer two seconds at most: long enough for one
// that comes, on a busy machine too.
const struct endpoint *scenario_impatient(struct scenario *self, const struct endpoint *like);

// Ends the test: it could not be verified (exit status 4), or the server itself says that it does
// not offer the feature. The reason stands in every report.
noreturn void not_verified(const char *format, ...) __attribute__((format(printf, 1, 2)));
noreturn void not_applicable(const char *format, ...) __attribute__((format(printf, 1, 2)));

// The call must succeed; otherwise the test fails with its error.
#define must(call)                                                 \
    do {                                                           \
        error_clear(err);                                          \
        const bool must_succeeded_ = (call);                       \
        cr_assert(must_succeeded_, "%s: %s", #call, err->message); \
    } while (0)

// The call must fail in just this way.
#define must_fail(call, expected_domain, expected_code)                                            \
    do {                                                                                           \
        error_clear(err);                                                                          \
        const bool must_succeeded_ = (call);                                                       \
        cr_assert(!must_succeeded_, "%s succeeded, though it must fail", #call);                   \
        cr_assert(err->domain == (expected_domain) && err->code == (int)(expected_code),           \
                  "%s: expected %s %d, seen %s %d: %s", #call, error_domain_name(expected_domain), \
                  (int)(expected_code), error_domain_name(err->domain), err->code, err->message);  \
    } while (0)

// Asks again until it is true, within a time: must_become(queue_length(q, err) == 3, 2000). The
// error of the last time it was asked stands in the failure.
#define must_become(condition, within_ms)                                                  \
    do {                                                                                   \
        const struct deadline become_by_ = deadline_in_ms(within_ms);                      \
        bool became_ = false;                                                              \
        while (error_clear(err), !(became_ = (condition)) && !deadline_passed(become_by_)) \
            pause_ms(5, NULL);                                                             \
        cr_assert(became_, "%s: not so within %d ms%s%s", #condition, (int)(within_ms),    \
                  err->message[0] != '\0' ? "; the last answer: " : "", err->message);     \
    } while (0)
