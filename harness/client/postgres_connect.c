#define _GNU_SOURCE
#include "client/postgres_internal.h"

#include "base/memory.h"
#include "base/secret_reveal.h"

#include <ctype.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOTICES_LIMIT (64 * 1024)
#define MOST_KEYWORDS 96
#define MOST_ADDRESSES 8

// libpq reads these whatever its caller says, and they change what a session does. Nothing of the
// user's environment may reach a run, so they go before main() starts, while there is one thread.
__attribute__((constructor)) static void forget_what_cannot_be_overridden(void) {
    static const char *const names[] = {"PGSERVICE", "PGSERVICEFILE", "PGOPTIONS",
                                        "PGTZ",      "PGDATESTYLE",   "PGGEQO"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        unsetenv(names[i]);
}

// "host,host" and "::1,127.0.0.1": libpq tries them in turn. Resolved here, so that PGHOSTADDR has
// no say and libpq itself never waits for a resolver.
struct addresses {
    struct text hosts;
    struct text numeric; // empty: the host is the folder of a socket
};

static void addresses_done(struct addresses *self) {
    text_done(&self->hosts);
    text_done(&self->numeric);
}

static bool resolve(const struct endpoint *endpoint, struct addresses *ret_addresses,
                    struct error *err) {
    if (endpoint_is_local(endpoint)) { // libpq takes the folder of a socket
        text_append_bytes(&ret_addresses->hosts, endpoint->host,
                          (size_t)(strrchr(endpoint->host, '/') - endpoint->host));
        return true;
    }
    const struct addrinfo wanted = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    const int failure = getaddrinfo(endpoint->host, NULL, &wanted, &found);
    if (failure != 0)
        return endpoint_fail(endpoint, err, ERROR_UNAVAILABLE, 0, NULL, "no address for it: %s",
                             gai_strerror(failure));
    int count = 0;
    for (const struct addrinfo *each = found; each != NULL && count < MOST_ADDRESSES;
         each = each->ai_next, count++) {
        char numeric[NI_MAXHOST];
        if (getnameinfo(each->ai_addr, each->ai_addrlen, numeric, sizeof numeric, NULL, 0,
                        NI_NUMERICHOST) != 0)
            continue;
        const char *separator = ret_addresses->numeric.length > 0 ? "," : "";
        text_appendf(&ret_addresses->hosts, "%s%s", separator, endpoint->host);
        text_appendf(&ret_addresses->numeric, "%s%s", separator, numeric);
    }
    freeaddrinfo(found);
    return true;
}

struct keywords {
    const char *names[MOST_KEYWORDS];
    const char *values[MOST_KEYWORDS];
    size_t count;
};

static void add_keyword(struct keywords *self, const char *name, const char *value) {
    // An empty value would let the environment in again.
    if (value == NULL || value[0] == '\0' || self->count == MOST_KEYWORDS - 1)
        return;
    self->names[self->count] = name;
    self->values[self->count++] = value;
}

static const char *fixed_value(const char *keyword) {
    static const struct {
        const char *keyword, *value;
    } fixed[] = {
        {"application_name", "assay"}, {"client_encoding", "UTF8"},
        {"gssencmode", "disable"},     {"passfile", "/dev/null"},
        {"sslmode", "disable"},        {"target_session_attrs", "any"},
        {"channel_binding", "prefer"}, {"require_auth", "none,password,md5,scram-sha-256"},
    };
    for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++)
        if (strcmp(fixed[i].keyword, keyword) == 0)
            return fixed[i].value;
    return NULL;
}

static bool is_ours(const char *keyword) {
    static const char *const ours[] = {"host", "hostaddr", "port", "user", "dbname", "password"};
    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
        if (strcmp(ours[i], keyword) == 0)
            return true;
    return false;
}

// Every keyword that libpq (of whatever version) would otherwise take from the environment gets a
// value: ours, or the one compiled in.
static void add_rest(struct keywords *self, const PQconninfoOption *known) {
    for (const PQconninfoOption *each = known; each != NULL && each->keyword != NULL; each++) {
        const char *fixed = fixed_value(each->keyword);
        if (fixed != NULL)
            add_keyword(self, each->keyword, fixed);
        else if (each->envvar != NULL && !is_ours(each->keyword))
            add_keyword(self, each->keyword, each->compiled);
    }
}

static PGconn *start(const struct endpoint *endpoint, const struct addresses *addresses) {
    struct keywords keywords = {.count = 0};
    char port[8];
    snprintf(port, sizeof port, "%u", endpoint->port);
    add_keyword(&keywords, "host", text_string(&addresses->hosts));
    add_keyword(&keywords, "hostaddr", text_string(&addresses->numeric));
    add_keyword(&keywords, "port", port);
    add_keyword(&keywords, "user", endpoint->user != NULL ? endpoint->user : "postgres");
    add_keyword(&keywords, "dbname", endpoint->database != NULL ? endpoint->database : "postgres");
    // Without a password PGPASSWORD would step in; a server that asks for none ignores this one.
    const char *password = secret_reveal(endpoint->password);
    add_keyword(&keywords, "password", password != NULL && password[0] != '\0' ? password : "-");
    PQconninfoOption *known = PQconndefaults();
    add_rest(&keywords, known);
    PGconn *connection = PQconnectStartParams(keywords.names, keywords.values, 0);
    PQconninfoFree(known);
    return connection;
}

// With verbose errors libpq writes "FATAL:  28P01: password authentication failed …": the one way
// to learn the SQLSTATE of a refused login. Finds it, and where the sentence starts.
static bool find_sqlstate(const char *message, char sqlstate[6], const char **ret_sentence) {
    for (const char *at = strstr(message, ":  "); at != NULL; at = strstr(at + 1, ":  ")) {
        const char *code = at + 3;
        size_t length = 0;
        while (length < 5 &&
               (isupper((unsigned char)code[length]) || isdigit((unsigned char)code[length])))
            length++;
        if (length == 5 && code[5] == ':' && code[6] == ' ') {
            memcpy(sqlstate, code, 5);
            sqlstate[5] = '\0';
            *ret_sentence = code + 7;
            return true;
        }
    }
    return false;
}

// libpq tells nonsense from a lost connection only in its text, which is not translated: assay
// never calls setlocale.
static bool is_nonsense(const char *message) {
    static const char *const signs[] = {"expected authentication request",
                                        "received invalid",
                                        "received unexpected",
                                        "lost synchronization",
                                        "invalid authentication",
                                        "message type 0x",
                                        "message contents do not agree",
                                        "unexpected response",
                                        "insufficient data",
                                        "extraneous data",
                                        "authentication method",
                                        "malformed SCRAM",
                                        "unexpected message from server"};
    for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++)
        if (strstr(message, signs[i]) != NULL)
            return true;
    return false;
}

bool postgres_lost(struct postgres *self, struct error *err) {
    const char *message = PQerrorMessage(self->connection);
    const char *sentence = NULL;
    char sqlstate[6];
    self->spent = true;
    if (find_sqlstate(message, sqlstate, &sentence)) {
        // PgBouncer calls a wrong password a protocol violation.
        const bool pooler_refused =
            strcmp(sqlstate, "08P01") == 0 && strstr(sentence, "authentication failed") != NULL;
        const int code = pooler_refused ? SERVICE_ERROR_LOGIN : (int)postgres_error_of(sqlstate);
        const int length = (int)strcspn(sentence, "\n"); // then comes where in the server's source
        return endpoint_fail(&self->endpoint, err, ERROR_SERVICE, code, sqlstate, "%.*s [%s]",
                             length, sentence, sqlstate);
    }
    return endpoint_fail(&self->endpoint, err,
                         is_nonsense(message) ? ERROR_PROTOCOL : ERROR_UNAVAILABLE, 0, NULL, "%s",
                         message);
}

static bool wait_for_socket(struct postgres *self, short events, struct deadline deadline,
                            const char *doing, struct error *err) {
    struct pollfd socket = {.fd = PQsocket(self->connection), .events = events};
    for (;;) {
        const int ready = poll(&socket, 1, (int)deadline_left_ms(deadline));
        if (ready > 0)
            return true;
        if (ready == 0 && deadline_passed(deadline)) {
            self->spent = true;
            return endpoint_fail(&self->endpoint, err, ERROR_TIMEOUT, 0, NULL,
                                 "%s: no answer in time", doing);
        }
        if (ready < 0 && errno != EINTR)
            return error_set_errno(err, "%s: poll", self->endpoint.service);
    }
}

static bool connect_in_time(struct postgres *self, struct error *err) {
    const struct deadline deadline = deadline_in_ms(self->endpoint.connect_timeout_ms);
    PostgresPollingStatusType wanted = PGRES_POLLING_WRITING;
    if (PQstatus(self->connection) == CONNECTION_BAD)
        return postgres_lost(self, err);
    PQsetErrorVerbosity(self->connection, PQERRORS_VERBOSE);
    while (wanted != PGRES_POLLING_OK) {
        const short events = wanted == PGRES_POLLING_READING ? POLLIN : POLLOUT;
        // A peer that keeps talking nonsense never lets poll() time out.
        if (deadline_passed(deadline)) {
            self->spent = true;
            return endpoint_fail(&self->endpoint, err, ERROR_TIMEOUT, 0, NULL,
                                 "login: not finished within %d ms",
                                 self->endpoint.connect_timeout_ms);
        }
        if (!wait_for_socket(self, events, deadline, "login", err))
            return false;
        wanted = PQconnectPoll(self->connection);
        if (wanted == PGRES_POLLING_FAILED)
            return postgres_lost(self, err);
    }
    return true;
}

static void keep_notice(void *context, const PGresult *result) {
    struct postgres *self = context;
    const char *severity = PQresultErrorField(result, PG_DIAG_SEVERITY);
    const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    text_appendf(&self->notices, "%s: %s\n", severity != NULL ? severity : "NOTICE",
                 message != NULL ? message : "");
    if (self->notices.length > NOTICES_LIMIT)
        text_keep_last(&self->notices, NOTICES_LIMIT);
}

bool postgres_open(const struct endpoint *endpoint, struct postgres **ret_postgres,
                   struct error *err) {
    struct addresses addresses = {0};
    if (!resolve(endpoint, &addresses, err)) {
        addresses_done(&addresses);
        return false;
    }
    struct postgres *self = memory_new(1, sizeof *self);
    endpoint_copy(&self->endpoint, endpoint);
    self->connection = start(endpoint, &addresses);
    addresses_done(&addresses);
    PQsetNoticeReceiver(self->connection, keep_notice, self);
    if (!connect_in_time(self, err)) {
        postgres_close(self);
        return false;
    }
    (void)PQsetnonblocking(self->connection, 1);
    *ret_postgres = self;
    return true;
}

void postgres_close(struct postgres *self) {
    if (self == NULL)
        return;
    PQclear(self->value);
    PQfinish(self->connection);
    text_done(&self->notices);
    endpoint_done(&self->endpoint);
    free(self);
}

struct deadline postgres_deadline(const struct postgres *self) {
    return deadline_in_ms(self->endpoint.request_timeout_ms);
}

bool postgres_wait_input(struct postgres *self, struct deadline deadline, struct error *err) {
    if (!wait_for_socket(self, POLLIN, deadline, "request", err))
        return false;
    return PQconsumeInput(self->connection) == 1 || postgres_lost(self, err);
}

bool postgres_flush(struct postgres *self, struct deadline deadline, struct error *err) {
    for (;;) {
        const int unsent = PQflush(self->connection);
        if (unsent == 0)
            return true;
        if (unsent < 0)
            return postgres_lost(self, err);
        // The server may have to speak before it can listen again (libpq manual, PQflush).
        if (!wait_for_socket(self, POLLIN | POLLOUT, deadline, "request", err))
            return false;
        if (PQconsumeInput(self->connection) != 1)
            return postgres_lost(self, err);
    }
}
